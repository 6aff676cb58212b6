//! mmap(2) of the rump kernel's files: what is private is read in at once, by pread(2).
//!
//! Memory is layer 1's, and a rump kernel has no pages to give. A private mapping need not notice what is written to the file later, so a copy will do. A shared
//! one would have to: ENODEV.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use rump_abi::errno::{ENODEV, ESPIPE};
use rump_abi::syscall::SYS_pread;
use rump_hypercall::memory::{PAGE_SIZE, Page, Prot, page_ptr};
use rump_hypercall::upcall::Access;
use rump_kern::Errno;
use rump_kern::uvm::mmap::{Mappable, set_file_hook};
use rump_kern::uvm::object::{PagerError, UvmObject};
use rump_kern::uvm::page::OwnedPage;

use crate::call::rump;
use crate::lwp;

/// Pages of a file, as they were when they were read.
struct Copy {
    /// The number of the first in the file.
    first: u64,
    pages: Vec<OwnedPage>,
}

impl Copy {
    fn page(&self, offset: u64) -> Option<Page> {
        let index = (offset / PAGE_SIZE as u64).checked_sub(self.first)?;
        Some(self.pages.get(usize::try_from(index).ok()?)?.page())
    }
}

impl UvmObject for Copy {
    fn get_page(&self, offset: u64, _access: Access) -> Result<Page, PagerError> {
        self.page(offset).ok_or(PagerError::Bad)
    }

    fn resident(&self, offset: u64) -> Option<Page> {
        self.page(offset)
    }

    fn notices_writes(&self) -> bool {
        false
    }

    fn flush(&self, _range: Range<u64>) -> Result<(), Errno> {
        Ok(())
    }
}

/// Reads a page of a file; returns how many bytes there were.
fn read(fd: i32, page: &OwnedPage, offset: u64) -> Result<usize, Errno> {
    let mut done = 0;
    while done < PAGE_SIZE {
        let at = page_ptr(page.page()).expose_provenance() + done;
        let args = [fd as u64, at as u64, (PAGE_SIZE - done) as u64, 0, offset + done as u64, 0];
        let ret = lwp::inside(|| rump(SYS_pread, args)).map_err(|lwp::NoMemory| Errno::ENOMEM)?;
        match (ret.errno, usize::try_from(ret.value)) {
            (0, Ok(0)) => break,
            (0, Ok(count)) => done += count,
            (ESPIPE, _) => return Err(Errno(ENODEV)),
            (errno, _) => return Err(Errno(errno)),
        }
    }
    Ok(done)
}

fn mappable(fd: i32, position: u64, len: usize, shared: bool) -> Result<Mappable, Errno> {
    if shared {
        return Err(Errno(ENODEV));
    }
    let first = position / PAGE_SIZE as u64;
    let end = position.checked_add(len as u64).ok_or(Errno::EINVAL)?.div_ceil(PAGE_SIZE as u64);
    let mut pages = Vec::new();
    for number in first..end {
        let page = OwnedPage::zeroed().map_err(|_| Errno::ENOMEM)?;
        let count = read(fd, &page, number * PAGE_SIZE as u64)?;
        if count > 0 {
            pages.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            pages.push(page);
        }
        // Behind the end there is nothing: SIGBUS.
        if count < PAGE_SIZE {
            break;
        }
    }
    Ok(Mappable { object: Arc::new(Copy { first, pages }), max_prot: Prot::all() })
}

/// Has mmap(2) find files here from now on.
pub fn init() {
    set_file_hook(mappable);
}

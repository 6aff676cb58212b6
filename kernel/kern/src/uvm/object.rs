//! Memory objects: what can be mapped besides private memory (uvm_object, the pager interface of uvm(9)).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::ops::Range;

use rump_hypercall::Giant;
use rump_hypercall::memory::{PAGE_SIZE, Page};
use rump_hypercall::upcall::Access;

use super::page::OwnedPage;
use crate::errno::Errno;

/// Why an object has no page for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagerError {
    /// There is nothing at this offset (past the end of the file), or it cannot be read: SIGBUS.
    Bad,
    /// No memory.
    OutOfMemory,
}

/// An object that supplies pages. The object owns its pages; before it frees or replaces one that may be mapped it calls
/// [`super::unmap_object`].
///
/// The methods are called by the fault handler: they must neither wait nor come back into the address space.
pub trait UvmObject {
    /// The page at `offset` (a multiple of the page size), made resident; for [`Access::Write`] it is about to be changed through a
    /// shared mapping.
    ///
    /// # Errors
    /// If there is no such page or no memory.
    fn get_page(&self, offset: u64, access: Access) -> Result<Page, PagerError>;

    /// The page at `offset` if it is resident: the fault handler maps neighbours too.
    fn resident(&self, offset: u64) -> Option<Page>;

    /// Whether a first store through a shared mapping has to be seen by [`UvmObject::get_page`] (dirty pages of a file).
    fn notices_writes(&self) -> bool;

    /// msync(2): writes changed pages of the range back. May wait.
    ///
    /// # Errors
    /// EIO and its like.
    fn flush(&self, range: Range<u64>) -> Result<(), Errno>;
}

/// Shared memory without a file: `mmap(MAP_ANON | MAP_SHARED)`, shared memory segments.
pub struct AnonObject {
    pages: Giant<BTreeMap<u64, OwnedPage>>,
    size_bytes: u64,
}

impl AnonObject {
    /// An object of this size (a multiple of the page size), all zero.
    #[must_use]
    pub fn new(size_bytes: u64) -> Arc<Self> {
        Arc::new(Self { pages: Giant::new(BTreeMap::new()), size_bytes })
    }
}

impl UvmObject for AnonObject {
    fn get_page(&self, offset: u64, _access: Access) -> Result<Page, PagerError> {
        if offset >= self.size_bytes {
            return Err(PagerError::Bad);
        }
        let mut pages = self.pages.borrow_mut();
        let index = offset / PAGE_SIZE as u64;
        if let Some(page) = pages.get(&index) {
            return Ok(page.page());
        }
        let new = OwnedPage::zeroed().map_err(|_| PagerError::OutOfMemory)?;
        let page = new.page();
        pages.insert(index, new);
        Ok(page)
    }

    fn resident(&self, offset: u64) -> Option<Page> {
        Some(self.pages.borrow().get(&(offset / PAGE_SIZE as u64))?.page())
    }

    fn notices_writes(&self) -> bool {
        false
    }

    fn flush(&self, _range: Range<u64>) -> Result<(), Errno> {
        Ok(())
    }
}

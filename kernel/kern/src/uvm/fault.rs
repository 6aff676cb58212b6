//! Page faults (uvm_fault(9)).
//!
//! Anonymous memory is brought in one page at a time until an application goes through it in order: then each fault
//! brings in twice as many pages as the one before, up to [`WINDOW_PAGES_MAX`]. Pages that are resident already (the image's own,
//! those of a mapping whose protection was taken away and given back) are mapped with their neighbours in the same leaf.

use rump_hypercall::Giant;
use rump_hypercall::boot::{self, Exit};
use rump_hypercall::memory::{self, OutOfMemory, Prot};
use rump_hypercall::upcall::Access;

use super::anon::{AnonPages, LEAF_PAGES};
use super::entry::{Backing, Entry};
use super::object::PagerError;
use super::page::OwnedPage;
use super::space::VmSpace;
use super::{PAGE_SIZE, trunc_page};
use crate::lwp::curlwp_opt;
use crate::signal::number::SIGKILL;

/// Most pages of anonymous memory that one fault brings in.
const WINDOW_PAGES_MAX: usize = 16;

/// Most pages of an object that one fault maps.
const OBJECT_WINDOW_PAGES: usize = 16;

/// Why an access cannot be satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultError {
    /// Nothing is mapped there: SIGSEGV with SEGV_MAPERR.
    NotMapped,
    /// The mapping does not allow it: SIGSEGV with SEGV_ACCERR.
    Protection,
    /// The object has no such page: SIGBUS.
    Bus,
    /// No memory.
    OutOfMemory,
}

impl From<OutOfMemory> for FaultError {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl From<PagerError> for FaultError {
    fn from(error: PagerError) -> Self {
        match error {
            PagerError::Bad => Self::Bus,
            PagerError::OutOfMemory => Self::OutOfMemory,
        }
    }
}

/// The protection that an access needs.
fn needed(access: Access) -> Prot {
    match access {
        Access::Read => Prot::READ,
        Access::Write => Prot::WRITE,
        Access::Exec => Prot::EXEC,
    }
}

/// Whether an entry's protection allows the access. As on every amd64 system, what can be written or executed can be read.
#[inline]
fn allows(prot: Prot, access: Access) -> bool {
    match access {
        Access::Read => !prot.is_empty(),
        Access::Write | Access::Exec => prot.contains(needed(access)),
    }
}

/// Pages that stay free for the kernel's own use, whatever the application does.
fn reserve_pages(total: u64) -> u64 {
    (total / 64).clamp(16, 512)
}

/// Pages that an application may still get by asking for them. Twice the reserve is left: who was told by an error number that there is no
/// memory has to be able to go on, and its first touch of a page cannot be refused but by its end.
#[must_use]
pub fn available_pages() -> u64 {
    let counts = memory::page_counts();
    counts.free.saturating_sub(2 * reserve_pages(counts.total))
}

/// Whether a system call that needs memory is to fail.
#[must_use]
pub fn memory_is_short() -> bool {
    available_pages() == 0
}

/// Whether a page fault is to fail: what is free is the kernel's reserve.
fn memory_is_gone() -> bool {
    let counts = memory::page_counts();
    counts.free <= reserve_pages(counts.total)
}

/// The upcall: brings in the page at `va`, or says that it cannot.
pub fn fault(va: usize, access: Access) -> bool {
    let Some(proc) = crate::proc::proc0() else { return false };
    let result = proc.vm.borrow_mut().fault(va, access);
    match result {
        Ok(()) => true,
        Err(FaultError::OutOfMemory) => {
            out_of_memory();
            false
        }
        Err(_) => false,
    }
}

/// Whether the program is to end since no page was left for it.
static KILLED: Giant<bool> = Giant::new(false);

/// Ends the program if no page was left for it. Called where the kernel is about to go back to the application, and so holds nothing.
pub fn end_if_killed() {
    if KILLED.get() {
        crate::exit::end(Exit::Signaled(SIGKILL as u8));
    }
}

/// The program has used up the machine's memory: it is to end, as soon as the kernel has let go of what it may be doing for it.
fn out_of_memory() {
    if KILLED.get() {
        return;
    }
    KILLED.set(true);
    if let Some(lwp) = curlwp_opt() {
        lwp.interrupt();
    }
    let resident_kib = crate::proc::proc0().map_or(0, |proc| proc.vm.borrow().resident_bytes() / 1024);
    crate::log!(
        "rumpbake: out of memory: the program holds {resident_kib} KiB of the machine's {} KiB, and no page is left; it is killed",
        boot::info().memory_bytes / 1024
    );
}

impl VmSpace {
    /// Makes an access at `va` possible.
    ///
    /// # Errors
    /// Why it is not.
    pub fn fault(&mut self, va: usize, access: Access) -> Result<(), FaultError> {
        let page_va = trunc_page(va);
        let (start, entry) = self.map.lookup_mut(page_va).ok_or(FaultError::NotMapped)?;
        if !allows(entry.prot, access) {
            return Err(FaultError::Protection);
        }
        match &entry.backing {
            Backing::Anon => anon_fault(&mut self.anon, entry, page_va),
            Backing::Shared { .. } => shared_fault(entry, start, page_va, access),
            Backing::Private { .. } => private_fault(&mut self.anon, entry, start, page_va, access),
        }
    }

    /// Why an access at `va` is not possible, for the signal that says so.
    #[must_use]
    pub fn fault_reason(&self, va: usize, access: Access) -> FaultError {
        match self.map.lookup(va) {
            None => FaultError::NotMapped,
            Some((_, entry)) if !allows(entry.prot, access) => FaultError::Protection,
            Some(_) => FaultError::Bus,
        }
    }
}

/// How many pages an anonymous fault at `page_va` brings in, by how the last one went.
fn window(entry: &mut Entry, page_va: usize) -> usize {
    let pages = if page_va == entry.next_fault {
        (usize::from(entry.window_pages) * 2).min(WINDOW_PAGES_MAX)
    } else {
        1
    };
    // At most WINDOW_PAGES_MAX.
    entry.window_pages = pages as u8;
    pages
}

fn anon_fault(anon: &mut AnonPages, entry: &mut Entry, page_va: usize) -> Result<(), FaultError> {
    let vpn = page_va / PAGE_SIZE;
    let slot = vpn % LEAF_PAGES;
    // Neighbours in the leaf and in the entry, after this page.
    let reach = (LEAF_PAGES - slot).min((entry.end - page_va) / PAGE_SIZE);
    let mut leaf = anon.leaf_mut(vpn);
    if leaf.get(slot).is_some() {
        for at in slot..slot + reach {
            let Some(page) = leaf.get(at) else { break };
            memory::pmap_enter(page_va + (at - slot) * PAGE_SIZE, page.page(), entry.prot)?;
        }
        return Ok(());
    }
    let wanted = window(entry, page_va).min(reach);
    let mut done = 0;
    while done < wanted && !leaf.has(slot + done) {
        if memory_is_gone() {
            if done == 0 {
                return Err(FaultError::OutOfMemory);
            }
            break;
        }
        let page = OwnedPage::zeroed()?;
        memory::pmap_enter(page_va + done * PAGE_SIZE, page.page(), entry.prot)?;
        leaf.put(slot + done, page);
        done += 1;
    }
    entry.next_fault = page_va + done * PAGE_SIZE;
    Ok(())
}

fn shared_fault(entry: &Entry, start: usize, page_va: usize, access: Access) -> Result<(), FaultError> {
    let Backing::Shared { object, offset } = &entry.backing else { return Err(FaultError::Bus) };
    let at = offset + (page_va - start) as u64;
    let page = object.get_page(at, access)?;
    let read_prot = if object.notices_writes() { entry.prot - Prot::WRITE } else { entry.prot };
    if access == Access::Write {
        memory::pmap_enter(page_va, page, entry.prot)?;
        return Ok(());
    }
    memory::pmap_enter(page_va, page, read_prot)?;
    for ahead in 1..OBJECT_WINDOW_PAGES.min((entry.end - page_va) / PAGE_SIZE) {
        let va = page_va + ahead * PAGE_SIZE;
        let Some(page) = object.resident(at + (ahead * PAGE_SIZE) as u64) else { break };
        if memory::pmap_extract(va).is_none() {
            memory::pmap_enter(va, page, read_prot)?;
        }
    }
    Ok(())
}

fn private_fault(
    anon: &mut AnonPages,
    entry: &Entry,
    start: usize,
    page_va: usize,
    access: Access,
) -> Result<(), FaultError> {
    let Backing::Private { object, offset } = &entry.backing else { return Err(FaultError::Bus) };
    let vpn = page_va / PAGE_SIZE;
    if let Some(page) = anon.get(vpn) {
        memory::pmap_enter(page_va, page.page(), entry.prot)?;
        return Ok(());
    }
    let at = offset + (page_va - start) as u64;
    let page = object.get_page(at, Access::Read)?;
    if access == Access::Write {
        if memory_is_gone() {
            return Err(FaultError::OutOfMemory);
        }
        let copy = OwnedPage::copy_of(page)?;
        memory::pmap_enter(page_va, copy.page(), entry.prot)?;
        anon.insert(vpn, copy);
        return Ok(());
    }
    let prot = entry.prot - Prot::WRITE;
    memory::pmap_enter(page_va, page, prot)?;
    for ahead in 1..OBJECT_WINDOW_PAGES.min((entry.end - page_va) / PAGE_SIZE) {
        let va = page_va + ahead * PAGE_SIZE;
        let Some(page) = object.resident(at + (ahead * PAGE_SIZE) as u64) else { break };
        if memory::pmap_extract(va).is_none() && anon.get(vpn + ahead).is_none() {
            memory::pmap_enter(va, page, prot)?;
        }
    }
    Ok(())
}

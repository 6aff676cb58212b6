//! The grant table (Xen's public header grant_table.h): Xen's own pages, mapped here. Only images with devices have it.

use core::cell::UnsafeCell;

use rump_hypercall::Giant;
use rump_hypercall::memory::PAGE_SIZE;
use rumpbake_drivers::xen::grant::{GrantRef, GrantTable};

/// Pages of the table: 1,016 grants.
pub const PAGES: usize = 2;

#[repr(C, align(4096))]
struct Window(UnsafeCell<[[u8; PAGE_SIZE]; PAGES]>);

// SAFETY: only its address is used; what is mapped there is reached through atomics.
unsafe impl Sync for Window {}

/// The addresses at which the table is mapped; the image's own pages there are not used.
static WINDOW: Window = Window(UnsafeCell::new([[0; PAGE_SIZE]; PAGES]));

static TABLE: Giant<Option<GrantTable>> = Giant::new(None);

unsafe extern "Rust" {
    /// Maps the table's [`PAGES`] from an address of the kernel's on; false if Xen gives none. The guest's kind defines it.
    ///
    /// # Safety
    /// What is mapped there is not used any more.
    #[link_name = "rbx_map_grants"]
    fn map_table(base: usize) -> bool;

    /// What other domains know the page at a physical address by. The guest's kind defines it.
    #[link_name = "rbx_frame"]
    safe fn frame(phys: u64) -> u64;
}

fn map() -> Option<GrantTable> {
    let base: *mut u8 = WINDOW.0.get().cast();
    // SAFETY: nobody uses the image's own pages there; the table's are mapped for good, and reached through it alone.
    unsafe { map_table(base as usize).then(|| GrantTable::new(base, PAGES)) }
}

/// Lets a domain reach the page at an address of the guest's; `None` if the table is full, or Xen gives none.
pub fn grant(domain: u16, address: u64, readonly: bool) -> Option<GrantRef> {
    let mut table = TABLE.borrow_mut();
    if table.is_none() {
        *table = map();
    }
    let frame = u32::try_from(frame(address)).ok()?;
    table.as_mut()?.grant(domain, frame, readonly)
}

/// Takes that back. False if the page is mapped there still.
pub fn end(grant: GrantRef) -> bool {
    TABLE.borrow_mut().as_mut().is_none_or(|table| table.end(grant))
}

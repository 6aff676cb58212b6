//! The grant table (Xen's public header grant_table.h, GNTTABOP_setup_table): Xen's own pages, mapped here. Only images with devices have it.

use core::cell::UnsafeCell;

use rump_hypercall::Giant;
use rump_hypercall::memory::PAGE_SIZE;
use rumpbake_drivers::xen::grant::{GrantRef, GrantTable};
use rumpbake_platform::pmap::{NX, PRESENT, WRITE};

use crate::hypercall::{self, DOMID_SELF, Number};
use crate::mmu;

/// GNTTABOP_setup_table
const SETUP_TABLE: u64 = 2;
/// Pages of the table: 1,016 grants.
const PAGES: usize = 2;

#[repr(C, align(4096))]
struct Window(UnsafeCell<[[u8; PAGE_SIZE]; PAGES]>);

// SAFETY: only its address is used; what is mapped there is reached through atomics.
unsafe impl Sync for Window {}

/// The addresses at which the table is mapped; the image's own pages there are not used.
static WINDOW: Window = Window(UnsafeCell::new([[0; PAGE_SIZE]; PAGES]));

static TABLE: Giant<Option<GrantTable>> = Giant::new(None);

/// `struct gnttab_setup_table`.
#[repr(C)]
struct SetupTable {
    domain: u16,
    frame_count: u32,
    status: i16,
    frames: *mut u64,
}

fn map() -> Option<GrantTable> {
    let mut frames = [0_u64; PAGES];
    let mut argument = SetupTable {
        domain: DOMID_SELF as u16,
        frame_count: PAGES as u32,
        status: 0,
        frames: frames.as_mut_ptr(),
    };
    // SAFETY: the command takes such structures, here one, and stores so many frames.
    let result =
        unsafe { hypercall::call(Number::GrantTableOp, [SETUP_TABLE, &raw mut argument as u64, 1, 0]) };
    if result != 0 || argument.status != 0 {
        return None;
    }
    let base: *mut u8 = WINDOW.0.get().cast();
    for (index, frame) in frames.into_iter().enumerate() {
        let machine = frame * PAGE_SIZE as u64;
        mmu::map_now(base as usize + index * PAGE_SIZE, machine | PRESENT | WRITE | NX);
    }
    // SAFETY: the table's pages are mapped there for good, and reached through it alone.
    Some(unsafe { GrantTable::new(base, PAGES) })
}

/// Lets a domain reach the page at an address of the guest's; `None` if the table is full, or Xen gives none.
pub fn grant(domain: u16, address: u64, readonly: bool) -> Option<GrantRef> {
    let mut table = TABLE.borrow_mut();
    if table.is_none() {
        *table = map();
    }
    let frame = u32::try_from(mmu::machine_address(address) / PAGE_SIZE as u64).ok()?;
    table.as_mut()?.grant(domain, frame, readonly)
}

/// Takes that back. False if the page is mapped there still.
pub fn end(grant: GrantRef) -> bool {
    TABLE.borrow_mut().as_mut().is_none_or(|table| table.end(grant))
}

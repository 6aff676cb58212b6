//! What the grant table needs of a paravirtual guest: machine frames, and the table's pages mapped as such (Xen's public header grant_table.h).

use rumpbake_platform::pmap::{NX, PRESENT, WRITE};
use rumpbake_xenguest::grants::PAGES;

use crate::hypercall::{self, DOMID_SELF, Number};
use crate::mmu;

/// GNTTABOP_setup_table
const SETUP_TABLE: u64 = 2;
const PAGE: u64 = 4096;

/// `struct gnttab_setup_table`.
#[repr(C)]
struct SetupTable {
    domain: u16,
    frame_count: u32,
    status: i16,
    frames: *mut u64,
}

#[unsafe(export_name = "rbx_map_grants")]
unsafe fn map(base: usize) -> bool {
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
        return false;
    }
    for (va, frame) in (base..).step_by(PAGE as usize).zip(frames) {
        mmu::map_now(va, (frame * PAGE) | PRESENT | WRITE | NX);
    }
    true
}

#[unsafe(export_name = "rbx_frame")]
fn frame(phys: u64) -> u64 {
    mmu::machine_address(phys) / PAGE
}

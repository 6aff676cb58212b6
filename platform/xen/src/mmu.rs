//! Page-table updates: page tables are read-only to the guest, and Xen writes them on its behalf (Xen's public header xen.h, "MMU-UPDATE
//! REQUESTS" and "MMU EXTENDED OPERATIONS").
//!
//! Updates and dropped translations are collected, and made by one trap when they have to take effect. Entries hold machine frames; the kernel counts in its
//! own, from 0 to the memory's size. Two tables translate: the one that the start info names, and one of Xen's that all guests may read.

use rump_hypercall::memory::PAGE_SIZE;
use rumpbake_platform::cpu::Local;
use rumpbake_platform::page::virt_to_phys;
use rumpbake_platform::pmap::{GLOBAL, NX, PRESENT, UNCACHED, WRITE};

use crate::hypercall::{self, DOMID_SELF, Number};

/// The entry is for code outside guest-kernel mode too. Everything is: kernel and application share one table, and Xen makes such entries survive a
/// change of modes.
pub const USER: u64 = 1 << 2;
/// Accessed and dirty: the processor need not write them.
pub const TOUCHED: u64 = 0b11 << 5;
/// The frame in an entry.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
/// Xen's table of all machine frames (arch-x86/xen-x86_64.h, MACH2PHYS_VIRT_START).
const FRAMES_OF_MACHINE: *const u64 = core::ptr::with_exposed_provenance(0xffff_8000_0000_0000);
/// MMUEXT_TLB_FLUSH_LOCAL
const TLB_FLUSH_LOCAL: u32 = 6;
/// MMUEXT_INVLPG_LOCAL
const INVLPG_LOCAL: u32 = 7;
/// UVMF_INVLPG
const UVMF_INVLPG: u64 = 2;

/// Most updates and most dropped translations that wait.
const UPDATES: usize = 128;
const DROPS: usize = 32;

/// `struct mmu_update`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Update {
    /// The entry's machine address; the low bits 0 mean a plain store.
    entry: u64,
    value: u64,
}

/// `struct mmuext_op`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Extended {
    command: u32,
    argument1: u64,
    argument2: u64,
}

/// `struct multicall_entry`.
#[repr(C)]
struct Multicall {
    number: u64,
    result: i64,
    args: [u64; 6],
}

struct Queue {
    updates: [Update; UPDATES],
    update_count: usize,
    drops: [Extended; DROPS],
    drop_count: usize,
    flush: bool,
}

static QUEUE: Local<Queue> = Local::new(Queue {
    updates: [Update { entry: 0, value: 0 }; UPDATES],
    update_count: 0,
    drops: [Extended { command: 0, argument1: 0, argument2: 0 }; DROPS],
    drop_count: 0,
    flush: false,
});

/// Machine frames of the guest's own: address and length.
static MACHINE_FRAMES: Local<(*const u64, u64)> = Local::new((core::ptr::null(), 0));

/// Says where the table of machine frames lies.
///
/// # Safety
/// `table` has `frames` words and stays.
pub unsafe fn set_machine_frames(table: *const u64, frames: u64) {
    // SAFETY: boot, one processor.
    unsafe { *MACHINE_FRAMES.get() = (table, frames) };
}

/// The machine address of a physical one.
pub fn machine_address(phys: u64) -> u64 {
    // SAFETY: written at boot.
    let (table, frames) = unsafe { *MACHINE_FRAMES.get() };
    let frame = phys / PAGE_SIZE as u64;
    assert!(frame < frames, "a page that the guest does not have: {phys:#x}");
    // SAFETY: the table has a word for the frame.
    let machine = unsafe { table.add(frame as usize).read() };
    machine * PAGE_SIZE as u64 + phys % PAGE_SIZE as u64
}

/// The physical address of the page at a machine address that belongs to the guest.
pub fn physical_address(machine: u64) -> u64 {
    // SAFETY: Xen maps its table for all machine frames that there are, and entries and start info name no others.
    let frame = unsafe { FRAMES_OF_MACHINE.add((machine / PAGE_SIZE as u64) as usize).read() };
    frame.wrapping_mul(PAGE_SIZE as u64)
}

/// An entry as Xen takes it.
fn to_machine(value: u64) -> u64 {
    if value & PRESENT == 0 {
        return value;
    }
    let flags = value & !(ADDRESS | GLOBAL | UNCACHED);
    machine_address(value & ADDRESS) | flags | USER | TOUCHED
}

fn queue() -> &'static mut Queue {
    // SAFETY: one virtual CPU; callers keep the reference within a function that calls no other that takes it.
    unsafe { &mut *QUEUE.get() }
}

/// Makes all that waits.
pub fn settle() {
    let waiting = queue();
    let mut calls = [const { Multicall { number: 0, result: 0, args: [0; 6] } }; 2];
    let mut count = 0;
    if waiting.update_count > 0 {
        calls[count].number = Number::MmuUpdate as u64;
        calls[count].args =
            [waiting.updates.as_ptr() as u64, waiting.update_count as u64, 0, DOMID_SELF, 0, 0];
        count += 1;
    }
    if waiting.flush {
        waiting.drops[0] = Extended { command: TLB_FLUSH_LOCAL, argument1: 0, argument2: 0 };
        waiting.drop_count = 1;
    }
    if waiting.drop_count > 0 {
        calls[count].number = Number::MmuextOp as u64;
        calls[count].args = [waiting.drops.as_ptr() as u64, waiting.drop_count as u64, 0, DOMID_SELF, 0, 0];
        count += 1;
    }
    if count == 0 {
        return;
    }
    // SAFETY: the calls read the queue's own arrays. What the updates do is the promise of those who asked for them.
    let result =
        unsafe { hypercall::call(Number::Multicall, [calls.as_mut_ptr() as u64, count as u64, 0, 0]) };
    let refused = result != 0 || calls.iter().any(|call| call.result != 0);
    assert!(!refused, "Xen refused a change of the page tables");
    (waiting.update_count, waiting.drop_count, waiting.flush) = (0, 0, false);
}

/// Changes the entry that maps `va` at once, to an entry with a machine address; false if there is no such table.
pub fn try_map_now(va: usize, entry: u64) -> bool {
    // SAFETY: callers change mappings that are theirs.
    unsafe { hypercall::call(Number::UpdateVaMapping, [va as u64, entry, UVMF_INVLPG, 0]) == 0 }
}

/// As [`try_map_now`], where there is a table.
pub fn map_now(va: usize, entry: u64) {
    assert!(try_map_now(va, entry), "Xen refused to map {va:#x}");
}

/// Makes one of the extended operations on a frame.
pub fn extended(command: u32, frame: u64) {
    let operation = Extended { command, argument1: frame, argument2: 0 };
    // SAFETY: Xen reads the operation; callers name one that keeps the kernel's mappings.
    let result =
        unsafe { hypercall::call(Number::MmuextOp, [&raw const operation as u64, 1, 0, DOMID_SELF]) };
    assert!(result == 0, "Xen refused operation {command} on a page table ({result})");
}

#[unsafe(export_name = "rbm_set_pte")]
unsafe fn set_pte(entry: *mut u64, value: u64) {
    if queue().update_count == UPDATES {
        settle();
    }
    let waiting = queue();
    waiting.updates[waiting.update_count] =
        Update { entry: machine_address(virt_to_phys(entry.cast())), value: to_machine(value) };
    waiting.update_count += 1;
}

#[unsafe(export_name = "rbm_get_pte")]
unsafe fn get_pte(entry: *mut u64) -> u64 {
    // SAFETY: the caller's promise.
    let value = unsafe { entry.read() };
    if value & PRESENT == 0 {
        return value;
    }
    let flags = value & (PRESENT | WRITE | NX);
    physical_address(value & ADDRESS) & ADDRESS | flags
}

#[unsafe(export_name = "rbm_flush_page")]
fn flush_page(va: usize) {
    let waiting = queue();
    if waiting.drop_count == DROPS {
        waiting.flush = true;
    } else {
        waiting.drops[waiting.drop_count] =
            Extended { command: INVLPG_LOCAL, argument1: va as u64, argument2: 0 };
        waiting.drop_count += 1;
    }
}

#[unsafe(export_name = "rbm_flush_all")]
fn flush_all() {
    queue().flush = true;
}

#[unsafe(export_name = "rbm_settle")]
fn settle_hook() {
    settle();
}

/// The entry that maps a page in the direct map.
pub fn direct_entry(phys: u64, write: u64) -> u64 {
    machine_address(phys) | PRESENT | NX | USER | TOUCHED | write
}

#[unsafe(export_name = "rbm_table_made")]
unsafe fn table_made(table: *mut u8) {
    map_now(table.addr(), direct_entry(virt_to_phys(table), 0));
}

#[unsafe(export_name = "rbm_table_gone")]
unsafe fn table_gone(table: *mut u8) {
    settle();
    map_now(table.addr(), direct_entry(virt_to_phys(table), WRITE));
}

/// Stores an entry of a table, both by physical address, at once.
pub fn store_now(entry_phys: u64, value: u64) {
    let update = Update { entry: machine_address(entry_phys), value };
    // SAFETY: Xen reads the update; callers change entries of tables that are theirs.
    let result = unsafe { hypercall::call(Number::MmuUpdate, [&raw const update as u64, 1, 0, DOMID_SELF]) };
    assert!(result == 0, "Xen refused a page table ({result})");
}

//! Page tables: pmap(9) for the application's half, and the kernel's own mappings.
//!
//! Four levels of 512 entries (Intel SDM volume 3A, 4.5). The kernel's half (entries 256 to 511 of the top level) never changes at the top level after
//! boot. Table pages of the application's half are freed when the range that they cover is unmapped whole.

use rump_hypercall::memory::{OutOfMemory, PAGE_SIZE, Page, Prot, USER_MAX};

use crate::cpu::Local;
use crate::machine;
use crate::page::{alloc_block, free_block, phys_to_virt, virt_to_phys};

/// The entry is in use.
pub const PRESENT: u64 = 1;
/// Stores are allowed.
pub const WRITE: u64 = 1 << 1;
/// Not cached: device memory (PCD and PWT).
pub const UNCACHED: u64 = 0b11 << 3;
/// The entry maps a large page.
pub const LARGE: u64 = 1 << 7;
/// The mapping survives a change of page tables.
pub const GLOBAL: u64 = 1 << 8;
/// Instruction fetches are not allowed.
pub const NX: u64 = 1 << 63;
/// The physical address in an entry.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
/// Software bit: a page that was PROT_NONE keeps its frame but is not present.
const HELD: u64 = 1 << 9;

/// Invalidate page by page up to this many, flush everything beyond.
const FLUSH_ALL_OVER: usize = 32;

static ROOT: Local<*mut u64> = Local::new(core::ptr::null_mut());

/// Tells which top-level table is in use; `root` is its address in the direct map.
///
/// # Safety
/// `root` is the table in use, and stays it.
pub unsafe fn set_root(root: *mut u64) {
    // SAFETY: boot code calls this once, before anything else here.
    unsafe { *ROOT.get() = root };
}

fn root() -> *mut u64 {
    // SAFETY: written once at boot.
    unsafe { *ROOT.get() }
}

fn index(va: usize, level: u32) -> usize {
    (va >> (12 + 9 * level)) & 511
}

fn load(entry: *mut u64) -> u64 {
    // SAFETY: callers pass the address of an entry in a table.
    unsafe { machine::get_pte(entry) }
}

fn store(entry: *mut u64, value: u64) {
    // SAFETY: callers pass an entry of a table that they are to change.
    unsafe { machine::set_pte(entry, value) };
}

fn table_of(entry: u64) -> *mut u64 {
    phys_to_virt(entry & ADDRESS).cast()
}

fn entry_in(table: *mut u64, index: usize) -> *mut u64 {
    debug_assert!(index < 512);
    // SAFETY: a table has 512 entries.
    unsafe { table.add(index) }
}

/// The last-level entry for `va`, with tables made where they are missing.
fn walk_create(va: usize) -> Result<*mut u64, OutOfMemory> {
    let mut table = root();
    for level in (1..4).rev() {
        let entry = entry_in(table, index(va, level));
        let mut value = load(entry);
        if value & PRESENT == 0 {
            let fresh = alloc_block(0).ok_or(OutOfMemory)?;
            // SAFETY: a page of our own; from here on a table.
            unsafe {
                fresh.write_bytes(0, PAGE_SIZE);
                machine::table_made(fresh);
            }
            value = virt_to_phys(fresh) | PRESENT | WRITE;
            store(entry, value);
        }
        table = table_of(value);
    }
    Ok(entry_in(table, index(va, 0)))
}

/// The last-level entry for `va`, or how many bytes of address space from there have no table.
fn walk(va: usize) -> Result<*mut u64, usize> {
    let mut table = root();
    for level in (1..4).rev() {
        let value = load(entry_in(table, index(va, level)));
        if value & PRESENT == 0 {
            let span = 1_usize << (12 + 9 * level);
            return Err(span - (va & (span - 1)));
        }
        table = table_of(value);
    }
    Ok(entry_in(table, index(va, 0)))
}

fn bits(prot: Prot) -> u64 {
    let mut bits = if prot.is_empty() { HELD } else { PRESENT };
    if prot.contains(Prot::WRITE) {
        bits |= WRITE;
    }
    if !prot.contains(Prot::EXEC) {
        bits |= NX;
    }
    bits
}

/// Calls `f` with address and value of every entry in use in `start..end`, then flushes what changed. `f` returns the new value.
fn update(start: usize, end: usize, mut f: impl FnMut(usize, u64) -> u64) {
    let mut va = start;
    let mut changed = 0;
    while va < end {
        match walk(va) {
            Err(hole) => va = va.saturating_add(hole),
            Ok(first) => {
                // As far as this table goes. Most of its entries may be empty.
                let count = (end - va).div_ceil(PAGE_SIZE).min(512 - index(va, 0));
                for nth in 0..count {
                    // SAFETY: an entry of the same table.
                    let entry = unsafe { first.add(nth) };
                    let old = load(entry);
                    if old == 0 {
                        continue;
                    }
                    let new = f(va + nth * PAGE_SIZE, old);
                    if new != old {
                        store(entry, new);
                        if old & PRESENT != 0 {
                            changed += 1;
                            if changed <= FLUSH_ALL_OVER {
                                machine::flush_page(va + nth * PAGE_SIZE);
                            }
                        }
                    }
                }
                va += count * PAGE_SIZE;
            }
        }
    }
    if changed > FLUSH_ALL_OVER {
        machine::flush_all();
    }
    machine::settle();
}

/// Frees the tables below `table` (at `level`, covering from `base`) that cover nothing outside `start..end`; tells whether there were any.
fn free_tables(table: *mut u64, level: u32, base: usize, start: usize, end: usize) -> bool {
    let mut freed = false;
    let span = 1_usize << (12 + 9 * level);
    let first = start.max(base) / span;
    let last = (end - 1).min(base + (span * 512 - 1)) / span;
    for slot in first..=last {
        let slot_base = slot * span;
        let entry = entry_in(table, slot & 511);
        let value = load(entry);
        if value & PRESENT == 0 {
            continue;
        }
        if level > 1 {
            freed |= free_tables(table_of(value), level - 1, slot_base, start, end);
        }
        if start <= slot_base && slot_base + span <= end {
            store(entry, 0);
            let page = table_of(value).cast();
            // SAFETY: the table came from `walk_create`, its range is unmapped, and no entry points to it any more.
            unsafe {
                machine::table_gone(page);
                free_block(page, 0);
            }
            freed = true;
        }
    }
    freed
}

#[unsafe(export_name = "rb_pmap_enter")]
fn pmap_enter(va: usize, page: Page, prot: Prot) -> Result<(), OutOfMemory> {
    debug_assert!(va < USER_MAX);
    let entry = walk_create(va)?;
    let old = load(entry);
    store(entry, (page.0 * PAGE_SIZE as u64) | bits(prot));
    if old & PRESENT != 0 {
        machine::flush_page(va);
    }
    machine::settle();
    Ok(())
}

#[unsafe(export_name = "rb_pmap_remove")]
fn pmap_remove(start: usize, end: usize) {
    if start >= end {
        return;
    }
    update(start, end, |_, _| 0);
    // Tables cover 2 MiB at least; smaller ranges leave them for the next mapping.
    if end - start >= 1 << 21 && free_tables(root(), 3, 0, start, end) {
        machine::flush_all();
        machine::settle();
    }
}

#[unsafe(export_name = "rb_pmap_protect")]
fn pmap_protect(start: usize, end: usize, prot: Prot) {
    update(start, end, |_, old| old & ADDRESS | bits(prot));
}

#[unsafe(export_name = "rb_pmap_extract")]
fn pmap_extract(va: usize) -> Option<Page> {
    match walk(va) {
        Ok(entry) => match load(entry) {
            0 => None,
            value => Some(Page((value & ADDRESS) / PAGE_SIZE as u64)),
        },
        Err(_) => None,
    }
}

/// Maps a page of the kernel's half.
///
/// # Errors
/// No memory for a table.
///
/// # Safety
/// `va` is in the kernel's half, in a region that the caller owns; `flags` are entry bits.
pub unsafe fn kernel_map(va: usize, phys: u64, flags: u64) -> Result<(), OutOfMemory> {
    let entry = walk_create(va)?;
    store(entry, phys | flags | PRESENT | GLOBAL);
    machine::flush_page(va);
    machine::settle();
    Ok(())
}

/// Takes a page of the kernel's half out; returns its physical address, if it was mapped.
///
/// # Safety
/// As [`kernel_map`]; nobody uses the page through this mapping any more.
pub unsafe fn kernel_unmap(va: usize) -> Option<u64> {
    let entry = walk(va).ok()?;
    let value = load(entry);
    store(entry, 0);
    machine::flush_page(va);
    machine::settle();
    (value & PRESENT != 0).then_some(value & ADDRESS)
}

/// Changes the mappings of the kernel's half that are in use in `start..end`: `f` gets address and entry, and returns the new entry.
///
/// # Safety
/// As [`kernel_map`], for all of the range.
pub unsafe fn kernel_update(start: usize, end: usize, f: impl FnMut(usize, u64) -> u64) {
    update(start, end, f);
}

/// Whether application code may be fetched from `va`.
pub fn is_executable(va: usize) -> bool {
    walk(va).is_ok_and(|entry| load(entry) & (PRESENT | NX) == PRESENT)
}

/// Whether `va` is mapped at all, by a page of either size.
pub fn is_mapped(va: usize) -> bool {
    let mut table = root();
    for level in (0..4).rev() {
        let value = load(entry_in(table, index(va, level)));
        if value & PRESENT == 0 {
            return false;
        }
        if level > 0 && value & LARGE != 0 {
            return true;
        }
        table = table_of(value);
    }
    true
}

//! Kernel stacks: mapped pages with an unmapped page below each, kept for reuse.
//!
//! A stack block also holds, at its top, the thread's control block and its vector state:
//!
//! ```text
//! guard page | stack ... | Trapframe | Tcb | vector state
//!                        ^ saved vector registers below   ^ top
//! ```

use rump_hypercall::Giant;
use rump_hypercall::memory::{OutOfMemory, PAGE_SIZE};

use crate::page::{alloc_block, free_block, phys_to_virt, virt_to_phys};
use crate::{pmap, start};

/// Where kernel stacks lie: a region of the kernel's half of its own. It does not begin at a round address, as programs do: QEMU's translator remembers one page
/// for each value of the lowest bits of a page's number (six or eight of them, for small programs), so calls would take turns in evicting a program's pages and the stack's.
const REGION: usize = 0xffff_c000_0002_0000;
/// Pages of address space between a stack and the next.
const GUARD: usize = 2;
/// Mapped pages per stack.
const PAGES: usize = 6;
/// Mapped pages per stack where a rump kernel from elsewhere runs on them, which expects what a process of a host has.
const PAGES_RUMP: usize = 16;
/// Stacks kept mapped for reuse.
const KEEP: usize = 64;

struct Stacks {
    /// Mapped and free, by their top; linked through the word below the top.
    free: usize,
    free_count: usize,
    /// Slots whose pages were given back, linked by index in a list of their own.
    empty: alloc::vec::Vec<usize>,
    /// Slots ever used.
    used: usize,
}

static STACKS: Giant<Stacks> =
    Giant::new(Stacks { free: 0, free_count: 0, empty: alloc::vec::Vec::new(), used: 0 });

/// How many pages a stack of this image has.
fn pages() -> usize {
    if start::has_rump_kernel() { PAGES_RUMP } else { PAGES }
}

fn link(top: usize) -> *mut usize {
    core::ptr::with_exposed_provenance_mut(top - size_of::<usize>())
}

fn unmap(top: usize) {
    for page in 1..=pages() {
        // SAFETY: the slot is ours and the thread that used it is gone.
        if let Some(phys) = unsafe { pmap::kernel_unmap(top - page * PAGE_SIZE) } {
            // SAFETY: the page came from `alloc_block(0)` and is mapped nowhere else.
            unsafe { free_block(phys_to_virt(phys), 0) };
        }
    }
}

/// A stack; returns the address after its last byte.
pub fn alloc() -> Result<usize, OutOfMemory> {
    let mut stacks = STACKS.borrow_mut();
    if stacks.free != 0 {
        let top = stacks.free;
        // SAFETY: a free stack is mapped, and its link was written by `free`.
        stacks.free = unsafe { link(top).read() };
        stacks.free_count -= 1;
        return Ok(top);
    }
    let top = match stacks.empty.pop() {
        Some(top) => top,
        None => {
            // Giving slots back must not take memory.
            let wanted = stacks.used + 1 - stacks.empty.len();
            stacks.empty.try_reserve(wanted).map_err(|_| OutOfMemory)?;
            stacks.used += 1;
            REGION + stacks.used * (pages() + GUARD) * PAGE_SIZE
        }
    };
    for page in 1..=pages() {
        let mapped = alloc_block(0).ok_or(OutOfMemory).and_then(|block| {
            // SAFETY: the slot belongs to this stack alone.
            unsafe { pmap::kernel_map(top - page * PAGE_SIZE, virt_to_phys(block), pmap::WRITE | pmap::NX) }
                .inspect_err(|_| {
                    // SAFETY: just allocated, not mapped.
                    unsafe { free_block(block, 0) }
                })
        });
        if mapped.is_err() {
            unmap(top);
            stacks.empty.push(top);
            return Err(OutOfMemory);
        }
    }
    Ok(top)
}

/// Takes a stack back. The caller may still run on it until it switches away for the last time, since nothing else runs before that.
pub fn free(top: usize) {
    let mut stacks = STACKS.borrow_mut();
    // SAFETY: the block is mapped, and the word at its very end belongs to vector state that is not needed any more.
    unsafe { link(top).write(stacks.free) };
    stacks.free = top;
    stacks.free_count += 1;
}

/// Gives pages of free stacks beyond those kept back to the page allocator. Called by a thread that runs on a stack in use.
pub fn trim() {
    let mut stacks = STACKS.borrow_mut();
    while stacks.free_count > KEEP {
        let top = stacks.free;
        // SAFETY: as in `alloc`.
        stacks.free = unsafe { link(top).read() };
        stacks.free_count -= 1;
        unmap(top);
        stacks.empty.push(top);
    }
}

//! Virtual memory (uvm(9)): the address space of a process, and what happens when it touches a page for the first time.
//!
//! - [`map`] says what is mapped and how; [`entry`] is one run of it;
//! - [`anon`] holds the resident private pages, [`object`] is what shared and file mappings get theirs from;
//! - [`space`] keeps map, pages and page tables in step; [`fault`] brings pages in;
//! - [`mmap`] and [`advice`] are the system calls.
//!
//! Nothing is committed before it is touched. Nothing is ever paged out: there is no swap. When memory runs out in a fault, the program is
//! killed with a message; the kernel keeps a reserve so that it gets that far.

pub mod advice;
pub mod anon;
pub mod entry;
pub mod fault;
mod gaps;
pub mod map;
pub mod mmap;
pub mod object;
pub mod page;
pub mod space;

use alloc::sync::Arc;
use core::ops::Range;

pub use object::{AnonObject, PagerError, UvmObject};
pub use rump_hypercall::memory::PAGE_SIZE;
pub use space::VmSpace;

/// MAP_INHERIT_COPY of minherit(2).
pub const INHERIT_COPY: u8 = 1;

/// The end of an application's addresses (VM_MAXUSER_ADDRESS of amd64/vmparam.h): the stack's top.
pub const VM_MAXUSER_ADDRESS: usize = 0x0000_7f80_0000_0000 - PAGE_SIZE;

/// The multiple of the page size at or below `address`.
#[inline]
#[must_use]
pub const fn trunc_page(address: usize) -> usize {
    address & !(PAGE_SIZE - 1)
}

/// The multiple of the page size at or above `address`; `None` past the end of the address space.
#[inline]
#[must_use]
pub const fn round_page(address: usize) -> Option<usize> {
    match address.checked_add(PAGE_SIZE - 1) {
        Some(sum) => Some(trunc_page(sum)),
        None => None,
    }
}

/// The pages that `len` bytes at `address` touch, as a range of addresses; `None` if they reach past the end of the address space.
#[must_use]
pub const fn page_range(address: usize, len: usize) -> Option<Range<usize>> {
    match address.checked_add(len) {
        Some(end) => match round_page(end) {
            Some(end) => Some(trunc_page(address)..end),
            None => None,
        },
        None => None,
    }
}

/// Takes an object's pages in `range` (offsets) out of the page tables: the object is about to free or replace them. Later accesses ask
/// the object again.
pub fn unmap_object(object: &Arc<dyn UvmObject>, range: Range<u64>) {
    if let Some(proc) = crate::proc::proc0() {
        proc.vm.borrow().unmap_object(object, range);
    }
}

#[cfg(test)]
mod tests;

//! Memory of usual lengths that was given back, ready to be taken again: a list per length, linked through the memory itself.
//!
//! A rump kernel takes and gives back the same few lengths all the time (lwps, requests, pages). The platform's heap is made for giving pages back as
//! soon as they are empty; this is made for being quick. It keeps little, and nothing once memory is short.

use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::ptr::null_mut;

use rump_hypercall::Giant;
use rump_hypercall::memory::PAGE_SIZE;
use rumpbake_far::far;

/// Lengths are rounded up to this.
const STEP: usize = 16;
/// Longer memory is a page, or is not kept.
const SMALL_MAX: usize = PAGE_SIZE / 2;
/// Lists of small memory; the one behind them is that of pages.
const SMALL: usize = SMALL_MAX / STEP;
/// Bytes that a list of small memory keeps at most, and pages that are kept.
const KEEP: usize = 4096;
const KEEP_PAGES: usize = 16;

#[derive(Clone, Copy)]
struct List {
    head: *mut u8,
    room: usize,
}

struct Lists([List; SMALL + 1]);

// SAFETY: memory that nobody else knows of.
unsafe impl Send for Lists {}

static LISTS: Giant<Lists> = Giant::new(Lists({
    let mut lists = [List { head: null_mut(), room: KEEP_PAGES }; SMALL + 1];
    let mut index = 0;
    while index < SMALL {
        lists[index].room = KEEP / ((index + 1) * STEP);
        index += 1;
    }
    lists
}));

/// The list for a length, if there is one.
#[inline]
fn list(len: usize) -> Option<usize> {
    if len <= SMALL_MAX { Some(len.saturating_sub(1) / STEP) } else { (len <= PAGE_SIZE).then_some(SMALL) }
}

/// The layout of all memory of a length: small memory is aligned to the largest type of the ABI, large memory to a page, which is where a heap of
/// pages puts it anyway.
#[inline]
pub(crate) fn layout(len: usize) -> Option<Layout> {
    match list(len) {
        Some(SMALL) => Layout::from_size_align(PAGE_SIZE, PAGE_SIZE).ok(),
        Some(index) => Layout::from_size_align((index + 1) * STEP, STEP).ok(),
        None => Layout::from_size_align(len, PAGE_SIZE).ok(),
    }
}

/// Takes memory of the layout of its length; null without.
#[inline]
pub(crate) fn take(len: usize) -> *mut u8 {
    if let Some(index) = list(len) {
        let list = &mut far(&LISTS).borrow_mut().0[index];
        if !list.head.is_null() {
            let memory = list.head;
            // SAFETY: memory in a list begins with the next one's address; `give` put it there.
            list.head = unsafe { memory.cast::<*mut u8>().read() };
            list.room += 1;
            return memory;
        }
    }
    from_heap(len)
}

#[cold]
fn from_heap(len: usize) -> *mut u8 {
    let Some(layout) = layout(len) else { return null_mut() };
    // SAFETY: the layout is not empty.
    let mut memory = unsafe { alloc(layout) };
    if memory.is_null() && drop_all() {
        // SAFETY: as above.
        memory = unsafe { alloc(layout) };
    }
    memory
}

/// Gives memory back.
///
/// # Safety
/// It was taken with [`take`] for the same length, and is not used any more.
#[inline]
pub(crate) unsafe fn give(memory: *mut u8, len: usize) {
    if let Some(index) = list(len) {
        let list = &mut far(&LISTS).borrow_mut().0[index];
        if list.room > 0 {
            // SAFETY: the memory is nobody's (the caller's promise), at least 16 bytes long and aligned to 16.
            unsafe { memory.cast::<*mut u8>().write(list.head) };
            list.head = memory;
            list.room -= 1;
            return;
        }
    }
    if let Some(layout) = layout(len) {
        // SAFETY: the layout with which it was taken.
        unsafe { dealloc(memory, layout) };
    }
}

/// Gives all that is kept back to the heap. False if that was nothing.
pub(crate) fn drop_all() -> bool {
    let mut dropped = false;
    for index in 0..=SMALL {
        let len = if index == SMALL { PAGE_SIZE } else { (index + 1) * STEP };
        let list = &mut LISTS.borrow_mut().0[index];
        while !list.head.is_null() {
            let memory = list.head;
            // SAFETY: as in `take`.
            list.head = unsafe { memory.cast::<*mut u8>().read() };
            list.room += 1;
            if let Some(layout) = layout(len) {
                // SAFETY: it was taken for a length of this list, all of which have this layout.
                unsafe { dealloc(memory, layout) };
            }
            dropped = true;
        }
    }
    dropped
}

//! Pages and the application's address space.
//!
//! A page's frame number is its heap address divided by the page size. The address space is a table of what `pmap_enter` said; copies to and from the
//! application go through it (module `user`).

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rump_hypercall::memory::{OutOfMemory, PAGE_SIZE, Page, PageCounts, Prot};

/// Pages that the machine pretends to have: 256 MiB.
pub(crate) const TOTAL_PAGES: u64 = 65536;

const LAYOUT: Layout = match Layout::from_size_align(PAGE_SIZE, PAGE_SIZE) {
    Ok(layout) => layout,
    Err(_) => panic!("a page is a power of two"),
};

#[derive(Default)]
pub(crate) struct Memory {
    used: BTreeSet<u64>,
    pub(crate) mapped: BTreeMap<usize, (Page, Prot)>,
}

static MEMORY: Mutex<Memory> = Mutex::new(Memory { used: BTreeSet::new(), mapped: BTreeMap::new() });

pub(crate) fn memory() -> MutexGuard<'static, Memory> {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[unsafe(export_name = "rb_page_alloc")]
fn page_alloc() -> Result<Page, OutOfMemory> {
    let mut memory = memory();
    if memory.used.len() as u64 >= TOTAL_PAGES {
        return Err(OutOfMemory);
    }
    // SAFETY: the layout has a size.
    let pointer = unsafe { alloc_zeroed(LAYOUT) };
    if pointer.is_null() {
        return Err(OutOfMemory);
    }
    let frame = (pointer.expose_provenance() / PAGE_SIZE) as u64;
    memory.used.insert(frame);
    Ok(Page(frame))
}

#[unsafe(export_name = "rb_page_alloc_uninit")]
fn page_alloc_uninit() -> Result<Page, OutOfMemory> {
    let page = page_alloc()?;
    // Whoever relies on zeros is to notice.
    // SAFETY: a page of our own.
    unsafe { page_ptr(page).write_bytes(0xa5, PAGE_SIZE) };
    Ok(page)
}

#[unsafe(export_name = "rb_page_free")]
unsafe fn page_free(page: Page) {
    let mut memory = memory();
    assert!(memory.used.remove(&page.0), "page {page:?} was freed twice or never allocated");
    assert!(
        !memory.mapped.values().any(|entry| entry.0 == page),
        "page {page:?} was freed while it was mapped"
    );
    // SAFETY: it came from `alloc_zeroed` with this layout, and was not freed before.
    unsafe { dealloc(page_ptr(page), LAYOUT) };
}

#[unsafe(export_name = "rb_page_ptr")]
pub(crate) fn page_ptr(page: Page) -> *mut u8 {
    std::ptr::with_exposed_provenance_mut(page.0 as usize * PAGE_SIZE)
}

#[unsafe(export_name = "rb_page_counts")]
fn page_counts() -> PageCounts {
    PageCounts { total: TOTAL_PAGES, free: TOTAL_PAGES - memory().used.len() as u64 }
}

#[unsafe(export_name = "rb_pmap_enter")]
fn pmap_enter(va: usize, page: Page, prot: Prot) -> Result<(), OutOfMemory> {
    assert_eq!(va % PAGE_SIZE, 0, "pmap_enter of an address that is not page-aligned");
    memory().mapped.insert(va, (page, prot));
    Ok(())
}

#[unsafe(export_name = "rb_pmap_remove")]
fn pmap_remove(start: usize, end: usize) {
    let mut memory = memory();
    let gone: Vec<usize> = memory.mapped.range(start..end).map(|(&va, _)| va).collect();
    for va in gone {
        memory.mapped.remove(&va);
    }
}

#[unsafe(export_name = "rb_pmap_protect")]
fn pmap_protect(start: usize, end: usize, prot: Prot) {
    for (_, entry) in memory().mapped.range_mut(start..end) {
        entry.1 = prot;
    }
}

#[unsafe(export_name = "rb_pmap_extract")]
fn pmap_extract(va: usize) -> Option<Page> {
    memory().mapped.get(&(va & !(PAGE_SIZE - 1))).map(|entry| entry.0)
}

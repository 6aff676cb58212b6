//! Pages and the application's address space (hypercall `memory`).
//!
//! Physical memory is a memory file, mapped whole for the kernel. The address space is a table of what `pmap_enter` said; copies to and from the
//! application go through it (module `copy`). Besides, a page is mapped at its real address wherever the host process has nothing there, so that a
//! test can look at the application's memory with a pointer.

use std::collections::BTreeMap;
use std::ptr::null_mut;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use rump_hypercall::memory::{OutOfMemory, PAGE_SIZE, Page, PageCounts, Prot};

/// Pages that the machine pretends to have: 256 MiB.
pub(crate) const TOTAL_PAGES: usize = 65536;

/// Frame number of the first page: page frame zero is no page, and a frame number is no index.
const FIRST_FRAME: u64 = 0x100;

/// The memory file, and where the kernel sees it.
struct Ram {
    file: i32,
    base: usize,
}

static RAM: LazyLock<Ram> = LazyLock::new(|| {
    let size = TOTAL_PAGES * PAGE_SIZE;
    // SAFETY: makes a file and a mapping that nothing else knows of; the kernel chooses the address.
    let (file, base) = unsafe {
        let file = libc::memfd_create(c"rumpbake".as_ptr(), libc::MFD_CLOEXEC);
        assert!(file >= 0 && libc::ftruncate(file, size as i64) == 0, "the host has no memory file to give");
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        (file, libc::mmap(null_mut(), size, protection, libc::MAP_SHARED | libc::MAP_NORESERVE, file, 0))
    };
    assert_ne!(base, libc::MAP_FAILED, "the host has no address space to give");
    Ram { file, base: base.expose_provenance() }
});

/// An entry of the address space.
struct Mapping {
    page: Page,
    prot: Prot,
    /// It is mapped at its real address, too.
    real: bool,
}

struct Memory {
    /// Pages in use, and how often each is mapped.
    used: BTreeMap<Page, usize>,
    /// Pages that were given back, whatever is in them.
    returned: Vec<Page>,
    /// Pages that were ever given out: the ones after them are still zero.
    touched: usize,
    limit: usize,
    mapped: BTreeMap<usize, Mapping>,
}

static MEMORY: Mutex<Memory> = Mutex::new(Memory {
    used: BTreeMap::new(),
    returned: Vec::new(),
    touched: 0,
    limit: TOTAL_PAGES,
    mapped: BTreeMap::new(),
});

fn memory() -> MutexGuard<'static, Memory> {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes allocations fail once `pages` are in use; [`usize::MAX`] takes the limit back.
pub fn set_page_limit(pages: usize) {
    memory().limit = pages.min(TOTAL_PAGES);
}

/// What is mapped at `va`.
pub(crate) fn mapping(va: usize) -> Option<(Page, Prot)> {
    memory().mapped.get(&(va & !(PAGE_SIZE - 1))).map(|entry| (entry.page, entry.prot))
}

fn index(page: Page) -> usize {
    (page.0 - FIRST_FRAME) as usize
}

/// A page, filled with `fill`.
fn alloc(fill: u8) -> Result<Page, OutOfMemory> {
    let mut memory = memory();
    if memory.used.len() >= memory.limit {
        return Err(OutOfMemory);
    }
    let page = match memory.returned.pop() {
        Some(page) => page,
        None if memory.touched < TOTAL_PAGES => {
            memory.touched += 1;
            Page(FIRST_FRAME + memory.touched as u64 - 1)
        }
        None => return Err(OutOfMemory),
    };
    memory.used.insert(page, 0);
    // SAFETY: a page of the memory file that nobody else has.
    unsafe { page_ptr(page).write_bytes(fill, PAGE_SIZE) };
    Ok(page)
}

#[unsafe(export_name = "rb_page_alloc")]
fn page_alloc() -> Result<Page, OutOfMemory> {
    alloc(0)
}

#[unsafe(export_name = "rb_page_alloc_uninit")]
fn page_alloc_uninit() -> Result<Page, OutOfMemory> {
    // Whoever relies on zeros is to notice.
    alloc(0xa5)
}

#[unsafe(export_name = "rb_page_free")]
unsafe fn page_free(page: Page) {
    let mut memory = memory();
    match memory.used.remove(&page) {
        Some(0) => memory.returned.push(page),
        Some(_) => panic!("page {page:?} was freed while it was mapped"),
        None => panic!("page {page:?} was freed twice or never allocated"),
    }
}

#[unsafe(export_name = "rb_page_ptr")]
pub(crate) fn page_ptr(page: Page) -> *mut u8 {
    assert!(page.0 >= FIRST_FRAME && index(page) < TOTAL_PAGES, "{page:?} is no page of this machine");
    std::ptr::with_exposed_provenance_mut(RAM.base + index(page) * PAGE_SIZE)
}

#[unsafe(export_name = "rb_page_counts")]
fn page_counts() -> PageCounts {
    let memory = memory();
    PageCounts { total: memory.limit as u64, free: memory.limit.saturating_sub(memory.used.len()) as u64 }
}

/// The host's protection. No application code runs here, so nothing is executable.
fn protection(prot: Prot) -> i32 {
    let write = if prot.contains(Prot::WRITE) { libc::PROT_WRITE } else { 0 };
    if prot.is_empty() { libc::PROT_NONE } else { libc::PROT_READ | write }
}

/// Maps a page at its real address; `replace` if the mapping there is one of these. False if the host has something else there.
fn map_really(va: usize, page: Page, prot: Prot, replace: bool) -> bool {
    let place = if replace { libc::MAP_FIXED } else { libc::MAP_FIXED_NOREPLACE };
    let offset = (index(page) * PAGE_SIZE) as i64;
    let wanted: *mut libc::c_void = std::ptr::without_provenance_mut(va);
    // SAFETY: takes the place of nothing, or of a mapping that this function made and that belongs to the address space's table.
    let got = unsafe {
        libc::mmap(wanted, PAGE_SIZE, protection(prot), libc::MAP_SHARED | place, RAM.file, offset)
    };
    if got == wanted {
        return true;
    }
    if got != libc::MAP_FAILED {
        // SAFETY: a host that does not know the flag mapped it elsewhere; nobody knows of that mapping.
        unsafe { libc::munmap(got, PAGE_SIZE) };
    }
    false
}

#[unsafe(export_name = "rb_pmap_enter")]
fn pmap_enter(va: usize, page: Page, prot: Prot) -> Result<(), OutOfMemory> {
    assert!(va.is_multiple_of(PAGE_SIZE), "pmap_enter of an address that is not page-aligned: {va:#x}");
    let mut memory = memory();
    let was_real = memory.mapped.get(&va).is_some_and(|old| old.real);
    let real = map_really(va, page, prot, was_real);
    if let Some(old) = memory.mapped.insert(va, Mapping { page, prot, real }) {
        unmapped(&mut memory, old.page);
    }
    if let Some(count) = memory.used.get_mut(&page) {
        *count += 1;
    }
    Ok(())
}

/// Counts a mapping of `page` less.
fn unmapped(memory: &mut Memory, page: Page) {
    if let Some(count) = memory.used.get_mut(&page) {
        *count -= 1;
    }
}

#[unsafe(export_name = "rb_pmap_remove")]
fn pmap_remove(start: usize, end: usize) {
    let mut memory = memory();
    let gone: Vec<(usize, Mapping)> = memory.mapped.extract_if(start..end, |_, _| true).collect();
    for (va, mapping) in gone {
        if mapping.real {
            // SAFETY: a mapping that `map_really` made and that leaves the table with this.
            unsafe { libc::munmap(std::ptr::without_provenance_mut(va), PAGE_SIZE) };
        }
        unmapped(&mut memory, mapping.page);
    }
}

#[unsafe(export_name = "rb_pmap_protect")]
fn pmap_protect(start: usize, end: usize, prot: Prot) {
    for (&va, entry) in memory().mapped.range_mut(start..end) {
        entry.prot = prot;
        if entry.real {
            // SAFETY: a mapping that `map_really` made and that is in the table.
            unsafe { libc::mprotect(std::ptr::without_provenance_mut(va), PAGE_SIZE, protection(prot)) };
        }
    }
}

#[unsafe(export_name = "rb_pmap_extract")]
fn pmap_extract(va: usize) -> Option<Page> {
    mapping(va).map(|(page, _)| page)
}

#[cfg(test)]
mod tests {
    use rump_hypercall::memory::{self, PAGE_SIZE, Prot};

    #[test]
    fn pages_are_zero_and_mapped_at_their_addresses() {
        const VA: usize = 0x1000_1000_0000;
        let page = memory::page_alloc().unwrap();
        memory::pmap_enter(VA, page, Prot::READ | Prot::WRITE).unwrap();
        assert_eq!(memory::pmap_extract(VA + 5), Some(page));
        let user: *mut u8 = std::ptr::with_exposed_provenance_mut(VA);
        // SAFETY: mapped above, readable and writable, and seen by the kernel at `page_ptr`.
        unsafe {
            assert_eq!(user.read(), 0);
            user.write_volatile(3);
            assert_eq!(memory::page_ptr(page).read_volatile(), 3);
        }
        memory::pmap_remove(VA, VA + PAGE_SIZE);
        assert_eq!(memory::pmap_extract(VA), None);
        // SAFETY: allocated above, mapped nowhere any more, not used again.
        unsafe { memory::page_free(page) };
    }

    #[test]
    fn the_hosts_own_memory_is_left_alone() {
        let own = Box::new([7_u8; 3 * PAGE_SIZE]);
        let va = own.as_ptr().addr().next_multiple_of(PAGE_SIZE);
        let page = memory::page_alloc().unwrap();
        memory::pmap_enter(va, page, Prot::READ).unwrap();
        assert_eq!(memory::pmap_extract(va), Some(page));
        assert!(own.iter().all(|&byte| byte == 7));
        memory::pmap_remove(va, va + PAGE_SIZE);
        // SAFETY: as above.
        unsafe { memory::page_free(page) };
    }

    #[test]
    #[should_panic(expected = "while it was mapped")]
    fn a_mapped_page_cannot_be_freed() {
        let page = memory::page_alloc().unwrap();
        memory::pmap_enter(0x1000_3000_0000, page, Prot::READ).unwrap();
        // SAFETY: it is not, which the platform notices; the page is lost and nobody uses it.
        unsafe { memory::page_free(page) };
    }
}

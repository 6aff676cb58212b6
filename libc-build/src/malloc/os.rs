//! Memory from the kernel.

/// Bytes in a segment, and the alignment of all that comes from here.
pub const SEGMENT: usize = 256 * 1024;

/// MAP_ALIGNED(18): at a multiple of 2^18.
#[cfg(not(test))]
const MAP_ALIGNED_SEGMENT: i32 = 18 << 24;

/// Maps `len` bytes (a multiple of the page size) of zeroed memory at a multiple of [`SEGMENT`]; null without memory.
#[cfg(not(test))]
pub fn map(len: usize) -> *mut u8 {
    use crate::sys;
    let map = |len, flags| {
        // SAFETY: a fresh mapping touches nothing.
        let map = unsafe {
            sys::mmap(core::ptr::null_mut(), len, sys::PROT_READ_WRITE, sys::MAP_PRIVATE_ANON | flags, -1, 0)
        };
        if map == sys::MAP_FAILED { core::ptr::null_mut() } else { map.cast::<u8>() }
    };
    let at = map(len, MAP_ALIGNED_SEGMENT);
    if at.addr() % SEGMENT == 0 {
        return at;
    }
    if !at.is_null() {
        // SAFETY: the mapping was just made.
        unsafe { unmap(at, len) };
    }
    // A kernel that does not align: map more and give both ends back.
    let Some(more) = len.checked_add(SEGMENT) else { return core::ptr::null_mut() };
    let at = map(more, 0);
    if at.is_null() {
        return at;
    }
    let head = at.addr().wrapping_neg() % SEGMENT;
    // SAFETY: both ends are parts of the mapping just made that nobody uses.
    unsafe {
        if head > 0 {
            unmap(at, head);
        }
        unmap(at.add(head + len), SEGMENT - head);
    }
    at.wrapping_add(head)
}

/// Unmaps.
///
/// # Safety
/// The range is part of what [`map`] gave and is used no more.
#[cfg(not(test))]
pub unsafe fn unmap(at: *mut u8, len: usize) {
    if len > 0 {
        // SAFETY: this function's contract.
        unsafe { crate::sys::munmap(at.cast(), len) };
    }
}

/// Makes the mapping at `at` longer, elsewhere at a multiple of [`SEGMENT`] if need be; null if that cannot be.
///
/// # Safety
/// It is a whole mapping of `len` bytes that [`map`] gave, and if the result is another address, nobody uses the old one.
#[cfg(not(test))]
pub unsafe fn remap(at: *mut u8, len: usize, new_len: usize) -> *mut u8 {
    use crate::sys;
    // SAFETY: this function's contract.
    let new = unsafe { sys::mremap(at.cast(), len, core::ptr::null_mut(), new_len, MAP_ALIGNED_SEGMENT) };
    if new == sys::MAP_FAILED { core::ptr::null_mut() } else { new.cast() }
}

/// How many bytes that nobody uses may be kept: a sixteenth of the memory that the program can have.
#[cfg(not(test))]
pub fn keep_bytes() -> usize {
    use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    const RLIMIT_RSS: i32 = 5;
    const UNKNOWN: usize = usize::MAX;
    static BYTES: AtomicUsize = AtomicUsize::new(UNKNOWN);
    let known = BYTES.load(Relaxed);
    if known != UNKNOWN {
        return known;
    }
    let mut limit = [0_u64; 2];
    // SAFETY: a `struct rlimit` is two such numbers.
    let failed = unsafe { crate::sys::getrlimit(RLIMIT_RSS, &raw mut limit) } != 0;
    let bytes = if failed { 0 } else { usize::try_from(limit[0] / 16).unwrap_or(0) };
    BYTES.store(bytes, Relaxed);
    bytes
}

#[cfg(test)]
pub use host::{keep_bytes, limit, map, remap, unmap};

/// A stand-in for the kernel, which can run out of memory.
#[cfg(test)]
mod host {
    use super::SEGMENT;
    use std::alloc::{Layout, alloc_zeroed, dealloc};
    use std::cell::Cell;
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    static MAPS: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());
    std::thread_local!(static LIMIT: Cell<usize> = const { Cell::new(usize::MAX) });

    /// Makes larger mappings of this thread fail.
    pub fn limit(len: usize) {
        LIMIT.set(len);
    }

    pub fn map(len: usize) -> *mut u8 {
        if len > LIMIT.get() {
            return core::ptr::null_mut();
        }
        // SAFETY: the length is not 0.
        let at = unsafe { alloc_zeroed(Layout::from_size_align(len, SEGMENT).unwrap()) };
        MAPS.lock().unwrap().insert(at.addr(), len);
        at
    }

    /// Always elsewhere.
    pub unsafe fn remap(at: *mut u8, len: usize, new_len: usize) -> *mut u8 {
        let new = map(new_len);
        if !new.is_null() {
            // SAFETY: both are mappings of at least `len` bytes, and the old one is used no more.
            unsafe {
                core::ptr::copy_nonoverlapping(at, new, len);
                unmap(at, len);
            }
        }
        new
    }

    pub fn keep_bytes() -> usize {
        4 << 20
    }

    /// Unmaps a whole mapping; the ends that the allocator trims stay.
    pub unsafe fn unmap(at: *mut u8, len: usize) {
        let mut maps = MAPS.lock().unwrap();
        if maps.get(&at.addr()) == Some(&len) {
            maps.remove(&at.addr());
            // SAFETY: allocated in `map` with this layout.
            unsafe { dealloc(at, Layout::from_size_align(len, SEGMENT).unwrap()) };
        }
    }
}

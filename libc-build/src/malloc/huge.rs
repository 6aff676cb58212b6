//! Objects with a mapping of their own.
//!
//! The mapping begins with a header, where a segment would have its own; the object follows at a distance of its alignment, at least 64 bytes,
//! and in another page than the last one did.
//! An object that is aligned to a segment or more has no room for a header before it at the place where one is looked for. Such objects
//! are kept in a list, and recognised by their address being a multiple of a segment's size: no other object's is.
//!
//! A mapping that is freed is kept for the next object of about its size, since mapping and touching the same pages anew costs a multiple of what
//! is done with most objects. What is kept is bounded by a part of the machine's memory, and given back before malloc(3) fails.

use super::class::PAGE;
use super::os::{self, SEGMENT};
use crate::lock::Lock;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The least distance of an object from its mapping's begin.
const FIRST: usize = 64;
/// How many pages objects may begin in. All mappings begin at multiples of a segment, and if all objects did so, too, the same places of two large
/// arrays would always compete for the same entry of a processor's (or emulator's) translation buffer, and for the same sets of its caches.
/// The pages before the object are never touched, the header's apart.
const COLOURS: usize = 16;
/// The page of the next object.
static NEXT_COLOUR: AtomicUsize = AtomicUsize::new(0);

/// How many mappings are kept.
const KEPT: usize = 8;

/// Mappings without an object, the one kept last at the end; their pages hold what they held.
struct Kept {
    maps: [(*mut Header, usize); KEPT],
    count: usize,
    bytes: usize,
}
// SAFETY: reached only under the lock.
unsafe impl Send for Kept {}

static FREED: Lock<Kept> = Lock::new(Kept { maps: [(null_mut(), 0); KEPT], count: 0, bytes: 0 });

impl Kept {
    /// Takes the mapping at `index` out.
    fn remove(&mut self, index: usize) -> (*mut Header, usize) {
        let map = self.maps[index];
        self.maps.copy_within(index + 1..self.count, index);
        self.count -= 1;
        self.bytes -= map.1;
        map
    }

    /// Takes the smallest one of `len` bytes, or up to a quarter more.
    fn take(&mut self, len: usize) -> Option<(*mut Header, usize)> {
        let fits = |map: &(*mut Header, usize)| map.1 >= len && map.1 - len <= len / 4;
        let best =
            (0..self.count).filter(|&index| fits(&self.maps[index])).min_by_key(|&i| self.maps[i].1)?;
        Some(self.remove(best))
    }
}

/// Keeps a mapping that nobody uses, or gives it back, or older ones.
///
/// # Safety
/// The mapping is live, whole, and used no more.
unsafe fn keep(map: *mut Header, len: usize) {
    let most = os::keep_bytes();
    if len > most {
        // SAFETY: this function's contract.
        return unsafe { os::unmap(map.cast(), len) };
    }
    let mut kept = FREED.lock();
    while kept.count == KEPT || kept.bytes + len > most {
        let (oldest, len) = kept.remove(0);
        // SAFETY: what is kept is nobody's.
        unsafe { os::unmap(oldest.cast(), len) };
    }
    let index = kept.count;
    kept.maps[index] = (map, len);
    kept.count += 1;
    kept.bytes += len;
}

/// Gives everything that is kept back to the kernel; false if there was nothing.
pub fn give_back() -> bool {
    let mut kept = FREED.lock();
    let any = kept.count > 0;
    while kept.count > 0 {
        let (map, len) = kept.remove(0);
        // SAFETY: what is kept is nobody's.
        unsafe { os::unmap(map.cast(), len) };
    }
    any
}

/// Maps `len` bytes; what is kept is given back if there is no memory otherwise.
fn map(len: usize) -> *mut u8 {
    let map = os::map(len);
    if map.is_null() && give_back() { os::map(len) } else { map }
}

/// What precedes an object.
#[repr(C)]
pub struct Header {
    /// [`Header::mark`].
    pub magic: usize,
    /// Bytes in the mapping.
    len: usize,
    /// Bytes from the header to the object.
    offset: usize,
}

impl Header {
    /// The mark of the header at `at`.
    pub fn mark(at: *mut Header) -> usize {
        at.addr() ^ 0x1a26_e0b1_ec75_a0de
    }
}

/// An object aligned to a segment or more, in the list.
#[derive(Clone, Copy)]
#[repr(C)]
struct Aligned {
    next: *mut Aligned,
    object: *mut u8,
    len: usize,
    map: *mut u8,
    map_len: usize,
}

struct List(*mut Aligned);
// SAFETY: reached only under the lock.
unsafe impl Send for List {}

static ALIGNED: Lock<List> = Lock::new(List(null_mut()));

/// Allocates `size` bytes at a multiple of `align` (a power of two); null without memory.
pub fn allocate(size: usize, align: usize) -> *mut u8 {
    allocate_telling(size, align).0
}

/// As [`allocate`], zeroed.
pub fn allocate_zeroed(size: usize) -> *mut u8 {
    let (object, fresh) = allocate_telling(size, 16);
    if !object.is_null() && !fresh {
        // SAFETY: the object holds `size` bytes.
        unsafe { object.write_bytes(0, size) };
    }
    object
}

/// The bytes of a mapping for an object of `size` bytes at `offset`.
fn map_len(size: usize, offset: usize) -> Option<usize> {
    let len = size.checked_add(offset + PAGE - 1)? & !(PAGE - 1);
    isize::try_from(len).is_ok().then_some(len)
}

/// Allocates, and tells whether the memory is fresh, and so zero.
fn allocate_telling(size: usize, align: usize) -> (*mut u8, bool) {
    if align >= SEGMENT {
        return (allocate_aligned(size, align), true);
    }
    let colours = if align <= FIRST { COLOURS } else { 1 };
    let least = align.max(FIRST);
    let Some(least_len) = map_len(size, least) else { return (null_mut(), false) };
    let kept = FREED.lock().take(least_len);
    let (header, len, offset) = if let Some((header, len)) = kept {
        // SAFETY: what was kept begins with its last object's header.
        let last = unsafe { (*header).offset };
        // Where that one lay, pages are there already.
        let fits = last.is_multiple_of(least) && map_len(size, last).is_some_and(|needed| needed <= len);
        (header, len, if fits { last } else { least })
    } else {
        let offset = least + NEXT_COLOUR.fetch_add(1, Relaxed) % colours * PAGE;
        let Some(len) = map_len(size, offset) else { return (null_mut(), false) };
        (map(len).cast(), len, offset)
    };
    if header.is_null() {
        return (null_mut(), false);
    }
    // SAFETY: the mapping is nobody else's and larger than a header.
    unsafe { header.write(Header { magic: Header::mark(header), len, offset }) };
    (header.cast::<u8>().wrapping_add(offset), kept.is_none())
}

/// Makes the object behind `header` hold `size` bytes, more than it does, elsewhere if need be; its pages move without being copied.
/// Null if that cannot be, and then it is as it was.
///
/// # Safety
/// The header is live; if the result is not null, the old object is used no more.
pub unsafe fn grow(header: *mut Header, size: usize) -> *mut u8 {
    // SAFETY: this function's contract; what the kernel moved is as long as it says.
    unsafe {
        let offset = (*header).offset;
        let Some(len) = map_len(size, offset) else { return null_mut() };
        let moved = os::remap(header.cast(), (*header).len, len).cast::<Header>();
        if moved.is_null() {
            return null_mut();
        }
        moved.write(Header { magic: Header::mark(moved), len, offset });
        moved.cast::<u8>().wrapping_add(offset)
    }
}

fn allocate_aligned(size: usize, align: usize) -> *mut u8 {
    let Some(len) =
        size.checked_add(align).and_then(|len| len.checked_add(PAGE - 1)).map(|len| len & !(PAGE - 1))
    else {
        return null_mut();
    };
    // SAFETY: malloc has no conditions.
    let entry = unsafe { super::malloc(size_of::<Aligned>()) }.cast::<Aligned>();
    if entry.is_null() {
        return null_mut();
    }
    let map = map(len);
    if map.is_null() {
        // SAFETY: just allocated.
        unsafe { super::free(entry.cast()) };
        return null_mut();
    }
    let object = map.wrapping_add(map.addr().wrapping_neg() % align);
    let mut list = ALIGNED.lock();
    // SAFETY: the entry was just allocated.
    unsafe { entry.write(Aligned { next: list.0, object, len: size, map, map_len: len }) };
    list.0 = entry;
    object
}

/// The bytes of an object at a multiple of a segment's size; `None` if there is none.
pub fn aligned_len(object: *mut u8) -> Option<usize> {
    let list = ALIGNED.lock();
    let mut at = list.0;
    while !at.is_null() {
        // SAFETY: the list holds live entries.
        let entry = unsafe { &*at };
        if entry.object == object {
            return Some(entry.len);
        }
        at = entry.next;
    }
    None
}

/// Frees an object at a multiple of a segment's size; false if there is none.
///
/// # Safety
/// If it is one, nobody uses it.
pub unsafe fn free_aligned(object: *mut u8) -> bool {
    let mut list = ALIGNED.lock();
    let mut link = &raw mut list.0;
    // SAFETY: the list holds live entries, and is this thread's under the lock.
    unsafe {
        while !(*link).is_null() {
            let entry = *link;
            if (*entry).object == object {
                *link = (*entry).next;
                drop(list);
                os::unmap((*entry).map, (*entry).map_len);
                super::free(entry.cast());
                return true;
            }
            link = &raw mut (*entry).next;
        }
    }
    false
}

/// Bytes that the object behind `header` holds.
///
/// # Safety
/// The header is live.
pub unsafe fn len(header: *mut Header) -> usize {
    // SAFETY: this function's contract.
    unsafe { (*header).len - (*header).offset }
}

/// Frees the object behind `header`; false if `object` is not it.
///
/// # Safety
/// The header is live, and nobody uses the object.
pub unsafe fn free(header: *mut Header, object: *mut u8) -> bool {
    // SAFETY: this function's contract.
    unsafe {
        if header.cast::<u8>().wrapping_add((*header).offset) != object {
            return false;
        }
        // A second free(3) is to find no header.
        (*header).magic = 0;
        keep(header, (*header).len);
    }
    true
}

/// Gives the pages after the first `size` bytes of the object back.
///
/// # Safety
/// The header is live, `size` is not more than [`len`], and the rest is used no more.
pub unsafe fn shrink(header: *mut Header, size: usize) {
    // SAFETY: this function's contract.
    unsafe {
        let keep = (size + (*header).offset + PAGE - 1) & !(PAGE - 1);
        if keep < (*header).len {
            os::unmap(header.cast::<u8>().wrapping_add(keep), (*header).len - keep);
            (*header).len = keep;
        }
    }
}

//! The functions themselves (malloc(3), posix_memalign(3), reallocarr(3)).

use super::cache::cache;
use super::central::{self, CENTRAL};
use super::class::{self, MAX_SMALL, PAGE};
use super::os::SEGMENT;
use super::segment::{Run, Segment};
use super::{die, huge};
use crate::errno;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// Objects of whole pages are at most this large; larger ones have a mapping.
const MAX_PAGES: usize = 128 * 1024;

/// What an address is.
enum Kind {
    /// An object of a class.
    Small(usize),
    /// Whole pages.
    Pages,
    /// A mapping with this header.
    Huge(*mut huge::Header),
    /// A mapping aligned to a segment.
    Aligned,
}

/// Finds out what an object is; dies if it is none.
///
/// # Safety
/// `object` is not null and came from here, if the program has no error.
#[inline]
unsafe fn kind(object: *mut u8) -> Kind {
    let segment = Segment::of(object);
    if segment.cast::<u8>() == object {
        return Kind::Aligned;
    }
    // SAFETY: an object lies in a segment or behind a header; an address that does neither is an error of the program, for which
    // a fault is as good an answer as the message below.
    unsafe {
        if (*segment).magic == Segment::mark(segment) {
            let class = *(&raw const (*segment).class).cast::<u8>().add(Segment::page_of(object));
            if class == Run::PAGES {
                return Kind::Pages;
            }
            if Segment::page_of(object) != 0 && object.addr().is_multiple_of(16) {
                return Kind::Small(usize::from(class));
            }
        } else {
            let header = segment.cast::<huge::Header>();
            if (*header).magic == huge::Header::mark(header) {
                return Kind::Huge(header);
            }
        }
    }
    die("free: not an object of malloc\n")
}

/// Allocates; null without memory, errno untouched.
#[inline]
fn allocate(size: usize) -> *mut u8 {
    if size <= MAX_SMALL {
        let Some(cache) = cache() else { return null_mut() };
        return cache.take(class::of(size));
    }
    allocate_large(size)
}

#[cold]
fn allocate_large(size: usize) -> *mut u8 {
    if size <= MAX_PAGES { CENTRAL.lock().take_whole(size.div_ceil(PAGE)) } else { huge::allocate(size, 16) }
}

/// Sets errno where there was no memory.
#[inline]
fn checked(object: *mut u8) -> *mut c_void {
    if object.is_null() {
        errno::set(errno::ENOMEM);
    }
    object.cast()
}

/// malloc(3).
///
/// # Safety
/// None beyond what C says of the result.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    checked(allocate(size))
}

/// free(3).
///
/// # Safety
/// `object` is null or came from this family and is used no more.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn free(object: *mut c_void) {
    let object = object.cast::<u8>();
    if object.is_null() {
        return;
    }
    // SAFETY: this function's contract.
    unsafe {
        let freed = match kind(object) {
            Kind::Small(class) => match cache() {
                Some(cache) => {
                    cache.give(class, object);
                    true
                }
                None => {
                    (*object.cast::<super::segment::Free>()).next = null_mut();
                    CENTRAL.lock().give(class, object.cast());
                    true
                }
            },
            Kind::Pages => CENTRAL.lock().give_whole(object),
            Kind::Huge(header) => huge::free(header, object),
            Kind::Aligned => huge::free_aligned(object),
        };
        if !freed {
            die("free: not an object of malloc\n");
        }
    }
}

/// Bytes that an object holds.
///
/// # Safety
/// `object` is a live object.
unsafe fn usable(object: *mut u8) -> usize {
    // SAFETY: this function's contract.
    unsafe {
        match kind(object) {
            Kind::Small(class) => class::size(class),
            Kind::Pages => central::whole_len(object),
            Kind::Huge(header) => huge::len(header),
            Kind::Aligned => huge::aligned_len(object).unwrap_or(0),
        }
    }
}

/// calloc(3).
///
/// # Safety
/// As [`malloc`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    let Some(size) = count.checked_mul(size) else { return checked(null_mut()) };
    if size > MAX_PAGES {
        return checked(huge::allocate_zeroed(size));
    }
    let object = allocate(size);
    if !object.is_null() {
        // SAFETY: the object holds `size` bytes.
        unsafe { object.write_bytes(0, size) };
    }
    checked(object)
}

/// realloc(3).
///
/// # Safety
/// As [`free`], except that the content is kept.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn realloc(object: *mut c_void, size: usize) -> *mut c_void {
    let old = object.cast::<u8>();
    if old.is_null() {
        return checked(allocate(size));
    }
    // SAFETY: this function's contract; the new object holds `size` bytes.
    unsafe {
        let have = usable(old);
        if size <= have {
            if size >= have / 2 {
                return object;
            }
            if size > MAX_PAGES
                && let Kind::Huge(header) = kind(old)
            {
                huge::shrink(header, size);
                return object;
            }
        }
        if size > have {
            let grown = grow(old, size);
            if !grown.is_null() {
                return grown.cast();
            }
        }
        let new = if size > have { allocate_growing(size) } else { allocate(size) };
        if new.is_null() {
            return if size <= have { object } else { checked(new) };
        }
        core::ptr::copy_nonoverlapping(old, new, have.min(size));
        free(object);
        new.cast()
    }
}

/// Makes an object longer without copying it; null if that cannot be.
///
/// # Safety
/// As [`realloc`]; `size` is more than the object holds.
unsafe fn grow(object: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: this function's contract.
    unsafe {
        match kind(object) {
            Kind::Pages if size <= MAX_PAGES && CENTRAL.lock().grow_whole(object, size.div_ceil(PAGE)) => {
                object
            }
            Kind::Huge(header) => huge::grow(header, size),
            _ => null_mut(),
        }
    }
}

/// Allocates for an object that grew, and may grow again: larger ones as whole pages with room behind them.
fn allocate_growing(size: usize) -> *mut u8 {
    if size > PAGE && size <= MAX_PAGES {
        CENTRAL.lock().take_growing(size.div_ceil(PAGE))
    } else {
        allocate(size)
    }
}

/// reallocarray(3).
///
/// # Safety
/// As [`realloc`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn reallocarray(object: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: this function's contract.
        Some(size) => unsafe { realloc(object, size) },
        None => checked(null_mut()),
    }
}

/// reallocarr(3): changes the pointer at `at`, returns the error number.
///
/// # Safety
/// `at` points to a pointer as [`realloc`] wants it.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn reallocarr(at: *mut c_void, count: usize, size: usize) -> c_int {
    let Some(size) = count.checked_mul(size) else { return errno::EOVERFLOW };
    let at = at.cast::<*mut c_void>();
    let before = errno::get();
    // SAFETY: this function's contract; the pointer need not be aligned.
    unsafe {
        let old = at.read_unaligned();
        if size == 0 {
            free(old);
            at.write_unaligned(null_mut());
            return 0;
        }
        let new = realloc(old, size);
        errno::set(before);
        if new.is_null() {
            return errno::ENOMEM;
        }
        at.write_unaligned(new);
    }
    0
}

/// Allocates at a multiple of `align`, a power of two; null without memory.
fn allocate_aligned(align: usize, size: usize) -> *mut u8 {
    if align <= 16 {
        return allocate(size);
    }
    // Objects of a power of two lie at multiples of it as long as that is not more than a page.
    if align <= PAGE
        && let Some(size) = size.max(align).checked_next_power_of_two()
        && size <= PAGE
    {
        return allocate(size);
    }
    if align <= PAGE && size <= MAX_PAGES {
        return CENTRAL.lock().take_whole(size.div_ceil(PAGE).max(1));
    }
    debug_assert!(align < SEGMENT || align.is_power_of_two());
    huge::allocate(size, align)
}

/// posix_memalign(3).
///
/// # Safety
/// `out` points to a pointer.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || align < size_of::<*mut c_void>() {
        return errno::EINVAL;
    }
    let object = allocate_aligned(align, size);
    if object.is_null() {
        return errno::ENOMEM;
    }
    // SAFETY: this function's contract.
    unsafe { *out = object.cast() };
    0
}

/// aligned_alloc(3).
///
/// # Safety
/// As [`malloc`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        errno::set(errno::EINVAL);
        return null_mut();
    }
    checked(allocate_aligned(align, size))
}

/// memalign(3).
///
/// # Safety
/// As [`malloc`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    // SAFETY: as this function's own.
    unsafe { aligned_alloc(align, size) }
}

/// valloc(3): at a page.
///
/// # Safety
/// As [`malloc`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn valloc(size: usize) -> *mut c_void {
    checked(allocate_aligned(PAGE, size))
}

/// malloc_usable_size(3).
///
/// # Safety
/// `object` is null or a live object.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn malloc_usable_size(object: *const c_void) -> usize {
    // SAFETY: this function's contract.
    if object.is_null() { 0 } else { unsafe { usable(object.cast_mut().cast()) } }
}

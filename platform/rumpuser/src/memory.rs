//! Memory: rumpuser_malloc, rumpuser_free, rumpuser_anonmmap, rumpuser_unmap.
//!
//! rumpuser_free knows an allocation's length and not its alignment, so the layout follows from the length wherever that gives the alignment that was asked for:
//! small memory is aligned to 16 bytes, large memory to a page. The others, which are few, are remembered; they always begin at a page, so that no other
//! release has to look for them.

use alloc::alloc::{alloc, alloc_zeroed, dealloc};
use alloc::collections::BTreeMap;
use core::alloc::Layout;
use core::ffi::{c_int, c_ulong, c_void};

use rump_abi::errno::{EINVAL, ENOMEM, ENOTSUP};
use rump_hypercall::Giant;
use rump_hypercall::memory::PAGE_SIZE;
use rumpbake_far::far;

use crate::cache;

/// Allocations whose layout does not follow from their length, by address.
static UNUSUAL: Giant<BTreeMap<usize, Layout>> = Giant::new(BTreeMap::new());

/// Takes memory with a layout that is remembered.
fn take_unusual(len: usize, align: usize, is_zeroed: bool) -> *mut u8 {
    let Ok(layout) = Layout::from_size_align(len.max(1), align.max(PAGE_SIZE)) else {
        return core::ptr::null_mut();
    };
    // SAFETY: the layout is not empty.
    let take = || unsafe { if is_zeroed { alloc_zeroed(layout) } else { alloc(layout) } };
    let mut memory = take();
    if memory.is_null() && cache::drop_all() {
        memory = take();
    }
    if !memory.is_null() {
        UNUSUAL.borrow_mut().insert(memory.addr(), layout);
    }
    memory
}

/// The remembered layout of an allocation, which is forgotten.
fn forget(memory: *mut u8) -> Option<Layout> {
    if !memory.addr().is_multiple_of(PAGE_SIZE) {
        return None;
    }
    if far(&UNUSUAL).borrow().is_empty() { None } else { forget_page(memory) }
}

#[cold]
#[inline(never)]
fn forget_page(memory: *mut u8) -> Option<Layout> {
    UNUSUAL.borrow_mut().remove(&memory.addr())
}

/// rumpuser_malloc: memory aligned to `alignment`, 0 for any. ENOMEM if there is none, EINVAL if the alignment is no power of two.
///
/// # Safety
/// `memp` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_malloc(len: usize, alignment: c_int, memp: *mut *mut c_void) -> c_int {
    let align = match usize::try_from(alignment) {
        Ok(0) => 1,
        Ok(align) if align.is_power_of_two() => align,
        _ => return EINVAL,
    };
    let Some(layout) = cache::layout(len) else { return ENOMEM };
    let memory = if align <= layout.align() { cache::take(len) } else { take_unusual(len, align, false) };
    if memory.is_null() {
        return ENOMEM;
    }
    // SAFETY: the caller's promise.
    unsafe { memp.write(memory.cast()) };
    0
}

/// rumpuser_free: gives memory back; nothing, for no memory.
///
/// # Safety
/// The memory is rumpuser_malloc's for the same length, and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_free(memory: *mut c_void, len: usize) {
    let memory: *mut u8 = memory.cast();
    if memory.is_null() {
        return;
    }
    match forget(memory) {
        // SAFETY: the layout with which it was taken; the caller's promise.
        Some(layout) => unsafe { dealloc(memory, layout) },
        // SAFETY: taken from there for this length; the caller's promise.
        None => unsafe { cache::give(memory, len) },
    }
}

/// rumpuser_anonmmap: zeroed pages aligned to two to the `alignbit`; the address is a wish that is not heard. ENOMEM if there are none, EINVAL for an
/// alignment that there is not, ENOTSUP for memory to execute: what is written in an image is never executed.
///
/// # Safety
/// `memp` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_anonmmap(
    _wish: *mut c_void,
    len: usize,
    alignbit: c_int,
    executable: c_int,
    memp: *mut *mut c_void,
) -> c_int {
    if executable != 0 {
        return ENOTSUP;
    }
    let Some(align) = u32::try_from(alignbit).ok().and_then(|bit| 1_usize.checked_shl(bit)) else {
        return EINVAL;
    };
    let Some(len) = len.checked_next_multiple_of(PAGE_SIZE) else { return ENOMEM };
    let memory = take_unusual(len, align, true);
    if memory.is_null() {
        return ENOMEM;
    }
    // SAFETY: the caller's promise.
    unsafe { memp.write(memory.cast()) };
    0
}

/// Takes memory back that is not this module's.
pub type GiveBack = fn(*mut c_void, usize);

/// Memory that others have mapped: its length, and who takes it back.
static OTHERS: Giant<BTreeMap<usize, (usize, GiveBack)>> = Giant::new(BTreeMap::new());

/// Has rumpuser_unmap give this memory back by `give_back`.
pub fn adopt(memory: *mut c_void, len: usize, give_back: GiveBack) {
    OTHERS.borrow_mut().insert(memory.addr(), (len, give_back));
}

/// rumpuser_unmap: gives pages back.
///
/// # Safety
/// The memory is rumpuser_anonmmap's or a component's ([`adopt`]), and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_unmap(memory: *mut c_void, _len: usize) {
    let other = OTHERS.borrow_mut().remove(&memory.addr());
    if let Some((len, give_back)) = other {
        give_back(memory, len);
        return;
    }
    let layout = forget(memory.cast()).expect("memory was unmapped that was not mapped");
    // SAFETY: the layout with which it was taken; the caller's promise.
    unsafe { dealloc(memory.cast(), layout) };
}

/// rumpuser_getpagesize: 4096.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_getpagesize() -> c_ulong {
    PAGE_SIZE as c_ulong
}

//! Stacks of threads: one mapping each, with a guard at its lower end and thread-local storage and block at its upper end. A few are kept
//! for the next threads.

use crate::lock::Lock;
use crate::start::tls;
use crate::sys;
use crate::thread::Thread;
use core::ffi::c_void;
use core::ptr::null_mut;

/// The stack size of a thread that asks for none: NetBSD's default limit.
pub const DEFAULT_LEN: usize = 4 << 20;
/// The guard's size unless asked for otherwise.
pub const DEFAULT_GUARD_LEN: usize = 64 * 1024;
/// Stacks of the default size that are kept.
const KEEP: usize = 16;
const PAGE: usize = 4096;

struct Kept {
    first: *mut Thread,
    count: usize,
}

// SAFETY: reached only under the lock.
unsafe impl Send for Kept {}

static KEPT: Lock<Kept> = Lock::new(Kept { first: null_mut(), count: 0 });

/// A stack that the program brings along.
#[derive(Clone, Copy)]
pub struct Given {
    /// Its lowest address.
    pub base: *mut c_void,
    /// Its length, bytes.
    pub len: usize,
}

const fn round(len: usize) -> usize {
    (len + PAGE - 1) & !(PAGE - 1)
}

/// Makes stack and block for a thread; null without memory.
pub fn make(given: Option<Given>, len: usize, guard_len: usize) -> *mut Thread {
    let template = tls::template();
    if let Some(given) = given {
        let space = template.space();
        if given.len < space + 1024 {
            return null_mut();
        }
        let end = given.base.cast::<u8>().wrapping_add(given.len);
        // SAFETY: the program gave this memory to the thread; the upper end is zeroed before it is laid out.
        unsafe {
            end.wrapping_sub(space).write_bytes(0, space);
            let thread = template.place(end);
            (*thread).stack = given.base;
            (*thread).stack_len = template.lowest(thread).addr() - given.base.addr();
            return thread;
        }
    }
    let (len, guard_len) = (round(len + template.space()), round(guard_len));
    let default = round(DEFAULT_LEN + template.space());
    if len == default && guard_len == DEFAULT_GUARD_LEN {
        let mut kept = KEPT.lock();
        let thread = kept.first;
        if !thread.is_null() {
            // SAFETY: a kept block is live and nobody's.
            unsafe {
                kept.first = (*thread).next;
                kept.count -= 1;
                drop(kept);
                return renew(thread);
            }
        }
    }
    let map_len = len + guard_len;
    // SAFETY: a fresh mapping touches nothing; the guard is its lower end.
    unsafe {
        let map = sys::mmap(null_mut(), map_len, sys::PROT_READ_WRITE, sys::MAP_PRIVATE_ANON, -1, 0);
        if map == sys::MAP_FAILED {
            return null_mut();
        }
        if guard_len > 0 && sys::mprotect(map, guard_len, sys::PROT_NONE) != 0 {
            sys::munmap(map, map_len);
            return null_mut();
        }
        let thread = template.place(map.cast::<u8>().wrapping_add(map_len));
        (*thread).map = map;
        (*thread).map_len = map_len;
        (*thread).guard_len = guard_len;
        (*thread).stack = map.wrapping_byte_add(guard_len);
        (*thread).stack_len = template.lowest(thread).addr() - (*thread).stack.addr();
        thread
    }
}

/// Makes a block and its storage as good as new.
///
/// # Safety
/// The block is nobody's.
unsafe fn renew(thread: *mut Thread) -> *mut Thread {
    // SAFETY: this function's contract; the mapping, whose numbers are kept, holds storage and block.
    unsafe {
        let Thread { map, map_len, guard_len, stack, stack_len, .. } = *thread;
        let lowest = tls::template().lowest(thread);
        let end = thread.wrapping_add(1).cast::<u8>();
        lowest.write_bytes(0, end.addr() - lowest.addr());
        let new = tls::template().place(map.cast::<u8>().wrapping_add(map_len));
        (*new).map = map;
        (*new).map_len = map_len;
        (*new).guard_len = guard_len;
        (*new).stack = stack;
        (*new).stack_len = stack_len;
        new
    }
}

/// Gives stack and block back.
///
/// # Safety
/// The thread has ended, and nobody uses its block.
pub unsafe fn free(thread: *mut Thread) {
    // SAFETY: this function's contract.
    unsafe {
        if (*thread).map.is_null() {
            return;
        }
        let default = round(DEFAULT_LEN + tls::template().space()) + DEFAULT_GUARD_LEN;
        if (*thread).map_len == default && (*thread).guard_len == DEFAULT_GUARD_LEN {
            let mut kept = KEPT.lock();
            if kept.count < KEEP {
                (*thread).next = kept.first;
                kept.first = thread;
                kept.count += 1;
                return;
            }
        }
        sys::munmap((*thread).map, (*thread).map_len);
    }
}

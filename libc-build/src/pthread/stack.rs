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
/// Stacks that are kept, none larger than the default.
const KEEP: usize = 16;
const PAGE: usize = 4096;

/// Stacks that were given back, the last one first.
struct Kept {
    first: *mut Thread,
    count: usize,
}

impl Kept {
    /// Takes the first one out that `wanted` is told the place of in the list and that it wants.
    fn take(&mut self, mut wanted: impl FnMut(usize, &Thread) -> bool) -> Option<*mut Thread> {
        let mut link = &raw mut self.first;
        for place in 0..self.count {
            // SAFETY: a kept block is live and nobody's; as many as are counted are linked.
            unsafe {
                let thread = *link;
                if wanted(place, &*thread) {
                    *link = (*thread).next;
                    self.count -= 1;
                    return Some(thread);
                }
                link = &raw mut (*thread).next;
            }
        }
        None
    }

    /// Keeps one. Returns the one that has been kept longest if they are too many.
    ///
    /// # Safety
    /// The block is nobody's.
    unsafe fn put(&mut self, thread: *mut Thread) -> Option<*mut Thread> {
        // SAFETY: this function's contract.
        unsafe { (*thread).next = self.first };
        self.first = thread;
        self.count += 1;
        if self.count > KEEP { self.take(|place, _| place == KEEP) } else { None }
    }
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
    let map_len = len + guard_len;
    let kept = KEPT.lock().take(|_, kept| kept.map_len == map_len && kept.guard_len == guard_len);
    if let Some(thread) = kept {
        // SAFETY: it is nobody's any more.
        return unsafe { renew(thread) };
    }
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
        let largest = round(DEFAULT_LEN + tls::template().space()) + DEFAULT_GUARD_LEN;
        let surplus = if (*thread).map_len <= largest { KEPT.lock().put(thread) } else { Some(thread) };
        if let Some(thread) = surplus {
            sys::munmap((*thread).map, (*thread).map_len);
        }
    }
}

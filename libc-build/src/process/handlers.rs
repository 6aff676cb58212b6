//! The functions to be called at exit: atexit(3), __cxa_atexit and __cxa_finalize (Itanium C++ ABI, 3.3.6).

use crate::lock::Lock;
use crate::sys;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// A registered function.
#[derive(Clone, Copy)]
pub enum Handler {
    /// From atexit(3).
    Plain(unsafe extern "C" fn()),
    /// From `__cxa_atexit`: called with its argument; the last word names the shared object.
    Cxa(unsafe extern "C" fn(*mut c_void), *mut c_void, *mut c_void),
}

/// Handlers in a block.
const BLOCK: usize = 32;

struct Block {
    handlers: [Option<Handler>; BLOCK],
    used: usize,
    previous: *mut Block,
}

/// A stack of handlers: the first block is part of it, further ones are mapped.
pub struct Stack {
    first: Block,
    top: *mut Block,
}

// SAFETY: handlers may run on any thread; the pointers are to blocks that the stack owns.
unsafe impl Send for Stack {}

impl Stack {
    /// No handlers.
    #[must_use]
    pub const fn new() -> Self {
        Self { first: Block { handlers: [None; BLOCK], used: 0, previous: null_mut() }, top: null_mut() }
    }

    fn top(&mut self) -> *mut Block {
        if self.top.is_null() { &raw mut self.first } else { self.top }
    }

    /// Registers a handler; false without memory.
    pub fn push(&mut self, handler: Handler) -> bool {
        let mut top = self.top();
        // SAFETY: the top block is live and only reached through the stack.
        unsafe {
            if (*top).used == BLOCK {
                let new = new_block();
                if new.is_null() {
                    return false;
                }
                new.write(Block { handlers: [None; BLOCK], used: 0, previous: top });
                self.top = new;
                top = new;
            }
            let top = &mut *top;
            if let Some(slot) = top.handlers.get_mut(top.used) {
                *slot = Some(handler);
                top.used += 1;
            }
        }
        true
    }

    /// Takes the handler that was registered last, of `object` only if that is not null.
    pub fn pop(&mut self, object: *mut c_void) -> Option<Handler> {
        let mut block = self.top();
        while !block.is_null() {
            // SAFETY: the chain holds live blocks, which only the stack reaches.
            let b = unsafe { &mut *block };
            for slot in b.handlers.iter_mut().take(b.used).rev() {
                if match slot {
                    Some(Handler::Cxa(_, _, its)) => object.is_null() || *its == object,
                    Some(Handler::Plain(_)) => object.is_null(),
                    None => false,
                } {
                    return slot.take();
                }
            }
            // Its slots are empty now; a block stays in the chain, because a handler may register others.
            block = b.previous;
        }
        None
    }
}

impl Default for Stack {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(not(test))]
fn new_block() -> *mut Block {
    // SAFETY: a fresh mapping touches nothing.
    let map = unsafe {
        sys::mmap(null_mut(), size_of::<Block>(), sys::PROT_READ_WRITE, sys::MAP_PRIVATE_ANON, -1, 0)
    };
    if map == sys::MAP_FAILED { null_mut() } else { map.cast() }
}

#[cfg(test)]
fn new_block() -> *mut Block {
    let _ = sys::MAP_FAILED;
    Box::into_raw(Box::new(Block { handlers: [None; BLOCK], used: 0, previous: null_mut() }))
}

pub(super) static AT_EXIT: Lock<Stack> = Lock::new(Stack::new());
pub(super) static AT_QUICK_EXIT: Lock<Stack> = Lock::new(Stack::new());

/// Runs the handlers of a stack, the last one first; handlers may register others.
pub(super) fn run(stack: &Lock<Stack>, object: *mut c_void) {
    loop {
        let handler = stack.lock().pop(object);
        // SAFETY: whoever registered the function promised that it can be called so.
        unsafe {
            match handler {
                None => return,
                Some(Handler::Plain(function)) => function(),
                Some(Handler::Cxa(function, argument, _)) => function(argument),
            }
        }
    }
}

/// atexit(3).
///
/// # Safety
/// `function` can be called at exit.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn atexit(function: unsafe extern "C" fn()) -> c_int {
    if AT_EXIT.lock().push(Handler::Plain(function)) { 0 } else { -1 }
}

/// `__cxa_atexit`.
///
/// # Safety
/// `function` can be called with `argument` at exit.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __cxa_atexit(
    function: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
    object: *mut c_void,
) -> c_int {
    if AT_EXIT.lock().push(Handler::Cxa(function, argument, object)) { 0 } else { -1 }
}

/// `__cxa_finalize`: runs the handlers of a shared object, or all.
///
/// # Safety
/// As [`super::exit`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __cxa_finalize(object: *mut c_void) {
    run(&AT_EXIT, object);
}

/// at_quick_exit(3).
///
/// # Safety
/// `function` can be called at exit.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn at_quick_exit(function: unsafe extern "C" fn()) -> c_int {
    if AT_QUICK_EXIT.lock().push(Handler::Plain(function)) { 0 } else { -1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    std::thread_local!(static RAN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) });
    static STACK: Lock<Stack> = Lock::new(Stack::new());

    unsafe extern "C" fn note(which: *mut c_void) {
        RAN.with_borrow_mut(|ran| ran.push(which.addr()));
        if which.addr() == 7 {
            STACK.lock().push(Handler::Cxa(note, core::ptr::without_provenance_mut(1000), null_mut()));
        }
    }

    #[test]
    fn last_in_first_out_with_handlers_that_register() {
        let word = core::ptr::without_provenance_mut::<c_void>;
        for i in 0..100 {
            assert!(STACK.lock().push(Handler::Cxa(note, word(i), word(i % 2))));
        }
        run(&STACK, word(1));
        let odd: Vec<usize> = (0..100).rev().filter(|i| i % 2 == 1).collect();
        RAN.with_borrow_mut(|ran| {
            let position = ran.iter().position(|&i| i == 1000);
            assert_eq!(position, None, "it belongs to no object");
            assert_eq!(core::mem::take(ran), odd);
        });
        run(&STACK, null_mut());
        let mut rest: Vec<usize> = (0..100).rev().filter(|i| i % 2 == 0).collect();
        rest.insert(0, 1000);
        assert_eq!(RAN.with_borrow_mut(core::mem::take), rest);
    }
}

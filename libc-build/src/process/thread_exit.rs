//! Destructors of C++'s thread-local variables: `__cxa_thread_atexit_impl`.

use crate::malloc;
use crate::thread;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

/// A destructor.
#[repr(C)]
struct Destructor {
    next: *mut c_void,
    function: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
}

/// [`run`], once there is a destructor; null in a program without.
static RUN: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// `__cxa_thread_atexit`: registers a destructor that runs when the calling thread ends.
///
/// # Safety
/// `function` can be called with `argument` then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __cxa_thread_atexit(
    function: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
    _object: *mut c_void,
) -> c_int {
    // SAFETY: the block is the calling thread's; the memory holds an entry.
    unsafe {
        let entry = malloc::malloc(size_of::<Destructor>()).cast::<Destructor>();
        if entry.is_null() {
            return -1;
        }
        RUN.store(run as fn() as *mut (), Ordering::Relaxed);
        let thread = thread::current();
        entry.write(Destructor { next: (*thread).destructors, function, argument });
        (*thread).destructors = entry.cast();
    }
    0
}

/// `__cxa_thread_atexit_impl`: the name by which C++ libraries look for it.
///
/// # Safety
/// As [`__cxa_thread_atexit`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __cxa_thread_atexit_impl(
    function: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
    object: *mut c_void,
) -> c_int {
    // SAFETY: this function's contract.
    unsafe { __cxa_thread_atexit(function, argument, object) }
}

/// Runs the calling thread's destructors, the last one first; they may register others.
pub fn run_thread_destructors() {
    let run = RUN.load(Ordering::Relaxed);
    if !run.is_null() {
        // SAFETY: only `__cxa_thread_atexit` stores here, and it stores a `fn()`.
        let run: fn() = unsafe { core::mem::transmute(run) };
        run();
    }
}

fn run() {
    // SAFETY: the block is the calling thread's; entries come from `__cxa_thread_atexit`, whose caller promised that they can be called.
    unsafe {
        let thread = thread::current();
        while !(*thread).destructors.is_null() {
            let entry = (*thread).destructors.cast::<Destructor>();
            let Destructor { next, function, argument } = entry.read();
            (*thread).destructors = next;
            malloc::free(entry.cast());
            function(argument);
        }
    }
}

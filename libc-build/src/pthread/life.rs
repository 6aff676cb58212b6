//! The life of a thread: pthread_create(3), pthread_exit(3), pthread_join(3), pthread_detach(3).
//!
//! The kernel's LWPs are never detached, since a stack may be used again only once its LWP has left it for good, and _lwp_wait(2) tells
//! when that is. A detached thread that ends puts itself into the list of the finished; the next thread that is made or ends takes it from there.

use super::attr::{self, Attr};
use super::{cancel, stack};
use crate::errno::{EAGAIN, EDEADLK, EINVAL, ESRCH};
use crate::lock::Lock;
use crate::sys;
use crate::thread::{self, Thread};
use core::ffi::{c_int, c_ulong, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

/// Values of [`Thread::life`].
const JOINABLE: u32 = 0;
const DETACHED: u32 = 1;
/// It has ended, and somebody is to join it.
const ENDED: u32 = 2;

/// The finished threads that nobody joins.
struct Finished(*mut Thread);

// SAFETY: reached only under the lock.
unsafe impl Send for Finished {}

static FINISHED: Lock<Finished> = Lock::new(Finished(null_mut()));

/// What is done when a thread ends, if the program uses thread-specific data; null otherwise.
static AT_EXIT: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Makes every ending thread call `run`. For thread-specific data.
pub fn set_at_exit(run: fn()) {
    AT_EXIT.store(run as *mut (), Ordering::Relaxed);
}

/// Whether nobody is to join the thread.
///
/// # Safety
/// `thread` is a thread.
pub unsafe fn is_detached(thread: *const Thread) -> bool {
    // SAFETY: this function's contract.
    unsafe { (*thread).life.load(Ordering::Relaxed) == DETACHED }
}

/// Waits until the LWP of an ended thread is gone, and gives its stack back.
///
/// # Safety
/// The thread ends without waiting for anything, and nobody else reaps it.
unsafe fn reap(thread: *mut Thread) {
    // SAFETY: this function's contract.
    unsafe {
        let errno = crate::errno::get();
        let mut departed = 0;
        while sys::_lwp_wait((*thread).lwp, &raw mut departed) != 0
            && crate::errno::get() == crate::errno::EINTR
        {}
        crate::errno::set(errno);
        stack::free(thread);
    }
}

/// Reaps the finished threads.
fn reap_finished() {
    let mut thread = core::mem::replace(&mut FINISHED.lock().0, null_mut());
    while !thread.is_null() {
        // SAFETY: the list held threads that have nothing left to do but to end; it is this thread's now.
        unsafe {
            let next = (*thread).next;
            reap(thread);
            thread = next;
        }
    }
}

/// `ucontext_t` as _lwp_create(2) reads it: flags, link, signal mask, stack, registers, the TLS base and the vector state.
#[repr(C, align(16))]
struct Context {
    flags: u32,
    link: usize,
    mask: [u32; 4],
    stack: [usize; 3],
    registers: [u64; 26],
    tls_base: usize,
    vector: [u64; 64],
}

const _: () = assert!(size_of::<Context>() == 784);

const UC_SIGMASK: u32 = 0x01;
const UC_CPU: u32 = 0x04;
const UC_TLSBASE: u32 = 0x0008_0000;
const REG_RDI: usize = 0;
const REG_RIP: usize = 21;
const REG_CS: usize = 22;
const REG_RFLAGS: usize = 23;
const REG_RSP: usize = 24;
const REG_SS: usize = 25;
const LWP_SUSPENDED: c_ulong = 0x80;

/// pthread_create(3).
///
/// # Safety
/// `out` points to a pthread_t, `attr` is null or initialised, `start` can be called with `argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_create(
    out: *mut *mut Thread,
    attr: *const Attr,
    start: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: this function's contract; the block is this function's until the LWP runs.
    unsafe {
        let wish = attr::wish(attr);
        // Without the lock first: nearly always there is none.
        reap_finished();
        let thread = stack::make(wish.given, wish.stack_len, wish.guard_len);
        if thread.is_null() {
            return EAGAIN;
        }
        (*thread).start = Some(start);
        (*thread).argument = argument;
        (*thread).name = wish.name;
        (*thread).life.store(if wish.detached { DETACHED } else { JOINABLE }, Ordering::Relaxed);
        *out = thread;
        let mut context = Context {
            flags: UC_SIGMASK | UC_CPU | UC_TLSBASE,
            link: 0,
            mask: [0; 4],
            stack: [(*thread).stack.addr(), (*thread).stack_len, 0],
            registers: [0; 26],
            tls_base: thread.expose_provenance(),
            vector: [0; 64],
        };
        const SIG_BLOCK: c_int = 1;
        sys::__sigprocmask14(SIG_BLOCK, core::ptr::null(), &raw mut context.mask);
        let top = (*thread).stack.addr() + (*thread).stack_len;
        // As after a call: the stack is aligned below a return address, which is 0.
        context.registers[REG_RSP] = ((top & !15) - 8) as u64;
        context.registers[REG_RDI] = thread.addr() as u64;
        context.registers[REG_RIP] = main as *const () as usize as u64;
        // The segments and flags of an amd64 program; the kernel insists on its own.
        context.registers[REG_CS] = 0x47;
        context.registers[REG_SS] = 0x3f;
        context.registers[REG_RFLAGS] = 0x202;
        let flags = if wish.suspended { LWP_SUSPENDED } else { 0 };
        let errno = crate::errno::get();
        if sys::_lwp_create((&raw const context).cast(), flags, &raw mut (*thread).lwp) != 0 {
            let error = crate::errno::get();
            crate::errno::set(errno);
            stack::free(thread);
            return if error == crate::errno::ENOMEM { EAGAIN } else { error };
        }
    }
    0
}

/// Where a new thread begins.
unsafe extern "C" fn main(thread: *mut Thread) -> ! {
    // SAFETY: pthread_create filled the block in; the start function was promised to take the argument.
    unsafe {
        if (&raw const (*thread).lwp).read_volatile() == 0 {
            (*thread).lwp = sys::_lwp_self();
        }
        let result = match (*thread).start {
            Some(start) => start((*thread).argument),
            None => null_mut(),
        };
        __libc_thr_exit(result)
    }
}

/// pthread_exit(3).
///
/// # Safety
/// Nothing on the thread's stack is needed any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_thr_exit(result: *mut c_void) -> ! {
    let thread = thread::current();
    // SAFETY: the block is the calling thread's.
    unsafe {
        cancel::disable(thread);
        (*thread).result = result;
        cancel::run_cleanups(thread);
        crate::process::run_thread_destructors();
        let at_exit = AT_EXIT.load(Ordering::Relaxed);
        if !at_exit.is_null() {
            // SAFETY: only `set_at_exit` stores here, and it stores a `fn()`.
            let at_exit: fn() = core::mem::transmute(at_exit);
            at_exit();
        }
        crate::malloc::thread_exit();
        for scratch in (*thread).scratch {
            crate::malloc::free(scratch);
        }
        if (*thread).life.swap(ENDED, Ordering::AcqRel) == DETACHED {
            reap_finished();
            let mut finished = FINISHED.lock();
            (*thread).next = finished.0;
            finished.0 = thread;
        }
    }
    sys::_lwp_exit()
}

/// pthread_join(3).
///
/// # Safety
/// `thread` is a joinable thread, `result` is null or a pointer's place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_join(thread: *mut Thread, result: *mut *mut c_void) -> c_int {
    if thread.is_null() {
        return ESRCH;
    }
    if thread == thread::current() {
        return EDEADLK;
    }
    cancel::test();
    // SAFETY: this function's contract.
    unsafe {
        if is_detached(thread) {
            return EINVAL;
        }
        let errno = crate::errno::get();
        let mut departed = 0;
        while sys::_lwp_wait((*thread).lwp, &raw mut departed) != 0 {
            let error = crate::errno::get();
            if error != crate::errno::EINTR {
                crate::errno::set(errno);
                return error;
            }
            cancel::test();
        }
        crate::errno::set(errno);
        if !result.is_null() {
            *result = (*thread).result;
        }
        stack::free(thread);
    }
    0
}

/// pthread_detach(3).
///
/// # Safety
/// `thread` is a joinable thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_detach(thread: *mut Thread) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        match (*thread).life.compare_exchange(JOINABLE, DETACHED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => 0,
            Err(ENDED) => {
                reap(thread);
                0
            }
            Err(_) => EINVAL,
        }
    }
}

alias! {
    /// pthread_exit(3).
    pthread_exit => __libc_thr_exit;
    /// pthread_create(3).
    __libc_thr_create => pthread_create;
    /// pthread_join(3).
    __libc_thr_join => pthread_join;
    /// pthread_detach(3).
    __libc_thr_detach => pthread_detach;
    /// thrd_detach(3).
    thrd_detach => pthread_detach;
}

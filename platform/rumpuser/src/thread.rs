//! Threads and their lwps: rumpuser_thread_*, rumpuser_curlwp, rumpuser_curlwpop.

use alloc::boxed::Box;
use core::cell::Cell;
use core::ffi::{c_char, c_int, c_void};
use core::ptr::{null_mut, with_exposed_provenance_mut};

use rump_abi::errno::{EINVAL, ENOMEM};
use rump_hypercall::sync::CondVar;
use rump_hypercall::thread::{self, Foreign};

use crate::tls::Block;
use crate::upcall::{Lwp, without_cpu};

/// `RUMPUSER_LWP_CREATE`: the lwp is valid now.
pub const LWP_CREATE: c_int = 0;
/// `RUMPUSER_LWP_DESTROY`: it is not any more.
pub const LWP_DESTROY: c_int = 1;
/// `RUMPUSER_LWP_SET`: it is the calling thread's.
pub const LWP_SET: c_int = 2;
/// `RUMPUSER_LWP_CLEAR`: it is not any more.
pub const LWP_CLEAR: c_int = 3;

type Function = extern "C" fn(*mut c_void) -> *mut c_void;

/// A thread that rumpuser_thread_create made. It lies on the heap, and its address is the cookie; a thread that nobody joins frees it when it ends.
struct Made {
    function: Function,
    arg: *mut c_void,
    must_join: bool,
    has_ended: Cell<bool>,
    ended: CondVar,
    tls: Cell<Option<Block>>,
}

/// A new thread's first function.
fn start(arg: usize) -> ! {
    let made = with_exposed_provenance_mut::<Made>(arg);
    // SAFETY: the record lives until the thread ends, or is joined after that.
    let record = unsafe { &*made };
    thread::set_foreign(Foreign { record: arg, ..Foreign::default() });
    let tls = record.tls.take();
    if let Some(block) = &tls {
        block.install();
    }
    record.tls.set(tls);
    (record.function)(record.arg);
    rumpuser_thread_exit()
}

/// rumpuser_thread_create: makes a thread. ENOMEM if there is no memory for it. `cookie` is for rumpuser_thread_join, and written only if the thread is to be joined. Name,
/// priority and CPU are hints that this platform has no use for.
///
/// # Safety
/// `function` may be called with `arg` on another thread; `cookie` may be written through if `must_join` is not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_thread_create(
    function: Function,
    arg: *mut c_void,
    _name: *const c_char,
    must_join: c_int,
    _priority: c_int,
    _cpu: c_int,
    cookie: *mut *mut c_void,
) -> c_int {
    let Ok(tls) = Block::new() else { return ENOMEM };
    let made = Box::into_raw(Box::new(Made {
        function,
        arg,
        must_join: must_join != 0,
        has_ended: Cell::new(false),
        ended: CondVar::new(),
        tls: Cell::new(tls),
    }));
    if thread::create(start, made.expose_provenance()).is_err() {
        // SAFETY: made above; no thread has it.
        drop(unsafe { Box::from_raw(made) });
        return ENOMEM;
    }
    if must_join != 0 {
        // SAFETY: the caller's promise.
        unsafe { cookie.write(made.cast()) };
    }
    0
}

/// rumpuser_thread_exit: ends the calling thread, and wakes whoever joins it.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_thread_exit() -> ! {
    let made = with_exposed_provenance_mut::<Made>(thread::foreign().record);
    if !made.is_null() {
        // SAFETY: the record is this thread's; whoever joins frees it only after `has_ended`, and gets the virtual CPU only once this thread is gone.
        unsafe {
            drop((*made).tls.take());
            (*made).has_ended.set(true);
            (*made).ended.signal();
            if !(*made).must_join {
                drop(Box::from_raw(made));
            }
        }
    }
    thread::exit()
}

/// rumpuser_thread_join: waits, without the rump kernel's CPU, for the thread's end. EINVAL for no cookie.
///
/// # Safety
/// The cookie is one of rumpuser_thread_create's, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_thread_join(cookie: *mut c_void) -> c_int {
    if cookie.is_null() {
        return EINVAL;
    }
    let made = cookie.cast::<Made>();
    without_cpu(null_mut(), || {
        // SAFETY: the caller's promise: the record is freed below only.
        while !unsafe { (*made).has_ended.get() } {
            // SAFETY: as above.
            unsafe { (*made).ended.wait() };
        }
    });
    // SAFETY: made by rumpuser_thread_create; the thread does not use it any more.
    drop(unsafe { Box::from_raw(made) });
    0
}

/// rumpuser_curlwpop: CREATE and DESTROY are for information; SET and CLEAR say which lwp is the calling thread's.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_curlwpop(operation: c_int, lwp: *mut Lwp) {
    let foreign = thread::foreign();
    match operation {
        LWP_SET => {
            assert!(foreign.lwp == 0 || lwp.is_null(), "a thread that has an lwp was given another");
            thread::set_foreign(Foreign { lwp: lwp.expose_provenance(), ..foreign });
        }
        LWP_CLEAR => {
            assert!(foreign.lwp == lwp.addr(), "an lwp was taken from a thread that has another");
            thread::set_foreign(Foreign { lwp: 0, ..foreign });
        }
        LWP_CREATE | LWP_DESTROY => {}
        other => panic!("rumpuser_curlwpop: no operation {other}"),
    }
}

/// rumpuser_curlwp: the calling thread's lwp, null if it has none.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_curlwp() -> *mut Lwp {
    with_exposed_provenance_mut(thread::foreign().lwp)
}

//! Our LWPs in the rump kernel: each has an lwp of the program's process there, and a block of thread-local storage, from its first call on.
//!
//! The thread carries both kernels' contexts at once. `%fs` is the program's, and the rump kernel's for the time of a call; the rump kernel's lwp stays
//! with the thread (rumpuser_curlwp) until the LWP ends.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ffi::c_int;

use rump_hypercall::{Giant, user};
use rump_kern::curlwp;
use rumpbake_rumpuser::tls::Block;

unsafe extern "C" {
    /// Makes an lwp of a process, and has it be the calling thread's (`rump/rumpkern_if_pub.h`); 0 or an error number.
    fn rump_pub_lwproc_newlwp(pid: i32) -> c_int;
    /// Drops the calling thread's lwp.
    fn rump_pub_lwproc_releaselwp();
}

/// The process in the rump kernel that is the program's.
static PROCESS: Giant<i32> = Giant::new(0);

/// What an LWP has there.
struct Context {
    tls: Option<Block>,
}

/// By the LWPs' numbers. A context is in a box, since it stays where it is while the list grows.
static CONTEXTS: Giant<Vec<Option<Box<Context>>>> = Giant::new(Vec::new());

/// No memory for an LWP's part in the rump kernel.
#[derive(Clone, Copy, Debug)]
pub struct NoMemory;

/// Tells of which process new lwps are.
pub fn set_process(pid: i32) {
    PROCESS.set(pid);
    rump_kern::sys_lwp::set_exit_hook(leave);
}

fn index() -> usize {
    usize::try_from(curlwp().lid).unwrap_or(0)
}

/// Runs `call` with the rump kernel's `%fs`.
fn with_tls<R>(tls: Option<&Block>, call: impl FnOnce() -> R) -> R {
    let Some(block) = tls else { return call() };
    let own = user::fsbase();
    block.install();
    let result = call();
    user::set_fsbase(own);
    result
}

/// Adds a context for the calling LWP. It is its own until the LWP ends.
fn add() -> Result<&'static Context, NoMemory> {
    let context = Box::new(Context { tls: Block::new().map_err(|()| NoMemory)? });
    let mut contexts = CONTEXTS.borrow_mut();
    let index = index();
    while contexts.len() <= index {
        contexts.push(None);
    }
    let kept = contexts.get_mut(index).ok_or(NoMemory)?.insert(context);
    let kept: *const Context = &raw const **kept;
    // SAFETY: the box is dropped in `leave` only, by the LWP itself, which then makes no call any more.
    Ok(unsafe { &*kept })
}

fn find() -> Option<&'static Context> {
    let contexts = CONTEXTS.borrow();
    let context: *const Context = &raw const **contexts.get(index())?.as_ref()?;
    // SAFETY: as in `add`.
    Some(unsafe { &*context })
}

/// Runs `call` in the first LWP, which gets its lwp in it.
pub fn inside_first<R>(call: impl FnOnce() -> R) -> R {
    let Ok(context) = add() else { panic!("no memory for the first thread of the rump kernel") };
    with_tls(context.tls.as_ref(), call)
}

/// Runs `call` as the calling LWP's lwp of the rump kernel.
///
/// # Errors
/// No memory for that lwp.
pub fn inside<R>(call: impl FnOnce() -> R) -> Result<R, NoMemory> {
    if let Some(context) = find() {
        return Ok(with_tls(context.tls.as_ref(), call));
    }
    let context = add()?;
    let pid = PROCESS.get();
    with_tls(context.tls.as_ref(), || {
        // SAFETY: the rump kernel runs, and the thread has no lwp yet.
        (unsafe { rump_pub_lwproc_newlwp(pid) } == 0).then(call)
    })
    .ok_or_else(|| {
        drop_context();
        NoMemory
    })
}

fn drop_context() {
    let context = CONTEXTS.borrow_mut().get_mut(index()).and_then(Option::take);
    drop(context);
}

/// The calling LWP ends.
fn leave() {
    let Some(context) = find() else { return };
    // SAFETY: the thread has an lwp, of which it makes no use any more.
    with_tls(context.tls.as_ref(), || unsafe { rump_pub_lwproc_releaselwp() });
    drop_context();
}

//! Handlers: sigaction(2), signal(3), siginterrupt(3), and sending: raise(3), killpg(3), sigqueue(2).

use super::SignalSet;
use crate::{errno, sys};
use core::ffi::{c_int, c_void};
use core::ptr::{null, null_mut};
use core::sync::atomic::{AtomicU64, Ordering};

// Where a handler returns to: r15 holds the address of the interrupted context (NetBSD's convention for amd64), which is gone back to.
core::arch::global_asm!(
    ".pushsection .text.__sigtramp_siginfo_2,\"ax\",@progbits",
    ".globl __sigtramp_siginfo_2",
    ".type __sigtramp_siginfo_2,@function",
    "__sigtramp_siginfo_2:",
    "mov rdi, r15",
    "mov rax, offset sys_setcontext",
    "call [rip + rb_gate_word]",
    "ud2",
    ".size __sigtramp_siginfo_2, . - __sigtramp_siginfo_2",
    ".popsection",
);

unsafe extern "C" {
    fn __sigtramp_siginfo_2();
}

/// `struct sigaction`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Sigaction {
    handler: usize,
    mask: SignalSet,
    flags: c_int,
}

const _: () = assert!(size_of::<Sigaction>() == 32);

const SA_RESTART: c_int = 2;
const SIG_ERR: usize = usize::MAX;
const SIG_IGN: usize = 1;
const SIG_HOLD: usize = 3;
const SIG_BLOCK: c_int = 1;
const SIG_UNBLOCK: c_int = 2;
const SIG_SETMASK: c_int = 3;

/// Signals for which siginterrupt(3) was asked: signal(3) then leaves SA_RESTART out.
static INTERRUPTING: AtomicU64 = AtomicU64::new(0);

/// sigaction(2).
///
/// # Safety
/// `new` and `old` are null or point to such structures; a handler can be called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sigaction_siginfo(
    signal: c_int,
    new: *const Sigaction,
    old: *mut Sigaction,
) -> c_int {
    const VERSION: c_int = 2;
    // SAFETY: this function's contract.
    unsafe {
        sys::__sigaction_sigtramp(
            signal,
            new.cast(),
            old.cast(),
            __sigtramp_siginfo_2 as *const c_void,
            VERSION,
        )
    }
}

/// sigaction(2) under the name that code from before siginfo has.
///
/// # Safety
/// As [`__sigaction_siginfo`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sigaction14(signal: c_int, new: *const Sigaction, old: *mut Sigaction) -> c_int {
    // SAFETY: this function's contract.
    unsafe { __sigaction_siginfo(signal, new, old) }
}

/// sigaction(2) as the rest of libc calls it.
///
/// # Safety
/// As [`__sigaction_siginfo`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_sigaction14(
    signal: c_int,
    new: *const Sigaction,
    old: *mut Sigaction,
) -> c_int {
    // SAFETY: this function's contract.
    unsafe { __sigaction_siginfo(signal, new, old) }
}

fn bit(signal: c_int) -> u64 {
    1_u64.checked_shl(signal as u32).unwrap_or(0)
}

/// Sets a handler; returns the old one, or `SIG_ERR`.
unsafe fn set_handler(signal: c_int, handler: usize) -> usize {
    let flags = if INTERRUPTING.load(Ordering::Relaxed) & bit(signal) != 0 { 0 } else { SA_RESTART };
    let new = Sigaction { handler, mask: [0; 4], flags };
    let mut old = Sigaction::default();
    // SAFETY: both are this function's own; the caller vouches for the handler.
    if unsafe { __sigaction_siginfo(signal, &raw const new, &raw mut old) } != 0 {
        return SIG_ERR;
    }
    old.handler
}

/// signal(3): calls interrupted by the handler are made again.
///
/// # Safety
/// `handler` is SIG_DFL, SIG_IGN, or can be called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn signal(signal: c_int, handler: usize) -> usize {
    if handler == SIG_ERR {
        errno::set(errno::EINVAL);
        return SIG_ERR;
    }
    // SAFETY: this function's contract.
    unsafe { set_handler(signal, handler) }
}

/// bsd_signal(3).
///
/// # Safety
/// As [`signal`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bsd_signal(number: c_int, handler: usize) -> usize {
    // SAFETY: this function's contract.
    unsafe { signal(number, handler) }
}

/// siginterrupt(3).
#[unsafe(no_mangle)]
pub extern "C" fn siginterrupt(signal: c_int, interrupt: c_int) -> c_int {
    let mut action = Sigaction::default();
    // SAFETY: the structure is this function's own, and keeps its handler.
    unsafe {
        if __sigaction_siginfo(signal, null(), &raw mut action) != 0 {
            return -1;
        }
        if interrupt != 0 {
            INTERRUPTING.fetch_or(bit(signal), Ordering::Relaxed);
            action.flags &= !SA_RESTART;
        } else {
            INTERRUPTING.fetch_and(!bit(signal), Ordering::Relaxed);
            action.flags |= SA_RESTART;
        }
        __sigaction_siginfo(signal, &raw const action, null_mut())
    }
}

/// A set of one signal.
fn one(signal: c_int) -> Option<SignalSet> {
    let mut set = [0; 4];
    // SAFETY: the set is this function's own.
    (unsafe { super::__sigaddset14(&raw mut set, signal) } == 0).then_some(set)
}

fn mask(how: c_int, signal: c_int) -> c_int {
    let Some(set) = one(signal) else { return -1 };
    // SAFETY: the set is this function's own.
    unsafe { sys::__sigprocmask14(how, &raw const set, null_mut()) }
}

/// sighold(3).
#[unsafe(no_mangle)]
pub extern "C" fn sighold(signal: c_int) -> c_int {
    mask(SIG_BLOCK, signal)
}

/// sigrelse(3).
#[unsafe(no_mangle)]
pub extern "C" fn sigrelse(signal: c_int) -> c_int {
    mask(SIG_UNBLOCK, signal)
}

/// sigignore(3).
#[unsafe(no_mangle)]
pub extern "C" fn sigignore(signal: c_int) -> c_int {
    // SAFETY: SIG_IGN is no function.
    if unsafe { set_handler(signal, SIG_IGN) } == SIG_ERR { -1 } else { 0 }
}

/// sigset(3).
///
/// # Safety
/// As [`signal`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigset(signal: c_int, handler: usize) -> usize {
    let Some(set) = one(signal) else { return SIG_ERR };
    let mut before = [0; 4];
    let mut old = Sigaction::default();
    // SAFETY: all structures are this function's own.
    unsafe {
        let how = if handler == SIG_HOLD { SIG_BLOCK } else { SIG_UNBLOCK };
        if sys::__sigprocmask14(how, &raw const set, &raw mut before) != 0
            || __sigaction_siginfo(signal, null(), &raw mut old) != 0
        {
            return SIG_ERR;
        }
        if handler != SIG_HOLD {
            let new = Sigaction { handler, ..Sigaction::default() };
            if __sigaction_siginfo(signal, &raw const new, null_mut()) != 0 {
                return SIG_ERR;
            }
        }
        if super::__sigismember14(&raw const before, signal) == 1 { SIG_HOLD } else { old.handler }
    }
}

/// sigblock(3), on the first 32 signals.
#[unsafe(no_mangle)]
pub extern "C" fn sigblock(signals: c_int) -> c_int {
    old_mask(SIG_BLOCK, signals)
}

/// sigsetmask(3), on the first 32 signals.
#[unsafe(no_mangle)]
pub extern "C" fn sigsetmask(signals: c_int) -> c_int {
    old_mask(SIG_SETMASK, signals)
}

fn old_mask(how: c_int, signals: c_int) -> c_int {
    let (new, mut old) = ([signals as u32, 0, 0, 0], [0; 4]);
    // SAFETY: both sets are this function's own.
    if unsafe { sys::__sigprocmask14(how, &raw const new, &raw mut old) } != 0 {
        return -1;
    }
    old[0] as c_int
}

/// raise(3): to the calling thread.
#[unsafe(no_mangle)]
pub extern "C" fn raise(signal: c_int) -> c_int {
    sys::_lwp_kill(sys::_lwp_self(), signal)
}

/// killpg(3).
#[unsafe(no_mangle)]
pub extern "C" fn killpg(group: c_int, signal: c_int) -> c_int {
    if group == 1 {
        return errno::fail(errno::ESRCH);
    }
    sys::kill(-group, signal)
}

unsafe extern "C" {
    fn sigqueueinfo(pid: c_int, info: *const c_void) -> c_int;
}

/// `siginfo_t` as sigqueue(2) fills it in.
#[repr(C)]
struct QueuedInfo {
    signal: c_int,
    code: c_int,
    errno: c_int,
    pad: c_int,
    pid: c_int,
    uid: u32,
    value: usize,
    rest: [u64; 12],
}

const _: () = assert!(size_of::<QueuedInfo>() == 128);

/// sigqueue(2).
///
/// # Safety
/// None: the value is handed on as it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigqueue(pid: c_int, signal: c_int, value: usize) -> c_int {
    const SI_QUEUE: c_int = -1;
    let info = QueuedInfo {
        signal,
        code: SI_QUEUE,
        errno: 0,
        pad: 0,
        pid: sys::getpid(),
        uid: sys::getuid(),
        value,
        rest: [0; 12],
    };
    // SAFETY: the structure is this function's own, as large as a siginfo_t.
    unsafe { sigqueueinfo(pid, (&raw const info).cast()) }
}

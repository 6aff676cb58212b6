//! Processes: wait(2) and its relatives, nice(3), brk(2), sched(3).

use crate::{errno, sys};
use core::ffi::{c_int, c_uint, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

/// wait(2).
///
/// # Safety
/// `status` is null or points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wait(status: *mut c_int) -> c_int {
    // SAFETY: this function's contract; -1 is any child.
    unsafe { sys::__wait450(-1, status, 0, null_mut()) }
}

/// waitpid(2).
///
/// # Safety
/// `status` is null or points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::__wait450(pid, status, options, null_mut()) }
}

/// wait3(2).
///
/// # Safety
/// `status` is null or points to an int, `usage` to a `struct rusage`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __wait350(status: *mut c_int, options: c_int, usage: *mut c_void) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::__wait450(-1, status, options, usage) }
}

unsafe extern "C" {
    fn wait6(
        kind: c_int,
        id: c_uint,
        status: *mut c_int,
        options: c_int,
        usage: *mut c_void,
        info: *mut c_void,
    ) -> c_int;
    fn getpriority(which: c_int, who: c_int) -> c_int;
    fn setpriority(which: c_int, who: c_int, priority: c_int) -> c_int;
}

/// waitid(2).
///
/// # Safety
/// `info` is null or points to memory for a siginfo_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waitid(kind: c_int, id: c_uint, info: *mut c_void, options: c_int) -> c_int {
    let mut status = 0;
    // SAFETY: this function's contract.
    if unsafe { wait6(kind, id, &raw mut status, options, null_mut(), info) } == -1 { -1 } else { 0 }
}

/// nice(3).
#[unsafe(no_mangle)]
pub extern "C" fn nice(increment: c_int) -> c_int {
    const PRIO_PROCESS: c_int = 0;
    errno::set(0);
    // SAFETY: the calls take numbers.
    unsafe {
        let priority = getpriority(PRIO_PROCESS, 0);
        if priority == -1 && errno::get() != 0 {
            return -1;
        }
        if setpriority(PRIO_PROCESS, 0, priority.saturating_add(increment)) == -1 {
            if errno::get() == errno::EACCES {
                errno::set(errno::EPERM);
            }
            return -1;
        }
        getpriority(PRIO_PROCESS, 0)
    }
}

// brk(2): the call itself.
core::arch::global_asm!(
    ".pushsection .text.rb_break,\"ax\",@progbits",
    ".globl rb_break",
    ".hidden rb_break",
    ".type rb_break,@function",
    "rb_break:",
    "mov rax, offset sys_break",
    "call [rip + rb_gate_word]",
    "test edx, edx",
    "jne rb_cerror",
    "ret",
    ".size rb_break, . - rb_break",
    ".popsection",
);

unsafe extern "C" {
    fn rb_break(end: *mut c_void) -> c_int;
}

/// The break, 0 as long as it is where the program ends.
static BREAK: AtomicUsize = AtomicUsize::new(0);

fn current_break() -> usize {
    match BREAK.load(Ordering::Relaxed) {
        // The kernel's break begins at the page after the program's last segment.
        0 => crate::dl::extent().map_or(0, |(_, end)| (end + 4095) & !4095),
        address => address,
    }
}

/// brk(2).
///
/// # Safety
/// Nothing above `address` is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn brk(address: *mut c_void) -> c_int {
    // SAFETY: this function's contract.
    if unsafe { rb_break(address) } != 0 {
        return -1;
    }
    BREAK.store(address.addr(), Ordering::Relaxed);
    0
}

/// sbrk(2): the break before.
///
/// # Safety
/// As [`brk`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sbrk(change: isize) -> *mut c_void {
    let old = current_break();
    let new = core::ptr::with_exposed_provenance_mut(old.wrapping_add_signed(change));
    // SAFETY: this function's contract.
    if change != 0 && unsafe { brk(new) } != 0 {
        return core::ptr::without_provenance_mut(usize::MAX);
    }
    core::ptr::with_exposed_provenance_mut(old)
}

/// clock_getcpuclockid(3): returns the error number.
///
/// # Safety
/// `clock` points to a clockid_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_getcpuclockid(pid: c_int, clock: *mut c_int) -> c_int {
    const CLOCK_PROCESS_CPUTIME_ID: c_int = 0x4000_0000;
    if pid != 0 && pid != sys::getpid() {
        return errno::ESRCH;
    }
    // SAFETY: this function's contract.
    unsafe { *clock = CLOCK_PROCESS_CPUTIME_ID | pid };
    0
}

/// The first LWP's number is asked for by 0.
const ANY_LWP: c_int = 0;

/// sched_setparam(3).
///
/// # Safety
/// `param` points to a `struct sched_param`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_setparam(pid: c_int, param: *const c_void) -> c_int {
    const SCHED_NONE: c_int = -1;
    // SAFETY: this function's contract.
    unsafe { sys::_sched_setparam(pid, ANY_LWP, SCHED_NONE, param) }
}

/// sched_getparam(3).
///
/// # Safety
/// `param` points to memory for a `struct sched_param`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_getparam(pid: c_int, param: *mut c_void) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::_sched_getparam(pid, ANY_LWP, null_mut(), param) }
}

/// sched_setscheduler(3): the old policy.
///
/// # Safety
/// `param` points to a `struct sched_param`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_setscheduler(pid: c_int, policy: c_int, param: *const c_void) -> c_int {
    let old = sched_getscheduler(pid);
    // SAFETY: this function's contract.
    if old < 0 || unsafe { sys::_sched_setparam(pid, ANY_LWP, policy, param) } < 0 { -1 } else { old }
}

/// sched_getscheduler(3).
#[unsafe(no_mangle)]
pub extern "C" fn sched_getscheduler(pid: c_int) -> c_int {
    let (mut policy, mut priority) = (0, 0_i32);
    // SAFETY: both words are this function's own; `struct sched_param` is an int.
    if unsafe { sys::_sched_getparam(pid, ANY_LWP, &raw mut policy, (&raw mut priority).cast()) } < 0 {
        return -1;
    }
    policy
}

/// sched_getaffinity_np(3).
///
/// # Safety
/// `set` has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_getaffinity_np(pid: c_int, size: usize, set: *mut c_void) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::_sched_getaffinity(pid, ANY_LWP, size, set) }
}

/// sched_setaffinity_np(3).
///
/// # Safety
/// `set` has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_setaffinity_np(pid: c_int, size: usize, set: *const c_void) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::_sched_setaffinity(pid, ANY_LWP, size, set) }
}

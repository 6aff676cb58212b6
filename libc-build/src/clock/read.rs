//! Reading the clock without a system call: clock_gettime(2), gettimeofday(2).
//!
//! The kernel publishes where its clock is (`rump_clock`) as the constant `rb_clock`; both lie in the kernel's half and are readable from here. What cannot be told from
//! it alone is left to the system call: other clocks, a platform without such a counter, and a target that may not be memory, because the answer to that is
//! EFAULT and not a signal. Of a target that lies in the caller's part of the stack it is known that it is memory.

use core::arch::{asm, x86_64::_rdtsc};
use core::ffi::{c_int, c_void};

use rump_clock::Clock;

use super::Timespec;

const CLOCK_REALTIME: c_int = 0;
const CLOCK_MONOTONIC: c_int = 3;
const NS_PER_S: u64 = 1_000_000_000;

/// As much of the stack above the caller is taken for memory, bytes.
const STACK_REACH: usize = 16 << 10;

unsafe extern "C" {
    /// The system call clock_gettime(2).
    fn rb_clock_gettime_call(clock: c_int, now: *mut Timespec) -> c_int;
    /// The system call gettimeofday(2).
    fn rb_gettimeofday_call(now: *mut c_void, zone: *mut c_void) -> c_int;
}

/// `struct timeval`.
#[repr(C)]
struct Timeval {
    sec: i64,
    usec: i32,
    pad: i32,
}

/// What `clock` says, nanoseconds, if that can be told without a call.
#[inline(always)]
fn read(clock: c_int) -> Option<u64> {
    if clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME {
        return None;
    }
    let published: *const Clock;
    // SAFETY: the kernel's constant lies in the top 2 GiB, and holds the address of a datum that lives for ever and is reached by atomics alone.
    unsafe {
        asm!("mov {}, qword ptr [rb_clock]", out(reg) published, options(pure, readonly, nostack, preserves_flags));
    };
    // SAFETY: as above.
    let shared = unsafe { &*published };
    // SAFETY: reads a counter.
    let monotonic_ns = shared.monotonic_ns(|| unsafe { _rdtsc() })?;
    Some(if clock == CLOCK_REALTIME { shared.realtime_ns(monotonic_ns) } else { monotonic_ns })
}

/// Whether `target` lies in the stack, not far above where it is now.
#[inline(always)]
fn on_stack<T>(target: *mut T) -> bool {
    let top: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rsp", out(reg) top, options(nomem, nostack, preserves_flags)) };
    target.addr().wrapping_sub(top) < STACK_REACH
}

/// clock_gettime(2).
///
/// # Safety
/// As the system call: `now` may be anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __clock_gettime50(clock: c_int, now: *mut Timespec) -> c_int {
    if on_stack(now)
        && let Some(ns) = read(clock)
    {
        let time = Timespec { sec: (ns / NS_PER_S) as i64, nsec: (ns % NS_PER_S) as i64 };
        // SAFETY: it lies in the caller's stack.
        unsafe { now.write(time) };
        return 0;
    }
    // SAFETY: as this function's own.
    unsafe { rb_clock_gettime_call(clock, now) }
}

/// gettimeofday(2).
///
/// # Safety
/// As the system call: `now` and `zone` may be anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __gettimeofday50(now: *mut c_void, zone: *mut c_void) -> c_int {
    let target = now.cast::<Timeval>();
    if on_stack(target)
        && zone.is_null()
        && let Some(ns) = read(CLOCK_REALTIME)
    {
        let time = Timeval { sec: (ns / NS_PER_S) as i64, usec: (ns % NS_PER_S / 1000) as i32, pad: 0 };
        // SAFETY: it lies in the caller's stack.
        unsafe { target.write(time) };
        return 0;
    }
    // SAFETY: as this function's own.
    unsafe { rb_gettimeofday_call(now, zone) }
}

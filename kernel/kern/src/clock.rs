//! Clocks (clock_gettime(2)): what time it is, and what it costs.
//!
//! The time of day is the monotonic clock and a sum: what the machine's clock said at boot, until settimeofday(2) or adjtime(2) change it. Layer 2 reads
//! both without a call where the platform has a counter for it (`rump_clock`).

use rump_clock::Clock;
use rump_hypercall::{Giant, thread, time};

use crate::copy::{copyin, copyout, copyout_opt};
use crate::errno::Errno;
use crate::lwp::{Lwp, curlwp};
use crate::pod;
use crate::proc::{Proc, curproc};
use crate::sleep::sleep_sig;
use crate::syscall;

/// Nanoseconds in a second.
pub const NS_PER_S: u64 = 1_000_000_000;

/// CLOCK_REALTIME.
pub const CLOCK_REALTIME: i32 = 0;
/// CLOCK_VIRTUAL: time that the process has computed.
pub const CLOCK_VIRTUAL: i32 = 1;
/// CLOCK_PROF: the same with time in system calls.
pub const CLOCK_PROF: i32 = 2;
/// CLOCK_MONOTONIC.
pub const CLOCK_MONOTONIC: i32 = 3;
/// CLOCK_THREAD_CPUTIME_ID; a number of an LWP may be added.
pub const CLOCK_THREAD_CPUTIME_ID: i32 = 0x2000_0000;
/// CLOCK_PROCESS_CPUTIME_ID; a number of a process may be added.
pub const CLOCK_PROCESS_CPUTIME_ID: i32 = 0x4000_0000;

/// `struct timespec`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Timespec {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds, 0 to 999,999,999.
    pub nsec: i64,
}

/// `struct timeval`, with its hole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Timeval {
    /// Seconds.
    pub sec: i64,
    /// Microseconds, 0 to 999,999.
    pub usec: i32,
    /// A hole of the C structure.
    pub pad: i32,
}

pod!(Timespec, Timeval);

impl Timespec {
    /// From nanoseconds.
    #[inline]
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self { sec: (ns / NS_PER_S) as i64, nsec: (ns % NS_PER_S) as i64 }
    }

    /// As nanoseconds; a time that is too far away is the last one that can be said.
    ///
    /// # Errors
    /// EINVAL if it is negative or has too many nanoseconds.
    #[inline]
    pub fn to_ns(self) -> Result<u64, Errno> {
        let (Ok(sec), Ok(nsec)) = (u64::try_from(self.sec), u64::try_from(self.nsec)) else {
            return Err(Errno::EINVAL);
        };
        if nsec >= NS_PER_S {
            return Err(Errno::EINVAL);
        }
        Ok(sec.saturating_mul(NS_PER_S).saturating_add(nsec).min(u64::MAX - 1))
    }
}

impl Timeval {
    /// From nanoseconds, rounded down.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self { sec: (ns / NS_PER_S) as i64, usec: (ns % NS_PER_S / 1000) as i32, pad: 0 }
    }

    /// As nanoseconds; a time that is too far away is the last one that can be said.
    ///
    /// # Errors
    /// EINVAL if it is negative or has too many microseconds.
    pub fn to_ns(self) -> Result<u64, Errno> {
        Timespec { sec: self.sec, nsec: i64::from(self.usec).saturating_mul(1000) }.to_ns()
    }
}

/// The clock as layer 2 reads it: the platform's, and the time of day.
static CLOCK: Clock = Clock::new();

/// Where layer 2 finds it. A constant, because the linker binds layer 2 before it knows where the kernel's variables will be.
#[unsafe(export_name = "rb_clock")]
static PUBLISHED: &Clock = &CLOCK;

/// Processor time of LWPs that have ended.
static EXITED_CPU_NS: Giant<u64> = Giant::new(0);

/// Sets the time of day by the machine's clock, and publishes the clock.
pub(crate) fn init() {
    CLOCK.set_day_ns(time::boot_wall_ns());
    if let Some(timebase) = time::timebase() {
        CLOCK.publish(timebase);
    }
}

/// The time of day, nanoseconds since 1970.
#[inline]
#[must_use]
pub fn realtime_ns() -> u64 {
    CLOCK.realtime_ns(time::monotonic_ns())
}

/// The time of day as the file systems want it.
#[inline]
#[must_use]
pub fn nanotime() -> Timespec {
    Timespec::from_ns(realtime_ns())
}

/// Changes the time of day.
pub fn set_realtime_ns(ns: u64) {
    CLOCK.set_day_ns(ns.wrapping_sub(time::monotonic_ns()));
}

/// Processor time of an LWP.
#[must_use]
pub fn lwp_cpu_ns(lwp: &Lwp) -> u64 {
    lwp.thread.get().map_or(0, thread::cpu_ns)
}

/// Processor time of a process.
#[must_use]
pub fn proc_cpu_ns(proc: &'static Proc) -> u64 {
    let mut sum = EXITED_CPU_NS.get();
    proc.lwps.find_by(|lwp| {
        sum += lwp_cpu_ns(lwp);
        false
    });
    sum
}

/// Notes the processor time of an LWP that ends.
pub fn lwp_exits(lwp: &Lwp) {
    EXITED_CPU_NS.set(EXITED_CPU_NS.get() + lwp_cpu_ns(lwp));
}

/// What a clock says, nanoseconds.
///
/// # Errors
/// EINVAL if there is no such clock, ESRCH if it is that of an LWP or a process that there is not.
#[inline]
pub fn clock_ns(clock: i32) -> Result<u64, Errno> {
    match clock {
        CLOCK_REALTIME => Ok(realtime_ns()),
        CLOCK_MONOTONIC => Ok(time::monotonic_ns()),
        CLOCK_VIRTUAL | CLOCK_PROF => Ok(proc_cpu_ns(curproc())),
        _ if clock >= 0 && clock & CLOCK_PROCESS_CPUTIME_ID != 0 => {
            let pid = clock & (CLOCK_THREAD_CPUTIME_ID - 1);
            let proc = curproc();
            if pid == 0 || pid == proc.pid { Ok(proc_cpu_ns(proc)) } else { Err(Errno::ESRCH) }
        }
        _ if clock >= 0 && clock & CLOCK_THREAD_CPUTIME_ID != 0 => {
            let lid = clock & (CLOCK_THREAD_CPUTIME_ID - 1);
            let me = curlwp();
            let lwp = if lid == 0 { me } else { me.proc.lwps.find_live(lid).ok_or(Errno::ESRCH)? };
            Ok(lwp_cpu_ns(lwp))
        }
        _ => Err(Errno::EINVAL),
    }
}

/// The deadline, on the monotonic clock, of a wait until or for `limit` of `clock`.
///
/// # Errors
/// EINVAL if the time is none, or the clock is not one that can be waited for.
#[inline]
pub fn deadline_ns(clock: i32, limit: Timespec, absolute: bool) -> Result<u64, Errno> {
    let limit_ns = limit.to_ns()?;
    let now = time::monotonic_ns();
    match clock {
        _ if !absolute && matches!(clock, CLOCK_REALTIME | CLOCK_MONOTONIC) => {
            Ok(now.saturating_add(limit_ns).min(time::NEVER - 1))
        }
        CLOCK_MONOTONIC => Ok(limit_ns),
        CLOCK_REALTIME => Ok(now.saturating_add(limit_ns.saturating_sub(realtime_ns())).min(time::NEVER - 1)),
        _ => Err(Errno::EINVAL),
    }
}

syscall! {
    /// clock_gettime(2).
    fn sys___clock_gettime50(clock: i32, ts: usize) -> Result<(), Errno> {
        copyout(&Timespec::from_ns(clock_ns(clock)?), ts)
    }
}

syscall! {
    /// clock_getres(2).
    fn sys___clock_getres50(clock: i32, ts: usize) -> Result<(), Errno> {
        clock_ns(clock)?;
        copyout_opt(&Timespec::from_ns(time::resolution_ns()), ts)
    }
}

syscall! {
    /// clock_settime(2).
    fn sys___clock_settime50(clock: i32, ts: usize) -> Result<(), Errno> {
        if clock != CLOCK_REALTIME {
            return Err(Errno::EINVAL);
        }
        set_realtime_ns(copyin::<Timespec>(ts)?.to_ns()?);
        Ok(())
    }
}

syscall! {
    /// gettimeofday(2). The time zone is UTC.
    fn sys___gettimeofday50(tv: usize, zone: usize) -> Result<(), Errno> {
        copyout_opt(&Timeval::from_ns(realtime_ns()), tv)?;
        copyout_opt(&[0_i32; 2], zone)
    }
}

syscall! {
    /// settimeofday(2).
    fn sys___settimeofday50(tv: usize, _zone: usize) -> Result<(), Errno> {
        if tv != 0 {
            set_realtime_ns(copyin::<Timeval>(tv)?.to_ns()?);
        }
        Ok(())
    }
}

syscall! {
    /// adjtime(2). The clock steps: there is nothing that drifts.
    fn sys___adjtime50(delta: usize, old_delta: usize) -> Result<(), Errno> {
        if delta != 0 {
            let delta: Timeval = copyin(delta)?;
            let ns = i128::from(delta.sec) * i128::from(NS_PER_S) + i128::from(delta.usec) * 1000;
            let target = i128::from(realtime_ns()) + ns;
            set_realtime_ns(u64::try_from(target).map_err(|_| Errno::EINVAL)?);
        }
        copyout_opt(&Timeval::default(), old_delta)
    }
}

syscall! {
    /// clock_getcpuclockid2(2).
    fn sys_clock_getcpuclockid2(kind: i32, id: i64, clock: usize) -> Result<(), Errno> {
        const P_PID: i32 = 1;
        const P_LWPID: i32 = 2;
        let id = i32::try_from(id).map_err(|_| Errno::ESRCH)?;
        let me = curlwp();
        let number = match kind {
            P_PID if id == 0 || id == me.proc.pid => CLOCK_PROCESS_CPUTIME_ID | me.proc.pid,
            P_LWPID if id == 0 => CLOCK_THREAD_CPUTIME_ID | me.lid,
            P_LWPID => CLOCK_THREAD_CPUTIME_ID | me.proc.lwps.find_live(id).ok_or(Errno::ESRCH)?.lid,
            P_PID => return Err(Errno::ESRCH),
            _ => return Err(Errno::EINVAL),
        };
        copyout(&number, clock)
    }
}

/// Sleeps until `deadline` on the monotonic clock.
fn sleep_until(deadline: u64) -> Result<(), Errno> {
    let cv = rump_hypercall::sync::CondVar::new();
    loop {
        match sleep_sig(&cv, deadline) {
            Ok(()) => {}
            Err(Errno::EWOULDBLOCK) => return Ok(()),
            // The limit would begin anew if the call were made again.
            Err(_) => return Err(Errno::EINTR),
        }
    }
}

fn nanosleep(clock: i32, absolute: bool, requested: usize, remaining: usize) -> Result<(), Errno> {
    let deadline = deadline_ns(clock, copyin(requested)?, absolute)?;
    let result = sleep_until(deadline);
    if result.is_err() && !absolute {
        copyout_opt(&Timespec::from_ns(deadline.saturating_sub(time::monotonic_ns())), remaining)?;
    }
    result
}

syscall! {
    /// nanosleep(2).
    fn sys___nanosleep50(requested: usize, remaining: usize) -> Result<(), Errno> {
        nanosleep(CLOCK_MONOTONIC, false, requested, remaining)
    }
}

syscall! {
    /// clock_nanosleep(2): the error is the value.
    fn sys_clock_nanosleep(clock: i32, flags: i32, requested: usize, remaining: usize) -> Result<i32, Errno> {
        let result = if flags & !1 == 0 { nanosleep(clock, flags & 1 != 0, requested, remaining) } else { Err(Errno::EINVAL) };
        Ok(result.map_or_else(|errno| errno.0, |()| 0))
    }
}

#[cfg(test)]
mod tests {
    use super::{Timespec, Timeval};

    #[test]
    fn times_that_are_none_are_refused() {
        assert!(Timespec { sec: -1, nsec: 0 }.to_ns().is_err());
        assert!(Timespec { sec: 0, nsec: 1_000_000_000 }.to_ns().is_err());
        assert!(Timespec { sec: 0, nsec: -1 }.to_ns().is_err());
        assert!(Timeval { sec: 0, usec: -1, pad: 0 }.to_ns().is_err());
    }

    #[test]
    fn a_time_too_far_away_saturates() {
        assert_eq!(Timespec { sec: i64::MAX, nsec: 999_999_999 }.to_ns(), Ok(u64::MAX - 1));
        assert_eq!(Timespec::from_ns(1_500_000_000), Timespec { sec: 1, nsec: 500_000_000 });
    }
}

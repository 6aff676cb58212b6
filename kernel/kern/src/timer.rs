//! Timers of the process (setitimer(2), timer_create(2)).
//!
//! A timer on a clock that runs is a callout. One on processor time is a callout too: on one processor that time passes no faster than
//! the clock's, so the callout looks whether it has passed and, if not, waits for what is left.

use rump_hypercall::Giant;
use rump_hypercall::time::{self, Callout};

use crate::clock::{
    CLOCK_MONOTONIC, CLOCK_PROF, CLOCK_REALTIME, CLOCK_VIRTUAL, Timespec, Timeval, proc_cpu_ns, realtime_ns,
};
use crate::copy::{copyin, copyout, copyout_opt};
use crate::errno::Errno;
use crate::pod;
use crate::proc::{Proc, proc0};
use crate::signal::info::Reason;
use crate::signal::info::code::SI_TIMER;
use crate::signal::number::{SIGALRM, SIGPROF, SIGVTALRM};
use crate::signal::{KsigInfo, is_signal, kpsignal};
use crate::syscall;

/// TIMER_MAX: those of timer_create(2).
const TIMERS_MAX: usize = 36;

/// The first of the four of setitimer(2), which come after the others.
const ITIMER_BASE: usize = TIMERS_MAX;

const TIMER_ABSTIME: i32 = 1;

/// The shortest interval: a timer whose signals keep the program from running is of no use.
const INTERVAL_MIN_NS: u64 = 1000;

const SIGEV_NONE: i32 = 0;
const SIGEV_SIGNAL: i32 = 1;

/// `struct itimerspec`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct ItimerSpec {
    interval: Timespec,
    value: Timespec,
}

/// `struct itimerval`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct ItimerVal {
    interval: Timeval,
    value: Timeval,
}

/// `struct sigevent`, with its hole.
#[derive(Clone, Copy)]
#[repr(C)]
struct SigEvent {
    notify: i32,
    signo: i32,
    value: u64,
    function: u64,
    attributes: u64,
}

pod!(ItimerSpec, ItimerVal, SigEvent);

#[derive(Clone, Copy)]
struct Timer {
    in_use: bool,
    clock: i32,
    /// The signal, 0 for none.
    signo: i32,
    value: u64,
    /// When it expires, on its own clock (real time: on the monotonic clock); 0 if it is disarmed.
    expires_ns: u64,
    interval_ns: u64,
    callout: Option<Callout>,
    /// Expirations since the last signal that was not a signal of their own.
    overrun: i32,
}

impl Timer {
    const UNUSED: Self = Self {
        in_use: false,
        clock: 0,
        signo: 0,
        value: 0,
        expires_ns: 0,
        interval_ns: 0,
        callout: None,
        overrun: 0,
    };

    /// What its clock says.
    fn now(&self, proc: &'static Proc) -> u64 {
        match self.clock {
            CLOCK_VIRTUAL | CLOCK_PROF => proc_cpu_ns(proc),
            _ => time::monotonic_ns(),
        }
    }

    fn left_ns(&self, proc: &'static Proc) -> u64 {
        // An armed timer that has not fired yet has something left.
        if self.expires_ns == 0 { 0 } else { self.expires_ns.saturating_sub(self.now(proc)).max(1) }
    }
}

static TIMERS: Giant<[Timer; TIMERS_MAX + 4]> = Giant::new([Timer::UNUSED; TIMERS_MAX + 4]);

/// Schedules the callout of an armed timer.
fn schedule(index: usize, timer: &mut Timer, proc: &'static Proc) {
    let left = timer.expires_ns.saturating_sub(timer.now(proc));
    timer.callout =
        Some(time::callout(time::monotonic_ns().saturating_add(left).min(time::NEVER - 1), expire, index));
}

/// The callout.
fn expire(index: usize) {
    let Some(proc) = proc0() else { return };
    let signal = {
        let mut timers = TIMERS.borrow_mut();
        let Some(timer) = timers.get_mut(index) else { return };
        timer.callout = None;
        if timer.expires_ns == 0 {
            return;
        }
        let now = timer.now(proc);
        if now < timer.expires_ns {
            schedule(index, timer, proc);
            return;
        }
        let mut expirations = 1;
        match (now - timer.expires_ns).checked_div(timer.interval_ns) {
            None => timer.expires_ns = 0,
            Some(late) => {
                expirations += late;
                timer.expires_ns =
                    timer.expires_ns.saturating_add((late + 1).saturating_mul(timer.interval_ns));
                schedule(index, timer, proc);
            }
        }
        let missed = i32::try_from(expirations - 1).unwrap_or(i32::MAX);
        let pending = timer.signo != 0 && proc.sig.pending.borrow().set().has(timer.signo);
        timer.overrun = if pending { timer.overrun.saturating_add(missed).saturating_add(1) } else { missed };
        (timer.signo != 0 && !pending).then_some((timer.signo, timer.value))
    };
    if let Some((signo, value)) = signal {
        let reason = Reason::Sender { pid: 0, uid: 0, value };
        // A full queue loses the signal, as it does for every sender.
        let _ = kpsignal(proc, KsigInfo { signo, code: SI_TIMER, errno: 0, reason });
    }
}

/// Arms a timer, or disarms it where `value_ns` is 0. Returns what was left of it, and its interval.
fn arm(index: usize, value_ns: u64, interval_ns: u64, absolute: bool) -> Result<(u64, u64), Errno> {
    let proc = crate::curproc();
    let mut timers = TIMERS.borrow_mut();
    let timer = timers.get_mut(index).ok_or(Errno::EINVAL)?;
    let before = (timer.left_ns(proc), timer.interval_ns);
    if let Some(callout) = timer.callout.take() {
        time::callout_cancel(callout);
    }
    timer.expires_ns = 0;
    timer.overrun = 0;
    timer.interval_ns = if interval_ns == 0 { 0 } else { interval_ns.max(INTERVAL_MIN_NS) };
    if value_ns != 0 {
        let now = timer.now(proc);
        let value = match (absolute, timer.clock) {
            (false, _) => now.saturating_add(value_ns),
            (true, CLOCK_REALTIME) => now.saturating_add(value_ns.saturating_sub(realtime_ns())),
            (true, _) => value_ns,
        };
        timer.expires_ns = value.clamp(1, time::NEVER - 1);
        schedule(index, timer, proc);
    }
    Ok(before)
}

fn index_of(id: i32) -> Result<usize, Errno> {
    let index = usize::try_from(id).map_err(|_| Errno::EINVAL)?;
    if index < TIMERS_MAX && TIMERS.borrow()[index].in_use { Ok(index) } else { Err(Errno::EINVAL) }
}

syscall! {
    /// timer_create(2). SIGEV_THREAD is the business of layer 2.
    fn sys_timer_create(clock: i32, event: usize, id: usize) -> Result<(), Errno> {
        if !matches!(clock, CLOCK_REALTIME | CLOCK_MONOTONIC | CLOCK_VIRTUAL | CLOCK_PROF) {
            return Err(Errno::EINVAL);
        }
        let wanted: Option<SigEvent> = if event == 0 { None } else { Some(copyin(event)?) };
        let index = {
            let timers = TIMERS.borrow();
            timers[..TIMERS_MAX].iter().position(|timer| !timer.in_use).ok_or(Errno::EAGAIN)?
        };
        let (signo, value) = match wanted {
            None => {
                let signo = match clock {
                    CLOCK_VIRTUAL => SIGVTALRM,
                    CLOCK_PROF => SIGPROF,
                    _ => SIGALRM,
                };
                (signo, index as u64)
            }
            Some(event) if event.notify == SIGEV_NONE => (0, 0),
            Some(event) if event.notify == SIGEV_SIGNAL && is_signal(event.signo) => (event.signo, event.value),
            Some(_) => return Err(Errno::EINVAL),
        };
        copyout(&(index as i32), id)?;
        TIMERS.borrow_mut()[index] = Timer { in_use: true, clock, signo, value, ..Timer::UNUSED };
        Ok(())
    }
}

syscall! {
    /// timer_delete(2).
    fn sys_timer_delete(id: i32) -> Result<(), Errno> {
        let index = index_of(id)?;
        arm(index, 0, 0, false)?;
        TIMERS.borrow_mut()[index] = Timer::UNUSED;
        Ok(())
    }
}

fn spec(left_ns: u64, interval_ns: u64) -> ItimerSpec {
    ItimerSpec { interval: Timespec::from_ns(interval_ns), value: Timespec::from_ns(left_ns) }
}

syscall! {
    /// timer_settime(2).
    fn sys___timer_settime50(id: i32, flags: i32, new: usize, old: usize) -> Result<(), Errno> {
        let index = index_of(id)?;
        let wanted: ItimerSpec = copyin(new)?;
        let (left, interval) =
            arm(index, wanted.value.to_ns()?, wanted.interval.to_ns()?, flags & TIMER_ABSTIME != 0)?;
        copyout_opt(&spec(left, interval), old)
    }
}

syscall! {
    /// timer_gettime(2).
    fn sys___timer_gettime50(id: i32, value: usize) -> Result<(), Errno> {
        let index = index_of(id)?;
        let timer = TIMERS.borrow()[index];
        copyout(&spec(timer.left_ns(crate::curproc()), timer.interval_ns), value)
    }
}

syscall! {
    /// timer_getoverrun(2).
    fn sys_timer_getoverrun(id: i32) -> Result<i32, Errno> {
        let index = index_of(id)?;
        Ok(TIMERS.borrow()[index].overrun)
    }
}

/// The timer of setitimer(2)'s `which`.
fn itimer(which: i32) -> Result<usize, Errno> {
    let (clock, signo) = match which {
        0 => (CLOCK_REALTIME, SIGALRM),
        1 => (CLOCK_VIRTUAL, SIGVTALRM),
        2 => (CLOCK_PROF, SIGPROF),
        3 => (CLOCK_MONOTONIC, SIGALRM),
        _ => return Err(Errno::EINVAL),
    };
    let index = ITIMER_BASE + which as usize;
    let mut timers = TIMERS.borrow_mut();
    let timer = &mut timers[index];
    (timer.in_use, timer.clock, timer.signo) = (true, clock, signo);
    Ok(index)
}

fn itimerval(left_ns: u64, interval_ns: u64) -> ItimerVal {
    // Rounded up: what is left is not nothing.
    ItimerVal {
        interval: Timeval::from_ns(interval_ns),
        value: Timeval::from_ns(left_ns.saturating_add(999)),
    }
}

syscall! {
    /// setitimer(2).
    fn sys___setitimer50(which: i32, new: usize, old: usize) -> Result<(), Errno> {
        let index = itimer(which)?;
        if new == 0 {
            let timer = TIMERS.borrow()[index];
            return copyout_opt(&itimerval(timer.left_ns(crate::curproc()), timer.interval_ns), old);
        }
        let wanted: ItimerVal = copyin(new)?;
        let (left, interval) = arm(index, wanted.value.to_ns()?, wanted.interval.to_ns()?, false)?;
        copyout_opt(&itimerval(left, interval), old)
    }
}

syscall! {
    /// getitimer(2).
    fn sys___getitimer50(which: i32, value: usize) -> Result<(), Errno> {
        let index = itimer(which)?;
        let timer = TIMERS.borrow()[index];
        let left = timer.left_ns(crate::curproc());
        copyout(&if left == 0 { ItimerVal::default() } else { itimerval(left, timer.interval_ns) }, value)
    }
}

/// Takes all timers away, for the next test.
#[cfg(test)]
pub fn clear() {
    for timer in TIMERS.borrow_mut().iter_mut() {
        if let Some(callout) = timer.callout {
            time::callout_cancel(callout);
        }
        *timer = Timer::UNUSED;
    }
}

//! Parking (_lwp_park(2), _lwp_unpark(2)): the wait on which libpthread builds mutexes and condition variables.
//!
//! An unpark that comes before the park is remembered, once. The way from one LWP's unpark to the other's return is kept short: an
//! index into the table, a flag, and one wake-up.

use rump_hypercall::sync::Wake;
use rump_hypercall::time;

use crate::clock::{Timespec, deadline_ns};
use crate::copy::{copyin, copyin_slice, copyout};
use crate::errno::Errno;
use crate::lwp::{Lwp, curlwp};
use crate::syscall;

/// Most LWPs that one call unparks.
const UNPARK_MAX: usize = 1024;

/// `flags`: the time limit is a point in time.
const TIMER_ABSTIME: i32 = 1;

fn unpark(target: &Lwp) {
    if target.parked.replace(false) {
        target.park_cv.signal();
    } else {
        target.unparked.set(true);
    }
}

#[inline]
fn unpark_lid(me: &Lwp, lid: i32) -> Result<(), Errno> {
    unpark(me.proc.lwps.find_live(lid).ok_or(Errno::ESRCH)?);
    Ok(())
}

/// Parks the calling LWP.
///
/// # Errors
/// EALREADY if it was unparked before, ETIMEDOUT, EINTR.
fn park(me: &'static Lwp, deadline: u64) -> Result<(), Errno> {
    if me.unparked.take() {
        return Err(Errno::EALREADY);
    }
    if me.interruption().is_some() {
        return Err(Errno::EINTR);
    }
    me.parked.set(true);
    let wake = me.park_cv.wait_until_sig(deadline);
    if !me.parked.replace(false) {
        // Unparked, whatever else may have happened at the same time.
        return Ok(());
    }
    match wake {
        Wake::Signaled => Ok(()),
        Wake::TimedOut => Err(Errno::ETIMEDOUT),
        Wake::Interrupted => {
            me.awakened.set(false);
            Err(Errno::EINTR)
        }
    }
}

syscall! {
    /// _lwp_park(2) as of NetBSD 7: also unparks another LWP, first.
    fn sys____lwp_park60(clock: i32, flags: i32, limit: usize, other: i32, _hint: usize, _unpark_hint: usize) -> Result<(), Errno> {
        let me = curlwp();
        if other != 0 {
            unpark_lid(me, other)?;
        }
        if limit == 0 {
            return park(me, time::NEVER);
        }
        let limit_ts: Timespec = copyin(limit)?;
        let absolute = flags & TIMER_ABSTIME != 0;
        let deadline = deadline_ns(clock, limit_ts, absolute)?;
        let result = park(me, deadline);
        if !absolute {
            // What is left of the time.
            copyout(&Timespec::from_ns(deadline.saturating_sub(time::monotonic_ns())), limit)?;
        }
        result
    }
}

syscall! {
    /// _lwp_unpark(2).
    fn sys__lwp_unpark(lid: i32, _hint: usize) -> Result<(), Errno> {
        unpark_lid(curlwp(), lid)
    }
}

syscall! {
    /// _lwp_unpark_all(2).
    fn sys__lwp_unpark_all(targets: usize, count: usize, _hint: usize) -> Result<usize, Errno> {
        if targets == 0 {
            return Ok(UNPARK_MAX);
        }
        if count == 0 {
            return Err(Errno::EINVAL);
        }
        let me = curlwp();
        for lid in copyin_slice::<i32>(targets, count, UNPARK_MAX)? {
            // One that has ended meanwhile is no error for the others.
            let _ = unpark_lid(me, lid);
        }
        Ok(0)
    }
}

//! Interruptible waiting (cv_wait_sig(9), cv_timedwait_sig(9)), and what a signal makes of it.

use rump_hypercall::sync::{CondVar, Wake};

use crate::errno::Errno;

/// Waits on `cv` until woken, until the monotonic clock reaches `deadline_ns` ([`rump_hypercall::time::NEVER`] for no limit), or until a
/// signal comes.
///
/// # Errors
/// EWOULDBLOCK when the deadline has passed; EINTR or ERESTART when a signal is to be delivered, as its SA_RESTART says.
/// A caller with a time limit of its own turns ERESTART into EINTR, as NetBSD's does, since the limit would begin anew.
pub fn sleep_sig(cv: &CondVar, deadline_ns: u64) -> Result<(), Errno> {
    let lwp = crate::curlwp();
    if let Some(errno) = lwp.interruption() {
        return Err(errno);
    }
    match cv.wait_until_sig(deadline_ns) {
        Wake::Signaled => Ok(()),
        Wake::TimedOut => Err(Errno::EWOULDBLOCK),
        Wake::Interrupted => Err(lwp.interruption().unwrap_or(Errno::EINTR)),
    }
}

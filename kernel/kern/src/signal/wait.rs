//! The signal system calls that wait (sigsuspend(2), sigtimedwait(2)).

use rump_hypercall::sync::CondVar;
use rump_hypercall::time;

use super::info::KsigInfo;
use super::set::SigSet;
use super::state::{deliverable, sigsuspend_setup};
use crate::clock::Timespec;
use crate::copy::{copyin, copyout, copyout_bytes};
use crate::errno::{ERESTART, Errno};
use crate::lwp::{Lwp, curlwp};
use crate::sleep::sleep_sig;
use crate::syscall;

syscall! {
    /// sigsuspend(2).
    fn sys___sigsuspend14(set: usize) -> Result<(), Errno> {
        let lwp = curlwp();
        let mask = SigSet::copyin(set)?;
        sigsuspend_setup(lwp, mask);
        let cv = CondVar::new();
        // The old mask comes back after the handler (signal::frame), or before the LWP runs on (signal::deliver).
        lwp.need_ast();
        while deliverable(lwp).is_empty() {
            match sleep_sig(&cv, time::NEVER) {
                Ok(()) => {}
                // Something else wants the LWP for a while: the call is made again then.
                Err(ERESTART) if deliverable(lwp).is_empty() => return Err(ERESTART),
                Err(_) => break,
            }
        }
        Err(Errno::EINTR)
    }
}

fn take(lwp: &Lwp, which: SigSet) -> Option<KsigInfo> {
    let own = lwp.sig.pending.borrow_mut().take(which);
    own.or_else(|| lwp.proc.sig.pending.borrow_mut().take(which))
}

/// Waits for one of the signals, which the LWP is to have blocked.
fn wait_for(lwp: &'static Lwp, which: SigSet, deadline: u64) -> Result<KsigInfo, Errno> {
    let cv = CondVar::new();
    loop {
        if let Some(info) = take(lwp, which) {
            return Ok(info);
        }
        lwp.sig.waiting_for.set(which);
        let result = sleep_sig(&cv, deadline);
        lwp.sig.waiting_for.set(SigSet::EMPTY);
        match result {
            Ok(()) => {}
            Err(Errno::EWOULDBLOCK) => return take(lwp, which).ok_or(Errno::EAGAIN),
            // A signal came: one of those waited for, or another that has a handler.
            Err(_) => return take(lwp, which).ok_or(Errno::EINTR),
        }
    }
}

syscall! {
    /// sigtimedwait(2), sigwaitinfo(2), sigwait(3).
    fn sys_____sigtimedwait50(set: usize, info: usize, limit: usize) -> Result<i32, Errno> {
        let lwp = curlwp();
        let which = SigSet::copyin(set)?.as_mask();
        let deadline = if limit == 0 {
            time::NEVER
        } else {
            time::monotonic_ns().saturating_add(copyin::<Timespec>(limit)?.to_ns()?).min(time::NEVER - 1)
        };
        let result = wait_for(lwp, which, deadline);
        if limit != 0 && matches!(result, Err(Errno::EINTR)) {
            let left = deadline.saturating_sub(time::monotonic_ns());
            copyout(&Timespec::from_ns(left), limit)?;
        }
        let taken = result?;
        if info != 0 {
            copyout_bytes(&taken.to_bytes(), info)?;
        }
        Ok(taken.signo)
    }
}

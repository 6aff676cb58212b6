//! Sending signals (kpsignal(9), psignal(9)).

use super::action::{DefaultAction, Disposition, default_action};
use super::info::KsigInfo;
use super::number::{SIGCONT, SIGKILL, SIGSTOP};
use super::set::SigSet;
use crate::errno::Errno;
use crate::lwp::{Lwp, State, curlwp_opt};
use crate::proc::Proc;

/// Sends a signal of which nothing else is known to a process. May be called from a callout.
pub fn psignal(proc: &'static Proc, signo: i32) {
    // A full queue drops the signal; what has no information never fills one, since it does not queue up.
    let _ = kpsignal(proc, KsigInfo::empty(signo));
}

/// Sends a signal to a process. May be called from a callout.
///
/// # Errors
/// EAGAIN if too many are pending.
pub fn kpsignal(proc: &'static Proc, info: KsigInfo) -> Result<(), Errno> {
    let signo = info.signo;
    crate::event::knote::signal_sent(signo);
    if signo == SIGKILL {
        // There is nothing that the program could still do about it, whichever of its LWPs sleep or are suspended.
        super::deliver::sigexit(proc, signo);
    }
    if signo == SIGCONT {
        proc.sig.go_on();
    }
    if drops(proc, None, signo) {
        return Ok(());
    }
    proc.sig.pending.borrow_mut().put(info)?;
    if let Some(lwp) = taker(proc, signo) {
        give(lwp, signo);
    }
    Ok(())
}

/// The LWP is to take the signal. If that ends the program, and the LWP is where no sleep can be interrupted, it ends at once.
fn give(lwp: &'static Lwp, signo: i32) {
    let ends = || {
        lwp.proc.sig.action(signo).disposition == Disposition::Default
            && matches!(default_action(signo), DefaultAction::Terminate | DefaultAction::Core)
    };
    if lwp.elsewhere.get() && !lwp.sig.waiting_for.get().has(signo) && ends() {
        super::deliver::sigexit(lwp.proc, signo);
    }
    lwp.interrupt();
}

/// Sends a signal to one LWP. May be called from a callout.
///
/// # Errors
/// EAGAIN if too many are pending.
pub fn lwp_signal(lwp: &'static Lwp, info: KsigInfo) -> Result<(), Errno> {
    let signo = info.signo;
    if signo == SIGCONT || signo == SIGKILL || signo == SIGSTOP {
        return kpsignal(lwp.proc, info);
    }
    crate::event::knote::signal_sent(signo);
    if drops(lwp.proc, Some(lwp), signo) {
        return Ok(());
    }
    lwp.sig.pending.borrow_mut().put(info)?;
    if accepts(lwp, signo) {
        give(lwp, signo);
    }
    Ok(())
}

/// Whether the LWP takes the signal when it is sent now.
fn accepts(lwp: &Lwp, signo: i32) -> bool {
    lwp.state.get() == State::Live && (!lwp.sig.mask.get().has(signo) || lwp.sig.waiting_for.get().has(signo))
}

/// Whether the signal has no effect: it is ignored, and nobody blocks it or waits for it.
fn drops(proc: &'static Proc, lwp: Option<&'static Lwp>, signo: i32) -> bool {
    if !proc.sig.action(signo).ignores(signo) {
        return false;
    }
    let keeps = |lwp: &'static Lwp| lwp.sig.mask.get().union(lwp.sig.waiting_for.get()).has(signo);
    match lwp {
        Some(lwp) => !keeps(lwp),
        None => proc.lwps.find_by(keeps).is_none(),
    }
}

/// The LWP that takes a signal sent to the process: one that waits for it, else the one that runs, else any that does not block it.
fn taker(proc: &'static Proc, signo: i32) -> Option<&'static Lwp> {
    let waits = |lwp: &'static Lwp| lwp.state.get() == State::Live && lwp.sig.waiting_for.get().has(signo);
    if let Some(lwp) = proc.lwps.find_by(waits) {
        return Some(lwp);
    }
    if let Some(lwp) = curlwp_opt()
        && accepts(lwp, signo)
        && !lwp.suspended.get()
    {
        return Some(lwp);
    }
    proc.lwps
        .find_by(|lwp| accepts(lwp, signo) && !lwp.suspended.get())
        .or_else(|| proc.lwps.find_by(|lwp| accepts(lwp, signo)))
}

/// Drops what is pending of the signals that have become ignored.
pub fn discard(proc: &'static Proc, which: SigSet) {
    proc.sig.pending.borrow_mut().discard(which);
    proc.lwps.find_by(|lwp| {
        lwp.sig.pending.borrow_mut().discard(which);
        false
    });
}

/// Finds takers for the signals that are pending for the process: the LWP that was to take one has ended.
pub fn pass_on(proc: &'static Proc) {
    let mut left = proc.sig.pending.borrow().set();
    while let Some(signo) = left.first() {
        left = left.minus(SigSet::of(signo));
        if let Some(lwp) = taker(proc, signo) {
            lwp.interrupt();
        }
    }
}

//! What happens before an LWP goes back to the application (userret, issignal, postsig).

use rump_hypercall::boot::Exit;
use rump_hypercall::user::{self, Trapframe};

use super::action::{DefaultAction, Disposition, SaFlags, SigAction, default_action};
use super::frame::sendsig;
use super::info::KsigInfo;
use super::number::{SIGILL, SIGPWR, SIGTRAP};
use super::set::SigSet;
use super::state::{deliverable, set_mask};
use crate::lwp::{Lwp, curlwp_opt};
use crate::proc::Proc;

/// The upcall: signals and requests.
pub fn ast(frame: &mut Trapframe) {
    crate::uvm::fault::end_if_killed();
    let Some(lwp) = curlwp_opt() else { return };
    lwp.awakened.set(false);
    loop {
        while lwp.suspended.get() {
            lwp.suspend_cv.wait();
        }
        while lwp.proc.sig.stopped.get() {
            lwp.proc.sig.stop_cv.wait();
        }
        let Some(info) = take(lwp) else { break };
        issue(lwp, frame, &info);
    }
    if let Some(mask) = lwp.sig.restore_mask.take() {
        set_mask(lwp, mask);
        if !deliverable(lwp).is_empty() {
            // What the temporary mask had let through is gone, and what it blocked may come now: once more.
            ast(frame);
        }
    }
}

/// The next signal to be taken.
fn take(lwp: &Lwp) -> Option<KsigInfo> {
    let which = deliverable(lwp);
    if which.is_empty() {
        return None;
    }
    let own = lwp.sig.pending.borrow_mut().take(which);
    own.or_else(|| lwp.proc.sig.pending.borrow_mut().take(which))
}

/// Carries out what is to be done with a signal.
pub fn issue(lwp: &'static Lwp, frame: &mut Trapframe, info: &KsigInfo) {
    let action = lwp.proc.sig.action(info.signo);
    match action.disposition {
        Disposition::Ignore => {}
        Disposition::Handler(_) => call_handler(lwp, frame, info, &action),
        Disposition::Default => match default_action(info.signo) {
            DefaultAction::Terminate | DefaultAction::Core => sigexit(lwp.proc, info.signo),
            DefaultAction::Stop => stop(lwp),
            DefaultAction::Ignore | DefaultAction::Continue => {}
        },
    }
}

/// Stops the process: each LWP waits when it is about to run application code.
fn stop(lwp: &Lwp) {
    lwp.proc.sig.stopped.set(true);
    lwp.proc.lwps.find_by(|other| {
        other.interrupt();
        false
    });
}

/// Calls a handler; a program that has no stack for it is killed.
pub fn call_handler(lwp: &'static Lwp, frame: &mut Trapframe, info: &KsigInfo, action: &SigAction) {
    if sendsig(lwp, frame, info, action).is_err() {
        crate::log!(
            "rumpbake: LWP {} has no stack for the handler of {}: sp is {:#x}",
            lwp.lid,
            super::name(info.signo),
            frame.rsp
        );
        user::crash_report("no stack for a signal handler", frame);
        crate::exit::end(Exit::Signaled(SIGILL as u8));
    }
    if action.flags.contains(SaFlags::RESETHAND)
        && !matches!(info.signo, SIGILL | SIGTRAP | SIGPWR)
        && let Some(slot) = lwp.proc.sig.actions.borrow_mut().get_mut(info.signo as usize)
    {
        *slot = SigAction::default();
    }
}

/// Ends the program because of a signal.
pub fn sigexit(proc: &Proc, signo: i32) -> ! {
    crate::log!("rumpbake: {} was killed by {}", proc.comm.borrow().as_str(), super::name(signo));
    crate::exit::end(Exit::Signaled((signo & 0x7f) as u8))
}

/// Whether the LWP would call a handler for this signal now.
#[must_use]
pub fn catches(lwp: &Lwp, signo: i32) -> bool {
    !lwp.sig.mask.get().and(SigSet::of(signo)).has(signo)
        && matches!(lwp.proc.sig.action(signo).disposition, Disposition::Handler(_))
}

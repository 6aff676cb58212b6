//! The signal state of processes and LWPs.

use core::cell::{Cell, RefCell};

use rump_hypercall::Giant;
use rump_hypercall::sync::CondVar;

use super::action::{SaFlags, SigAction};
use super::number::SIGCONT;
use super::pending::Pending;
use super::set::SigSet;
use crate::lwp::Lwp;
use crate::proc::Proc;

/// An alternate signal stack (sigaltstack(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AltStack {
    /// Its lowest address.
    pub base: usize,
    /// Its size.
    pub size_bytes: usize,
    /// Whether it may be used.
    pub enabled: bool,
}

impl AltStack {
    /// No alternate stack.
    pub const NONE: Self = Self { base: 0, size_bytes: 0, enabled: false };

    /// Whether a stack pointer points into it.
    #[must_use]
    pub fn contains(&self, sp: usize) -> bool {
        // The stack pointer of an empty stack is its end, which is part of it here.
        self.enabled && sp > self.base && sp - self.base <= self.size_bytes
    }
}

/// The signal state of a process.
pub struct ProcSignals {
    /// What it does with each signal.
    pub actions: Giant<[SigAction; super::NSIG as usize]>,
    /// What is pending for no LWP in particular.
    pub pending: Giant<Pending>,
    /// SIGSTOP: nobody runs until SIGCONT.
    pub stopped: Giant<bool>,
    /// Stopped LWPs wait here.
    pub stop_cv: CondVar,
}

impl ProcSignals {
    /// Default actions, nothing pending.
    #[must_use]
    pub fn new() -> Self {
        Self {
            actions: Giant::new([SigAction::default(); super::NSIG as usize]),
            pending: Giant::new(Pending::new()),
            stopped: Giant::new(false),
            stop_cv: CondVar::new(),
        }
    }

    /// What the process does with a signal.
    #[inline]
    #[must_use]
    pub fn action(&self, signo: i32) -> SigAction {
        self.actions.borrow()[signo as usize % super::NSIG as usize]
    }

    /// Ends a stop.
    pub fn go_on(&self) {
        if self.stopped.get() {
            self.stopped.set(false);
            self.stop_cv.broadcast();
        }
        self.pending.borrow_mut().discard(SigSet::of(super::number::SIGSTOP));
    }
}

impl Default for ProcSignals {
    fn default() -> Self {
        Self::new()
    }
}

/// The signal state of an LWP.
pub struct LwpSignals {
    /// Which signals are blocked.
    pub mask: Cell<SigSet>,
    /// What is pending for this LWP.
    pub pending: RefCell<Pending>,
    /// The alternate stack.
    pub altstack: Cell<AltStack>,
    /// sigsuspend(2) and its like: the mask to go back to once a handler was called.
    pub restore_mask: Cell<Option<SigSet>>,
    /// sigtimedwait(2): the signals for which it waits.
    pub waiting_for: Cell<SigSet>,
}

impl LwpSignals {
    /// Nothing blocked, nothing pending.
    #[must_use]
    pub fn new() -> Self {
        Self {
            mask: Cell::new(SigSet::EMPTY),
            pending: RefCell::new(Pending::new()),
            altstack: Cell::new(AltStack::NONE),
            restore_mask: Cell::new(None),
            waiting_for: Cell::new(SigSet::EMPTY),
        }
    }

    /// For the slot's next owner.
    pub fn reset(&self) {
        self.mask.set(SigSet::EMPTY);
        *self.pending.borrow_mut() = Pending::new();
        self.altstack.set(AltStack::NONE);
        self.restore_mask.set(None);
        self.waiting_for.set(SigSet::EMPTY);
    }
}

impl Default for LwpSignals {
    fn default() -> Self {
        Self::new()
    }
}

/// The signals that an LWP has to take now.
#[inline]
#[must_use]
pub fn deliverable(lwp: &Lwp) -> SigSet {
    lwp.sig.pending.borrow().set().union(lwp.proc.sig.pending.borrow().set()).minus(lwp.sig.mask.get())
}

/// Whether a system call that this signal interrupts is made again.
#[must_use]
pub fn restarts(proc: &Proc, signo: i32) -> bool {
    proc.sig.action(signo).flags.contains(SaFlags::RESTART) || signo == SIGCONT
}

/// Sets an LWP's mask, and has newly deliverable signals looked at.
pub fn set_mask(lwp: &Lwp, mask: SigSet) {
    lwp.sig.mask.set(mask.as_mask());
    if !deliverable(lwp).is_empty() {
        lwp.need_ast();
    }
}

/// Replaces the mask for the time of a wait: sigsuspend(2), pselect(2), pollts(2).
pub fn sigsuspend_setup(lwp: &Lwp, mask: SigSet) {
    lwp.sig.restore_mask.set(Some(lwp.sig.mask.get()));
    set_mask(lwp, mask);
}

/// Ends what [`sigsuspend_setup`] began: the mask comes back now, or once the handler of the signal that ended the wait was called.
pub fn sigsuspend_teardown(lwp: &Lwp) {
    if deliverable(lwp).is_empty() {
        if let Some(mask) = lwp.sig.restore_mask.take() {
            set_mask(lwp, mask);
        }
    } else {
        lwp.need_ast();
    }
}

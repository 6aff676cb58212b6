//! LWPs (lwp(9)): the threads of a process as layer 1 sees them.
//!
//! The memory of an LWP is type-stable: it is allocated once and then reused, never freed. So references are `'static`; a stale one may
//! meet the next owner of the slot, which code that keeps references over a wait has to take into account. The number of
//! an LWP is its place in the table, so that finding one takes an index and no search.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cell::Cell;

use rump_hypercall::Giant;
use rump_hypercall::sync::CondVar;
use rump_hypercall::thread::{self, Thread};

use crate::errno::{ERESTART, Errno};
use crate::proc::Proc;
use crate::signal::state::LwpSignals;

/// Most LWPs at one time.
pub const LWPS_MAX: usize = 1 << 14;

/// Longest name, with its NUL (MAXCOMLEN).
pub const NAME_MAX_BYTES: usize = 16;

/// What an LWP is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The slot is free.
    Free,
    /// It lives.
    Live,
    /// It has ended, and nobody has waited for it yet.
    Zombie,
}

/// An LWP.
pub struct Lwp {
    /// Its number, at least 1.
    pub lid: i32,
    /// Its process.
    pub proc: &'static Proc,
    /// What it is doing.
    pub state: Cell<State>,
    /// The thread that carries it.
    pub thread: Cell<Option<Thread>>,
    /// Nobody will wait for it.
    pub detached: Cell<bool>,
    /// _lwp_suspend(2): it is not to run application code.
    pub suspended: Cell<bool>,
    /// _lwp_wakeup(2): its sleep is to end.
    pub awakened: Cell<bool>,
    /// It is in a call of another kernel, whose sleeps nobody can end.
    pub elsewhere: Cell<bool>,
    /// It waits here while it is suspended.
    pub suspend_cv: CondVar,
    /// _lwp_park(2): it waits here.
    pub park_cv: CondVar,
    /// It is parked.
    pub parked: Cell<bool>,
    /// It was unparked before it parked.
    pub unparked: Cell<bool>,
    /// Signals.
    pub sig: LwpSignals,
    /// Its name, padded with NULs.
    pub name: Cell<[u8; NAME_MAX_BYTES]>,
    /// The address of its `lwpctl_t`, or 0.
    pub lwpctl: Cell<usize>,
    /// By how many words an indirect system call's arguments on the stack are shifted.
    pub arg_shift: Cell<usize>,
    /// With what it starts.
    pub start: Cell<Option<Box<crate::sys_lwp::Start>>>,
}

// SAFETY: component code runs only while it holds the one virtual CPU (rump_hypercall), so the cells are never
// touched by two threads at once.
unsafe impl Sync for Lwp {}

impl Lwp {
    fn new(lid: i32, proc: &'static Proc) -> Self {
        Self {
            lid,
            proc,
            state: Cell::new(State::Free),
            thread: Cell::new(None),
            detached: Cell::new(false),
            suspended: Cell::new(false),
            awakened: Cell::new(false),
            elsewhere: Cell::new(false),
            suspend_cv: CondVar::new(),
            park_cv: CondVar::new(),
            parked: Cell::new(false),
            unparked: Cell::new(false),
            sig: LwpSignals::new(),
            name: Cell::new([0; NAME_MAX_BYTES]),
            lwpctl: Cell::new(0),
            arg_shift: Cell::new(0),
            start: Cell::new(None),
        }
    }

    fn reset(&self) {
        self.state.set(State::Live);
        self.thread.set(None);
        self.detached.set(false);
        self.suspended.set(false);
        self.awakened.set(false);
        self.elsewhere.set(false);
        self.parked.set(false);
        self.unparked.set(false);
        self.sig.reset();
        self.name.set([0; NAME_MAX_BYTES]);
        self.lwpctl.set(0);
        self.arg_shift.set(0);
        self.start.set(None);
    }

    /// With which error a sleep of this LWP has to end: EINTR or ERESTART, if a signal is to be delivered or the LWP is to
    /// be suspended.
    #[must_use]
    pub fn interruption(&self) -> Option<Errno> {
        if self.awakened.take() {
            return Some(Errno::EINTR);
        }
        if let Some(signo) = crate::signal::state::deliverable(self).first() {
            return Some(if crate::signal::state::restarts(self.proc, signo) {
                ERESTART
            } else {
                Errno::EINTR
            });
        }
        if self.suspended.get() || self.proc.sig.stopped.get() {
            return Some(ERESTART);
        }
        None
    }

    /// Makes the LWP look at its signals and requests before it next runs application code.
    pub fn need_ast(&self) {
        if let Some(thread) = self.thread.get() {
            thread::set_ast(thread);
        }
    }

    /// As [`Lwp::need_ast`], and ends its sleep if that can be interrupted.
    pub fn interrupt(&self) {
        if let Some(thread) = self.thread.get() {
            thread::set_ast(thread);
            thread::interrupt(thread);
        }
    }

    /// Makes the calling thread the carrier of this LWP.
    pub fn attach(&'static self) {
        self.thread.set(Some(thread::current()));
        thread::set_word(core::ptr::from_ref(self).expose_provenance());
    }
}

/// The LWPs of a process.
pub struct LwpTable {
    inner: Giant<Table>,
    /// Woken when an LWP ends: _lwp_wait(2).
    pub exit_cv: CondVar,
}

struct Table {
    /// LWP `n` is in slot `n - 1`.
    slots: Vec<&'static Lwp>,
    /// The free slots, the longest free first: numbers are reused late.
    free: VecDeque<&'static Lwp>,
    /// How many LWPs live.
    live: usize,
}

impl LwpTable {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            inner: Giant::new(Table { slots: Vec::new(), free: VecDeque::new(), live: 0 }),
            exit_cv: CondVar::new(),
        }
    }

    /// Takes a slot for a new LWP of `proc`.
    ///
    /// # Errors
    /// EAGAIN if there are too many or no memory is left.
    pub fn alloc(&self, proc: &'static Proc) -> Result<&'static Lwp, Errno> {
        let mut table = self.inner.borrow_mut();
        if let Some(lwp) = table.free.pop_front() {
            lwp.reset();
            table.live += 1;
            return Ok(lwp);
        }
        if table.slots.len() >= LWPS_MAX {
            return Err(Errno::EAGAIN);
        }
        let lid = i32::try_from(table.slots.len() + 1).map_err(|_| Errno::EAGAIN)?;
        let count = table.slots.len() + 1;
        table.slots.try_reserve(1).map_err(|_| Errno::EAGAIN)?;
        // All of them may be free at one time, and giving one back must not take memory.
        let missing = count - table.free.len();
        table.free.try_reserve(missing).map_err(|_| Errno::EAGAIN)?;
        let lwp: &'static Lwp = Box::leak(Box::new(Lwp::new(lid, proc)));
        table.slots.push(lwp);
        table.live += 1;
        lwp.reset();
        Ok(lwp)
    }

    /// Makes a living LWP a zombie.
    pub fn bury(&self, lwp: &'static Lwp) {
        if lwp.state.replace(State::Zombie) == State::Live {
            self.inner.borrow_mut().live -= 1;
        }
    }

    /// Gives a slot back.
    pub fn free(&self, lwp: &'static Lwp) {
        self.bury(lwp);
        lwp.state.set(State::Free);
        lwp.thread.set(None);
        self.inner.borrow_mut().free.push_back(lwp);
    }

    /// The LWP with this number, living or zombie.
    #[inline]
    #[must_use]
    pub fn find(&self, lid: i32) -> Option<&'static Lwp> {
        let index = usize::try_from(lid).ok()?.checked_sub(1)?;
        let lwp = *self.inner.borrow().slots.get(index)?;
        (lwp.state.get() != State::Free).then_some(lwp)
    }

    /// The living LWP with this number.
    #[inline]
    #[must_use]
    pub fn find_live(&self, lid: i32) -> Option<&'static Lwp> {
        self.find(lid).filter(|lwp| lwp.state.get() == State::Live)
    }

    /// The first LWP, living or zombie, that `f` accepts, in the order of numbers.
    pub fn find_by(&self, mut f: impl FnMut(&'static Lwp) -> bool) -> Option<&'static Lwp> {
        self.inner.borrow().slots.iter().copied().find(|lwp| lwp.state.get() != State::Free && f(lwp))
    }

    /// How many LWPs live.
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.inner.borrow().live
    }
}

impl Default for LwpTable {
    fn default() -> Self {
        Self::new()
    }
}

/// The calling LWP.
///
/// # Panics
/// In a kernel thread and in a callout, which belong to no LWP: see [`curlwp_opt`].
#[inline]
#[must_use]
#[track_caller]
pub fn curlwp() -> &'static Lwp {
    curlwp_opt().expect("called by an LWP")
}

/// The calling LWP; `None` in a thread of the kernel's own. In a callout it is whichever was interrupted.
#[inline]
#[must_use]
pub fn curlwp_opt() -> Option<&'static Lwp> {
    let word = thread::word();
    // SAFETY: the word is 0 or what `attach` put there: the address of an `Lwp` that is never freed.
    unsafe { core::ptr::with_exposed_provenance::<Lwp>(word).as_ref() }
}

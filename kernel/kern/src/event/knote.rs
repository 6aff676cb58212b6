//! Knotes (struct knote of NetBSD): what a kqueue watches, and what that has seen.

use alloc::rc::{Rc, Weak};
use core::cell::{Cell, RefCell};

use rump_abi::event::*;
use rump_abi::types::Kevent;

use super::KQueue;
use super::timer::Timer;
use crate::errno::Errno;
use crate::file::{FileRef, Filter};
use crate::filedesc::{FdWatcher, getfile};
use crate::proc::proc0;
use crate::selinfo::{SelInfo, Watcher};
use crate::signal::{NSIG, is_signal};

/// What is watched.
enum Source {
    /// An open file.
    File(FileRef, Filter),
    /// The clock.
    Timer(Timer),
    /// A signal that is sent to the process.
    Signal(i32),
    /// The application itself says when. True once it has.
    User(Cell<bool>),
    /// The process: it is the program, whose end nobody sees.
    Proc,
}

/// What becomes of a knote whose event was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handed {
    /// It stays active until it is found not to be.
    Stays,
    /// It waits for the next event, or to be enabled.
    Waits,
    /// It ends.
    Ends,
}

/// The signals that are sent to the process: [`signal_sent`] tells.
static SIGNALS: SelInfo = SelInfo::new();

/// A registration.
pub struct Knote {
    this: Weak<Self>,
    kq: Weak<KQueue>,
    filter: u32,
    ident: u64,
    source: Source,
    /// EV_ flags as registered.
    flags: Cell<u32>,
    udata: Cell<usize>,
    ext: Cell<[u64; 4]>,
    /// `fflags` and `data` as registered.
    asked: Cell<(u32, i64)>,
    /// `fflags` and `data` as seen.
    seen: Cell<(u32, i64)>,
    /// EV_EOF as seen.
    eof: Cell<bool>,
    active: Cell<bool>,
    queued: Cell<bool>,
    disabled: Cell<bool>,
    detached: RefCell<bool>,
}

/// Tells the knotes that watch signals. Called for each signal sent to the process or to one of its LWPs, ignored ones too.
pub fn signal_sent(signo: i32) {
    // Not negative.
    SIGNALS.notify(signo as u32);
}

fn source(change: &Kevent) -> Result<Source, Errno> {
    let file = |filter| {
        let fd = i32::try_from(change.ident).map_err(|_| Errno::EBADF)?;
        let file = getfile(fd)?;
        // Refuses what the file does not have.
        file.ops.filter(&file.head, filter)?;
        Ok(Source::File(file, filter))
    };
    match change.filter {
        EVFILT_READ => file(Filter::Read),
        EVFILT_WRITE => file(Filter::Write),
        EVFILT_VNODE => file(Filter::Vnode),
        EVFILT_EMPTY => file(Filter::Empty),
        EVFILT_TIMER => Ok(Source::Timer(Timer::new())),
        EVFILT_SIGNAL => {
            let signo = i32::try_from(change.ident).ok().filter(|&signo| signo < NSIG && is_signal(signo));
            signo.map(Source::Signal).ok_or(Errno::EINVAL)
        }
        EVFILT_USER => Ok(Source::User(Cell::new(false))),
        EVFILT_PROC => {
            let own = proc0().is_some_and(|proc| u64::try_from(proc.pid) == Ok(change.ident));
            if own { Ok(Source::Proc) } else { Err(Errno::ESRCH) }
        }
        _ => Err(Errno::EINVAL),
    }
}

impl Knote {
    /// A knote for what a change asks.
    ///
    /// # Errors
    /// EINVAL, EBADF, ESRCH: there is no such thing to watch.
    pub(super) fn new(kq: &Rc<KQueue>, change: &Kevent) -> Result<Rc<Self>, Errno> {
        let source = source(change)?;
        if let Source::File(file, _) = &source {
            // A kqueue that watches itself would never come to an end.
            let itself = file.ops.as_any().downcast_ref::<super::KQueueFile>();
            if itself.is_some_and(|other| Rc::ptr_eq(&other.0, kq)) {
                return Err(Errno::EINVAL);
            }
        }
        // What has happened once and is over is cleared when it is handed out.
        let momentary = matches!(source, Source::Timer(_) | Source::Signal(_) | Source::Proc);
        let clear = if momentary { EV_CLEAR } else { 0 };
        let knote = Rc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            kq: Rc::downgrade(kq),
            filter: change.filter,
            ident: change.ident,
            source,
            flags: Cell::new(change.flags & !EV_SYSFLAGS | clear),
            udata: Cell::new(change.udata),
            ext: Cell::new(change.ext),
            asked: Cell::new((change.fflags, change.data)),
            seen: Cell::new((0, 0)),
            eof: Cell::new(false),
            active: Cell::new(false),
            queued: Cell::new(false),
            disabled: Cell::new(false),
            detached: RefCell::new(false),
        });
        if let Source::User(_) = knote.source {
            knote.user_change(change);
        }
        Ok(knote)
    }

    /// EVFILT_ number.
    pub(super) fn filter(&self) -> u32 {
        self.filter
    }

    /// Which file, signal or timer.
    pub(super) fn ident(&self) -> u64 {
        self.ident
    }

    fn selinfo(&self) -> Option<&SelInfo> {
        match &self.source {
            Source::File(file, filter) => file.ops.selinfo(*filter),
            Source::Signal(_) => Some(&SIGNALS),
            Source::Timer(_) | Source::User(_) | Source::Proc => None,
        }
    }

    /// Begins to watch.
    ///
    /// # Errors
    /// ENOMEM, EBADF; EINVAL for a timer's time.
    pub(super) fn attach(&self) -> Result<(), Errno> {
        let this = self.this.upgrade().ok_or(Errno::EINVAL)?;
        if let Source::Timer(timer) = &self.source {
            return self.arm(timer);
        }
        if let Some(selinfo) = self.selinfo() {
            selinfo.record(Rc::<Self>::clone(&this))?;
        }
        if let Source::File(..) = self.source
            && let Some(proc) = proc0()
        {
            // The identifier was a descriptor a moment ago.
            let watched = proc.fd.watch(self.ident as i32, Rc::<Self>::clone(&this));
            return watched.inspect_err(|_| self.detach());
        }
        Ok(())
    }

    fn arm(&self, timer: &Timer) -> Result<(), Errno> {
        let (fflags, data) = self.asked.get();
        if fflags & NOTE_ABSTIME != 0 {
            self.flags.set(self.flags.get() | EV_ONESHOT);
        }
        timer.arm(&self.this, fflags, data, self.flags.get() & EV_ONESHOT != 0)
    }

    /// Ends watching.
    pub(super) fn detach(&self) {
        if self.detached.replace(true) {
            return;
        }
        let Some(this) = self.this.upgrade() else { return };
        if let Source::Timer(timer) = &self.source {
            timer.disarm();
        }
        if let Some(selinfo) = self.selinfo() {
            let watcher: Rc<dyn Watcher> = Rc::<Self>::clone(&this);
            selinfo.remove(&watcher);
        }
        if let Source::File(..) = self.source
            && let Some(proc) = proc0()
        {
            proc.fd.unwatch(self.ident as i32, Rc::as_ptr(&this).cast());
        }
    }

    /// EVFILT_USER: what a change does to `fflags`, and whether it sets the event off.
    fn user_change(&self, change: &Kevent) {
        let Source::User(triggered) = &self.source else { return };
        let (old, _) = self.asked.get();
        let new = change.fflags & NOTE_FFLAGSMASK;
        let flags = match change.fflags & NOTE_FFCTRLMASK {
            NOTE_FFAND => old & new,
            NOTE_FFOR => old | new,
            NOTE_FFCOPY => new,
            _ => old & NOTE_FFLAGSMASK,
        };
        self.asked.set((flags & NOTE_FFLAGSMASK, change.data));
        if change.fflags & NOTE_TRIGGER != 0 {
            triggered.set(true);
        }
    }

    /// A change of what is registered already.
    ///
    /// # Errors
    /// EINVAL for a timer's time.
    pub(super) fn touch(&self, change: &Kevent) -> Result<(), Errno> {
        self.udata.set(change.udata);
        self.ext.set(change.ext);
        if let Source::User(_) = self.source {
            if change.flags & EV_ADD != 0 {
                self.flags.set(change.flags & !EV_SYSFLAGS);
            }
            self.user_change(change);
            return Ok(());
        }
        self.asked.set((change.fflags, change.data));
        if let Source::Timer(timer) = &self.source {
            self.seen.set((0, 0));
            return self.arm(timer);
        }
        Ok(())
    }

    /// Events are kept, and not handed out. The caller takes the knote off the list.
    pub(super) fn disable(&self) {
        self.disabled.set(true);
        self.queued.set(false);
    }

    /// Events are handed out again.
    pub(super) fn enable(&self) {
        self.disabled.set(false);
        if self.active.get() {
            self.enqueue();
        }
    }

    fn enqueue(&self) {
        if self.queued.get() || self.disabled.get() {
            return;
        }
        if let (Some(kq), Some(this)) = (self.kq.upgrade(), self.this.upgrade()) {
            self.queued.set(true);
            kq.enqueue(this);
        }
    }

    /// Looks at what is watched; goes on the list if that is an event.
    pub(super) fn poke(&self, hint: u32) {
        if self.is_event(hint) {
            self.active.set(true);
            self.enqueue();
        }
    }

    /// A timer has expired this many times more.
    pub(super) fn expired(&self, times: i64) {
        let (fflags, data) = self.seen.get();
        self.seen.set((fflags, data.saturating_add(times)));
        self.poke(0);
    }

    /// The timer, if it is one.
    pub(super) fn timer(&self) -> Option<&Timer> {
        match &self.source {
            Source::Timer(timer) => Some(timer),
            _ => None,
        }
    }

    fn is_event(&self, hint: u32) -> bool {
        let (asked, limit) = self.asked.get();
        let (fflags, data) = self.seen.get();
        match &self.source {
            Source::File(_, Filter::Vnode) => {
                self.seen.set((fflags | hint & asked, data));
                fflags | hint & asked != 0
            }
            Source::File(file, filter) => {
                let Ok(state) = file.ops.filter(&file.head, *filter) else { return false };
                self.seen.set((if state.eof { file.ops.filter_fflags() } else { 0 }, state.data));
                self.eof.set(state.eof);
                if asked & NOTE_LOWAT != 0 { state.eof || state.data >= limit } else { state.ready }
            }
            Source::Timer(_) => data > 0,
            Source::Signal(signo) => {
                if hint == signo.cast_unsigned() {
                    self.seen.set((fflags, data + 1));
                    return true;
                }
                data > 0
            }
            Source::User(triggered) => triggered.get(),
            Source::Proc => false,
        }
    }

    /// The knote was taken off the list: what it says, if it still has something to say, and what becomes of it.
    pub(super) fn hand_out(&self) -> Option<(Kevent, Handed)> {
        self.queued.set(false);
        if self.disabled.get() {
            return None;
        }
        if !self.is_event(0) {
            self.active.set(false);
            return None;
        }
        let flags = self.flags.get();
        let (fflags, data) = match &self.source {
            Source::User(_) => self.asked.get(),
            _ => self.seen.get(),
        };
        let event = Kevent {
            ident: self.ident,
            filter: self.filter,
            flags: flags | if self.eof.get() { EV_EOF } else { 0 },
            fflags,
            data,
            udata: self.udata.get(),
            ext: self.ext.get(),
            ..Kevent::ZERO
        };
        if flags & EV_ONESHOT != 0 {
            return Some((event, Handed::Ends));
        }
        if flags & EV_CLEAR != 0 {
            self.seen.set((0, 0));
            if let Source::User(triggered) = &self.source {
                triggered.set(false);
            }
            self.active.set(false);
        }
        if flags & EV_DISPATCH != 0 {
            self.disabled.set(true);
            self.active.set(false);
        }
        if flags & (EV_CLEAR | EV_DISPATCH) != 0 {
            return Some((event, Handed::Waits));
        }
        self.queued.set(true);
        Some((event, Handed::Stays))
    }
}

impl Watcher for Knote {
    fn notify(&self, hint: u32) {
        self.poke(hint);
    }
}

impl FdWatcher for Knote {
    fn fd_closed(&self) {
        if let Some(kq) = self.kq.upgrade() {
            kq.remove(self);
        }
    }
}

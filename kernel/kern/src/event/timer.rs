//! EVFILT_TIMER: a knote that the clock sets off, once or over and over.

use alloc::rc::Weak;
use alloc::vec::Vec;
use core::cell::Cell;

use rump_abi::event::{NOTE_ABSTIME, NOTE_MSECONDS, NOTE_NSECONDS, NOTE_SECONDS, NOTE_USECONDS};
use rump_hypercall::Giant;
use rump_hypercall::time::{self, Callout, NEVER};

use super::knote::Knote;
use crate::clock::{NS_PER_S, realtime_ns};
use crate::errno::Errno;

/// Shortest period: an application must not be able to keep the kernel busy.
const PERIOD_MIN_NS: u64 = 10_000;

/// The timers that are armed, by the number that their callouts know. A number is given out again once its callout has fired or was taken back.
struct Armed {
    knotes: Vec<Option<Weak<Knote>>>,
    free: Vec<usize>,
}

static ARMED: Giant<Armed> = Giant::new(Armed { knotes: Vec::new(), free: Vec::new() });

impl Armed {
    fn insert(&mut self, knote: &Weak<Knote>) -> usize {
        let knote = Some(Weak::clone(knote));
        if let Some(id) = self.free.pop()
            && let Some(slot) = self.knotes.get_mut(id)
        {
            *slot = knote;
            return id;
        }
        self.knotes.push(knote);
        self.knotes.len() - 1
    }

    fn remove(&mut self, id: usize) {
        if self.knotes.get_mut(id).and_then(Option::take).is_some() {
            self.free.push(id);
        }
    }
}

/// A timer.
#[derive(Default)]
pub struct Timer {
    armed: Cell<Option<(usize, Callout)>>,
    deadline_ns: Cell<u64>,
    /// 0: it expires once.
    period_ns: Cell<u64>,
}

impl Timer {
    /// A timer that is not armed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Arms the timer of `knote` as `fflags` and `data` say.
    ///
    /// # Errors
    /// EINVAL for a time that is none.
    pub fn arm(&self, knote: &Weak<Knote>, fflags: u32, data: i64, once: bool) -> Result<(), Errno> {
        const UNIT: u32 = 3;
        let amount = u64::try_from(data).map_err(|_| Errno::EINVAL)?;
        let unit_ns = match fflags & UNIT {
            NOTE_SECONDS => NS_PER_S,
            NOTE_USECONDS => 1_000,
            NOTE_NSECONDS => 1,
            NOTE_MSECONDS => 1_000_000,
            _ => return Err(Errno::EINVAL),
        };
        let ns = amount.saturating_mul(unit_ns);
        let now = time::monotonic_ns();
        let wait_ns = if fflags & NOTE_ABSTIME != 0 { ns.saturating_sub(realtime_ns()) } else { ns };
        self.disarm();
        self.deadline_ns.set(now.saturating_add(wait_ns).min(NEVER - 1));
        self.period_ns.set(if once { 0 } else { ns.max(PERIOD_MIN_NS) });
        let id = ARMED.borrow_mut().insert(knote);
        self.schedule(id);
        Ok(())
    }

    fn schedule(&self, id: usize) {
        self.armed.set(Some((id, time::callout(self.deadline_ns.get(), expire, id))));
    }

    /// Disarms it.
    pub fn disarm(&self) {
        if let Some((id, callout)) = self.armed.take() {
            time::callout_cancel(callout);
            ARMED.borrow_mut().remove(id);
        }
    }

    /// It has expired: how many times, since the callout may be late.
    fn expired(&self, id: usize) -> i64 {
        let period = self.period_ns.get();
        if period == 0 {
            self.armed.set(None);
            ARMED.borrow_mut().remove(id);
            return 1;
        }
        let deadline = self.deadline_ns.get();
        let times = 1 + time::monotonic_ns().saturating_sub(deadline) / period;
        self.deadline_ns.set(deadline.saturating_add(times.saturating_mul(period)).min(NEVER - 1));
        self.schedule(id);
        times.cast_signed()
    }
}

/// The callout.
fn expire(id: usize) {
    let knote = ARMED.borrow().knotes.get(id).and_then(Option::as_ref).and_then(Weak::upgrade);
    if let Some(knote) = knote
        && let Some(timer) = knote.timer()
    {
        let times = timer.expired(id);
        knote.expired(times);
    }
}

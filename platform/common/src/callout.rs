//! Callouts and timeouts: one ordered map of deadlines, and the machine's one-shot timer set to the earliest.

use alloc::collections::BTreeMap;

use rump_hypercall::Giant;
use rump_hypercall::time::Callout;

use crate::machine;
use crate::sched::{self, Tcb};

/// What happens at a deadline.
#[derive(Clone, Copy)]
enum Event {
    /// A callout's function and argument.
    Call(fn(usize), usize),
    /// A waiting thread's time is up.
    Timeout(*mut Tcb),
}

struct Timers {
    /// By deadline and then by age. The sequence number makes the key unique.
    queue: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    /// What the machine's timer is set to.
    armed_ns: u64,
    /// The end of the running thread's time slice, if it has one.
    slice_ns: u64,
}

static TIMERS: Giant<Timers> =
    Giant::new(Timers { queue: BTreeMap::new(), sequence: 0, armed_ns: u64::MAX, slice_ns: u64::MAX });

impl Timers {
    fn insert(&mut self, deadline_ns: u64, event: Event) -> u64 {
        self.sequence += 1;
        self.queue.insert((deadline_ns, self.sequence), event);
        self.rearm();
        self.sequence
    }

    fn rearm(&mut self) {
        let first =
            self.queue.first_key_value().map_or(u64::MAX, |(&(deadline, _), _)| deadline).min(self.slice_ns);
        // A timer that fires too early is harmless and cheaper than setting it again: a sleep that is taken back leaves it as it is.
        if first < self.armed_ns {
            self.armed_ns = first;
            machine::set_timer(first);
        }
    }
}

#[unsafe(export_name = "rb_callout_schedule")]
fn callout_schedule(deadline_ns: u64, f: fn(usize), arg: usize) -> Callout {
    let id = TIMERS.borrow_mut().insert(deadline_ns, Event::Call(f, arg));
    Callout { deadline_ns, id }
}

#[unsafe(export_name = "rb_callout_cancel")]
fn callout_cancel(callout: Callout) -> bool {
    TIMERS.borrow_mut().queue.remove(&(callout.deadline_ns, callout.id)).is_some()
}

/// Wakes `thread` at `deadline_ns` with [`rump_hypercall::sync::Wake::TimedOut`]; returns the handle for [`timeout_cancel`].
pub(crate) fn timeout(deadline_ns: u64, thread: *mut Tcb) -> u64 {
    TIMERS.borrow_mut().insert(deadline_ns, Event::Timeout(thread))
}

/// Takes a timeout back.
pub(crate) fn timeout_cancel(deadline_ns: u64, handle: u64) {
    TIMERS.borrow_mut().queue.remove(&(deadline_ns, handle));
}

/// Ends the running thread's slice at `deadline_ns`; `u64::MAX` if it may run on.
pub(crate) fn set_slice(deadline_ns: u64) {
    let mut timers = TIMERS.borrow_mut();
    timers.slice_ns = deadline_ns;
    if deadline_ns != u64::MAX {
        timers.rearm();
    }
}

/// The machine's timer fired: runs everything that is due. Called with interrupts masked, in whatever thread was interrupted.
pub fn timer_interrupt() {
    TIMERS.borrow_mut().armed_ns = u64::MAX;
    loop {
        let now = machine::monotonic_ns();
        let event = {
            let mut timers = TIMERS.borrow_mut();
            match timers.queue.first_key_value() {
                Some((&key, &event)) if key.0 <= now => {
                    timers.queue.remove(&key);
                    event
                }
                _ => {
                    if timers.slice_ns <= now {
                        timers.slice_ns = u64::MAX;
                        sched::slice_ended();
                    }
                    timers.rearm();
                    return;
                }
            }
        };
        match event {
            Event::Call(f, arg) => f(arg),
            Event::Timeout(thread) => sched::timed_out(thread),
        }
    }
}

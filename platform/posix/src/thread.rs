//! Threads and waiting.

use std::any::Any;
use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{NonNull, null};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rump_hypercall::boot::Exit;
use rump_hypercall::sync::{CondVar, Interruptible, Wake};
use rump_hypercall::thread::{OutOfMemory, Thread};
use rump_hypercall::time::NEVER;
use rump_hypercall::user::Trapframe;

use crate::vcpu::Ticket;
use crate::{callout, vcpu};

/// A thread's state. Never freed, so that a handle stays valid.
pub(crate) struct State {
    /// Set by whoever wakes the thread, with a place in the line, so that threads run in the order in which they were woken.
    woken: Mutex<Option<(Wake, Ticket)>>,
    changed: Condvar,
    /// The rest is touched under the virtual CPU only.
    waits_on: Cell<*const CondVar>,
    interruptible: Cell<bool>,
    word: Cell<usize>,
    pub(crate) fsbase: Cell<usize>,
    started: Instant,
}

thread_local! {
    static CURRENT: Cell<*const State> = const { Cell::new(null()) };
}

/// How a thread of [`run_to_end`] ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The closure returned, or the thread called `thread::exit`.
    Returned,
    /// It would have entered application code with this frame.
    Entered(Box<Trapframe>),
    /// It would have ended the image.
    Ended(Exit),
}

/// Stops the calling thread with an outcome, by unwinding to its start.
pub(crate) fn stop(outcome: Outcome) -> ! {
    resume_unwind(Box::new(outcome))
}

fn adopt() -> &'static State {
    let state = Box::leak(Box::new(State {
        woken: Mutex::new(None),
        changed: Condvar::new(),
        waits_on: Cell::new(null()),
        interruptible: Cell::new(false),
        word: Cell::new(0),
        fsbase: Cell::new(0),
        started: Instant::now(),
    }));
    CURRENT.set(state);
    state
}

/// The calling thread's state; a thread of the callout service or of the host gets one when it first asks.
pub(crate) fn state() -> &'static State {
    let current = CURRENT.get();
    if current.is_null() {
        return adopt();
    }
    // SAFETY: states are leaked, so they live for ever.
    unsafe { &*current }
}

fn of(thread: Thread) -> &'static State {
    // SAFETY: handles are made from leaked states only.
    unsafe { thread.0.cast::<State>().as_ref() }
}

/// Runs `body` as a kernel thread: with the virtual CPU held, which it gives up when it returns.
fn as_thread(ticket: Ticket, body: impl FnOnce()) -> Result<Outcome, Box<dyn Any + Send>> {
    vcpu::wait_for(ticket);
    let result = catch_unwind(AssertUnwindSafe(body));
    vcpu::release();
    match result {
        Ok(()) => Ok(Outcome::Returned),
        Err(payload) => payload.downcast::<Outcome>().map(|outcome| *outcome),
    }
}

/// Runs `body` as a kernel thread of its own and waits for its end.
///
/// # Panics
/// With `body`'s panic; and if it did not return but entered application code or ended the image.
pub fn run(body: impl FnOnce() + Send) {
    assert_eq!(run_to_end(body), Outcome::Returned);
}

/// Runs `body` as a kernel thread of its own, waits for its end and says what that was.
///
/// # Panics
/// With `body`'s panic.
pub fn run_to_end(body: impl FnOnce() + Send) -> Outcome {
    std::thread::scope(|scope| {
        let handle = scope.spawn(|| {
            adopt();
            as_thread(vcpu::line_up(), body)
        });
        match handle.join() {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) | Err(panic) => resume_unwind(panic),
        }
    })
}

type Queue = VecDeque<*const State>;

/// Works on a condition variable's queue, which exists while somebody waits: its box hangs on the first word.
fn with_queue<R>(cv: &CondVar, work: impl FnOnce(&mut Queue) -> R) -> R {
    // SAFETY: the words belong to this file, the virtual CPU is held, and the first is null or a box made below.
    unsafe {
        let word = &mut (*cv.raw())[0];
        let mut queue: Box<Queue> = if word.is_null() { Box::default() } else { Box::from_raw(word.cast()) };
        let result = work(&mut queue);
        *word = if queue.is_empty() { std::ptr::null_mut() } else { Box::into_raw(queue).cast() };
        result
    }
}

fn wake_state(state: &State, why: Wake) {
    state.waits_on.set(null());
    *state.woken.lock().unwrap_or_else(PoisonError::into_inner) = Some((why, vcpu::line_up()));
    state.changed.notify_one();
}

fn leave_queue(state: &State) -> bool {
    let cv = state.waits_on.get();
    if cv.is_null() {
        return false;
    }
    // SAFETY: a condition variable lives while a thread waits on it.
    with_queue(unsafe { &*cv }, |queue| queue.retain(|&other| !std::ptr::eq(other, state)));
    true
}

#[unsafe(export_name = "rb_wait")]
fn wait(cv: &CondVar, deadline_ns: u64, interruptible: Interruptible) -> Wake {
    if deadline_ns != NEVER && deadline_ns <= callout::monotonic_ns() {
        return Wake::TimedOut;
    }
    let state = state();
    state.waits_on.set(cv);
    state.interruptible.set(interruptible == Interruptible::Yes);
    with_queue(cv, |queue| queue.push_back(state));
    vcpu::release();
    let mut woken = state.woken.lock().unwrap_or_else(PoisonError::into_inner);
    while woken.is_none() {
        if deadline_ns == NEVER {
            woken = state.changed.wait(woken).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let now = callout::monotonic_ns();
        if now >= deadline_ns {
            break;
        }
        let left = Duration::from_nanos(deadline_ns - now);
        woken = state.changed.wait_timeout(woken, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    let mut result = woken.take();
    drop(woken);
    if result.is_none() {
        vcpu::acquire();
        // Somebody may have woken it while it waited for the virtual CPU; then it has a place in the line and takes that.
        result = state.woken.lock().unwrap_or_else(PoisonError::into_inner).take();
        if result.is_none() {
            leave_queue(state);
            state.waits_on.set(null());
            return Wake::TimedOut;
        }
        vcpu::release();
    }
    result.map_or(Wake::TimedOut, |(why, ticket)| {
        vcpu::wait_for(ticket);
        why
    })
}

#[unsafe(export_name = "rb_wake")]
fn wake(cv: &CondVar, at_most: usize) -> usize {
    let mut count = 0;
    while count < at_most {
        let Some(first) = with_queue(cv, Queue::pop_front) else { break };
        // SAFETY: states live for ever.
        wake_state(unsafe { &*first }, Wake::Signaled);
        count += 1;
    }
    count
}

#[unsafe(export_name = "rb_thread_create")]
fn create(start: fn(usize) -> !, arg: usize) -> Result<Thread, OutOfMemory> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let ticket = vcpu::line_up();
    let body = move || {
        let _ = sender.send(state() as *const State as usize);
        // A panic in a thread that nobody joins must not pass unseen.
        if as_thread(ticket, || start(arg)).is_err() {
            std::process::abort();
        }
    };
    std::thread::Builder::new().spawn(body).map_err(|_| OutOfMemory)?;
    let state = receiver.recv().map_err(|_| OutOfMemory)?;
    NonNull::new(std::ptr::with_exposed_provenance_mut(state)).map(Thread).ok_or(OutOfMemory)
}

#[unsafe(export_name = "rb_thread_exit")]
fn exit() -> ! {
    stop(Outcome::Returned)
}

#[unsafe(export_name = "rb_thread_current")]
fn current() -> Thread {
    Thread(NonNull::from(state()).cast())
}

#[unsafe(export_name = "rb_thread_word")]
fn word() -> usize {
    state().word.get()
}

#[unsafe(export_name = "rb_thread_set_word")]
fn set_word(word: usize) {
    state().word.set(word);
}

#[unsafe(export_name = "rb_thread_yield")]
fn yield_now() {
    vcpu::release();
    vcpu::acquire();
}

#[unsafe(export_name = "rb_thread_interrupt")]
fn interrupt(thread: Thread) -> bool {
    let state = of(thread);
    let ends = state.interruptible.get() && leave_queue(state);
    if ends {
        wake_state(state, Wake::Interrupted);
    }
    ends
}

#[unsafe(export_name = "rb_thread_set_ast")]
fn set_ast(_thread: Thread) {
    // No application code runs here, so nothing is ever about to return to it.
}

#[unsafe(export_name = "rb_thread_cpu_ns")]
fn cpu_ns(thread: Thread) -> u64 {
    u64::try_from(of(thread).started.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rump_hypercall::sync::{CondVar, Wake};
    use rump_hypercall::thread::{self, Thread};
    use rump_hypercall::{Giant, time};

    use super::*;

    #[test]
    fn wakes_in_order() {
        static CV: CondVar = CondVar::new();
        static ORDER: Giant<Vec<usize>> = Giant::new(Vec::new());
        static DONE: CondVar = CondVar::new();
        fn waiter(number: usize) -> ! {
            CV.wait();
            ORDER.borrow_mut().push(number);
            DONE.signal();
            thread::exit()
        }
        run(|| {
            for number in 0..3 {
                thread::create(waiter, number).unwrap();
                thread::yield_now();
            }
            assert_eq!(CV.broadcast(), 3);
            while ORDER.borrow().len() < 3 {
                DONE.wait();
            }
            assert!(!CV.has_waiters());
            assert_eq!(*ORDER.borrow(), [0, 1, 2]);
        });
    }

    #[test]
    fn a_deadline_ends_a_wait() {
        static CV: CondVar = CondVar::new();
        run(|| {
            let deadline = time::monotonic_ns() + 2_000_000;
            assert_eq!(CV.wait_until_sig(deadline), Wake::TimedOut);
            assert!(time::monotonic_ns() >= deadline);
            assert!(!CV.has_waiters());
        });
    }

    #[test]
    fn an_interrupt_ends_an_interruptible_wait_only() {
        static CV: CondVar = CondVar::new();
        static TARGET: Giant<Option<Thread>> = Giant::new(None);
        static RESULTS: Giant<Vec<Wake>> = Giant::new(Vec::new());
        static READY: CondVar = CondVar::new();
        fn waiter(_: usize) -> ! {
            TARGET.set(Some(thread::current()));
            let first = CV.wait_sig();
            RESULTS.borrow_mut().push(first);
            CV.wait();
            RESULTS.borrow_mut().push(Wake::Signaled);
            READY.signal();
            thread::exit()
        }
        run(|| {
            thread::create(waiter, 0).unwrap();
            while !CV.has_waiters() {
                thread::yield_now();
            }
            let target = TARGET.get().unwrap();
            assert!(thread::interrupt(target));
            while RESULTS.borrow().is_empty() || !CV.has_waiters() {
                thread::yield_now();
            }
            assert!(!thread::interrupt(target));
            assert!(CV.signal());
            READY.wait();
            assert_eq!(*RESULTS.borrow(), [Wake::Interrupted, Wake::Signaled]);
        });
    }

    #[test]
    fn callouts_run_and_can_be_taken_back() {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        static CV: CondVar = CondVar::new();
        fn fire(arg: usize) {
            COUNT.fetch_add(arg, Ordering::Relaxed);
            CV.signal();
        }
        run(|| {
            let never = time::callout(time::monotonic_ns() + 5_000_000, fire, 100);
            time::callout(time::monotonic_ns() + 1_000_000, fire, 1);
            CV.wait();
            assert!(time::callout_cancel(never));
            assert!(!time::callout_cancel(never));
            let cv = CondVar::new();
            cv.wait_until(time::monotonic_ns() + 8_000_000);
            assert_eq!(COUNT.load(Ordering::Relaxed), 1);
        });
    }
}

//! Running a test's closure as a kernel thread.
//!
//! One run at a time: tests of one process share the kernel's state, so they take turns.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rump_hypercall::boot::Exit;
use rump_hypercall::user::Trapframe;

use crate::{callout, thread, vcpu};

/// How a thread of [`run_to_end`] ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The closure returned, or the thread called `thread::exit`.
    Returned,
    /// It would have entered application code with this frame.
    Entered(Box<Trapframe>),
    /// It, or another thread meanwhile, would have ended the image.
    Ended(Exit),
}

type Panic = Box<dyn Any + Send>;
type Message = Result<Outcome, Panic>;

/// Held for the time of a run.
static TURN: Mutex<()> = Mutex::new(());

/// Where the current run is to be told its end.
struct Current {
    sender: Option<Sender<Message>>,
    /// A panic that found no run to be told to.
    untold: Option<Panic>,
}

static CURRENT: Mutex<Current> = Mutex::new(Current { sender: None, untold: None });

fn current() -> MutexGuard<'static, Current> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the current run how it ended; the first word counts.
fn tell(message: Message) {
    let mut current = current();
    match (current.sender.take(), message) {
        (Some(sender), message) => drop(sender.send(message)),
        (None, Err(panic)) => current.untold = Some(panic),
        (None, Ok(_)) => {}
    }
}

/// A kernel thread or callout panicked, with the virtual CPU held: the kernel threads that there are execute nothing any more, and the run
/// panics.
pub(crate) fn panicked(panic: Panic) {
    thread::condemn_all();
    callout::forget_all();
    tell(Err(panic));
}

/// Ends the calling thread with an outcome. Nothing on its stack is dropped.
pub(crate) fn stop(outcome: Outcome) -> ! {
    let image_ends = matches!(outcome, Outcome::Ended(_));
    if image_ends {
        thread::condemn_all();
        callout::forget_all();
    }
    if image_ends || thread::state().is_run {
        tell(Ok(outcome));
    }
    thread::leave()
}

/// Runs `body` as a kernel thread of its own and waits for its end.
///
/// # Panics
/// With `body`'s panic or that of another kernel thread; and if `body` did not return but entered application code or ended the image.
#[track_caller]
pub fn run(body: impl FnOnce() + Send) {
    assert_eq!(run_to_end(body), Outcome::Returned);
}

/// Runs `body` as a kernel thread of its own, waits for its end and says what that was.
///
/// # Panics
/// With `body`'s panic or that of another kernel thread; and if it is called in a kernel thread.
#[track_caller]
pub fn run_to_end(body: impl FnOnce() + Send) -> Outcome {
    assert!(!thread::is_kernel_thread(), "a kernel thread cannot start a run of its own");
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (sender, receiver) = channel();
    let untold = {
        let mut current = current();
        current.sender = Some(sender);
        current.untold.take()
    };
    if let Some(panic) = untold {
        drop(turn);
        resume_unwind(panic);
    }
    let body: Box<dyn FnOnce() + Send + '_> = Box::new(body);
    // SAFETY: what the closure borrows outlives its use, for this function returns only after a message, and:
    // 1. after `Returned` or the closure's own panic, the closure has been consumed;
    // 2. after another outcome of its own thread, that thread executes nothing any more and drops nothing;
    // 3. after a panic or the image's end in another thread, the closure's thread is condemned: it does not hold the virtual CPU at that moment, and
    //    ends as soon as it gets it, before it executes anything of the closure.
    let body: Box<dyn FnOnce() + Send + 'static> = unsafe { std::mem::transmute(body) };
    let spawned = std::thread::Builder::new().name("run".into()).spawn(move || {
        thread::adopt(true);
        thread::resume(vcpu::line_up());
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(()) => tell(Ok(Outcome::Returned)),
            Err(panic) => panicked(panic),
        }
        thread::pause();
    });
    spawned.expect("the host has no thread to give");
    let message = receiver.recv();
    drop(turn);
    match message {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => unreachable!("the sender is dropped only after a message"),
    }
}

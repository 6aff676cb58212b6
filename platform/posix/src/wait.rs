//! Waiting and waking (hypercall `sync`).

use std::collections::VecDeque;
use std::ptr::null;
use std::sync::PoisonError;
use std::time::Duration;

use rump_hypercall::sync::{CondVar, Interruptible, Wake};
use rump_hypercall::thread::Thread;
use rump_hypercall::time::NEVER;

use crate::thread::{State, is_condemned, of, pause, resume, state};
use crate::{callout, vcpu};

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
    pause();
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
        resume(vcpu::line_up());
        // Somebody may have woken it while it waited for the virtual CPU; then it has a place in the line and takes that.
        result = state.woken.lock().unwrap_or_else(PoisonError::into_inner).take();
        if result.is_none() {
            leave_queue(state);
            state.waits_on.set(null());
            return Wake::TimedOut;
        }
        pause();
    }
    result.map_or(Wake::TimedOut, |(why, ticket)| {
        resume(ticket);
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

#[unsafe(export_name = "rb_thread_interrupt")]
fn interrupt(thread: Thread) -> bool {
    let state = of(thread);
    let ends = !is_condemned(state) && state.interruptible.get() && leave_queue(state);
    if ends {
        wake_state(state, Wake::Interrupted);
    }
    ends
}

#[cfg(test)]
mod tests {
    use rump_hypercall::sync::{CondVar, Wake};
    use rump_hypercall::thread::{self, Thread};
    use rump_hypercall::{Giant, time};

    use crate::run;

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
            for number in 0..4 {
                thread::create(waiter, number).unwrap();
                thread::yield_now();
            }
            assert!(CV.signal());
            assert_eq!(CV.broadcast(), 3);
            while ORDER.borrow().len() < 4 {
                DONE.wait();
            }
            assert!(!CV.has_waiters());
            assert!(!CV.signal());
            assert_eq!(*ORDER.borrow(), [0, 1, 2, 3]);
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
            assert_eq!(CV.wait_until(deadline), Wake::TimedOut);
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
}

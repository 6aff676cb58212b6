//! Threads (hypercall `thread`).

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null, null_mut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex};

use rump_hypercall::sync::{CondVar, Wake};
use rump_hypercall::thread::{Foreign, OutOfMemory, Thread};
use rump_hypercall::user::Trapframe;

use crate::vcpu::Ticket;
use crate::{callout, run, user, vcpu};

/// A thread's state. Never freed, so that a handle stays valid and a stale one is noticed.
pub(crate) struct State {
    /// Set by whoever wakes the thread, with a place in the line, so that threads run in the order in which they were woken.
    pub(crate) woken: Mutex<Option<(Wake, Ticket)>>,
    pub(crate) changed: Condvar,
    /// It is the thread of a run, not one that a component made.
    pub(crate) is_run: bool,
    /// The kernel's life in which it was made.
    life: u64,
    /// The rest is touched under the virtual CPU only.
    pub(crate) waits_on: Cell<*const CondVar>,
    pub(crate) interruptible: Cell<bool>,
    ended: Cell<bool>,
    word: Cell<usize>,
    foreign: Cell<Foreign>,
    pub(crate) ast: Cell<bool>,
    /// Time with the virtual CPU before the present turn, and the turn's beginning.
    used_ns: Cell<u64>,
    turn_ns: Cell<u64>,
    pub(crate) frame: Cell<*mut Trapframe>,
    pub(crate) fsbase: Cell<usize>,
    pub(crate) fpu: RefCell<[u8; user::FPU_SIZE]>,
}

/// Counts the kernel's lives: a panic or the image's end condemns the threads of the present one. Changed under the virtual CPU only.
static LIFE: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static CURRENT: Cell<*const State> = const { Cell::new(null()) };
}

/// Makes the calling host thread a kernel thread.
pub(crate) fn adopt(is_run: bool) -> &'static State {
    let state = Box::leak(Box::new(State {
        woken: Mutex::new(None),
        changed: Condvar::new(),
        is_run,
        life: LIFE.load(Ordering::Relaxed),
        waits_on: Cell::new(null()),
        interruptible: Cell::new(false),
        ended: Cell::new(false),
        word: Cell::new(0),
        foreign: Cell::new(Foreign::default()),
        ast: Cell::new(false),
        used_ns: Cell::new(0),
        turn_ns: Cell::new(callout::monotonic_ns()),
        frame: Cell::new(null_mut()),
        fsbase: Cell::new(0),
        fpu: RefCell::new(user::FPU_INITIAL),
    }));
    CURRENT.set(state);
    state
}

/// Whether the calling host thread is a kernel thread.
pub(crate) fn is_kernel_thread() -> bool {
    !CURRENT.get().is_null()
}

/// The calling thread's state; a thread of the host gets one when it first asks.
pub(crate) fn state() -> &'static State {
    let current = CURRENT.get();
    if current.is_null() {
        return adopt(false);
    }
    // SAFETY: states are leaked, so they live for ever.
    unsafe { &*current }
}

pub(crate) fn of(thread: Thread) -> &'static State {
    // SAFETY: handles are made from leaked states only.
    let state = unsafe { thread.0.cast::<State>().as_ref() };
    assert!(!state.ended.get(), "the handle of a thread that has ended");
    state
}

/// Whether the thread's life is over.
pub(crate) fn is_condemned(state: &State) -> bool {
    state.life != LIFE.load(Ordering::Relaxed)
}

/// Makes every thread that there is end before it executes anything more, the calling one excepted as long as it keeps the virtual CPU.
pub(crate) fn condemn_all() {
    LIFE.fetch_add(1, Ordering::Relaxed);
}

/// Waits for the virtual CPU. A condemned thread does not come back from here.
pub(crate) fn resume(ticket: Ticket) {
    vcpu::wait_for(ticket);
    if is_condemned(state()) {
        leave();
    }
    state().turn_ns.set(callout::monotonic_ns());
}

/// Gives the virtual CPU up.
pub(crate) fn pause() {
    let state = state();
    state.used_ns.set(state.used_ns.get() + callout::monotonic_ns().saturating_sub(state.turn_ns.get()));
    vcpu::release();
}

/// Runs `call` without the virtual CPU: a call of the host that may wait.
pub fn outside<R>(call: impl FnOnce() -> R) -> R {
    pause();
    let result = call();
    resume(vcpu::line_up());
    result
}

/// Ends the calling host thread where it is.
fn end_host_thread() -> ! {
    // SAFETY: exit(2) ends the calling thread alone. Nothing that other threads use lies on its stack: a kernel thread that ends has handed over
    // or left whatever it shared (contract of `thread::exit`), and the host's stack stays mapped.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
    unreachable!("exit(2) returned")
}

/// Ends the calling thread and gives the virtual CPU up.
pub(crate) fn leave() -> ! {
    state().ended.set(true);
    pause();
    end_host_thread()
}

#[unsafe(export_name = "rb_thread_create")]
fn create(start: fn(usize) -> !, arg: usize) -> Result<Thread, OutOfMemory> {
    let (to_parent, from_child) = channel();
    let (to_child, from_parent) = channel();
    let body = move || {
        let _ = to_parent.send(std::ptr::from_ref(adopt(false)).expose_provenance());
        let Ok(ticket) = from_parent.recv() else { return };
        resume(ticket);
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| start(arg)));
        run::panicked(panic);
        leave();
    };
    std::thread::Builder::new().name("kernel thread".into()).spawn(body).map_err(|_| OutOfMemory)?;
    let state = from_child.recv().map_err(|_| OutOfMemory)?;
    to_child.send(vcpu::line_up()).expect("the new thread waits for it");
    NonNull::new(std::ptr::with_exposed_provenance_mut(state)).map(Thread).ok_or(OutOfMemory)
}

#[unsafe(export_name = "rb_thread_exit")]
fn exit() -> ! {
    run::stop(run::Outcome::Returned)
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

#[unsafe(export_name = "rb_thread_foreign")]
fn foreign() -> Foreign {
    state().foreign.get()
}

#[unsafe(export_name = "rb_thread_set_foreign")]
fn set_foreign(foreign: Foreign) {
    state().foreign.set(foreign);
}

#[unsafe(export_name = "rb_thread_yield")]
fn yield_now() {
    let ticket = vcpu::line_up();
    pause();
    resume(ticket);
}

#[unsafe(export_name = "rb_thread_set_ast")]
fn set_ast(thread: Thread) {
    of(thread).ast.set(true);
}

#[unsafe(export_name = "rb_thread_cpu_ns")]
fn cpu_ns(thread: Thread) -> u64 {
    let of = of(thread);
    let turn =
        if std::ptr::eq(of, state()) { callout::monotonic_ns().saturating_sub(of.turn_ns.get()) } else { 0 };
    of.used_ns.get() + turn
}

#[cfg(test)]
mod tests {
    use rump_hypercall::thread::{self, Thread};
    use rump_hypercall::{Giant, time};

    use crate::run;

    #[test]
    fn threads_run_in_the_order_in_which_they_were_made() {
        static ORDER: Giant<Vec<usize>> = Giant::new(Vec::new());
        fn note(number: usize) -> ! {
            ORDER.borrow_mut().push(number);
            thread::exit()
        }
        run(|| {
            for number in 0..4 {
                thread::create(note, number).unwrap();
            }
            assert!(ORDER.borrow().is_empty());
            thread::yield_now();
            assert_eq!(*ORDER.borrow(), [0, 1, 2, 3]);
        });
    }

    #[test]
    fn each_thread_has_its_word() {
        static OTHER: Giant<Option<(Thread, usize)>> = Giant::new(None);
        fn other(arg: usize) -> ! {
            let before = thread::word();
            thread::set_word(arg);
            OTHER.set(Some((thread::current(), before)));
            thread::exit()
        }
        run(|| {
            thread::set_word(7);
            let made = thread::create(other, 9).unwrap();
            thread::yield_now();
            assert_eq!(OTHER.get(), Some((made, 0)));
            assert_eq!(thread::word(), 7);
        });
    }

    #[test]
    fn only_time_with_the_cpu_counts() {
        static CV: rump_hypercall::sync::CondVar = rump_hypercall::sync::CondVar::new();
        run(|| {
            CV.wait_until(time::monotonic_ns() + 20_000_000);
            assert!(thread::cpu_ns(thread::current()) < 15_000_000);
            let start = time::monotonic_ns();
            while time::monotonic_ns() < start + 2_000_000 {}
            assert!(thread::cpu_ns(thread::current()) >= 2_000_000);
        });
    }
}

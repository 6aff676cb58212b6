//! LWPs that wait for each other.

use core::sync::atomic::{AtomicI32, Ordering};

use rump_hypercall::thread;
use rump_hypercall::time;

use crate::copy::{copyin, copyout};
use crate::curproc;
use crate::errno::Errno;
use crate::futex::*;
use crate::lwp::{Lwp, curlwp};
use crate::lwp_park::*;
use crate::signal::number::{SIGALRM, SIGUSR1};
use crate::sys_lwp::*;
use crate::testing::{SCRATCH, kernel};
use crate::timer::*;

static PARENT: AtomicI32 = AtomicI32::new(0);
static RESULT: AtomicI32 = AtomicI32::new(0);

/// Starts a second LWP whose thread runs `body`.
fn spawn(body: fn(usize) -> !) -> &'static Lwp {
    PARENT.store(curlwp().lid, Ordering::Relaxed);
    RESULT.store(-1, Ordering::Relaxed);
    let proc = curproc();
    let lwp = proc.lwps.alloc(proc).unwrap();
    lwp.thread.set(Some(thread::create(body, lwp.lid as usize).unwrap()));
    lwp
}

fn attach(lid: usize) -> &'static Lwp {
    let lwp = crate::proc::proc0().unwrap().lwps.find(lid as i32).unwrap();
    lwp.attach();
    lwp
}

fn finish(errno: i32) -> ! {
    RESULT.store(errno, Ordering::Relaxed);
    exit_lwp(curlwp())
}

fn park(limit: usize) -> i32 {
    sys____lwp_park60(3, 0, limit as u64, 0, 0, 0).errno
}

fn parker(lid: usize) -> ! {
    attach(lid);
    finish(park(0))
}

fn join(lwp: &Lwp) -> i32 {
    assert_eq!(sys__lwp_wait(lwp.lid as u64, SCRATCH as u64, 0, 0, 0, 0).errno, 0);
    assert_eq!(copyin::<i32>(SCRATCH), Ok(lwp.lid));
    RESULT.load(Ordering::Relaxed)
}

#[test]
fn unpark_wakes_and_is_remembered() {
    kernel(|me| {
        let other = spawn(parker);
        thread::yield_now();
        assert!(other.parked.get());
        assert_eq!(sys__lwp_unpark(other.lid as u64, 0, 0, 0, 0, 0).errno, 0);
        assert_eq!(join(other), 0);
        // Before the park: the park ends at once.
        assert_eq!(sys__lwp_unpark(me.lid as u64, 0, 0, 0, 0, 0).errno, 0);
        assert_eq!(park(0), Errno::EALREADY.0);
        assert_eq!(sys__lwp_unpark(9999, 0, 0, 0, 0, 0).errno, Errno::ESRCH.0);
    });
}

#[test]
fn a_park_times_out() {
    kernel(|_| {
        copyout(&[0_u64, 2_000_000], SCRATCH + 64).unwrap();
        let before = time::monotonic_ns();
        assert_eq!(park(SCRATCH + 64), Errno::ETIMEDOUT.0);
        assert!(time::monotonic_ns() - before >= 2_000_000);
        assert_eq!(copyin::<[u64; 2]>(SCRATCH + 64), Ok([0, 0]), "nothing of the time is left");
    });
}

#[test]
fn a_signal_ends_a_park() {
    kernel(|_| {
        let other = spawn(parker);
        thread::yield_now();
        curproc().sig.actions.borrow_mut()[SIGUSR1 as usize].disposition =
            crate::signal::action::Disposition::Handler(1);
        assert_eq!(sys__lwp_kill(other.lid as u64, SIGUSR1 as u64, 0, 0, 0, 0).errno, 0);
        assert_eq!(join(other), Errno::EINTR.0);
    });
}

#[test]
fn lwp_wakeup_ends_a_park() {
    kernel(|_| {
        let other = spawn(parker);
        thread::yield_now();
        assert_eq!(sys__lwp_wakeup(other.lid as u64, 0, 0, 0, 0, 0).errno, 0);
        assert_eq!(join(other), Errno::EINTR.0);
    });
}

#[test]
fn numbers_are_reused_late_and_waits_are_checked() {
    kernel(|me| {
        let wait = |lid: i32| sys__lwp_wait(lid as u64, 0, 0, 0, 0, 0).errno;
        assert_eq!(wait(me.lid), Errno::EDEADLK.0);
        assert_eq!(wait(0), Errno::ESRCH.0, "there is nobody to wait for");
        assert_eq!(wait(12345), Errno::ESRCH.0);
        let other = spawn(|lid| {
            attach(lid);
            finish(7)
        });
        assert_eq!(sys__lwp_detach(other.lid as u64, 0, 0, 0, 0, 0).errno, 0);
        assert_eq!(wait(other.lid), Errno::EINVAL.0);
        thread::yield_now();
        assert_eq!(wait(other.lid), Errno::ESRCH.0, "a detached LWP leaves nothing behind");
    });
}

#[test]
fn futex_waits_wake_and_requeue() {
    kernel(|_| {
        let word = SCRATCH + 256;
        copyout(&5_u32, word).unwrap();
        let call = |addr: usize, op: i32, value: i32, addr2: usize, value2: i32| {
            sys___futex(addr as u64, op as u64, value as u64, 0, addr2 as u64, value2 as u64)
        };
        assert_eq!(call(word, 0, 4, 0, 0).errno, Errno::EAGAIN.0);
        assert_eq!(call(word + 1, 0, 5, 0, 0).errno, Errno::EINVAL.0);
        let other = spawn(|lid| {
            attach(lid);
            finish(sys___futex(SCRATCH as u64 + 256, 0, 5, 0, 0, 0).errno)
        });
        thread::yield_now();
        assert_eq!(call(word, 3, 0, word + 4, 1).value, 1, "moved to the other word");
        assert_eq!(call(word, 1, 1, 0, 0).value, 0);
        assert_eq!(call(word + 4, 1, 1, 0, 0).value, 1);
        assert_eq!(join(other), 0);
    });
}

#[test]
fn an_interval_timer_signals() {
    kernel(|lwp| {
        curproc().sig.actions.borrow_mut()[SIGALRM as usize].disposition =
            crate::signal::action::Disposition::Handler(1);
        copyout(&[0_u64, 0, 0, 2000], SCRATCH + 64).unwrap();
        let set = |addr: usize| sys___setitimer50(0, addr as u64, SCRATCH as u64 + 128, 0, 0, 0).errno;
        assert_eq!(set(SCRATCH + 64), 0);
        assert_eq!(park(0), Errno::EINTR.0);
        assert_eq!(lwp.interruption(), Some(Errno::EINTR));
        assert_eq!(copyin::<[u64; 4]>(SCRATCH + 128), Ok([0, 0, 0, 0]), "none was set before");
        copyout(&[u64::MAX; 4], SCRATCH + 64).unwrap();
        assert_eq!(set(SCRATCH + 64), Errno::EINVAL.0);
    });
}

#[test]
fn timers_are_checked_and_run_out() {
    kernel(|_| {
        let create = |event: usize| sys_timer_create(3, event as u64, SCRATCH as u64, 0, 0, 0).errno;
        let mut made = 0;
        while create(0) == 0 {
            made += 1;
        }
        assert_eq!(made, 36);
        for id in 0..36 {
            assert_eq!(sys_timer_delete(id, 0, 0, 0, 0, 0).errno, 0);
        }
        assert_eq!(sys_timer_delete(0, 0, 0, 0, 0, 0).errno, Errno::EINVAL.0);
        assert_eq!(sys_timer_delete(39, 0, 0, 0, 0, 0).errno, Errno::EINVAL.0);
        assert_eq!(create(8), Errno::EFAULT.0);
    });
}

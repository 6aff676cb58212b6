//! mutex(9) and rwlock(9) of the hypercall crate: exclusion over waits, order, upgrade and downgrade.

use rump_hypercall::Giant;
use rump_hypercall::lock::{Hold, Mutex, RwLock};
use rump_hypercall::sync::CondVar;
use rump_hypercall::{thread, time};
use rumpbake_posix::run;

static DONE: CondVar = CondVar::new();
static LOG: Giant<Vec<&str>> = Giant::new(Vec::new());

fn say(word: &'static str) {
    LOG.borrow_mut().push(word);
    DONE.broadcast();
}

fn until(count: usize) {
    while LOG.borrow().len() < count {
        DONE.wait();
    }
}

fn pause() {
    CondVar::new().wait_until(time::monotonic_ns() + 1_000_000);
}

#[test]
fn a_mutex_excludes_over_a_wait_and_hands_over_in_order() {
    static MUTEX: Mutex = Mutex::new();
    static INSIDE: Giant<usize> = Giant::new(0);
    static ORDER: Giant<Vec<usize>> = Giant::new(Vec::new());
    fn worker(number: usize) -> ! {
        MUTEX.enter();
        assert_eq!(INSIDE.get(), 0);
        INSIDE.set(1);
        pause();
        INSIDE.set(0);
        ORDER.borrow_mut().push(number);
        MUTEX.exit();
        DONE.broadcast();
        thread::exit()
    }
    run(|| {
        assert!(MUTEX.try_enter() && MUTEX.is_owned() && !MUTEX.try_enter());
        for number in 0..4 {
            thread::create(worker, number).unwrap();
        }
        pause();
        MUTEX.exit();
        while ORDER.borrow().len() < 4 {
            DONE.wait();
        }
        assert_eq!(*ORDER.borrow(), [0, 1, 2, 3]);
        assert!(!MUTEX.is_owned() && MUTEX.try_enter());
        MUTEX.exit();
    });
}

#[test]
fn a_read_write_lock_lets_readers_share_and_writers_alone() {
    static LOCK: RwLock = RwLock::new();
    fn writer(_: usize) -> ! {
        LOCK.enter(Hold::Writer);
        say("writer");
        pause();
        LOCK.exit();
        thread::exit()
    }
    fn reader(_: usize) -> ! {
        LOCK.enter(Hold::Reader);
        say("reader");
        LOCK.exit();
        thread::exit()
    }
    run(|| {
        LOG.borrow_mut().clear();
        LOCK.enter(Hold::Reader);
        assert!(LOCK.try_enter(Hold::Reader) && !LOCK.try_enter(Hold::Writer) && !LOCK.try_upgrade());
        LOCK.exit();
        assert!(LOCK.try_upgrade() && LOCK.is_held(Hold::Writer) && !LOCK.try_enter(Hold::Reader));
        LOCK.downgrade();
        assert!(!LOCK.is_held(Hold::Writer) && LOCK.is_held(Hold::Reader));
        thread::create(writer, 0).unwrap();
        pause();
        // A waiting writer comes before readers that arrive later.
        thread::create(reader, 0).unwrap();
        pause();
        assert!(LOG.borrow().is_empty());
        LOCK.exit();
        until(2);
        assert_eq!(*LOG.borrow(), ["writer", "reader"]);
    });
}

//! Locks that are held across waits: mutex(9) and rwlock(9).
//!
//! The virtual CPU already keeps component code apart between two waits; a lock is for state that must stay put over one (a vnode during I/O). Both hand over
//! in the order of arrival and never spin. They keep who holds them, as rumpuser(3) asks of its platform's locks. They may be
//! used by kernel threads only, not by callouts.

use core::cell::Cell;

use crate::sync::CondVar;
use crate::thread::{self, Thread};

/// A mutual exclusion lock, mutex(9).
pub struct Mutex {
    owner: Cell<Option<Thread>>,
    /// Threads that were woken or wait: whoever comes later queues behind them.
    line: Cell<usize>,
    released: CondVar,
}

// SAFETY: the cells are touched by component code only, which holds the one virtual CPU.
unsafe impl Sync for Mutex {}
// SAFETY: as above.
unsafe impl Send for Mutex {}

impl Default for Mutex {
    fn default() -> Self {
        Self::new()
    }
}

impl Mutex {
    /// A free mutex.
    pub const fn new() -> Self {
        Self { owner: Cell::new(None), line: Cell::new(0), released: CondVar::new() }
    }

    /// mutex_enter(9): waits until the mutex is this thread's.
    ///
    /// # Panics
    /// If the thread holds it already.
    pub fn enter(&self) {
        let me = thread::current();
        assert!(self.owner.get() != Some(me), "a mutex was entered by the thread that holds it");
        if self.owner.get().is_some() || self.line.get() > 0 {
            self.line.set(self.line.get() + 1);
            // While somebody is in the line, newcomers queue: nobody slips in between `exit` and the thread that it wakes.
            self.released.wait();
            self.line.set(self.line.get() - 1);
        }
        self.owner.set(Some(me));
    }

    /// mutex_tryenter(9): false if it would have to wait.
    pub fn try_enter(&self) -> bool {
        let free = self.owner.get().is_none() && self.line.get() == 0;
        if free {
            self.owner.set(Some(thread::current()));
        }
        free
    }

    /// mutex_exit(9).
    ///
    /// # Panics
    /// If the thread does not hold it.
    pub fn exit(&self) {
        assert!(self.is_owned(), "a mutex was left by a thread that does not hold it");
        self.owner.set(None);
        self.released.signal();
    }

    /// mutex_owned(9): whether this thread holds it.
    pub fn is_owned(&self) -> bool {
        self.owner.get() == Some(thread::current())
    }
}

/// How a read-write lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// With other readers.
    Reader,
    /// Alone.
    Writer,
}

/// A read-write lock, rwlock(9). A waiting writer keeps new readers out, so readers cannot starve it.
pub struct RwLock {
    readers: Cell<usize>,
    writer: Cell<Option<Thread>>,
    waiting_writers: Cell<usize>,
    for_readers: CondVar,
    for_writers: CondVar,
}

// SAFETY: as for `Mutex`.
unsafe impl Sync for RwLock {}
// SAFETY: as for `Mutex`.
unsafe impl Send for RwLock {}

impl Default for RwLock {
    fn default() -> Self {
        Self::new()
    }
}

impl RwLock {
    /// A free lock.
    pub const fn new() -> Self {
        Self {
            readers: Cell::new(0),
            writer: Cell::new(None),
            waiting_writers: Cell::new(0),
            for_readers: CondVar::new(),
            for_writers: CondVar::new(),
        }
    }

    /// rw_tryenter(9): false if it would have to wait.
    pub fn try_enter(&self, hold: Hold) -> bool {
        let free = match hold {
            Hold::Reader => self.writer.get().is_none() && self.waiting_writers.get() == 0,
            Hold::Writer => self.writer.get().is_none() && self.readers.get() == 0,
        };
        if free {
            match hold {
                Hold::Reader => self.readers.set(self.readers.get() + 1),
                Hold::Writer => self.writer.set(Some(thread::current())),
            }
        }
        free
    }

    /// rw_enter(9): waits until the lock is held as asked.
    pub fn enter(&self, hold: Hold) {
        while !self.try_enter(hold) {
            match hold {
                Hold::Reader => self.for_readers.wait(),
                Hold::Writer => {
                    self.waiting_writers.set(self.waiting_writers.get() + 1);
                    self.for_writers.wait();
                    self.waiting_writers.set(self.waiting_writers.get() - 1);
                }
            }
        }
    }

    /// rw_exit(9).
    ///
    /// # Panics
    /// If nobody holds it.
    pub fn exit(&self) {
        if self.writer.get().is_some() {
            self.writer.set(None);
        } else {
            self.readers.set(
                self.readers.get().checked_sub(1).expect("a read-write lock was left that nobody holds"),
            );
        }
        self.hand_over();
    }

    /// rw_tryupgrade(9): from the only reader to the writer; false if there are other readers.
    pub fn try_upgrade(&self) -> bool {
        let alone = self.readers.get() == 1 && self.writer.get().is_none();
        if alone {
            self.readers.set(0);
            self.writer.set(Some(thread::current()));
        }
        alone
    }

    /// rw_downgrade(9): from the writer to a reader.
    ///
    /// # Panics
    /// If the thread is not the writer.
    pub fn downgrade(&self) {
        assert!(
            self.is_held(Hold::Writer),
            "a read-write lock was downgraded by a thread that is not its writer"
        );
        self.writer.set(None);
        self.readers.set(1);
        if self.waiting_writers.get() == 0 {
            self.for_readers.broadcast();
        }
    }

    /// rw_lock_held(9): for [`Hold::Writer`] whether this thread is the writer, for [`Hold::Reader`] whether there are readers.
    pub fn is_held(&self, hold: Hold) -> bool {
        match hold {
            Hold::Reader => self.readers.get() > 0,
            Hold::Writer => self.writer.get() == Some(thread::current()),
        }
    }

    /// Lets in whoever may come now: a writer first.
    fn hand_over(&self) {
        if self.readers.get() == 0 && !self.for_writers.signal() {
            self.for_readers.broadcast();
        }
    }
}

//! Locks for layer 2's own state: uncontended, they cost one atomic instruction each way and no system call.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and somebody may be waiting.
const CONTENDED: u32 = 2;

/// A lock without the data that it guards.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct RawLock(AtomicU32);

impl RawLock {
    /// A free lock.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU32::new(FREE))
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_acquire(&self) -> bool {
        self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Takes the lock, waiting for it where needed. Not recursive.
    #[inline]
    pub fn acquire(&self) {
        if !self.try_acquire() {
            self.acquire_slowly();
        }
    }

    #[cold]
    fn acquire_slowly(&self) {
        while self.0.swap(CONTENDED, Ordering::Acquire) != FREE {
            crate::park::wait(&self.0, CONTENDED);
        }
    }

    /// Gives the lock back. The caller has it.
    #[inline]
    pub fn release(&self) {
        if self.0.swap(FREE, Ordering::Release) == CONTENDED {
            crate::park::wake(&self.0, 1);
        }
    }
}

/// Data guarded by a lock.
#[derive(Debug)]
#[repr(C)]
pub struct Lock<T> {
    raw: RawLock,
    data: UnsafeCell<T>,
}

// SAFETY: the data is reached only through a guard, of which there is one at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// A free lock around `data`.
    pub const fn new(data: T) -> Self {
        Self { raw: RawLock::new(), data: UnsafeCell::new(data) }
    }

    /// Takes the lock until the guard is dropped.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        self.raw.acquire();
        Guard(self)
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.raw.try_acquire().then_some(Guard(self))
    }
}

/// The right to use a [`Lock`]'s data.
#[derive(Debug)]
pub struct Guard<'a, T>(&'a Lock<T>);

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard stands for the lock being held.
        unsafe { &*self.0.data.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above; the guard itself is borrowed mutably.
        unsafe { &mut *self.0.data.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.raw.release();
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn counts_under_contention() {
        static COUNT: Lock<u32> = Lock::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        *COUNT.lock() += 1;
                    }
                });
            }
        });
        assert_eq!(*COUNT.lock(), 40_000);
        assert!(COUNT.try_lock().is_some());
    }
}

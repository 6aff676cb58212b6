//! Signals that have been sent and not yet been taken.
//!
//! A real-time signal (SIGRTMIN and above) queues up once for each time it is sent, to a limit; of the others one is pending at
//! most, and what is told of it is what was told last.

use alloc::collections::VecDeque;

use super::info::KsigInfo;
use super::number::SIGRTMIN;
use super::set::SigSet;
use crate::errno::Errno;

/// Most signals that may be pending in one queue.
pub const QUEUE_MAX: usize = 1024;

/// A queue.
#[derive(Default)]
pub struct Pending {
    set: SigSet,
    queue: VecDeque<KsigInfo>,
}

impl Pending {
    /// An empty queue.
    #[must_use]
    pub const fn new() -> Self {
        Self { set: SigSet::EMPTY, queue: VecDeque::new() }
    }

    /// Which signals are in it.
    #[inline]
    #[must_use]
    pub fn set(&self) -> SigSet {
        self.set
    }

    /// Adds a signal.
    ///
    /// # Errors
    /// EAGAIN if the queue is full.
    pub fn put(&mut self, info: KsigInfo) -> Result<(), Errno> {
        if info.signo < SIGRTMIN
            && self.set.has(info.signo)
            && let Some(old) = self.queue.iter_mut().find(|old| old.signo == info.signo)
        {
            *old = info;
            return Ok(());
        }
        if self.queue.len() >= QUEUE_MAX || self.queue.try_reserve(1).is_err() {
            return Err(Errno::EAGAIN);
        }
        self.set = self.set.union(SigSet::of(info.signo));
        self.queue.push_back(info);
        Ok(())
    }

    /// Takes the signal with the lowest number in `from`, the one sent first of those with the same number.
    pub fn take(&mut self, from: SigSet) -> Option<KsigInfo> {
        let signo = self.set.and(from).first()?;
        let at = self.queue.iter().position(|info| info.signo == signo)?;
        let info = self.queue.remove(at)?;
        if !self.queue.iter().any(|info| info.signo == signo) {
            self.set = self.set.minus(SigSet::of(signo));
        }
        Some(info)
    }

    /// Drops all signals of the set.
    pub fn discard(&mut self, which: SigSet) {
        if !self.set.and(which).is_empty() {
            self.queue.retain(|info| !which.has(info.signo));
            self.set = self.set.minus(which);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pending, QUEUE_MAX};
    use crate::signal::{KsigInfo, SigSet};

    const ALL: SigSet = SigSet(u64::MAX >> 1);

    #[test]
    fn ordinary_signals_do_not_queue_up() {
        let mut pending = Pending::new();
        pending.put(KsigInfo::sent(15, 0, 1)).unwrap();
        pending.put(KsigInfo::sent(15, 0, 2)).unwrap();
        assert_eq!(pending.take(ALL), Some(KsigInfo::sent(15, 0, 2)));
        assert_eq!(pending.take(ALL), None);
    }

    #[test]
    fn real_time_signals_come_in_order() {
        let mut pending = Pending::new();
        for value in 0..3 {
            pending.put(KsigInfo::sent(40, -1, value)).unwrap();
        }
        pending.put(KsigInfo::sent(35, -1, 9)).unwrap();
        assert_eq!(pending.take(ALL).unwrap().signo, 35);
        for value in 0..3 {
            assert_eq!(pending.take(ALL), Some(KsigInfo::sent(40, -1, value)));
        }
        assert!(pending.set().is_empty());
    }

    #[test]
    fn the_queue_has_a_limit() {
        let mut pending = Pending::new();
        for _ in 0..QUEUE_MAX {
            pending.put(KsigInfo::sent(40, -1, 0)).unwrap();
        }
        assert!(pending.put(KsigInfo::sent(40, -1, 0)).is_err());
        pending.discard(SigSet::of(40));
        assert!(pending.set().is_empty());
    }

    #[test]
    fn only_what_is_asked_for_is_taken() {
        let mut pending = Pending::new();
        pending.put(KsigInfo::empty(1)).unwrap();
        pending.put(KsigInfo::empty(2)).unwrap();
        assert_eq!(pending.take(SigSet::of(2)).unwrap().signo, 2);
        assert_eq!(pending.take(SigSet::of(2)), None);
        assert!(pending.set().has(1));
    }
}

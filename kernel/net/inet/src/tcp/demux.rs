//! From a segment's addresses and ports to what it is for: one hash table for connections, half-open connections and those in TIME_WAIT.
//!
//! Open addressing with linear probing; it grows at three quarters and forgets an entry by moving its successors up, so that it never holds
//! tombstones. The table keeps a part of the hash and a reference, not the addresses: whoever looks up compares those.

use alloc::vec::Vec;

use super::siphash::Key;
use crate::addr::{Addr, Endpoint};

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tuple {
    /// Our end.
    pub local: Endpoint,
    /// The peer's.
    pub remote: Endpoint,
}

/// Two words of an address.
fn halves(addr: Addr) -> [u64; 2] {
    let whole = u128::from_be_bytes(addr.0);
    [(whole >> 64) as u64, whole as u64]
}

impl Tuple {
    /// Its hash.
    #[inline]
    #[must_use]
    pub fn hash(&self, key: Key) -> u64 {
        let ports = u64::from(self.local.port) << 16 | u64::from(self.remote.port);
        let ([l0, l1], [r0, r1]) = (halves(self.local.addr), halves(self.remote.addr));
        if self.remote.addr.is_v4() {
            // 96 bits of each are known.
            key.hash(&[ports << 32, l1 << 32 | r1 & 0xffff_ffff])
        } else {
            key.hash(&[ports, l0, l1, r0, r1])
        }
    }
}

/// What an entry refers to, by its index in the table of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A connection.
    Connection(u32),
    /// A half-open connection.
    HalfOpen(u32),
    /// One in TIME_WAIT.
    TimeWait(u32),
}

#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    /// Kind in the two highest bits (0: empty), index below.
    word: u32,
}

const EMPTY: Entry = Entry { hash: 0, word: 0 };
const INDEX: u32 = (1 << 30) - 1;

impl Target {
    const fn word(self) -> u32 {
        match self {
            Self::Connection(index) => 1 << 30 | index,
            Self::HalfOpen(index) => 2 << 30 | index,
            Self::TimeWait(index) => 3 << 30 | index,
        }
    }

    const fn of(word: u32) -> Option<Self> {
        match word >> 30 {
            1 => Some(Self::Connection(word & INDEX)),
            2 => Some(Self::HalfOpen(word & INDEX)),
            3 => Some(Self::TimeWait(word & INDEX)),
            _ => None,
        }
    }
}

/// The table.
#[derive(Default)]
pub struct Demux {
    /// A power of two of them, or none.
    entries: Vec<Entry>,
    len: usize,
}

impl Demux {
    /// Entries in it.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.len
    }

    /// Finds the entry with `hash` for which `is_it` holds.
    #[inline]
    pub fn find(&self, hash: u64, mut is_it: impl FnMut(Target) -> bool) -> Option<Target> {
        let mask = self.entries.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let entry = self.entries[at];
            let target = Target::of(entry.word)?;
            if entry.hash == hash as u32 && is_it(target) {
                return Some(target);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds an entry; false if there is no memory for it.
    pub fn insert(&mut self, hash: u64, target: Target) -> bool {
        if self.len * 4 >= self.entries.len() * 3 && !self.grow() {
            return false;
        }
        self.place(Entry { hash: hash as u32, word: target.word() });
        self.len += 1;
        true
    }

    fn place(&mut self, entry: Entry) {
        let mask = self.entries.len() - 1;
        let mut at = entry.hash as usize & mask;
        while self.entries[at].word != 0 {
            at = (at + 1) & mask;
        }
        self.entries[at] = entry;
    }

    fn grow(&mut self) -> bool {
        let size = (self.entries.len() * 2).max(16);
        let mut entries = Vec::new();
        if entries.try_reserve_exact(size).is_err() {
            return false;
        }
        entries.resize(size, EMPTY);
        for entry in core::mem::replace(&mut self.entries, entries) {
            if entry.word != 0 {
                self.place(entry);
            }
        }
        true
    }

    /// Takes an entry out.
    pub fn remove(&mut self, hash: u64, target: Target) {
        let Some(mask) = self.entries.len().checked_sub(1) else { return };
        let mut hole = hash as usize & mask;
        loop {
            let entry = self.entries[hole];
            if entry.word == 0 {
                return;
            }
            if entry.word == target.word() {
                break;
            }
            hole = (hole + 1) & mask;
        }
        self.len -= 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let entry = self.entries[at];
            if entry.word == 0 {
                break;
            }
            // An entry may move up into the hole unless its own place lies after the hole.
            let home = entry.hash as usize & mask;
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.entries[hole] = entry;
                hole = at;
            }
        }
        self.entries[hole] = EMPTY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn against_a_plain_list() {
        let mut demux = Demux::default();
        let mut list: Vec<(u64, Target)> = Vec::new();
        let mut state = 1_u64;
        for i in 0..20_000_u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if state >> 62 == 0 && !list.is_empty() {
                let (hash, target) = list.swap_remove((state >> 20) as usize % list.len());
                demux.remove(hash, target);
                assert_eq!(demux.find(hash, |it| it == target), None);
            } else if list.len() < 500 {
                // Few different hashes: long runs of probing.
                let hash = state >> 33 & 0xff;
                let target = match i % 3 {
                    0 => Target::Connection(i),
                    1 => Target::HalfOpen(i),
                    _ => Target::TimeWait(i),
                };
                assert!(demux.insert(hash, target));
                list.push((hash, target));
            }
            assert_eq!(demux.count(), list.len());
        }
        for &(hash, target) in &list {
            assert_eq!(demux.find(hash, |it| it == target), Some(target));
        }
    }
}

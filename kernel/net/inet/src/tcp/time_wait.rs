//! TIME_WAIT, compressed: what is left of a connection that this side closed first (RFC 9293 3.6.1, RFC 6191, RFC 1337).
//!
//! A record holds no buffers and no timers. All wait equally long, so they end in the order in which they began; when there are too many the oldest goes early.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::demux::Tuple;
use super::segment::{ACK, FIN, Header, Options, RST, SYN, Stamps};
use super::seq::Seq;

/// Twice the maximum segment lifetime.
const TWO_MSL_NS: u64 = 60_000_000_000;
/// Most records.
const MAX_RECORDS: usize = 16_384;

/// What is remembered.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Both ends.
    pub tuple: Tuple,
    /// Its hash.
    pub hash: u64,
    /// Our next sequence number.
    pub nxt: Seq,
    /// The peer's.
    pub rcv_nxt: Seq,
    /// The window in our last segment.
    pub window: u16,
    /// The peer's last stamp, and what ours are ahead of the clock.
    pub stamps: Option<(u32, u32)>,
    /// Tells records apart that had the same place.
    serial: u32,
}

/// What is to be done about a segment.
pub enum Answer {
    /// Nothing.
    Ignore,
    /// An acknowledgement.
    Acknowledge(Header),
    /// It begins a new connection: the old one is forgotten.
    Reuse,
}

/// The records.
#[derive(Default)]
pub struct TimeWait {
    records: Vec<Option<Record>>,
    free: Vec<u32>,
    /// Places in the order of their ends, with the serials that they had.
    queue: VecDeque<(u64, u32, u32)>,
    serial: u32,
}

impl TimeWait {
    /// The record at a place.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&Record> {
        self.records.get(index as usize)?.as_ref()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.records.len() - self.free.len()
    }

    /// Adds a record; `None` without memory. If there are too many, the oldest is to be taken out first ([`TimeWait::is_full`]).
    pub fn insert(&mut self, now_ns: u64, tuple: Tuple, hash: u64, mut record: Record) -> Option<u32> {
        self.queue.try_reserve(1).ok()?;
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.records.try_reserve(1).ok()?;
                self.free.try_reserve(self.records.len() + 1).ok()?;
                self.records.push(None);
                self.records.len() as u32 - 1
            }
        };
        self.serial = self.serial.wrapping_add(1);
        (record.tuple, record.hash, record.serial) = (tuple, hash, self.serial);
        self.records[index as usize] = Some(record);
        self.queue.push_back((now_ns + TWO_MSL_NS, index, self.serial));
        Some(index)
    }

    /// Whether one has to go before another comes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.count() >= MAX_RECORDS
    }

    /// Takes a record out.
    pub fn remove(&mut self, index: u32) -> Option<Record> {
        let record = self.records.get_mut(index as usize)?.take()?;
        // Room was reserved when the place was made.
        self.free.push(index);
        Some(record)
    }

    /// The next record that has waited long enough, or the oldest whatever its time if `now_ns` is `u64::MAX`.
    pub fn expired(&mut self, now_ns: u64) -> Option<u32> {
        while let Some(&(end_ns, index, serial)) = self.queue.front() {
            let current = self.get(index).is_some_and(|record| record.serial == serial);
            if current && end_ns > now_ns {
                return None;
            }
            self.queue.pop_front();
            if current {
                return Some(index);
            }
        }
        if self.records.len() > 64 {
            // None is left: the memory goes back.
            (self.records, self.free, self.queue) = (Vec::new(), Vec::new(), VecDeque::new());
        }
        None
    }

    /// When the next one has waited long enough.
    #[must_use]
    pub fn next_deadline(&self) -> u64 {
        self.queue.front().map_or(u64::MAX, |entry| entry.0)
    }
}

impl Record {
    /// A record of these numbers; [`TimeWait::insert`] completes it.
    #[must_use]
    pub fn new(nxt: Seq, rcv_nxt: Seq, window: u16, stamps: Option<(u32, u32)>) -> Self {
        Self { tuple: Tuple::default(), hash: 0, nxt, rcv_nxt, window, stamps, serial: 0 }
    }

    /// What a segment for it asks for.
    #[must_use]
    pub fn answer(&self, now_ms: u32, h: &Header, len: usize) -> Answer {
        // RFC 1337: a reset must not end the wait.
        if h.has(RST) {
            return Answer::Ignore;
        }
        if h.has(SYN) && !h.has(ACK) {
            let later = match (self.stamps, h.options.stamps) {
                (Some((recent, _)), Some(stamps)) => stamps.value.wrapping_sub(recent).cast_signed() > 0,
                _ => false,
            };
            if later || h.seq > self.rcv_nxt {
                return Answer::Reuse;
            }
        }
        if len == 0 && !h.has(FIN) && !h.has(SYN) {
            return Answer::Ignore;
        }
        let stamps =
            self.stamps.map(|(recent, offset)| Stamps { value: now_ms.wrapping_add(offset), echo: recent });
        Answer::Acknowledge(Header {
            seq: self.nxt,
            ack: self.rcv_nxt,
            flags: ACK,
            window: self.window,
            options: Options { stamps, ..Options::default() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_reused_and_ends_kept() {
        let mut table = TimeWait::default();
        let record = Record::new(Seq(1), Seq(2), 0, None);
        let first = table.insert(0, Tuple::default(), 1, record).unwrap();
        let second = table.insert(10, Tuple::default(), 2, record).unwrap();
        table.remove(first);
        let third = table.insert(20, Tuple::default(), 3, record).unwrap();
        assert_eq!(first, third);
        assert_eq!(table.expired(TWO_MSL_NS + 5), None);
        assert_eq!(table.expired(TWO_MSL_NS + 10), Some(second));
        table.remove(second);
        assert_eq!(table.expired(TWO_MSL_NS + 15), None);
        assert_eq!(table.expired(TWO_MSL_NS + 20), Some(third));
        assert_eq!(table.remove(third).unwrap().hash, 3);
        assert_eq!((table.expired(u64::MAX), table.count(), table.next_deadline()), (None, 0, u64::MAX));
    }

    #[test]
    fn a_new_connection_may_take_its_place() {
        let record = Record::new(Seq(100), Seq(200), 9, None);
        let segment = |seq, flags| Header { seq: Seq(seq), flags, ..Header::default() };
        assert!(matches!(record.answer(0, &segment(201, SYN), 0), Answer::Reuse));
        assert!(matches!(record.answer(0, &segment(150, SYN), 0), Answer::Acknowledge(_)));
        assert!(matches!(record.answer(0, &segment(200, RST), 0), Answer::Ignore));
        assert!(matches!(record.answer(0, &segment(199, FIN | ACK), 0), Answer::Acknowledge(_)));
        assert!(matches!(record.answer(0, &segment(200, ACK), 0), Answer::Ignore));
    }
}

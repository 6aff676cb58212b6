//! Half-open connections: what is kept between a SYN and the acknowledgement of ours (RFC 4987).
//!
//! A record is small and their number is bounded. When the cache is full, SYN cookies answer instead: our sequence number says, under a secret, what would have been kept; so a
//! flood costs a fixed amount of memory and the processor time of its answers, and whoever really connects still gets through. Window scale and SACK are known
//! again from the time stamp that the peer echoes; without time stamps a cookie's connection does without both.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::demux::Tuple;
use super::segment::{Header, MAX_WSCALE, Options, Stamps};
use super::seq::Seq;
use super::siphash::Key;

/// Most half-open connections.
pub const MAX_HALF_OPEN: usize = 1024;

/// How long each of our SYNs waits for an answer.
const WAITS_NS: [u64; 4] = [1_000_000_000, 2_000_000_000, 4_000_000_000, 8_000_000_000];

/// Segment sizes that cookies know.
const COOKIE_MSS: [u16; 8] = [216, 536, 1220, 1300, 1440, 1460, 4312, 8960];
/// A cookie's clock ticks once a minute, and this many ticks back are accepted.
const COOKIE_TICK_NS: u64 = 60_000_000_000;
const COOKIE_TICKS: u64 = 2;
/// For so long after the cache was full cookies are looked for.
const COOKIE_TIME_NS: u64 = 120_000_000_000;

/// A half-open connection.
#[derive(Clone, Copy, Debug)]
pub struct HalfOpen {
    /// Both ends.
    pub tuple: Tuple,
    /// Its hash.
    pub hash: u64,
    /// The listener.
    pub listener: u32,
    /// Our sequence number.
    pub iss: Seq,
    /// The peer's.
    pub irs: Seq,
    /// Options of its SYN.
    pub options: Options,
    /// What our stamps are ahead of the clock.
    pub ts_offset: u32,
    /// Our SYNs that were sent.
    pub sent: u8,
    pub(super) serial: u32,
}

impl HalfOpen {
    /// A record without numbers.
    #[must_use]
    pub fn new(tuple: Tuple, hash: u64, listener: u32) -> Self {
        let zero = Seq(0);
        let options = Options::default();
        Self { tuple, hash, listener, iss: zero, irs: zero, options, ts_offset: 0, sent: 0, serial: 0 }
    }
}

/// The cache.
#[derive(Default)]
pub struct SynCache {
    records: Vec<Option<HalfOpen>>,
    free: Vec<u32>,
    /// For each number of SYNs sent: what waits for an answer, in the order of its end.
    queues: [VecDeque<(u64, u32, u32)>; WAITS_NS.len()],
    serial: u32,
    /// When the cache was full last.
    full_ns: Option<u64>,
}

impl SynCache {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.records.len() - self.free.len()
    }

    /// The record at a place.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&HalfOpen> {
        self.records.get(index as usize)?.as_ref()
    }

    /// Adds a record whose SYN is being sent; `None` if there is no room.
    pub fn insert(&mut self, now_ns: u64, mut record: HalfOpen) -> Option<u32> {
        if self.count() >= MAX_HALF_OPEN {
            self.full_ns = Some(now_ns);
            return None;
        }
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
        (record.serial, record.sent) = (self.serial, 1);
        self.records[index as usize] = Some(record);
        self.wait(now_ns, index);
        Some(index)
    }

    fn wait(&mut self, now_ns: u64, index: u32) {
        let Some(record) = self.get(index) else { return };
        let (sent, serial) = (usize::from(record.sent), record.serial);
        let (queue, wait_ns) = (&mut self.queues[sent - 1], WAITS_NS[sent - 1]);
        // Entries of records that are gone stay until their time. They must not add up under a flood that is answered.
        if queue.len() >= 2 * MAX_HALF_OPEN {
            let records = &self.records;
            queue.retain(|&(_, index, serial)| {
                matches!(records.get(index as usize), Some(Some(record)) if record.serial == serial && usize::from(record.sent) == sent)
            });
        }
        if queue.try_reserve(1).is_ok() {
            queue.push_back((now_ns + wait_ns, index, serial));
        } else {
            self.remove(index);
        }
    }

    /// Takes a record out.
    pub fn remove(&mut self, index: u32) -> Option<HalfOpen> {
        let record = self.records.get_mut(index as usize)?.take()?;
        // Room was reserved when the place was made.
        self.free.push(index);
        Some(record)
    }

    /// The next record whose wait is over: our SYN is to be sent again ([`SynCache::again`]) or it is to be given up.
    pub fn expired(&mut self, now_ns: u64) -> Option<u32> {
        for (at, queue) in self.queues.iter_mut().enumerate() {
            while let Some(&(end_ns, index, serial)) = queue.front() {
                let current = matches!(self.records.get(index as usize), Some(Some(record))
                    if record.serial == serial && usize::from(record.sent) == at + 1);
                if current && end_ns > now_ns {
                    break;
                }
                queue.pop_front();
                if current {
                    return Some(index);
                }
            }
        }
        if self.records.len() > 64 && self.count() == 0 {
            (self.records, self.free) = (Vec::new(), Vec::new());
        }
        None
    }

    /// Counts another SYN and waits for its answer. False if enough have been sent.
    pub fn again(&mut self, now_ns: u64, index: u32) -> bool {
        let Some(Some(record)) = self.records.get_mut(index as usize) else { return false };
        if usize::from(record.sent) >= WAITS_NS.len() {
            return false;
        }
        record.sent += 1;
        self.wait(now_ns, index);
        true
    }

    /// Takes out all that belong to a listener, one at a time.
    pub fn of_listener(&self, listener: u32) -> Option<u32> {
        self.records
            .iter()
            .position(|record| record.as_ref().is_some_and(|record| record.listener == listener))
            .map(|index| index as u32)
    }

    /// When a wait is over next.
    #[must_use]
    pub fn next_deadline(&self) -> u64 {
        self.queues.iter().filter_map(|queue| queue.front()).map(|entry| entry.0).min().unwrap_or(u64::MAX)
    }

    /// Whether an acknowledgement may be of a cookie.
    #[inline]
    #[must_use]
    pub fn looks_for_cookies(&self, now_ns: u64) -> bool {
        self.full_ns.is_some_and(|full_ns| now_ns < full_ns + COOKIE_TIME_NS)
    }
}

/// The secret part of a cookie: 24 bits, and five that the count of minutes is hidden under.
fn cookie_hash(key: Key, hash: u64, irs: Seq, tick: u64) -> u32 {
    key.hash(&[hash, u64::from(irs.0), tick, 0x00c0_0c1e]) as u32 & 0x00ff_ffff
}

/// The sequence number that answers a SYN without keeping anything.
#[must_use]
pub fn cookie(key: Key, hash: u64, h: &Header, now_ns: u64) -> Seq {
    let tick = now_ns / COOKIE_TICK_NS;
    let mss = h.options.mss.unwrap_or(536);
    let index = COOKIE_MSS.iter().rposition(|&known| known <= mss).unwrap_or(0) as u32;
    Seq(cookie_hash(key, hash, h.seq, tick) << 8 | index << 5 | (tick as u32 & 31))
}

/// The stamp that goes with a cookie: its low bits say window scale and SACK.
#[must_use]
pub fn cookie_stamp(options: &Options, stamp: u32) -> u32 {
    let scale = options.wscale.map_or(15, u32::from);
    (stamp & !63) | scale << 1 | u32::from(options.sack_ok) << 5
}

/// The options of the SYN that a cookie answered, if `h` acknowledges one.
#[must_use]
pub fn open_cookie(key: Key, hash: u64, h: &Header, now_ns: u64) -> Option<Options> {
    let value = (h.ack - 1).0;
    let now = now_ns / COOKIE_TICK_NS;
    let tick =
        (0..=COOKIE_TICKS.min(now)).map(|back| now - back).find(|tick| *tick as u32 & 31 == value & 31)?;
    if cookie_hash(key, hash, h.seq - 1, tick) != value >> 8 {
        return None;
    }
    let mut options = Options { mss: Some(COOKIE_MSS[(value >> 5 & 7) as usize]), ..Options::default() };
    if let Some(stamps) = h.options.stamps {
        options.stamps = Some(Stamps { value: stamps.value, echo: 0 });
        let scale = (stamps.echo >> 1 & 15) as u8;
        options.wscale = (scale <= MAX_WSCALE).then_some(scale);
        options.sack_ok = stamps.echo >> 5 & 1 != 0;
    }
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::segment::{ACK, SYN};

    fn record(listener: u32) -> HalfOpen {
        HalfOpen::new(Tuple::default(), 0, listener)
    }

    #[test]
    fn bounded_and_times_out() {
        let mut cache = SynCache::default();
        for i in 0..MAX_HALF_OPEN as u64 {
            assert!(cache.insert(i, record(7)).is_some());
        }
        assert!(!cache.looks_for_cookies(5));
        assert!(cache.insert(5, record(7)).is_none());
        assert!(cache.looks_for_cookies(5));
        let mut sent = 0;
        let mut now_ns = 0;
        while cache.next_deadline() != u64::MAX {
            now_ns = cache.next_deadline();
            while let Some(index) = cache.expired(now_ns) {
                if cache.again(now_ns, index) {
                    sent += 1;
                } else {
                    cache.remove(index);
                }
            }
        }
        assert_eq!((sent, cache.count()), (3 * MAX_HALF_OPEN, 0));
        assert!((15_000_000_000..15_100_000_000).contains(&now_ns));
    }

    #[test]
    fn a_listener_goes() {
        let mut cache = SynCache::default();
        for i in 0..10 {
            cache.insert(0, record(i % 2)).unwrap();
        }
        while let Some(index) = cache.of_listener(1) {
            cache.remove(index);
        }
        assert_eq!(cache.count(), 5);
    }

    #[test]
    fn cookies_open() {
        let key = Key([1, 2]);
        let options = Options {
            mss: Some(1460),
            wscale: Some(7),
            sack_ok: true,
            stamps: Some(Stamps { value: 5, echo: 0 }),
            ..Options::default()
        };
        let syn = Header { seq: Seq(99), flags: SYN, options, ..Header::default() };
        let start_ns = 1_000_000_000_000;
        let iss = cookie(key, 42, &syn, start_ns);
        let stamp = cookie_stamp(&options, 0x1234_5678);
        assert!(0x1234_5678_u32.abs_diff(stamp) < 64);
        let echo = Options { stamps: Some(Stamps { value: 6, echo: stamp }), ..Options::default() };
        let ack = Header { seq: Seq(100), ack: iss + 1, flags: ACK, options: echo, ..Header::default() };
        let found = open_cookie(key, 42, &ack, start_ns + COOKIE_TICK_NS).unwrap();
        assert_eq!((found.mss, found.wscale, found.sack_ok), (Some(1460), Some(7), true));
        assert!(open_cookie(key, 43, &ack, start_ns).is_none());
        assert!(open_cookie(Key([2, 2]), 42, &ack, start_ns).is_none());
        assert!(open_cookie(key, 42, &ack, start_ns + 4 * COOKIE_TICK_NS).is_none());
        assert!(open_cookie(key, 42, &Header { ack: iss + 2, ..ack }, start_ns).is_none());
    }
}

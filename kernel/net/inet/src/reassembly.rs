//! Putting fragments together (RFC 791 3.2, RFC 8200 4.5, RFC 5722, RFC 8900).
//!
//! Bounded in packets, in fragments and in time. A packet whose fragments overlap is dropped whole, in both families: nobody cuts packets so in good faith.

use alloc::vec::Vec;

use rump_hypercall::net::{Checksum, Packet};
use rump_hypercall::{Giant, time};
use rump_kern::clock::NS_PER_S;

use crate::addr::Addr;
use crate::icmp;
use crate::input::{Cast, Quote, Received};
use crate::netisr;

/// Most incomplete packets.
const PACKETS_MAX: usize = 64;
/// Most fragments of one packet.
const PIECES_MAX: usize = 128;
/// Most fragments of all.
const PIECES_TOTAL_MAX: usize = 1024;
/// How long one waits for the rest.
const LIFE_NS: u64 = 30 * NS_PER_S;
/// The longest payload that fragments can make.
const LEN_MAX: usize = 65_535;

/// What a fragment says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Which packet it belongs to.
    pub id: u32,
    /// Where it begins in the payload, bytes.
    pub offset: usize,
    /// Others follow.
    pub more: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    src: Addr,
    dst: Addr,
    id: u32,
    protocol: u8,
}

struct Incomplete {
    key: Key,
    /// In order, without overlaps.
    pieces: Vec<(usize, Packet)>,
    /// Bytes of the whole, once the last piece has come.
    whole_len: Option<usize>,
    have: usize,
    deadline_ns: u64,
    /// Of the first piece: for the error if the others do not come, and what it said.
    first: Option<(Received, Quote)>,
}

struct Queue {
    packets: Vec<Incomplete>,
    pieces: usize,
}

static QUEUE: Giant<Queue> = Giant::new(Queue { packets: Vec::new(), pieces: 0 });

impl Queue {
    fn drop_at(&mut self, at: usize) -> Incomplete {
        let gone = self.packets.remove(at);
        self.pieces -= gone.pieces.len();
        gone
    }

    /// Where the packet is; makes a place for it.
    fn place(&mut self, key: Key) -> usize {
        if let Some(at) = self.packets.iter().position(|packet| packet.key == key) {
            return at;
        }
        while self.packets.len() >= PACKETS_MAX || self.pieces >= PIECES_TOTAL_MAX {
            self.drop_at(0);
        }
        let deadline_ns = time::monotonic_ns() + LIFE_NS;
        netisr::wake_by(deadline_ns);
        self.packets.push(Incomplete {
            key,
            pieces: Vec::new(),
            whole_len: None,
            have: 0,
            deadline_ns,
            first: None,
        });
        self.packets.len() - 1
    }
}

impl Incomplete {
    /// Puts a piece in its place; false if it contradicts the others.
    fn insert(&mut self, packet: Packet, piece: Piece) -> bool {
        let (start, len) = (piece.offset, packet.len());
        let end = start + len;
        let past_end = self.whole_len.is_some_and(|whole| end > whole);
        if len == 0 || end > LEN_MAX || past_end || self.pieces.len() >= PIECES_MAX {
            return false;
        }
        if piece.more {
            // All but the last are cut at multiples of eight.
            if !len.is_multiple_of(8) {
                return false;
            }
        } else {
            let behind = self.pieces.last().is_some_and(|(at, last)| at + last.len() > end);
            if behind || self.whole_len.is_some_and(|whole| whole != end) {
                return false;
            }
            self.whole_len = Some(end);
        }
        let at = self.pieces.partition_point(|(at, _)| *at < start);
        let before = at.checked_sub(1).and_then(|at| self.pieces.get(at));
        if before.is_some_and(|(at, packet)| at + packet.len() > start)
            || self.pieces.get(at).is_some_and(|(at, _)| *at < end)
        {
            return false;
        }
        self.pieces.insert(at, (start, packet));
        self.have += len;
        true
    }

    fn is_complete(&self) -> bool {
        self.whole_len == Some(self.have)
    }
}

/// Adds a fragment: `packet` is its payload. Returns the whole payload when it was the last that was missing.
pub fn add(info: &Received, packet: Packet, piece: Piece, quote: &Quote) -> Option<Packet> {
    let key = Key { src: info.src, dst: info.dst, id: piece.id, protocol: info.protocol };
    let mut queue = QUEUE.borrow_mut();
    let at = queue.place(key);
    let incomplete = queue.packets.get_mut(at)?;
    if piece.offset == 0 && incomplete.first.is_none() {
        incomplete.first = Some((*info, Quote::of(quote.bytes())));
    }
    // The same piece once more is no contradiction.
    if incomplete.pieces.iter().any(|(at, known)| *at == piece.offset && known.len() == packet.len()) {
        return None;
    }
    if !incomplete.insert(packet, piece) {
        let gone = queue.drop_at(at);
        drop(queue);
        drop(gone);
        return None;
    }
    let complete = incomplete.is_complete();
    queue.pieces += 1;
    if !complete {
        return None;
    }
    let done = queue.drop_at(at);
    drop(queue);
    let mut whole = Packet::default();
    for (_, piece) in done.pieces {
        for slice in piece.into_slices() {
            if !slice.is_empty() {
                whole.push(slice).ok()?;
            }
        }
    }
    whole.checksum = Checksum::Unknown;
    Some(whole)
}

/// Drops what has waited too long and says so to who sent it; returns when there is something to do next.
pub fn timer(now_ns: u64) -> u64 {
    let mut gone = Vec::new();
    let mut queue = QUEUE.borrow_mut();
    while queue.packets.first().is_some_and(|packet| packet.deadline_ns <= now_ns) {
        gone.push(queue.drop_at(0));
    }
    let next_ns = queue.packets.first().map_or(time::NEVER, |packet| packet.deadline_ns);
    drop(queue);
    for packet in gone {
        if let Some((info, quote)) = packet.first
            && info.cast == Cast::Unicast
        {
            icmp::reassembly_failed(&info, &quote);
        }
    }
    next_ns
}

/// Takes everything away, for the next test.
#[cfg(test)]
pub(crate) fn reset() {
    *QUEUE.borrow_mut() = Queue { packets: Vec::new(), pieces: 0 };
}

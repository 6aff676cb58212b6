//! Data that came out of order, and the SACK ranges that tell the peer of it (RFC 2018, RFC 2883).
//!
//! Blocks are sorted, disjoint and not adjacent, all above what is expected next. Their number is bounded, so that a peer that sends every second
//! byte cannot make each segment dearer than the one before; their bytes are bounded by the receive window.

use alloc::vec::Vec;

use rump_hypercall::net::Packet;

use super::segment::SackBlocks;
use super::seq::Seq;
use super::stream::{NoBufs, Stream};

/// Most blocks; what would make another is dropped as if it had been lost.
const MAX_BLOCKS: usize = 256;

struct Block {
    start: Seq,
    data: Stream,
}

impl Block {
    fn end(&self) -> Seq {
        self.start + self.data.len() as u32
    }
}

/// The blocks of a connection.
#[derive(Default)]
pub struct Reassembly {
    blocks: Vec<Block>,
    /// Starts of the blocks that changed last, the latest first: they are reported first (RFC 2018, 4).
    recent: [Option<Seq>; 4],
    /// A range that came twice, to be reported once (RFC 2883).
    duplicate: Option<(Seq, Seq)>,
}

impl Reassembly {
    /// Whether nothing waits.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Bytes that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.data.len()).sum()
    }

    /// Notes that a range has come twice.
    pub fn note_duplicate(&mut self, start: Seq, end: Seq) {
        self.duplicate = Some((start, end));
    }

    /// Whether there is something to report.
    #[inline]
    #[must_use]
    pub const fn has_report(&self) -> bool {
        !self.blocks.is_empty() || self.duplicate.is_some()
    }

    /// What to report. A duplicate is reported once.
    #[must_use]
    pub fn report(&mut self) -> SackBlocks {
        let mut report = SackBlocks::default();
        if let Some((start, end)) = self.duplicate.take() {
            report.push(start, end);
        }
        for start in self.recent.iter().flatten() {
            // A block that was noted may have grown at its front or been joined to another since.
            let at = self.blocks.partition_point(|block| block.end() <= *start);
            if let Some(block) = self.blocks.get(at)
                && block.start <= *start
                && !report.as_slice().contains(&(block.start, block.end()))
            {
                report.push(block.start, block.end());
            }
        }
        report
    }

    fn note_recent(&mut self, start: Seq) {
        if self.recent[0] == Some(start) {
            return;
        }
        let at = self.recent.iter().position(|noted| *noted == Some(start)).unwrap_or(self.recent.len() - 1);
        self.recent[..=at].rotate_right(1);
        self.recent[0] = Some(start);
    }

    /// Keeps the data of a segment that begins at `start`, all above what is expected next. What it has of it already is not kept twice.
    pub fn insert(&mut self, start: Seq, mut packet: Packet) {
        let end = start + packet.len() as u32;
        // Blocks from `first` to before `last` overlap the segment or touch it.
        let first = self.blocks.partition_point(|block| block.end() < start);
        let last = first + self.blocks[first..].partition_point(|block| block.start <= end);
        if first == last {
            if self.blocks.len() >= MAX_BLOCKS || self.blocks.try_reserve(1).is_err() {
                return;
            }
            let mut data = Stream::default();
            if append(&mut data, packet).is_err() && data.is_empty() {
                return;
            }
            self.blocks.insert(first, Block { start, data });
            self.note_recent(start);
            return;
        }
        if self.blocks[first].start <= start && self.blocks[first].end() >= end {
            self.duplicate = Some((start, end));
            return;
        }
        // The touched blocks and the gaps between them, in order, into one stream.
        let mut touched = Vec::new();
        if touched.try_reserve_exact(last - first).is_err() {
            return;
        }
        touched.extend(self.blocks.drain(first..last));
        let mut merged = Block { start, data: Stream::default() };
        if let Some(block) = touched.first_mut()
            && block.start <= start
        {
            (merged.start, merged.data) = (block.start, core::mem::take(&mut block.data));
            let overlap = merged.end().ahead_of(start);
            packet.advance(overlap as usize);
        }
        for mut block in touched {
            if block.data.is_empty() {
                continue;
            }
            // The packet begins at the end of what is merged.
            let gap = block.start.ahead_of(merged.end()) as usize;
            let mut piece = packet.clone();
            piece.truncate(gap);
            let overlap = block.data.len().min(packet.len().saturating_sub(gap));
            packet.advance(gap + overlap);
            if append(&mut merged.data, piece).is_err() || merged.data.take(&mut block.data).is_err() {
                packet.truncate(0);
                break;
            }
        }
        // Without memory the stream ends earlier: what is missing is sent again.
        let _ = append(&mut merged.data, packet);
        let start = merged.start;
        self.blocks.insert(first, merged);
        self.note_recent(start);
    }

    /// Moves what follows on `next` to `stream`; returns how many bytes.
    ///
    /// # Errors
    /// [`NoBufs`]; what could not be moved is dropped and the bytes that were moved are as returned by the stream's length.
    pub fn deliver(&mut self, next: Seq, stream: &mut Stream) -> Result<u32, NoBufs> {
        let before = stream.len();
        let mut next = next;
        let mut taken = 0;
        let mut result = Ok(());
        for block in &mut self.blocks {
            if block.start > next || result.is_err() {
                break;
            }
            taken += 1;
            let old = next.ahead_of(block.start) as usize;
            let before = stream.len();
            block.data.advance(old);
            result = stream.take(&mut block.data);
            next += (stream.len() - before) as u32;
        }
        self.blocks.drain(..taken);
        if self.blocks.is_empty() {
            // An idle connection is to be small.
            self.blocks = Vec::new();
            self.recent = [None; 4];
        }
        result.map(|()| (stream.len() - before) as u32)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Appends a packet's bytes.
///
/// # Errors
/// [`NoBufs`]; some may have been appended.
pub fn append(stream: &mut Stream, packet: Packet) -> Result<(), NoBufs> {
    for slice in packet.into_slices() {
        stream.push_dense(slice)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn byte_at(offset: u32) -> u8 {
        ((offset * 31) >> 3) as u8
    }

    fn packet(start: u32, end: u32) -> Packet {
        let bytes: Vec<u8> = (start..end).map(byte_at).collect();
        Packet::from_bytes(&bytes).unwrap()
    }

    vcpu_tests! {
        fn any_order() {
            let base = Seq(0xffff_e000);
            let mut state = 11_u64;
            for _ in 0..60 {
                let mut queue = Reassembly::default();
                let mut stream = Stream::default();
                let mut next = 0_u32;
                let mut sent = 0;
                while next < 20_000 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    // What is missing comes once in a while.
                    let ahead = if state >> 60 == 0 { 0 } else { (state >> 40) as u32 % 6000 };
                    let start = next + ahead;
                    let end = (start + 1 + (state >> 20) as u32 % 2500).min(20_000);
                    sent += 1;
                    if start >= end {
                        continue;
                    }
                    if start > next {
                        queue.insert(base + start, packet(start, end));
                    } else {
                        append(&mut stream, packet(start, end)).unwrap();
                        next = end;
                        next += queue.deliver(base + next, &mut stream).unwrap();
                    }
                    for (start, end) in queue.report().as_slice() {
                        assert!(start < end);
                    }
                    for pair in queue.blocks.windows(2) {
                        assert!(pair[0].end() < pair[1].start);
                    }
                }
                assert!(sent > 3 && queue.is_empty());
                let mut at = 0;
                for slice in stream.slices() {
                    for byte in slice.bytes() {
                        assert_eq!(*byte, byte_at(at));
                        at += 1;
                    }
                }
                assert_eq!(at, 20_000);
            }
        }

        fn reports_the_latest_first() {
            let mut queue = Reassembly::default();
            for start in [1000, 3000, 5000, 7000, 9000] {
                queue.insert(Seq(start), packet(start, start + 500));
            }
            queue.insert(Seq(3500), packet(3500, 3600));
            let report = queue.report();
            let seq = |start: u32, end: u32| (Seq(start), Seq(end));
            assert_eq!(
                report.as_slice(),
                [seq(3000, 3600), seq(9000, 9500), seq(7000, 7500), seq(5000, 5500)]
            );
            queue.insert(Seq(3100), packet(3100, 3200));
            assert_eq!(queue.report().as_slice()[..2], [seq(3100, 3200), seq(3000, 3600)]);
            assert_eq!(queue.report().as_slice()[0], seq(3000, 3600));
        }

        fn bounded() {
            let mut queue = Reassembly::default();
            for start in 0..2000 {
                queue.insert(Seq(10 + start * 2), packet(start * 2, start * 2 + 1));
            }
            assert_eq!(queue.len(), MAX_BLOCKS);
        }
    }
}

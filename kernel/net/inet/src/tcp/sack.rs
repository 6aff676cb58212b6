//! What the peer says it has beyond its acknowledgement (RFC 2018), and what follows about loss (RFC 6675).
//!
//! Ranges are sorted, disjoint and not adjacent, all above the acknowledgement. Their number is bounded: what a hostile peer reports beyond that is
//! not remembered, which costs only a retransmission.

use alloc::vec::Vec;

use super::seq::Seq;

/// Most ranges remembered.
const MAX_RANGES: usize = 512;

/// Duplicate acknowledgements, or segments' worth of data reported above a hole, that make it lost (RFC 6675).
pub const DUP_THRESH: u32 = 3;

/// The ranges.
#[derive(Default)]
pub struct Scoreboard {
    ranges: Vec<(Seq, Seq)>,
    bytes: u32,
}

impl Scoreboard {
    /// Whether nothing is reported.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Bytes reported.
    #[inline]
    #[must_use]
    pub const fn bytes(&self) -> u32 {
        self.bytes
    }

    /// The end of the last range.
    #[must_use]
    pub fn highest(&self) -> Option<Seq> {
        self.ranges.last().map(|range| range.1)
    }

    /// The start of the last range.
    #[must_use]
    pub fn last_start(&self) -> Option<Seq> {
        self.ranges.last().map(|range| range.0)
    }

    /// Adds a range; returns how many of its bytes are news.
    pub fn insert(&mut self, start: Seq, end: Seq) -> u32 {
        // Ranges from `first` to before `last` overlap or touch the new one.
        let first = self.ranges.partition_point(|range| range.1 < start);
        let last = first + self.ranges[first..].partition_point(|range| range.0 <= end);
        if first == last {
            if self.ranges.len() >= MAX_RANGES || self.ranges.try_reserve(1).is_err() {
                return 0;
            }
            self.ranges.insert(first, (start, end));
            self.bytes += end - start;
            return end - start;
        }
        let known: u32 = self.ranges[first..last].iter().map(|range| range.1 - range.0).sum();
        let merged = (self.ranges[first].0.min(start), self.ranges[last - 1].1.max(end));
        self.ranges[first] = merged;
        self.ranges.drain(first + 1..last);
        let news = (merged.1 - merged.0) - known;
        self.bytes += news;
        news
    }

    /// Everything before `una` is acknowledged.
    pub fn acked(&mut self, una: Seq) {
        let gone = self.ranges.partition_point(|range| range.1 <= una);
        for range in self.ranges.drain(..gone) {
            self.bytes -= range.1 - range.0;
        }
        if let Some(first) = self.ranges.first_mut()
            && first.0 < una
        {
            self.bytes -= una - first.0;
            first.0 = una;
        }
    }

    /// Forgets everything: the peer may have thrown it away (RFC 2018, 8).
    pub fn clear(&mut self) {
        self.ranges = Vec::new();
        self.bytes = 0;
    }

    /// Everything before this that is not reported is lost: above it more than two segments' worth, or three ranges, are reported. `None` if
    /// nothing is.
    #[must_use]
    pub fn lost_edge(&self, mss: u32) -> Option<Seq> {
        let mut above = 0;
        for (count, range) in self.ranges.iter().rev().enumerate() {
            above += range.1 - range.0;
            if above > (DUP_THRESH - 1) * mss || count + 1 >= DUP_THRESH as usize {
                return Some(range.0);
            }
        }
        None
    }

    /// Bytes from `from` to `to` that are not reported.
    #[must_use]
    pub fn missing(&self, from: Seq, to: Seq) -> u32 {
        let mut missing = to.ahead_of(from);
        let first = self.ranges.partition_point(|range| range.1 <= from);
        for range in &self.ranges[first..] {
            if range.0 >= to {
                break;
            }
            missing -= range.1.min(to) - range.0.max(from);
        }
        missing
    }

    /// The first hole from `from` on, as far as it is before `to`.
    #[must_use]
    pub fn hole(&self, from: Seq, to: Seq) -> Option<(Seq, Seq)> {
        let mut start = from;
        let first = self.ranges.partition_point(|range| range.1 <= from);
        for range in &self.ranges[first..] {
            if range.0 > start {
                return (start < to).then(|| (start, range.0.min(to)));
            }
            start = range.1;
        }
        (start < to).then_some((start, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn against_a_bitmap() {
        let base = Seq(0xffff_ff80);
        let mut board = Scoreboard::default();
        let mut map = [false; 256];
        let mut una = 0;
        let mut state = 3_u64;
        for step in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (a, b) = ((state >> 56) as usize, (state >> 48) as usize & 31);
            if step % 400 == 399 {
                board.clear();
                map = [false; 256];
                una = 0;
            } else if a < 8 && una < 200 {
                una += b;
                board.acked(base + una as u32);
                map[..una].fill(false);
            } else if a >= una && a + b < 256 && b > 0 {
                let news = map[a..a + b].iter().filter(|set| !**set).count();
                map[a..a + b].fill(true);
                assert_eq!(board.insert(base + a as u32, base + (a + b) as u32), news as u32);
            }
            assert_eq!(board.bytes() as usize, map.iter().filter(|set| **set).count());
            let (from, to) = (una.max(a), 256 - b);
            if from < to {
                let missing = map[from..to].iter().filter(|set| !**set).count();
                assert_eq!(board.missing(base + from as u32, base + to as u32) as usize, missing);
                let hole = (from..to).find(|&at| !map[at]).map(|start| {
                    let end = (start..to).find(|&at| map[at]).unwrap_or(to);
                    (base + start as u32, base + end as u32)
                });
                assert_eq!(board.hole(base + from as u32, base + to as u32), hole);
            }
        }
    }

    #[test]
    fn when_a_hole_is_lost() {
        let mut board = Scoreboard::default();
        board.insert(Seq(1000), Seq(2000));
        assert_eq!(board.lost_edge(1000), None);
        board.insert(Seq(3000), Seq(4500));
        assert_eq!(board.lost_edge(1000), Some(Seq(1000)));
        board.insert(Seq(6000), Seq(6001));
        board.insert(Seq(7000), Seq(9001));
        assert_eq!(board.lost_edge(1000), Some(Seq(7000)));
    }

    #[test]
    fn bounded() {
        let mut board = Scoreboard::default();
        for i in 0..10_000 {
            board.insert(Seq(i * 10), Seq(i * 10 + 1));
        }
        assert_eq!(board.bytes() as usize, MAX_RANGES);
    }
}

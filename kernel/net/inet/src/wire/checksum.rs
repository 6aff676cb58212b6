//! The internet checksum (RFC 1071, RFC 1624).
//!
//! Words are summed as the machine has them, little-endian, since the sum of swapped words is the swapped sum; the bytes are swapped once at the end.

/// A sum that bytes are added to, in pieces of any length.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    /// Little-endian words, carries not yet folded in.
    words: u64,
    /// The next byte is the second of a word.
    odd: bool,
}

impl Default for Sum {
    fn default() -> Self {
        Self::new()
    }
}

/// Folds carries in, to 16 bits.
#[inline]
const fn fold(mut words: u64) -> u16 {
    words = (words & 0xffff_ffff) + (words >> 32);
    words = (words & 0xffff) + (words >> 16 & 0xffff) + (words >> 32);
    words = (words & 0xffff) + (words >> 16);
    words = (words & 0xffff) + (words >> 16);
    words as u16
}

/// Sum of a piece that begins with a whole word.
#[inline]
fn sum_bytes(bytes: &[u8]) -> u64 {
    let mut total: u64 = 0;
    // Sums of 32-bit words in 64 bits cannot overflow for any length that memory has; the loop is one that compilers make vectors of.
    let (blocks, rest) = bytes.as_chunks::<16>();
    let mut lanes = [0_u64; 4];
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<4>().0) {
            *lane += u64::from(u32::from_le_bytes(*word));
        }
    }
    for lane in lanes {
        total += lane;
    }
    let (pairs, last) = rest.as_chunks::<2>();
    for pair in pairs {
        total += u64::from(u16::from_le_bytes(*pair));
    }
    if let [last] = last {
        total += u64::from(*last);
    }
    total
}

impl Sum {
    /// Nothing.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { words: 0, odd: false }
    }

    /// Adds bytes, after those that were added before.
    #[inline]
    pub fn add(&mut self, bytes: &[u8]) {
        let sum = fold(sum_bytes(bytes));
        self.words += u64::from(if self.odd { sum.swap_bytes() } else { sum });
        self.odd ^= bytes.len() % 2 == 1;
    }

    /// Adds a number, as if its two bytes had been added at an even place.
    #[inline]
    pub fn add_u16(&mut self, value: u16) {
        self.words += u64::from(value.swap_bytes());
    }

    /// Adds a number, as if its four bytes had been added at an even place.
    #[inline]
    pub fn add_u32(&mut self, value: u32) {
        self.words += u64::from(value.swap_bytes());
    }

    /// The sum, not complemented: what a header's checksum field holds before a device (or [`Sum::finish`]) completes it.
    #[inline]
    #[must_use]
    pub const fn partial(self) -> u16 {
        fold(self.words).swap_bytes()
    }

    /// The checksum. Over bytes that include a right checksum it is 0.
    #[inline]
    #[must_use]
    pub const fn finish(self) -> u16 {
        !self.partial()
    }
}

/// The checksum of bytes.
#[inline]
#[must_use]
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = Sum::new();
    sum.add(bytes);
    sum.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn plain(bytes: &[u8]) -> u16 {
        let mut sum = 0_u32;
        for pair in bytes.chunks(2) {
            sum += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&byte| u32::from(byte));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    #[test]
    fn rfc_1071() {
        assert_eq!(!checksum(&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]), 0xddf2);
    }

    #[test]
    fn every_length_and_split() {
        let bytes: Vec<u8> = (0..100_u32).map(|i| (i * i * 7 + 200) as u8).collect();
        for len in 0..bytes.len() {
            assert_eq!(checksum(&bytes[..len]), plain(&bytes[..len]));
            for split in 0..len {
                let mut sum = Sum::new();
                sum.add(&bytes[..split]);
                sum.add(&bytes[split..len]);
                assert_eq!(sum.finish(), plain(&bytes[..len]), "{split} of {len}");
            }
        }
        assert_eq!(checksum(&[0xff; 65535]), plain(&[0xff; 65535]));
    }
}

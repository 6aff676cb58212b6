//! Sequence numbers (RFC 9293, 3.4).
//!
//! They wrap. Comparison is by signed distance, which is a right order for numbers that are less than 2^31 apart, as all that a connection compares
//! are: windows are at most 2^30.

use core::cmp::Ordering;
use core::ops::{Add, AddAssign, Sub};

/// A sequence number.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Seq(pub u32);

impl Seq {
    /// The later of two.
    #[inline]
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        if other > self { other } else { self }
    }

    /// The earlier of two.
    #[inline]
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        if other < self { other } else { self }
    }

    /// How far it is ahead of `other`; 0 if it is behind.
    #[inline]
    #[must_use]
    pub fn ahead_of(self, other: Self) -> u32 {
        if self > other { self - other } else { 0 }
    }
}

impl PartialOrd for Seq {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.0.wrapping_sub(other.0).cast_signed().cmp(&0))
    }
}

impl Add<u32> for Seq {
    type Output = Self;
    #[inline]
    fn add(self, len: u32) -> Self {
        Self(self.0.wrapping_add(len))
    }
}

impl AddAssign<u32> for Seq {
    #[inline]
    fn add_assign(&mut self, len: u32) {
        self.0 = self.0.wrapping_add(len);
    }
}

impl Sub<u32> for Seq {
    type Output = Self;
    #[inline]
    fn sub(self, len: u32) -> Self {
        Self(self.0.wrapping_sub(len))
    }
}

impl Sub for Seq {
    type Output = u32;
    /// The distance from `other` on to this.
    #[inline]
    fn sub(self, other: Self) -> u32 {
        self.0.wrapping_sub(other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_wraps() {
        let late = Seq(0xffff_fff0);
        let early = Seq(5);
        assert!(late < early);
        assert_eq!(early.partial_cmp(&late), Some(Ordering::Greater));
        assert_eq!(early - late, 21);
        assert_eq!(late + 21, early);
        assert_eq!(late.max(early), early);
        assert_eq!((late.ahead_of(early), early.ahead_of(late)), (0, 21));
    }
}

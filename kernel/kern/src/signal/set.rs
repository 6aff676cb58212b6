//! Signal sets (sigsetops(3), sys/sigtypes.h): bit `n - 1` stands for signal `n`.

use super::number::{SIGKILL, SIGSTOP};
use crate::copy::{copyin, copyout};
use crate::errno::Errno;

/// A signal set. The application's has 128 bits, of which 63 mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SigSet(pub u64);

impl SigSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);

    /// SIGKILL and SIGSTOP, which cannot be blocked, caught or ignored.
    pub const UNMASKABLE: Self = Self(1 << (SIGKILL - 1) | 1 << (SIGSTOP - 1));

    /// The set of one signal.
    #[inline]
    #[must_use]
    pub const fn of(signo: i32) -> Self {
        Self(1 << (signo - 1))
    }

    /// Whether the signal is a member.
    #[inline]
    #[must_use]
    pub const fn has(self, signo: i32) -> bool {
        self.0 & Self::of(signo).0 != 0
    }

    /// Both sets' members.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The members that `other` does not have.
    #[inline]
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The members that `other` has too.
    #[inline]
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is no member.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The member with the lowest number.
    #[inline]
    #[must_use]
    pub const fn first(self) -> Option<i32> {
        if self.0 == 0 { None } else { Some(self.0.trailing_zeros().cast_signed() + 1) }
    }

    /// As a mask: what can be blocked.
    #[inline]
    #[must_use]
    pub const fn as_mask(self) -> Self {
        self.minus(Self::UNMASKABLE)
    }

    /// From a `sigset_t`'s words.
    #[inline]
    #[must_use]
    pub const fn from_words(words: [u32; 4]) -> Self {
        // Bit 63 would be signal 64, which there is none.
        Self((words[0] as u64 | (words[1] as u64) << 32) & !(1 << 63))
    }

    /// As a `sigset_t`'s words.
    #[inline]
    #[must_use]
    pub const fn to_words(self) -> [u32; 4] {
        [self.0 as u32, (self.0 >> 32) as u32, 0, 0]
    }

    /// Reads the application's `sigset_t`.
    ///
    /// # Errors
    /// EFAULT.
    pub fn copyin(addr: usize) -> Result<Self, Errno> {
        Ok(Self::from_words(copyin(addr)?))
    }

    /// Writes a `sigset_t` to the application.
    ///
    /// # Errors
    /// EFAULT.
    pub fn copyout(self, addr: usize) -> Result<(), Errno> {
        copyout(&self.to_words(), addr)
    }
}

#[cfg(test)]
mod tests {
    use super::SigSet;

    #[test]
    fn numbers_map_to_bits() {
        let set = SigSet::of(1).union(SigSet::of(33)).union(SigSet::of(63));
        assert_eq!(set.to_words(), [1, 1 | 1 << 30, 0, 0]);
        assert_eq!(SigSet::from_words(set.to_words()), set);
        assert_eq!(set.minus(SigSet::of(1)).first(), Some(33));
        assert!(!set.has(2) && set.has(63));
    }

    #[test]
    fn there_is_no_signal_64() {
        assert_eq!(SigSet::from_words([0, 1 << 31, u32::MAX, u32::MAX]), SigSet::EMPTY);
    }

    #[test]
    fn kill_and_stop_cannot_be_blocked() {
        let mask = SigSet::from_words([u32::MAX; 4]).as_mask();
        assert!(!mask.has(9) && !mask.has(17) && mask.has(15));
    }
}

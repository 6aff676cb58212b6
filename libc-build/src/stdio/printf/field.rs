//! A field: a prefix, zeros, digits and zeros, put to the left or right of a width.

use super::out::Out;
use super::spec::{LEFT, PLUS, SPACE};

/// What a conversion has come to when its argument was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// The flags.
    pub flags: u8,
    /// The least width.
    pub width: usize,
    /// The precision.
    pub precision: Option<usize>,
}

impl Style {
    /// Whether a flag is there.
    #[inline]
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The sign to write in front of a number.
    #[inline]
    pub fn sign(&self, negative: bool) -> &'static [u8] {
        if negative {
            b"-"
        } else if self.has(PLUS) {
            b"+"
        } else if self.has(SPACE) {
            b" "
        } else {
            b""
        }
    }

    /// Writes the blanks that stand before `len` characters.
    #[inline]
    pub fn before(&self, out: &mut Out, len: usize) {
        if len < self.width && !self.has(LEFT) {
            out.fill(b' ', self.width - len);
        }
    }

    /// Writes the blanks that stand behind `len` characters.
    #[inline]
    pub fn behind(&self, out: &mut Out, len: usize) {
        if len < self.width && self.has(LEFT) {
            out.fill(b' ', self.width - len);
        }
    }
}

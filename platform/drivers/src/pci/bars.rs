//! Base address registers: where a function's own registers are (PCI 3.0, 6.2.5.1).

use super::{Device, MEMORY};

/// A range of memory addresses that a function answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Physical address; 0 if firmware has assigned none.
    pub start: u64,
    /// Bytes, a power of two.
    pub len: u64,
    /// The register has 64 bits.
    pub is_wide: bool,
}

/// The first register.
const FIRST: u8 = 0x10;
/// Registers of a function that is no bridge.
const COUNT: u8 = 6;
const IO: u32 = 1;
const WIDE: u32 = 0b100;
const KIND: u32 = 0b110;
const FLAGS: u32 = 0xf;

impl Device<'_> {
    /// A range of memory addresses by its register's number; `None` if it is none.
    #[must_use]
    pub fn bar(&self, number: u8) -> Option<Bar> {
        if number >= COUNT {
            return None;
        }
        let at = FIRST + 4 * number;
        let low = self.read(at);
        let is_wide = low & KIND == WIDE;
        if low & IO != 0 || (is_wide && number + 1 == COUNT) {
            return None;
        }
        let high = if is_wide { self.read(at + 4) } else { 0 };
        // The length shows in the bits that cannot be set; meanwhile the function must not answer at addresses that are somebody else's.
        self.command(0, MEMORY);
        self.write(at, u32::MAX);
        let mut mask = u64::from(self.read(at) & !FLAGS) | 0xffff_ffff_0000_0000;
        self.write(at, low);
        if is_wide {
            self.write(at + 4, u32::MAX);
            mask = mask & 0xffff_ffff | u64::from(self.read(at + 4)) << 32;
            self.write(at + 4, high);
        }
        let is_there = mask & 0xffff_fff0 != 0 || (is_wide && mask != 0);
        is_there.then(|| Bar {
            start: u64::from(high) << 32 | u64::from(low & !FLAGS),
            len: 1 << mask.trailing_zeros(),
            is_wide,
        })
    }

    /// Gives a range another address.
    pub fn set_bar(&self, number: u8, start: u64) {
        let at = FIRST + 4 * number;
        let is_wide = self.read(at) & KIND == WIDE;
        self.write(at, start as u32);
        if is_wide {
            self.write(at + 4, (start >> 32) as u32);
        }
    }

    /// The numbers of the registers that begin a range.
    pub fn bars(&self) -> impl Iterator<Item = (u8, Bar)> {
        let mut number = 0;
        core::iter::from_fn(move || {
            while number < COUNT {
                let this = number;
                let bar = self.bar(this);
                number += 1 + u8::from(bar.is_some_and(|bar| bar.is_wide));
                if let Some(bar) = bar {
                    return Some((this, bar));
                }
            }
            None
        })
    }
}

//! A natural number of bounded size, for what does not fit a word: the quotient of two such numbers, rounded to a binary format.
//!
//! Only what the conversion of decimal texts to long double needs. The size bounds the longest text that can matter: [`DIGITS_MAX`]
//! digits decide the rounding of any 80-bit number, and what follows them only counts as "a little more".

use super::binary::{Format, Rounded};

/// Digits that can decide a rounding: a number halfway between two long doubles has no more than this.
pub(crate) const DIGITS_MAX: usize = 11_600;
/// Words of a number: 10^(4,951 + 11,600 digits) has 54,981 bits, and a few bits of headroom.
const WORDS: usize = 862;
/// The greatest power of ten in a word, and its exponent.
const CHUNK: (u64, u32) = (10_000_000_000_000_000_000, 19);

/// A natural number, least significant word first.
pub(crate) struct Big {
    words: [u64; WORDS],
    len: usize,
}

impl Big {
    /// The number zero or one word.
    pub const fn new(value: u64) -> Self {
        let mut words = [0; WORDS];
        words[0] = value;
        Self { words, len: if value == 0 { 0 } else { 1 } }
    }

    /// Multiplies by `factor`, then adds `term`. The caller keeps within the size.
    pub fn multiply_add(&mut self, factor: u64, term: u64) {
        let mut carry = term;
        for word in &mut self.words[..self.len] {
            let part = u128::from(*word) * u128::from(factor) + u128::from(carry);
            *word = part as u64;
            carry = (part >> 64) as u64;
        }
        if carry != 0 {
            self.words[self.len] = carry;
            self.len += 1;
        }
    }

    /// Multiplies by a power of ten.
    pub fn multiply_power_of_ten(&mut self, mut exponent: u32) {
        while exponent >= CHUNK.1 {
            self.multiply_add(CHUNK.0, 0);
            exponent -= CHUNK.1;
        }
        self.multiply_add(10u64.pow(exponent), 0);
    }

    /// Its length in bits.
    fn bits(&self) -> usize {
        match self.len {
            0 => 0,
            len => len * 64 - self.words[len - 1].leading_zeros() as usize,
        }
    }

    /// Multiplies by a power of two.
    fn shift_left(&mut self, bits: usize) {
        let (whole, part) = (bits / 64, bits % 64);
        if self.len == 0 {
            return;
        }
        self.words.copy_within(..self.len, whole);
        self.words[..whole].fill(0);
        self.len += whole;
        if part != 0 {
            let mut carry = 0;
            for word in &mut self.words[whole..self.len] {
                let high = *word >> (64 - part);
                *word = *word << part | carry;
                carry = high;
            }
            if carry != 0 {
                self.words[self.len] = carry;
                self.len += 1;
            }
        }
    }

    /// Whether it is at least `other`.
    fn at_least(&self, other: &Self) -> bool {
        if self.len != other.len {
            return self.len > other.len;
        }
        for (mine, its) in self.words[..self.len].iter().zip(&other.words[..self.len]).rev() {
            if mine != its {
                return mine > its;
            }
        }
        true
    }

    /// Subtracts `other`, which is not greater.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (i, word) in self.words[..self.len].iter_mut().enumerate() {
            let theirs = if i < other.len { other.words[i] } else { 0 };
            let (part, first) = word.overflowing_sub(theirs);
            let (part, second) = part.overflowing_sub(u64::from(borrow));
            *word = part;
            borrow = first || second;
        }
        while self.len > 0 && self.words[self.len - 1] == 0 {
            self.len -= 1;
        }
    }
}

/// Rounds `numerator / denominator`, both positive, to a format. Destroys both.
pub(crate) fn quotient(numerator: &mut Big, denominator: &mut Big, format: Format) -> Rounded {
    // Both are brought to the same length, so that the quotient lies between 1/2 and 2.
    let (over, under) = (numerator.bits(), denominator.bits());
    let mut exponent = over as i64 - under as i64;
    if over > under {
        denominator.shift_left(over - under);
    } else {
        numerator.shift_left(under - over);
    }
    if !numerator.at_least(denominator) {
        numerator.shift_left(1);
        exponent -= 1;
    }
    // One bit of the quotient per step; two more than the widest mantissa has.
    let mut bits = 0u128;
    for i in 0..66 {
        if i != 0 {
            numerator.shift_left(1);
        }
        bits <<= 1;
        if numerator.at_least(denominator) {
            numerator.subtract(denominator);
            bits |= 1;
        }
    }
    format.round(bits, exponent - 65, numerator.len != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::binary::DOUBLE;

    #[test]
    fn quotients_are_rounded() {
        for (a, b) in [(1u64, 3u64), (2, 3), (10, 1), (1, 1), (u64::MAX, 7), (7, u64::MAX), (1 << 60, 1 << 3)]
        {
            let it = quotient(&mut Big::new(a), &mut Big::new(b), DOUBLE).double(false);
            // Both operands are exact in a double only when small; for the others the expected value follows from u128.
            let scaled = ((u128::from(a)) << 63) / u128::from(b);
            let expected = DOUBLE.round(scaled, -63, ((u128::from(a)) << 63) % u128::from(b) != 0);
            if scaled >> 60 != 0 {
                assert_eq!(it, expected.double(false), "{a}/{b}");
            }
        }
    }

    #[test]
    fn powers_of_ten() {
        let mut ten = Big::new(1);
        ten.multiply_power_of_ten(300);
        assert_eq!(quotient(&mut ten, &mut Big::new(1), DOUBLE).double(false), 1e300);
        let mut ten = Big::new(1);
        ten.multiply_power_of_ten(300);
        assert_eq!(quotient(&mut Big::new(1), &mut ten, DOUBLE).double(false), 1e-300);
    }
}

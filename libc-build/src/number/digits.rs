//! From a binary number to its decimal digits, exactly.
//!
//! A finite binary floating-point number `m · 2^e` has a finite decimal expansion. The integer part is divided by 10^19 again and again, the
//! fraction is multiplied by 10^19 again and again; both yield 19 digits per step. As many digits are made as are asked for,
//! and what is left of the fraction decides the rounding, so that any precision is exact.

/// 10^19, the greatest power of ten in a word.
const CHUNK: u64 = 10_000_000_000_000_000_000;
/// The digits in a chunk.
const CHUNK_DIGITS: usize = 19;

/// Words of working space that a double needs: 1,074 fraction bits or 1,024 integer bits.
pub(crate) const WORK_DOUBLE: usize = 19;
/// Digits that a double can have, and the last chunk's excess.
pub(crate) const DIGITS_DOUBLE: usize = 808;
/// Words of working space that a long double needs: 16,445 fraction bits or 16,384 integer bits.
pub(crate) const WORK_LONG_DOUBLE: usize = 260;
/// Digits that a long double can have, and the last chunk's excess.
pub(crate) const DIGITS_LONG_DOUBLE: usize = 11_560;

/// Where the digits end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// After so many significant digits.
    Significant(usize),
    /// After so many digits behind the decimal point.
    Fraction(usize),
}

/// A decimal number: `0.d₁d₂d₃… · 10^point`, the digits in the buffer given to [`decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    /// How many digits there are; neither the first nor the last is a zero. None for the number zero.
    pub len: usize,
    /// The digits before the decimal point, or, negative, the zeros behind it.
    pub point: i32,
}

/// Appends the 19 digits of `chunk` to `out` at `len`, without zeros in front where nothing stands before them.
/// Returns the new length and how many zeros were left out.
fn push_chunk(out: &mut [u8], len: usize, chunk: u64) -> (usize, usize) {
    let mut text = [b'0'; CHUNK_DIGITS];
    let mut rest = chunk;
    let mut i = CHUNK_DIGITS;
    while rest != 0 {
        i -= 1;
        text[i] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let skip = if len == 0 { i } else { 0 };
    let digits = &text[skip..];
    out[len..len + digits.len()].copy_from_slice(digits);
    (len + digits.len(), skip)
}

/// Divides the number in `words` (least significant word first) by 10^19; returns the remainder.
fn divide_chunk(words: &mut [u64]) -> u64 {
    let mut rest = 0u64;
    for word in words.iter_mut().rev() {
        let part = u128::from(rest) << 64 | u128::from(*word);
        *word = (part / u128::from(CHUNK)) as u64;
        rest = (part % u128::from(CHUNK)) as u64;
    }
    rest
}

/// Writes the digits of the integer `m · 2^e` to `out`; returns how many.
fn integer_digits(m: u64, e: u32, work: &mut [u64], out: &mut [u8]) -> usize {
    if e == 0 || e <= m.leading_zeros() {
        return push_chunk_pair(out, m << e);
    }
    let (low, shift) = ((e / 64) as usize, e % 64);
    let wide = u128::from(m) << shift;
    work[..low].fill(0);
    work[low] = wide as u64;
    work[low + 1] = (wide >> 64) as u64;
    let mut len = low + 2;
    // The chunks come least significant first: they are written from the end of the buffer, then moved to its front.
    let mut start = out.len();
    loop {
        while len > 0 && work[len - 1] == 0 {
            len -= 1;
        }
        if len == 0 {
            break;
        }
        let mut rest = divide_chunk(&mut work[..len]);
        for _ in 0..CHUNK_DIGITS {
            start -= 1;
            out[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
    while start < out.len() && out[start] == b'0' {
        start += 1;
    }
    let count = out.len() - start;
    out.copy_within(start.., 0);
    count
}

/// Writes the digits of a word, which may be 20; returns how many.
fn push_chunk_pair(out: &mut [u8], value: u64) -> usize {
    let (len, _) = if value >= CHUNK { push_chunk(out, 0, value / CHUNK) } else { (0, 0) };
    if value == 0 { 0 } else { push_chunk(out, len, value % CHUNK).0 }
}

/// The fraction still to be turned into digits: `words · 2^(-64 · words)`, least significant word first.
struct Rest<'a> {
    /// All its words, of which those below `low` and from `high` on are zero.
    words: &'a mut [u64],
    /// The lowest word that is not zero.
    low: usize,
    /// The end of the highest words that are not zero.
    high: usize,
}

impl Rest<'_> {
    /// Whether nothing is left.
    fn is_zero(&self) -> bool {
        self.low >= self.high
    }

    /// Takes the next 19 digits.
    fn next_chunk(&mut self) -> u64 {
        let mut carry = 0u64;
        for word in &mut self.words[self.low..self.high] {
            let part = u128::from(*word) * u128::from(CHUNK) + u128::from(carry);
            *word = part as u64;
            carry = (part >> 64) as u64;
        }
        if self.high < self.words.len() {
            if carry != 0 {
                self.words[self.high] = carry;
                self.high += 1;
            }
            carry = 0;
        }
        while self.low < self.high && self.words[self.low] == 0 {
            self.low += 1;
        }
        carry
    }
}

/// Writes the decimal digits of `m · 2^e`, rounded at `cut`, to `out`.
///
/// `work` and `out` have the sizes that this file names for the number's type.
pub(crate) fn decimal(m: u64, e: i32, cut: Cut, work: &mut [u64], out: &mut [u8]) -> Decimal {
    if m == 0 {
        return Decimal { len: 0, point: 0 };
    }
    let below = usize::try_from(-e).unwrap_or(0);
    let (mut len, mut point);
    let mut rest = Rest { words: &mut [], low: 0, high: 0 };
    if e >= 0 {
        len = integer_digits(m, e as u32, work, out);
        point = len as i32;
    } else {
        let integer = if below < 64 { m >> below } else { 0 };
        len = push_chunk_pair(out, integer);
        point = len as i32;
        let fraction = if below < 64 { m & ((1 << below) - 1) } else { m };
        let count = below.div_ceil(64);
        let placed = u128::from(fraction) << (count * 64 - below);
        let words = &mut work[..count];
        words.fill(0);
        words[0] = placed as u64;
        let mut high = 1;
        if count > 1 {
            words[1] = (placed >> 64) as u64;
            high = 2;
        }
        rest = Rest { words, low: 0, high };
        while rest.low < rest.high && rest.words[rest.low] == 0 {
            rest.low += 1;
        }
    }
    // Digits are made until the one behind the cut is there too.
    loop {
        let have = match cut {
            Cut::Significant(count) => len > count,
            Cut::Fraction(count) => len as i64 - i64::from(point) > count as i64,
        };
        if have || rest.is_zero() {
            break;
        }
        let chunk = rest.next_chunk();
        if len == 0 && chunk == 0 {
            point -= CHUNK_DIGITS as i32;
            if let Cut::Fraction(count) = cut
                && i64::from(-point) > count as i64 + 1
            {
                // Zeros beyond the cut and one more: whatever follows, it is less than a half.
                return Decimal { len: 0, point: 0 };
            }
            continue;
        }
        let (longer, skipped) = push_chunk(out, len, chunk);
        if len == 0 {
            point -= skipped as i32;
        }
        len = longer;
    }
    let end = match cut {
        Cut::Significant(count) => count as i64,
        Cut::Fraction(count) => i64::from(point) + count as i64,
    };
    round(out, len, point, end, !rest.is_zero())
}

/// Rounds the digits in `out` to the first `end` of them; `sticky` says that more than the digits there follow.
fn round(out: &mut [u8], mut len: usize, mut point: i32, end: i64, sticky: bool) -> Decimal {
    if end < 0 {
        return Decimal { len: 0, point: 0 };
    }
    let end = end as usize;
    if end < len {
        let odd = end > 0 && out[end - 1] & 1 == 1;
        let more = sticky || out[end + 1..len].iter().any(|&digit| digit != b'0');
        let up = match out[end] {
            b'5' => more || odd,
            digit => digit > b'5',
        };
        len = end;
        if up {
            while len > 0 && out[len - 1] == b'9' {
                len -= 1;
            }
            if len == 0 {
                out[0] = b'1';
                len = 1;
                point += 1;
            } else {
                out[len - 1] += 1;
            }
        }
    }
    while len > 0 && out[len - 1] == b'0' {
        len -= 1;
    }
    if len == 0 { Decimal { len: 0, point: 0 } } else { Decimal { len, point } }
}

/// Writes `value` in decimal to the end of `buffer`; returns where the digits begin. Zero has no digits.
#[inline]
pub(crate) fn decimal_word(mut value: u64, buffer: &mut [u8; 64]) -> usize {
    let mut at = buffer.len();
    while value >= 100 {
        let pair = (value % 100) as u8;
        value /= 100;
        at -= 2;
        buffer[at] = b'0' + pair / 10;
        buffer[at + 1] = b'0' + pair % 10;
    }
    while value != 0 {
        at -= 1;
        buffer[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(x: f64, cut: Cut) -> (String, i32) {
        let (m, e) = crate::number::binary::split_double(x);
        let mut work = [0; WORK_DOUBLE];
        let mut out = [0; DIGITS_DOUBLE];
        let it = decimal(m, e, cut, &mut work, &mut out);
        (String::from_utf8(out[..it.len].to_vec()).unwrap(), it.point)
    }

    #[test]
    fn simple_numbers() {
        assert_eq!(of(1.0, Cut::Significant(17)), ("1".into(), 1));
        assert_eq!(of(0.5, Cut::Fraction(0)), (String::new(), 0));
        assert_eq!(of(1.5, Cut::Fraction(0)), ("2".into(), 1));
        assert_eq!(of(2.5, Cut::Fraction(0)), ("2".into(), 1));
        assert_eq!(of(9.5, Cut::Fraction(0)), ("1".into(), 2));
        assert_eq!(of(0.1, Cut::Significant(20)), ("10000000000000000555".into(), 0));
        assert_eq!(of(1e22, Cut::Significant(30)), ("1".into(), 23));
        assert_eq!(of(0.0, Cut::Significant(3)), (String::new(), 0));
    }

    #[test]
    fn the_longest_double_fits() {
        let tiniest_normal_below = f64::from_bits(0x000f_ffff_ffff_ffff);
        let (digits, point) = of(tiniest_normal_below, Cut::Significant(5000));
        assert_eq!((digits.len(), point), (767, -307));
        assert_eq!(of(f64::MAX, Cut::Significant(5000)).0.len(), 309);
    }

    #[test]
    fn the_longest_long_double_fits() {
        let mut work = [0; WORK_LONG_DOUBLE];
        let mut out = vec![0; DIGITS_LONG_DOUBLE];
        let it = decimal(u64::MAX, -16445, Cut::Significant(50_000), &mut work, &mut out);
        assert!(it.len > 11_000);
        let it = decimal(u64::MAX, 16383 - 63, Cut::Significant(50_000), &mut work, &mut out);
        assert_eq!(it.len, 4932);
    }
}

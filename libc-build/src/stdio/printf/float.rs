//! The floating-point conversions: a e f g and their capitals, for double and long double, exact in every digit.

use super::field::Style;
use super::integer::{LOWER, UPPER, put_grouped};
use super::out::Out;
use super::spec::{ALTERNATIVE, GROUPED, LEFT, ZERO};
use crate::number::binary::{Class, class_double};
use crate::number::digits::{
    Cut, DIGITS_DOUBLE, DIGITS_LONG_DOUBLE, Decimal, WORK_DOUBLE, WORK_LONG_DOUBLE, decimal, decimal_word,
};
use crate::va::LongDouble;

/// The number to be written: its sign apart.
struct Number {
    negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// How a conversion writes its letters.
fn is_upper(conversion: u8) -> bool {
    conversion.is_ascii_uppercase()
}

/// Writes a double.
pub(crate) fn double(out: &mut Out, style: Style, conversion: u8, x: f64, separator: Option<u8>) {
    let negative = x.is_sign_negative();
    let Some(number) = finite(out, style, conversion, negative, class_double(x)) else { return };
    if conversion | 0x20 == b'a' {
        return hexadecimal(out, style, conversion, &number);
    }
    let mut work = [0; WORK_DOUBLE];
    let mut digits = [0; DIGITS_DOUBLE];
    decimal_notation(out, style, conversion, &number, separator, &mut work, &mut digits);
}

/// Writes a long double. Apart from [`double`], since it needs much more stack.
#[inline(never)]
pub(crate) fn long_double(out: &mut Out, style: Style, conversion: u8, x: LongDouble, separator: Option<u8>) {
    let Some(number) = finite(out, style, conversion, x.is_negative(), x.class()) else { return };
    if conversion | 0x20 == b'a' {
        return hexadecimal(out, style, conversion, &number);
    }
    let mut work = [0; WORK_LONG_DOUBLE];
    let mut digits = [0; DIGITS_LONG_DOUBLE];
    decimal_notation(out, style, conversion, &number, separator, &mut work, &mut digits);
}

/// The number if it is finite; otherwise its name is written.
fn finite(out: &mut Out, style: Style, conversion: u8, negative: bool, class: Class) -> Option<Number> {
    let name: &[u8] = match (class, is_upper(conversion)) {
        (Class::Finite(mantissa, exponent), _) => return Some(Number { negative, mantissa, exponent }),
        (Class::Infinite, false) => b"inf",
        (Class::Infinite, true) => b"INF",
        (Class::Nan, false) => b"nan",
        (Class::Nan, true) => b"NAN",
    };
    // A NaN's sign says nothing, and is not written.
    let sign = if class == Class::Nan { b"" } else { style.sign(negative) };
    let len = sign.len() + name.len();
    style.before(out, len);
    out.put(sign);
    out.put(name);
    style.behind(out, len);
    None
}

/// Writes the parts of a number, the zeros of the flag `0` behind the prefix.
fn framed(out: &mut Out, style: Style, sign: &[u8], prefix: &[u8], len: usize, body: impl FnOnce(&mut Out)) {
    let len = sign.len() + prefix.len() + len;
    let zeros = style.has(ZERO) && !style.has(LEFT);
    if !zeros {
        style.before(out, len);
    }
    out.put(sign);
    out.put(prefix);
    if zeros {
        out.fill(b'0', style.width.saturating_sub(len));
    }
    body(out);
    style.behind(out, len);
}

/// Chooses between the notations of e, f and g, and writes the number.
fn decimal_notation(
    out: &mut Out,
    style: Style,
    conversion: u8,
    number: &Number,
    separator: Option<u8>,
    work: &mut [u64],
    digits: &mut [u8],
) {
    let precision = style.precision.unwrap_or(6);
    let separator = if style.has(GROUPED) { separator } else { None };
    let (m, e) = (number.mantissa, number.exponent);
    match conversion | 0x20 {
        b'f' => {
            let it = decimal(m, e, Cut::Fraction(precision), work, digits);
            fixed(out, style, number.negative, it, precision, digits, separator);
        }
        b'e' => {
            let it = decimal(m, e, Cut::Significant(precision.saturating_add(1)), work, digits);
            scientific(out, style, conversion, number.negative, it, precision, digits);
        }
        _ => {
            let precision = precision.max(1);
            let it = decimal(m, e, Cut::Significant(precision), work, digits);
            let exponent = if it.len == 0 { 0 } else { it.point - 1 };
            // The digits that stand behind the point: all of the precision with the flag `#`, otherwise those that are not zero.
            let kept = if style.has(ALTERNATIVE) { precision } else { it.len.max(1) };
            if exponent < -4 || i64::from(exponent) >= precision as i64 {
                let letter = conversion - 2;
                scientific(out, style, letter, number.negative, it, kept - 1, digits);
            } else {
                let behind = (kept as i64 - 1 - i64::from(exponent)).max(0) as usize;
                fixed(out, style, number.negative, it, behind, digits, separator);
            }
        }
    }
}

/// Writes `ddd.ddd`.
fn fixed(
    out: &mut Out,
    style: Style,
    negative: bool,
    it: Decimal,
    precision: usize,
    digits: &[u8],
    separator: Option<u8>,
) {
    let digits = &digits[..it.len];
    let before = usize::try_from(it.point).unwrap_or(0);
    let (integer, fraction) = digits.split_at(before.min(digits.len()));
    // Zeros between the last digit and the point, and between the point and the first digit.
    let zeros = before - integer.len();
    let gap = usize::try_from(-it.point).unwrap_or(0).min(precision);
    let has_point = precision != 0 || style.has(ALTERNATIVE);
    let separators = separator.map_or(0, |_| before.saturating_sub(1) / 3);
    let len = before.max(1) + separators + usize::from(has_point) + precision;
    framed(out, style, style.sign(negative), b"", len, |out| {
        if before == 0 {
            out.put_byte(b'0');
        }
        match separator {
            Some(separator) if separators != 0 => grouped_integer(out, integer, zeros, separator),
            _ => {
                out.put(integer);
                out.fill(b'0', zeros);
            }
        }
        if has_point {
            out.put_byte(b'.');
        }
        let gap = if fraction.is_empty() { 0 } else { gap };
        out.fill(b'0', gap);
        out.put(fraction);
        out.fill(b'0', precision - gap - fraction.len());
    });
}

/// Writes digits and then zeros, in groups of three.
fn grouped_integer(out: &mut Out, integer: &[u8], zeros: usize, separator: u8) {
    if zeros == 0 {
        return put_grouped(out, integer, separator);
    }
    let len = integer.len() + zeros;
    for i in 0..len {
        if i != 0 && (len - i).is_multiple_of(3) {
            out.put_byte(separator);
        }
        out.put_byte(integer.get(i).copied().unwrap_or(b'0'));
    }
}

/// Writes an exponent's letter, sign and digits, of which there are at least `least`, to `buffer`; returns the length.
fn exponent_text(buffer: &mut [u8; 8], letter: u8, exponent: i32, least: usize) -> usize {
    let mut digits = [b'0'; 64];
    let at = decimal_word(exponent.unsigned_abs().into(), &mut digits).min(64 - least);
    // `decimal_word` leaves what it does not write untouched: zeros.
    buffer[0] = letter;
    buffer[1] = if exponent < 0 { b'-' } else { b'+' };
    let text = &digits[at..];
    buffer[2..2 + text.len()].copy_from_slice(text);
    2 + text.len()
}

/// Writes `d.ddde±dd`.
fn scientific(
    out: &mut Out,
    style: Style,
    letter: u8,
    negative: bool,
    it: Decimal,
    precision: usize,
    digits: &[u8],
) {
    let digits = &digits[..it.len];
    let exponent = if it.len == 0 { 0 } else { it.point - 1 };
    let mut tail = [0; 8];
    let tail_len = exponent_text(&mut tail, letter, exponent, 2);
    let has_point = precision != 0 || style.has(ALTERNATIVE);
    let len = 1 + usize::from(has_point) + precision + tail_len;
    framed(out, style, style.sign(negative), b"", len, |out| {
        let (first, rest) = digits.split_at(digits.len().min(1));
        out.put(if first.is_empty() { b"0" } else { first });
        if has_point {
            out.put_byte(b'.');
        }
        out.put(rest);
        out.fill(b'0', precision - rest.len());
        out.put(&tail[..tail_len]);
    });
}

/// Writes `0xh.hhhp±d`; the digit before the point is 1, save for zero, so that the exponent is the number's own.
fn hexadecimal(out: &mut Out, style: Style, conversion: u8, number: &Number) {
    let letters = if is_upper(conversion) { UPPER } else { LOWER };
    let mut mantissa = number.mantissa;
    let mut exponent = 0;
    let mut first = 0u64;
    if mantissa != 0 {
        let shift = mantissa.leading_zeros();
        exponent = number.exponent + 63 - shift as i32;
        // The top bit is the digit before the point, the 63 bits below are moved up for the digits behind it.
        first = 1;
        mantissa = if shift == 63 { 0 } else { mantissa << (shift + 1) };
    }
    // `mantissa` holds the 16 hexadecimal digits behind the point.
    let precision = style.precision.unwrap_or(16 - (mantissa.trailing_zeros() / 4).min(16) as usize);
    if precision < 16 {
        let drop = 64 - 4 * precision as u32;
        let (kept, rest) =
            if drop == 64 { (0, mantissa) } else { (mantissa >> drop, mantissa << (64 - drop)) };
        let odd = if precision == 0 { first & 1 } else { kept & 1 } == 1;
        let half = 1 << 63;
        let up = rest > half || (rest == half && odd);
        let sum = kept + u64::from(up);
        if drop == 64 {
            first += sum;
            mantissa = 0;
        } else {
            // A carry out of the digits goes into the one before the point.
            first += sum >> (64 - drop);
            mantissa = sum << drop;
        }
    }
    let mut tail = [0; 8];
    let letter = if is_upper(conversion) { b'P' } else { b'p' };
    let tail_len = exponent_text(&mut tail, letter, exponent, 1);
    let has_point = precision != 0 || style.has(ALTERNATIVE);
    let len = 1 + usize::from(has_point) + precision + tail_len;
    let prefix: &[u8] = if is_upper(conversion) { b"0X" } else { b"0x" };
    framed(out, style, style.sign(number.negative), prefix, len, |out| {
        out.put_byte(letters[first as usize & 15]);
        if has_point {
            out.put_byte(b'.');
        }
        let mut digits = [0; 16];
        for (i, digit) in digits.iter_mut().enumerate() {
            *digit = letters[(mantissa >> (60 - 4 * i)) as usize & 15];
        }
        out.put(&digits[..precision.min(16)]);
        out.fill(b'0', precision.saturating_sub(16));
        out.put(&tail[..tail_len]);
    });
}

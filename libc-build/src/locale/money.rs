//! Amounts of money as text: strfmon(3).

use super::Locale;
use super::category::global;
use super::conv::{Conventions, of};
use crate::errno::{self, E2BIG, EINVAL};
use crate::number::binary::{Class, class_double};
use crate::number::digits::{Cut, DIGITS_DOUBLE, Decimal, WORK_DOUBLE, decimal};
use crate::stdio::printf::Out;
use crate::va::VaList;
use core::ffi::{CStr, c_char};

/// A conversion specification of strfmon(3).
#[derive(Clone, Copy)]
struct Spec {
    /// `=`: what fills up to the left precision.
    fill: u8,
    /// `^`: no groups.
    is_ungrouped: bool,
    /// `(`: negative amounts in parentheses.
    has_parentheses: bool,
    /// `!`: no currency.
    is_bare: bool,
    /// `-`: to the left.
    is_left: bool,
    /// The field's least width.
    width: usize,
    /// `#`: digits before the point.
    left: Option<usize>,
    /// `.`: digits behind the point.
    right: Option<usize>,
    /// `i`: the international form.
    is_international: bool,
}

/// Reads a number at the beginning of a text.
fn number(text: &mut &[u8]) -> usize {
    let mut value = 0usize;
    while let [digit @ b'0'..=b'9', rest @ ..] = text {
        value = (value * 10 + usize::from(digit - b'0')).min(100_000);
        *text = rest;
    }
    value
}

/// Reads the specification behind a `%`; `Some(None)` is a percent sign.
fn parse(text: &mut &[u8]) -> Option<Option<Spec>> {
    let mut spec = Spec {
        fill: b' ',
        is_ungrouped: false,
        has_parentheses: false,
        is_bare: false,
        is_left: false,
        width: 0,
        left: None,
        right: None,
        is_international: false,
    };
    loop {
        match *text {
            [b'=', fill, rest @ ..] => {
                spec.fill = *fill;
                *text = rest;
                continue;
            }
            [b'^', ..] => spec.is_ungrouped = true,
            [b'(', ..] => spec.has_parentheses = true,
            [b'!', ..] => spec.is_bare = true,
            [b'-', ..] => spec.is_left = true,
            [b'+', ..] => spec.has_parentheses = false,
            _ => break,
        }
        *text = &text[1..];
    }
    spec.width = number(text);
    if let [b'#', rest @ ..] = *text {
        *text = rest;
        spec.left = Some(number(text));
    }
    if let [b'.', rest @ ..] = *text {
        *text = rest;
        spec.right = Some(number(text));
    }
    let (&conversion, rest) = text.split_first()?;
    *text = rest;
    match conversion {
        b'%' => Some(None),
        b'n' => Some(Some(spec)),
        b'i' => Some(Some(Spec { is_international: true, ..spec })),
        _ => None,
    }
}

/// The bytes of a member.
fn text(member: *const c_char) -> &'static [u8] {
    // SAFETY: the members are constant strings.
    unsafe { CStr::from_ptr(member) }.to_bytes()
}

/// A member that is a number, if the locale has it.
fn digit(conventions: &Conventions, index: usize) -> Option<u8> {
    conventions.digits.get(index).copied().filter(|&value| value != c_char::MAX as u8)
}

/// Writes the digits of an amount, without sign and currency.
fn amount(out: &mut Out, spec: Spec, conventions: &Conventions, digits: &[u8], it: Decimal, right: usize) {
    let before = usize::try_from(it.point).unwrap_or(0).max(1);
    let point = text(conventions.mon_decimal_point).first().copied().unwrap_or(b'.');
    let separator = text(conventions.mon_thousands_sep).first().copied().filter(|_| !spec.is_ungrouped);
    // A digit's place counts from the point; the fill takes the places that the left precision asks for beyond the digits.
    let places = spec.left.unwrap_or(0).max(before);
    for place in (0..places).rev() {
        let is_digit = place < before;
        let index = it.point - 1 - place as i32;
        let digit = usize::try_from(index).ok().and_then(|index| digits.get(index)).copied().unwrap_or(b'0');
        out.put_byte(if is_digit { digit } else { spec.fill });
        if let Some(separator) = separator.filter(|_| place != 0 && place % 3 == 0) {
            out.put_byte(if is_digit { separator } else { spec.fill });
        }
    }
    if right != 0 {
        out.put_byte(point);
        for place in 0..right {
            let index = usize::try_from(it.point + place as i32).ok();
            out.put_byte(index.and_then(|index| digits.get(index)).copied().unwrap_or(b'0'));
        }
    }
}

/// Writes an amount with its currency and sign, as the conventions order them.
fn money(out: &mut Out, spec: Spec, conventions: &Conventions, value: f64) {
    let Class::Finite(mantissa, exponent) = class_double(value) else {
        out.error = EINVAL;
        return;
    };
    let right = spec
        .right
        .unwrap_or_else(|| usize::from(digit(conventions, usize::from(!spec.is_international)).unwrap_or(2)));
    let mut digits = [0; DIGITS_DOUBLE];
    let it = decimal(mantissa, exponent, Cut::Fraction(right), &mut [0; WORK_DOUBLE], &mut digits);
    let digits = &digits[..it.len];
    let is_negative = value.is_sign_negative() && it.len != 0;
    // cs_precedes and sep_by_space of positive and negative amounts, national and international (see `Conventions::digits`).
    let (precedes, spaced) = match (spec.is_international, is_negative) {
        (false, false) => (2, 3),
        (false, true) => (4, 5),
        (true, false) => (8, 10),
        (true, true) => (9, 11),
    };
    let precedes = digit(conventions, precedes) != Some(0);
    let spaced = digit(conventions, spaced) == Some(1);
    let symbol = match (spec.is_bare, spec.is_international) {
        (true, _) => b"".as_slice(),
        (false, true) => text(conventions.int_curr_symbol),
        (false, false) => text(conventions.currency_symbol),
    };
    let space: &[u8] = if spaced && !symbol.is_empty() { b" " } else { b"" };
    let minus = match text(conventions.negative_sign) {
        b"" => b"-".as_slice(),
        sign => sign,
    };
    let (open, close): (&[u8], &[u8]) = match (is_negative, spec.has_parentheses) {
        (false, _) => (text(conventions.positive_sign), b""),
        (true, true) => (b"(", b")"),
        (true, false) => (minus, b""),
    };
    out.put(open);
    if precedes {
        out.put(symbol);
        out.put(space);
    }
    amount(out, spec, conventions, digits, it, right);
    if !precedes {
        out.put(space);
        out.put(symbol);
    }
    out.put(close);
}

/// Writes amounts by a format.
///
/// # Safety
/// The buffer has `size` bytes, `format` is a string, `list` holds a double for each conversion.
unsafe fn to_buffer(
    buffer: *mut c_char,
    size: usize,
    locale: &Locale,
    format: *const c_char,
    list: &mut VaList,
) -> isize {
    // SAFETY: as this function's own.
    let (mut out, mut rest) =
        unsafe { (Out::string(buffer.cast(), size), CStr::from_ptr(format).to_bytes()) };
    let conventions = of(locale);
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            out.put_byte(byte);
            continue;
        }
        let Some(spec) = parse(&mut rest) else {
            errno::set(EINVAL);
            return -1;
        };
        let Some(spec) = spec else {
            out.put_byte(b'%');
            continue;
        };
        // SAFETY: as this function's own.
        let value: f64 = unsafe { list.arg() };
        let mut field = [0u8; 1024];
        // SAFETY: the array's size.
        let mut part = unsafe { Out::string(field.as_mut_ptr(), field.len()) };
        money(&mut part, spec, conventions, value);
        if part.error != 0 || part.total >= field.len() {
            errno::set(if part.error != 0 { part.error } else { E2BIG });
            return -1;
        }
        let blanks = spec.width.saturating_sub(part.total);
        if !spec.is_left {
            out.fill(b' ', blanks);
        }
        out.put(&field[..part.total]);
        if spec.is_left {
            out.fill(b' ', blanks);
        }
    }
    if out.total >= size {
        errno::set(E2BIG);
        return -1;
    }
    // SAFETY: the last byte of the room is kept for the zero.
    unsafe { *out.at = 0 };
    out.total as isize
}

/// What strfmon(3) is without its variable arguments.
///
/// # Safety
/// As for strfmon(3).
unsafe extern "C" fn vstrfmon(
    buffer: *mut c_char,
    size: usize,
    format: *const c_char,
    list: *mut VaList,
) -> isize {
    // SAFETY: as this function's own.
    unsafe { to_buffer(buffer, size, global(), format, &mut *list) }
}

/// What strfmon_l(3) is without its variable arguments.
///
/// # Safety
/// As for strfmon_l(3).
unsafe extern "C" fn vstrfmon_l(
    buffer: *mut c_char,
    size: usize,
    locale: *const Locale,
    format: *const c_char,
    list: *mut VaList,
) -> isize {
    // SAFETY: as this function's own.
    unsafe { to_buffer(buffer, size, Locale::from_ptr(locale), format, &mut *list) }
}

variadic! {
    /// strfmon(3).
    strfmon(3) => vstrfmon;
    /// strfmon_l(3).
    strfmon_l(4) => vstrfmon_l;
}

#[cfg(test)]
mod tests {
    use super::super::object::newlocale;
    use super::*;

    type Strfmon = unsafe extern "C" fn(*mut c_char, usize, *const Locale, *const c_char, ...) -> isize;

    #[test]
    fn amounts() {
        // SAFETY: the function is variadic by construction.
        let strfmon: Strfmon = unsafe { core::mem::transmute(strfmon_l as *const ()) };
        let format = |name: &CStr, format: &CStr, value: f64| {
            let mut buffer = [0u8; 64];
            // SAFETY: the buffer's size, and one double per conversion.
            unsafe {
                let locale = newlocale(!0, name.as_ptr(), core::ptr::null_mut());
                let len = strfmon(buffer.as_mut_ptr().cast(), buffer.len(), locale, format.as_ptr(), value);
                super::super::object::freelocale(locale);
                (CStr::from_bytes_until_nul(&buffer).unwrap().to_str().unwrap().to_owned(), len)
            }
        };
        assert_eq!(format(c"en_US.UTF-8", c"[%n]", 1_234_567.891), ("[$1,234,567.89]".into(), 15));
        assert_eq!(format(c"en_US.UTF-8", c"%12n|", -3.456).0, "      -$3.46|");
        assert_eq!(format(c"en_US.UTF-8", c"%-9n|", 3.0).0, "$3.00    |");
        assert_eq!(format(c"en_US.UTF-8", c"%(n", -1234.5).0, "($1,234.50)");
        assert_eq!(format(c"en_US.UTF-8", c"%i", 12.5).0, "USD 12.50");
        assert_eq!(format(c"en_US.UTF-8", c"%=*#6n", 1234.0).0, "$**1,234.00");
        assert_eq!(format(c"en_US.UTF-8", c"%^!.0n%%", 12_345.6).0, "12346%");
        assert_eq!(format(c"C", c"%n", -1234.5).0, "-1234.50");
        assert_eq!(format(c"C", c"%q", 1.0).1, -1);
    }
}

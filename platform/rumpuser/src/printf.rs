//! Formatting as printf(3) has it, as far as kernel code uses it: `d i u o x X c s p %`, flags, width, precision, lengths; no floating point.

use core::ffi::c_char;

use crate::bytes;
use crate::va::VaList;

/// How an argument is to be shown.
#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    /// Bytes of the argument.
    size: u32,
}

/// Digits of the longest number: 64 bits in octal.
const DIGITS: usize = 22;

/// Writes `text` with `args`, piece by piece.
///
/// # Safety
/// The arguments are those that `text` announces.
pub(crate) unsafe fn format(mut text: &[u8], args: &mut VaList, out: &mut dyn FnMut(&[u8])) {
    while let Some(at) = text.iter().position(|&byte| byte == b'%') {
        if at > 0 {
            out(&text[..at]);
        }
        text = &text[at + 1..];
        // SAFETY: the caller's promise.
        let Some(rest) = (unsafe { conversion(text, args, out) }) else { return };
        text = rest;
    }
    if !text.is_empty() {
        out(text);
    }
}

/// A number, or `*` for the next argument.
///
/// # Safety
/// As [`format`].
unsafe fn number(text: &mut &[u8], args: &mut VaList) -> i64 {
    if text.first() == Some(&b'*') {
        *text = &text[1..];
        // SAFETY: the format announces an int.
        return i64::from(unsafe { args.next() } as i32);
    }
    let mut value = 0_i64;
    while let Some(digit) = text.first().filter(|byte| byte.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
        *text = &text[1..];
    }
    value
}

/// One conversion, after its `%`. Returns what follows it; `None` where the format ends.
///
/// # Safety
/// As [`format`].
unsafe fn conversion<'t>(
    mut text: &'t [u8],
    args: &mut VaList,
    out: &mut dyn FnMut(&[u8]),
) -> Option<&'t [u8]> {
    let mut spec = Spec { size: 4, ..Spec::default() };
    loop {
        match text.first()? {
            b'-' => spec.left = true,
            b'+' => spec.plus = true,
            b' ' => spec.space = true,
            b'#' => spec.alternate = true,
            b'0' => spec.zero = true,
            _ => break,
        }
        text = &text[1..];
    }
    // SAFETY: the caller's promise.
    let width = unsafe { number(&mut text, args) };
    spec.left |= width < 0;
    spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(0);
    if text.first() == Some(&b'.') {
        text = &text[1..];
        // SAFETY: the caller's promise.
        spec.precision = usize::try_from(unsafe { number(&mut text, args) }).ok();
    }
    loop {
        spec.size = match text.first()? {
            b'h' if spec.size == 2 => 1,
            b'h' => 2,
            b'l' | b'q' | b'j' | b'z' | b't' => 8,
            _ => break,
        };
        text = &text[1..];
    }
    let (&kind, rest) = text.split_first()?;
    // SAFETY: the caller's promise: the format announces an argument for each of these.
    unsafe {
        match kind {
            b'd' | b'i' => {
                let bits = 64 - 8 * spec.size;
                let value = (args.next() << bits).cast_signed() >> bits;
                let sign: &[u8] = match value {
                    ..0 => b"-",
                    _ if spec.plus => b"+",
                    _ if spec.space => b" ",
                    _ => b"",
                };
                integer(&spec, sign, value.unsigned_abs(), 10, kind, out);
            }
            b'u' | b'o' | b'x' | b'X' => {
                let bits = 64 - 8 * spec.size;
                let value = args.next() << bits >> bits;
                let base = match kind {
                    b'u' => 10,
                    b'o' => 8,
                    _ => 16,
                };
                let prefix: &[u8] = match kind {
                    b'x' if spec.alternate && value != 0 => b"0x",
                    b'X' if spec.alternate && value != 0 => b"0X",
                    b'o' if spec.alternate && value != 0 => b"0",
                    _ => b"",
                };
                integer(&spec, prefix, value, base, kind, out);
            }
            b'p' => {
                let value = args.next();
                integer(&spec, b"0x", value, 16, b'x', out);
            }
            b'c' => pad(&spec, &[&[args.next() as u8]], out),
            b's' => {
                let string = core::ptr::with_exposed_provenance::<c_char>(args.next() as usize);
                pad(&spec, &[text_of(string, spec.precision)], out);
            }
            b'%' => out(b"%"),
            other => out(&[b'%', other]),
        }
    }
    Some(rest)
}

/// A string argument; with a precision it need not end.
///
/// # Safety
/// `string` is null, or points to a string or to as many bytes as the precision says.
unsafe fn text_of<'a>(string: *const c_char, precision: Option<usize>) -> &'a [u8] {
    if string.is_null() {
        return b"(null)";
    }
    let Some(most) = precision else {
        // SAFETY: the caller's promise.
        return unsafe { bytes(string) };
    };
    let string = string.cast::<u8>();
    // SAFETY: up to the end or the precision, bytes may be read.
    unsafe {
        let len = (0..most).find(|&at| string.add(at).read() == 0).unwrap_or(most);
        core::slice::from_raw_parts(string, len)
    }
}

/// A number after its sign or prefix.
fn integer(spec: &Spec, prefix: &[u8], mut value: u64, base: u64, kind: u8, out: &mut dyn FnMut(&[u8])) {
    let letters: &[u8; 16] = if kind == b'X' { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let mut digits = [0; DIGITS];
    let mut at = DIGITS;
    while value != 0 {
        at -= 1;
        digits[at] = letters[(value % base) as usize];
        value /= base;
    }
    let digits = &digits[at..];
    let least = match spec.precision {
        Some(precision) => precision,
        None if spec.zero && !spec.left => spec.width.saturating_sub(prefix.len()),
        None => 1,
    };
    let zeros = least.saturating_sub(digits.len());
    let spaces = spec.width.saturating_sub(prefix.len() + zeros + digits.len());
    let mut fill = |byte: u8, count: usize| (0..count).for_each(|_| out(&[byte]));
    if !spec.left {
        fill(b' ', spaces);
    }
    for byte in prefix {
        fill(*byte, 1);
    }
    fill(b'0', zeros);
    for byte in digits {
        fill(*byte, 1);
    }
    if spec.left {
        fill(b' ', spaces);
    }
}

/// Pieces, filled with spaces to the width.
fn pad(spec: &Spec, pieces: &[&[u8]], out: &mut dyn FnMut(&[u8])) {
    let len: usize = pieces.iter().map(|piece| piece.len()).sum();
    let spaces = spec.width.saturating_sub(len);
    let mut fill = |wanted: bool| {
        if wanted {
            (0..spaces).for_each(|_| out(b" "));
        }
    };
    fill(!spec.left);
    pieces.iter().for_each(|piece| out(piece));
    let mut fill = |wanted: bool| {
        if wanted {
            (0..spaces).for_each(|_| out(b" "));
        }
    };
    fill(spec.left);
}

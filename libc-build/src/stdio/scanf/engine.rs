//! The engine of the scanf family (scanf(3), ISO C 7.23.6.2).

use super::input::{Input, Source};
use super::number::{Integer, LONGEST, float, integer};
use super::set::Set;
use super::target::Target;
use crate::errno::{self, EILSEQ};
use crate::number::parse;
use crate::va::VaList;
use crate::wchar::encoding::Encoding;

/// The format: bytes, or wide characters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pattern {
    /// A string.
    Bytes(*const u8),
    /// A wide string.
    Wide(*const u32),
}

impl Pattern {
    /// The next character; 0 at the end.
    pub fn peek(self) -> u32 {
        // SAFETY: both point into a string that has not ended (contract of `scan`).
        unsafe {
            match self {
                Self::Bytes(at) => u32::from(*at),
                Self::Wide(at) => *at,
            }
        }
    }

    /// Passes over a character, which is not the end.
    pub fn advance(&mut self) {
        match self {
            Self::Bytes(at) => *at = at.wrapping_add(1),
            Self::Wide(at) => *at = at.wrapping_add(1),
        }
    }

    /// Takes the next character if it is ASCII and not the end.
    fn next_byte(&mut self) -> Option<u8> {
        let byte = u8::try_from(self.peek()).ok().filter(|&byte| byte != 0)?;
        self.advance();
        Some(byte)
    }
}

/// How long what an argument points to is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Char,
    Short,
    Int,
    Long,
    LongDouble,
}

/// Why scanning stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// The input has ended, or is no text.
    Input,
    /// The input is not what the format wants.
    Mismatch,
}

/// A conversion specification.
struct Spec {
    /// `*`: nothing is stored.
    discard: bool,
    /// The greatest number of characters.
    width: Option<usize>,
    length: Length,
    conversion: u8,
}

/// Reads the specification behind a `%`.
fn parse_spec(pattern: &mut Pattern) -> Option<Spec> {
    let mut spec = Spec { discard: false, width: None, length: Length::Int, conversion: 0 };
    loop {
        let byte = pattern.next_byte()?;
        match byte {
            b'*' => spec.discard = true,
            b'0'..=b'9' => {
                let digit = usize::from(byte - b'0');
                spec.width = Some(spec.width.unwrap_or(0).saturating_mul(10).saturating_add(digit));
            }
            b'h' if spec.length == Length::Short => spec.length = Length::Char,
            b'h' => spec.length = Length::Short,
            b'l' | b'q' | b'j' | b'z' | b't' => spec.length = Length::Long,
            b'L' => spec.length = Length::LongDouble,
            b'C' | b'S' | b'D' | b'O' => {
                spec.length = Length::Long;
                spec.conversion = byte | 0x20;
                return Some(spec);
            }
            _ => {
                spec.conversion = byte;
                return Some(spec);
            }
        }
    }
}

/// Scans input by a format. Returns how many items were stored, or -1 if the input ended before the first.
///
/// # Safety
/// The format is a string, `list` holds the pointers that it asks for.
pub(crate) unsafe fn scan<S: Source>(
    source: &mut S,
    encoding: Encoding,
    mut pattern: Pattern,
    list: &mut VaList,
) -> i32 {
    let mut input = Input { source, count: 0, left: usize::MAX };
    let mut stored = 0;
    let mut converted = false;
    let stop = loop {
        let c = pattern.peek();
        if c == 0 {
            return stored;
        }
        pattern.advance();
        if input.source.is_space(c) {
            input.skip_space();
            continue;
        }
        if c != u32::from(b'%') {
            if let Err(stop) = literal(&mut input, c) {
                break stop;
            }
            continue;
        }
        let Some(spec) = parse_spec(&mut pattern) else { return stored };
        if spec.conversion == b'%' {
            input.skip_space();
            if let Err(stop) = literal(&mut input, c) {
                break stop;
            }
            continue;
        }
        // SAFETY: as this function's own.
        match unsafe { convert(&mut input, encoding, &spec, &mut pattern, list) } {
            Ok(counts) => {
                converted |= spec.conversion != b'n';
                stored += i32::from(counts);
            }
            Err(stop) => break stop,
        }
    };
    if stop == Stop::Input && !converted { -1 } else { stored }
}

/// Takes one character that the format names.
fn literal<S: Source>(input: &mut Input<'_, S>, c: u32) -> Result<(), Stop> {
    match input.source.peek() {
        None => Err(Stop::Input),
        Some(it) if it == c => {
            input.left = usize::MAX;
            input.advance();
            Ok(())
        }
        Some(_) => Err(Stop::Mismatch),
    }
}

/// Converts one item. Returns whether it counts.
///
/// # Safety
/// The next argument is the pointer that `spec` asks for.
unsafe fn convert<S: Source>(
    input: &mut Input<'_, S>,
    encoding: Encoding,
    spec: &Spec,
    pattern: &mut Pattern,
    list: &mut VaList,
) -> Result<bool, Stop> {
    let set = match spec.conversion {
        b'[' => Some(Set::parse(pattern).ok_or(Stop::Mismatch)?),
        _ => None,
    };
    let target: *mut u8 = if spec.discard {
        core::ptr::null_mut()
    } else {
        // SAFETY: as this function's own.
        unsafe { list.arg() }
    };
    if spec.conversion == b'n' {
        // SAFETY: as this function's own.
        unsafe { store_integer(target, spec.length, input.count as u64) };
        return Ok(false);
    }
    if !matches!(spec.conversion, b'c' | b'[') {
        input.skip_space();
    }
    if input.source.peek().is_none() {
        return Err(Stop::Input);
    }
    input.left = spec.width.filter(|&width| width != 0).unwrap_or(usize::MAX);
    // SAFETY: the target is what the conversion asks for.
    unsafe {
        match spec.conversion {
            b'd' | b'i' | b'u' | b'o' | b'x' | b'X' | b'p' => {
                let base = match spec.conversion {
                    b'i' => 0,
                    b'o' => 8,
                    b'x' | b'X' | b'p' => 16,
                    _ => 10,
                };
                let it: Integer = integer(input, base).ok_or(Stop::Mismatch)?;
                let value = match spec.conversion {
                    b'd' | b'i' => it.signed() as u64,
                    _ => it.unsigned(),
                };
                let length = if spec.conversion == b'p' { Length::Long } else { spec.length };
                store_integer(target, length, value);
            }
            b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
                store_float(input, spec.length, target)?;
            }
            b'c' => {
                let count = spec.width.filter(|&width| width != 0).unwrap_or(1);
                let mut place = Target::new(target, is_long(spec), input.source.is_wide(), encoding);
                for _ in 0..count {
                    put_next(input, &mut place)?;
                }
                if place.is_incomplete() {
                    finish_character(input, &mut place)?;
                }
            }
            b's' => string(input, spec, encoding, target, |source, c| !source.is_space(c))?,
            b'[' => {
                let contains = |_: &S, c| set.as_ref().is_some_and(|set| set.contains(c));
                string(input, spec, encoding, target, contains)?;
            }
            _ => return Err(Stop::Mismatch),
        }
    }
    Ok(!spec.discard)
}

/// Whether `l` is given.
fn is_long(spec: &Spec) -> bool {
    spec.length == Length::Long
}

/// Stores the next character.
///
/// # Safety
/// There is room for it.
unsafe fn put_next<S: Source>(input: &mut Input<'_, S>, place: &mut Target) -> Result<(), Stop> {
    let c = input.source.peek().ok_or(Stop::Input)?;
    input.advance();
    // SAFETY: as this function's own.
    if unsafe { place.put(c) } {
        Ok(())
    } else {
        errno::set(EILSEQ);
        Err(Stop::Input)
    }
}

/// Reads the rest of a character whose first bytes were read.
///
/// # Safety
/// There is room for it.
unsafe fn finish_character<S: Source>(input: &mut Input<'_, S>, place: &mut Target) -> Result<(), Stop> {
    while place.is_incomplete() {
        // SAFETY: as this function's own.
        unsafe { put_next(input, place)? };
    }
    Ok(())
}

/// Reads the characters for as long as they are `wanted`: at least one.
///
/// # Safety
/// There is room for them and a zero.
unsafe fn string<S: Source>(
    input: &mut Input<'_, S>,
    spec: &Spec,
    encoding: Encoding,
    target: *mut u8,
    wanted: impl Fn(&S, u32) -> bool,
) -> Result<(), Stop> {
    let mut place = Target::new(target, is_long(spec), input.source.is_wide(), encoding);
    let mut any = false;
    while let Some(c) = input.peek() {
        if !wanted(input.source, c) {
            break;
        }
        // SAFETY: as this function's own.
        unsafe { put_next(input, &mut place)? };
        any = true;
    }
    if !any {
        return Err(Stop::Mismatch);
    }
    // SAFETY: as this function's own.
    unsafe { place.end() };
    Ok(())
}

/// Stores an integer; null stores nothing.
///
/// # Safety
/// `target` is null or valid for a write of that length.
unsafe fn store_integer(target: *mut u8, length: Length, value: u64) {
    if target.is_null() {
        return;
    }
    // SAFETY: as this function's own.
    unsafe {
        match length {
            Length::Char => target.write(value as u8),
            Length::Short => target.cast::<u16>().write(value as u16),
            Length::Int => target.cast::<u32>().write(value as u32),
            Length::Long | Length::LongDouble => target.cast::<u64>().write(value),
        }
    }
}

/// Reads and stores a floating-point number.
///
/// # Safety
/// `target` is null or valid for a write of that length.
unsafe fn store_float<S: Source>(
    input: &mut Input<'_, S>,
    length: Length,
    target: *mut u8,
) -> Result<(), Stop> {
    let mut text = [0; LONGEST];
    let found = float(input, &mut text).ok_or(Stop::Mismatch)?;
    if target.is_null() {
        return Ok(());
    }
    let text = text.as_slice();
    // SAFETY: as this function's own. Of a long double's 16 bytes ten mean something.
    unsafe {
        match length {
            Length::LongDouble => {
                let value = parse::long_double(&text, found).value;
                target.cast::<u64>().write(value.mantissa);
                target.add(8).cast::<u16>().write(value.sign_exponent);
            }
            Length::Long => target.cast::<f64>().write(parse::double(&text, found).value),
            _ => target.cast::<f32>().write(parse::float(&text, found).value),
        }
    }
    Ok(())
}

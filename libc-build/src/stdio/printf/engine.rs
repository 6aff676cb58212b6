//! The engine of the printf family: a format and its arguments become text (printf(3), ISO C 7.23.6.1).

use super::args::{Args, Table};
use super::field::Style;
use super::out::Out;
use super::spec::{self, Length, Spec, parse};
use super::{float, integer, text};
use crate::errno::{self, EINVAL, EOVERFLOW};
use crate::locale::Locale;
use crate::va::VaList;
use crate::wchar::encoding::Encoding;

/// How characters are understood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    /// The locale's encoding.
    pub encoding: Encoding,
    /// The output is wide: format and output are UTF-8, widths count characters.
    pub wide: bool,
    /// The locale's separator for the flag `'`.
    pub separator: Option<u8>,
}

impl Mode {
    /// Byte output in a locale.
    pub fn narrow(locale: &Locale) -> Self {
        Self { encoding: locale.encoding(), wide: false, separator: locale.thousands_separator() }
    }
}

/// Formats to `out`. Returns how many bytes (wide: characters) the text has, or -1 with errno set.
///
/// # Safety
/// `format` is a string, `list` holds the arguments that it asks for.
pub(crate) unsafe fn format(out: &mut Out, mode: Mode, format: *const u8, list: &mut VaList) -> i32 {
    let mut args = Args { list, table: None };
    // SAFETY: as this function's own.
    let numbered = unsafe { run(out, mode, format, &mut args) };
    if let Some(rest) = numbered {
        // SAFETY: as this function's own; nothing has been read from the list.
        unsafe { with_numbers(out, mode, rest, list) };
    }
    if out.error != 0 {
        return errno::fail(out.error);
    }
    match i32::try_from(out.total) {
        Ok(total) => total,
        Err(_) => errno::fail(EOVERFLOW),
    }
}

/// Formats with numbered arguments.
///
/// # Safety
/// As for [`format`].
#[cold]
#[inline(never)]
unsafe fn with_numbers(out: &mut Out, mode: Mode, format: *const u8, list: &mut VaList) {
    // SAFETY: as this function's own.
    unsafe {
        match Table::read(format, list) {
            Some(table) => {
                run(out, mode, format, &mut Args { list, table: Some(&table) });
            }
            None => out.error = EINVAL,
        }
    }
}

/// Goes through the format. If it meets a numbered argument and has no table of them, it returns where: numbered arguments do not mix with
/// others, so up to there the format had none.
///
/// # Safety
/// As for [`format`].
unsafe fn run(out: &mut Out, mode: Mode, format: *const u8, args: &mut Args<'_>) -> Option<*const u8> {
    let mut at = format;
    loop {
        let start = at;
        // SAFETY: the format has not ended.
        while !matches!(unsafe { *at }, 0 | b'%') {
            at = at.wrapping_add(1);
        }
        if at != start {
            // SAFETY: these bytes were just read.
            out.put(unsafe { core::slice::from_raw_parts(start, at.addr() - start.addr()) });
        }
        // SAFETY: the format's zero or a `%`, behind which there is another byte.
        let next = unsafe {
            if *at == 0 || out.error != 0 {
                return None;
            }
            at = at.wrapping_add(1);
            *at
        };
        let percent = at.wrapping_sub(1);
        // The commonest conversions need no specification.
        // SAFETY: the arguments have the types that the format says.
        unsafe {
            match next {
                b'd' if args.table.is_none() => {
                    integer::plain_decimal(out, (args.word(0) as i32).into());
                    at = at.wrapping_add(1);
                    continue;
                }
                b's' if args.table.is_none() => {
                    let style = Style { flags: 0, width: 0, precision: None };
                    text::string(out, style, mode, args.pointer(0));
                    at = at.wrapping_add(1);
                    continue;
                }
                _ => {}
            }
        }
        // SAFETY: as this function's own.
        let spec = unsafe { parse(&mut at) };
        if spec.conversion == 0 {
            return None;
        }
        if spec.position != 0 && args.table.is_none() {
            return Some(percent);
        }
        // SAFETY: the arguments have the types that the format says.
        unsafe { convert(out, mode, &spec, args) };
    }
}

/// Writes one conversion.
///
/// # Safety
/// The next argument (or the numbered one) has the type that `spec` says.
unsafe fn convert(out: &mut Out, mode: Mode, spec: &Spec, args: &mut Args<'_>) {
    let mut style = Style { flags: spec.flags, width: 0, precision: None };
    // SAFETY: a `*` names an argument that is an int, the conversion one of its type.
    unsafe {
        if let Some(width) = args.count(spec.width) {
            if width < 0 {
                style.flags |= spec::LEFT;
            }
            style.width = width.unsigned_abs() as usize;
        }
        // A negative precision counts as none.
        style.precision = args.count(spec.precision).and_then(|precision| usize::try_from(precision).ok());
        let at = spec.position;
        match spec.conversion {
            b'd' | b'i' => {
                let value = signed(args.word(at), spec.length);
                integer::integer(out, style, b'd', value.unsigned_abs(), value < 0, mode.separator);
            }
            b'u' | b'o' | b'x' | b'X' => {
                let value = unsigned(args.word(at), spec.length);
                integer::integer(out, style, spec.conversion, value, false, mode.separator);
            }
            b'p' => integer::integer(out, style, b'p', args.word(at), false, None),
            b'c' if spec.length == Length::Long => {
                text::wide_character(out, style, mode, args.word(at) as u32);
            }
            b'c' => text::byte(out, style, mode, args.word(at) as u8),
            b's' if spec.length == Length::Long => text::wide_string(out, style, mode, args.pointer(at)),
            b's' => text::string(out, style, mode, args.pointer(at)),
            b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
                if spec.length == Length::LongDouble {
                    float::long_double(out, style, spec.conversion, args.long_double(at), mode.separator);
                } else {
                    float::double(out, style, spec.conversion, args.double(at), mode.separator);
                }
            }
            b'n' => store_count(args.pointer(at), spec.length, out.total),
            // A `%%` writes one; so does a letter that is no conversion write itself.
            other => {
                style.before(out, 1);
                out.put_byte(other);
                style.behind(out, 1);
            }
        }
    }
}

/// A signed argument of a length.
fn signed(word: u64, length: Length) -> i64 {
    match length {
        Length::Char => i64::from(word as i8),
        Length::Short => i64::from(word as i16),
        Length::Int => i64::from(word as i32),
        Length::Long | Length::LongDouble => word as i64,
    }
}

/// An unsigned argument of a length.
fn unsigned(word: u64, length: Length) -> u64 {
    match length {
        Length::Char => u64::from(word as u8),
        Length::Short => u64::from(word as u16),
        Length::Int => u64::from(word as u32),
        Length::Long | Length::LongDouble => word,
    }
}

/// Stores how much has been written, for `%n`.
///
/// # Safety
/// `at` is valid for a write of that length.
unsafe fn store_count(at: *mut u8, length: Length, total: usize) {
    // SAFETY: as this function's own.
    unsafe {
        match length {
            Length::Char => at.write(total as u8),
            Length::Short => at.cast::<u16>().write(total as u16),
            Length::Int => at.cast::<u32>().write(total as u32),
            Length::Long | Length::LongDouble => at.cast::<u64>().write(total as u64),
        }
    }
}

//! Output to streams and descriptors: printf(3), fprintf(3), dprintf(3).
//!
//! A stream with a buffer is formatted straight into it; one without gets the text in pieces of [`PIECE`] bytes.

use super::engine::{Mode, format};
use super::out::Out;
use crate::errno::{self, EIO};
use crate::locale::Locale;
use crate::locale::category::global;
use crate::stdio::file::{EOF, File, SERR, SLBF, SNBF};
use crate::stdio::lock::Locked;
use crate::stdio::streams::stdout;
use crate::stdio::write::{flush, prepare, put};
use crate::sys;
use crate::va::VaList;
use core::ffi::{c_char, c_int, c_void};

/// The size of a piece of text that is handed on at once.
const PIECE: usize = 512;

/// Notes why a stream could not be written.
fn fail(out: &mut Out) {
    out.error = match errno::get() {
        0 => EIO,
        error => error,
    };
}

/// Gives the buffer back to its stream, and takes it again when the stream has written `bytes`.
unsafe fn overflow(out: &mut Out, bytes: &[u8]) {
    // SAFETY: the context was set by `to_buffered`, which holds the stream's lock.
    let file = unsafe { &mut *out.context.cast::<File>() };
    give_back(out, file);
    if !put(file, bytes) {
        fail(out);
    }
    take(out, file);
}

/// Lets `out` write to the room in the stream's buffer.
fn take(out: &mut Out, file: &File) {
    out.at = file.p;
    out.end = file.p.wrapping_add((file.w - file.line_size).max(0) as usize);
}

/// Tells the stream how much was written to its buffer.
fn give_back(out: &Out, file: &mut File) {
    file.w -= (out.at.addr() - file.p.addr()) as c_int;
    file.p = out.at;
}

/// Formats into a stream's own buffer.
///
/// # Safety
/// `text` is a format, `list` holds its arguments.
unsafe fn to_buffered(file: &mut File, mode: Mode, text: *const c_char, list: *mut VaList) -> c_int {
    let start = file.p;
    let mut out =
        Out { at: start, end: start, total: 0, error: 0, overflow, context: (&raw mut *file).cast() };
    take(&mut out, file);
    // SAFETY: as this function's own; the stream is reached through the context only until the text is complete.
    let result = unsafe { format(&mut out, mode, text.cast(), &mut *list) };
    give_back(&out, file);
    if file.has(SLBF) {
        // What was written last, without an overflow in between, decides whether a line has ended.
        let from = if file.p.addr() >= start.addr() { start } else { file.buffer.base };
        // SAFETY: these bytes of the buffer have been written.
        let written = unsafe { core::slice::from_raw_parts(from, file.p.addr() - from.addr()) };
        if written.contains(&b'\n') && !flush(file) {
            return EOF;
        }
    }
    if file.has(SERR) && out.error != 0 { EOF } else { result }
}

/// A piece of text on its way to an unbuffered stream or a descriptor.
struct Piece<'a> {
    bytes: [u8; PIECE],
    /// Where it goes; returns false, with errno set, if it cannot.
    hand_on: &'a mut dyn FnMut(&[u8]) -> bool,
}

/// Hands the piece on, then what did not fit in it.
unsafe fn overflow_piece(out: &mut Out, bytes: &[u8]) {
    // SAFETY: the context was set by `in_pieces`.
    let piece = unsafe { &mut *out.context.cast::<Piece<'_>>() };
    let start = piece.bytes.as_mut_ptr();
    let used = out.at.addr() - start.addr();
    let good =
        (used == 0 || (piece.hand_on)(piece.bytes.get(..used).unwrap_or_default())) && (piece.hand_on)(bytes);
    if !good {
        fail(out);
    }
    out.at = start;
}

/// Formats in pieces.
///
/// # Safety
/// `text` is a format, `list` holds its arguments.
unsafe fn in_pieces(
    hand_on: &mut dyn FnMut(&[u8]) -> bool,
    mode: Mode,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    let mut piece = Piece { bytes: [0; PIECE], hand_on };
    let piece = &raw mut piece;
    // SAFETY: `piece` lives in this function, and is reached through this pointer only.
    unsafe {
        let start = (&raw mut (*piece).bytes).cast::<u8>();
        let mut out = Out {
            at: start,
            end: start.wrapping_add(PIECE),
            total: 0,
            error: 0,
            overflow: overflow_piece,
            context: piece.cast::<c_void>(),
        };
        let result = format(&mut out, mode, text.cast(), &mut *list);
        let rest = core::slice::from_raw_parts(start, out.at.addr() - start.addr());
        if !rest.is_empty() && !((*piece).hand_on)(rest) {
            return EOF;
        }
        result
    }
}

/// Formats to a stream.
///
/// # Safety
/// `stream` is an open stream, `text` is a format, `list` holds its arguments.
unsafe fn to_stream(stream: *mut File, locale: &Locale, text: *const c_char, list: *mut VaList) -> c_int {
    let mode = Mode::narrow(locale);
    // SAFETY: as this function's own.
    unsafe {
        let mut file = Locked::new(stream);
        if !prepare(&mut file) {
            return EOF;
        }
        if file.has(SNBF) {
            return in_pieces(&mut |bytes| put(&mut file, bytes), mode, text, list);
        }
        to_buffered(&mut file, mode, text, list)
    }
}

/// vfprintf(3).
///
/// # Safety
/// `stream` is an open stream, `text` is a format, `list` holds its arguments.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vfprintf(stream: *mut File, text: *const c_char, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_stream(stream, global(), text, list) }
}

/// vfprintf_l(3).
///
/// # Safety
/// As for [`vfprintf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vfprintf_l(
    stream: *mut File,
    locale: *const Locale,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_stream(stream, Locale::from_ptr(locale), text, list) }
}

/// vprintf(3).
///
/// # Safety
/// `text` is a format, `list` holds its arguments.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vprintf(text: *const c_char, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own; the standard streams are always there.
    unsafe { to_stream(stdout(), global(), text, list) }
}

/// vprintf_l(3).
///
/// # Safety
/// As for [`vprintf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vprintf_l(locale: *const Locale, text: *const c_char, list: *mut VaList) -> c_int {
    // SAFETY: as above.
    unsafe { to_stream(stdout(), Locale::from_ptr(locale), text, list) }
}

/// Formats to a descriptor.
///
/// # Safety
/// `text` is a format, `list` holds its arguments.
unsafe fn to_descriptor(fd: c_int, locale: &Locale, text: *const c_char, list: *mut VaList) -> c_int {
    let mut write = |mut bytes: &[u8]| {
        while !bytes.is_empty() {
            // SAFETY: so many bytes are there.
            let done = unsafe { sys::write(fd, bytes.as_ptr().cast(), bytes.len()) };
            match usize::try_from(done).ok().and_then(|done| bytes.get(done..)) {
                Some(rest) => bytes = rest,
                None => return false,
            }
        }
        true
    };
    // SAFETY: as this function's own.
    unsafe { in_pieces(&mut write, Mode::narrow(locale), text, list) }
}

/// vdprintf(3).
///
/// # Safety
/// `text` is a format, `list` holds its arguments.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vdprintf(fd: c_int, text: *const c_char, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_descriptor(fd, global(), text, list) }
}

/// vdprintf_l(3).
///
/// # Safety
/// As for [`vdprintf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vdprintf_l(
    fd: c_int,
    locale: *const Locale,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_descriptor(fd, Locale::from_ptr(locale), text, list) }
}

variadic! {
    /// printf(3).
    printf(1) => vprintf;
    /// printf_l(3).
    printf_l(2) => vprintf_l;
    /// fprintf(3).
    fprintf(2) => vfprintf;
    /// fprintf_l(3).
    fprintf_l(3) => vfprintf_l;
    /// dprintf(3).
    dprintf(2) => vdprintf;
    /// dprintf_l(3).
    dprintf_l(3) => vdprintf_l;
}

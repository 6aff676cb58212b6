//! arpa/nameser.h: taking messages apart, and names, for programs that ask the name servers themselves (dn_expand(3), ns_parserr).

use super::message::{long, record, word};
use super::name::{Name, dots};
use crate::errno;
use crate::net::buffer::put;
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null;

/// Sections of a message.
const SECTIONS: usize = 4;

/// `ns_msg`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Message {
    start: *const u8,
    end: *const u8,
    id: u16,
    flags: u16,
    counts: [u16; SECTIONS],
    sections: [*const u8; SECTIONS],
    section: c_int,
    record: c_int,
    at: *const u8,
}

const _: () = assert!(size_of::<Message>() == 80);

/// `ns_rr`.
#[repr(C)]
pub struct Record {
    name: [c_char; 1025],
    kind: u16,
    class: u16,
    ttl_s: u32,
    data_len: u16,
    data: *const u8,
}

const _: () = assert!(size_of::<Record>() == 1048 && core::mem::offset_of!(Record, data) == 1040);

/// The bytes from `start` to `end`.
///
/// # Safety
/// They are one object's, and `end` is not before `start`.
pub(super) unsafe fn between<'a>(start: *const u8, end: *const u8) -> &'a [u8] {
    // SAFETY: as this function's own.
    unsafe { core::slice::from_raw_parts(start, usize::try_from(end.offset_from(start)).unwrap_or(0)) }
}

/// -1 with EMSGSIZE.
pub(super) fn too_long() -> c_int {
    errno::fail(errno::EMSGSIZE)
}

/// Where the item behind the one at `at` starts: a question in the first section, else a record.
fn skip(message: &[u8], at: usize, section: usize) -> Option<usize> {
    if section > 0 {
        return Some(record(message, at)?.1);
    }
    let next = Name::read(message, at)?.1 + 4;
    message.get(..next).map(|_| next)
}

/// Finds the sections of a message.
///
/// # Safety
/// `bytes` has `length` bytes, `message` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_initparse(bytes: *const u8, length: c_int, message: *mut Message) -> c_int {
    // SAFETY: as this function's own; places are within the message.
    unsafe {
        let whole = core::slice::from_raw_parts(bytes, usize::try_from(length).unwrap_or(0));
        let mut parsed = Message {
            start: bytes,
            end: bytes.add(whole.len()),
            id: 0,
            flags: 0,
            counts: [0; SECTIONS],
            sections: [null(); SECTIONS],
            section: SECTIONS as c_int,
            record: -1,
            at: null(),
        };
        let mut parse = || {
            (parsed.id, parsed.flags) = (word(whole, 0)?, word(whole, 2)?);
            for (section, count) in parsed.counts.iter_mut().enumerate() {
                *count = word(whole, 4 + 2 * section)?;
            }
            let mut at = super::message::HEADER_BYTES;
            for (section, (&count, place)) in parsed.counts.iter().zip(&mut parsed.sections).enumerate() {
                if count > 0 {
                    *place = bytes.add(at);
                }
                for _ in 0..count {
                    at = skip(whole, at, section)?;
                }
            }
            // Nothing may follow.
            (at == whole.len()).then_some(())
        };
        if parse().is_none() {
            return too_long();
        }
        message.write(parsed);
    }
    0
}

/// Reads an item of a section.
///
/// # Safety
/// `message` is one of `__ns_initparse`, of which the bytes are still there; `target` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_parserr(
    message: *mut Message,
    section: c_int,
    index: c_int,
    target: *mut Record,
) -> c_int {
    // SAFETY: as this function's own; places are within the message.
    unsafe {
        let place = usize::try_from(section).ok().filter(|&section| section < SECTIONS);
        let Some(place) = place else { return errno::fail(errno::ENODEV) };
        // -1 asks for the item behind the last one.
        let index = match index {
            -1 if (*message).section == section => (*message).record,
            -1 => 0,
            index => index,
        };
        let count = (*message).counts.get(place).copied().unwrap_or(0);
        if index < 0 || index >= count.into() {
            return errno::fail(errno::ENODEV);
        }
        let whole = between((*message).start, (*message).end);
        let (mut at, mut behind) = match ((*message).section == section, (*message).record <= index) {
            (true, true) if (*message).record >= 0 => ((*message).at, index - (*message).record),
            _ => ((*message).sections.get(place).copied().unwrap_or(null()), index),
        };
        if at.is_null() {
            return errno::fail(errno::ENODEV);
        }
        let mut read = || {
            let mut offset = usize::try_from(at.offset_from((*message).start)).ok()?;
            while behind > 0 {
                offset = skip(whole, offset, place)?;
                behind -= 1;
            }
            let (name, fixed) = Name::read(whole, offset)?;
            let is_record = place > 0;
            let (data, data_len) = if is_record {
                let (record, _) = record(whole, offset)?;
                ((*message).start.add(record.start), record.data.len() as u16)
            } else {
                (null(), 0)
            };
            let text = name.text(b".");
            put(text.as_bytes(), (&raw mut (*target).name).cast(), 1025);
            (*target).kind = word(whole, fixed)?;
            (*target).class = word(whole, fixed + 2)?;
            (*target).ttl_s = if is_record { long(whole, fixed + 4)? } else { 0 };
            (*target).data_len = data_len;
            (*target).data = data;
            at = (*message).start.add(skip(whole, offset, place)?);
            Some(())
        };
        if read().is_none() {
            return too_long();
        }
        ((*message).section, (*message).record, (*message).at) = (section, index + 1, at);
    }
    0
}

/// The bytes that `count` items of a section take.
///
/// # Safety
/// `at` to `end` are the rest of a message.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_skiprr(at: *const u8, end: *const u8, section: c_int, count: c_int) -> c_int {
    // SAFETY: as this function's own.
    let rest = unsafe { between(at, end) };
    let mut offset = 0;
    for _ in 0..count {
        // Pointers lead to before `at`; names are skipped without following them.
        let Some(next) = skip_name(rest, offset) else { return too_long() };
        let size =
            if section == 0 { Some(4) } else { word(rest, next + 8).map(|size| 10 + usize::from(size)) };
        let Some(end) = size.map(|size| next + size).filter(|&end| end <= rest.len()) else {
            return too_long();
        };
        offset = end;
    }
    c_int::try_from(offset).unwrap_or(-1)
}

/// Where what follows a name starts; pointers are not followed.
fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = *bytes.get(at)?;
        match length >> 6 {
            0 if length == 0 => return Some(at + 1),
            0 => at += 1 + usize::from(length),
            3 => return bytes.get(at + 1).map(|_| at + 2),
            _ => return None,
        }
    }
}

/// A flag of a message's header, by its number in `ns_flag`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __ns_msg_getflag(message: Message, flag: c_int) -> c_int {
    // QR, opcode, AA, TC, RD, RA, Z, AD, CD, rcode.
    const FLAGS: [(u16, u32); 10] =
        [(1, 15), (15, 11), (1, 10), (1, 9), (1, 8), (1, 7), (1, 6), (1, 5), (1, 4), (15, 0)];
    let flag = usize::try_from(flag).ok().and_then(|flag| FLAGS.get(flag));
    flag.map_or(0, |&(mask, shift)| (message.flags >> shift & mask).into())
}

/// Writes a name as text; returns the bytes that it takes in the message.
///
/// # Safety
/// `start` to `end` is the message, `at` is in it, `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_name_uncompress(
    start: *const u8,
    end: *const u8,
    at: *const u8,
    target: *mut c_char,
    size: usize,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let Ok(offset) = usize::try_from(at.offset_from(start)) else { return too_long() };
        let Some((name, next)) = Name::read(between(start, end), offset) else { return too_long() };
        if !put(name.text(b".").as_bytes(), target, size) {
            return too_long();
        }
        (next - offset) as c_int
    }
}

/// As `__ns_name_uncompress`; the root is an empty text.
///
/// # Safety
/// As `__ns_name_uncompress`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn dn_expand(
    start: *const u8,
    end: *const u8,
    at: *const u8,
    target: *mut c_char,
    size: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let length = __ns_name_uncompress(start, end, at, target, usize::try_from(size).unwrap_or(0));
        if length > 0 && *target == b'.' as c_char {
            *target = 0;
        }
        length
    }
}

/// The bytes that a name takes in a message.
///
/// # Safety
/// `at` to `end` is the rest of a message.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __dn_skipname(at: *const u8, end: *const u8) -> c_int {
    // SAFETY: as this function's own.
    skip_name(unsafe { between(at, end) }, 0).map_or(-1, |length| length as c_int)
}

/// Moves a pointer behind the name that it points to.
///
/// # Safety
/// `*at` to `end` is the rest of a message.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_name_skip(at: *mut *const u8, end: *const u8) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let Some(length) = skip_name(between(*at, end), 0) else { return too_long() };
        *at = (*at).add(length);
    }
    0
}

/// Writes a name without pointers; returns the bytes that it takes in the message.
///
/// # Safety
/// `start` to `end` is the message, `at` is in it, `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_name_unpack(
    start: *const u8,
    end: *const u8,
    at: *const u8,
    target: *mut u8,
    size: usize,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let Ok(offset) = usize::try_from(at.offset_from(start)) else { return too_long() };
        let Some((name, next)) = Name::read(between(start, end), offset) else { return too_long() };
        let bytes = name.as_bytes();
        if bytes.len() > size {
            return too_long();
        }
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len());
        (next - offset) as c_int
    }
}

/// Writes a name without pointers as text; returns its length with its end.
///
/// # Safety
/// `name` is such a name, `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_name_ntop(name: *const u8, target: *mut c_char, size: usize) -> c_int {
    let mut length = 0;
    // SAFETY: as this function's own: each label's length leads to the next, and a zero ends the name.
    unsafe {
        while length < super::name::NAME_BYTES && *name.add(length) != 0 {
            length += 1 + usize::from(*name.add(length));
        }
        let bytes = core::slice::from_raw_parts(name, length + 1);
        let Some((name, _)) = Name::read(bytes, 0) else { return too_long() };
        let text = name.text(b".");
        if put(text.as_bytes(), target, size) { text.as_bytes().len() as c_int + 1 } else { too_long() }
    }
}

/// Writes the name that a text stands for without pointers; 1 where the text has a dot at its end, else 0.
///
/// # Safety
/// `text` is a C string, `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_name_pton(text: *const c_char, target: *mut u8, size: usize) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let text = CStr::from_ptr(text).to_bytes();
        let Some(name) = Name::from_text(text).filter(|name| name.as_bytes().len() <= size) else {
            return too_long();
        };
        let bytes = name.as_bytes();
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len());
        c_int::from(dots(text).1)
    }
}

/// Whether two texts stand for the same name; -1 where one is none.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_samename(left: *const c_char, right: *const c_char) -> c_int {
    // SAFETY: as this function's own.
    let name = |text| Name::from_text(unsafe { CStr::from_ptr(text) }.to_bytes());
    match (name(left), name(right)) {
        (Some(left), Some(right)) => c_int::from(left.is_same(&right)),
        _ => -1,
    }
}

/// The 16 bits at an address, in network order.
///
/// # Safety
/// There are two bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_get16(at: *const u8) -> u16 {
    // SAFETY: as this function's own.
    u16::from_be_bytes(unsafe { *at.cast() })
}

/// The 32 bits at an address, in network order.
///
/// # Safety
/// There are four bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_get32(at: *const u8) -> u32 {
    // SAFETY: as this function's own.
    u32::from_be_bytes(unsafe { *at.cast() })
}

/// Writes 16 bits in network order.
///
/// # Safety
/// There are two bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_put16(value: u16, at: *mut u8) {
    // SAFETY: as this function's own.
    unsafe { at.cast::<[u8; 2]>().write(value.to_be_bytes()) }
}

/// Writes 32 bits in network order.
///
/// # Safety
/// There are four bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ns_put32(value: u32, at: *mut u8) {
    // SAFETY: as this function's own.
    unsafe { at.cast::<[u8; 4]>().write(value.to_be_bytes()) }
}

#[cfg(not(test))]
alias! {
    /// The older name.
    _getshort => __ns_get16;
    /// The older name.
    _getlong => __ns_get32;
    /// The older name.
    __putshort => __ns_put16;
    /// The older name.
    __putlong => __ns_put32;
}

#[cfg(test)]
mod tests;

//! Writing names into messages, with pointers to what was written before (RFC 1035, 4.1.4): dn_comp(3).

use super::message::word;
use super::name::Name;
use super::nameser::{between, too_long};
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null_mut;

/// Where a name, which may be the end of another one, starts in a message before `limit`; the names that were written are `known`.
fn known_place(message: &[u8], known: &[usize], name: &Name) -> Option<u16> {
    for &start in known {
        let mut at = start;
        // A name has at most 127 labels and then ends, whatever its pointers.
        for _ in 0..128 {
            let Some(&length) = message.get(at) else { break };
            match length >> 6 {
                0 if length == 0 => break,
                0 => {
                    if at < 0x4000 && Name::read(message, at).is_some_and(|(other, _)| other.is_same(name)) {
                        return u16::try_from(at).ok();
                    }
                    at += 1 + usize::from(length);
                }
                3 => match word(message, at) {
                    Some(pointer) => at = (pointer & 0x3fff).into(),
                    None => break,
                },
                _ => break,
            }
        }
    }
    None
}

/// Writes the name that a text stands for, with a pointer where its end was written before; returns its length.
///
/// # Safety
/// `text` is a C string, `target` has `size` bytes. `names` is null, or points to the start of the message that `target` is in, then the
/// names in it, then a null pointer, all before `last`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __dn_comp(
    text: *const c_char,
    target: *mut u8,
    size: c_int,
    names: *mut *mut u8,
    last: *mut *mut u8,
) -> c_int {
    let room = usize::try_from(size).unwrap_or(0);
    // SAFETY: as this function's own.
    unsafe {
        let Some(name) = Name::from_text(CStr::from_ptr(text).to_bytes()) else { return too_long() };
        let (mut known, mut count, mut free) = ([0_usize; 64], 0, null_mut());
        let mut message: &[u8] = &[];
        if !names.is_null() && !(*names).is_null() {
            message = between(*names, target);
            let mut at = names.add(1);
            while !(*at).is_null() {
                if let (Some(place), Ok(offset)) =
                    (known.get_mut(count), usize::try_from((*at).offset_from(*names)))
                {
                    *place = offset;
                    count += 1;
                }
                at = at.add(1);
            }
            // The entry behind becomes the end.
            if at.add(1) < last {
                free = at;
            }
        }
        let known = known.get(..count).unwrap_or_default();
        let bytes = name.as_bytes();
        let mut written = 0;
        loop {
            let rest = bytes.get(written..).unwrap_or_default();
            let Some((&length, _)) = rest.split_first() else { return too_long() };
            let place = Name::read(bytes, written).and_then(|(rest, _)| known_place(message, known, &rest));
            let (piece, is_last) = match place {
                Some(place) if length != 0 => (Some((0xc000 | place).to_be_bytes()), true),
                _ => (None, length == 0),
            };
            let pointer = piece.unwrap_or_default();
            let piece =
                if piece.is_some() { &pointer } else { rest.get(..=usize::from(length)).unwrap_or_default() };
            if written + piece.len() > room {
                return too_long();
            }
            core::ptr::copy_nonoverlapping(piece.as_ptr(), target.add(written), piece.len());
            written += piece.len();
            if is_last {
                break;
            }
        }
        // A name that is a pointer only was known already, and the root is not worth a pointer.
        if !free.is_null() && written > 2 && message.len() < 0x4000 {
            free.write(target);
            free.add(1).write(null_mut());
        }
        written as c_int
    }
}

#[cfg(not(test))]
alias! {
    /// The name before resolv.h renames it.
    dn_comp => __dn_comp;
}

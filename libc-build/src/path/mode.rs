//! setmode(3), getmode(3): permissions as chmod(1) takes them, in octal or as `u+rw,go-x`.

use crate::errno;
use crate::stdlib::array::Array;
use core::ffi::{CStr, c_char, c_void};
use core::ptr::null_mut;

/// All bits that permissions have.
const ALL: u32 = 0o7777;
const SET_UID: u32 = 0o4000;
const SET_GID: u32 = 0o2000;
const STICKY: u32 = 0o1000;
const FORMAT: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;

/// What is done with bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Add,
    Remove,
    Assign,
    /// No more.
    End,
}

/// A change of permissions.
#[derive(Clone, Copy, Debug)]
struct Change {
    operation: Operation,
    /// Whose bits may be set or removed.
    who: u32,
    /// The bits that an assignment clears.
    cleared: u32,
    /// The bits.
    bits: u32,
    /// `X`: execution, where the file is a directory or can be executed.
    maybe_execute: bool,
    /// `u`, `g`, `o`: the bits that those have.
    copy_from: Option<u32>,
}

/// The bits of one of user, group and others, for all three.
fn spread(bits: u32) -> u32 {
    bits << 6 | bits << 3 | bits
}

/// Reads permissions; `mask` are the bits that nobody gets who is not named.
fn parse(text: &[u8], mask: u32) -> Option<Array<Change>> {
    let mut changes = Array::new();
    let end = Change {
        operation: Operation::End,
        who: 0,
        cleared: 0,
        bits: 0,
        maybe_execute: false,
        copy_from: None,
    };
    if text.first().is_some_and(u8::is_ascii_digit) {
        let mut bits = 0_u32;
        for &digit in text {
            bits = bits.checked_mul(8)? + char::from(digit).to_digit(8)?;
        }
        if bits > ALL {
            return None;
        }
        changes.push(Change { operation: Operation::Assign, who: ALL, cleared: ALL, bits, ..end }).ok()?;
        changes.push(end).ok()?;
        return Some(changes);
    }
    for clause in text.split(|&byte| byte == b',') {
        let mut bytes = clause.iter().copied().peekable();
        let mut who = 0;
        while let Some(bits) = bytes.peek().and_then(|byte| match byte {
            b'u' => Some(SET_UID | 0o700),
            b'g' => Some(SET_GID | 0o070),
            b'o' => Some(0o007),
            b'a' => Some(SET_UID | SET_GID | 0o777),
            _ => None,
        }) {
            who |= bits;
            bytes.next();
        }
        // Where nobody is named, an assignment clears everybody's bits. The sticky bit is nobody's.
        let (allowed, cleared) = if who == 0 { (ALL & !mask, ALL & !STICKY) } else { (who | STICKY, who) };
        bytes.peek()?;
        while let Some(operation) = bytes.next() {
            let operation = match operation {
                b'+' => Operation::Add,
                b'-' => Operation::Remove,
                b'=' => Operation::Assign,
                _ => return None,
            };
            let mut change = Change { operation, who: allowed, cleared, ..end };
            while let Some(&byte) = bytes.peek() {
                match byte {
                    b'r' => change.bits |= spread(4),
                    b'w' => change.bits |= spread(2),
                    b'x' => change.bits |= spread(1),
                    b's' => change.bits |= SET_UID | SET_GID,
                    b't' => change.bits |= STICKY,
                    b'X' => change.maybe_execute = true,
                    b'u' => change.copy_from = Some(6),
                    b'g' => change.copy_from = Some(3),
                    b'o' => change.copy_from = Some(0),
                    _ => break,
                }
                bytes.next();
            }
            changes.push(change).ok()?;
        }
    }
    changes.push(end).ok()?;
    Some(changes)
}

impl Change {
    fn apply(&self, mode: u32) -> u32 {
        let mut bits = self.bits;
        if self.maybe_execute && (mode & FORMAT == DIRECTORY || mode & spread(1) != 0) {
            bits |= spread(1);
        }
        if let Some(shift) = self.copy_from {
            bits |= spread(mode >> shift & 7);
        }
        let bits = bits & self.who;
        match self.operation {
            Operation::Add => mode | bits,
            Operation::Remove => mode & !bits,
            Operation::Assign => mode & !self.cleared | bits,
            Operation::End => mode,
        }
    }
}

#[cfg(not(test))]
fn mask() -> u32 {
    unsafe extern "C" {
        safe fn umask(mask: u32) -> u32;
    }
    let mask = umask(0);
    umask(mask);
    mask
}

#[cfg(test)]
fn mask() -> u32 {
    0o022
}

/// Reads permissions; a block for getmode(3), or null with EINVAL or ENOMEM.
///
/// # Safety
/// `text` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn setmode(text: *const c_char) -> *mut c_void {
    // SAFETY: as this function's own.
    match parse(unsafe { CStr::from_ptr(text) }.to_bytes(), mask()) {
        Some(changes) => changes.into_raw().cast(),
        None => {
            errno::set(errno::EINVAL);
            null_mut()
        }
    }
}

/// The permissions that a file with `mode` gets.
///
/// # Safety
/// `changes` is from setmode(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getmode(changes: *const c_void, mut mode: u32) -> u32 {
    let mut at = changes.cast::<Change>();
    // SAFETY: as this function's own: changes up to their end.
    unsafe {
        while (*at).operation != Operation::End {
            mode = (*at).apply(mode);
            at = at.add(1);
        }
    }
    mode
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn changed(text: &CStr, mode: u32) -> Option<u32> {
        // SAFETY: a C string; the block is freed once.
        unsafe {
            let changes = setmode(text.as_ptr());
            if changes.is_null() {
                return None;
            }
            let mode = getmode(changes, mode);
            crate::stdlib::heap::free(changes);
            Some(mode)
        }
    }

    #[test]
    fn as_chmod_does() {
        for (text, mode, result) in [
            (c"644", 0o100_777, 0o100_644),
            (c"4755", 0, 0o4755),
            (c"u+x", 0o644, 0o744),
            (c"go-rwx", 0o777, 0o700),
            (c"a=r", 0o777, 0o444),
            (c"+w", 0o444, 0o644),
            (c"=rx", 0o777, 0o555),
            (c"g=u", 0o640, 0o660),
            (c"u=rwx,go=rx", 0, 0o755),
            (c"+X", 0o644, 0o644),
            (c"+X", 0o040_600, 0o040_711),
            (c"a+X", 0o744, 0o755),
            (c"u+s,g+s,+t", 0o755, 0o7755),
            (c"u=", 0o755, 0o055),
            (c"o=g-w", 0o664, 0o664),
            (c"o+w-r", 0o004, 0o002),
        ] {
            assert_eq!(changed(text, mode), Some(result), "{text:?}");
        }
        for bad in [c"", c"8", c"10000", c"u", c"u+q", c"x+r", c"u+r,", c"9x"] {
            assert_eq!(changed(bad, 0), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_hurts(text in "[ugoa+=rwxXst,0-9-]{0,20}", mode: u32) {
            let text = std::ffi::CString::new(text).expect("no NUL");
            if let Some(result) = changed(&text, mode) {
                prop_assert_eq!(result & !ALL, mode & !ALL);
            }
        }
    }
}

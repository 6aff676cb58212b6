//! basename(3) and dirname(3) (POSIX, libgen.h). The argument is left as it is; results are in memory of their own.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};
use core::ops::Range;

/// The longest path, PATH_MAX with its end.
const PATH_BYTES: usize = 1024;

struct Shared(UnsafeCell<[u8; PATH_BYTES]>);
// SAFETY: POSIX does not let two threads call these functions at once.
unsafe impl Sync for Shared {}
static BASE: Shared = Shared(UnsafeCell::new([0; PATH_BYTES]));
static DIRECTORY: Shared = Shared(UnsafeCell::new([0; PATH_BYTES]));

/// Where the last part of a path lies. `/` is its own last part.
fn last_part(path: &[u8]) -> Option<Range<usize>> {
    let end = match path.iter().rposition(|&byte| byte != b'/') {
        Some(last) => last + 1,
        None => return (!path.is_empty()).then_some(0..1),
    };
    let start = path.get(..end)?.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    Some(start..end)
}

/// What stands before the last part, without slashes at its end.
fn directory_part(path: &[u8]) -> &[u8] {
    let Some(part) = last_part(path) else { return b"." };
    let before = path.get(..part.start).unwrap_or_default();
    if before.is_empty() {
        return if path.first() == Some(&b'/') { b"/" } else { b"." };
    }
    let length = before.iter().rposition(|&byte| byte != b'/').map_or(1, |last| last + 1);
    before.get(..length).unwrap_or(b"/")
}

/// Copies a result to where it is returned; null where it is too long.
fn keep(text: &[u8], place: &Shared) -> *mut c_char {
    // SAFETY: one thread at a time (documentation of the cells).
    let buffer = unsafe { &mut *place.0.get() };
    let Some(room) = buffer.get_mut(..=text.len()) else {
        crate::errno::set(crate::errno::ENAMETOOLONG);
        return core::ptr::null_mut();
    };
    if let Some((end, bytes)) = room.split_last_mut() {
        bytes.copy_from_slice(text);
        *end = 0;
    }
    buffer.as_mut_ptr().cast()
}

/// The bytes of a path; none for null.
///
/// # Safety
/// `path` is null or a C string.
unsafe fn bytes<'a>(path: *const c_char) -> &'a [u8] {
    // SAFETY: as this function's own.
    if path.is_null() { b"" } else { unsafe { CStr::from_ptr(path) }.to_bytes() }
}

/// The last part of a path.
///
/// # Safety
/// `path` is null or a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn basename(path: *mut c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    let path = unsafe { bytes(path) };
    keep(last_part(path).and_then(|part| path.get(part)).unwrap_or(b"."), &BASE)
}

/// What stands before a path's last part.
///
/// # Safety
/// `path` is null or a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn dirname(path: *mut c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    keep(directory_part(unsafe { bytes(path) }), &DIRECTORY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_posix() {
        for (path, directory, base) in [
            (c"usr", c".", c"usr"),
            (c"usr/", c".", c"usr"),
            (c"", c".", c"."),
            (c"/", c"/", c"/"),
            (c"//", c"/", c"/"),
            (c"/usr/", c"/", c"usr"),
            (c"/usr/lib", c"/usr", c"lib"),
            (c"//usr//lib//", c"//usr", c"lib"),
            (c"/home//dwc//test", c"/home//dwc", c"test"),
        ] {
            // SAFETY: C strings.
            unsafe {
                assert_eq!(CStr::from_ptr(basename(path.as_ptr().cast_mut())), base, "{path:?}");
                assert_eq!(CStr::from_ptr(dirname(path.as_ptr().cast_mut())), directory, "{path:?}");
            }
        }
    }
}

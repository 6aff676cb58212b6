//! Temporary files: mkstemp(3), mkdtemp(3), tmpfile(3), tmpnam(3).

use super::file::File;
use super::open::fdopen;
use crate::errno::{self, EEXIST, EINVAL, ENOENT};
use crate::stdlib::heap;
use crate::sys;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr::null_mut;

unsafe extern "C" {
    /// mkdir(2).
    fn mkdir(path: *const c_char, mode: c_uint) -> c_int;
}

/// open(2)'s flags (fcntl.h).
const O_RDWR: c_int = 2;
const O_CREAT: c_int = 0x200;
const O_EXCL: c_int = 0x800;
/// The flags that a caller may add: O_APPEND, O_SYNC, O_CLOEXEC, O_DIRECT and the like.
const O_ADDED: c_int = 0x8 | 0x80 | 0x40_0000 | 0x8_0000 | 0x1_0000;
/// Names that are tried before giving up.
const TRIES: usize = 1000;
/// limits.h's PATH_MAX, with the zero: stdio.h's L_tmpnam.
const PATH_MAX: usize = 1024;

/// What is made under a name.
#[derive(Clone, Copy)]
enum Make {
    /// A file, opened with these flags too.
    File(c_int),
    /// A folder.
    Folder,
    /// Nothing: the name only is wanted.
    Name,
}

/// Replaces the X's before the last `suffix` characters of `template` until what is wanted can be made. Returns the descriptor, 0 for what
/// has none, or -1 with errno set.
///
/// # Safety
/// `template` is a string that may be written to.
unsafe fn make(template: *mut c_char, suffix: c_int, what: Make) -> c_int {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // SAFETY: as this function's own.
    let text = unsafe {
        let len = CStr::from_ptr(template).count_bytes();
        core::slice::from_raw_parts_mut(template.cast::<u8>(), len)
    };
    let Some(end) = usize::try_from(suffix).ok().and_then(|suffix| text.len().checked_sub(suffix)) else {
        return errno::fail(EINVAL);
    };
    let Some(text) = text.get_mut(..end) else { return errno::fail(EINVAL) };
    let count = text.iter().rev().take_while(|&&byte| byte == b'X').count();
    let (_, places) = text.split_at_mut(end - count);
    if places.is_empty() {
        return errno::fail(EINVAL);
    }
    for _ in 0..TRIES {
        for place in &mut *places {
            // Two bits more than the letters need: those beyond them are drawn again.
            *place = loop {
                let mut draw = 0u8;
                // SAFETY: one byte is asked for.
                unsafe { crate::stdlib::random::arc4random_buf((&raw mut draw).cast(), 1) };
                if let Some(&letter) = LETTERS.get(usize::from(draw & 63)) {
                    break letter;
                }
            };
        }
        // SAFETY: the template is a string; the structure has the size of `struct stat`.
        let result = unsafe {
            match what {
                Make::File(flags) => {
                    sys::open(template, O_RDWR | O_CREAT | O_EXCL | flags & O_ADDED, 0o600 as c_int)
                }
                Make::Folder => mkdir(template, 0o700),
                Make::Name => {
                    let mut stat = [0u64; 19];
                    if sys::__lstat50(template, stat.as_mut_ptr().cast()) == 0 {
                        errno::fail(EEXIST)
                    } else if errno::get() == ENOENT {
                        0
                    } else {
                        -1
                    }
                }
            }
        };
        if result >= 0 || errno::get() != EEXIST {
            return result;
        }
    }
    errno::fail(EEXIST)
}

/// mkstemp(3).
///
/// # Safety
/// `template` is a string that may be written to.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn mkstemp(template: *mut c_char) -> c_int {
    // SAFETY: as this function's own.
    unsafe { make(template, 0, Make::File(0)) }
}

/// mkostemp(3).
///
/// # Safety
/// As for [`mkstemp`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn mkostemp(template: *mut c_char, flags: c_int) -> c_int {
    // SAFETY: as this function's own.
    unsafe { make(template, 0, Make::File(flags)) }
}

/// mkstemps(3).
///
/// # Safety
/// As for [`mkstemp`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn mkstemps(template: *mut c_char, suffix: c_int) -> c_int {
    // SAFETY: as this function's own.
    unsafe { make(template, suffix, Make::File(0)) }
}

/// mkostemps(3).
///
/// # Safety
/// As for [`mkstemp`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn mkostemps(template: *mut c_char, suffix: c_int, flags: c_int) -> c_int {
    // SAFETY: as this function's own.
    unsafe { make(template, suffix, Make::File(flags)) }
}

/// mkdtemp(3).
///
/// # Safety
/// As for [`mkstemp`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn mkdtemp(template: *mut c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    if unsafe { make(template, 0, Make::Folder) } < 0 { null_mut() } else { template }
}

/// mktemp(3).
///
/// # Safety
/// As for [`mkstemp`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn mktemp(template: *mut c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    if unsafe { make(template, 0, Make::Name) } < 0 { null_mut() } else { template }
}

/// Writes `folder/prefixXXXXXXXXXX` to a path. Returns false if it does not fit.
fn template(path: &mut [u8; PATH_MAX], folder: &[u8], prefix: &[u8]) -> bool {
    let slash: &[u8] = if folder.ends_with(b"/") { b"" } else { b"/" };
    let mut at = 0;
    for part in [folder, slash, prefix, b"XXXXXXXXXX\0"] {
        let Some(room) = path.get_mut(at..at + part.len()) else {
            errno::set(crate::errno::ENAMETOOLONG);
            return false;
        };
        room.copy_from_slice(part);
        at += part.len();
    }
    true
}

/// The folder for temporary files that the environment names, or `/tmp`.
fn folder() -> &'static [u8] {
    // SAFETY: strings; who changes the environment meanwhile answers for it.
    unsafe {
        let value = crate::env::getenv(c"TMPDIR".as_ptr());
        if value.is_null() { b"/tmp" } else { CStr::from_ptr(value).to_bytes() }
    }
}

/// tmpfile(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn tmpfile() -> *mut File {
    let mut path = [0; PATH_MAX];
    if !template(&mut path, folder(), b"tmp.") {
        return null_mut();
    }
    let path: *mut c_char = path.as_mut_ptr().cast();
    // SAFETY: the path is a string.
    unsafe {
        let fd = mkstemp(path);
        if fd < 0 {
            return null_mut();
        }
        sys::unlink(path);
        let file = fdopen(fd, c"w+".as_ptr());
        if file.is_null() {
            sys::close(fd);
        }
        file
    }
}

/// The name that tmpnam(3) keeps for callers who bring no room.
struct Name(UnsafeCell<[u8; PATH_MAX]>);

// SAFETY: tmpnam(3) may be used without room of the caller's by one thread at a time.
unsafe impl Sync for Name {}

static NAME: Name = Name(UnsafeCell::new([0; PATH_MAX]));

/// tmpnam(3).
///
/// # Safety
/// `name` is null or has 1,024 bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn tmpnam(name: *mut c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe {
        let path = if name.is_null() { &mut *NAME.0.get() } else { &mut *name.cast::<[u8; PATH_MAX]>() };
        if template(path, b"/tmp", b"tmp.") { mktemp(path.as_mut_ptr().cast()) } else { null_mut() }
    }
}

/// tempnam(3).
///
/// # Safety
/// Both are null or strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn tempnam(wanted: *const c_char, prefix: *const c_char) -> *mut c_char {
    // SAFETY: as this function's own; the memory has the size of a path.
    unsafe {
        let path: *mut [u8; PATH_MAX] = heap::calloc(1, PATH_MAX).cast();
        let Some(place) = path.as_mut() else { return null_mut() };
        let text = |text: *const c_char| {
            if text.is_null() { b"".as_slice() } else { CStr::from_ptr(text).to_bytes() }
        };
        let fromenv = folder();
        let folders = [fromenv, text(wanted), b"/tmp"];
        for folder in folders.into_iter().filter(|folder| !folder.is_empty()) {
            if template(place, folder, text(prefix)) && !mktemp(path.cast()).is_null() {
                return path.cast();
            }
        }
        heap::free(path.cast());
        null_mut()
    }
}

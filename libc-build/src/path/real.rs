//! realpath(3): a path without links, dots and repeated slashes.

use crate::stdlib::heap::malloc;
use crate::{errno, sys};
use core::ffi::{CStr, c_char, c_int};

/// PATH_MAX.
const PATH_BYTES: usize = 1024;
/// MAXSYMLINKS.
const LINKS_LIMIT: u32 = 32;

/// A path that grows to its limit. There is always room for an end behind it.
struct Path {
    bytes: [u8; PATH_BYTES],
    length: usize,
}

impl Path {
    const fn new() -> Self {
        Self { bytes: [0; PATH_BYTES], length: 0 }
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, text: &[u8]) -> Result<(), c_int> {
        let end = self.length + text.len();
        let room =
            self.bytes.get_mut(self.length..end).filter(|_| end < PATH_BYTES).ok_or(errno::ENAMETOOLONG)?;
        room.copy_from_slice(text);
        self.length = end;
        if let Some(end) = self.bytes.get_mut(end) {
            *end = 0;
        }
        Ok(())
    }

    fn truncate(&mut self, length: usize) {
        self.length = length;
        if let Some(end) = self.bytes.get_mut(length) {
            *end = 0;
        }
    }

    fn c_string(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }
}

/// The working directory.
fn working_directory(path: &mut Path) -> Result<(), c_int> {
    // SAFETY: the buffer with its size.
    if unsafe { sys::__getcwd(path.bytes.as_mut_ptr().cast(), PATH_BYTES) } < 0 {
        return Err(errno::get());
    }
    path.length = path.bytes.iter().position(|&byte| byte == 0).unwrap_or(0);
    Ok(())
}

/// Resolves `path`.
fn resolve(path: &[u8], resolved: &mut Path) -> Result<(), c_int> {
    let mut rest = Path::new();
    rest.push(path)?;
    if path.first() == Some(&b'/') {
        resolved.push(b"/")?;
    } else {
        working_directory(resolved)?;
    }
    let mut links = 0;
    loop {
        let text = rest.text();
        let start = text.iter().position(|&byte| byte != b'/').unwrap_or(text.len());
        let text = text.get(start..).unwrap_or_default();
        if text.is_empty() {
            return Ok(());
        }
        let length = text.iter().position(|&byte| byte == b'/').unwrap_or(text.len());
        let (part, behind) = text.split_at_checked(length).unwrap_or((text, b""));
        let before = resolved.length;
        match part {
            b"." => {}
            b".." => {
                let slash = resolved.text().iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                resolved.truncate(slash.max(1));
            }
            _ => {
                if !resolved.text().ends_with(b"/") {
                    resolved.push(b"/")?;
                }
                resolved.push(part)?;
                let mut target = Path::new();
                // SAFETY: a C string, and a buffer with its size.
                let got = unsafe {
                    sys::readlink(resolved.c_string(), target.bytes.as_mut_ptr().cast(), PATH_BYTES - 1)
                };
                if let Ok(got) = usize::try_from(got) {
                    links += 1;
                    if links > LINKS_LIMIT {
                        return Err(errno::ELOOP);
                    }
                    target.length = got;
                    target.push(behind)?;
                    let absolute = target.text().first() == Some(&b'/');
                    resolved.truncate(if absolute { 1 } else { before });
                    rest = target;
                    continue;
                }
                // EINVAL says that it is no link. The last part may be missing for POSIX's sake no more than any other.
                let error = errno::get();
                if error != errno::EINVAL {
                    return Err(error);
                }
            }
        }
        let mut next = Path::new();
        next.push(behind)?;
        rest = next;
    }
}

/// The path of the same file without links, dots and repeated slashes; into `target`, or into new memory where that is null.
///
/// # Safety
/// `path` is null or a C string; `target` is null or has PATH_MAX bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn realpath(path: *const c_char, target: *mut c_char) -> *mut c_char {
    if path.is_null() {
        errno::set(errno::EINVAL);
        return core::ptr::null_mut();
    }
    // SAFETY: as this function's own.
    let text = unsafe { CStr::from_ptr(path) }.to_bytes();
    let mut resolved = Path::new();
    let before = errno::get();
    let done = if text.is_empty() { Err(errno::ENOENT) } else { resolve(text, &mut resolved) };
    if let Err(error) = done {
        errno::set(error);
        return core::ptr::null_mut();
    }
    errno::set(before);
    // SAFETY: the copy has its end and fits PATH_MAX bytes.
    unsafe {
        let target = if target.is_null() { malloc(resolved.length + 1).cast() } else { target };
        if !target.is_null() {
            crate::string::copy::memcpy(target.cast(), resolved.c_string().cast(), resolved.length + 1);
        }
        target
    }
}

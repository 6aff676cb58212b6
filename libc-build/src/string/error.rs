//! strerror(3) and the table behind it, sys_errlist(3).

use crate::errno;
use core::ffi::{CStr, c_char, c_int, c_void};

/// One more than the greatest error number.
const COUNT: usize = errno::ELAST as usize + 1;

/// The messages by number.
static MESSAGES: [&CStr; COUNT] = [
    c"Undefined error: 0",
    c"Operation not permitted",
    c"No such file or directory",
    c"No such process",
    c"Interrupted system call",
    c"Input/output error",
    c"Device not configured",
    c"Argument list too long",
    c"Exec format error",
    c"Bad file descriptor",
    c"No child processes",
    c"Resource deadlock avoided",
    c"Cannot allocate memory",
    c"Permission denied",
    c"Bad address",
    c"Block device required",
    c"Device busy",
    c"File exists",
    c"Cross-device link",
    c"Operation not supported by device",
    c"Not a directory",
    c"Is a directory",
    c"Invalid argument",
    c"Too many open files in system",
    c"Too many open files",
    c"Inappropriate ioctl for device",
    c"Text file busy",
    c"File too large",
    c"No space left on device",
    c"Illegal seek",
    c"Read-only file system",
    c"Too many links",
    c"Broken pipe",
    c"Numerical argument out of domain",
    c"Result too large or too small",
    c"Resource temporarily unavailable",
    c"Operation now in progress",
    c"Operation already in progress",
    c"Socket operation on non-socket",
    c"Destination address required",
    c"Message too long",
    c"Protocol wrong type for socket",
    c"Protocol option not available",
    c"Protocol not supported",
    c"Socket type not supported",
    c"Operation not supported",
    c"Protocol family not supported",
    c"Address family not supported by protocol family",
    c"Address already in use",
    c"Can't assign requested address",
    c"Network is down",
    c"Network is unreachable",
    c"Network dropped connection on reset",
    c"Software caused connection abort",
    c"Connection reset by peer",
    c"No buffer space available",
    c"Socket is already connected",
    c"Socket is not connected",
    c"Can't send after socket shutdown",
    c"Too many references: can't splice",
    c"Operation timed out",
    c"Connection refused",
    c"Too many levels of symbolic links",
    c"File name too long",
    c"Host is down",
    c"No route to host",
    c"Directory not empty",
    c"Too many processes",
    c"Too many users",
    c"Disc quota exceeded",
    c"Stale NFS file handle",
    c"Too many levels of remote in path",
    c"RPC struct is bad",
    c"RPC version wrong",
    c"RPC prog. not avail",
    c"Program version wrong",
    c"Bad procedure for program",
    c"No locks available",
    c"Function not implemented",
    c"Inappropriate file type or format",
    c"Authentication error",
    c"Need authenticator",
    c"Identifier removed",
    c"No message of desired type",
    c"Value too large to be stored in data type",
    c"Illegal byte sequence",
    c"Not supported",
    c"Operation canceled",
    c"Bad or Corrupt message",
    c"No message available",
    c"No STREAM resources",
    c"Not a STREAM",
    c"STREAM ioctl timeout",
    c"Attribute not found",
    c"Multihop attempted",
    c"Link has been severed",
    c"Protocol error",
    c"Previous owner died",
    c"State not recoverable",
];

/// A pointer in a table that never changes.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Text(*const c_char);
// SAFETY: it points to constant bytes.
unsafe impl Sync for Text {}

impl Text {
    /// The constant `text` as C sees it.
    #[must_use]
    pub const fn new(text: &'static CStr) -> Self {
        Self(text.as_ptr())
    }

    /// Nothing.
    pub const NULL: Self = Self(core::ptr::null());
}

/// `sys_errlist`: an array under its old name, a pointer to it under the one that errno.h gives it.
#[cfg(not(test))]
mod exported {
    use super::{COUNT, MESSAGES, Text};
    use core::ffi::c_int;

    /// The table that C programs read.
    const LIST: [Text; COUNT] = {
        let mut list = [Text::NULL; COUNT];
        let mut index = 0;
        while index < COUNT {
            list[index] = Text::new(MESSAGES[index]);
            index += 1;
        }
        list
    };

    #[unsafe(no_mangle)]
    static sys_errlist: [Text; COUNT] = LIST;
    #[unsafe(no_mangle)]
    static sys_nerr: c_int = COUNT as c_int;
    #[unsafe(no_mangle)]
    static __sys_errlist14: &[Text; COUNT] = &sys_errlist;
    #[unsafe(no_mangle)]
    static __sys_nerr14: c_int = COUNT as c_int;
}

/// Decimal digits of `number` after `prefix`, into `buffer`; returns the length without the end.
pub(crate) fn numbered(buffer: &mut [u8], prefix: &str, number: c_int) -> usize {
    let mut digits = [0_u8; 11];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    let mut length = 0;
    for (byte, place) in prefix.bytes().chain(digits.into_iter().skip(at)).zip(buffer.iter_mut()) {
        *place = byte;
        length += 1;
    }
    let length = length.min(buffer.len().saturating_sub(1));
    if let Some(end) = buffer.get_mut(length) {
        *end = 0;
    }
    length
}

/// The message for `number`, if there is one.
pub(crate) fn message(number: c_int) -> Option<&'static CStr> {
    usize::try_from(number).ok().and_then(|index| MESSAGES.get(index)).copied()
}

/// Writes the message for `number`; EINVAL for an unknown number, ERANGE where it does not fit.
///
/// # Safety
/// `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strerror_r(number: c_int, buffer: *mut c_char, size: usize) -> c_int {
    let mut own = [0; 40];
    let (text, status) = if let Some(text) = message(number) {
        (text.to_bytes_with_nul(), 0)
    } else {
        let length = numbered(&mut own, "Unknown error: ", number);
        (own.get(..=length).unwrap_or(&own), errno::EINVAL)
    };
    // SAFETY: at most `size` bytes are written.
    unsafe {
        if super::build::strlcpy(buffer, text.as_ptr().cast(), size) >= size { errno::ERANGE } else { status }
    }
}

/// Where strerror(3) writes what is not in the table.
struct Unknown(core::cell::UnsafeCell<[u8; 40]>);
// SAFETY: strerror(3) is not promised to be safe against another thread's call (C 7.26.6.2).
unsafe impl Sync for Unknown {}
static UNKNOWN: Unknown = Unknown(core::cell::UnsafeCell::new([0; 40]));

/// The message for `number`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn strerror(number: c_int) -> *mut c_char {
    if let Some(text) = message(number) {
        return text.as_ptr().cast_mut();
    }
    errno::set(errno::EINVAL);
    // SAFETY: the caller does not call this from two threads at once (documentation of the cell).
    let buffer = unsafe { &mut *UNKNOWN.0.get() };
    numbered(buffer, "Unknown error: ", number);
    buffer.as_mut_ptr().cast()
}

/// strerror(3) in a given locale: the messages are the same in all.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn strerror_l(number: c_int, _locale: *mut c_void) -> *mut c_char {
    strerror(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(at: *const c_char) -> &'static str {
        // SAFETY: a message, or the static buffer, with its end.
        unsafe { CStr::from_ptr(at) }.to_str().expect("ASCII")
    }

    #[test]
    fn known_and_unknown_numbers() {
        assert_eq!(text(strerror(errno::ENOENT)), "No such file or directory");
        assert_eq!(text(strerror(errno::ENOTRECOVERABLE)), "State not recoverable");
        assert_eq!(text(strerror(-12345)), "Unknown error: -12345");
        let mut buffer = [0; 8];
        // SAFETY: the size is the buffer's.
        assert_eq!(unsafe { strerror_r(errno::ENOENT, buffer.as_mut_ptr(), 8) }, errno::ERANGE);
        assert_eq!(text(buffer.as_ptr().cast::<c_char>()).len(), 7);
    }
}

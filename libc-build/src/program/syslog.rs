//! syslog(3). There is no syslogd in an image: messages go to the console, as syslog's own LOG_CONS has them.
//!
//! A line reads `ident[pid]: message`; what setlogmask(3) hides is not written.

use super::name::getprogname;
use crate::errno;
use crate::lock::Lock;
use crate::stdio::printf::string::vsnprintf;
use crate::string::error::{numbered, strerror};
use crate::string::scan::strlen;
use crate::sys;
use crate::va::VaList;
use core::ffi::{CStr, c_char, c_int};

/// LOG_PID: with the process's number.
const LOG_PID: c_int = 0x01;
/// LOG_PERROR: to the standard error output, too.
const LOG_PERROR: c_int = 0x20;
/// O_WRONLY | O_NOCTTY | O_CLOEXEC.
const OPEN_FLAGS: c_int = 0x1 | 0x8000 | 0x0040_0000;
/// The longest line.
const LINE_BYTES: usize = 1024;

/// What openlog(3) and setlogmask(3) set.
struct Settings {
    ident: *const c_char,
    options: c_int,
    mask: c_int,
}

// SAFETY: the name is the program's and stays (openlog(3)).
unsafe impl Send for Settings {}

static SETTINGS: Lock<Settings> = Lock::new(Settings { ident: core::ptr::null(), options: 0, mask: 0xff });

/// Sets name and options of the messages that follow.
///
/// # Safety
/// `ident` is null or a C string that stays.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn openlog(ident: *const c_char, options: c_int, _facility: c_int) {
    let mut settings = SETTINGS.lock();
    settings.ident = ident;
    settings.options = options;
}

/// Forgets name and options.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn closelog() {
    let mut settings = SETTINGS.lock();
    settings.ident = core::ptr::null();
    settings.options = 0;
}

/// Sets which priorities are written; returns the mask before. 0 leaves it.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn setlogmask(mask: c_int) -> c_int {
    let mut settings = SETTINGS.lock();
    let before = settings.mask;
    if mask != 0 {
        settings.mask = mask;
    }
    before
}

/// A line that grows to its limit.
struct Line {
    bytes: [u8; LINE_BYTES],
    length: usize,
}

impl Line {
    fn push(&mut self, text: &[u8]) {
        for &byte in text {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = byte;
                self.length += 1;
            }
        }
    }
}

/// `format` with `%m` replaced by what errno means.
fn explained(format: &[u8], number: c_int) -> Line {
    let mut line = Line { bytes: [0; LINE_BYTES], length: 0 };
    let mut bytes = format.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'%' && bytes.peek() == Some(&b'm') {
            bytes.next();
            // SAFETY: a C string; a percent sign in it is not written, as no message has one.
            line.push(unsafe { CStr::from_ptr(strerror(number)) }.to_bytes());
        } else {
            line.push(&[byte]);
            if byte == b'%'
                && let Some(next) = bytes.next()
            {
                line.push(&[next]);
            }
        }
    }
    line.length = line.length.min(LINE_BYTES - 1);
    if let Some(end) = line.bytes.get_mut(line.length) {
        *end = 0;
    }
    line
}

/// syslog(3) with a `va_list`.
///
/// # Safety
/// `format` fits `args`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vsyslog(priority: c_int, format: *const c_char, args: *mut VaList) {
    let number = errno::get();
    let (ident, options, mask) = {
        let settings = SETTINGS.lock();
        (settings.ident, settings.options, settings.mask)
    };
    if mask & 1 << (priority & 7) == 0 {
        return;
    }
    let mut line = Line { bytes: [0; LINE_BYTES], length: 0 };
    // SAFETY: C strings; vsnprintf gets what is left of the line, with one byte kept for the newline.
    unsafe {
        let format = explained(CStr::from_ptr(format).to_bytes(), number);
        let name = if ident.is_null() { getprogname() } else { ident };
        line.push(core::slice::from_raw_parts(name.cast(), strlen(name).min(64)));
        if options & LOG_PID != 0 {
            let mut digits = [0; 12];
            let length = numbered(&mut digits, "", sys::getpid());
            line.push(b"[");
            line.push(digits.get(..length).unwrap_or_default());
            line.push(b"]");
        }
        line.push(b": ");
        let room = LINE_BYTES - 1 - line.length;
        let written = vsnprintf(
            line.bytes.as_mut_ptr().add(line.length).cast(),
            room,
            format.bytes.as_ptr().cast(),
            args,
        );
        line.length += usize::try_from(written).unwrap_or(0).min(room - 1);
        if line.bytes.get(line.length - 1) != Some(&b'\n') {
            line.push(b"\n");
        }
        if options & LOG_PERROR != 0 {
            sys::write(2, line.bytes.as_ptr().cast(), line.length);
        }
        let console = sys::open(c"/dev/console".as_ptr(), OPEN_FLAGS);
        if console >= 0 {
            sys::write(console, line.bytes.as_ptr().cast(), line.length);
            sys::close(console);
        } else if options & LOG_PERROR == 0 {
            sys::write(2, line.bytes.as_ptr().cast(), line.length);
        }
    }
    errno::set(number);
}

variadic! {
    /// Writes a message to the console.
    syslog(2) => vsyslog;
}

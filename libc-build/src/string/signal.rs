//! Signals' names and descriptions: strsignal(3), psignal(3), signalname(3), sys_siglist(3), sys_signame(3).

use super::compare::strcasecmp;
use super::error::numbered;
use super::scan::strlen;
use core::ffi::{CStr, c_char, c_int, c_void};

/// Short name and description by number; the realtime signals follow.
static SIGNALS: [(&CStr, &CStr); 33] = [
    (c"0", c"Signal 0"),
    (c"HUP", c"Hangup"),
    (c"INT", c"Interrupt"),
    (c"QUIT", c"Quit"),
    (c"ILL", c"Illegal instruction"),
    (c"TRAP", c"Trace/BPT trap"),
    (c"ABRT", c"Abort trap"),
    (c"EMT", c"EMT trap"),
    (c"FPE", c"Floating point exception"),
    (c"KILL", c"Killed"),
    (c"BUS", c"Bus error"),
    (c"SEGV", c"Segmentation fault"),
    (c"SYS", c"Bad system call"),
    (c"PIPE", c"Broken pipe"),
    (c"ALRM", c"Alarm clock"),
    (c"TERM", c"Terminated"),
    (c"URG", c"Urgent I/O condition"),
    (c"STOP", c"Suspended (signal)"),
    (c"TSTP", c"Suspended"),
    (c"CONT", c"Continued"),
    (c"CHLD", c"Child exited"),
    (c"TTIN", c"Stopped (tty input)"),
    (c"TTOU", c"Stopped (tty output)"),
    (c"IO", c"I/O possible"),
    (c"XCPU", c"Cputime limit exceeded"),
    (c"XFSZ", c"Filesize limit exceeded"),
    (c"VTALRM", c"Virtual timer expired"),
    (c"PROF", c"Profiling timer expired"),
    (c"WINCH", c"Window size changes"),
    (c"INFO", c"Information request"),
    (c"USR1", c"User defined signal 1"),
    (c"USR2", c"User defined signal 2"),
    (c"PWR", c"Power fail/restart"),
];

/// SIGRTMIN and SIGRTMAX.
const REALTIME: core::ops::RangeInclusive<c_int> = 33..=63;
/// `_NSIG`.
const COUNT: usize = 64;

/// `RT0` to `RT30`, each with its end.
static REALTIME_NAMES: [[u8; 5]; 31] = {
    let mut names = [*b"RT\0\0\0"; 31];
    let mut index = 0;
    while index < 31 {
        if index < 10 {
            names[index][2] = b'0' + index as u8;
        } else {
            names[index][2] = b'0' + (index / 10) as u8;
            names[index][3] = b'0' + (index % 10) as u8;
        }
        index += 1;
    }
    names
};

/// The tables that C programs read: the headers declare pointers to them.
#[cfg(not(test))]
mod exported {
    use super::super::error::Text;
    use super::{COUNT, REALTIME_NAMES, SIGNALS};
    use core::ffi::{CStr, c_int};

    static DESCRIPTIONS: [Text; COUNT] = {
        let mut list = [Text::new(c"Realtime signal"); COUNT];
        let mut index = 0;
        while index < SIGNALS.len() {
            list[index] = Text::new(SIGNALS[index].1);
            index += 1;
        }
        list
    };
    static NAMES: [Text; COUNT] = {
        let mut list = [Text::NULL; COUNT];
        let mut index = 0;
        while index < COUNT {
            list[index] = Text::new(if index < SIGNALS.len() {
                SIGNALS[index].0
            } else {
                match CStr::from_bytes_until_nul(&REALTIME_NAMES[index - SIGNALS.len()]) {
                    Ok(name) => name,
                    Err(_) => c"",
                }
            });
            index += 1;
        }
        list
    };

    #[unsafe(no_mangle)]
    static __sys_siglist14: &[Text; COUNT] = &DESCRIPTIONS;
    #[unsafe(no_mangle)]
    static __sys_signame14: &[Text; COUNT] = &NAMES;
    #[unsafe(no_mangle)]
    static __sys_nsig14: c_int = COUNT as c_int;
}

/// Where strsignal(3) writes what is not in the table.
struct Unknown(core::cell::UnsafeCell<[u8; 40]>);
// SAFETY: strsignal(3) is not promised to be safe against another thread's call.
unsafe impl Sync for Unknown {}
static UNKNOWN: Unknown = Unknown(core::cell::UnsafeCell::new([0; 40]));

/// What `number` means, in words.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn strsignal(number: c_int) -> *mut c_char {
    if let Some((_, description)) =
        usize::try_from(number).ok().filter(|&index| index > 0).and_then(|index| SIGNALS.get(index))
    {
        return description.as_ptr().cast_mut();
    }
    // SAFETY: the caller does not call this from two threads at once (documentation of the cell).
    let buffer = unsafe { &mut *UNKNOWN.0.get() };
    if REALTIME.contains(&number) {
        numbered(buffer, "Real time signal ", number - REALTIME.start());
    } else {
        numbered(buffer, "Unknown signal: ", number);
    }
    buffer.as_mut_ptr().cast()
}

/// strsignal(3) into the caller's memory.
///
/// # Safety
/// `buffer` is null or has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __strsignal(number: c_int, buffer: *mut c_char, size: usize) -> *mut c_char {
    if !buffer.is_null() && size > 0 {
        // SAFETY: the caller's buffer of that size.
        unsafe { super::build::strlcpy(buffer, strsignal(number), size) };
    }
    buffer
}

/// Prints `prefix`, a colon and what `number` means to the standard error output.
///
/// # Safety
/// `prefix` is null or a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn psignal(number: c_int, prefix: *const c_char) {
    unsafe extern "C" {
        fn write(fd: c_int, bytes: *const c_void, count: usize) -> isize;
    }
    // SAFETY: strings with their lengths.
    unsafe {
        if !prefix.is_null() && *prefix != 0 {
            write(2, prefix.cast(), strlen(prefix));
            write(2, c": ".as_ptr().cast(), 2);
        }
        let text = strsignal(number);
        write(2, text.cast(), strlen(text));
        write(2, c"\n".as_ptr().cast(), 1);
    }
}

/// psignal(3) of a `siginfo_t`, whose first member is the number.
///
/// # Safety
/// `info` is one; `prefix` is null or a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn psiginfo(info: *const c_int, prefix: *const c_char) {
    // SAFETY: as this function's own.
    unsafe { psignal(*info, prefix) }
}

/// The name of `number` without SIG, or null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn signalname(number: c_int) -> *const c_char {
    if REALTIME.contains(&number) {
        return REALTIME_NAMES
            .get((number - REALTIME.start()) as usize)
            .map_or(core::ptr::null(), |name| name.as_ptr().cast());
    }
    usize::try_from(number)
        .ok()
        .filter(|&index| index > 0)
        .and_then(|index| SIGNALS.get(index))
        .map_or(core::ptr::null(), |(name, _)| name.as_ptr())
}

/// The signal after `number`, 0 after the last, -1 where `number` is none; the one after 0 is the first.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn signalnext(number: c_int) -> c_int {
    match number {
        0..63 => number + 1,
        63 => 0,
        _ => -1,
    }
}

/// The number of the signal called `name`, with or without SIG; 0 if there is none.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn signalnumber(name: *const c_char) -> c_int {
    // SAFETY: as this function's own; behind three letters the string goes on or ends.
    unsafe {
        let short =
            if super::compare::strncasecmp(name, c"SIG".as_ptr(), 3) == 0 { name.add(3) } else { name };
        (1..COUNT as c_int).find(|&number| strcasecmp(short, signalname(number)) == 0).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        for number in 1..64 {
            // SAFETY: a constant name.
            assert_eq!(unsafe { signalnumber(signalname(number)) }, number);
        }
        // SAFETY: C strings.
        unsafe {
            assert_eq!(signalnumber(c"sigusr2".as_ptr()), 31);
            assert_eq!(signalnumber(c"RT30".as_ptr()), 63);
            assert_eq!(signalnumber(c"NONE".as_ptr()), 0);
            assert_eq!(CStr::from_ptr(strsignal(11)), c"Segmentation fault");
            assert_eq!(CStr::from_ptr(strsignal(35)), c"Real time signal 2");
            assert_eq!(CStr::from_ptr(strsignal(99)), c"Unknown signal: 99");
        }
    }
}

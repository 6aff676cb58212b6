//! Pseudo-terminals: posix_openpt(3), grantpt(3), ptsname(3), openpty(3), login_tty(3), forkpty(3).

use crate::{errno, sys};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::null_mut;
use rump_abi::fcntl::{O_NOCTTY, O_RDWR};
use rump_abi::ioctl::{TIOCGRANTPT, TIOCPTMGET, TIOCPTSNAME, TIOCSCTTY, TIOCSETAF, TIOCSWINSZ};

/// `struct ptmget` (sys/ttycom.h).
#[repr(C)]
struct Pair {
    controller: c_int,
    terminal: c_int,
    controller_name: [u8; 1024],
    terminal_name: [u8; 1024],
}

impl Pair {
    const NONE: Self =
        Self { controller: -1, terminal: -1, controller_name: [0; 1024], terminal_name: [0; 1024] };
}

/// Opens the controlling side of a new pseudo-terminal.
#[unsafe(no_mangle)]
pub extern "C" fn posix_openpt(flags: c_int) -> c_int {
    // SAFETY: a C string.
    unsafe { sys::open(c"/dev/ptmx".as_ptr(), flags) }
}

/// Gives the terminal to the user of the process.
#[unsafe(no_mangle)]
pub extern "C" fn grantpt(fd: c_int) -> c_int {
    // SAFETY: the request has no argument.
    unsafe { sys::ioctl(fd, TIOCGRANTPT) }
}

/// Lets the terminal be opened, which it may anyhow where it is one.
#[unsafe(no_mangle)]
pub extern "C" fn unlockpt(fd: c_int) -> c_int {
    let mut pair = Pair::NONE;
    // SAFETY: the request writes the structure.
    unsafe { sys::ioctl(fd, TIOCPTSNAME, &raw mut pair) }
}

/// Writes the terminal's name; returns the error number.
///
/// # Safety
/// `target` has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ptsname_r(fd: c_int, target: *mut c_char, size: usize) -> c_int {
    let mut pair = Pair::NONE;
    // SAFETY: the request writes the structure; this function's contract.
    unsafe {
        if sys::ioctl(fd, TIOCPTSNAME, &raw mut pair) != 0 {
            return errno::get();
        }
        let name = pair.terminal_name.split(|&byte| byte == 0).next().unwrap_or_default();
        if crate::net::buffer::put(name, target, size) { 0 } else { errno::ERANGE }
    }
}

/// The terminal's name, valid until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn ptsname(fd: c_int) -> *mut c_char {
    static mut NAME: [c_char; 64] = [0; 64];
    let name = (&raw mut NAME).cast::<c_char>();
    // SAFETY: the buffer with its size; ptsname(3) lets nobody call it from two threads at once.
    match unsafe { ptsname_r(fd, name, 64) } {
        0 => name,
        error => {
            errno::set(error);
            null_mut()
        }
    }
}

/// Opens both sides of a new pseudo-terminal.
///
/// # Safety
/// `controller` and `terminal` are writable, `name` is null or has room, the others are null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn openpty(
    controller: *mut c_int,
    terminal: *mut c_int,
    name: *mut c_char,
    settings: *const c_void,
    window: *const c_void,
) -> c_int {
    let mut pair = Pair::NONE;
    // SAFETY: the request writes the structure; this function's contract.
    unsafe {
        let maker = sys::open(c"/dev/ptm".as_ptr(), O_RDWR | O_NOCTTY);
        if maker < 0 {
            return -1;
        }
        let result = sys::ioctl(maker, TIOCPTMGET, &raw mut pair);
        let error = errno::get();
        sys::close(maker);
        if result != 0 {
            return errno::fail(error);
        }
        controller.write(pair.controller);
        terminal.write(pair.terminal);
        if !name.is_null() {
            let text = pair.terminal_name.split(|&byte| byte == 0).next().unwrap_or_default();
            crate::net::buffer::put(text, name, text.len() + 1);
        }
        // Settings that the terminal refuses leave it as it is, as the manual page has it.
        if !settings.is_null() {
            sys::ioctl(pair.terminal, TIOCSETAF, settings);
        }
        if !window.is_null() {
            sys::ioctl(pair.terminal, TIOCSWINSZ, window);
        }
    }
    0
}

/// Makes a terminal the controlling one of a new session, and its standard streams.
#[unsafe(no_mangle)]
pub extern "C" fn login_tty(fd: c_int) -> c_int {
    unsafe extern "C" {
        safe fn setsid() -> c_int;
    }
    setsid();
    // SAFETY: the request has no argument.
    if unsafe { sys::ioctl(fd, TIOCSCTTY, null_mut::<c_void>()) } == -1 {
        return -1;
    }
    for standard in 0..3 {
        sys::dup2(fd, standard);
    }
    if fd > 2 {
        sys::close(fd);
    }
    0
}

/// Forks; the child has a new pseudo-terminal.
///
/// # Safety
/// As openpty(3) and fork(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn forkpty(
    controller: *mut c_int,
    name: *mut c_char,
    settings: *const c_void,
    window: *const c_void,
) -> c_int {
    let mut terminal = -1;
    // SAFETY: this function's contract.
    unsafe {
        if openpty(controller, &raw mut terminal, name, settings, window) != 0 {
            return -1;
        }
        match crate::process::fork::fork() {
            -1 => {
                let error = errno::get();
                sys::close(*controller);
                sys::close(terminal);
                errno::fail(error)
            }
            0 => {
                sys::close(*controller);
                login_tty(terminal);
                0
            }
            child => {
                sys::close(terminal);
                child
            }
        }
    }
}

/// The message that a password is asked with, and the password, without echo where there is a terminal.
///
/// # Safety
/// `prompt` is a C string, `target` has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getpass_r(prompt: *const c_char, target: *mut c_char, size: usize) -> *mut c_char {
    let mut settings = rump_abi::types::Termios::ZERO;
    // SAFETY: this function's contract; the requests take the structure.
    unsafe {
        let terminal = sys::open(c"/dev/tty".as_ptr(), O_RDWR);
        let (input, output) = if terminal >= 0 { (terminal, terminal) } else { (0, 2) };
        let is_terminal = sys::ioctl(input, rump_abi::ioctl::TIOCGETA, &raw mut settings) == 0;
        if is_terminal {
            let mut quiet = settings;
            quiet.c_lflag &= !rump_abi::termios::ECHO;
            sys::ioctl(input, TIOCSETAF, &raw const quiet);
        }
        let prompt = CStr::from_ptr(prompt);
        // Who does not see the prompt can still answer.
        let _ = sys::write(output, prompt.as_ptr().cast(), prompt.count_bytes());
        let (mut length, mut got) = (0, 0);
        let mut byte = 0_u8;
        while length < size {
            got = sys::read(input, (&raw mut byte).cast(), 1);
            if got <= 0 || byte == b'\n' || byte == b'\r' {
                break;
            }
            *target.add(length) = byte as c_char;
            length += 1;
        }
        if is_terminal {
            sys::ioctl(input, TIOCSETAF, &raw const settings);
            let _ = sys::write(output, c"\n".as_ptr().cast(), 1);
        }
        let error = errno::get();
        if terminal >= 0 {
            sys::close(terminal);
        }
        if got < 0 || length >= size || (got == 0 && length == 0) {
            errno::set(if got < 0 {
                error
            } else if length >= size {
                errno::E2BIG
            } else {
                errno::ENODATA
            });
            return null_mut();
        }
        *target.add(length) = 0;
        target
    }
}

/// As `getpass_r`, into memory of its own.
///
/// # Safety
/// `prompt` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getpass(prompt: *const c_char) -> *mut c_char {
    static mut PASSWORD: [c_char; 1024] = [0; 1024];
    // SAFETY: this function's contract; getpass(3) lets nobody call it from two threads at once.
    unsafe { getpass_r(prompt, (&raw mut PASSWORD).cast(), 1024) }
}

//! Terminals: isatty(3), ttyname(3), termios(3).

use crate::{errno, sys};
use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr::null_mut;

/// `struct termios`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Termios {
    input: c_uint,
    output: c_uint,
    control: c_uint,
    local: c_uint,
    characters: [u8; 20],
    input_speed: c_int,
    output_speed: c_int,
}

const _: () = assert!(size_of::<Termios>() == 44);

/// The request numbers of sys/ttycom.h: direction, size of the argument, group `t`, number.
const fn request(direction: c_ulong, size: usize, number: c_ulong) -> c_ulong {
    direction | (size as c_ulong) << 16 | (b't' as c_ulong) << 8 | number
}
const VOID: c_ulong = 0x2000_0000;
const OUT: c_ulong = 0x4000_0000;
const IN: c_ulong = 0x8000_0000;
const TIOCGETA: c_ulong = request(OUT, size_of::<Termios>(), 19);
const TIOCSETA: c_ulong = request(IN, size_of::<Termios>(), 20);
const TIOCFLUSH: c_ulong = request(IN, 4, 16);
const TIOCGPGRP: c_ulong = request(OUT, 4, 119);
const TIOCSPGRP: c_ulong = request(IN, 4, 118);
const TIOCGSID: c_ulong = request(OUT, 4, 99);
const TIOCGWINSZ: c_ulong = request(OUT, 8, 104);
const TIOCSWINSZ: c_ulong = request(IN, 8, 103);
const TIOCDRAIN: c_ulong = request(VOID, 0, 94);
const TIOCSBRK: c_ulong = request(VOID, 0, 123);
const TIOCCBRK: c_ulong = request(VOID, 0, 122);
const TIOCSTOP: c_ulong = request(VOID, 0, 111);
const TIOCSTART: c_ulong = request(VOID, 0, 110);

const _: () = assert!(TIOCGETA == 0x402c_7413);

/// isatty(3).
#[unsafe(no_mangle)]
pub extern "C" fn isatty(fd: c_int) -> c_int {
    let mut termios = [0_u8; size_of::<Termios>()];
    // SAFETY: the buffer has the argument's size.
    c_int::from(unsafe { sys::ioctl(fd, TIOCGETA, termios.as_mut_ptr()) } != -1)
}

/// tcgetattr(3).
///
/// # Safety
/// `termios` points to memory for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcgetattr(fd: c_int, termios: *mut Termios) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::ioctl(fd, TIOCGETA, termios) }
}

/// tcsetattr(3).
///
/// # Safety
/// `termios` points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcsetattr(fd: c_int, when: c_int, termios: *const Termios) -> c_int {
    const TCSASOFT: c_int = 0x10;
    const CIGNORE: c_uint = 0x0000_0001;
    // SAFETY: this function's contract.
    let mut copy = unsafe { *termios };
    if when & TCSASOFT != 0 {
        copy.control |= CIGNORE;
    }
    match when & !TCSASOFT {
        // TCSANOW, TCSADRAIN, TCSAFLUSH: consecutive requests.
        now @ 0..=2 => {
            // SAFETY: the structure is this function's own.
            unsafe { sys::ioctl(fd, TIOCSETA + now as c_ulong, &raw const copy) }
        }
        _ => errno::fail(errno::EINVAL),
    }
}

/// tcgetpgrp(3).
#[unsafe(no_mangle)]
pub extern "C" fn tcgetpgrp(fd: c_int) -> c_int {
    let mut group = 0;
    // SAFETY: the word is this function's own.
    if unsafe { sys::ioctl(fd, TIOCGPGRP, &raw mut group) } < 0 { -1 } else { group }
}

/// tcsetpgrp(3).
#[unsafe(no_mangle)]
pub extern "C" fn tcsetpgrp(fd: c_int, group: c_int) -> c_int {
    // SAFETY: the word is this function's own.
    unsafe { sys::ioctl(fd, TIOCSPGRP, &raw const group) }
}

/// tcgetsid(3).
#[unsafe(no_mangle)]
pub extern "C" fn tcgetsid(fd: c_int) -> c_int {
    let mut session = 0;
    // SAFETY: the word is this function's own.
    if unsafe { sys::ioctl(fd, TIOCGSID, &raw mut session) } < 0 { -1 } else { session }
}

/// tcgetwinsize(3).
///
/// # Safety
/// `size` points to memory for a `struct winsize`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcgetwinsize(fd: c_int, size: *mut c_void) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::ioctl(fd, TIOCGWINSZ, size) }
}

/// tcsetwinsize(3).
///
/// # Safety
/// `size` points to a `struct winsize`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcsetwinsize(fd: c_int, size: *const c_void) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::ioctl(fd, TIOCSWINSZ, size) }
}

/// tcdrain(3).
#[unsafe(no_mangle)]
pub extern "C" fn tcdrain(fd: c_int) -> c_int {
    // SAFETY: the request takes no more.
    unsafe { sys::ioctl(fd, TIOCDRAIN, 0) }
}

/// tcflush(3).
#[unsafe(no_mangle)]
pub extern "C" fn tcflush(fd: c_int, queues: c_int) -> c_int {
    if !(1..=3).contains(&queues) {
        return errno::fail(errno::EINVAL);
    }
    // TCIFLUSH, TCOFLUSH and TCIOFLUSH are FREAD, FWRITE and both.
    // SAFETY: the word is this function's own.
    unsafe { sys::ioctl(fd, TIOCFLUSH, &raw const queues) }
}

/// tcflow(3).
#[unsafe(no_mangle)]
pub extern "C" fn tcflow(fd: c_int, action: c_int) -> c_int {
    const VSTOP: usize = 13;
    const VSTART: usize = 12;
    // SAFETY: the requests take no more; the character is this function's own.
    unsafe {
        match action {
            1 => sys::ioctl(fd, TIOCSTOP, 0),
            2 => sys::ioctl(fd, TIOCSTART, 0),
            3 | 4 => {
                let mut termios = core::mem::MaybeUninit::<Termios>::uninit();
                if tcgetattr(fd, termios.as_mut_ptr()) == -1 {
                    return -1;
                }
                let characters = termios.assume_init().characters;
                let character = if action == 3 { characters[VSTOP] } else { characters[VSTART] };
                const DISABLED: u8 = 0xff;
                if character != DISABLED && sys::write(fd, (&raw const character).cast(), 1) != 1 {
                    return -1;
                }
                0
            }
            _ => errno::fail(errno::EINVAL),
        }
    }
}

/// tcsendbreak(3): 0.4 s.
#[unsafe(no_mangle)]
pub extern "C" fn tcsendbreak(fd: c_int, _len: c_int) -> c_int {
    // SAFETY: the requests take no more.
    unsafe {
        if sys::ioctl(fd, TIOCSBRK, 0) == -1 {
            return -1;
        }
        crate::clock::usleep(400_000);
        sys::ioctl(fd, TIOCCBRK, 0)
    }
}

/// cfgetispeed(3).
///
/// # Safety
/// `termios` points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfgetispeed(termios: *const Termios) -> c_uint {
    // SAFETY: this function's contract.
    unsafe { (*termios).input_speed as c_uint }
}

/// cfgetospeed(3).
///
/// # Safety
/// `termios` points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfgetospeed(termios: *const Termios) -> c_uint {
    // SAFETY: this function's contract.
    unsafe { (*termios).output_speed as c_uint }
}

/// cfsetispeed(3).
///
/// # Safety
/// `termios` points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfsetispeed(termios: *mut Termios, speed: c_uint) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*termios).input_speed = speed as c_int };
    0
}

/// cfsetospeed(3).
///
/// # Safety
/// `termios` points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfsetospeed(termios: *mut Termios, speed: c_uint) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*termios).output_speed = speed as c_int };
    0
}

/// cfsetspeed(3).
///
/// # Safety
/// `termios` points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfsetspeed(termios: *mut Termios, speed: c_uint) -> c_int {
    // SAFETY: this function's contract.
    unsafe { cfsetispeed(termios, speed) | cfsetospeed(termios, speed) }
}

/// cfmakeraw(3): the flags of termios.h that cook input and output are cleared, eight bits are passed.
///
/// # Safety
/// `termios` points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfmakeraw(termios: *mut Termios) {
    /// IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON, IMAXBEL.
    const INPUT: c_uint = 0x0001 | 0x0002 | 0x0008 | 0x0020 | 0x0040 | 0x0080 | 0x0100 | 0x0200 | 0x2000;
    const OPOST: c_uint = 0x0001;
    /// ECHO, ECHONL, ICANON, ISIG, IEXTEN.
    const LOCAL: c_uint = 0x0008 | 0x0010 | 0x0100 | 0x0080 | 0x0400;
    const CSIZE: c_uint = 0x0300;
    const PARENB: c_uint = 0x1000;
    const CS8: c_uint = 0x0300;
    // SAFETY: this function's contract.
    unsafe {
        (*termios).input &= !INPUT;
        (*termios).output &= !OPOST;
        (*termios).local &= !LOCAL;
        (*termios).control = (*termios).control & !(CSIZE | PARENB) | CS8;
    }
}

/// ttyname_r(3): returns the error number. The one terminal of an image is its console.
///
/// # Safety
/// `name` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ttyname_r(fd: c_int, name: *mut c_char, len: usize) -> c_int {
    const NAME: &[u8] = b"/dev/console\0";
    let before = errno::get();
    if isatty(fd) == 0 {
        let error = errno::get();
        errno::set(before);
        return error;
    }
    if len < NAME.len() {
        return errno::ERANGE;
    }
    // SAFETY: this function's contract.
    unsafe { core::ptr::copy_nonoverlapping(NAME.as_ptr(), name.cast(), NAME.len()) };
    0
}

/// ttyname(3).
#[unsafe(no_mangle)]
pub extern "C" fn ttyname(fd: c_int) -> *mut c_char {
    if isatty(fd) == 0 { null_mut() } else { c"/dev/console".as_ptr().cast_mut() }
}

/// ctermid(3).
///
/// # Safety
/// `name` is null or has L_ctermid (1024) bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctermid(name: *mut c_char) -> *mut c_char {
    const NAME: &[u8] = b"/dev/tty\0";
    if name.is_null() {
        return NAME.as_ptr().cast_mut().cast();
    }
    // SAFETY: this function's contract.
    unsafe { core::ptr::copy_nonoverlapping(NAME.as_ptr(), name.cast(), NAME.len()) };
    name
}

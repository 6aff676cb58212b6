//! `struct termios` and `struct winsize` (termios(4), sys/termios.h, sys/ttycom.h), as bytes and as fields.

use rump_abi::ioctl::{IOC_IN, IOC_OUT, IOCGROUP_SHIFT, IOCPARM_SHIFT};
use rump_abi::termios::*;

/// Control characters in `struct termios`.
const CHARS: usize = NCCS as usize;

/// Bytes of `struct termios`.
pub const TERMIOS_SIZE: usize = 16 + CHARS + 8;

/// Bytes of `struct winsize`.
pub const WINSIZE_SIZE: usize = 8;

/// A request of group 't' that carries a `struct termios` (sys/ttycom.h).
const fn request(direction: u64, number: u64) -> u64 {
    direction | (TERMIOS_SIZE as u64) << IOCPARM_SHIFT | (b't' as u64) << IOCGROUP_SHIFT | number
}

/// Get the settings.
pub const TIOCGETA: u64 = request(IOC_OUT, 19);
/// Change them now.
pub const TIOCSETA: u64 = request(IOC_IN, 20);
/// Change them after the output.
pub const TIOCSETAW: u64 = request(IOC_IN, 21);
/// Change them after the output, and forget the input.
pub const TIOCSETAF: u64 = request(IOC_IN, 22);

/// A terminal's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Termios {
    /// Input modes.
    pub iflag: u32,
    /// Output modes.
    pub oflag: u32,
    /// Hardware modes.
    pub cflag: u32,
    /// Local modes.
    pub lflag: u32,
    /// Control characters.
    pub cc: [u8; CHARS],
    /// Input speed.
    pub ispeed: u32,
    /// Output speed.
    pub ospeed: u32,
}

/// A control character.
const fn cc(chars: &mut [u8; CHARS], which: i32, value: i32) {
    chars[which as usize] = value as u8;
}

impl Termios {
    /// The settings of a terminal that nobody has changed (sys/ttydefaults.h); the console is always there (CLOCAL).
    #[must_use]
    pub const fn new() -> Self {
        let mut chars = [_POSIX_VDISABLE as u8; CHARS];
        cc(&mut chars, VEOF, CEOF);
        cc(&mut chars, VERASE, CERASE);
        cc(&mut chars, VWERASE, CWERASE);
        cc(&mut chars, VKILL, CKILL);
        cc(&mut chars, VREPRINT, CREPRINT);
        cc(&mut chars, VINTR, CINTR);
        cc(&mut chars, VQUIT, CQUIT);
        cc(&mut chars, VSUSP, CSUSP);
        cc(&mut chars, VDSUSP, CDSUSP);
        cc(&mut chars, VSTART, CSTART);
        cc(&mut chars, VSTOP, CSTOP);
        cc(&mut chars, VLNEXT, CLNEXT);
        cc(&mut chars, VDISCARD, CDISCARD);
        cc(&mut chars, VMIN, CMIN);
        cc(&mut chars, VTIME, CTIME);
        cc(&mut chars, VSTATUS, CSTATUS);
        Self {
            iflag: TTYDEF_IFLAG,
            oflag: TTYDEF_OFLAG,
            cflag: TTYDEF_CFLAG | CLOCAL,
            lflag: TTYDEF_LFLAG,
            cc: chars,
            ispeed: B115200,
            ospeed: B115200,
        }
    }

    /// A control character's value.
    #[must_use]
    pub const fn char(&self, which: i32) -> u8 {
        self.cc[which as usize]
    }

    /// Whether `byte` is this control character, and that is not switched off.
    #[must_use]
    pub const fn is(&self, which: i32, byte: u8) -> bool {
        byte == self.char(which) && byte != _POSIX_VDISABLE as u8
    }

    /// Reads a `struct termios`.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let word = |index: usize| Some(u32::from_le_bytes(*bytes.get(index * 4..)?.first_chunk()?));
        let speeds = (16 + CHARS) / 4;
        Some(Self {
            iflag: word(0)?,
            oflag: word(1)?,
            cflag: word(2)?,
            lflag: word(3)?,
            cc: *bytes.get(16..)?.first_chunk()?,
            ispeed: word(speeds)?,
            ospeed: word(speeds + 1)?,
        })
    }

    /// Writes a `struct termios`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; TERMIOS_SIZE] {
        let mut bytes = [0; TERMIOS_SIZE];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip([self.iflag, self.oflag, self.cflag, self.lflag]) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes[16..16 + CHARS].copy_from_slice(&self.cc);
        for (chunk, word) in bytes[16 + CHARS..].chunks_exact_mut(4).zip([self.ispeed, self.ospeed]) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

impl Default for Termios {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{TERMIOS_SIZE, Termios, VEOF, VEOL, VINTR};

    #[test]
    fn bytes_there_and_back() {
        let mut termios = Termios::new();
        termios.oflag = 0x0102_0304;
        termios.ospeed = 9600;
        let bytes = termios.to_bytes();
        assert_eq!(bytes.len(), 44);
        assert_eq!(bytes[4..8], [4, 3, 2, 1]);
        assert_eq!(Termios::from_bytes(&bytes), Some(termios));
        assert_eq!(Termios::from_bytes(&bytes[..TERMIOS_SIZE - 1]), None);
    }

    #[test]
    fn defaults() {
        let termios = Termios::new();
        assert!(termios.is(VEOF, 4) && termios.is(VINTR, 3));
        assert!(!termios.is(VEOL, 255));
    }
}

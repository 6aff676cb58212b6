//! The end of the image: how it is said.
//!
//! In words: `exited N`, `signaled N` or `panicked`; as a number: the status that a shell would show, and 125 for a panic.

use core::fmt::{self, Write};

use rump_hypercall::boot::Exit;

use crate::machine;

/// What a shell adds to a signal's number.
const SIGNAL_STATUS: u8 = 128;
/// Status of a kernel panic.
const PANIC_STATUS: u8 = 125;

/// The words: short, and made without the heap, which may be what is broken.
struct Line {
    bytes: [u8; 16],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// The kernel gave up.
pub fn panicked() -> ! {
    machine::end("panicked\n", PANIC_STATUS)
}

#[unsafe(export_name = "rb_exit")]
fn exit(how: Exit) -> ! {
    let mut line = Line { bytes: [0; 16], len: 0 };
    // The longest is `signaled 255` with its line end, 13 bytes.
    let (status, _) = match how {
        Exit::Exited(status) => (status, writeln!(line, "exited {status}")),
        Exit::Signaled(signal) => (SIGNAL_STATUS | signal, writeln!(line, "signaled {signal}")),
    };
    machine::end(core::str::from_utf8(&line.bytes[..line.len]).unwrap_or_default(), status)
}

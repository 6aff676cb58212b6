//! The line discipline (termios(4)): what becomes of typed and of written bytes. No input or output happens here.
//!
//! Input that is ready to be read is one run of bytes with, in canonical mode, the lengths of the lines it is made of; an end
//! of file is a line of length 0. The line under edit is beside it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use rump_abi::termios::*;

use crate::termios::Termios;

/// Most bytes that wait to be read; what is typed beyond that is lost, with a bell.
const READY_MAX: usize = 16 << 10;

/// Most bytes of a line under edit.
const LINE_MAX: usize = 4096;

const TAB_STOP: usize = 8;
const BELL: u8 = 7;

/// What typed bytes ask for besides being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// SIGINT.
    pub interrupt: bool,
    /// SIGQUIT.
    pub quit: bool,
    /// SIGTSTP.
    pub suspend: bool,
    /// SIGINFO.
    pub status: bool,
}

/// A terminal.
pub struct Tty {
    termios: Termios,
    ready: VecDeque<u8>,
    /// Lengths of the lines in `ready`; empty in non-canonical mode.
    lines: VecDeque<usize>,
    line: Vec<u8>,
    /// The next byte is taken as it is (VLNEXT).
    literal: bool,
    /// Output is held back (VSTOP).
    stopped: bool,
    /// Where the cursor is, counted from the left edge.
    column: usize,
}

impl Tty {
    /// A terminal as it is at first.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            termios: Termios::new(),
            ready: VecDeque::new(),
            lines: VecDeque::new(),
            line: Vec::new(),
            literal: false,
            stopped: false,
            column: 0,
        }
    }

    /// The settings.
    #[must_use]
    pub const fn termios(&self) -> &Termios {
        &self.termios
    }

    /// Changes the settings; what has been typed stays readable.
    pub fn set_termios(&mut self, termios: Termios) {
        let was_canonical = self.is(ICANON);
        self.termios = termios;
        match (was_canonical, self.is(ICANON)) {
            (true, false) => {
                self.lines.clear();
                self.ready.extend(self.line.drain(..));
            }
            (false, true) if !self.ready.is_empty() => self.lines.push_back(self.ready.len()),
            _ => {}
        }
        if termios.iflag & IXON == 0 {
            self.stopped = false;
        }
    }

    const fn is(&self, local: u32) -> bool {
        self.termios.lflag & local != 0
    }

    const fn input_mode(&self, mode: u32) -> bool {
        self.termios.iflag & mode != 0
    }

    /// Whether reads are by lines.
    #[must_use]
    pub const fn is_canonical(&self) -> bool {
        self.is(ICANON)
    }

    /// Whether output is held back.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Holds output back, or lets it go on (TIOCSTOP, TIOCSTART).
    pub const fn set_stopped(&mut self, stopped: bool) {
        self.stopped = stopped;
    }

    /// Whether a read finds something: a line (or the end of the file), or a byte.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        if self.is_canonical() { !self.lines.is_empty() } else { !self.ready.is_empty() }
    }

    /// Bytes that can be read now.
    #[must_use]
    pub fn readable_bytes(&self) -> usize {
        self.ready.len()
    }

    /// What the next read may take: bytes of one line in canonical mode. An empty run is the end of the file.
    pub fn peek(&mut self) -> &[u8] {
        let limit =
            if self.is_canonical() { self.lines.front().copied().unwrap_or(0) } else { self.ready.len() };
        &self.ready.make_contiguous()[..limit]
    }

    /// Takes `bytes` bytes, or the end of the file, away.
    pub fn consume(&mut self, bytes: usize) {
        self.ready.drain(..bytes);
        if let Some(left) = self.lines.front_mut() {
            *left -= bytes;
            if *left == 0 {
                self.lines.pop_front();
            }
        }
    }

    /// Forgets what has been typed (TIOCFLUSH).
    pub fn flush_input(&mut self) {
        self.ready.clear();
        self.lines.clear();
        self.line.clear();
        self.literal = false;
    }

    /// Takes typed bytes; what is to be shown for them is added to `echo`.
    pub fn input(&mut self, typed: &[u8], echo: &mut Vec<u8>) -> Signals {
        let mut signals = Signals::default();
        for &byte in typed {
            self.input_byte(byte, echo, &mut signals);
        }
        signals
    }

    fn input_byte(&mut self, byte: u8, echo: &mut Vec<u8>, signals: &mut Signals) {
        let mut byte = if self.input_mode(ISTRIP) { byte & 0x7f } else { byte };
        if self.literal {
            self.literal = false;
            self.accept(byte, echo);
            return;
        }
        if self.is(IEXTEN) && self.termios.is(VLNEXT, byte) {
            self.literal = true;
            if self.is(ECHO) && self.is(ECHOCTL) {
                echo.extend_from_slice(b"^\x08");
            }
            return;
        }
        if self.is(ISIG) && self.signal(byte, echo, signals) {
            return;
        }
        if self.input_mode(IXON) && self.flow(byte) {
            return;
        }
        match byte {
            b'\r' if self.input_mode(IGNCR) => return,
            b'\r' if self.input_mode(ICRNL) => byte = b'\n',
            b'\n' if self.input_mode(INLCR) => byte = b'\r',
            _ => {}
        }
        if self.is_canonical() {
            self.canonical(byte, echo, signals);
        } else {
            self.accept(byte, echo);
        }
    }

    /// Whether the byte sent a signal.
    fn signal(&mut self, byte: u8, echo: &mut Vec<u8>, signals: &mut Signals) -> bool {
        if self.termios.is(VINTR, byte) {
            signals.interrupt = true;
        } else if self.termios.is(VQUIT, byte) {
            signals.quit = true;
        } else if self.termios.is(VSUSP, byte) {
            signals.suspend = true;
        } else {
            return false;
        }
        if !self.is(NOFLSH) {
            self.flush_input();
        }
        self.show(byte, echo);
        true
    }

    /// Whether the byte held output back or let it go on.
    fn flow(&mut self, byte: u8) -> bool {
        let (start, stop) = (self.termios.is(VSTART, byte), self.termios.is(VSTOP, byte));
        if start && stop {
            self.stopped = !self.stopped;
        } else if stop {
            self.stopped = true;
        } else if start {
            self.stopped = false;
        } else if self.input_mode(IXANY) {
            self.stopped = false;
            return false;
        } else {
            return false;
        }
        true
    }

    /// A byte in canonical mode: edits the line, ends it, or is part of it.
    fn canonical(&mut self, byte: u8, echo: &mut Vec<u8>, signals: &mut Signals) {
        let extended = self.is(IEXTEN);
        let termios = self.termios;
        if termios.is(VERASE, byte) {
            self.erase(echo);
        } else if termios.is(VKILL, byte) {
            self.kill(echo);
        } else if extended && termios.is(VWERASE, byte) {
            self.erase_word(echo);
        } else if extended && termios.is(VREPRINT, byte) {
            self.show(byte, echo);
            echo.push(b'\n');
            self.column = 0;
            let line = core::mem::take(&mut self.line);
            for &byte in &line {
                self.show(byte, echo);
            }
            self.line = line;
        } else if extended && self.is(ISIG) && termios.is(VSTATUS, byte) {
            signals.status = true;
        } else if termios.is(VEOF, byte) {
            if self.is(ECHO) && self.is(ECHOCTL) {
                // Shown and taken back: nothing is left on the screen.
                echo.extend_from_slice(b"^D\x08\x08");
            }
            self.end_line();
        } else {
            self.accept(byte, echo);
        }
    }

    /// A byte that is data.
    fn accept(&mut self, byte: u8, echo: &mut Vec<u8>) {
        let canonical = self.is_canonical();
        let full = if canonical {
            self.line.len() >= LINE_MAX || self.ready.len() + self.line.len() >= READY_MAX
        } else {
            self.ready.len() >= READY_MAX
        };
        if full {
            if self.input_mode(IMAXBEL) {
                echo.push(BELL);
            }
            return;
        }
        if !canonical {
            self.ready.push_back(byte);
            self.show(byte, echo);
            return;
        }
        self.line.push(byte);
        self.show(byte, echo);
        if byte == b'\n' || self.termios.is(VEOL, byte) || self.is(IEXTEN) && self.termios.is(VEOL2, byte) {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        if self.lines.len() >= READY_MAX {
            return;
        }
        self.lines.push_back(self.line.len());
        self.ready.extend(self.line.drain(..));
    }

    /// Whether the byte is shown as two, like ^C.
    const fn is_shown_as_control(&self, byte: u8) -> bool {
        self.is(ECHOCTL) && ((byte < b' ' && byte != b'\n' && byte != b'\t') || byte == 0x7f)
    }

    fn show(&mut self, byte: u8, echo: &mut Vec<u8>) {
        if !(self.is(ECHO) || byte == b'\n' && self.is(ECHONL) && self.is(ICANON)) {
            return;
        }
        if self.is_shown_as_control(byte) {
            self.output(&[b'^', byte ^ 0x40], echo);
        } else {
            self.output(&[byte], echo);
        }
    }

    /// Columns that the line under edit takes on the screen, for taking the last byte of it back.
    fn width(&self, line: &[u8], start: usize) -> usize {
        let mut column = start;
        for &byte in line {
            column += match byte {
                b'\t' => TAB_STOP - column % TAB_STOP,
                _ if self.is_shown_as_control(byte) => 2,
                // The bytes after the first of a UTF-8 sequence take no room of their own.
                0..0x20 | 0x80..0xc0 => 0,
                _ => 1,
            };
        }
        column - start
    }

    fn erase(&mut self, echo: &mut Vec<u8>) {
        let start = self.column - self.width(&self.line, 0).min(self.column);
        let Some(mut byte) = self.line.pop() else { return };
        // A whole UTF-8 sequence goes at once.
        while byte & 0xc0 == 0x80
            && let Some(previous) = self.line.pop_if(|&mut previous| previous >= 0x80)
        {
            byte = previous;
        }
        if !self.is(ECHO) {
            return;
        }
        if !self.is(ECHOE) {
            let erase = self.termios.char(VERASE);
            self.show(erase, echo);
            return;
        }
        let left = start + self.width(&self.line, start);
        while self.column > left {
            echo.extend_from_slice(b"\x08 \x08");
            self.column -= 1;
        }
    }

    fn erase_word(&mut self, echo: &mut Vec<u8>) {
        let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        while is_blank(self.line.last()) {
            self.erase(echo);
        }
        while !self.line.is_empty() && !is_blank(self.line.last()) {
            self.erase(echo);
        }
    }

    fn kill(&mut self, echo: &mut Vec<u8>) {
        if self.is(ECHOKE) && self.is(ECHOE) {
            while !self.line.is_empty() {
                self.erase(echo);
            }
            return;
        }
        let kill = self.termios.char(VKILL);
        self.show(kill, echo);
        if self.is(ECHO) && self.is(ECHOK) {
            self.output(b"\n", echo);
        }
        self.line.clear();
    }

    /// Adds `bytes` to `out` as the output modes have them.
    pub fn output(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let modes = self.termios.oflag;
        if modes & OPOST == 0 {
            out.extend_from_slice(bytes);
            return;
        }
        let mut rest = bytes;
        // Runs of bytes that stay as they are go through at once.
        while let Some(at) = rest.iter().position(|&byte| byte < b' ') {
            let (run, special) = rest.split_at(at);
            self.run(run, out);
            self.special(special[0], modes, out);
            rest = &special[1..];
        }
        self.run(rest, out);
    }

    fn run(&mut self, run: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(run);
        // The bytes after the first of a UTF-8 sequence take no room of their own.
        self.column += run.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    }

    fn special(&mut self, byte: u8, modes: u32, out: &mut Vec<u8>) {
        match byte {
            b'\n' if modes & ONLCR != 0 => {
                out.extend_from_slice(b"\r\n");
                self.column = 0;
            }
            b'\n' => {
                out.push(byte);
                if modes & ONLRET != 0 {
                    self.column = 0;
                }
            }
            b'\r' if modes & OCRNL != 0 => out.push(b'\n'),
            b'\r' if modes & ONOCR != 0 && self.column == 0 => {}
            b'\r' => {
                out.push(byte);
                self.column = 0;
            }
            b'\t' => {
                let width = TAB_STOP - self.column % TAB_STOP;
                if modes & OXTABS != 0 {
                    out.resize(out.len() + width, b' ');
                } else {
                    out.push(byte);
                }
                self.column += width;
            }
            b'\x08' => {
                out.push(byte);
                self.column = self.column.saturating_sub(1);
            }
            4 if modes & ONOEOT != 0 => {}
            _ => out.push(byte),
        }
    }
}

impl Default for Tty {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;

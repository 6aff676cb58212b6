//! The guest's console: bytes carried between this process's standard streams and QEMU's pipes.
//!
//! QEMU does not get the streams themselves: it would make them non-blocking for everybody who shares them, would be stopped by
//! terminal job control in its own process group, and would not notice that nobody reads its output any more.

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use rump_config::Stdio;

use super::guest::Guest;

/// What ends a run.
pub enum Event {
    /// QEMU closed its output: it has ended.
    OutputEnded,
    /// This process's output cannot be written any more.
    OutputBroken,
    /// This process got a signal that asks it to end.
    Signal(i32),
}

/// What is at the other end.
#[derive(Clone, Debug)]
pub struct Line {
    /// What the program's descriptors 0 to 2 are.
    pub stdio: Stdio,
    /// Xen carries the console's bytes; the file is empty until the guest runs.
    pub behind_xen: Option<PathBuf>,
}

/// From here on a signal that asks this process to end is an event: to be called before there is anything that an end at once would leave behind.
pub fn catch_signals() -> io::Result<(Sender<Event>, Receiver<Event>)> {
    let (events, receiver) = mpsc::channel();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
    let on_signal = events.clone();
    thread::spawn(move || {
        for number in signals.forever() {
            // Nobody listens any more once the run has ended.
            let _ = on_signal.send(Event::Signal(number));
        }
    });
    Ok((events, receiver))
}

/// Starts carrying bytes, as the guest takes them; tells `events` when that ends.
pub fn connect(guest: &mut Guest, terminal: &Terminal, line: &Line, events: Sender<Event>) -> io::Result<()> {
    let (stdin, stdout) = guest.take_console().ok_or(io::ErrorKind::NotConnected)?;
    if terminal.readable {
        let line = line.clone();
        thread::spawn(move || carry_input(stdin, &line));
    }
    let behind_xen = line.behind_xen.is_some();
    thread::spawn(move || carry_output(stdout, behind_xen, &events));
    Ok(())
}

/// Carries keys to a terminal as they are; to a stream with escapes, which tell it where input ends.
fn carry_input(guest: ChildStdin, line: &Line) {
    let kind = line.stdio;
    let mut guest = Input { guest, behind_xen: line.behind_xen.is_some() };
    if let Some(started) = &line.behind_xen {
        // What is typed before belongs to Xen, which takes some keys for commands.
        while std::fs::metadata(started).is_ok_and(|meta| meta.len() == 0) {
            thread::sleep(XEN_PAUSE);
        }
    }
    let mut buffer = [0; 4096];
    let mut encoded = Vec::new();
    let mut stdin = io::stdin().lock();
    loop {
        let count = match stdin.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        encoded.clear();
        for &byte in &buffer[..count] {
            if kind == Stdio::Pipe && byte == Stdio::ESCAPE {
                encoded.push(byte);
            }
            encoded.push(byte);
        }
        if guest.write_all(&encoded).is_err() {
            return;
        }
    }
    if kind == Stdio::Pipe {
        // A guest that has gone away needs no end of file.
        let _ = guest.write_all(&[Stdio::ESCAPE, Stdio::END]);
    }
}

/// Xen keeps this many bytes for its guest to fetch, and drops what comes after.
const XEN_KEEPS: usize = 128;
/// Long enough for a guest to fetch them.
const XEN_PAUSE: Duration = Duration::from_millis(10);

/// The guest's input.
struct Input {
    guest: ChildStdin,
    behind_xen: bool,
}

impl Input {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.behind_xen {
            return self.guest.write_all(bytes);
        }
        for chunk in bytes.chunks(XEN_KEEPS / 2) {
            self.guest.write_all(chunk)?;
            thread::sleep(XEN_PAUSE);
        }
        Ok(())
    }
}

/// Takes the carriage return away that Xen puts before every line feed. One that ends `bytes` is kept back for the next ones, as `held` says.
fn without_returns(bytes: &[u8], held: &mut bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1);
    for &byte in bytes {
        if *held && byte != b'\n' {
            out.push(b'\r');
        }
        *held = byte == b'\r';
        if !*held {
            out.push(byte);
        }
    }
    out
}

fn carry_output(mut guest: ChildStdout, behind_xen: bool, events: &Sender<Event>) {
    let mut held = false;
    let mut buffer = [0; 16 << 10];
    let mut stdout = io::stdout().lock();
    let event = loop {
        match guest.read(&mut buffer) {
            Ok(0) => break Event::OutputEnded,
            Ok(count) => {
                let bytes = &buffer[..count];
                let cleaned = behind_xen.then(|| without_returns(bytes, &mut held));
                let bytes = cleaned.as_deref().unwrap_or(bytes);
                if stdout.write_all(bytes).and_then(|()| stdout.flush()).is_err() {
                    break Event::OutputBroken;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(_) => break Event::OutputEnded,
        }
    };
    // Nobody listens any more once the run has ended.
    let _ = events.send(event);
}

/// Standard input as a terminal, if it is one: while this value lives, keys reach the guest one by one and the guest echoes
/// them; only the keys that make signals (Ctrl-C) stay with this process.
pub struct Terminal {
    saved: Option<Termios>,
    readable: bool,
}

impl Terminal {
    /// Prepares the terminal. In the background of a shell's job control it is left alone and not read.
    pub fn prepare() -> Self {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Self { saved: None, readable: true };
        }
        let foreground = termios::tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp());
        let Some(saved) = foreground.then(|| termios::tcgetattr(&stdin).ok()).flatten() else {
            return Self { saved: None, readable: false };
        };
        let mut raw = saved.clone();
        raw.local_modes &= !(LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN);
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Ctrl-Z goes to the guest: a stopped run would leave the shell with a terminal in this state.
        raw.special_codes[SpecialCodeIndex::VSUSP] = 0;
        // A terminal that refuses stays as it was.
        let _ = termios::tcsetattr(&stdin, OptionalActions::Now, &raw);
        Self { saved: Some(saved), readable: true }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(saved) = &self.saved {
            // A terminal that has gone away needs no restoring.
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, saved);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without_returns;

    #[test]
    fn what_xen_adds_goes_and_what_the_guest_wrote_stays() {
        let mut held = false;
        let mut out = Vec::new();
        for part in ["a\r\nb\rc\r", "\r\n", "d\r", "\ne"] {
            out.extend(without_returns(part.as_bytes(), &mut held));
        }
        assert_eq!(out, b"a\nb\rc\r\nd\ne");
    }
}

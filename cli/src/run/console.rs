//! The guest's console: bytes carried between this process's standard streams and QEMU's pipes.
//!
//! QEMU does not get the streams themselves: it would make them non-blocking for everybody who shares them, would be stopped by
//! terminal job control in its own process group, and would not notice that nobody reads its output any more.

use std::io::{self, IsTerminal, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

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

/// Starts carrying bytes, as a guest takes them whose descriptors 0 to 2 are of this kind; says when something happens that ends the run.
pub fn connect(guest: &mut Guest, terminal: &Terminal, kind: Stdio) -> io::Result<Receiver<Event>> {
    let (stdin, stdout) = guest.take_console().ok_or(io::ErrorKind::NotConnected)?;
    let (events, receiver) = mpsc::channel();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
    let on_signal = events.clone();
    thread::spawn(move || {
        for number in signals.forever() {
            // Nobody listens any more once the run has ended.
            let _ = on_signal.send(Event::Signal(number));
        }
    });
    if terminal.readable {
        thread::spawn(move || carry_input(stdin, kind));
    }
    thread::spawn(move || carry_output(stdout, &events));
    Ok(receiver)
}

/// Carries keys to a terminal as they are; to a stream with escapes, which tell it where input ends.
fn carry_input(mut guest: ChildStdin, kind: Stdio) {
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

fn carry_output(mut guest: ChildStdout, events: &Sender<Event>) {
    let mut buffer = [0; 16 << 10];
    let mut stdout = io::stdout().lock();
    let event = loop {
        match guest.read(&mut buffer) {
            Ok(0) => break Event::OutputEnded,
            Ok(count) => {
                if stdout.write_all(&buffer[..count]).and_then(|()| stdout.flush()).is_err() {
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

//! An image that serves: it runs while the test talks to it.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::boot::{Image, PATIENCE};
use crate::rumpbake;

/// A running image; it ends when this is dropped.
pub struct Guest {
    child: Child,
    stderr: Option<ChildStderr>,
    lines: Receiver<String>,
    /// The console so far, with plain line ends.
    console: String,
}

impl Image {
    /// Boots the image with options for `rumpbake run` and arguments for the program, and goes on.
    ///
    /// # Panics
    /// If `rumpbake` cannot be started.
    pub fn start(&self, options: &[&str], args: &[&str]) -> Guest {
        let mut command = rumpbake();
        command
            .arg("run")
            .args(self.platform.run_options())
            .args(options)
            .arg(&self.path)
            .arg("--")
            .args(args);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stderr = child.stderr.take();
        let mut console = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while console.read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
                if sender.send(String::from_utf8_lossy(&line).replace('\r', "")).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Guest { child, stderr, lines, console: String::new() }
    }
}

impl Guest {
    /// The console as far as it has been waited for.
    pub fn console(&self) -> &str {
        &self.console
    }

    /// Waits until the console shows `text`.
    ///
    /// # Panics
    /// If the guest ends before, or takes minutes.
    pub fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.console.contains(text) {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.console.push_str(&line),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{text:?} does not come; console:\n{}", self.console)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let mut stderr = String::new();
                    // What cannot be read is not shown.
                    let _ = self.stderr.take().map(|mut pipe| pipe.read_to_string(&mut stderr));
                    panic!("the guest ended before {text:?}; console:\n{}\nstderr:\n{stderr}", self.console);
                }
            }
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A TCP port of the host that nobody uses just now.
///
/// # Panics
/// If the host has none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the host has free ports");
    listener.local_addr().expect("it is bound").port()
}

/// A connection to a port of the host, to which the guest answers. QEMU listens before the guest does, so that a connection may be reset.
///
/// # Panics
/// If there is none within minutes.
pub fn connect(port: u16) -> TcpStream {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).expect("the time is not zero");
                return stream;
            }
            Err(error) if Instant::now() > deadline => panic!("no connection to port {port}: {error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

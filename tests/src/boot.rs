//! Booting an image under QEMU.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Platform, rumpbake};

/// How long a run may take before it counts as hung. TCG on a busy machine is slow; nothing here needs half of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// A baked image.
#[derive(Clone)]
pub struct Image {
    /// The file.
    pub path: PathBuf,
    /// What it was baked for.
    pub platform: Platform,
}

/// What a run showed.
#[derive(Debug)]
pub struct Run {
    /// Exit status of `rumpbake run`.
    pub status: i32,
    /// The console, with plain line ends.
    pub console: String,
    /// What `rumpbake run` itself said.
    pub stderr: String,
}

impl Run {
    /// The run, if the program exited with 0.
    ///
    /// # Panics
    /// If it did not.
    #[must_use]
    pub fn ok(self) -> Self {
        self.status(0)
    }

    /// The run, if it ended with this status.
    ///
    /// # Panics
    /// If it did not.
    #[must_use]
    pub fn status(self, status: i32) -> Self {
        assert_eq!(self.status, status, "console:\n{}\nstderr:\n{}", self.console, self.stderr);
        self
    }

    /// The run, if its console shows `text`.
    ///
    /// # Panics
    /// If it does not.
    #[must_use]
    pub fn shows(self, text: &str) -> Self {
        assert!(
            self.console.contains(text),
            "{text:?} is missing; console:\n{}\nstderr:\n{}",
            self.console,
            self.stderr
        );
        self
    }
}

impl Image {
    /// A file for bare metal.
    #[must_use]
    pub fn for_hw(path: PathBuf) -> Self {
        Self { path, platform: Platform::Hw }
    }

    /// Boots the image with QEMU's standard set-up for it.
    pub fn run(&self) -> Run {
        self.run_with(&[], &[], b"")
    }

    /// Boots the image with arguments for the program.
    pub fn run_args(&self, args: &[&str]) -> Run {
        self.run_with(&[], args, b"")
    }

    /// Boots the image with options for `rumpbake run`, arguments for the program, and bytes typed at the console.
    ///
    /// # Panics
    /// If it has not ended after minutes.
    pub fn run_with(&self, options: &[&str], args: &[&str], input: &[u8]) -> Run {
        let mut command = rumpbake();
        command
            .arg("run")
            .args(self.platform.run_options())
            .args(options)
            .arg(&self.path)
            .arg("--")
            .args(args);
        finish(command, input)
    }
}

/// Runs a command with a deadline.
///
/// # Panics
/// If it cannot be started or has not ended after minutes.
pub fn finish(command: Command, input: &[u8]) -> Run {
    finish_within(PATIENCE, command, input)
}

/// [`finish`] with another deadline than for most.
pub(crate) fn finish_within(patience: Duration, mut command: Command, input: &[u8]) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("piped");
    // The reader may have gone; what it showed until then is what counts.
    let _ = stdin.write_all(input);
    drop(stdin);
    let pid = child.id();
    let collector = std::thread::spawn(move || child.wait_with_output());
    let start = Instant::now();
    while !collector.is_finished() {
        if start.elapsed() > patience {
            let _ = Command::new("kill").arg(pid.to_string()).status();
            let output =
                collector.join().expect("the collector does not panic").expect("the child was started");
            panic!("{command:?} hung; console:\n{}", String::from_utf8_lossy(&output.stdout));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = collector.join().expect("the collector does not panic").expect("the child was started");
    Run {
        status: output.status.code().unwrap_or(-1),
        console: String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n"),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

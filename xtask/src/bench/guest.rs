//! One boot under QEMU, timed from outside.
//!
//! The machine is that of `rumpbake run` (cli/src/run/qemu.rs), the same for both sides: bare, the console on the first serial port, the
//! exit status on a debug console at port 0xe9.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

/// What is booted.
#[derive(Clone)]
pub struct Bootable {
    pub kernel: PathBuf,
    pub initrd: Option<PathBuf>,
    /// The kernel command line up to the program's arguments.
    pub command_line: String,
}

/// The machine types that are measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    Microvm,
    Pc,
    Q35,
}

impl Machine {
    fn option(self) -> &'static str {
        match self {
            Self::Microvm => "microvm,acpi=off,rtc=on,auto-kernel-cmdline=off",
            Self::Pc => "pc",
            Self::Q35 => "q35",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Microvm => "microvm",
            Self::Pc => "pc",
            Self::Q35 => "q35",
        }
    }
}

/// How a boot is set up.
pub struct Setup<'a> {
    pub what: &'a Bootable,
    pub machine: Machine,
    pub memory_kib: u64,
    /// Arguments of the program.
    pub arguments: &'a [&'a str],
    /// Further options of QEMU's.
    pub options: Vec<OsString>,
    /// A command with its arguments, in front of QEMU's.
    pub through: Vec<OsString>,
    pub timeout: Duration,
}

/// A line of the console, and when it came, counted from QEMU's start.
pub struct Line {
    pub at: Duration,
    pub text: String,
}

/// A boot that has come to its end.
pub struct Run {
    pub lines: Vec<Line>,
    /// When QEMU had ended.
    pub ended: Duration,
    /// The program's exit status, if it got so far.
    pub status: Option<u8>,
}

impl Run {
    /// The first line that begins so.
    pub fn line(&self, start: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.text.starts_with(start))
    }

    /// The console's last lines, for a message.
    pub fn tail(&self) -> String {
        let from = self.lines.len().saturating_sub(8);
        self.lines[from..].iter().map(|line| format!("\n    {}", line.text)).collect()
    }
}

/// QEMU's command.
pub fn qemu() -> OsString {
    std::env::var_os("RUMPBAKE_QEMU").unwrap_or_else(|| "qemu-system-x86_64".into())
}

/// Whether the processor has virtualisation and /dev/kvm opens; one without the other proves nothing.
pub fn has_kvm() -> bool {
    let flags = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    flags.split_ascii_whitespace().any(|flag| flag == "vmx" || flag == "svm")
        && std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok()
}

/// A running QEMU; killed when dropped.
pub struct Guest {
    child: Child,
    start: Instant,
    lines: Receiver<Line>,
    seen: Vec<Line>,
    status_file: tempfile::NamedTempFile,
    timeout: Duration,
}

impl Drop for Guest {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Guest {
    /// Starts QEMU.
    pub fn start(setup: &Setup<'_>) -> Result<Self> {
        let status_file = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
        let (accel, cpu) = if has_kvm() { ("kvm", "host") } else { ("tcg", "max") };
        let mut words = setup.through.clone();
        words.push(qemu());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(["-M", setup.machine.option(), "-accel", accel, "-cpu", cpu])
            .args(["-m", &format!("{}K", setup.memory_kib)])
            .args(["-display", "none", "-monitor", "none", "-serial", "stdio"])
            .args(["-nodefaults", "-no-user-config", "-no-reboot"])
            .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=1"])
            .args(["-device", "isa-debugcon,iobase=0xe9,chardev=status", "-chardev"])
            .arg(option("file,id=status,path=", status_file.path()))
            .arg("-kernel")
            .arg(&setup.what.kernel)
            .args(&setup.options);
        if let Some(initrd) = &setup.what.initrd {
            command.arg("-initrd").arg(initrd);
        }
        let mut line = setup.what.command_line.clone();
        if !setup.arguments.is_empty() {
            line = format!("{line} -- {}", setup.arguments.join(" "));
        }
        if !line.is_empty() {
            command.args(["-append", line.trim()]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        end_with_us(&mut command, Signal::KILL);
        let start = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}; run `cargo xtask setup`", qemu().display()))?;
        let stdout = child.stdout.take().context("QEMU has no standard output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n') {
                let at = start.elapsed();
                let Ok(line) = line else { break };
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send(Line { at, text }).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, start, lines, seen: Vec::new(), status_file, timeout: setup.timeout })
    }

    /// QEMU's process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that begins so; false if it never came.
    pub fn wait_for(&mut self, start: &str) -> bool {
        loop {
            match self.lines.recv_timeout(self.timeout.saturating_sub(self.start.elapsed())) {
                Ok(line) => {
                    let found = line.text.starts_with(start);
                    self.seen.push(line);
                    if found {
                        return true;
                    }
                }
                Err(_) => return false,
            }
        }
    }

    /// Waits for the end.
    pub fn finish(mut self) -> Result<Run> {
        loop {
            match self.lines.recv_timeout(self.timeout.saturating_sub(self.start.elapsed())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let run =
                        Run { lines: std::mem::take(&mut self.seen), ended: self.timeout, status: None };
                    bail!("the guest had not ended after {} s{}", self.timeout.as_secs(), run.tail());
                }
            }
        }
        self.child.wait().context("cannot wait for QEMU")?;
        let ended = self.start.elapsed();
        let said = std::fs::read_to_string(self.status_file.path()).unwrap_or_default();
        let status = said.trim().strip_prefix("exited ").and_then(|number| number.parse().ok());
        Ok(Run { lines: std::mem::take(&mut self.seen), ended, status })
    }
}

/// Makes the system send the command's process a signal when this one has ended, however it did: a guest may otherwise sleep for ever.
#[expect(unsafe_code, reason = "only a closure between fork and exec can set the parent-death signal")]
pub fn end_with_us(command: &mut Command, signal: Signal) {
    // SAFETY: between fork and exec only async-signal-safe things may be done. The closure makes one system call (prctl), allocates nothing and
    // takes no lock.
    unsafe { command.pre_exec(move || Ok(rustix::process::set_parent_process_death_signal(Some(signal))?)) };
}

/// Boots and waits for the end.
pub fn boot(setup: &Setup<'_>) -> Result<Run> {
    Guest::start(setup)?.finish()
}

/// A path behind an option's beginning, with commas doubled as QEMU wants them.
pub fn option(start: &str, path: &Path) -> OsString {
    OsString::from(format!("{start}{}", path.display().to_string().replace(',', ",,")))
}

//! The QEMU process, which never outlives this one.
//!
//! It runs in a process group of its own, so that a terminal's Ctrl-C reaches this process alone, which then ends it. If this process is
//! killed outright, the kernel kills QEMU (PR_SET_PDEATHSIG, prctl(2)).

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::Signal;

/// A running QEMU. Dropping it ends it.
pub struct Guest {
    child: Child,
}

impl Guest {
    /// Starts QEMU with its console on pipes.
    pub fn start(program: &Path, arguments: &[OsString]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        die_with_parent(&mut command);
        Ok(Self { child: command.spawn()? })
    }

    /// The two ends of the console; `None` if they were taken before.
    pub fn take_console(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        self.child.stdin.take().zip(self.child.stdout.take())
    }

    /// Waits until QEMU has ended by itself.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Killed outright, like a machine whose plug is pulled: nothing is left to be written, and a QEMU that is asked to end says so on
        // standard error. Failing means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes the kernel kill the command's process when this one ends.
#[expect(unsafe_code, reason = "only a closure between fork and exec can set the parent-death signal")]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    let between_fork_and_exec = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have ended before the signal was set.
        if rustix::process::getppid() == Some(parent) {
            Ok(())
        } else {
            Err(io::Error::from(io::ErrorKind::BrokenPipe))
        }
    };
    // SAFETY: between fork and exec only async-signal-safe things may be done. The closure makes two system calls
    // (prctl, getppid); it allocates nothing, takes no lock, and the errors that it builds are plain numbers.
    unsafe { command.pre_exec(between_fork_and_exec) };
}

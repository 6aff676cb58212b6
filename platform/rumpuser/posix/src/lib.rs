//! Component hypercalls of rumpuser(3) that only a host process can serve: [`shmif`], a network in a file that processes share, and [`sockin`], the host's sockets under
//! a rump kernel that has no network of its own.
//!
//! What a component gets is a descriptor of rumpuser(3) (`file::host`). Calls that may wait do so without the rump kernel's CPU and without
//! the platform's. Structures, constants and error numbers are NetBSD's on the outside and Linux' on the inside; [`translate`] knows both.

pub mod shmif;
pub mod sockin;
mod translate;

use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rumpbake_rumpuser::component::{rumpuser_component_schedule, rumpuser_component_unschedule};
use rumpbake_rumpuser::file::host::HostFile;

/// A descriptor of the host.
struct Own(File);

impl Own {
    /// Takes what a call of the host has returned.
    ///
    /// # Safety
    /// Nobody else has the descriptor.
    unsafe fn new(descriptor: c_int) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { OwnedFd::from_raw_fd(descriptor) }.into())
    }
}

impl HostFile for Own {
    fn descriptor(&self) -> c_int {
        self.0.as_raw_fd()
    }

    fn read(&self, offset: u64, to: &mut [u8]) -> Result<usize, c_int> {
        self.0.read_at(to, offset).map_err(|error| translate::error(&error))
    }

    fn write(&self, offset: u64, from: &[u8]) -> Result<usize, c_int> {
        self.0.write_at(from, offset).map_err(|error| translate::error(&error))
    }
}

/// What a call of the host returned, or NetBSD's error number.
fn result(value: isize) -> Result<usize, c_int> {
    usize::try_from(value).map_err(|_| translate::error(&io::Error::last_os_error()))
}

/// Makes a call of the host that may wait, as often as signals of the host end it.
fn waiting(call: impl Fn() -> isize) -> Result<usize, c_int> {
    let cookie = rumpuser_component_unschedule();
    let done = rumpbake_posix::outside(|| {
        loop {
            let done = call();
            // Asked for before anything else of this thread can fail.
            let error = io::Error::last_os_error();
            if done >= 0 || error.kind() != io::ErrorKind::Interrupted {
                return usize::try_from(done).map_err(|_| translate::error(&error));
            }
        }
    });
    rumpuser_component_schedule(cookie);
    done
}

/// The error number that a hypercall returns.
fn errno(done: Result<(), c_int>) -> c_int {
    done.err().unwrap_or(0)
}

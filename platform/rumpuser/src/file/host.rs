//! Descriptors of the rump kernel that stand for something of a host's: where the platform is a process, its components have files and sockets there.
//!
//! So what they hand the rump kernel is a descriptor like any other, which rumpuser_close closes and rumpuser_iovwrite writes to.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_int;

use super::descriptor::{self, RDWR};
use super::store::File;

/// Something of the host's. Dropped when the last descriptor is closed.
pub trait HostFile {
    /// The host's descriptor.
    fn descriptor(&self) -> c_int;

    /// Reads at an offset; how many bytes there were, or NetBSD's error number.
    ///
    /// # Errors
    /// The host's.
    fn read(&self, offset: u64, to: &mut [u8]) -> Result<usize, c_int>;

    /// Writes at an offset, likewise.
    ///
    /// # Errors
    /// The host's.
    fn write(&self, offset: u64, from: &[u8]) -> Result<usize, c_int>;
}

/// The path under which `fd` was opened.
///
/// # Errors
/// EBADF if it is not open.
pub fn path(fd: c_int) -> Result<Vec<u8>, c_int> {
    Ok(descriptor::open_file(fd)?.name.clone())
}

/// The host's descriptor; `None` if `fd` is not the host's.
///
/// # Errors
/// EBADF if it is not open.
pub fn descriptor(fd: c_int) -> Result<Option<c_int>, c_int> {
    Ok(descriptor::open_file(fd)?.host.as_ref().map(|host| host.descriptor()))
}

/// Makes `fd`, which is open, stand for `host`.
///
/// # Errors
/// EBADF if it is not open.
pub fn attach(fd: c_int, host: Box<dyn HostFile>) -> Result<(), c_int> {
    let name = path(fd)?;
    descriptor::replace(fd, Arc::new(File::of_host(&name, host)))
}

/// A new descriptor for `host`.
#[must_use]
pub fn open(host: Box<dyn HostFile>) -> c_int {
    descriptor::add(Arc::new(File::of_host(b"", host)), RDWR)
}

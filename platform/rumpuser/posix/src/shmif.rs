//! shmif(4): a network in a file, which the rump kernels of one or many processes map: rumpcomp_shmif_*.
//!
//! The file that rumpuser_open made for the bus is the host's of the same path from rumpcomp_shmif_mmap on. A rump kernel tells the others of a packet by
//! writing to the file (rumpuser_iovwrite); they notice it by inotify(7).

use std::ffi::{CString, OsString, c_int, c_void};
use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStringExt;

use rump_abi::errno::{EBADF, EINVAL};
use rumpbake_rumpuser::file::host;
use rumpbake_rumpuser::memory::adopt;

use crate::{Own, errno, result, translate, waiting};

/// Room for the notices of one look.
const NOTICES: usize = 4096;

fn unmap(memory: *mut c_void, len: usize) {
    // SAFETY: mapped by `map` with this length, and not used any more (rumpuser_unmap's contract).
    unsafe { libc::munmap(memory, len) };
}

/// The host's file of this path, which is made if it is not there, with at least `len` bytes.
fn bus(path: Vec<u8>, len: usize) -> Result<File, c_int> {
    let open = || {
        let path = OsString::from_vec(path);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if file.metadata()?.len() < len as u64 {
            file.set_len(len as u64)?;
        }
        Ok(file)
    };
    open().map_err(|error| translate::error(&error))
}

fn map(fd: c_int, len: usize) -> Result<*mut c_void, c_int> {
    let path = host::path(fd)?;
    if len == 0 {
        return Err(EINVAL);
    }
    host::attach(fd, Box::new(Own(bus(path, len)?)))?;
    let descriptor = host::descriptor(fd)?.ok_or(EBADF)?;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping, wherever there is room.
    let memory =
        unsafe { libc::mmap(std::ptr::null_mut(), len, protection, libc::MAP_SHARED, descriptor, 0) };
    if memory == libc::MAP_FAILED {
        return Err(translate::error(&std::io::Error::last_os_error()));
    }
    adopt(memory, len, unmap);
    Ok(memory)
}

/// rumpcomp_shmif_mmap: maps the first `len` bytes of the bus, which is the host's file of the path under which `fd` was opened. rumpuser_unmap unmaps them. EBADF if it is not
/// open, EINVAL for no length, and what the host says of the file.
///
/// # Safety
/// `memp` may be written through. The memory is shared with other processes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_shmif_mmap(fd: c_int, len: usize, memp: *mut *mut c_void) -> c_int {
    errno(map(fd, len).map(|memory| {
        // SAFETY: the caller's promise.
        unsafe { memp.write(memory) };
    }))
}

fn watch(known: c_int, fd: c_int) -> Result<c_int, c_int> {
    let descriptor = host::descriptor(fd)?.ok_or(EINVAL)?;
    let queue = if known == -1 {
        // SAFETY: a plain call; the descriptor is new.
        host::open(Box::new(unsafe {
            Own::new(result(libc::inotify_init1(libc::IN_CLOEXEC) as isize)? as c_int)
        }))
    } else {
        known
    };
    let path = CString::new(format!("/proc/self/fd/{descriptor}")).map_err(|_| EINVAL)?;
    let queue_descriptor = host::descriptor(queue)?.ok_or(EINVAL)?;
    // SAFETY: the path is a string.
    let added = unsafe { libc::inotify_add_watch(queue_descriptor, path.as_ptr(), libc::IN_MODIFY) };
    result(added as isize).map(|_| queue)
}

/// rumpcomp_shmif_watchsetup: has a queue, a new one where `*kqp` is -1, notice writes to the bus. rumpuser_close closes it. EBADF if `fd` is not open, EINVAL if it is no bus.
///
/// # Safety
/// `kqp` may be read and written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_shmif_watchsetup(kqp: *mut c_int, fd: c_int) -> c_int {
    // SAFETY: the caller's promise.
    let known = unsafe { kqp.read() };
    errno(watch(known, fd).map(|queue| {
        // SAFETY: as above.
        unsafe { kqp.write(queue) };
    }))
}

fn wait(queue: c_int) -> Result<(), c_int> {
    let queue = host::descriptor(queue)?.ok_or(EINVAL)?;
    // Many writes may be one notice, or many at once: either way it is time to look at the bus.
    waiting(|| {
        let mut notices = [0_u8; NOTICES];
        // SAFETY: the buffer has room for what is read.
        unsafe { libc::read(queue, notices.as_mut_ptr().cast(), NOTICES) }
    })
    .map(|_| ())
}

/// rumpcomp_shmif_watchwait: waits, without the rump kernel's CPU, until somebody has written to the bus since the last wait. EBADF if `kq` is not open, EINVAL if it is no queue.
#[unsafe(no_mangle)]
pub extern "C" fn rumpcomp_shmif_watchwait(kq: c_int) -> c_int {
    errno(wait(kq))
}

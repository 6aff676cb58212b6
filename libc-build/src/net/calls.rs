//! Calls on sockets that are other calls in disguise: send(2), recv(2), accept4(2), sockatmark(3), getpeereid(3).
//!
//! The system calls themselves are stubs (`sys::calls`).

use crate::sys;
use core::ffi::{c_int, c_uint, c_void};
use core::ptr::{null, null_mut};
use rump_abi::ioctl::SIOCATMARK;
use rump_abi::socket::{LOCAL_PEEREID, SOL_LOCAL};

/// send(2).
///
/// # Safety
/// `buf` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn send(fd: c_int, buf: *const c_void, len: usize, flags: c_int) -> isize {
    // SAFETY: this function's contract.
    unsafe { sys::sendto(fd, buf, len, flags, null(), 0) }
}

/// recv(2).
///
/// # Safety
/// `buf` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recv(fd: c_int, buf: *mut c_void, len: usize, flags: c_int) -> isize {
    // SAFETY: this function's contract.
    unsafe { sys::recvfrom(fd, buf, len, flags, null_mut(), null_mut()) }
}

/// accept4(2).
///
/// # Safety
/// As accept(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn accept4(fd: c_int, address: *mut c_void, len: *mut c_uint, flags: c_int) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::paccept(fd, address, len, null(), flags) }
}

/// Whether what is read next was sent after out-of-band data.
#[unsafe(no_mangle)]
pub extern "C" fn sockatmark(fd: c_int) -> c_int {
    let mut is_there: c_int = 0;
    // SAFETY: the request writes an int.
    if unsafe { sys::ioctl(fd, SIOCATMARK, &raw mut is_there) } == -1 { -1 } else { is_there }
}

/// `struct unpcbid` (sys/un.h).
#[derive(Default)]
#[repr(C)]
struct Unpcbid {
    pid: c_int,
    uid: u32,
    gid: u32,
}

/// The user and group of the process at the other end of a local socket.
///
/// # Safety
/// `uid` and `gid` are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getpeereid(fd: c_int, uid: *mut u32, gid: *mut u32) -> c_int {
    let (mut peer, mut len) = (Unpcbid::default(), size_of::<Unpcbid>() as c_uint);
    // SAFETY: the option writes at most `len` bytes; this function's contract.
    unsafe {
        if sys::getsockopt(fd, SOL_LOCAL, LOCAL_PEEREID, (&raw mut peer).cast(), &raw mut len) != 0 {
            return -1;
        }
        *uid = peer.uid;
        *gid = peer.gid;
    }
    0
}

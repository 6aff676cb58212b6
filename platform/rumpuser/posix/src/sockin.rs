//! sockin: sockets of the host for a rump kernel that has no network of its own: rumpcomp_sockin_*.
//!
//! Structures, constants and error numbers are NetBSD's; a socket is a descriptor that rumpuser_close closes. What may wait does so without the rump kernel's
//! CPU. Control messages are not passed on. None of these calls raises SIGPIPE: that is the rump kernel's business.

use std::ffi::{c_int, c_void};
use std::mem::offset_of;
use std::slice;

use rump_abi::errno::{EINVAL, EMSGSIZE, ENOTSOCK, EOPNOTSUPP};
use rump_abi::types::{Msghdr, Pollfd, Timeval};
use rumpbake_rumpuser::file::host;

use crate::translate::{self, Address, Value};
use crate::{Own, errno, result, waiting};

/// `RUMPCOMP_SOCKIN_SOCKNAME`: the socket's own address.
pub const SOCKNAME: c_int = 0;
/// `RUMPCOMP_SOCKIN_PEERNAME`: the other end's.
pub const PEERNAME: c_int = 1;
/// Most pieces of a message.
const PIECES_MAX: usize = 1024;

/// The host's socket. EBADF if `fd` is not open, ENOTSOCK if it is a file of the rump kernel's.
fn socket(fd: c_int) -> Result<c_int, c_int> {
    host::descriptor(fd)?.ok_or(ENOTSOCK)
}

/// NetBSD's address of a call's arguments.
///
/// # Safety
/// `address` has `len` bytes if it is not null.
unsafe fn address(address: *const u8, len: usize) -> Result<Address, c_int> {
    if address.is_null() {
        return Err(EINVAL);
    }
    // SAFETY: the caller's promise.
    Address::from_netbsd(unsafe { slice::from_raw_parts(address, len) })
}

/// Puts an address, or as much of it as there is room for, where the caller wants it; returns its whole length.
///
/// # Safety
/// `to` has room for `room` bytes if it is not null.
unsafe fn put(from: &Address, to: *mut u8, room: usize) -> usize {
    let bytes = from.to_netbsd();
    if !to.is_null() {
        // SAFETY: no more than there is room for; the caller's promise.
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len().min(room)) };
    }
    bytes.len()
}

/// As [`put`], where the length is read and written by the caller's pointer.
///
/// # Safety
/// `lenp` is valid, and `to` has room for that many bytes, or one of them is null.
unsafe fn put_counted(from: &Address, to: *mut u8, lenp: *mut c_int) {
    if to.is_null() || lenp.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { lenp.write(put(from, to, usize::try_from(lenp.read()).unwrap_or(0)) as c_int) };
}

/// rumpcomp_sockin_socket: makes a socket of the host.
///
/// # Safety
/// `s` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_sockin_socket(
    domain: c_int,
    kind: c_int,
    protocol: c_int,
    s: *mut c_int,
) -> c_int {
    let make = || {
        let domain = translate::family(domain)?;
        // SAFETY: a plain call.
        let made = unsafe { libc::socket(domain, translate::socket_type(kind), protocol) };
        result(made as isize)
    };
    errno(make().map(|made| {
        // SAFETY: the descriptor is new; for the rest the caller's promise.
        unsafe { s.write(host::open(Box::new(Own::new(made as c_int)))) };
    }))
}

/// NetBSD's message as Linux', but for its address.
fn header(message: &Msghdr) -> Result<libc::msghdr, c_int> {
    let pieces = usize::try_from(message.msg_iovlen).ok().filter(|&pieces| pieces <= PIECES_MAX);
    // SAFETY: all zero is a message without anything.
    let mut own: libc::msghdr = unsafe { std::mem::zeroed() };
    // `struct iovec` is the same on both sides.
    own.msg_iov = std::ptr::with_exposed_provenance_mut(message.msg_iov);
    own.msg_iovlen = pieces.ok_or(EMSGSIZE)?;
    Ok(own)
}

/// # Safety
/// As [`rumpcomp_sockin_sendmsg`].
unsafe fn send(s: c_int, message: *const Msghdr, flags: c_int) -> Result<usize, c_int> {
    // SAFETY: the caller's promise.
    let message = unsafe { &*message };
    let s = socket(s)?;
    if message.msg_control != 0 && message.msg_controllen != 0 {
        return Err(EOPNOTSUPP);
    }
    let mut own = header(message)?;
    let name: *const u8 = std::ptr::with_exposed_provenance(message.msg_name);
    let mut to;
    if !name.is_null() {
        // SAFETY: the caller's promise.
        to = unsafe { address(name, message.msg_namelen as usize) }?;
        own.msg_name = to.as_mut_ptr().cast();
        own.msg_namelen = to.len;
    }
    let flags = translate::message(flags) | libc::MSG_NOSIGNAL;
    // SAFETY: the message's parts are valid: the caller's promise, and `to` lives until after the call.
    waiting(|| unsafe { libc::sendmsg(s, &raw const own, flags) })
}

/// rumpcomp_sockin_sendmsg: sends a message. EBADF and ENOTSOCK for what is no socket, EMSGSIZE for too many pieces, EOPNOTSUPP for control messages, and what the host says.
///
/// # Safety
/// `message` and what it points to may be read; `sent` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_sockin_sendmsg(
    s: c_int,
    message: *const Msghdr,
    flags: c_int,
    sent: *mut usize,
) -> c_int {
    // SAFETY: the caller's promise.
    errno(unsafe { send(s, message, flags).map(|count| sent.write(count)) })
}

/// # Safety
/// As [`rumpcomp_sockin_recvmsg`].
unsafe fn receive(s: c_int, message: *mut Msghdr, flags: c_int) -> Result<usize, c_int> {
    // SAFETY: the caller's promise.
    let message = unsafe { &mut *message };
    let s = socket(s)?;
    let mut from = Address::room();
    let mut own = header(message)?;
    own.msg_name = from.as_mut_ptr().cast();
    own.msg_namelen = from.len;
    let (flags, at) = (translate::message(flags), &raw mut own);
    // SAFETY: the message's parts are valid: the caller's promise, and `from` and `own` live until after the call.
    let count = waiting(|| unsafe {
        (*at).msg_namelen = Address::room().len;
        libc::recvmsg(s, at, flags)
    })?;
    from.len = own.msg_namelen;
    let room = message.msg_namelen as usize;
    if message.msg_name != 0 {
        // SAFETY: the caller's promise.
        let len = unsafe { put(&from, std::ptr::with_exposed_provenance_mut(message.msg_name), room) };
        message.msg_namelen = len.min(room) as u32;
    }
    message.msg_controllen = 0;
    message.msg_flags = translate::message_back(own.msg_flags);
    Ok(count)
}

/// rumpcomp_sockin_recvmsg: receives a message. Errors as rumpcomp_sockin_sendmsg's.
///
/// # Safety
/// `message` and what it points to may be written; `received` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_sockin_recvmsg(
    s: c_int,
    message: *mut Msghdr,
    flags: c_int,
    received: *mut usize,
) -> c_int {
    // SAFETY: the caller's promise.
    errno(unsafe { receive(s, message, flags).map(|count| received.write(count)) })
}

/// rumpcomp_sockin_connect: connects a socket.
///
/// # Safety
/// `name` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_sockin_connect(s: c_int, name: *const u8, len: c_int) -> c_int {
    let connect = || {
        // SAFETY: the caller's promise.
        let (s, to) = (socket(s)?, unsafe { address(name, usize::try_from(len).unwrap_or(0)) }?);
        // SAFETY: the address is valid.
        waiting(|| unsafe { libc::connect(s, to.as_ptr(), to.len) } as isize).map(|_| ())
    };
    errno(connect())
}

/// rumpcomp_sockin_bind: gives a socket its address.
///
/// # Safety
/// `name` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_sockin_bind(s: c_int, name: *const u8, len: c_int) -> c_int {
    let bind = || {
        // SAFETY: the caller's promise.
        let (s, own) = (socket(s)?, unsafe { address(name, usize::try_from(len).unwrap_or(0)) }?);
        // SAFETY: the address is valid.
        result(unsafe { libc::bind(s, own.as_ptr(), own.len) } as isize).map(|_| ())
    };
    errno(bind())
}

/// rumpcomp_sockin_accept: waits for a connection; `s2` is its socket.
///
/// # Safety
/// `name` is null or has room for as many bytes as `lenp` says, which may be written through as `s2` may.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_sockin_accept(
    s: c_int,
    name: *mut u8,
    lenp: *mut c_int,
    s2: *mut c_int,
) -> c_int {
    let accept = || {
        let mut from = Address::room();
        let (s, at) = (socket(s)?, &raw mut from);
        // SAFETY: there is room for any address.
        let made = waiting(|| unsafe {
            (*at).len = Address::room().len;
            libc::accept4(s, (*at).as_mut_ptr(), &raw mut (*at).len, libc::SOCK_CLOEXEC) as isize
        })?;
        // SAFETY: the descriptor is new; for the rest the caller's promise.
        unsafe {
            put_counted(&from, name, lenp);
            s2.write(host::open(Box::new(Own::new(made as c_int))));
        }
        Ok(())
    };
    errno(accept())
}

/// rumpcomp_sockin_listen: lets connections come.
#[unsafe(no_mangle)]
pub extern "C" fn rumpcomp_sockin_listen(s: c_int, backlog: c_int) -> c_int {
    // SAFETY: a plain call.
    errno(socket(s).and_then(|s| result(unsafe { libc::listen(s, backlog) } as isize)).map(|_| ()))
}

/// rumpcomp_sockin_getname: the address of a socket (SOCKNAME) or of its other end (PEERNAME). EINVAL for neither.
///
/// # Safety
/// `name` has room for as many bytes as `lenp` says, which may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_sockin_getname(
    s: c_int,
    name: *mut u8,
    lenp: *mut c_int,
    which: c_int,
) -> c_int {
    let getname = || {
        let (s, mut own) = (socket(s)?, Address::room());
        let (at, len) = (own.as_mut_ptr(), &raw mut own.len);
        // SAFETY: there is room for any address.
        let done = unsafe {
            match which {
                SOCKNAME => libc::getsockname(s, at, len),
                PEERNAME => libc::getpeername(s, at, len),
                _ => return Err(EINVAL),
            }
        };
        result(done as isize)?;
        // SAFETY: the caller's promise.
        unsafe { put_counted(&own, name, lenp) };
        Ok(())
    };
    errno(getname())
}

/// NetBSD's `struct timeval`, as Linux'.
fn time(value: &[u8]) -> Result<[u8; 16], c_int> {
    let part = |at: usize, len: usize| value.get(at..at + len).ok_or(EINVAL);
    let mut own = [0; 16];
    own[..8].copy_from_slice(part(0, 8)?);
    let microseconds = part(offset_of!(Timeval, tv_usec), 4)?;
    let microseconds = i32::from_ne_bytes(microseconds.try_into().map_err(|_| EINVAL)?);
    own[8..].copy_from_slice(&i64::from(microseconds).to_ne_bytes());
    Ok(own)
}

/// rumpcomp_sockin_setsockopt: sets an option. ENOPROTOOPT for one that the host does not have.
///
/// # Safety
/// `value` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_sockin_setsockopt(
    s: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: c_int,
) -> c_int {
    let set = || {
        let s = socket(s)?;
        let (level, name, kind) = translate::option(level, name)?;
        let len = usize::try_from(len).ok().filter(|_| !value.is_null()).ok_or(EINVAL)?;
        // SAFETY: the caller's promise.
        let mut bytes = unsafe { slice::from_raw_parts(value.cast::<u8>(), len) };
        let own;
        match kind {
            Value::Same => {}
            Value::Time => {
                own = time(bytes)?;
                bytes = &own;
            }
            Value::Always => return Ok(()),
        }
        // SAFETY: the value has that many bytes.
        let done = unsafe {
            libc::setsockopt(s, level, name, bytes.as_ptr().cast(), bytes.len() as libc::socklen_t)
        };
        result(done as isize).map(|_| ())
    };
    errno(set())
}

/// A descriptor that the host does not have.
const NONE: c_int = c_int::MAX;

/// # Safety
/// As [`rumpcomp_sockin_poll`].
unsafe fn poll(entries: *mut Pollfd, count: c_int, timeout_ms: c_int) -> Result<usize, c_int> {
    let count = usize::try_from(count).map_err(|_| EINVAL)?;
    // SAFETY: the caller's promise.
    let entries = if count == 0 { &mut [] } else { unsafe { slice::from_raw_parts_mut(entries, count) } };
    let own = entries.iter().map(|entry| {
        // Below 0: not to be looked at.
        let fd = if entry.fd < 0 { -1 } else { socket(entry.fd).unwrap_or(NONE) };
        libc::pollfd { fd, events: translate::events(entry.events), revents: 0 }
    });
    let mut own: Vec<_> = own.collect();
    let at = own.as_mut_ptr();
    // SAFETY: there are that many entries.
    let ready = waiting(|| unsafe { libc::poll(at, count as libc::nfds_t, timeout_ms) } as isize)?;
    for (entry, own) in entries.iter_mut().zip(&own) {
        entry.revents = translate::revents(own.revents);
    }
    Ok(ready)
}

/// rumpcomp_sockin_poll: waits for any of many sockets. What is no socket is POLLNVAL.
///
/// # Safety
/// `entries` has `count` of them, which may be written to; `ready` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_sockin_poll(
    entries: *mut Pollfd,
    count: c_int,
    timeout_ms: c_int,
    ready: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    errno(unsafe { poll(entries, count, timeout_ms).map(|found| ready.write(found as c_int)) })
}

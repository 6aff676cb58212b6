//! What this module asks the kernel for.

use super::address::{Host, Ip, SocketAddress};
use super::buffer::Text;
use super::dns::config::Server;
use super::dns::query::{Heard, Wire};
use super::interfaces;
use crate::clock::Timespec;
use crate::stdlib::array::Array;
use crate::{errno, sys};
use core::ffi::{c_int, c_uint};
use core::ptr::{null, null_mut};
use rump_abi::poll::{POLLIN, POLLOUT};
use rump_abi::socket::{
    AF_ROUTE, MSG_NOSIGNAL, NET_RT_IFLIST, SO_ERROR, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM,
    SOL_SOCKET,
};
use rump_abi::sysctl::CTL_NET;
use rump_abi::time::CLOCK_MONOTONIC;
use rump_abi::types::Pollfd;

/// The largest datagram that is taken from a name server.
const DATAGRAM_BYTES: usize = 4096;

/// The list of interfaces and their addresses; None with errno set.
pub(crate) fn interface_list() -> Option<Array<u8>> {
    // The call that this mentions is what brings interfaces into an image; sysctl(3) alone does not.
    core::hint::black_box(sys::__socket30 as extern "C" fn(c_int, c_int, c_int) -> c_int);
    let mib = [CTL_NET, AF_ROUTE, 0, 0, NET_RT_IFLIST, 0];
    loop {
        let mut length = 0;
        // SAFETY: a name with its length; without memory only the length is written.
        if unsafe { sys::__sysctl(mib.as_ptr(), 6, null_mut(), &raw mut length, null(), 0) } != 0 {
            return None;
        }
        // An interface may come while nobody looks.
        length += 512;
        let Ok(mut list) = Array::filled(0_u8, length) else {
            errno::set(errno::ENOMEM);
            return None;
        };
        // SAFETY: the memory with its length.
        if unsafe { sys::__sysctl(mib.as_ptr(), 6, list.as_mut_ptr().cast(), &raw mut length, null(), 0) }
            == 0
        {
            list.truncate(length);
            return Some(list);
        }
        if errno::get() != errno::ENOMEM {
            return None;
        }
    }
}

/// The number of the interface with this name.
pub(crate) fn index_of(name: &[u8]) -> Option<u32> {
    let list = interface_list()?;
    interfaces::index_of(&list, name)
}

/// Puts the name of an interface into `text`; false where there is none.
pub(crate) fn name_of(index: u32, text: &mut Text<16>) -> bool {
    let Some(list) = interface_list() else { return false };
    let Some(name) = interfaces::name_of(&list, index) else { return false };
    text.extend(name);
    true
}

/// A descriptor that is closed when it is dropped; errno stays.
struct Socket(c_int);

impl Socket {
    fn new(family: c_int, kind: c_int) -> Option<Self> {
        let fd = sys::__socket30(family, kind | SOCK_CLOEXEC, 0);
        (fd >= 0).then_some(Self(fd))
    }

    fn connect(&self, host: Host, port: u16) -> Result<(), c_int> {
        let (address, length) = SocketAddress::new(host, port);
        // SAFETY: the address with its size.
        let result = unsafe { sys::connect(self.0, (&raw const address).cast(), length) };
        if result == 0 { Ok(()) } else { Err(errno::get()) }
    }

    /// Waits for `events` until the deadline; false where it passes.
    fn wait(&self, events: i32, deadline: &Deadline) -> bool {
        loop {
            let left_ms = deadline.left_ms();
            if left_ms == 0 {
                return false;
            }
            let mut entry = Pollfd { fd: self.0, events: events as i16, revents: 0 };
            // SAFETY: one entry.
            match unsafe { sys::poll((&raw mut entry).cast(), 1, left_ms) } {
                0 => return false,
                ..=-1 if errno::get() != errno::EINTR => return false,
                ..=-1 => {}
                _ => return true,
            }
        }
    }

    fn send(&self, bytes: &[u8]) -> isize {
        // SAFETY: the bytes with their length, and no address.
        unsafe { sys::sendto(self.0, bytes.as_ptr().cast(), bytes.len(), MSG_NOSIGNAL, null(), 0) }
    }

    fn receive(&self, bytes: &mut [u8]) -> isize {
        // SAFETY: the bytes with their length, and no address.
        unsafe { sys::recvfrom(self.0, bytes.as_mut_ptr().cast(), bytes.len(), 0, null_mut(), null_mut()) }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let before = errno::get();
        sys::close(self.0);
        errno::set(before);
    }
}

/// A point in time.
struct Deadline(Timespec);

impl Deadline {
    fn now() -> Timespec {
        let mut now = Timespec::default();
        // SAFETY: the structure is this function's own.
        unsafe { sys::__clock_gettime50(CLOCK_MONOTONIC, &raw mut now) };
        now
    }

    fn after(timeout_ms: u32) -> Self {
        let mut at = Self::now();
        at.sec += i64::from(timeout_ms / 1000);
        at.nsec += i64::from(timeout_ms % 1000) * 1_000_000;
        Self(at)
    }

    /// Milliseconds until then, rounded up.
    fn left_ms(&self) -> c_int {
        let now = Self::now();
        let left_ns = (self.0.sec - now.sec).saturating_mul(1_000_000_000) + self.0.nsec - now.nsec;
        c_int::try_from((left_ns.max(0) + 999_999) / 1_000_000).unwrap_or(c_int::MAX)
    }
}

/// Whether sockets of a family can be made.
pub(crate) fn has_family(family: c_int) -> bool {
    Socket::new(family, SOCK_DGRAM).is_some() || errno::get() == errno::EMFILE
}

/// The address from which a destination would be reached, which the kernel knows without sending anything.
pub(crate) fn source_for(destination: Host) -> Option<Ip> {
    let socket = Socket::new(destination.ip.family(), SOCK_DGRAM)?;
    socket.connect(destination, 9).ok()?;
    let mut address = SocketAddress { v6: rump_abi::types::SockaddrIn6::ZERO };
    let mut length = size_of::<SocketAddress>() as c_uint;
    // SAFETY: the kernel writes at most `length` bytes, and they are an address then.
    unsafe {
        if sys::getsockname(socket.0, (&raw mut address).cast(), &raw mut length) != 0 {
            return None;
        }
        Some(SocketAddress::read(&raw const address.any, length as usize)?.0.ip)
    }
}

/// Name servers through sockets.
pub(crate) struct Network;

impl Wire for Network {
    fn datagram(
        &mut self,
        server: &Server,
        query: &[u8],
        reply: &mut Array<u8>,
        timeout_ms: u32,
        accepts: &dyn Fn(&[u8]) -> bool,
    ) -> Heard {
        // Connected, so that nobody else's datagrams come, and errors do; the kernel chooses a port that cannot be guessed.
        let Some(socket) = Socket::new(server.host.ip.family(), SOCK_DGRAM | SOCK_NONBLOCK) else {
            return Heard::Unreachable;
        };
        if socket.connect(server.host, server.port).is_err() || socket.send(query) < 0 {
            return Heard::Unreachable;
        }
        let deadline = Deadline::after(timeout_ms);
        let mut datagram = [0_u8; DATAGRAM_BYTES];
        while socket.wait(POLLIN, &deadline) {
            match usize::try_from(socket.receive(&mut datagram)) {
                Ok(length) => {
                    let datagram = datagram.get(..length).unwrap_or_default();
                    if accepts(datagram) {
                        return if reply.extend(datagram).is_ok() { Heard::Reply } else { Heard::Silence };
                    }
                }
                Err(_) if matches!(errno::get(), errno::EINTR | errno::EAGAIN) => {}
                Err(_) => return Heard::Unreachable,
            }
        }
        Heard::Silence
    }

    fn stream(&mut self, server: &Server, query: &[u8], reply: &mut Array<u8>, timeout_ms: u32) -> Heard {
        let Some(socket) = Socket::new(server.host.ip.family(), SOCK_STREAM | SOCK_NONBLOCK) else {
            return Heard::Unreachable;
        };
        let deadline = Deadline::after(timeout_ms);
        match socket.connect(server.host, server.port) {
            Ok(()) => {}
            Err(errno::EINPROGRESS) => {
                if !socket.wait(POLLOUT, &deadline) {
                    return Heard::Silence;
                }
                let (mut error, mut length) = (0_i32, size_of::<c_int>() as c_uint);
                // SAFETY: the option is an int.
                let result = unsafe {
                    let (value, length) = ((&raw mut error).cast(), &raw mut length);
                    sys::getsockopt(socket.0, SOL_SOCKET, SO_ERROR, value, length)
                };
                if result != 0 || error != 0 {
                    return Heard::Unreachable;
                }
            }
            Err(_) => return Heard::Unreachable,
        }
        exchange(&socket, query, reply, &deadline)
    }

    fn random(&mut self) -> u32 {
        crate::stdlib::random::arc4random()
    }
}

/// Sends a message through a connection and waits for one; each has its length before it.
fn exchange(socket: &Socket, query: &[u8], reply: &mut Array<u8>, deadline: &Deadline) -> Heard {
    let mut message = Array::new();
    let Ok(length) = u16::try_from(query.len()) else { return Heard::Unreachable };
    if message.extend(&length.to_be_bytes()).is_err() || message.extend(query).is_err() {
        return Heard::Unreachable;
    }
    let mut sent = 0;
    while let Some(rest) = message.get(sent..).filter(|rest| !rest.is_empty()) {
        match usize::try_from(socket.send(rest)) {
            Ok(count) => sent += count,
            Err(_) if matches!(errno::get(), errno::EINTR | errno::EAGAIN) => {
                if !socket.wait(POLLOUT, deadline) {
                    return Heard::Silence;
                }
            }
            Err(_) => return Heard::Unreachable,
        }
    }
    // What was received, with the length before it.
    message.truncate(0);
    let mut part = [0_u8; 1024];
    while socket.wait(POLLIN, deadline) {
        match usize::try_from(socket.receive(&mut part)) {
            Ok(0) => return Heard::Unreachable,
            Ok(count) => {
                if message.extend(part.get(..count).unwrap_or_default()).is_err() {
                    return Heard::Unreachable;
                }
                let length = super::dns::message::word(&message, 0).map_or(usize::MAX, usize::from);
                if let Some(whole) = message.get(2..).and_then(|behind| behind.get(..length)) {
                    return if reply.extend(whole).is_ok() { Heard::Reply } else { Heard::Unreachable };
                }
            }
            Err(_) if matches!(errno::get(), errno::EINTR | errno::EAGAIN) => {}
            Err(_) => return Heard::Unreachable,
        }
    }
    Heard::Silence
}

//! Flags of messages, events of poll(2), types of sockets.

use std::ffi::c_int;

use rump_abi::poll::{
    POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, POLLRDBAND, POLLRDNORM, POLLWRBAND,
};
use rump_abi::socket::{
    MSG_CTRUNC, MSG_DONTROUTE, MSG_DONTWAIT, MSG_EOR, MSG_NBIO, MSG_NOSIGNAL, MSG_OOB, MSG_PEEK, MSG_TRUNC,
    MSG_WAITALL,
};

const MESSAGE: [(c_int, c_int); 10] = [
    (MSG_OOB, libc::MSG_OOB),
    (MSG_PEEK, libc::MSG_PEEK),
    (MSG_DONTROUTE, libc::MSG_DONTROUTE),
    (MSG_EOR, libc::MSG_EOR),
    (MSG_TRUNC, libc::MSG_TRUNC),
    (MSG_CTRUNC, libc::MSG_CTRUNC),
    (MSG_WAITALL, libc::MSG_WAITALL),
    (MSG_DONTWAIT, libc::MSG_DONTWAIT),
    (MSG_NOSIGNAL, libc::MSG_NOSIGNAL),
    (MSG_NBIO, libc::MSG_DONTWAIT),
];

const EVENTS: [(c_int, c_int); 10] = [
    (POLLIN, libc::POLLIN as c_int),
    (POLLPRI, libc::POLLPRI as c_int),
    // Of NetBSD's POLLOUT and POLLWRNORM, which are one.
    (POLLOUT, libc::POLLOUT as c_int),
    (POLLOUT, libc::POLLWRNORM as c_int),
    (POLLERR, libc::POLLERR as c_int),
    (POLLHUP, libc::POLLHUP as c_int),
    (POLLNVAL, libc::POLLNVAL as c_int),
    (POLLRDNORM, libc::POLLRDNORM as c_int),
    (POLLRDBAND, libc::POLLRDBAND as c_int),
    (POLLWRBAND, libc::POLLWRBAND as c_int),
];

fn to_host(table: &[(c_int, c_int)], netbsd: c_int) -> c_int {
    table.iter().filter(|known| netbsd & known.0 != 0).fold(0, |flags, known| flags | known.1)
}

fn to_netbsd(table: &[(c_int, c_int)], host: c_int) -> c_int {
    table.iter().filter(|known| host & known.1 != 0).fold(0, |flags, known| flags | known.0)
}

/// A call's flags. Those that only NetBSD's kernel has say nothing to the host.
pub(crate) fn message(netbsd: c_int) -> c_int {
    to_host(&MESSAGE, netbsd)
}

/// The flags of a message that has come.
pub(crate) fn message_back(host: c_int) -> c_int {
    to_netbsd(&MESSAGE[..7], host)
}

/// What poll(2) is to look for.
pub(crate) fn events(netbsd: i16) -> i16 {
    to_host(&EVENTS, c_int::from(netbsd)) as i16
}

/// What it has found.
pub(crate) fn revents(host: i16) -> i16 {
    to_netbsd(&EVENTS, c_int::from(host)) as i16
}

/// `SOCK_CLOEXEC` and `SOCK_NONBLOCK` of NetBSD.
const TYPE_FLAGS: [(c_int, c_int); 2] =
    [(0x1000_0000, libc::SOCK_CLOEXEC), (0x2000_0000, libc::SOCK_NONBLOCK)];
/// The type itself.
const TYPE: c_int = 0xf;

/// A socket's type. The types have the same numbers; no socket is the business of another program.
pub(crate) fn socket_type(netbsd: c_int) -> c_int {
    netbsd & TYPE | to_host(&TYPE_FLAGS, netbsd) | libc::SOCK_CLOEXEC
}

#[cfg(test)]
mod tests {
    use super::{events, message, message_back, revents};

    #[test]
    fn flags_are_translated_both_ways() {
        assert_eq!(message(0x80 | 0x40 | 2), libc::MSG_DONTWAIT | libc::MSG_WAITALL | libc::MSG_PEEK);
        assert_eq!(message_back(libc::MSG_TRUNC | libc::MSG_CTRUNC), 0x10 | 0x20);
        assert_eq!(events(4), libc::POLLOUT | libc::POLLWRNORM);
        assert_eq!(revents(libc::POLLOUT | libc::POLLHUP | libc::POLLRDNORM), 4 | 0x10 | 0x40);
    }
}

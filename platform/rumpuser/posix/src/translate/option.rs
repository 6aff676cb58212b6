//! Options of sockets: level, name and what the value is.

use std::ffi::c_int;

use rump_abi::errno::ENOPROTOOPT;
use rump_abi::socket as nb;

/// NetBSD's `SOL_SOCKET`.
const SOL_SOCKET: c_int = 0xffff;

/// What an option's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// The same on both sides.
    Same,
    /// A `struct timeval`, whose microseconds have four bytes on one side and eight on the other.
    Time,
    /// There is nothing to be set: it is so always.
    Always,
}

use Value::{Always, Same, Time};

/// Options by NetBSD's level and name: Linux' level and name, the value.
const KNOWN: &[(c_int, c_int, c_int, c_int, Value)] = &[
    (SOL_SOCKET, nb::SO_DEBUG, libc::SOL_SOCKET, libc::SO_DEBUG, Same),
    (SOL_SOCKET, nb::SO_REUSEADDR, libc::SOL_SOCKET, libc::SO_REUSEADDR, Same),
    (SOL_SOCKET, nb::SO_KEEPALIVE, libc::SOL_SOCKET, libc::SO_KEEPALIVE, Same),
    (SOL_SOCKET, nb::SO_DONTROUTE, libc::SOL_SOCKET, libc::SO_DONTROUTE, Same),
    (SOL_SOCKET, nb::SO_BROADCAST, libc::SOL_SOCKET, libc::SO_BROADCAST, Same),
    (SOL_SOCKET, nb::SO_LINGER, libc::SOL_SOCKET, libc::SO_LINGER, Same),
    (SOL_SOCKET, nb::SO_OOBINLINE, libc::SOL_SOCKET, libc::SO_OOBINLINE, Same),
    (SOL_SOCKET, nb::SO_REUSEPORT, libc::SOL_SOCKET, libc::SO_REUSEPORT, Same),
    // No call raises a signal.
    (SOL_SOCKET, nb::SO_NOSIGPIPE, 0, 0, Always),
    (SOL_SOCKET, nb::SO_SNDBUF, libc::SOL_SOCKET, libc::SO_SNDBUF, Same),
    (SOL_SOCKET, nb::SO_RCVBUF, libc::SOL_SOCKET, libc::SO_RCVBUF, Same),
    (SOL_SOCKET, nb::SO_SNDLOWAT, libc::SOL_SOCKET, libc::SO_SNDLOWAT, Same),
    (SOL_SOCKET, nb::SO_RCVLOWAT, libc::SOL_SOCKET, libc::SO_RCVLOWAT, Same),
    (SOL_SOCKET, nb::SO_SNDTIMEO, libc::SOL_SOCKET, libc::SO_SNDTIMEO, Time),
    (SOL_SOCKET, nb::SO_RCVTIMEO, libc::SOL_SOCKET, libc::SO_RCVTIMEO, Time),
    (nb::IPPROTO_IP, nb::IP_OPTIONS, libc::IPPROTO_IP, libc::IP_OPTIONS, Same),
    (nb::IPPROTO_IP, nb::IP_HDRINCL, libc::IPPROTO_IP, libc::IP_HDRINCL, Same),
    (nb::IPPROTO_IP, nb::IP_TOS, libc::IPPROTO_IP, libc::IP_TOS, Same),
    (nb::IPPROTO_IP, nb::IP_TTL, libc::IPPROTO_IP, libc::IP_TTL, Same),
    (nb::IPPROTO_IP, nb::IP_MINTTL, libc::IPPROTO_IP, libc::IP_MINTTL, Same),
    (nb::IPPROTO_IP, nb::IP_MULTICAST_IF, libc::IPPROTO_IP, libc::IP_MULTICAST_IF, Same),
    (nb::IPPROTO_IP, nb::IP_MULTICAST_TTL, libc::IPPROTO_IP, libc::IP_MULTICAST_TTL, Same),
    (nb::IPPROTO_IP, nb::IP_MULTICAST_LOOP, libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP, Same),
    (nb::IPPROTO_IP, nb::IP_ADD_MEMBERSHIP, libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP, Same),
    (nb::IPPROTO_IP, nb::IP_DROP_MEMBERSHIP, libc::IPPROTO_IP, libc::IP_DROP_MEMBERSHIP, Same),
    (nb::IPPROTO_IPV6, nb::IPV6_UNICAST_HOPS, libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, Same),
    (nb::IPPROTO_IPV6, nb::IPV6_MULTICAST_IF, libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_IF, Same),
    (nb::IPPROTO_IPV6, nb::IPV6_MULTICAST_HOPS, libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_HOPS, Same),
    (nb::IPPROTO_IPV6, nb::IPV6_MULTICAST_LOOP, libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_LOOP, Same),
    (nb::IPPROTO_IPV6, nb::IPV6_JOIN_GROUP, libc::IPPROTO_IPV6, libc::IPV6_ADD_MEMBERSHIP, Same),
    (nb::IPPROTO_IPV6, nb::IPV6_LEAVE_GROUP, libc::IPPROTO_IPV6, libc::IPV6_DROP_MEMBERSHIP, Same),
    (nb::IPPROTO_IPV6, nb::IPV6_V6ONLY, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, Same),
    (nb::IPPROTO_IPV6, nb::IPV6_TCLASS, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, Same),
    (nb::IPPROTO_TCP, nb::TCP_NODELAY, libc::IPPROTO_TCP, libc::TCP_NODELAY, Same),
    (nb::IPPROTO_TCP, nb::TCP_MAXSEG, libc::IPPROTO_TCP, libc::TCP_MAXSEG, Same),
    (nb::IPPROTO_TCP, nb::TCP_KEEPIDLE, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, Same),
    (nb::IPPROTO_TCP, nb::TCP_KEEPINTVL, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, Same),
    (nb::IPPROTO_TCP, nb::TCP_KEEPCNT, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, Same),
];

/// Linux' level and name, and what the value is. ENOPROTOOPT if the host has no such option.
pub(crate) fn option(level: c_int, name: c_int) -> Result<(c_int, c_int, Value), c_int> {
    let found = KNOWN.iter().find(|known| (known.0, known.1) == (level, name));
    found.map(|known| (known.2, known.3, known.4)).ok_or(ENOPROTOOPT)
}

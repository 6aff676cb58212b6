//! IP output: from a transport protocol's packet to the interface (RFC 791, RFC 8200; ip_output(9)).
//!
//! # How to send
//! The packet begins with the transport header and has room before it for IP and link headers ([`HEADROOM`] bytes are always enough). Its checksum field holds the sum
//! of the pseudo-header ([`crate::addr::pseudo_header`], [`crate::wire::Sum::partial`]), and the packet says where (`csum_start` 0 and the field's offset):
//! it is completed by the device or here. A packet with a gso size may be sent where [`crate::route::Path::tso_max`] allows it.
//!
//! Sending queues: the device is told, and what was sent to this host itself is taken in, by [`flush`]. Whoever sends from a system call or a callout calls
//! it afterwards, with nothing borrowed; what is sent while packets are processed is flushed by [`crate::netisr::poll`].

use rump_hypercall::net::Packet;
use rump_kern::Errno;

use crate::addr::Addr;
use crate::ifnet::Ifnet;
use crate::route::RouteCache;

/// Room that the headers before the transport's take at most: Ethernet, IPv6, and a fragment header.
pub const HEADROOM: usize = 64;

/// How a packet is to be sent.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Where the sender keeps the way; looked up otherwise.
    pub route: Option<&'a RouteCache>,
    /// Send out of this interface and no other (IP_MULTICAST_IF, IPV6_PKTINFO, SO_DONTROUTE, DHCP).
    pub ifp: Option<&'static Ifnet>,
    /// Time to live or hop limit; `None` for 64 (1 for multicast).
    pub ttl: Option<u8>,
    /// Type of service or traffic class, with the ECN bits.
    pub tos: u8,
    /// Never fragment: EMSGSIZE instead. TCP's packets are sent so.
    pub dont_fragment: bool,
    /// Packets to broadcast addresses are allowed (SO_BROADCAST); EACCES otherwise.
    pub broadcast: bool,
    /// Members on this host do not get a copy of a multicast packet (IP_MULTICAST_LOOP 0).
    pub no_loop: bool,
}

/// Sends a packet from `src` to `dst`, which are of one family. `src` may be unspecified only with [`Options::ifp`].
///
/// # Errors
/// EHOSTUNREACH, ENETDOWN, EMSGSIZE, EACCES, ENOBUFS. A packet that waits for its neighbour's hardware address is a success.
pub fn ip_output(packet: Packet, src: Addr, dst: Addr, protocol: u8, options: &Options<'_>) -> Result<(), Errno>;

/// Takes in what was sent to this host itself, and tells the devices of what was queued.
pub fn flush();

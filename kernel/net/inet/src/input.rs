//! Where packets for this host go: what the protocols above IP are told of one, and the dispatch to them.

use rump_hypercall::net::Packet;

use crate::addr::Addr;
use crate::ifnet::Ifnet;
use crate::wire::proto;

/// To whom a packet was addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// This host alone.
    Unicast,
    /// A group that this host is a member of.
    Multicast,
    /// Every host of the network.
    Broadcast,
}

/// What IP knows of a packet that it hands up.
#[derive(Clone, Copy)]
pub struct Received {
    /// Who sent it: never multicast, broadcast or unspecified where `cast` is for TCP.
    pub src: Addr,
    /// Whom it is for.
    pub dst: Addr,
    /// See [`Cast`].
    pub cast: Cast,
    /// The protocol of the payload.
    pub protocol: u8,
    /// Type of service or traffic class, with the ECN bits.
    pub tos: u8,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Where it came in; lo0 for what this host sent to itself.
    pub ifp: &'static Ifnet,
    /// The transport checksum has been verified, or the packet never left the host.
    pub checksum_ok: bool,
}

/// What an ICMP error says about a packet that this host sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ctl {
    /// The network or host cannot be reached: a soft error (EHOSTUNREACH, ENETUNREACH).
    Unreachable,
    /// Nobody listens there (ECONNREFUSED): port or protocol unreachable, or administratively prohibited.
    Refused,
    /// The packet was too big; path MTUs have been lowered already, to this.
    TooBig(usize),
    /// It took too many hops (EHOSTUNREACH), a soft error.
    TimeExceeded,
}

/// Hands a packet to its protocol. `packet` begins with the transport header and ends with the payload; at least the first 60 bytes of it (or all,
/// if it is shorter) are contiguous. False if nobody wants the protocol.
pub fn dispatch(packet: Packet, info: &Received) -> bool {
    match info.protocol {
        proto::TCP => crate::tcp::input(packet, info),
        proto::UDP => crate::udp::input(packet, info),
        _ => return false,
    }
    true
}

/// Tells a protocol of an ICMP error about a packet that it sent from `src` to `dst`; `header` is the beginning of the transport header, at least 8 bytes.
pub fn ctlinput(what: Ctl, protocol: u8, src: Addr, dst: Addr, header: &[u8; 8]) {
    match protocol {
        proto::TCP => crate::tcp::ctlinput(what, src, dst, header),
        proto::UDP => crate::udp::ctlinput(what, src, dst, header),
        _ => {}
    }
}

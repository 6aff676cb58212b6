//! Where packets for this host go: what the protocols above IP are told of one, and the dispatch to them.

use rump_hypercall::Giant;
use rump_hypercall::net::Packet;

use crate::addr::{Addr, pseudo_header};
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

/// The beginning of a packet as it came, for ICMP errors about it.
pub struct Quote {
    bytes: [u8; QUOTE_MAX],
    len: u8,
}

/// The largest IPv4 header and eight bytes; an IPv6 header and more.
const QUOTE_MAX: usize = 96;

impl Quote {
    /// Of a packet that begins with its IP header.
    #[inline]
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        let mut bytes = [0; QUOTE_MAX];
        let len = head.len().min(QUOTE_MAX);
        bytes[..len].copy_from_slice(&head[..len]);
        Self { bytes, len: len as u8 }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Whether the transport checksum of a packet is right.
#[must_use]
pub fn checksum_ok(packet: &Packet, info: &Received) -> bool {
    if info.checksum_ok {
        return true;
    }
    let mut sum = pseudo_header(info.src, info.dst, info.protocol, packet.len());
    for slice in packet.slices() {
        sum.add(slice.bytes());
    }
    sum.finish() == 0
}

/// Takes a packet that begins with its transport header.
pub type Input = fn(packet: Packet, info: &Received);
/// Takes an ICMP error about a packet from `src` to `dst`, of which `header` is the beginning.
pub type CtlInput = fn(what: Ctl, src: Addr, dst: Addr, header: &[u8; 8]);

static TCP: Giant<Option<(Input, CtlInput)>> = Giant::new(None);

/// TCP's: where its packets go, and what ICMP says of them.
pub fn set_tcp(input: Input, ctlinput: CtlInput) {
    TCP.set(Some((input, ctlinput)));
}

/// Hands a packet to its protocol. `packet` begins with the transport header and ends with the payload; at least the first 60 bytes of it (or all,
/// if it is shorter) are contiguous. False if nobody wants the protocol.
pub fn dispatch(packet: Packet, info: &Received, quote: &Quote) -> bool {
    match info.protocol {
        proto::TCP => {
            let Some((input, _)) = TCP.get() else { return false };
            input(packet, info);
        }
        proto::UDP => crate::udp::input(packet, info, quote),
        _ => return crate::raw::input(&packet, info),
    }
    true
}

/// Tells a protocol of an ICMP error about a packet that it sent from `src` to `dst`; `header` is the beginning of the transport header, at least 8 bytes.
pub fn ctlinput(what: Ctl, protocol: u8, src: Addr, dst: Addr, header: &[u8; 8]) {
    match protocol {
        proto::TCP => {
            if let Some((_, ctlinput)) = TCP.get() {
                ctlinput(what, src, dst, header);
            }
        }
        proto::UDP => crate::udp::ctlinput(what, src, dst, header),
        _ => {}
    }
}

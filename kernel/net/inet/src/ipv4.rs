//! IPv4 input (RFC 791, RFC 1122 3.2): is the packet right, is it for us, and whose is it?

use rump_hypercall::net::{Checksum, Packet};

use crate::addr::Addr;
use crate::ifnet::{self, Ifnet, count};
use crate::input::{self, Cast, Quote, Received};
use crate::wire::icmp::v4::{PROTOCOL, UNREACHABLE};
use crate::wire::{IPV4_LEN, Ipv4, checksum, proto};
use crate::{icmp, multicast, reassembly};

/// How much of a transport header protocols find in one piece.
pub const CONTIGUOUS: usize = 60;

/// A packet came in. `group`: the link says that it is for several hosts.
pub fn input(ifp: &'static Ifnet, mut packet: Packet, group: bool) {
    let len = packet.len();
    let verified = packet.checksum == Checksum::Verified;
    // All of the headers in one piece; most packets are already.
    let want = len.min(IPV4_LEN + 40 + CONTIGUOUS);
    let Some(head) = packet.pull(want) else {
        count(&ifp.counters.iqdrops, 1);
        return;
    };
    let Some(header) = Ipv4::new(head, len) else {
        count(&ifp.counters.ierrors, 1);
        return;
    };
    if !verified && checksum(&head[..header.header_len()]) != 0 {
        count(&ifp.counters.ierrors, 1);
        return;
    }
    let (src, dst) = (header.src(), header.dst());
    // Loopback addresses never come over a link (RFC 1122, 3.2.1.3), and nobody is everybody.
    let from_afar = !ifp.is_loopback();
    if src.is_multicast()
        || ifnet::is_broadcast(src)
        || (from_afar && (src.is_loopback() || dst.is_loopback()))
    {
        return;
    }
    let Some(cast) = cast_of(ifp, dst) else { return };
    // A packet for one host in a frame for all is a trick (RFC 1122, 3.3.6).
    if cast == Cast::Unicast && group {
        return;
    }
    let mut info = Received {
        src,
        dst,
        cast,
        protocol: header.protocol(),
        tos: header.tos(),
        ttl: header.ttl(),
        ifp,
        checksum_ok: verified,
    };
    let is_fragment = header.is_fragment();
    let (header_len, total_len) = (header.header_len(), header.total_len());
    let key = (header.id(), header.fragment_offset(), header.more_fragments());
    let quote = Quote::of(packet.head());
    packet.truncate(total_len);
    packet.advance(header_len);
    if is_fragment {
        let key = reassembly::Piece { id: u32::from(key.0), offset: key.1, more: key.2 };
        let Some(whole) = reassembly::add(&info, packet, key, &quote) else { return };
        packet = whole;
        info.checksum_ok = false;
    }
    deliver(packet, &mut info, &quote);
}

/// To whom `dst` is addressed, seen from `ifp`; `None` if not to us.
fn cast_of(ifp: &'static Ifnet, dst: Addr) -> Option<Cast> {
    if dst.is_multicast() {
        return multicast::is_member(ifp, dst).then_some(Cast::Multicast);
    }
    if ifp.find_addr(dst).is_some_and(|own| own.is_usable()) || ifnet::is_local(dst) {
        return Some(Cast::Unicast);
    }
    if dst.is_limited_broadcast() {
        return Some(Cast::Broadcast);
    }
    ifp.addrs.borrow().iter().any(|own| own.broadcast() == Some(dst)).then_some(Cast::Broadcast)
}

fn deliver(mut packet: Packet, info: &mut Received, quote: &Quote) {
    if packet.len() > packet.head().len() && packet.pull(packet.len().min(CONTIGUOUS)).is_none() {
        return;
    }
    match info.protocol {
        proto::ICMP => icmp::input(packet, info),
        proto::IGMP => multicast::igmp_input(&packet, info),
        _ => {
            if !input::dispatch(packet, info, quote) && info.cast == Cast::Unicast {
                icmp::error(info, quote, UNREACHABLE, PROTOCOL, 0);
            }
        }
    }
}

//! IPv6 input (RFC 8200): is the packet right, is it for us, and whose is it?

use rump_hypercall::net::{Checksum, Packet};

use crate::ifnet::{self, Ifnet, count};
use crate::input::{self, Cast, Quote, Received};
use crate::ipv4::CONTIGUOUS;
use crate::wire::icmp::v6::{NEXT_HEADER, OPTION, PARAMETER_PROBLEM};
use crate::wire::{FRAGMENT_LEN, Fragment, IPV6_LEN, Ipv6, proto};
use crate::{icmp, icmp6, multicast, reassembly};

/// Most extension headers of a packet.
const HEADERS_MAX: usize = 8;

/// A packet came in. `group`: the link says that it is for several hosts.
pub fn input(ifp: &'static Ifnet, mut packet: Packet, group: bool) {
    let len = packet.len();
    let verified = packet.checksum == Checksum::Verified;
    let Some(head) = packet.pull(len.min(IPV6_LEN + CONTIGUOUS)) else {
        count(&ifp.counters.iqdrops, 1);
        return;
    };
    let Some(header) = Ipv6::new(head, len) else {
        count(&ifp.counters.ierrors, 1);
        return;
    };
    let (src, dst) = (header.src(), header.dst());
    let from_afar = !ifp.is_loopback();
    // Mapped and compatible IPv4 addresses are never on the wire (RFC 4942, 2.2); `::` sends, but receives nothing.
    let never = src.is_multicast()
        || src.is_v4()
        || dst.is_v4()
        || dst.is_unspecified()
        || (from_afar && (src.is_loopback() || dst.is_loopback()));
    if never {
        count(&ifp.counters.ierrors, 1);
        return;
    }
    // What this host sends to its own link-local address comes in over lo0, and belongs to the interface that has it; what it sends to a group of lo0 is lo0's.
    let zone_of = |addr: crate::addr::Addr| {
        if from_afar || addr.is_multicast() { Some(ifp) } else { owner_of_local(addr) }
            .map_or(0, |ifp| ifp.index)
    };
    let (src, dst) = (src.with_zone(zone_of(src)), dst.with_zone(zone_of(dst)));
    let cast = if dst.is_multicast() {
        if !multicast::is_member(ifp, dst) {
            return;
        }
        Cast::Multicast
    } else if ifnet::is_local(dst) && !group {
        Cast::Unicast
    } else {
        return;
    };
    let mut info = Received {
        src,
        dst,
        cast,
        protocol: header.next_header(),
        tos: header.traffic_class(),
        ttl: header.hop_limit(),
        ifp,
        checksum_ok: verified,
    };
    let payload_len = header.payload_len();
    let quote = Quote::of(packet.head());
    packet.truncate(IPV6_LEN + payload_len);
    packet.advance(IPV6_LEN);
    deliver(packet, &mut info, &quote);
}

/// The interface that has this address but for its zone.
fn owner_of_local(addr: crate::addr::Addr) -> Option<&'static Ifnet> {
    ifnet::find_map(|ifp| {
        let has = ifp.addrs.borrow().iter().any(|own| own.addr.without_zone() == addr);
        has.then_some(ifp)
    })
}

/// Goes through the extension headers to the protocol.
fn deliver(mut packet: Packet, info: &mut Received, quote: &Quote) {
    let mut first = true;
    for _ in 0..HEADERS_MAX {
        match info.protocol {
            // Hop-by-hop options come first or not at all.
            proto::HOPOPTS if !first => return,
            proto::HOPOPTS | proto::DSTOPTS => {
                let Some(next) = options(&mut packet, info, quote) else { return };
                info.protocol = next;
            }
            proto::ROUTING => {
                let Some(next) = routing(&mut packet, info, quote) else { return };
                info.protocol = next;
            }
            proto::FRAGMENT => {
                let Some(fragment) = packet.pull(FRAGMENT_LEN).and_then(Fragment::parse) else { return };
                packet.advance(FRAGMENT_LEN);
                info.protocol = fragment.next_header;
                // An atomic fragment is a packet like any other (RFC 6946).
                if fragment.offset != 0 || fragment.more {
                    let offset = usize::from(fragment.offset);
                    let piece = reassembly::Piece { id: fragment.id, offset, more: fragment.more };
                    let Some(whole) = reassembly::add(info, packet, piece, quote) else { return };
                    packet = whole;
                    info.checksum_ok = false;
                }
            }
            proto::NONE => return,
            _ => break,
        }
        first = false;
    }
    if packet.len() > packet.head().len() && packet.pull(packet.len().min(CONTIGUOUS)).is_none() {
        return;
    }
    if info.protocol == proto::ICMPV6 {
        icmp6::input(packet, info, quote);
    } else if !input::dispatch(packet, info, quote) {
        icmp::error(info, quote, PARAMETER_PROBLEM, NEXT_HEADER, 6);
    }
}

/// Skips a header of options; `None` if one of them forbids going on.
fn options(packet: &mut Packet, info: &Received, quote: &Quote) -> Option<u8> {
    const PAD1: u8 = 0;
    let [next, units] = *packet.pull(2)?.first_chunk()?;
    let len = (usize::from(units) + 1) * 8;
    let bytes = packet.pull(len)?;
    let mut at = 2;
    while at < len {
        let kind = bytes[at];
        if kind == PAD1 {
            at += 1;
            continue;
        }
        let option_len = usize::from(*bytes.get(at + 1)?);
        // PadN, or the two highest bits say what a host does that does not know the option.
        let router_alert = kind == 5 || kind == 1;
        match kind >> 6 {
            _ if router_alert => {}
            0 => {}
            1 => return None,
            action => {
                if action == 2 || info.cast == Cast::Unicast {
                    icmp::error(info, quote, PARAMETER_PROBLEM, OPTION, (IPV6_LEN + at) as u32);
                }
                return None;
            }
        }
        at += 2 + option_len;
    }
    if at != len {
        return None;
    }
    packet.advance(len);
    Some(next)
}

/// Skips a routing header whose way ends here; source routes are not followed (RFC 5095).
fn routing(packet: &mut Packet, info: &Received, quote: &Quote) -> Option<u8> {
    let [next, units, _, segments_left] = *packet.pull(4)?.first_chunk()?;
    if segments_left != 0 {
        icmp::error(info, quote, PARAMETER_PROBLEM, 0, (IPV6_LEN + 2) as u32);
        return None;
    }
    let len = (usize::from(units) + 1) * 8;
    if len > packet.len() {
        return None;
    }
    packet.advance(len);
    Some(next)
}

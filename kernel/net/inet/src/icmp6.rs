//! ICMPv6 (RFC 4443): checks what comes in and hands it to echo, neighbour discovery, multicast and whoever sent what an error is about.

use rump_hypercall::net::Packet;

use crate::ifnet;
use crate::input::{self, Cast, Ctl, Quote, Received, checksum_ok};
use crate::wire::icmp::{ICMP_LEN, v6};
use crate::wire::{IPV6_LEN, Ipv6, get_array, proto};
use crate::{icmp, multicast, nd, raw, route};

/// Longest neighbour discovery message that is read.
const ND_MAX: usize = 1500;

/// A message came in.
pub fn input(mut packet: Packet, info: &Received, _quote: &Quote) {
    if packet.len() < ICMP_LEN || !checksum_ok(&packet, info) {
        return;
    }
    let [kind, code] = get_array(packet.head(), 0);
    match kind {
        v6::ECHO => {
            if info.cast == Cast::Unicast {
                icmp::echo(packet, info, v6::ECHO_REPLY);
            }
            return;
        }
        v6::UNREACHABLE | v6::PACKET_TOO_BIG | v6::TIME_EXCEEDED | v6::PARAMETER_PROBLEM => {
            quoted(&packet, info, kind, code);
        }
        v6::ROUTER_ADVERT | v6::NEIGHBOR_SOLICIT | v6::NEIGHBOR_ADVERT => {
            // Never from farther away than the link (RFC 4861, 7.1).
            let len = packet.len();
            if info.ttl == 255 && code == 0 && len <= ND_MAX {
                let Some(bytes) = packet.pull(len) else { return };
                nd::input(bytes, info, kind);
            }
        }
        v6::MLD_QUERY | v6::MLD_REPORT => multicast::mld_input(&packet, info, kind),
        _ => {}
    }
    raw::input(&packet, info);
}

/// An error about a packet that this host is said to have sent.
fn quoted(packet: &Packet, info: &Received, kind: u8, code: u8) {
    let mut bytes = [0; IPV6_LEN + 8 + 8];
    let mut rest = packet.clone();
    rest.advance(ICMP_LEN);
    let have = rest.copy_to(0, &mut bytes);
    let Some(header) = Ipv6::new_quoted(&bytes[..have]) else { return };
    // A fragment header may stand between, of a first fragment.
    let (mut protocol, mut at) = (header.next_header(), IPV6_LEN);
    if protocol == proto::FRAGMENT {
        (protocol, at) = (bytes[IPV6_LEN], IPV6_LEN + 8);
    }
    let zone = info.ifp.index;
    let (src, dst) = (header.src().with_zone(zone), header.dst().with_zone(zone));
    if have < at + 8 || !ifnet::is_local(src) {
        return;
    }
    let what = match (kind, code) {
        (v6::PACKET_TOO_BIG, _) => {
            let mtu = icmp::parameter(packet) as usize;
            let Some(mtu) = route::lower_path_mtu(dst, mtu) else { return };
            Ctl::TooBig(mtu)
        }
        (v6::UNREACHABLE, 1 | 4) | (v6::PARAMETER_PROBLEM, v6::NEXT_HEADER) => Ctl::Refused,
        (v6::UNREACHABLE, _) => Ctl::Unreachable,
        (v6::TIME_EXCEEDED, _) => Ctl::TimeExceeded,
        _ => return,
    };
    input::ctlinput(what, protocol, src, dst, &get_array(&bytes, at));
}

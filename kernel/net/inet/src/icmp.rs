//! ICMP (RFC 792, RFC 1122 3.2.2), and what it shares with ICMPv6: echo, errors in, errors out within a rate.

use rump_hypercall::net::{Checksum, Packet, Slice};
use rump_hypercall::{Giant, time};
use rump_kern::clock::NS_PER_S;

use crate::addr::{Addr, pseudo_header};
use crate::ifnet;
use crate::input::{self, Cast, Ctl, Quote, Received};
use crate::output::{HEADROOM, Options, complete_checksum, ip_output};
use crate::wire::icmp::{ICMP_LEN, v4, v6};
use crate::wire::{Ipv4, Sum, get_array, get_u16, get_u32, proto, put_u16, put_u32};
use crate::{raw, route};

/// Errors that may be sent in a second (net.inet.icmp.errppslimit).
const ERRORS_PER_S: u32 = 100;

struct Rate {
    second: u64,
    sent: u32,
}

static RATE: Giant<Rate> = Giant::new(Rate { second: 0, sent: 0 });

fn within_rate() -> bool {
    let mut rate = RATE.borrow_mut();
    let second = time::monotonic_ns() / NS_PER_S;
    if rate.second != second {
        *rate = Rate { second, sent: 0 };
    }
    rate.sent += 1;
    rate.sent <= ERRORS_PER_S
}

/// The sum of all of a packet's bytes.
fn sum_of(packet: &Packet) -> Sum {
    let mut sum = Sum::new();
    for slice in packet.slices() {
        sum.add(slice.bytes());
    }
    sum
}

/// An ICMP message came in.
pub fn input(packet: Packet, info: &Received) {
    if packet.len() < ICMP_LEN || (!info.checksum_ok && sum_of(&packet).finish() != 0) {
        return;
    }
    let [kind, code] = get_array(packet.head(), 0);
    match kind {
        v4::ECHO => {
            // A broadcast asks too many at once.
            if info.cast == Cast::Unicast {
                echo(packet, info, v4::ECHO_REPLY);
            }
            return;
        }
        v4::UNREACHABLE | v4::TIME_EXCEEDED | v4::PARAMETER_PROBLEM => quoted(&packet, kind, code),
        // Redirects are not believed; timestamps and masks are nobody's business.
        _ => {}
    }
    raw::input(&packet, info);
}

/// Answers an echo request with its own bytes.
pub fn echo(mut packet: Packet, info: &Received, reply: u8) {
    let mut header: [u8; ICMP_LEN] = get_array(packet.head(), 0);
    header[0] = reply;
    put_u16(&mut header, 2, 0);
    packet.advance(ICMP_LEN);
    let Some(front) = Slice::from_bytes(&header, HEADROOM) else { return };
    if packet.push_front(front).is_err() {
        return;
    }
    packet.gso = None;
    send(packet, info.dst, info.src, info.tos, None);
}

/// Sends a message whose checksum field is 0; a reply that cannot be sent is as if it were lost.
pub fn send(mut packet: Packet, src: Addr, dst: Addr, tos: u8, ttl: Option<u8>) {
    let protocol = if dst.is_v4() { proto::ICMP } else { proto::ICMPV6 };
    if !dst.is_v4() {
        let pseudo = pseudo_header(src, dst, protocol, packet.len()).partial();
        let Some(head) = packet.head_mut() else { return };
        put_u16(head, 2, pseudo);
    }
    packet.checksum = Checksum::Partial { start: 0, offset: 2 };
    if complete_checksum(&mut packet).is_ok() {
        let ifp = crate::ifnet::by_index(usize::from(dst.zone()));
        let ifp = ifp.filter(|_| dst.is_multicast());
        // Nobody here needs to hear what this host says of itself; it would take its own probes for another's.
        let options = Options { tos, ttl, ifp, no_loop: true, ..Options::default() };
        let _ = ip_output(packet, src, dst, protocol, &options);
    }
}

/// An error about a packet that this host is said to have sent.
fn quoted(packet: &Packet, kind: u8, code: u8) {
    // The quoted header with its options and the eight bytes after it.
    let mut bytes = [0; 60 + 8];
    let mut rest = packet.clone();
    rest.advance(ICMP_LEN);
    let have = rest.copy_to(0, &mut bytes);
    let Some(header) = Ipv4::new_quoted(&bytes[..have]) else { return };
    let at = header.header_len();
    if have < at + 8 || header.fragment_offset() != 0 || !ifnet::is_local(header.src()) {
        return;
    }
    let what = match (kind, code) {
        (v4::UNREACHABLE, v4::NEEDS_FRAGMENT) => {
            let said = usize::from(get_u16(packet.head(), 6));
            let mtu = if said != 0 { said } else { plateau_below(header.total_len()) };
            let Some(mtu) = route::lower_path_mtu(header.dst(), mtu) else { return };
            Ctl::TooBig(mtu)
        }
        (v4::UNREACHABLE, 2 | 3 | 9 | 10 | 13) => Ctl::Refused,
        (v4::UNREACHABLE, _) => Ctl::Unreachable,
        (v4::TIME_EXCEEDED, _) => Ctl::TimeExceeded,
        _ => return,
    };
    let (protocol, src, dst) = (header.protocol(), header.src(), header.dst());
    input::ctlinput(what, protocol, src, dst, &get_array(&bytes, at));
}

/// The next smaller MTU that links are known to have (RFC 1191, 7.1), where a router does not say.
fn plateau_below(len: usize) -> usize {
    const PLATEAUS: [usize; 8] = [32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508];
    PLATEAUS.into_iter().find(|&mtu| mtu < len).unwrap_or(68)
}

/// Sends an error about a packet, unless it must not be answered (RFC 1122 3.2.2, RFC 4443 2.4) or there have been too many.
pub fn error(info: &Received, quote: &Quote, kind: u8, code: u8, parameter: u32) {
    if info.cast != Cast::Unicast || info.src.is_unspecified() || info.src.is_multicast() || !within_rate() {
        return;
    }
    let quoted = quote.bytes();
    let quoted = if info.src.is_v4() {
        let Some(header) = Ipv4::new_quoted(quoted) else { return };
        if header.fragment_offset() != 0 {
            return;
        }
        &quoted[..quoted.len().min(header.header_len() + 8)]
    } else {
        quoted
    };
    let mut message = [0; ICMP_LEN + 96];
    message[..2].copy_from_slice(&[kind, code]);
    put_u32(&mut message, 4, parameter);
    let len = ICMP_LEN + quoted.len();
    message[ICMP_LEN..len].copy_from_slice(quoted);
    if let Some(slice) = Slice::from_bytes(&message[..len], HEADROOM) {
        send(Packet::new(slice), info.dst, info.src, 0, None);
    }
}

/// Nobody listens on the port.
pub fn port_unreachable(info: &Received, quote: &Quote) {
    if info.src.is_v4() {
        error(info, quote, v4::UNREACHABLE, v4::PORT, 0);
    } else {
        error(info, quote, v6::UNREACHABLE, v6::PORT, 0);
    }
}

/// Fragments were missing for too long.
pub fn reassembly_failed(info: &Received, quote: &Quote) {
    if info.src.is_v4() {
        error(info, quote, v4::TIME_EXCEEDED, v4::REASSEMBLY, 0);
    } else {
        error(info, quote, v6::TIME_EXCEEDED, v6::REASSEMBLY, 0);
    }
}

/// The parameter of an ICMPv6 message.
#[must_use]
pub fn parameter(packet: &Packet) -> u32 {
    if packet.head().len() < ICMP_LEN { 0 } else { get_u32(packet.head(), 4) }
}

/// Takes everything away, for the next test.
#[cfg(test)]
pub(crate) fn reset() {
    *RATE.borrow_mut() = Rate { second: 0, sent: 0 };
}

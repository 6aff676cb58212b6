//! Ethernet below IP (RFC 894, RFC 2464): from the interface's packets to IP, ARP and ND, and back.

use rump_hypercall::net::{self, Packet};
use rump_kern::Errno;

use crate::addr::Addr;
use crate::ifnet::{Ifnet, Kind, count};
use crate::wire::{ETHER_LEN, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Ethernet, Mac};
use crate::{arp, ipv4, ipv6, neighbor, netisr, output};

/// Every host.
pub const BROADCAST: Mac = [0xff; 6];

/// The hardware address of a group (RFC 1112 6.4, RFC 2464 7).
#[must_use]
pub fn group_mac(group: Addr) -> Mac {
    let [a, b, c, d] = group.low();
    if group.is_v4() { [0x01, 0x00, 0x5e, b & 0x7f, c, d] } else { [0x33, 0x33, a, b, c, d] }
}

/// Whether the hardware address is that of a group or of all.
const fn is_group(mac: Mac) -> bool {
    mac[0] & 1 != 0
}

/// A frame came in.
pub fn input(ifp: &'static Ifnet, mut packet: Packet) {
    let Kind::Ethernet { mac, .. } = ifp.kind else { return };
    count(&ifp.counters.ipackets, 1);
    count(&ifp.counters.ibytes, packet.len() as u64);
    let Some(header) = Ethernet::new(packet.head()) else {
        count(&ifp.counters.ierrors, 1);
        return;
    };
    let dst = header.dst();
    let group = is_group(dst);
    if group {
        count(&ifp.counters.imcasts, 1);
        // What this host sent to a group comes back on some links.
        if header.src() == mac {
            return;
        }
    } else if dst != mac {
        return;
    }
    if !ifp.is_up() {
        return;
    }
    let ethertype = header.ethertype();
    packet.advance(ETHER_LEN);
    match ethertype {
        ETHERTYPE_IPV4 => ipv4::input(ifp, packet, group),
        ETHERTYPE_IPV6 => ipv6::input(ifp, packet, group),
        ETHERTYPE_ARP => arp::input(ifp, &packet),
        _ => count(&ifp.counters.noproto, 1),
    }
}

/// Sends an IP packet to a neighbour, now or when its hardware address is known.
///
/// # Errors
/// EHOSTUNREACH where the neighbour is known not to answer, ENOBUFS.
#[inline]
pub fn output(
    ifp: &'static Ifnet,
    packet: Packet,
    next_hop: Addr,
    is_broadcast: bool,
    ethertype: u16,
) -> Result<(), Errno> {
    let dst = if is_broadcast {
        BROADCAST
    } else if next_hop.is_multicast() {
        group_mac(next_hop)
    } else {
        match neighbor::resolve(ifp, next_hop) {
            neighbor::Answer::Known(mac) => mac,
            neighbor::Answer::Wait => return neighbor::enqueue(ifp, next_hop, packet),
            neighbor::Answer::Failed => return Err(Errno::EHOSTUNREACH),
        }
    };
    frame(ifp, packet, dst, ethertype)
}

/// Sends a packet in a frame to this hardware address.
///
/// # Errors
/// ENOBUFS where the interface's queue is full or there is no memory.
pub fn frame(ifp: &Ifnet, mut packet: Packet, dst: Mac, ethertype: u16) -> Result<(), Errno> {
    let Kind::Ethernet { device, mac } = ifp.kind else { return Err(Errno::ENETUNREACH) };
    output::prepend(&mut packet, &Ethernet::emit(dst, mac, ethertype))?;
    let len = packet.len();
    let mut result = net::transmit(device, packet);
    if let Err(packet) = result {
        // The device may have sent some that it has not been told to look at.
        net::flush(device);
        result = net::transmit(device, packet);
    }
    if result.is_err() {
        count(&ifp.counters.oerrors, 1);
        return Err(Errno::ENOBUFS);
    }
    count(&ifp.counters.opackets, 1);
    count(&ifp.counters.obytes, len as u64);
    netisr::mark_queued(device);
    Ok(())
}

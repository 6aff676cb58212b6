//! ARP (RFC 826, RFC 5227): who has an IPv4 address?

use rump_hypercall::net::{Packet, Slice};
use rump_kern::{Errno, log};

use crate::addr::Addr;
use crate::ether;
use crate::ifnet::{Ifnet, count};
use crate::neighbor::{self, Evidence};
use crate::output::HEADROOM;
use crate::wire::{ARP_LEN, Arp, ETHERTYPE_ARP, Mac};

/// An ARP packet came in.
pub fn input(ifp: &'static Ifnet, packet: &Packet) {
    let mut bytes = [0; ARP_LEN];
    packet.copy_to(0, &mut bytes);
    let (Some(arp), Some(mac)) = (Arp::parse(&bytes), ifp.mac()) else {
        count(&ifp.counters.ierrors, 1);
        return;
    };
    let (sender, target) = (Addr::v4(arp.sender), Addr::v4(arp.target));
    // A group cannot be somebody's hardware address; what we sent ourselves is nothing new.
    if arp.sender_mac[0] & 1 != 0 || arp.sender_mac == mac || arp.sender_mac == [0; 6] {
        return;
    }
    if ifp.find_addr(sender).is_some() {
        let [a, b, c, d, e, f] = arp.sender_mac;
        log!(
            "rumpbake: {}: {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x} uses our address {sender}",
            ifp.name()
        );
        return;
    }
    let for_us = ifp.find_addr(target).is_some_and(|own| own.is_usable());
    if !sender.is_unspecified() && !sender.is_multicast() && !sender.is_limited_broadcast() {
        let answers = arp.operation == Arp::REPLY && arp.target_mac == mac;
        let evidence = if answers { Evidence::Answered } else { Evidence::Heard };
        neighbor::learn(ifp, sender, arp.sender_mac, evidence, for_us && arp.operation == Arp::REQUEST);
    }
    if for_us && arp.operation == Arp::REQUEST {
        let reply = Arp {
            operation: Arp::REPLY,
            sender_mac: mac,
            sender: arp.target,
            target_mac: arp.sender_mac,
            target: arp.sender,
        };
        // Who asked asks again if it cannot be sent.
        let _ = send(ifp, &reply, arp.sender_mac);
    }
}

fn send(ifp: &'static Ifnet, arp: &Arp, to: Mac) -> Result<(), Errno> {
    let slice = Slice::from_bytes(&arp.emit(), HEADROOM).ok_or(Errno::ENOBUFS)?;
    ether::frame(ifp, Packet::new(slice), to, ETHERTYPE_ARP)
}

/// Asks who has `addr`, everybody or the one whose hardware address is believed to be `mac`.
///
/// # Errors
/// ENOBUFS.
pub fn request(ifp: &'static Ifnet, addr: Addr, mac: Option<Mac>) -> Result<(), Errno> {
    let own = {
        let addrs = ifp.addrs.borrow();
        let usable = || addrs.iter().filter(|own| own.addr.is_v4() && own.is_usable());
        usable().find(|own| addr.matches(own.addr, own.bits)).or_else(|| usable().next()).copied()
    };
    let question = Arp {
        operation: Arp::REQUEST,
        sender_mac: ifp.mac().unwrap_or_default(),
        sender: own.map_or([0; 4], |own| own.addr.low()),
        target_mac: [0; 6],
        target: addr.low(),
    };
    send(ifp, &question, mac.unwrap_or(ether::BROADCAST))
}

/// Tells everybody that we have `addr` (RFC 5227, 2.3).
///
/// # Errors
/// ENOBUFS.
pub fn announce(ifp: &'static Ifnet, addr: Addr) -> Result<(), Errno> {
    let own = addr.low();
    let announcement = Arp {
        operation: Arp::REQUEST,
        sender_mac: ifp.mac().unwrap_or_default(),
        sender: own,
        target_mac: [0; 6],
        target: own,
    };
    send(ifp, &announcement, ether::BROADCAST)
}

//! DHCP servers and routers that are played on the other end of a cable.

use alloc::vec::Vec;

use rump_hypercall::time;
use rump_kern::clock::NS_PER_S;

use super::wait::{WAIT_NS, has_address, pending_until};
use super::{STATE, begin6, set_up, timer};
use crate::addr::Addr;
use crate::testing::{THEIRS, frame, from_nothing, ipv6, their_link_local, udp};
use crate::wire::icmp::v6;
use crate::wire::{ETHER_LEN, ETHERTYPE_IPV4, Ipv4Header, get_u16, proto};
use crate::{ifnet, route};

/// A DHCP server's answer to a client's frame.
fn answer(question: &[u8], kind: u8) -> Vec<u8> {
    let message = &question[ETHER_LEN + 28..];
    let mut reply = alloc::vec![0; 240];
    reply[..3].copy_from_slice(&[2, 1, 6]);
    reply[4..8].copy_from_slice(&message[4..8]);
    reply[16..20].copy_from_slice(&[192, 0, 2, 9]);
    reply[28..44].copy_from_slice(&message[28..44]);
    reply[236..].copy_from_slice(&[99, 130, 83, 99]);
    reply.extend_from_slice(&[53, 1, kind, 54, 4, 192, 0, 2, 1, 51, 4, 0, 0, 14, 16]);
    reply.extend_from_slice(&[
        1, 4, 255, 255, 255, 0, 3, 4, 192, 0, 2, 1, 6, 4, 192, 0, 2, 2, 15, 3, b'l', b'a', b'n', 255,
    ]);
    let (server, all) = (Addr::v4([192, 0, 2, 1]), Addr::BROADCAST);
    let payload = udp(server, all, (67, 68), &reply);
    let header = Ipv4Header {
        tos: 0,
        total_len: (20 + payload.len()) as u16,
        id: 0,
        fragment: 0,
        ttl: 64,
        protocol: proto::UDP,
        src: server.low(),
        dst: all.low(),
    };
    let mut packet = header.emit().to_vec();
    packet.extend_from_slice(&payload);
    let mut frame = frame(ETHERTYPE_IPV4, &packet);
    frame[..6].copy_from_slice(&[0xff; 6]);
    frame
}

/// The kind of a client's message.
fn kind_of(frame: &[u8]) -> Option<u8> {
    let is_dhcp = frame.len() > ETHER_LEN + 270 && get_u16(frame, ETHER_LEN + 22) == 67;
    is_dhcp.then(|| frame[ETHER_LEN + 28 + 242])
}

#[test]
fn a_lease_is_got_and_used() {
    from_nothing(set_up, |peer| {
        assert_ne!(pending_until(true), 0);
        let discover = peer.receive().unwrap();
        assert_eq!(kind_of(&discover), Some(1));
        peer.send(&answer(&discover, 2));
        let request = peer.receive().unwrap();
        assert_eq!(kind_of(&request), Some(3));
        peer.send(&answer(&request, 5));
        assert_eq!(pending_until(true), 0);
        let own = Addr::v4([192, 0, 2, 9]);
        assert!(ifnet::is_local(own));
        let path = route::lookup(Addr::v4([8, 8, 8, 8])).unwrap();
        assert_eq!(path.next_hop, Addr::v4([192, 0, 2, 1]));
        assert_eq!(STATE.borrow().resolv_conf, "search lan\nnameserver 192.0.2.2\n");
        let announcement = peer.receive().unwrap();
        assert_eq!(get_u16(&announcement, 12), crate::wire::ETHERTYPE_ARP);
        // Half of the lease later it asks the server again, and keeps the address.
        let later_ns = time::monotonic_ns() + 1801 * NS_PER_S;
        timer(later_ns);
        let question =
            peer.receive_all().into_iter().find(|frame| get_u16(frame, 12) == crate::wire::ETHERTYPE_ARP);
        assert!(question.is_some(), "the server is a neighbour by now");
        // Nobody answers until the lease is over.
        timer(later_ns + 1801 * NS_PER_S);
        assert!(!ifnet::is_local(own) && route::lookup(Addr::v4([8, 8, 8, 8])).is_err());
        assert!(pending_until(true) != 0 && STATE.borrow().resolv_conf.is_empty());
    });
}

#[test]
fn every_server_is_asked_before_the_lease_ends() {
    from_nothing(set_up, |peer| {
        peer.send(&answer(&peer.receive().unwrap(), 2));
        peer.send(&answer(&peer.receive().unwrap(), 5));
        let leased_ns = time::monotonic_ns();
        assert!(ifnet::is_local(Addr::v4([192, 0, 2, 9])));
        let _ = peer.receive_all();
        let mut now_ns = leased_ns;
        loop {
            let next_ns = timer(now_ns);
            let to_all = |frame: &Vec<u8>| frame[..6] == [0xff; 6] && kind_of(frame) == Some(3);
            if peer.receive_all().iter().any(to_all) {
                break;
            }
            assert!(next_ns < leased_ns + 3600 * NS_PER_S, "only the server was asked");
            now_ns = next_ns;
        }
        let after_s = (now_ns - leased_ns) / NS_PER_S;
        assert!((3149..=3151).contains(&after_s), "after {after_s} s of 3600");
    });
}

#[test]
fn a_router_gives_prefix_and_name_server() {
    from_nothing(set_up, |peer| {
        begin6();
        let kinds: Vec<u8> = peer
            .receive_all()
            .iter()
            .filter(|frame| frame[ETHER_LEN] >> 4 == 6)
            .map(|frame| frame[54])
            .collect();
        assert!(kinds.contains(&v6::NEIGHBOR_SOLICIT) && kinds.contains(&v6::ROUTER_SOLICIT), "{kinds:?}");
        let mut advert = alloc::vec![v6::ROUTER_ADVERT, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
        advert.extend_from_slice(&[1, 1]);
        advert.extend_from_slice(&THEIRS);
        advert.extend_from_slice(&[3, 4, 64, 0xc0, 0, 0, 14, 16, 0, 0, 14, 16, 0, 0, 0, 0]);
        advert.extend_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        advert.extend_from_slice(&[25, 3, 0, 0, 0, 0, 1, 0]);
        advert.extend_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53]);
        let all = crate::multicast::ALL_NODES;
        let mut sum = crate::addr::pseudo_header(their_link_local(), all, proto::ICMPV6, advert.len());
        sum.add(&advert);
        advert[2..4].copy_from_slice(&sum.finish().to_be_bytes());
        let mut frame = ipv6(proto::ICMPV6, 255, all, &advert);
        frame[..6].copy_from_slice(&[0x33, 0x33, 0, 0, 0, 1]);
        peer.send(&frame);
        let far = Addr([0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let path = route::lookup(far).unwrap();
        assert_eq!(path.next_hop, their_link_local().with_zone(peer.ifp.index));
        assert_eq!(STATE.borrow().resolv_conf, "nameserver 2001:db8::53\n");
        assert!(!has_address(), "nobody has had the time to object");
        assert_eq!(pending_until(false), WAIT_NS);
        crate::timer(time::monotonic_ns() + 2 * NS_PER_S);
        assert!(has_address());
        assert_eq!(pending_until(false), 0);
        let own = route::source(far, &path).unwrap();
        assert!(own.matches(far, 32) && !own.is_link_local());
    });
}

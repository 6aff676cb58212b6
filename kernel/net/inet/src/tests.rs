//! The stack as a whole, packet in, packet out.

extern crate std;

use std::vec;
use std::vec::Vec;

use rump_abi::socket::{AF_INET, AF_INET6, SOCK_DGRAM};
use rump_hypercall::time;
use rump_net::{Domain, PrFlags, ProtoSw, SockAddr, Socket};

use crate::addr::{Addr, Endpoint};
use crate::sockaddr::{Family, encode};
use crate::testing::*;
use crate::wire::icmp::{v4, v6};
use crate::wire::{
    ARP_LEN, Arp, ETHER_LEN, ETHERTYPE_ARP, Ethernet, Fragment, Ipv4, Ipv4Header, Ipv6, checksum, get_u16,
    proto, put_u16,
};
use crate::{config, ifnet, netisr, route, rtsock, udp};

fn icmp(kind: u8, code: u8, rest: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, code, 0, 0];
    message.extend_from_slice(rest);
    let sum = checksum(&message);
    put_u16(&mut message, 2, sum);
    message
}

fn icmp6(kind: u8, dst: Addr, rest: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0];
    message.extend_from_slice(rest);
    let mut sum = crate::addr::pseudo_header(their_link_local(), dst, proto::ICMPV6, message.len());
    sum.add(&message);
    put_u16(&mut message, 2, sum.finish());
    message
}

#[test]
fn echo_over_ipv4() {
    configured(|peer| {
        peer.introduce();
        let data: Vec<u8> = (0..200_u32).map(|i| i as u8).collect();
        peer.send(&ipv4(proto::ICMP, OUR_ADDR, 0, &icmp(v4::ECHO, 0, &data)));
        let answer = peer.receive().unwrap();
        let packet = &answer[ETHER_LEN..];
        let header = Ipv4::new(packet, packet.len()).unwrap();
        assert_eq!((header.src(), header.dst(), checksum(&packet[..20])), (OUR_ADDR, THEIR_ADDR, 0));
        assert_eq!((packet[20], checksum(&packet[20..])), (v4::ECHO_REPLY, 0));
        assert_eq!(packet[24..], data);
    });
}

#[test]
fn echo_over_ipv6_asks_for_the_neighbour_first() {
    configured(|peer| {
        let ours = our_link_local().without_zone();
        peer.send(&ipv6(proto::ICMPV6, 64, ours, &icmp6(v6::ECHO, ours, &[0, 1, 0, 2, 9, 9])));
        let question = peer.receive().unwrap();
        assert_eq!(Ethernet::new(&question).unwrap().dst()[..2], [0x33, 0x33]);
        assert_eq!(question[ETHER_LEN + 40], v6::NEIGHBOR_SOLICIT);
        let mut advert = vec![0x60, 0, 0, 0];
        advert.extend_from_slice(&their_link_local().0);
        advert.extend_from_slice(&[2, 1]);
        advert.extend_from_slice(&THEIRS);
        peer.send(&ipv6(proto::ICMPV6, 255, ours, &icmp6(v6::NEIGHBOR_ADVERT, ours, &advert)));
        let answer = peer.receive().unwrap();
        let packet = &answer[ETHER_LEN..];
        let header = Ipv6::new(packet, packet.len()).unwrap();
        assert_eq!((header.src(), header.dst(), packet[40]), (ours, their_link_local(), v6::ECHO_REPLY));
        let mut sum = crate::addr::pseudo_header(ours, their_link_local(), proto::ICMPV6, packet.len() - 40);
        sum.add(&packet[40..]);
        assert_eq!(sum.finish(), 0);
    });
}

#[test]
fn fragments_are_put_together_in_any_order() {
    configured(|peer| {
        peer.introduce();
        let data: Vec<u8> = (0..4000_u32).map(|i| (i * 7) as u8).collect();
        let message = icmp(v4::ECHO, 0, &data);
        let parts: Vec<Vec<u8>> = [(0, 1480, 1), (1480, 2960, 1), (2960, message.len(), 0)]
            .map(|(from, to, more)| {
                let fragment = (from / 8) as u16 | (more * Ipv4Header::MORE_FRAGMENTS);
                ipv4(proto::ICMP, OUR_ADDR, fragment, &message[from..to])
            })
            .into();
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            for part in order {
                peer.send(&parts[part]);
            }
            let answers = peer.receive_all();
            assert_eq!(answers.len(), 3, "the answer is cut, too");
            let mut whole = vec![0; message.len()];
            for answer in &answers {
                let header = Ipv4::new(&answer[ETHER_LEN..], answer.len() - ETHER_LEN).unwrap();
                let at = header.fragment_offset();
                let part = &answer[ETHER_LEN + 20..];
                whole[at..at + part.len()].copy_from_slice(part);
            }
            assert_eq!((whole[0], checksum(&whole)), (v4::ECHO_REPLY, 0));
            assert_eq!(whole[4..], data);
        }
        // Overlapping ones are dropped with all that belongs to them.
        peer.send(&parts[0]);
        peer.send(&ipv4(proto::ICMP, OUR_ADDR, 184 | Ipv4Header::MORE_FRAGMENTS, &message[1472..2960]));
        peer.send(&parts[2]);
        assert!(peer.receive().is_none());
    });
}

#[test]
fn ports_without_listeners_are_unreachable() {
    configured(|peer| {
        peer.introduce();
        peer.send(&ipv4(proto::UDP, OUR_ADDR, 0, &udp(THEIR_ADDR, OUR_ADDR, (1000, 2000), b"hello")));
        let answer = peer.receive().unwrap();
        assert_eq!(answer[ETHER_LEN + 20..ETHER_LEN + 22], [v4::UNREACHABLE, v4::PORT]);
        let broadcast = Addr::v4([10, 0, 0, 255]);
        peer.send(&ipv4(proto::UDP, broadcast, 0, &udp(THEIR_ADDR, broadcast, (1000, 2000), b"hello")));
        assert!(peer.receive().is_none(), "no errors about broadcasts");
        let before_ns = time::monotonic_ns();
        for _ in 0..400 {
            peer.send(&ipv4(proto::UDP, OUR_ADDR, 0, &udp(THEIR_ADDR, OUR_ADDR, (1000, 2000), b"")));
        }
        // A hundred in each second that was touched.
        let seconds = (time::monotonic_ns() - before_ns) / 1_000_000_000 + 2;
        assert!(peer.receive_all().len() as u64 <= 100 * seconds, "errors come within a rate");
    });
}

const DATAGRAM: ProtoSw = ProtoSw {
    kind: SOCK_DGRAM,
    protocol: 17,
    flags: PrFlags::ATOMIC.union(PrFlags::ADDR),
    send_space: udp::SEND_SPACE,
    recv_space: udp::RECV_SPACE,
    attach: udp::attach4,
};
static INET: Domain = Domain { family: AF_INET, name: "internet", protocols: &[DATAGRAM] };
static INET6: Domain = Domain {
    family: AF_INET6,
    name: "internet6",
    protocols: &[ProtoSw { attach: udp::attach6, ..DATAGRAM }],
};

fn socket(family: Family, addr: Addr, port: u16) -> std::rc::Rc<Socket> {
    rump_net::protocol::register(&INET);
    rump_net::protocol::register(&INET6);
    let so = Socket::create(family.number(), SOCK_DGRAM, 0).unwrap();
    so.proto().bind(&so, &encode(Endpoint { addr, port }, family)).unwrap();
    so
}

fn received(so: &Socket) -> Option<(SockAddr, Vec<u8>)> {
    so.rcv.take_record().map(|record| (record.from.unwrap(), record.data.to_vec()))
}

#[test]
fn datagrams_find_the_socket_that_says_most() {
    configured(|peer| {
        peer.introduce();
        let any = socket(Family::V4, Addr::UNSPECIFIED_V4, 2000);
        let hello = || ipv4(proto::UDP, OUR_ADDR, 0, &udp(THEIR_ADDR, OUR_ADDR, (1000, 2000), b"hello"));
        peer.send(&hello());
        let from = encode(Endpoint { addr: THEIR_ADDR, port: 1000 }, Family::V4);
        assert_eq!(received(&any), Some((from.clone(), b"hello".to_vec())));
        let taken = Socket::create(AF_INET, SOCK_DGRAM, 0).unwrap();
        let name = encode(Endpoint { addr: OUR_ADDR, port: 2000 }, Family::V4);
        assert_eq!(taken.proto().bind(&taken, &name), Err(rump_kern::Errno::EADDRINUSE));
        taken.set_option_bit(rump_abi::socket::SO_REUSEADDR, true);
        taken.proto().bind(&taken, &name).unwrap();
        peer.send(&hello());
        assert!(received(&any).is_none());
        assert!(received(&taken).is_some(), "the one with the address wins");
        taken
            .proto()
            .connect(&taken, &encode(Endpoint { addr: THEIR_ADDR, port: 1001 }, Family::V4))
            .unwrap();
        peer.send(&hello());
        assert!(received(&taken).is_none(), "connected with another peer");
        assert!(received(&any).is_some());
        any.proto().detach(&any);
        taken.proto().detach(&taken);
        peer.send(&hello());
        assert!(peer.receive().is_some(), "nobody is left");
    });
}

#[test]
fn a_socket_of_ipv6_takes_ipv4_if_it_wants() {
    configured(|peer| {
        peer.introduce();
        rump_net::protocol::register(&INET6);
        let so = Socket::create(AF_INET6, SOCK_DGRAM, 0).unwrap();
        let off = 0_i32.to_le_bytes();
        so.proto()
            .set_option(&so, rump_abi::socket::IPPROTO_IPV6, rump_abi::socket::IPV6_V6ONLY, &off)
            .unwrap();
        so.proto()
            .bind(&so, &encode(Endpoint { addr: Addr::UNSPECIFIED_V6, port: 2001 }, Family::V6))
            .unwrap();
        peer.send(&ipv4(proto::UDP, OUR_ADDR, 0, &udp(THEIR_ADDR, OUR_ADDR, (1000, 2001), b"four")));
        let mapped = encode(Endpoint { addr: THEIR_ADDR, port: 1000 }, Family::V6);
        assert_eq!(received(&so), Some((mapped, b"four".to_vec())));
        let (theirs, ours) = (their_link_local(), our_link_local().without_zone());
        peer.send(&ipv6(proto::UDP, 64, ours, &udp(theirs, ours, (1000, 2001), b"six")));
        let (from, data) = received(&so).unwrap();
        assert_eq!(data, b"six");
        assert_eq!(from.bytes()[24..28], 2_u32.to_le_bytes(), "the sender's scope is the interface");
        so.proto().detach(&so);
    });
}

#[test]
fn refusals_reach_connected_sockets() {
    configured(|peer| {
        peer.introduce();
        let so = socket(Family::V4, OUR_ADDR, 2002);
        so.proto().connect(&so, &encode(Endpoint { addr: THEIR_ADDR, port: 1000 }, Family::V4)).unwrap();
        let mut quoted = Ipv4Header {
            tos: 0,
            total_len: 33,
            id: 0,
            fragment: 0,
            ttl: 64,
            protocol: proto::UDP,
            src: OUR_ADDR.low(),
            dst: THEIR_ADDR.low(),
        }
        .emit()
        .to_vec();
        quoted.extend_from_slice(&udp(OUR_ADDR, THEIR_ADDR, (2002, 1000), b"")[..8]);
        let mut rest = vec![0; 4];
        rest.extend_from_slice(&quoted);
        peer.send(&ipv4(proto::ICMP, OUR_ADDR, 0, &icmp(v4::UNREACHABLE, v4::PORT, &rest)));
        assert_eq!(so.take_error(), Some(rump_kern::Errno::ECONNREFUSED));
        // A router's word on the path's MTU.
        route::lookup(THEIR_ADDR).unwrap();
        let too_big = [0, 0, 0x05, 0x00].iter().copied().chain(quoted).collect::<Vec<u8>>();
        peer.send(&ipv4(proto::ICMP, OUR_ADDR, 0, &icmp(v4::UNREACHABLE, v4::NEEDS_FRAGMENT, &too_big)));
        assert_eq!(route::lookup(THEIR_ADDR).unwrap().mtu, 1280);
        so.proto().detach(&so);
    });
}

#[test]
fn loopback_and_own_addresses_stay_inside() {
    configured(|peer| {
        let so = socket(Family::V4, Addr::UNSPECIFIED_V4, 2003);
        for dst in [Addr::LOOPBACK_V4, OUR_ADDR] {
            let slice = rump_hypercall::net::Slice::from_bytes(&udp(dst, dst, (9, 2003), b"me"), 64).unwrap();
            let packet = rump_hypercall::net::Packet::new(slice);
            crate::output::ip_output(packet, dst, dst, proto::UDP, &Default::default()).unwrap();
            crate::output::flush();
            assert_eq!(received(&so).unwrap().1, b"me");
        }
        assert!(peer.receive().is_none());
        so.proto().detach(&so);
    });
}

#[test]
fn routes() {
    configured(|peer| {
        let router = Addr::v4([10, 0, 0, 254]);
        let far = Addr::v4([192, 0, 2, 1]);
        assert!(route::lookup(far).is_err());
        let default = route::Route {
            dst: Addr::UNSPECIFIED_V4,
            bits: 96,
            gateway: Some(router),
            ifp: peer.ifp,
            is_static: true,
            expires_ns: u64::MAX,
        };
        route::add(default).unwrap();
        assert_eq!(route::lookup(far).unwrap().next_hop, router);
        assert_eq!(route::lookup(THEIR_ADDR).unwrap().next_hop, THEIR_ADDR);
        let six = Addr([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert!(route::lookup(six).is_err(), "IPv4's default route is not IPv6's");
        let path = route::lookup(far).unwrap();
        assert_eq!(route::source(far, &path), Ok(OUR_ADDR));
        assert!(route::lookup(Addr::v4([10, 0, 0, 255])).unwrap().is_broadcast);
        assert!(route::lookup(OUR_ADDR).unwrap().ifp.is_loopback());
        assert!(config::remove_addr(peer.ifp, OUR_ADDR));
        assert!(route::lookup(far).is_err(), "the router went with the network");
    });
}

#[test]
fn interfaces_as_go_and_libc_read_them() {
    configured(|_| {
        let old = rtsock::sysctl(&[34, 0, 0, 5, 0]).unwrap();
        let new = rtsock::sysctl(&[34, 0, AF_INET, 6, 2]).unwrap();
        let mut kinds = Vec::new();
        let mut at = 0;
        while at < old.len() {
            let len = usize::from(u16::from_le_bytes([old[at], old[at + 1]]));
            assert!(len >= 24 && len % 8 == 0 && old[at + 2] == 4);
            kinds.push(old[at + 3]);
            at += len;
        }
        assert_eq!(kinds, [0x14, 0xc, 0xc, 0x14, 0xc, 0xc]);
        let first = usize::from(u16::from_le_bytes([new[0], new[1]]));
        assert_eq!((new[3], new[first + 3]), (0x14, 0x16));
        assert_eq!(new[first + 32..first + 32 + 8], [16, 2, 0, 0, 255, 255, 255, 0]);
        assert_eq!(usize::from(u16::from_le_bytes([new[first], new[first + 1]])), new.len() - first);
        assert!(!rtsock::sysctl(&[34, 0, 0, 1, 0]).unwrap().is_empty());
    });
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// Frames of every kind that the stack looks into.
fn samples() -> Vec<Vec<u8>> {
    let ours = our_link_local().without_zone();
    let arp = Arp {
        operation: Arp::REQUEST,
        sender_mac: THEIRS,
        sender: THEIR_ADDR.low(),
        target_mac: [0; 6],
        target: OUR_ADDR.low(),
    };
    let mut solicit = vec![0; 4];
    solicit.extend_from_slice(&ours.0);
    solicit.extend_from_slice(&[1, 1, 2, 0, 0, 0, 0, 2]);
    let mut advert = vec![64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    advert.extend_from_slice(&[3, 4, 64, 0xc0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    advert.extend_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    advert.extend_from_slice(&[25, 3, 0, 0, 0, 0, 1, 0]);
    advert.extend_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    let fragment = Fragment { next_header: proto::UDP, offset: 8, more: true, id: 5 };
    let mut fragment = fragment.emit().to_vec();
    fragment.extend_from_slice(&[1; 24]);
    let mut options = vec![proto::UDP, 1, 5, 2, 0, 0, 1, 0, 1, 6, 0, 0, 0, 0, 0, 0];
    options.extend_from_slice(&udp(their_link_local(), ours, (1, 2004), b"options"));
    let tcp = [0x10, 0, 0x20, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 2, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4];
    let mut quote = vec![0; 4];
    quote.extend_from_slice(
        &ipv4(proto::UDP, OUR_ADDR, 0, &udp(THEIR_ADDR, OUR_ADDR, (1, 2), b""))[ETHER_LEN..],
    );
    let mut dhcp = vec![2, 1, 6, 0];
    dhcp.resize(240, 0);
    dhcp.extend_from_slice(&[53, 1, 5, 1, 4, 255, 255, 255, 0, 255]);
    vec![
        frame(ETHERTYPE_ARP, &arp.emit()),
        ipv4(proto::ICMP, OUR_ADDR, 0, &icmp(v4::ECHO, 0, &[7; 60])),
        ipv4(proto::ICMP, OUR_ADDR, 0, &icmp(v4::UNREACHABLE, v4::NEEDS_FRAGMENT, &quote)),
        ipv4(proto::UDP, OUR_ADDR, 0, &udp(THEIR_ADDR, OUR_ADDR, (1, 2004), b"datagram")),
        ipv4(proto::UDP, OUR_ADDR, 0, &udp(THEIR_ADDR, OUR_ADDR, (67, 68), &dhcp)),
        ipv4(proto::UDP, OUR_ADDR, Ipv4Header::MORE_FRAGMENTS | 1, &[3; 64]),
        ipv4(proto::TCP, OUR_ADDR, 0, &tcp),
        ipv4(proto::IGMP, Addr::v4([224, 0, 0, 1]), 0, &icmp(0x11, 100, &[0; 4])),
        ipv6(proto::ICMPV6, 255, ours, &icmp6(v6::NEIGHBOR_SOLICIT, ours, &solicit)),
        ipv6(proto::ICMPV6, 255, ours, &icmp6(v6::ROUTER_ADVERT, ours, &advert)),
        ipv6(proto::ICMPV6, 64, ours, &icmp6(v6::ECHO, ours, &[1; 40])),
        ipv6(proto::FRAGMENT, 64, ours, &fragment),
        ipv6(proto::HOPOPTS, 64, ours, &options),
        ipv6(proto::UDP, 64, ours, &udp(their_link_local(), ours, (1, 2004), b"datagram")),
        ipv6(proto::ROUTING, 64, ours, &[proto::UDP, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ]
}

/// Makes the checksums right again where that can be done, so that what lies behind them is reached.
fn mend(frame: &mut [u8]) {
    if frame.len() < ETHER_LEN + 20 || get_u16(frame, 12) != 0x0800 || frame[14] >> 4 != 4 {
        return;
    }
    let header_len = usize::from(frame[14] & 0xf) * 4;
    if header_len < 20 || ETHER_LEN + header_len > frame.len() {
        return;
    }
    put_u16(frame, ETHER_LEN + 10, 0);
    let sum = checksum(&frame[ETHER_LEN..ETHER_LEN + header_len]);
    put_u16(frame, ETHER_LEN + 10, sum);
    if frame[ETHER_LEN + 9] == proto::ICMP && frame.len() >= ETHER_LEN + header_len + 4 {
        let at = ETHER_LEN + header_len;
        put_u16(frame, at + 2, 0);
        let sum = checksum(&frame[at..]);
        put_u16(frame, at + 2, sum);
    }
    if frame[ETHER_LEN + 9] == proto::UDP && frame.len() >= ETHER_LEN + header_len + 8 {
        put_u16(frame, ETHER_LEN + header_len + 6, 0);
    }
}

#[test]
fn no_frame_makes_it_panic_or_keep_memory() {
    storm(60_000, 0x5eed);
}

#[test]
#[ignore = "takes minutes: cargo test --release -- --ignored"]
fn ten_million_frames() {
    storm(10_000_000, 0xf00d);
}

/// Sends mutated frames of a seeded generator.
fn storm(rounds: usize, seed: u64) {
    configured(|peer| {
        config::begin6_for_tests();
        let so = socket(Family::V4, Addr::UNSPECIFIED_V4, 2004);
        let samples = samples();
        let mut random = Random(seed);
        let before = rump_hypercall::net::pool_counts();
        for round in 0..rounds {
            let mut frame = samples[random.below(samples.len())].clone();
            match random.below(8) {
                0 => frame = (0..random.below(200)).map(|_| random.next() as u8).collect(),
                1 => frame.truncate(random.below(frame.len() + 1)),
                2 => frame.extend((0..random.below(1400)).map(|_| 0xa5)),
                _ => {}
            }
            for _ in 0..random.below(5) {
                if !frame.is_empty() {
                    let at = if random.below(2) == 0 {
                        random.below(frame.len())
                    } else {
                        random.below(frame.len().min(60))
                    };
                    frame[at] = random.next() as u8;
                }
            }
            if random.below(4) != 0 {
                mend(&mut frame);
            }
            peer.send(&frame);
            if round % 64 == 0 {
                peer.receive_all();
                while so.rcv.take_record().is_some() {}
            }
        }
        peer.receive_all();
        while so.rcv.take_record().is_some() {}
        so.proto().detach(&so);
        crate::reassembly::reset();
        crate::neighbor::reset();
        let after = rump_hypercall::net::pool_counts();
        let used = |counts: rump_hypercall::net::PoolCounts| {
            counts.pages * 2 - counts.free_pages * 2 - counts.free_halves
        };
        assert!(used(after) <= used(before) + 4, "{before:?} {after:?}");
        assert!(ifnet::all().iter().all(|ifp| ifp.addrs.borrow().len() <= 32));
        assert!(route::all().len() <= 128);
        netisr::poll();
    });
}

#[test]
fn arp_packets_wait_for_their_neighbour() {
    configured(|peer| {
        for data in [b"one", b"two"] {
            let slice =
                rump_hypercall::net::Slice::from_bytes(&udp(OUR_ADDR, THEIR_ADDR, (9, 9), data), 64).unwrap();
            let packet = rump_hypercall::net::Packet::new(slice);
            crate::output::ip_output(packet, OUR_ADDR, THEIR_ADDR, proto::UDP, &Default::default()).unwrap();
        }
        crate::output::flush();
        let question = peer.receive().unwrap();
        let question = Arp::parse(&question[ETHER_LEN..ETHER_LEN + ARP_LEN]).unwrap();
        assert_eq!((question.operation, question.target), (Arp::REQUEST, THEIR_ADDR.low()));
        assert!(peer.receive().is_none());
        let answer = Arp {
            operation: Arp::REPLY,
            sender_mac: THEIRS,
            sender: THEIR_ADDR.low(),
            target_mac: OURS,
            target: OUR_ADDR.low(),
        };
        peer.send(&frame(ETHERTYPE_ARP, &answer.emit()));
        assert!(peer.receive().unwrap().ends_with(b"one"));
        assert!(peer.receive().unwrap().ends_with(b"two"));
    });
}

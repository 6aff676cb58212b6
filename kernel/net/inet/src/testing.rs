//! What the tests of this crate share: a stack in the test process with one interface, whose cable ends in the test.

extern crate std;

use std::sync::{Mutex, PoisonError};
use std::vec::Vec;

use rumpbake_posix::{Link, Wire, net_reset, net_wire, run};

use crate::addr::{Addr, pseudo_header};
use crate::ifnet::{self, IfAddr, Ifnet, Kind, Offloads};
use crate::wire::{
    ARP_LEN, Arp, ETHER_LEN, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Ethernet, Ipv4Header, Ipv6Header,
    Mac, proto, put_u16, udp_header,
};
use crate::{config, icmp, multicast, neighbor, netisr, reassembly, route};

/// One test at a time: they share the stack's tables.
static TURN: Mutex<()> = Mutex::new(());

/// The stack's hardware address, and the test's.
pub const OURS: Mac = [2, 0, 0, 0, 0, 1];
/// The test's.
pub const THEIRS: Mac = [2, 0, 0, 0, 0, 2];
/// The stack's address.
pub const OUR_ADDR: Addr = Addr::v4([10, 0, 0, 1]);
/// The test's.
pub const THEIR_ADDR: Addr = Addr::v4([10, 0, 0, 2]);

/// The stack, seen from the other end of its cable.
pub struct Peer {
    /// The interface.
    pub ifp: &'static Ifnet,
    wire: Wire,
}

/// Runs `body` with a stack whose interfaces `set_up` has made.
pub fn from_nothing(set_up: fn(), body: impl FnOnce(&Peer) + Send) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    run(|| {
        reset();
        let (_, wire) = net_wire(Link::default());
        set_up();
        netisr::set_devices(1);
        let Some(ifp) = ifnet::by_index(2) else { panic!("there is no interface") };
        body(&Peer { ifp, wire });
    });
}

fn reset() {
    net_reset();
    ifnet::reset();
    icmp::reset();
    route::reset();
    neighbor::reset();
    reassembly::reset();
    multicast::reset();
    config::reset();
    netisr::reset();
}

/// Runs `body` with a stack that has nothing but lo0 and an interface without addresses.
pub fn bare(body: impl FnOnce(&Peer) + Send) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    run(|| {
        reset();
        let (device, wire) = net_wire(Link::default());
        let lo0 = Ifnet::attach("lo0", Kind::Loopback, 33160, Offloads::default());
        lo0.put_addr(IfAddr::permanent(Addr::LOOPBACK_V4, 104));
        lo0.put_addr(IfAddr::permanent(Addr::LOOPBACK_V6, 128));
        let ifp = Ifnet::attach("vioif0", Kind::Ethernet { device, mac: OURS }, 1500, Offloads::default());
        netisr::set_devices(1);
        body(&Peer { ifp, wire });
    });
}

/// The same with addresses of both families: [`OUR_ADDR`]`/24` and `fe80::1`.
pub fn configured(body: impl FnOnce(&Peer) + Send) {
    bare(|peer| {
        config::add_addr(peer.ifp, IfAddr::permanent(OUR_ADDR, 96 + 24)).unwrap();
        peer.ifp.put_addr(IfAddr::permanent(our_link_local(), 64));
        body(peer);
    });
}

/// The stack's link-local address, with its zone.
pub fn our_link_local() -> Addr {
    let mut addr = Addr([0; 16]);
    (addr.0[0], addr.0[1], addr.0[15]) = (0xfe, 0x80, 1);
    addr.with_zone(2)
}

/// The test's, without zone.
pub fn their_link_local() -> Addr {
    let mut addr = our_link_local().without_zone();
    addr.0[15] = 2;
    addr
}

impl Peer {
    /// Sends a frame and lets the stack work on it.
    pub fn send(&self, frame: &[u8]) {
        self.wire.send(frame);
        netisr::poll();
    }

    /// The next frame that the stack has sent.
    pub fn receive(&self) -> Option<Vec<u8>> {
        self.wire.receive()
    }

    /// Everything that the stack has sent.
    pub fn receive_all(&self) -> Vec<Vec<u8>> {
        core::iter::from_fn(|| self.receive()).collect()
    }

    /// Tells the stack the test's hardware address.
    pub fn introduce(&self) {
        let arp = Arp {
            operation: Arp::REQUEST,
            sender_mac: THEIRS,
            sender: THEIR_ADDR.low(),
            target_mac: [0; 6],
            target: OUR_ADDR.low(),
        };
        self.send(&frame(ETHERTYPE_ARP, &arp.emit()));
        let answer = self.receive().unwrap();
        let answer = Arp::parse(&answer[ETHER_LEN..ETHER_LEN + ARP_LEN]).unwrap();
        assert_eq!((answer.operation, answer.sender_mac), (Arp::REPLY, OURS));
        neighbor::learn(
            self.ifp,
            their_link_local().with_zone(2),
            THEIRS,
            neighbor::Evidence::Answered,
            true,
        );
    }
}

/// A frame to the stack.
pub fn frame(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = Ethernet::emit(OURS, THEIRS, ethertype).to_vec();
    frame.extend_from_slice(payload);
    frame
}

/// An IPv4 packet from the test, or a fragment of one.
pub fn ipv4(protocol: u8, dst: Addr, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let header = Ipv4Header {
        tos: 0,
        total_len: (20 + payload.len()) as u16,
        id: 77,
        fragment,
        ttl: 64,
        protocol,
        src: THEIR_ADDR.low(),
        dst: dst.low(),
    };
    let mut packet = header.emit().to_vec();
    packet.extend_from_slice(payload);
    frame(ETHERTYPE_IPV4, &packet)
}

/// An IPv6 packet from the test's link-local address.
pub fn ipv6(next_header: u8, hop_limit: u8, dst: Addr, payload: &[u8]) -> Vec<u8> {
    let header = Ipv6Header {
        traffic_class: 0,
        flow_label: 0,
        payload_len: payload.len() as u16,
        next_header,
        hop_limit,
        src: their_link_local(),
        dst,
    };
    let mut packet = header.emit().to_vec();
    packet.extend_from_slice(payload);
    frame(ETHERTYPE_IPV6, &packet)
}

/// A UDP packet between these addresses.
pub fn udp(src: Addr, dst: Addr, ports: (u16, u16), data: &[u8]) -> Vec<u8> {
    let len = 8 + data.len();
    let mut packet = udp_header(ports.0, ports.1, len as u16, 0).to_vec();
    packet.extend_from_slice(data);
    let mut sum = pseudo_header(src, dst, proto::UDP, len);
    sum.add(&packet);
    put_u16(&mut packet, 6, sum.finish());
    packet
}

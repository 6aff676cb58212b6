//! A lease for an interface of the rump kernel: layer 1's DHCP client, on the card itself, as long as the rump kernel does not have it yet.

use alloc::vec::Vec;

use rump_hypercall::net::{self, Packet};
use rump_hypercall::sync::CondVar;
use rump_hypercall::time;
use rump_kern::clock::NS_PER_S;
use rump_net_inet::addr::Addr;
use rump_net_inet::dhcp::{CLIENT_PORT, Change, Client, Lease, Link};
use rump_net_inet::wire::{Ipv4Header, Mac, UDP_LEN, checksum, proto};

/// How long a server may take to answer.
const PATIENCE_NS: u64 = 5 * NS_PER_S;

const ETHERTYPE_IPV4: [u8; 2] = [8, 0];
const ETHER_LEN: usize = 14;
const BROADCAST: Mac = [0xff; 6];
const TTL: u8 = 64;

/// A card that nobody else uses.
struct Card<'a> {
    number: usize,
    name: &'a str,
}

/// A frame with a datagram, whose checksum is that of the pseudo header alone.
fn frame(src_mac: Mac, datagram: &[u8], src: Addr, dst: Addr) -> Vec<u8> {
    let header = Ipv4Header {
        tos: 0,
        total_len: u16::try_from(20 + datagram.len()).unwrap_or(0),
        id: 0,
        fragment: 0,
        ttl: TTL,
        protocol: proto::UDP,
        src: src.low(),
        dst: dst.low(),
    };
    let sum = checksum(datagram).to_be_bytes();
    let parts = [&BROADCAST[..], &src_mac, &ETHERTYPE_IPV4, &header.emit(), datagram];
    let mut frame = parts.concat();
    if let Some(place) = frame.get_mut(ETHER_LEN + 20 + 6..ETHER_LEN + 20 + 8) {
        // A sum of zero is written as ones: zero means that there is none.
        place.copy_from_slice(if sum == [0, 0] { &[0xff; 2] } else { &sum });
    }
    frame
}

impl Link for Card<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn mac(&self) -> Option<Mac> {
        Some(net::info(self.number).mac)
    }

    fn send(&self, datagram: &[u8], src: Addr, dst: Addr) {
        if let Some(packet) = Packet::from_bytes(&frame(net::info(self.number).mac, datagram, src, dst)) {
            let _ = net::transmit(self.number, packet);
            net::flush(self.number);
        }
    }
}

/// The message to a DHCP client that a frame is, if it is one.
fn payload(frame: &[u8]) -> Option<&[u8]> {
    let ip = frame.get(ETHER_LEN..).filter(|_| frame.get(12..14) == Some(&ETHERTYPE_IPV4))?;
    let header = usize::from(ip.first()? & 15) * 4;
    let is_whole = ip.get(6)? & 0x3f == 0 && *ip.get(7)? == 0;
    let udp = ip.get(header..).filter(|_| is_whole && ip.get(9) == Some(&proto::UDP))?;
    let to_client = udp.get(2..4) == Some(&CLIENT_PORT.to_be_bytes());
    let len = usize::from(u16::from_be_bytes([*udp.get(4)?, *udp.get(5)?]));
    udp.get(UDP_LEN..len).filter(|_| to_client)
}

/// Something has come, or there is room.
static EVENT: CondVar = CondVar::new();

fn ready(_card: usize) {
    EVENT.broadcast();
}

/// Asks for a lease; `None` if nobody gives one in time.
pub(super) fn ask(card: usize, name: &str, hostname: &[u8]) -> Option<Lease> {
    net::on_ready(ready);
    let end_ns = time::monotonic_ns().saturating_add(PATIENCE_NS);
    let mut client = Client::new(Card { number: card, name }, hostname)?;
    loop {
        while let Some(packet) = net::receive(card) {
            let bytes = packet.to_vec();
            let now_ns = time::monotonic_ns();
            if let Some(message) = payload(&bytes)
                && let Some(Change::Bound(lease, _)) = client.input(message, now_ns)
            {
                return Some(lease);
            }
        }
        let now_ns = time::monotonic_ns();
        if now_ns >= end_ns {
            rump_kern::log!("rumpbake: {name}: no DHCP server has answered");
            return None;
        }
        client.timer(now_ns);
        if !net::enable_interrupt(card) {
            EVENT.wait_until(client.deadline_ns().min(end_ns));
        }
    }
}

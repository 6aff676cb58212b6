//! UDP (RFC 768, RFC 1122 4.1, udp(4)).
//!
//! A packet finds its socket by its port, in a table of buckets; among the sockets of the port the one wins that says most of the packet's addresses.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::any::Any;

use rump_abi::socket::{SO_REUSEADDR, SO_REUSEPORT};
use rump_hypercall::net::{Checksum, Packet};
use rump_hypercall::{Giant, time};
use rump_kern::Errno;
use rump_net::protocol::Direction;
use rump_net::sockbuf::{Record, packet_from_uio};
use rump_net::{Outgoing, Protocol, SockAddr, Socket};

use crate::addr::{Endpoint, pseudo_header};
use crate::ifnet::count;
use crate::input::{Cast, Ctl, Quote, Received, checksum_ok};
use crate::output::HEADROOM;
use crate::pcb::Pcb;
use crate::sockaddr::{self, Family};
use crate::wire::{UDP_LEN, Udp, get_u16, proto, udp_header};
use crate::{config, dhcp, icmp, ioctl, netisr, sntp};

/// What SO_SNDBUF is at first, and with it the longest datagram (net.inet.udp.sendspace).
pub const SEND_SPACE: usize = 9216;
/// What SO_RCVBUF is at first (net.inet.udp.recvspace).
pub const RECV_SPACE: usize = 41_600;
/// The longest payload: what IPv4 has room for.
const PAYLOAD_MAX: usize = 65_535 - 20 - UDP_LEN;

/// Buckets of the table, by port.
const BUCKETS: usize = 256;

/// Ports that sockets get that do not ask for one (IPPORT_ANONMIN to IPPORT_ANONMAX).
pub const ANONYMOUS: core::ops::RangeInclusive<u16> = 49_152..=65_535;
/// The same of IP_PORTRANGE_LOW.
pub const ANONYMOUS_LOW: core::ops::RangeInclusive<u16> = 600..=1023;

struct UdpSocket {
    pcb: Pcb,
}

type Bucket = Vec<Rc<UdpSocket>>;

static TABLE: Giant<[Bucket; BUCKETS]> = Giant::new([const { Vec::new() }; BUCKETS]);

const fn bucket(port: u16) -> usize {
    port as usize % BUCKETS
}

fn attach(so: &Rc<Socket>, family: Family) -> Result<Rc<dyn Protocol>, Errno> {
    Ok(Rc::new(UdpProtocol { socket: Rc::new(UdpSocket { pcb: Pcb::new(so, family) }) }))
}

/// A new AF_INET socket.
///
/// # Errors
/// None.
pub fn attach4(so: &Rc<Socket>, _protocol: i32) -> Result<Rc<dyn Protocol>, Errno> {
    attach(so, Family::V4)
}

/// A new AF_INET6 socket.
///
/// # Errors
/// None.
pub fn attach6(so: &Rc<Socket>, _protocol: i32) -> Result<Rc<dyn Protocol>, Errno> {
    attach(so, Family::V6)
}

/// How much a socket says of the addresses of a packet; `None` if it does not want it.
fn score(pcb: &Pcb, local: Endpoint, remote: Endpoint) -> Option<u8> {
    let own = pcb.local.get();
    if own.port != local.port || !pcb.takes_family(local.addr) {
        return None;
    }
    let mut score = u8::from(own.addr.is_v4() == local.addr.is_v4());
    if !own.addr.is_unspecified() {
        if own.addr != local.addr {
            return None;
        }
        score += 2;
    }
    if let Some(peer) = pcb.remote.get() {
        if peer != remote {
            return None;
        }
        score += 4;
    }
    Some(score)
}

/// The socket that says most of the addresses; of equal ones the youngest.
fn lookup(local: Endpoint, remote: Endpoint) -> Option<Rc<UdpSocket>> {
    let table = TABLE.borrow();
    let mut best: Option<(u8, &Rc<UdpSocket>)> = None;
    for socket in &table[bucket(local.port)] {
        if let Some(score) = score(&socket.pcb, local, remote)
            && best.is_none_or(|(known, _)| score >= known)
        {
            best = Some((score, socket));
        }
    }
    best.map(|(_, socket)| Rc::clone(socket))
}

/// All sockets that want a packet to several hosts.
fn lookup_all(local: Endpoint, remote: Endpoint) -> Vec<Rc<UdpSocket>> {
    let table = TABLE.borrow();
    let wants = |socket: &&Rc<UdpSocket>| score(&socket.pcb, local, remote).is_some();
    table[bucket(local.port)].iter().filter(wants).cloned().collect()
}

/// A packet came in: its UDP header first.
pub fn input(mut packet: Packet, info: &Received, quote: &Quote) {
    let Some(header) = Udp::new(packet.head(), packet.len()) else {
        count(&info.ifp.counters.ierrors, 1);
        return;
    };
    let (src_port, dst_port) = (header.src_port(), header.dst_port());
    let (len, sum) = (header.len(), header.checksum());
    packet.truncate(len);
    let unchecked = sum == 0 && info.src.is_v4();
    if (sum == 0 && !info.src.is_v4() && !info.checksum_ok) || (!unchecked && !checksum_ok(&packet, info)) {
        count(&info.ifp.counters.ierrors, 1);
        return;
    }
    if dst_port == dhcp::CLIENT_PORT
        && info.src.is_v4()
        && !info.ifp.is_loopback()
        && config::dhcp_input(info.ifp, &packet)
    {
        return;
    }
    if src_port == sntp::PORT && sntp::input(&packet, info, dst_port) {
        return;
    }
    packet.advance(UDP_LEN);
    packet.checksum = Checksum::Unknown;
    let local = Endpoint { addr: info.dst, port: dst_port };
    let remote = Endpoint { addr: info.src, port: src_port };
    if info.cast == Cast::Unicast {
        match lookup(local, remote) {
            Some(socket) => deliver(&socket, packet, info, remote),
            None => icmp::port_unreachable(info, quote),
        }
    } else {
        for socket in lookup_all(local, remote) {
            deliver(&socket, packet.clone(), info, remote);
        }
    }
}

fn deliver(socket: &UdpSocket, data: Packet, info: &Received, remote: Endpoint) {
    let Some(so) = socket.pcb.so.upgrade() else { return };
    if info.ttl < socket.pcb.options.min_ttl.get() {
        return;
    }
    let from = Some(sockaddr::encode(remote, socket.pcb.family));
    let control = socket.pcb.options.control_for(&so, info);
    if so.rcv.append_record(Record { from, control, data }).is_ok() {
        so.wake_readers();
    } else {
        so.overflow();
        count(&info.ifp.counters.iqdrops, 1);
    }
}

/// An ICMP error about a packet from `src` to `dst`.
pub fn ctlinput(what: Ctl, src: crate::addr::Addr, dst: crate::addr::Addr, header: &[u8; 8]) {
    let local = Endpoint { addr: src, port: get_u16(header, 0) };
    let remote = Endpoint { addr: dst, port: get_u16(header, 2) };
    let errno = match what {
        Ctl::Refused => Errno::ECONNREFUSED,
        Ctl::Unreachable | Ctl::TimeExceeded => Errno::EHOSTUNREACH,
        Ctl::TooBig(_) => return,
    };
    // Only who is connected knows whom an error is about.
    if let Some(socket) = lookup(local, remote)
        && socket.pcb.remote.get() == Some(remote)
        && let Some(so) = socket.pcb.so.upgrade()
    {
        so.set_error(errno);
    }
}

struct UdpProtocol {
    socket: Rc<UdpSocket>,
}

impl UdpProtocol {
    fn pcb(&self) -> &Pcb {
        &self.socket.pcb
    }

    fn remove(&self) {
        let port = self.pcb().local.get().port;
        let found = {
            let mut table = TABLE.borrow_mut();
            let bucket = &mut table[bucket(port)];
            let at = bucket.iter().position(|other| Rc::ptr_eq(other, &self.socket));
            at.map(|at| bucket.remove(at))
        };
        drop(found);
    }

    fn insert(&self, local: Endpoint) -> Result<(), Errno> {
        let mut table = TABLE.borrow_mut();
        let bucket = &mut table[bucket(local.port)];
        bucket.try_reserve(1).map_err(|_| Errno::ENOBUFS)?;
        self.pcb().local.set(local);
        bucket.push(Rc::clone(&self.socket));
        Ok(())
    }

    /// Whether another socket keeps this one from having `local` (in_pcbbind(9)).
    fn is_taken(&self, so: &Socket, local: Endpoint) -> bool {
        let options = so.options();
        let mut shares = options & SO_REUSEPORT;
        if local.addr.is_multicast() && options & SO_REUSEADDR != 0 {
            shares |= SO_REUSEADDR | SO_REUSEPORT;
        }
        let wild = options & (SO_REUSEADDR | SO_REUSEPORT) == 0;
        let table = TABLE.borrow();
        table[bucket(local.port)].iter().any(|other| {
            let theirs = other.pcb.local.get();
            if Rc::ptr_eq(other, &self.socket) || theirs.port != local.port {
                return false;
            }
            let same_family = theirs.addr.is_v4() == local.addr.is_v4();
            let overlaps = theirs.addr == local.addr
                || (wild && same_family && (theirs.addr.is_unspecified() || local.addr.is_unspecified()));
            let their_options = other.pcb.so.upgrade().map_or(0, |so| so.options());
            overlaps && shares & their_options == 0
        })
    }

    /// Gives the socket a port of its own.
    fn bind_anonymous(&self, so: &Socket, addr: crate::addr::Addr) -> Result<(), Errno> {
        let low = self.pcb().options.port_range.get() == rump_abi::socket::IP_PORTRANGE_LOW;
        let range = if low { ANONYMOUS_LOW } else { ANONYMOUS };
        let count = range.end() - range.start() + 1;
        let mut bytes = [0; 2];
        time::random(&mut bytes);
        let first = u16::from_le_bytes(bytes) % count;
        for step in 0..count {
            let port = range.start() + ((u32::from(first) + u32::from(step)) % u32::from(count)) as u16;
            let local = Endpoint { addr, port };
            if !self.is_taken_by_any(local) && !self.is_taken(so, local) {
                return self.insert(local);
            }
        }
        Err(Errno::EAGAIN)
    }

    /// Whether the port is in use at all: a port that nobody asked for is nobody else's.
    fn is_taken_by_any(&self, local: Endpoint) -> bool {
        TABLE.borrow()[bucket(local.port)].iter().any(|other| other.pcb.local.get().port == local.port)
    }
}

impl Protocol for UdpProtocol {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn detach(&self, _so: &Rc<Socket>) {
        self.remove();
        self.pcb().options.leave_all();
    }

    fn bind(&self, so: &Rc<Socket>, addr: &SockAddr) -> Result<(), Errno> {
        if self.pcb().local.get().port != 0 {
            return Err(Errno::EINVAL);
        }
        let local = self.pcb().own_of(addr)?;
        if local.port == 0 {
            return self.bind_anonymous(so, local.addr);
        }
        if self.is_taken(so, local) {
            return Err(Errno::EADDRINUSE);
        }
        self.insert(local)
    }

    fn connect(&self, so: &Rc<Socket>, addr: &SockAddr) -> Result<(), Errno> {
        let pcb = self.pcb();
        let peer = pcb.peer_of(addr)?;
        if peer.port == 0 {
            return Err(Errno::EADDRNOTAVAIL);
        }
        pcb.connect(so, peer)?;
        if pcb.local.get().port == 0 {
            let bound = self.bind_anonymous(so, pcb.local.get().addr);
            if bound.is_err() {
                pcb.disconnect(so);
            }
            return bound;
        }
        Ok(())
    }

    fn disconnect(&self, so: &Rc<Socket>) -> Result<(), Errno> {
        self.pcb().disconnect(so);
        Ok(())
    }

    fn shutdown(&self, so: &Rc<Socket>, direction: Direction) -> Result<(), Errno> {
        if direction == Direction::Write {
            so.cant_send_more();
        }
        Ok(())
    }

    fn send(&self, so: &Rc<Socket>, out: Outgoing<'_, '_>) -> Result<(), Errno> {
        let pcb = self.pcb();
        if out.uio.resid() > PAYLOAD_MAX {
            return Err(Errno::EMSGSIZE);
        }
        let way = pcb.way(so, out.to, out.control.as_ref(), out.flags)?;
        if way.dst.port == 0 {
            return Err(Errno::EADDRNOTAVAIL);
        }
        if pcb.local.get().port == 0 {
            self.bind_anonymous(so, pcb.local.get().addr)?;
        }
        let mut packet = packet_from_uio(out.uio, HEADROOM + UDP_LEN)?;
        let len = packet.len() + UDP_LEN;
        let pseudo = pseudo_header(way.src, way.dst.addr, proto::UDP, len).partial();
        let header = udp_header(pcb.local.get().port, way.dst.port, len as u16, pseudo);
        packet.prepend(UDP_LEN).ok_or(Errno::ENOBUFS)?.copy_from_slice(&header);
        packet.checksum = Checksum::Partial { start: 0, offset: 6 };
        way.send(packet, proto::UDP)
    }

    fn send_space(&self, so: &Rc<Socket>) -> usize {
        // Nothing waits to be sent: a datagram goes, or is lost.
        so.snd.limit.get()
    }

    fn before_sleep(&self, _so: &Rc<Socket>) -> bool {
        netisr::poll()
    }

    fn sock_name(&self, _so: &Rc<Socket>) -> Result<SockAddr, Errno> {
        Ok(self.pcb().sock_name())
    }

    fn peer_name(&self, _so: &Rc<Socket>) -> Result<SockAddr, Errno> {
        self.pcb().peer_name()
    }

    fn set_option(&self, _so: &Rc<Socket>, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
        self.pcb().options.set(level, name, value, self.pcb().local.get().port != 0)
    }

    fn get_option(&self, _so: &Rc<Socket>, level: i32, name: i32, value: &mut Vec<u8>) -> Result<(), Errno> {
        *value = self.pcb().options.get(level, name)?;
        Ok(())
    }

    fn ioctl(&self, _so: &Rc<Socket>, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        ioctl::ioctl(cmd, data)
    }
}

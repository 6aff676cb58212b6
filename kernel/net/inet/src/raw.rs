//! Raw sockets (SOCK_RAW of ip(4), icmp(4), icmp6(4)): ping and the like.
//!
//! An IPv4 socket receives packets with their IP header, with the length as NetBSD's programs know it: in the processor's order and without the header's. An IPv6
//! socket receives the payload alone (RFC 3542, 3).

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::Cell;

use rump_abi::socket::{ICMP6_FILTER, IPPROTO_ICMPV6, IPPROTO_IPV6, IPPROTO_RAW, IPV6_CHECKSUM};
use rump_hypercall::Giant;
use rump_hypercall::net::{Checksum, Packet, Slice};
use rump_kern::Errno;
use rump_net::protocol::Direction;
use rump_net::sockbuf::{Record, packet_from_uio};
use rump_net::{Outgoing, Protocol, SockAddr, Socket};

use crate::addr::{Endpoint, pseudo_header};
use crate::input::Received;
use crate::output::{HEADROOM, complete_checksum};
use crate::pcb::Pcb;
use crate::sockaddr::{self, Family};
use crate::wire::{IPV4_LEN, Ipv4, Ipv4Header, get_array, proto, put_u16};
use crate::{ioctl, netisr};

/// What SO_SNDBUF and SO_RCVBUF are at first (net.inet.raw.sendspace).
pub const SPACE: usize = 65_535;

struct RawSocket {
    pcb: Pcb,
    /// The protocol; 0 for all that nobody else takes.
    protocol: u8,
    /// Types of ICMPv6 that do not pass (RFC 3542, 3.2), a bit each.
    filter: Cell<[u32; 8]>,
    /// Where the checksum of what is sent and received is (IPV6_CHECKSUM).
    checksum_at: Cell<Option<u16>>,
}

static SOCKETS: Giant<Vec<Rc<RawSocket>>> = Giant::new(Vec::new());

fn attach(so: &Rc<Socket>, family: Family, protocol: i32) -> Result<Rc<dyn Protocol>, Errno> {
    let protocol = u8::try_from(protocol).map_err(|_| Errno::EPROTONOSUPPORT)?;
    let is_icmp6 = family == Family::V6 && i32::from(protocol) == IPPROTO_ICMPV6;
    let socket = Rc::new(RawSocket {
        pcb: Pcb::new(so, family),
        protocol,
        filter: Cell::new([0; 8]),
        checksum_at: Cell::new(is_icmp6.then_some(2)),
    });
    socket.pcb.options.header_included.set(family == Family::V4 && i32::from(protocol) == IPPROTO_RAW);
    let mut sockets = SOCKETS.borrow_mut();
    sockets.try_reserve(1).map_err(|_| Errno::ENOBUFS)?;
    sockets.push(Rc::clone(&socket));
    Ok(Rc::new(RawProtocol { socket }))
}

/// A new AF_INET socket.
///
/// # Errors
/// EPROTONOSUPPORT, ENOBUFS.
pub fn attach4(so: &Rc<Socket>, protocol: i32) -> Result<Rc<dyn Protocol>, Errno> {
    attach(so, Family::V4, protocol)
}

/// A new AF_INET6 socket.
///
/// # Errors
/// EPROTONOSUPPORT, ENOBUFS.
pub fn attach6(so: &Rc<Socket>, protocol: i32) -> Result<Rc<dyn Protocol>, Errno> {
    attach(so, Family::V6, protocol)
}

impl RawSocket {
    fn wants(&self, packet: &Packet, info: &Received) -> bool {
        let is_v4 = info.src.is_v4();
        let own = self.pcb.local.get().addr;
        let peer = self.pcb.remote.get();
        let protocol = self.protocol == 0 || self.protocol == info.protocol;
        if !protocol
            || is_v4 != (self.pcb.family == Family::V4)
            || (!own.is_unspecified() && own != info.dst)
            || peer.is_some_and(|peer| peer.addr != info.src)
        {
            return false;
        }
        if info.protocol == proto::ICMPV6 && !is_v4 {
            let kind = packet.head().first().copied().unwrap_or(0);
            return self.filter.get()[usize::from(kind >> 5)] >> (kind & 31) & 1 == 0;
        }
        true
    }
}

/// Hands a packet, which begins with the protocol's header, to the sockets that want it. False if there are none.
pub fn input(packet: &Packet, info: &Received) -> bool {
    let sockets: Vec<Rc<RawSocket>> = {
        let all = SOCKETS.borrow();
        if all.is_empty() {
            return false;
        }
        all.iter().filter(|socket| socket.wants(packet, info)).cloned().collect()
    };
    for socket in &sockets {
        deliver(socket, packet.clone(), info);
    }
    !sockets.is_empty()
}

fn deliver(socket: &RawSocket, mut data: Packet, info: &Received) {
    let Some(so) = socket.pcb.so.upgrade() else { return };
    if info.src.is_v4() {
        let header = Ipv4Header {
            tos: info.tos,
            total_len: (IPV4_LEN + data.len()) as u16,
            id: 0,
            fragment: 0,
            ttl: info.ttl,
            protocol: info.protocol,
            src: info.src.low(),
            dst: info.dst.low(),
        };
        let mut header = header.emit();
        header[2..4].copy_from_slice(&(data.len() as u16).to_le_bytes());
        let Some(front) = Slice::from_bytes(&header, 0) else { return };
        if data.push_front(front).is_err() {
            return;
        }
    }
    data.checksum = Checksum::Unknown;
    let from = Some(sockaddr::encode(Endpoint { addr: info.src, port: 0 }, socket.pcb.family));
    let control = socket.pcb.options.control_for(&so, info);
    if so.rcv.append_record(Record { from, control, data }).is_ok() {
        so.wake_readers();
    } else {
        so.overflow();
    }
}

struct RawProtocol {
    socket: Rc<RawSocket>,
}

impl RawProtocol {
    fn pcb(&self) -> &Pcb {
        &self.socket.pcb
    }

    /// A packet whose IPv4 header the program has made; what it says goes into the one that is sent.
    fn send_with_header(
        &self,
        so: &Rc<Socket>,
        mut packet: Packet,
        out: &Outgoing<'_, '_>,
    ) -> Result<(), Errno> {
        let len = packet.len();
        let mut bytes = packet.pull(IPV4_LEN).ok_or(Errno::EINVAL)?.to_vec();
        // Programs leave the length out, or have it in the processor's order (ip(4)).
        put_u16(&mut bytes, 2, u16::try_from(len).map_err(|_| Errno::EMSGSIZE)?);
        let header = Ipv4::new(&bytes, len).ok_or(Errno::EINVAL)?;
        if header.header_len() != IPV4_LEN {
            return Err(Errno::EINVAL);
        }
        let mut way = self.pcb().way(so, out.to, out.control.as_ref(), out.flags)?;
        if !header.src().is_unspecified() {
            way.src = header.src();
        }
        way.dst.addr = header.dst();
        (way.options.ttl, way.options.tos) = (Some(header.ttl()), header.tos());
        let protocol = header.protocol();
        packet.advance(IPV4_LEN);
        way.send(packet, protocol)
    }
}

impl Protocol for RawProtocol {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn detach(&self, _so: &Rc<Socket>) {
        SOCKETS.borrow_mut().retain(|other| !Rc::ptr_eq(other, &self.socket));
        self.pcb().options.leave_all();
    }

    fn bind(&self, _so: &Rc<Socket>, addr: &SockAddr) -> Result<(), Errno> {
        let own = self.pcb().own_of(addr)?;
        self.pcb().local.set(Endpoint { addr: own.addr, port: 0 });
        Ok(())
    }

    fn connect(&self, so: &Rc<Socket>, addr: &SockAddr) -> Result<(), Errno> {
        let peer = self.pcb().peer_of(addr)?;
        self.pcb().connect(so, Endpoint { addr: peer.addr, port: 0 })
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
        let mut packet = packet_from_uio(out.uio, HEADROOM)?;
        if self.pcb().options.header_included.get() {
            return self.send_with_header(so, packet, &out);
        }
        let way = self.pcb().way(so, out.to, out.control.as_ref(), out.flags)?;
        if let Some(at) = self.socket.checksum_at.get().filter(|_| self.pcb().family == Family::V6) {
            let place = usize::from(at) + 2;
            let pseudo = pseudo_header(way.src, way.dst.addr, self.socket.protocol, packet.len()).partial();
            if packet.pull(place).is_none() {
                return Err(Errno::EINVAL);
            }
            let head = packet.head_mut().ok_or(Errno::ENOBUFS)?;
            put_u16(head, at.into(), pseudo);
            packet.checksum = Checksum::Partial { start: 0, offset: at };
            complete_checksum(&mut packet)?;
        }
        way.send(packet, self.socket.protocol)
    }

    fn send_space(&self, so: &Rc<Socket>) -> usize {
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
        match (level, name) {
            (IPPROTO_ICMPV6, ICMP6_FILTER) if self.pcb().family == Family::V6 => {
                if value.len() < 32 {
                    return Err(Errno::EINVAL);
                }
                let word = |at: usize| u32::from_le_bytes(get_array(value, at * 4));
                // What the program gives is what passes.
                self.socket.filter.set(core::array::from_fn(|at| !word(at)));
                Ok(())
            }
            (IPPROTO_IPV6, IPV6_CHECKSUM) if self.pcb().family == Family::V6 => {
                let at = value.first_chunk().map(|bytes| i32::from_le_bytes(*bytes)).ok_or(Errno::EINVAL)?;
                if self.socket.protocol == proto::ICMPV6 || at % 2 != 0 {
                    return Err(Errno::EINVAL);
                }
                self.socket.checksum_at.set(u16::try_from(at).ok());
                Ok(())
            }
            _ => self.pcb().options.set(level, name, value, false),
        }
    }

    fn get_option(&self, _so: &Rc<Socket>, level: i32, name: i32, value: &mut Vec<u8>) -> Result<(), Errno> {
        *value = match (level, name) {
            (IPPROTO_ICMPV6, ICMP6_FILTER) if self.pcb().family == Family::V6 => {
                self.socket.filter.get().iter().flat_map(|word| (!word).to_le_bytes()).collect()
            }
            (IPPROTO_IPV6, IPV6_CHECKSUM) if self.pcb().family == Family::V6 => {
                let at = self.socket.checksum_at.get().map_or(-1, i32::from);
                at.to_le_bytes().to_vec()
            }
            _ => self.pcb().options.get(level, name)?,
        };
        Ok(())
    }

    fn ioctl(&self, _so: &Rc<Socket>, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        ioctl::ioctl(cmd, data)
    }
}

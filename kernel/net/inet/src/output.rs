//! IP output: from a transport protocol's packet to the interface (RFC 791, RFC 8200; ip_output(9)).
//!
//! # How to send
//! The packet begins with the transport header. Room before it in the first view ([`HEADROOM`] bytes are always enough) takes the IP and link headers; without it they
//! take a cluster of their own. Its checksum is `Checksum::Partial { start: 0, offset }`, and the field holds the pseudo-header's sum
//! ([`crate::addr::pseudo_header`], [`crate::wire::Sum::partial`]): it is completed by the device, or here. A packet with a gso may be sent
//! where [`crate::route::Path::tso_max`] allows it; its `header_len` is the transport header's.
//!
//! Sending queues: the device is told, and what was sent to this host itself is taken in, by [`flush`]. Whoever sends from a system call or a callout calls
//! it afterwards, with nothing borrowed; what is sent while packets are processed is flushed by [`crate::netisr::poll`].

use rump_hypercall::net::{Checksum, Packet, Slice};
use rump_hypercall::{Giant, time};
use rump_kern::Errno;

use crate::addr::Addr;
use crate::ifnet::{Ifnet, count};
use crate::route::{self, Path, RouteCache};
use crate::wire::{
    ETHERTYPE_IPV4, ETHERTYPE_IPV6, FRAGMENT_LEN, Fragment, IPV4_LEN, IPV6_LEN, Ipv4Header, Ipv6Header, Sum,
    proto, put_u16,
};
use crate::{ether, multicast, netisr};

/// Room that the headers before the transport's take at most: Ethernet, IPv6, and a fragment header.
pub const HEADROOM: usize = 64;

/// The hop limit of packets that do not say (IPCTL_DEFTTL).
pub const TTL_DEFAULT: u8 = 64;

/// The longest IP packet.
const IP_MAX: usize = 65_535;

/// How a packet is to be sent.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Where the sender keeps the way; looked up otherwise.
    pub route: Option<&'a RouteCache>,
    /// Send out of this interface and no other (IP_MULTICAST_IF, IPV6_PKTINFO, DHCP).
    pub ifp: Option<&'static Ifnet>,
    /// Time to live or hop limit; `None` for 64 (1 for multicast).
    pub ttl: Option<u8>,
    /// Type of service or traffic class, with the ECN bits.
    pub tos: u8,
    /// Never fragment: EMSGSIZE instead. TCP's packets are sent so.
    pub dont_fragment: bool,
    /// Packets to broadcast addresses are allowed (SO_BROADCAST); EACCES otherwise.
    pub broadcast: bool,
    /// Members on this host do not get a copy of a multicast packet (IP_MULTICAST_LOOP 0).
    pub no_loop: bool,
    /// The neighbour must be the destination itself (SO_DONTROUTE).
    pub dont_route: bool,
}

impl Options<'_> {
    /// The way to `dst`.
    ///
    /// # Errors
    /// As [`route::lookup`].
    #[inline]
    pub fn path(&self, dst: Addr) -> Result<Path, Errno> {
        match (self.ifp, self.route) {
            (Some(ifp), _) => route::lookup_on(dst, ifp),
            (None, Some(cache)) => cache.get(dst),
            (None, None) => route::lookup(dst),
        }
    }
}

/// Sends a packet from `src` to `dst`, which are of one family. `src` may be unspecified only with [`Options::ifp`].
///
/// # Errors
/// EHOSTUNREACH, ENETDOWN, EMSGSIZE, EACCES, ENOBUFS. A packet that waits for its neighbour's hardware address is a success.
#[inline]
pub fn ip_output(
    packet: Packet,
    src: Addr,
    dst: Addr,
    protocol: u8,
    options: &Options<'_>,
) -> Result<(), Errno> {
    let path = options.path(dst)?;
    if path.is_broadcast && !options.broadcast {
        return Err(Errno::EACCES);
    }
    if options.dont_route && path.next_hop != dst {
        return Err(Errno::EHOSTUNREACH);
    }
    let ttl = options.ttl.unwrap_or(if dst.is_multicast() { 1 } else { TTL_DEFAULT });
    if dst.is_v4() {
        ipv4(packet, src, dst, protocol, ttl, options, &path)
    } else {
        ipv6(packet, src, dst, protocol, ttl, options, &path)
    }
}

/// Takes in what was sent to this host itself, and tells the devices of what was queued.
#[inline]
pub fn flush() {
    netisr::flush();
}

static NEXT_ID: Giant<u64> = Giant::new(0);

/// Numbers of packets that may be fragmented: a sequence that repeats late and begins anywhere (RFC 7739, 5.3), made without asking the platform each time.
fn next_id() -> u32 {
    let mut state = NEXT_ID.get();
    if state == 0 {
        let mut bytes = [0; 8];
        time::random(&mut bytes);
        state = u64::from_le_bytes(bytes) | 1;
    }
    // xorshift (Marsaglia 2003): never 0 from what is not 0.
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    NEXT_ID.set(state);
    (state >> 16) as u32
}

fn ipv4(
    mut packet: Packet,
    src: Addr,
    dst: Addr,
    protocol: u8,
    ttl: u8,
    options: &Options<'_>,
    path: &Path,
) -> Result<(), Errno> {
    let total = IPV4_LEN + packet.len();
    if total > IP_MAX {
        return Err(Errno::EMSGSIZE);
    }
    let fits = total <= path.mtu || packet.gso.is_some();
    if !fits && options.dont_fragment {
        return Err(Errno::EMSGSIZE);
    }
    let header = Ipv4Header {
        tos: options.tos,
        total_len: total as u16,
        id: if options.dont_fragment { 0 } else { next_id() as u16 },
        fragment: if options.dont_fragment { Ipv4Header::DONT_FRAGMENT } else { 0 },
        ttl,
        protocol,
        src: src.low(),
        dst: dst.low(),
    };
    if fits {
        prepend(&mut packet, &header.emit())?;
        return send(packet, dst, ETHERTYPE_IPV4, options, path);
    }
    complete_checksum(&mut packet)?;
    let part_max = path.mtu.saturating_sub(IPV4_LEN) & !7;
    if part_max == 0 {
        return Err(Errno::EMSGSIZE);
    }
    let whole = packet.len();
    for offset in (0..whole).step_by(part_max) {
        let mut part = part_of(&packet, offset, part_max);
        let more = if offset + part.len() < whole { Ipv4Header::MORE_FRAGMENTS } else { 0 };
        let total_len = (IPV4_LEN + part.len()) as u16;
        let fragment = (offset / 8) as u16 | more;
        prepend(&mut part, &Ipv4Header { total_len, fragment, ..header }.emit())?;
        send(part, dst, ETHERTYPE_IPV4, options, path)?;
    }
    Ok(())
}

fn ipv6(
    mut packet: Packet,
    src: Addr,
    dst: Addr,
    protocol: u8,
    ttl: u8,
    options: &Options<'_>,
    path: &Path,
) -> Result<(), Errno> {
    if packet.len() > IP_MAX {
        return Err(Errno::EMSGSIZE);
    }
    let fits = IPV6_LEN + packet.len() <= path.mtu || packet.gso.is_some();
    if !fits && options.dont_fragment {
        return Err(Errno::EMSGSIZE);
    }
    let header = Ipv6Header {
        traffic_class: options.tos,
        flow_label: 0,
        payload_len: packet.len() as u16,
        next_header: protocol,
        hop_limit: ttl,
        src,
        dst,
    };
    if fits {
        prepend(&mut packet, &header.emit())?;
        return send(packet, dst, ETHERTYPE_IPV6, options, path);
    }
    complete_checksum(&mut packet)?;
    let part_max = path.mtu.saturating_sub(IPV6_LEN + FRAGMENT_LEN) & !7;
    if part_max == 0 {
        return Err(Errno::EMSGSIZE);
    }
    let (whole, id) = (packet.len(), next_id());
    for offset in (0..whole).step_by(part_max) {
        let mut part = part_of(&packet, offset, part_max);
        let more = offset + part.len() < whole;
        let fragment = Fragment { next_header: protocol, offset: offset as u16, more, id };
        let payload_len = (FRAGMENT_LEN + part.len()) as u16;
        prepend(&mut part, &fragment.emit())?;
        prepend(&mut part, &Ipv6Header { payload_len, next_header: proto::FRAGMENT, ..header }.emit())?;
        send(part, dst, ETHERTYPE_IPV6, options, path)?;
    }
    Ok(())
}

fn part_of(packet: &Packet, offset: usize, len: usize) -> Packet {
    let mut part = packet.clone();
    part.advance(offset);
    part.truncate(len);
    part
}

/// Puts a header before the packet, and keeps what is said of its checksum true.
#[inline]
pub fn prepend(packet: &mut Packet, header: &[u8]) -> Result<(), Errno> {
    packet.prepend(header.len()).ok_or(Errno::ENOBUFS)?.copy_from_slice(header);
    if let Checksum::Partial { start, .. } = &mut packet.checksum {
        *start += header.len() as u16;
    }
    if let Some(gso) = &mut packet.gso {
        gso.header_len += header.len() as u16;
    }
    Ok(())
}

/// Completes a [`Checksum::Partial`] here.
///
/// # Errors
/// ENOBUFS if the header is shared and there is no memory for a copy.
pub fn complete_checksum(packet: &mut Packet) -> Result<(), Errno> {
    let Checksum::Partial { start, offset } = packet.checksum else { return Ok(()) };
    let at = usize::from(start) + usize::from(offset);
    let mut sum = Sum::new();
    let mut skip = usize::from(start);
    for slice in packet.slices() {
        let bytes = slice.bytes();
        sum.add(&bytes[skip.min(bytes.len())..]);
        skip -= skip.min(bytes.len());
    }
    // A UDP checksum of 0 would say that there is none; for TCP and ICMP the two zeros mean the same.
    let value = match sum.finish() {
        0 => 0xffff,
        value => value,
    };
    if packet.head().len() < at + 2 || packet.head_mut().is_none() {
        let mut front = alloc::vec![0; at + 2];
        if packet.copy_to(0, &mut front) < front.len() {
            return Err(Errno::EINVAL);
        }
        packet.advance(front.len());
        let front = Slice::from_bytes(&front, HEADROOM).ok_or(Errno::ENOBUFS)?;
        packet.push_front(front).map_err(|_| Errno::ENOBUFS)?;
    }
    put_u16(packet.head_mut().ok_or(Errno::ENOBUFS)?, at, value);
    packet.checksum = Checksum::Unknown;
    Ok(())
}

/// A complete IP packet, to the interface or to this host.
#[inline]
fn send(
    mut packet: Packet,
    dst: Addr,
    ethertype: u16,
    options: &Options<'_>,
    path: &Path,
) -> Result<(), Errno> {
    if path.ifp.is_loopback() {
        netisr::loop_back(packet, path.ifp);
        return Ok(());
    }
    let to_all = path.is_broadcast || dst.is_multicast();
    if to_all {
        count(&path.ifp.counters.omcasts, 1);
        if path.is_broadcast || (!options.no_loop && multicast::is_member(path.ifp, dst)) {
            netisr::loop_back(packet.clone(), path.ifp);
        }
        if dst.is_multicast() && options.ttl == Some(0) {
            return Ok(());
        }
    }
    if !path.ifp.offloads.tx_checksum {
        complete_checksum(&mut packet)?;
    }
    ether::output(path.ifp, packet, path.next_hop, path.is_broadcast, ethertype)
}

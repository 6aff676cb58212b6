//! Options of level IPPROTO_IP and IPPROTO_IPV6 (ip(4), ip6(4), RFC 3493, RFC 3542), and the control messages that go with them.

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use rump_abi::socket::*;
use rump_kern::Errno;
use rump_net::{Control, Socket};

use crate::addr::Addr;
use crate::ifnet::{self, Ifnet};
use crate::input::Received;
use crate::multicast;
use crate::output::TTL_DEFAULT;
use crate::sockaddr::{Family, link_bytes, scoped};
use crate::wire::get_array;

/// What received packets are accompanied by.
#[expect(missing_docs, reason = "bits named after the options")]
pub mod want {
    pub const DSTADDR: u16 = 1;
    pub const IF: u16 = 2;
    pub const TTL: u16 = 4;
    pub const PKTINFO: u16 = 8;
    pub const V6_PKTINFO: u16 = 0x10;
    pub const V6_HOPLIMIT: u16 = 0x20;
    pub const V6_TCLASS: u16 = 0x40;
}

/// The options of one socket.
pub struct InetOptions {
    family: Family,
    /// Time to live or hop limit of what is sent to one host.
    pub ttl: Cell<Option<u8>>,
    /// Type of service.
    pub tos: Cell<u8>,
    /// Traffic class, of IPv6.
    pub traffic_class: Cell<u8>,
    /// Time to live or hop limit of what is sent to groups.
    pub multicast_ttl: Cell<u8>,
    /// Members on this host get what is sent to groups.
    pub multicast_loop: Cell<bool>,
    /// Out of which interface packets to groups go.
    pub multicast_if: Cell<Option<&'static Ifnet>>,
    /// Packets with a smaller time to live are dropped.
    pub min_ttl: Cell<u8>,
    /// See [`want`].
    pub wants: Cell<u16>,
    /// An AF_INET6 socket has nothing to do with IPv4.
    pub v6_only: Cell<bool>,
    /// What is sent comes from here, unless it says itself.
    pub pktinfo: Cell<Option<(Addr, Option<&'static Ifnet>)>>,
    /// Packets hold their IP header already.
    pub header_included: Cell<bool>,
    /// Never fragment.
    pub dont_fragment: Cell<bool>,
    /// Which ports are chosen for sockets that do not say.
    pub port_range: Cell<i32>,
    /// Groups that the socket has joined, the interface and the group.
    memberships: RefCell<Vec<(&'static Ifnet, Addr)>>,
}

fn int(value: &[u8]) -> Result<i32, Errno> {
    value.first_chunk().map(|bytes| i32::from_le_bytes(*bytes)).ok_or(Errno::EINVAL)
}

/// A number that may be given as a byte, too.
fn byte(value: &[u8]) -> Result<u8, Errno> {
    match value {
        [byte] => Ok(*byte),
        _ => u8::try_from(int(value)?).map_err(|_| Errno::EINVAL),
    }
}

fn interface(index: u32) -> Result<Option<&'static Ifnet>, Errno> {
    match index {
        0 => Ok(None),
        _ => ifnet::by_index(index as usize).map(Some).ok_or(Errno::ENXIO),
    }
}

/// A hop limit as RFC 3493 has it: -1 for the default.
fn hops(value: &[u8]) -> Result<Option<u8>, Errno> {
    match int(value)? {
        -1 => Ok(None),
        number => u8::try_from(number).map(Some).map_err(|_| Errno::EINVAL),
    }
}

impl InetOptions {
    /// Those of a new socket.
    #[must_use]
    pub fn new(family: Family) -> Self {
        Self {
            family,
            ttl: Cell::new(None),
            tos: Cell::new(0),
            traffic_class: Cell::new(0),
            multicast_ttl: Cell::new(1),
            multicast_loop: Cell::new(true),
            multicast_if: Cell::new(None),
            min_ttl: Cell::new(0),
            wants: Cell::new(0),
            v6_only: Cell::new(family == Family::V6),
            pktinfo: Cell::new(None),
            header_included: Cell::new(false),
            dont_fragment: Cell::new(false),
            port_range: Cell::new(0),
            memberships: RefCell::new(Vec::new()),
        }
    }

    /// Takes over what a new connection has from its listener.
    pub fn inherit(&self, from: &Self) {
        self.ttl.set(from.ttl.get());
        self.tos.set(from.tos.get());
        self.traffic_class.set(from.traffic_class.get());
        self.min_ttl.set(from.min_ttl.get());
        self.v6_only.set(from.v6_only.get());
        self.wants.set(from.wants.get());
    }

    fn set_want(&self, bit: u16, value: &[u8]) -> Result<(), Errno> {
        let on = int(value)? != 0;
        self.wants.set(if on { self.wants.get() | bit } else { self.wants.get() & !bit });
        Ok(())
    }

    /// setsockopt(2). `bound`: the socket has a name already.
    ///
    /// # Errors
    /// ENOPROTOOPT for what there is not, EINVAL, EADDRNOTAVAIL, ENXIO, ENOBUFS.
    pub fn set(&self, level: i32, name: i32, value: &[u8], bound: bool) -> Result<(), Errno> {
        match level {
            IPPROTO_IP => self.set_v4(name, value),
            IPPROTO_IPV6 if self.family == Family::V6 => self.set_v6(name, value, bound),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    fn set_v4(&self, name: i32, value: &[u8]) -> Result<(), Errno> {
        match name {
            IP_TOS => self.tos.set(byte(value)?),
            IP_TTL => {
                let ttl = byte(value)?;
                if ttl == 0 {
                    return Err(Errno::EINVAL);
                }
                self.ttl.set(Some(ttl));
            }
            IP_MINTTL => self.min_ttl.set(byte(value)?),
            IP_HDRINCL => self.header_included.set(int(value)? != 0),
            IP_RECVDSTADDR => self.set_want(want::DSTADDR, value)?,
            IP_RECVIF => self.set_want(want::IF, value)?,
            IP_RECVTTL => self.set_want(want::TTL, value)?,
            IP_RECVPKTINFO => self.set_want(want::PKTINFO, value)?,
            // A number asks for the information, a structure gives it (ip(4)).
            IP_PKTINFO if value.len() == 4 => self.set_want(want::PKTINFO, value)?,
            IP_PKTINFO => self.pktinfo.set(Some(pktinfo_v4(value)?)),
            IP_PORTRANGE => {
                let range = int(value)?;
                if !(IP_PORTRANGE_DEFAULT..=IP_PORTRANGE_LOW).contains(&range) {
                    return Err(Errno::EINVAL);
                }
                self.port_range.set(range);
            }
            IP_MULTICAST_TTL => self.multicast_ttl.set(byte(value)?),
            IP_MULTICAST_LOOP => self.multicast_loop.set(byte(value)? != 0),
            IP_MULTICAST_IF => {
                let addr = Addr::v4(*value.first_chunk().ok_or(Errno::EINVAL)?);
                let ifp = if addr.is_unspecified() { None } else { Some(interface_of(addr)?) };
                self.multicast_if.set(ifp);
            }
            IP_ADD_MEMBERSHIP => {
                let (ifp, group) = membership_v4(value)?;
                self.join(ifp, group)?;
            }
            IP_DROP_MEMBERSHIP => {
                let (ifp, group) = membership_v4(value)?;
                self.leave(ifp, group)?;
            }
            // No options are sent, so none is as good as taken away.
            IP_OPTIONS if value.is_empty() => {}
            _ => return Err(Errno::ENOPROTOOPT),
        }
        Ok(())
    }

    fn set_v6(&self, name: i32, value: &[u8], bound: bool) -> Result<(), Errno> {
        match name {
            IPV6_V6ONLY => {
                if bound {
                    return Err(Errno::EINVAL);
                }
                self.v6_only.set(int(value)? != 0);
            }
            IPV6_UNICAST_HOPS => self.ttl.set(hops(value)?),
            IPV6_TCLASS => {
                let class = int(value)?;
                self.traffic_class.set(if class == -1 {
                    0
                } else {
                    u8::try_from(class).map_err(|_| Errno::EINVAL)?
                });
            }
            IPV6_DONTFRAG => self.dont_fragment.set(int(value)? != 0),
            IPV6_RECVPKTINFO => self.set_want(want::V6_PKTINFO, value)?,
            IPV6_RECVHOPLIMIT => self.set_want(want::V6_HOPLIMIT, value)?,
            IPV6_RECVTCLASS => self.set_want(want::V6_TCLASS, value)?,
            IPV6_PKTINFO if value.is_empty() => self.pktinfo.set(None),
            IPV6_PKTINFO => self.pktinfo.set(pktinfo_v6(value)?),
            IPV6_PORTRANGE => {
                let range = int(value)?;
                if !(IPV6_PORTRANGE_DEFAULT..=IPV6_PORTRANGE_LOW).contains(&range) {
                    return Err(Errno::EINVAL);
                }
                self.port_range.set(range);
            }
            IPV6_MULTICAST_HOPS => self.multicast_ttl.set(hops(value)?.unwrap_or(1)),
            IPV6_MULTICAST_LOOP => self.multicast_loop.set(int(value)? != 0),
            IPV6_MULTICAST_IF => self.multicast_if.set(interface(int(value)?.cast_unsigned())?),
            IPV6_JOIN_GROUP => {
                let (ifp, group) = membership_v6(value)?;
                self.join(ifp, group)?;
            }
            IPV6_LEAVE_GROUP => {
                let (ifp, group) = membership_v6(value)?;
                self.leave(ifp, group)?;
            }
            _ => return Err(Errno::ENOPROTOOPT),
        }
        Ok(())
    }

    /// getsockopt(2).
    ///
    /// # Errors
    /// ENOPROTOOPT.
    pub fn get(&self, level: i32, name: i32) -> Result<Vec<u8>, Errno> {
        if level == IPPROTO_IPV6 && self.family == Family::V4 {
            return Err(Errno::ENOPROTOOPT);
        }
        let wants = |bit: u16| i32::from(self.wants.get() & bit != 0);
        let multicast_index = self.multicast_if.get().map_or(0, |ifp| i32::from(ifp.index));
        let number = match (level, name) {
            (IPPROTO_IP, IP_TOS) => self.tos.get().into(),
            (IPPROTO_IP, IP_TTL) | (IPPROTO_IPV6, IPV6_UNICAST_HOPS) => {
                self.ttl.get().unwrap_or(TTL_DEFAULT).into()
            }
            (IPPROTO_IP, IP_MINTTL) => self.min_ttl.get().into(),
            (IPPROTO_IP, IP_HDRINCL) => self.header_included.get().into(),
            (IPPROTO_IP, IP_RECVDSTADDR) => wants(want::DSTADDR),
            (IPPROTO_IP, IP_RECVIF) => wants(want::IF),
            (IPPROTO_IP, IP_RECVTTL) => wants(want::TTL),
            (IPPROTO_IP, IP_RECVPKTINFO | IP_PKTINFO) => wants(want::PKTINFO),
            (IPPROTO_IP, IP_PORTRANGE) | (IPPROTO_IPV6, IPV6_PORTRANGE) => self.port_range.get(),
            // Bytes, as they have been since the first multicast kernels.
            (IPPROTO_IP, IP_MULTICAST_TTL) => return Ok([self.multicast_ttl.get()].to_vec()),
            (IPPROTO_IP, IP_MULTICAST_LOOP) => return Ok([self.multicast_loop.get().into()].to_vec()),
            (IPPROTO_IP, IP_MULTICAST_IF) => {
                let own = self.multicast_if.get().and_then(Ifnet::first_v4);
                return Ok(own.map_or([0; 4], |own| own.addr.low()).to_vec());
            }
            (IPPROTO_IP, IP_OPTIONS) => return Ok(Vec::new()),
            (IPPROTO_IPV6, IPV6_V6ONLY) => self.v6_only.get().into(),
            (IPPROTO_IPV6, IPV6_TCLASS) => self.traffic_class.get().into(),
            (IPPROTO_IPV6, IPV6_DONTFRAG) => self.dont_fragment.get().into(),
            (IPPROTO_IPV6, IPV6_RECVPKTINFO) => wants(want::V6_PKTINFO),
            (IPPROTO_IPV6, IPV6_RECVHOPLIMIT) => wants(want::V6_HOPLIMIT),
            (IPPROTO_IPV6, IPV6_RECVTCLASS) => wants(want::V6_TCLASS),
            (IPPROTO_IPV6, IPV6_MULTICAST_HOPS) => self.multicast_ttl.get().into(),
            (IPPROTO_IPV6, IPV6_MULTICAST_LOOP) => self.multicast_loop.get().into(),
            (IPPROTO_IPV6, IPV6_MULTICAST_IF) => multicast_index,
            _ => return Err(Errno::ENOPROTOOPT),
        };
        Ok(number.to_le_bytes().to_vec())
    }

    fn join(&self, ifp: &'static Ifnet, group: Addr) -> Result<(), Errno> {
        let mut memberships = self.memberships.borrow_mut();
        if memberships.iter().any(|(known, member)| known.index == ifp.index && *member == group) {
            return Err(Errno::EADDRINUSE);
        }
        if memberships.len() >= IP_MAX_MEMBERSHIPS.unsigned_abs() as usize {
            return Err(Errno::ETOOMANYREFS);
        }
        memberships.push((ifp, group));
        drop(memberships);
        multicast::join(ifp, group).inspect_err(|_| {
            self.memberships.borrow_mut().pop();
        })
    }

    fn leave(&self, ifp: &'static Ifnet, group: Addr) -> Result<(), Errno> {
        let mut memberships = self.memberships.borrow_mut();
        let found =
            memberships.iter().position(|(known, member)| known.index == ifp.index && *member == group);
        memberships.swap_remove(found.ok_or(Errno::EADDRNOTAVAIL)?);
        drop(memberships);
        multicast::leave(ifp, group);
        Ok(())
    }

    /// Leaves all groups: the socket goes.
    pub fn leave_all(&self) {
        let all = core::mem::take(&mut *self.memberships.borrow_mut());
        for (ifp, group) in all {
            multicast::leave(ifp, group);
        }
    }

    /// The type of service or traffic class of packets to `dst`.
    #[must_use]
    pub fn tos_to(&self, dst: Addr) -> u8 {
        if dst.is_v4() { self.tos.get() } else { self.traffic_class.get() }
    }

    /// The control messages that the socket wants to have with a packet; `None` if none.
    #[must_use]
    pub fn control_for(&self, so: &Socket, info: &Received) -> Option<Control> {
        let wants = self.wants.get();
        let timestamp = so.option(SO_TIMESTAMP);
        if wants == 0 && !timestamp {
            return None;
        }
        let mut control = Control::default();
        // What finds no memory is left out, like a packet that was lost.
        let mut put = |level: i32, kind: i32, bytes: &[u8]| {
            let _ = control.push(level, kind, bytes);
        };
        let index = u32::from(info.ifp.index);
        if info.dst.is_v4() {
            if wants & want::DSTADDR != 0 {
                put(IPPROTO_IP, IP_RECVDSTADDR, &info.dst.low());
            }
            if wants & want::PKTINFO != 0 {
                let mut bytes = info.dst.low().to_vec();
                bytes.extend_from_slice(&index.to_le_bytes());
                put(IPPROTO_IP, IP_PKTINFO, &bytes);
            }
            if wants & want::IF != 0 {
                put(IPPROTO_IP, IP_RECVIF, &link_bytes(info.ifp));
            }
            if wants & want::TTL != 0 {
                put(IPPROTO_IP, IP_RECVTTL, &[info.ttl]);
            }
        }
        if self.family == Family::V6 {
            if wants & want::V6_PKTINFO != 0 {
                let mut bytes = info.dst.without_zone().0.to_vec();
                bytes.extend_from_slice(&index.to_le_bytes());
                put(IPPROTO_IPV6, IPV6_PKTINFO, &bytes);
            }
            if wants & want::V6_HOPLIMIT != 0 {
                put(IPPROTO_IPV6, IPV6_HOPLIMIT, &i32::from(info.ttl).to_le_bytes());
            }
            if wants & want::V6_TCLASS != 0 {
                put(IPPROTO_IPV6, IPV6_TCLASS, &i32::from(info.tos).to_le_bytes());
            }
        }
        if timestamp {
            let _ = control.push_timestamp();
        }
        (!control.messages.is_empty()).then_some(control)
    }
}

/// What control messages say of one packet that is sent.
#[derive(Clone, Copy, Default)]
pub struct SendOptions {
    /// From which address.
    pub src: Option<Addr>,
    /// Out of which interface.
    pub ifp: Option<&'static Ifnet>,
    /// Time to live.
    pub ttl: Option<u8>,
    /// Type of service.
    pub tos: Option<u8>,
}

impl SendOptions {
    /// Reads the messages that accompany a packet; what is not known is an error, as in NetBSD.
    ///
    /// # Errors
    /// EINVAL, ENXIO.
    pub fn read(control: &Control) -> Result<Self, Errno> {
        let mut options = Self::default();
        for message in &control.messages {
            let rump_net::control::Body::Bytes(bytes) = &message.body else { return Err(Errno::EINVAL) };
            match (message.level, message.kind) {
                (IPPROTO_IP, IP_SENDSRCADDR) => {
                    options.src = Some(Addr::v4(*bytes.first_chunk().ok_or(Errno::EINVAL)?));
                }
                (IPPROTO_IP, IP_PKTINFO) => {
                    let (addr, ifp) = pktinfo_v4(bytes)?;
                    (options.src, options.ifp) = ((!addr.is_unspecified()).then_some(addr), ifp);
                }
                (IPPROTO_IP, IP_TTL) => options.ttl = Some(byte(bytes)?),
                (IPPROTO_IPV6, IPV6_PKTINFO) => {
                    if let Some((addr, ifp)) = pktinfo_v6(bytes)? {
                        (options.src, options.ifp) = ((!addr.is_unspecified()).then_some(addr), ifp);
                    }
                }
                (IPPROTO_IPV6, IPV6_HOPLIMIT) => options.ttl = hops(bytes)?,
                (IPPROTO_IP, IP_TOS) | (IPPROTO_IPV6, IPV6_TCLASS) => options.tos = Some(byte(bytes)?),
                _ => return Err(Errno::EINVAL),
            }
        }
        Ok(options)
    }
}

/// The interface that has this address.
fn interface_of(addr: Addr) -> Result<&'static Ifnet, Errno> {
    // 0.x.y.z says the number of the interface (RFC 1724).
    if let [0, rest @ ..] = addr.low() {
        let index = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]);
        return ifnet::by_index(index as usize).ok_or(Errno::EADDRNOTAVAIL);
    }
    ifnet::owner(addr).map(|(ifp, _)| ifp).ok_or(Errno::EADDRNOTAVAIL)
}

/// Where packets to a group go if nobody says: the way of the routes.
fn interface_to(group: Addr) -> Result<&'static Ifnet, Errno> {
    crate::route::lookup(group).map(|path| path.ifp).map_err(|_| Errno::EADDRNOTAVAIL)
}

/// `struct ip_mreq`.
fn membership_v4(value: &[u8]) -> Result<(&'static Ifnet, Addr), Errno> {
    if value.len() < 8 {
        return Err(Errno::EINVAL);
    }
    let (group, addr) = (Addr::v4(get_array(value, 0)), Addr::v4(get_array(value, 4)));
    if !group.is_multicast() {
        return Err(Errno::EINVAL);
    }
    let ifp = if addr.is_unspecified() { interface_to(group)? } else { interface_of(addr)? };
    Ok((ifp, group))
}

/// `struct ipv6_mreq`.
fn membership_v6(value: &[u8]) -> Result<(&'static Ifnet, Addr), Errno> {
    if value.len() < 20 {
        return Err(Errno::EINVAL);
    }
    let group = Addr(get_array(value, 0));
    if !group.is_multicast() {
        return Err(Errno::EINVAL);
    }
    let index = u32::from_le_bytes(get_array(value, 16));
    let ifp = match interface(index)? {
        Some(ifp) => ifp,
        None => interface_to(group)?,
    };
    Ok((ifp, if group.is_v4() { group } else { group.with_zone(ifp.index) }))
}

/// `struct in_pktinfo`.
fn pktinfo_v4(value: &[u8]) -> Result<(Addr, Option<&'static Ifnet>), Errno> {
    if value.len() < 8 {
        return Err(Errno::EINVAL);
    }
    Ok((Addr::v4(get_array(value, 0)), interface(u32::from_le_bytes(get_array(value, 4)))?))
}

/// `struct in6_pktinfo`; `None` if it says nothing.
fn pktinfo_v6(value: &[u8]) -> Result<Option<(Addr, Option<&'static Ifnet>)>, Errno> {
    if value.len() < 20 {
        return Err(Errno::EINVAL);
    }
    let index = u32::from_le_bytes(get_array(value, 16));
    let addr = scoped(Addr(get_array(value, 0)), index)?;
    let ifp = interface(index)?;
    Ok((!addr.is_unspecified() || ifp.is_some()).then_some((addr, ifp)))
}

//! Interfaces, addresses and routes by sysctl(3): CTL_NET, PF_ROUTE (route(4), net/route.h, net/if.h, rtsock(9)).
//!
//! NET_RT_IFLIST has the messages of NetBSD 8 and later; NET_RT_OIFLIST those of before, which Go's standard library asks for: they differ in what is said of an address.

use alloc::vec::Vec;

use rump_abi::net_if::{IFT_ETHER, IFT_LOOP};
use rump_abi::socket::{
    AF_INET, AF_INET6, AF_ROUTE, NET_RT_DUMP, NET_RT_FLAGS, NET_RT_IFLIST, NET_RT_OIFLIST,
};
use rump_abi::types::IfData;
use rump_hypercall::time::{self, NEVER};
use rump_kern::Errno;
use rump_kern::clock::NS_PER_S;
use rump_kern::copy::bytes_of;

use crate::addr::Addr;
use crate::config;
use crate::ifnet::{self, AddrState, Ifnet};
use crate::neighbor;
use crate::route;
use crate::sockaddr::{IN_LEN, IN6_LEN, in_bytes, in6_bytes, link_bytes};

/// Version of the messages (RTM_VERSION).
const VERSION: u8 = 4;

/// Types of messages.
mod kind {
    pub const GET: u8 = 4;
    pub const ONEWADDR: u8 = 0xc;
    pub const IFINFO: u8 = 0x14;
    pub const NEWADDR: u8 = 0x16;
}

/// Which addresses follow a message, in this order (RTA_).
mod rta {
    pub const DST: u32 = 1;
    pub const GATEWAY: u32 = 2;
    pub const NETMASK: u32 = 4;
    pub const IFP: u32 = 0x10;
    pub const IFA: u32 = 0x20;
    pub const BRD: u32 = 0x80;
}

/// Flags of routes (RTF_).
mod rtf {
    pub const UP: u32 = 1;
    pub const GATEWAY: u32 = 2;
    pub const HOST: u32 = 4;
    pub const DONE: u32 = 0x40;
    pub const CONNECTED: u32 = 0x100;
    pub const LLDATA: u32 = 0x400;
    pub const STATIC: u32 = 0x800;
    pub const LOCAL: u32 = 0x4_0000;
}

/// LINK_STATE_DOWN and LINK_STATE_UP.
const LINK_STATE: [i32; 2] = [1, 2];

/// IN6_IFF_TENTATIVE, IN6_IFF_DUPLICATED, IN6_IFF_DEPRECATED, IN6_IFF_AUTOCONF; IN_IFF_ are the same where there are such.
mod addr_flag {
    pub const TENTATIVE: u32 = 2;
    pub const DUPLICATED: u32 = 4;
    pub const DEPRECATED: u32 = 0x10;
    pub const AUTOCONF: u32 = 0x40;
}

/// `struct if_data` of an interface.
#[must_use]
pub fn if_data(ifp: &Ifnet) -> Vec<u8> {
    let counters = &ifp.counters;
    let data = IfData {
        ifi_type: (if ifp.is_loopback() { IFT_LOOP } else { IFT_ETHER }) as u8,
        ifi_addrlen: if ifp.is_loopback() { 0 } else { 6 },
        ifi_hdrlen: if ifp.is_loopback() { 0 } else { 14 },
        ifi_link_state: LINK_STATE[usize::from(config::link_is_up(ifp))],
        ifi_mtu: ifp.mtu.get() as u64,
        ifi_ipackets: counters.ipackets.get(),
        ifi_ierrors: counters.ierrors.get(),
        ifi_opackets: counters.opackets.get(),
        ifi_oerrors: counters.oerrors.get(),
        ifi_ibytes: counters.ibytes.get(),
        ifi_obytes: counters.obytes.get(),
        ifi_imcasts: counters.imcasts.get(),
        ifi_omcasts: counters.omcasts.get(),
        ifi_iqdrops: counters.iqdrops.get(),
        ifi_noproto: counters.noproto.get(),
        ..IfData::ZERO
    };
    bytes_of(&data).to_vec()
}

fn sockaddr(addr: Addr) -> Vec<u8> {
    if addr.is_v4() { in_bytes(addr.low(), 0).to_vec() } else { in6_bytes(addr, 0).to_vec() }
}

fn netmask(like: Addr, bits: u8) -> Vec<u8> {
    if like.is_v4() {
        in_bytes(crate::ioctl::mask_of(bits).low(), 0).to_vec()
    } else {
        in6_bytes(Addr([0xff; 16]).masked(bits), 0).to_vec()
    }
}

/// Messages, one after the other.
#[derive(Default)]
struct Messages(Vec<u8>);

impl Messages {
    /// Adds a message: its header, into which length, version and type are put, and the addresses, aligned to 8 bytes.
    fn push(&mut self, kind: u8, mut header: Vec<u8>, addrs: &[Vec<u8>]) {
        for addr in addrs {
            header.extend_from_slice(addr);
            header.resize(header.len().next_multiple_of(8), 0);
        }
        let len = header.len() as u16;
        header[..2].copy_from_slice(&len.to_le_bytes());
        (header[2], header[3]) = (VERSION, kind);
        self.0.extend_from_slice(&header);
    }
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn put_index(bytes: &mut [u8], at: usize, ifp: &Ifnet) {
    bytes[at..at + 2].copy_from_slice(&ifp.index.to_le_bytes());
}

/// `struct if_msghdr`.
fn interface(messages: &mut Messages, ifp: &Ifnet) {
    let mut header = alloc::vec![0; 16];
    put(&mut header, 4, rta::IFP);
    put(&mut header, 8, ifp.flags.get());
    put_index(&mut header, 12, ifp);
    header.extend_from_slice(&if_data(ifp));
    messages.push(kind::IFINFO, header, &[link_bytes(ifp)]);
}

/// `struct ifa_msghdr`, or what it was before NetBSD 8.
fn address(messages: &mut Messages, ifp: &Ifnet, own: &ifnet::IfAddr, old: bool) {
    let mut which = rta::NETMASK | rta::IFP | rta::IFA;
    let mut addrs = [netmask(own.addr, own.bits), link_bytes(ifp), sockaddr(own.addr)].to_vec();
    if let Some(broadcast) = own.broadcast() {
        which |= rta::BRD;
        addrs.push(sockaddr(broadcast));
    }
    if old {
        let mut header = alloc::vec![0; 24];
        put(&mut header, 4, which);
        put_index(&mut header, 16, ifp);
        messages.push(kind::ONEWADDR, header, &addrs);
        return;
    }
    let mut header = alloc::vec![0; 32];
    put_index(&mut header, 4, ifp);
    put(&mut header, 12, which);
    let deprecated = own.preferred_ns <= time::monotonic_ns();
    let flags = match own.state {
        AddrState::Tentative { .. } => addr_flag::TENTATIVE,
        AddrState::Duplicate => addr_flag::DUPLICATED,
        AddrState::Valid => 0,
    };
    let flags = flags | if deprecated { addr_flag::DEPRECATED } else { 0 };
    let autoconf = own.autoconf && !own.addr.is_v4();
    put(&mut header, 20, flags | if autoconf { addr_flag::AUTOCONF } else { 0 });
    messages.push(kind::NEWADDR, header, &addrs);
}

fn interfaces(family: i32, index: i32, old: bool) -> Vec<u8> {
    let mut messages = Messages::default();
    for ifp in ifnet::all() {
        if index != 0 && i32::from(ifp.index) != index {
            continue;
        }
        interface(&mut messages, ifp);
        for own in ifp.addrs.borrow().iter().filter(|own| is_of(family, own.addr)) {
            address(&mut messages, ifp, own, old);
        }
    }
    messages.0
}

fn is_of(family: i32, addr: Addr) -> bool {
    family == 0 || family == if addr.is_v4() { AF_INET } else { AF_INET6 }
}

/// `struct rt_msghdr`, with its metrics.
fn route_message(
    messages: &mut Messages,
    ifp: &Ifnet,
    flags: u32,
    mtu: usize,
    expires_ns: u64,
    addrs: &[(u32, Vec<u8>)],
) {
    /// Bytes of the header before the metrics, and with them.
    const METRICS: usize = 40;
    const LEN: usize = METRICS + 80;
    let mut header = alloc::vec![0; LEN];
    put_index(&mut header, 4, ifp);
    put(&mut header, 8, flags | rtf::UP | rtf::DONE);
    put(&mut header, 12, addrs.iter().fold(0, |which, (bit, _)| which | bit));
    header[METRICS + 8..METRICS + 16].copy_from_slice(&(mtu as u64).to_le_bytes());
    if expires_ns != NEVER {
        let at_s =
            (rump_kern::clock::realtime_ns() + expires_ns.saturating_sub(time::monotonic_ns())) / NS_PER_S;
        header[METRICS + 64..METRICS + 72].copy_from_slice(&at_s.to_le_bytes());
    }
    let addrs: Vec<Vec<u8>> = addrs.iter().map(|(_, bytes)| bytes.clone()).collect();
    messages.push(kind::GET, header, &addrs);
}

/// The routes; `with`: only those that have one of these flags, if it is not 0.
fn routes(family: i32, with: u32) -> Vec<u8> {
    let mut messages = Messages::default();
    let wanted = |flags: u32| with == 0 || flags & with != 0;
    for one in route::all().iter().filter(|one| is_of(family, one.dst)) {
        let host = if one.bits == 128 { rtf::HOST } else { 0 };
        let way = if one.gateway.is_some() { rtf::GATEWAY } else { rtf::CONNECTED };
        let flags = host | way | if one.is_static && one.gateway.is_some() { rtf::STATIC } else { 0 };
        if !wanted(flags) {
            continue;
        }
        let gateway = one.gateway.map_or_else(|| link_bytes(one.ifp), sockaddr);
        let mut addrs = [(rta::DST, sockaddr(one.dst)), (rta::GATEWAY, gateway)].to_vec();
        if host == 0 {
            addrs.push((rta::NETMASK, netmask(one.dst, one.bits)));
        }
        route_message(&mut messages, one.ifp, flags, one.ifp.mtu.get(), one.expires_ns, &addrs);
    }
    for ifp in ifnet::all() {
        for own in ifp.addrs.borrow().iter().filter(|own| is_of(family, own.addr)) {
            let flags = rtf::HOST | rtf::LOCAL;
            if wanted(flags) {
                let addrs = [(rta::DST, sockaddr(own.addr)), (rta::GATEWAY, link_bytes(ifp))];
                route_message(&mut messages, ifp, flags, ifp.mtu.get(), own.valid_ns, &addrs);
            }
        }
    }
    let flags = rtf::HOST | rtf::LLDATA;
    for known in neighbor::all().iter().filter(|known| is_of(family, known.addr)) {
        let Some(ifp) = ifnet::by_index(known.index.into()) else { continue };
        if wanted(flags) {
            let [low, high] = known.index.to_le_bytes();
            let mut link =
                [20, rump_abi::socket::AF_LINK as u8, low, high, IFT_ETHER as u8, 0, 6, 0].to_vec();
            link.extend_from_slice(&known.mac);
            link.resize(20, 0);
            let addrs = [(rta::DST, sockaddr(known.addr)), (rta::GATEWAY, link)];
            route_message(&mut messages, ifp, flags, ifp.mtu.get(), NEVER, &addrs);
        }
    }
    messages.0
}

/// Answers below CTL_NET: PF_ROUTE, 0, address family, NET_RT_, argument.
///
/// # Errors
/// ENOENT, EINVAL.
pub fn sysctl(rest: &[i32]) -> Result<Vec<u8>, Errno> {
    let &[AF_ROUTE, _, family, what, argument] = rest else { return Err(Errno::ENOENT) };
    match what {
        NET_RT_IFLIST => Ok(interfaces(family, argument, false)),
        NET_RT_OIFLIST => Ok(interfaces(family, argument, true)),
        NET_RT_DUMP => Ok(routes(family, 0)),
        NET_RT_FLAGS => Ok(routes(family, argument.cast_unsigned())),
        _ => Err(Errno::EINVAL),
    }
}

const _: () = assert!(size_of::<IfData>() == 136 && IN_LEN == 16 && IN6_LEN == 28);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_aligned_and_say_their_length() {
        let mut messages = Messages::default();
        messages.push(
            kind::NEWADDR,
            alloc::vec![0; 32],
            &[in_bytes([1, 2, 3, 4], 0).to_vec(), alloc::vec![20; 20]],
        );
        assert_eq!(messages.0.len(), 32 + 16 + 24);
        assert_eq!(messages.0[..4], [72, 0, 4, 0x16]);
    }

    #[test]
    fn masks() {
        assert_eq!(netmask(Addr::LOOPBACK_V4, 96 + 24)[4..8], [255, 255, 255, 0]);
        assert_eq!(netmask(Addr::LOOPBACK_V4, 96)[4..8], [0; 4]);
        assert_eq!(
            netmask(Addr::LOOPBACK_V6, 64)[8..24],
            [255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]
        );
    }
}

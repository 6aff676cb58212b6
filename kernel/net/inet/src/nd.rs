//! Neighbour discovery (RFC 4861), duplicate address detection and addresses from routers (RFC 4862), name servers from routers (RFC 8106).

use alloc::vec::Vec;

use rump_hypercall::net::{Packet, Slice};
use rump_hypercall::time;
use rump_kern::clock::NS_PER_S;
use rump_kern::{Errno, log};

use crate::addr::Addr;
use crate::ifnet::{self, AddrState, IfAddr, Ifnet};
use crate::input::Received;
use crate::multicast::{self, ALL_NODES, ALL_ROUTERS};
use crate::neighbor::{self, Evidence};
use crate::output::HEADROOM;
use crate::route::{self, Route};
use crate::wire::icmp::{ICMP_LEN, v6};
use crate::wire::{Mac, get_array, get_u16, get_u32};
use crate::{config, icmp, netisr};

/// How long nobody may object to a new address (DupAddrDetectTransmits times RetransTimer).
const DAD_NS: u64 = NS_PER_S;
/// Messages of discovery are sent, and taken, with this hop limit.
const HOP_LIMIT: u8 = 255;
/// Most name servers taken from one advertisement.
const DNS_MAX: usize = 3;

/// Options' types.
mod option {
    pub const SOURCE_MAC: u8 = 1;
    pub const TARGET_MAC: u8 = 2;
    pub const PREFIX: u8 = 3;
    pub const MTU: u8 = 5;
    pub const RDNSS: u8 = 25;
}

/// Flags of an advertisement.
mod flag {
    pub const ROUTER: u8 = 0x80;
    pub const SOLICITED: u8 = 0x40;
    pub const OVERRIDE: u8 = 0x20;
    /// Of a prefix: it is on the link.
    pub const ON_LINK: u8 = 0x80;
    /// Of a prefix: hosts may make addresses of it.
    pub const AUTONOMOUS: u8 = 0x40;
}

/// The options of a message: each with its type and its bytes, which begin with type and length. Ends where one is malformed.
fn options(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    core::iter::from_fn(move || {
        let (&kind, &units) = (bytes.first()?, bytes.get(1)?);
        let len = usize::from(units) * 8;
        if len == 0 || len > bytes.len() {
            return None;
        }
        let (one, rest) = bytes.split_at(len);
        bytes = rest;
        Some((kind, one))
    })
}

fn mac_option(bytes: &[u8], wanted: u8) -> Option<Mac> {
    let found = options(bytes).find(|&(kind, _)| kind == wanted)?;
    let mac: Mac = get_array(found.1, 2);
    (mac[0] & 1 == 0).then_some(mac)
}

/// A message came in, whose checksum, hop limit and code are right.
pub fn input(bytes: &[u8], info: &Received, kind: u8) {
    match kind {
        v6::ROUTER_ADVERT => router_advert(bytes, info),
        v6::NEIGHBOR_SOLICIT => neighbor_solicit(bytes, info),
        _ => neighbor_advert(bytes, info),
    }
}

/// Bytes of a solicitation or advertisement before its options.
const NEIGHBOR_LEN: usize = 24;

fn neighbor_solicit(bytes: &[u8], info: &Received) {
    if bytes.len() < NEIGHBOR_LEN {
        return;
    }
    let ifp = info.ifp;
    let target = Addr(get_array(bytes, 8)).with_zone(ifp.index);
    let Some(own) = ifp.find_addr(target) else { return };
    let probing = info.src.is_unspecified();
    match own.state {
        AddrState::Duplicate => return,
        // Somebody else is about to take the same address, or we hear ourselves: the link does not repeat what we send.
        AddrState::Tentative { .. } => {
            if probing {
                duplicate(ifp, target);
            }
            return;
        }
        AddrState::Valid => {}
    }
    if probing {
        advertise(ifp, target, ALL_NODES.with_zone(ifp.index), flag::OVERRIDE);
        return;
    }
    if let Some(mac) = mac_option(&bytes[NEIGHBOR_LEN..], option::SOURCE_MAC) {
        neighbor::learn(ifp, info.src, mac, Evidence::Heard, true);
    }
    advertise(ifp, target, info.src, flag::SOLICITED | flag::OVERRIDE);
}

fn neighbor_advert(bytes: &[u8], info: &Received) {
    if bytes.len() < NEIGHBOR_LEN {
        return;
    }
    let ifp = info.ifp;
    let flags = bytes[4];
    let target = Addr(get_array(bytes, 8)).with_zone(ifp.index);
    if let Some(own) = ifp.find_addr(target) {
        if matches!(own.state, AddrState::Tentative { .. }) {
            duplicate(ifp, target);
        }
        return;
    }
    let solicited = flags & flag::SOLICITED != 0 && info.cast == crate::input::Cast::Unicast;
    if let Some(mac) = mac_option(&bytes[NEIGHBOR_LEN..], option::TARGET_MAC) {
        let evidence = if solicited { Evidence::Answered } else { Evidence::Heard };
        neighbor::learn(ifp, target, mac, evidence, false);
    } else if solicited {
        neighbor::confirm(ifp, target);
    }
    let is_router = flags & flag::ROUTER != 0;
    if neighbor::set_router(ifp, target, is_router) == Some(true) && !is_router {
        // It no longer is one (RFC 4861, 7.2.5).
        route::remove(|route| route.gateway == Some(target));
    }
}

fn duplicate(ifp: &'static Ifnet, addr: Addr) {
    if let Some(mut own) = ifp.find_addr(addr) {
        own.state = AddrState::Duplicate;
        ifp.put_addr(own);
        route::changed();
        log!("rumpbake: {}: another host has the address {addr}; it is not used", ifp.name());
    }
}

/// A message of header, four more bytes, target and the option with our hardware address.
fn message(kind: u8, word: [u8; 4], target: Option<Addr>, mac: Option<(u8, Mac)>) -> Option<Packet> {
    let mut bytes = Vec::with_capacity(NEIGHBOR_LEN + 8);
    bytes.extend_from_slice(&[kind, 0, 0, 0]);
    bytes.extend_from_slice(&word);
    if let Some(target) = target {
        bytes.extend_from_slice(&target.without_zone().0);
    }
    if let Some((option, mac)) = mac {
        bytes.extend_from_slice(&[option, 1]);
        bytes.extend_from_slice(&mac);
    }
    Slice::from_bytes(&bytes, HEADROOM).map(Packet::new)
}

fn advertise(ifp: &'static Ifnet, target: Addr, dst: Addr, flags: u8) {
    let mac = ifp.mac().map(|mac| (option::TARGET_MAC, mac));
    if let Some(packet) = message(v6::NEIGHBOR_ADVERT, [flags, 0, 0, 0], Some(target), mac) {
        icmp::send(packet, target, dst, 0, Some(HOP_LIMIT));
    }
}

/// Asks for a neighbour's hardware address, all who could be it or the one that is believed to be.
///
/// # Errors
/// ENOBUFS, EADDRNOTAVAIL if the interface has no address to ask from.
pub fn solicit(ifp: &'static Ifnet, addr: Addr, believed: Option<Mac>) -> Result<(), Errno> {
    let src = {
        let addrs = ifp.addrs.borrow();
        let usable = || addrs.iter().filter(|own| !own.addr.is_v4() && own.is_usable());
        let fitting = usable().find(|own| own.addr.is_link_local() == addr.is_link_local());
        fitting.or_else(|| usable().next()).map(|own| own.addr)
    };
    let src = src.ok_or(Errno::EADDRNOTAVAIL)?;
    let mac = ifp.mac().map(|mac| (option::SOURCE_MAC, mac));
    let packet = message(v6::NEIGHBOR_SOLICIT, [0; 4], Some(addr), mac).ok_or(Errno::ENOBUFS)?;
    // A unicast question finds its way by the same entry that it is about.
    let group = addr.solicited_node().with_zone(ifp.index);
    let dst = if believed.is_some() { addr } else { group };
    icmp::send(packet, src, dst, 0, Some(HOP_LIMIT));
    Ok(())
}

/// Gives the interface an IPv6 address, to be used once nobody has objected.
pub fn add_addr(ifp: &'static Ifnet, mut addr: IfAddr) {
    let until_ns = time::monotonic_ns() + DAD_NS;
    addr.state = AddrState::Tentative { until_ns };
    if !ifp.put_addr(addr) {
        return;
    }
    multicast::report_solicited(ifp, addr.addr);
    if let Some(packet) = message(v6::NEIGHBOR_SOLICIT, [0; 4], Some(addr.addr), None) {
        let group = addr.addr.solicited_node().with_zone(ifp.index);
        icmp::send(packet, Addr::UNSPECIFIED_V6, group, 0, Some(HOP_LIMIT));
    }
    netisr::wake_by(until_ns);
}

/// The interface's identifier in addresses: its hardware address as RFC 4291's appendix A has it.
#[must_use]
pub fn with_interface_id(prefix: Addr, mac: Mac) -> Addr {
    let mut addr = prefix.masked(64);
    let [a, b, c, d, e, f] = mac;
    addr.0[8..].copy_from_slice(&[a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    addr
}

/// Asks routers to advertise themselves.
pub fn router_solicit(ifp: &'static Ifnet) {
    let own = ifp.link_local().filter(IfAddr::is_usable);
    let mac = ifp.mac().filter(|_| own.is_some()).map(|mac| (option::SOURCE_MAC, mac));
    let src = own.map_or(Addr::UNSPECIFIED_V6, |own| own.addr);
    if let Some(packet) = message(v6::ROUTER_SOLICIT, [0; 4], None, mac) {
        icmp::send(packet, src, ALL_ROUTERS.with_zone(ifp.index), 0, Some(HOP_LIMIT));
    }
}

/// A lifetime in seconds as a point in time; all ones is for ever.
fn after(now_ns: u64, seconds: u32) -> u64 {
    if seconds == u32::MAX { time::NEVER } else { now_ns + u64::from(seconds) * NS_PER_S }
}

fn router_advert(bytes: &[u8], info: &Received) {
    /// Bytes before the options.
    const LEN: usize = 16;
    let ifp = info.ifp;
    if bytes.len() < LEN || !info.src.is_link_local() || !config::takes_advertisements(ifp) {
        return;
    }
    let now_ns = time::monotonic_ns();
    let rest = &bytes[LEN..];
    if let Some(mac) = mac_option(rest, option::SOURCE_MAC) {
        neighbor::learn(ifp, info.src, mac, Evidence::Heard, true);
        let _ = neighbor::set_router(ifp, info.src, true);
    }
    let lifetime_s = get_u16(bytes, 6);
    let is_ours = |route: &Route| route.gateway == Some(info.src) && !route.is_static;
    if lifetime_s == 0 {
        route::remove(is_ours);
    } else {
        // If there are too many routes already, those do.
        let _ = route::add(Route {
            dst: Addr::UNSPECIFIED_V6,
            bits: 0,
            gateway: Some(info.src),
            ifp,
            is_static: false,
            expires_ns: after(now_ns, lifetime_s.into()),
        });
    }
    let mut servers = Vec::new();
    for (kind, one) in options(rest) {
        match kind {
            option::PREFIX if one.len() >= 32 => prefix(ifp, one, now_ns),
            option::MTU => {
                let mtu = get_u32(one, 4) as usize;
                if (route::PATH_MTU_MIN_V6..=ifp.mtu.get()).contains(&mtu) {
                    ifp.mtu.set(mtu);
                    route::changed();
                }
            }
            option::RDNSS if one.len() >= 24 && get_u32(one, 4) != 0 => {
                let addrs = one[8..].as_chunks::<16>().0.iter().map(|addr| Addr(*addr).with_zone(ifp.index));
                servers.extend(addrs.take(DNS_MAX.saturating_sub(servers.len())));
            }
            _ => {}
        }
    }
    if !servers.is_empty() {
        config::set_dns(ifp, config::Source::Router, servers);
    }
    config::router_found(ifp);
    wake_for_expiry(ifp);
}

/// A prefix that a router advertises.
fn prefix(ifp: &'static Ifnet, option: &[u8], now_ns: u64) {
    const TWO_HOURS_NS: u64 = 7200 * NS_PER_S;
    let (bits, flags) = (option[2], option[3]);
    let (valid_s, preferred_s) = (get_u32(option, 4), get_u32(option, 8));
    let addr = Addr(get_array(option, 16));
    if addr.is_v4() || addr.is_link_local() || addr.is_multicast() || bits > 128 || preferred_s > valid_s {
        return;
    }
    let (valid_ns, preferred_ns) = (after(now_ns, valid_s), after(now_ns, preferred_s));
    if flags & flag::ON_LINK != 0 {
        let prefix = addr.masked(bits);
        if valid_s == 0 {
            route::remove(|route| route.dst == prefix && route.bits == bits && !route.is_static);
        } else {
            let _ = route::add(Route {
                dst: prefix,
                bits,
                gateway: None,
                ifp,
                is_static: false,
                expires_ns: valid_ns,
            });
        }
    }
    let Some(mac) = ifp.mac() else { return };
    if flags & flag::AUTONOMOUS == 0 || bits != 64 {
        return;
    }
    let own = with_interface_id(addr, mac);
    if let Some(mut known) = ifp.find_addr(own) {
        if !known.autoconf {
            return;
        }
        known.preferred_ns = preferred_ns;
        // Nobody on the link can make an address go at once (RFC 4862, 5.5.3 e).
        let floor_ns = known.valid_ns.min(now_ns + TWO_HOURS_NS);
        known.valid_ns = valid_ns.max(floor_ns);
        ifp.put_addr(known);
    } else if valid_s > 0 {
        let fresh = IfAddr { valid_ns, preferred_ns, autoconf: true, ..IfAddr::permanent(own, 64) };
        add_addr(ifp, fresh);
    }
}

/// The timers run when the first thing that a router has said expires.
fn wake_for_expiry(ifp: &Ifnet) {
    let addrs = ifp.addrs.borrow();
    let first_ns = addrs.iter().map(|own| own.valid_ns).min().unwrap_or(time::NEVER);
    drop(addrs);
    netisr::wake_by(first_ns.min(route::next_expiry()));
}

/// Takes addresses into use and out of it; returns when there is something to do next.
pub fn timer(now_ns: u64) -> u64 {
    let mut next_ns = time::NEVER;
    let mut changed = false;
    for ifp in ifnet::all() {
        ifp.addrs.borrow_mut().retain_mut(|own| {
            if let AddrState::Tentative { until_ns } = own.state {
                if until_ns <= now_ns {
                    own.state = AddrState::Valid;
                    changed = true;
                } else {
                    next_ns = next_ns.min(until_ns);
                }
            }
            next_ns = next_ns.min(own.valid_ns);
            let keep = own.valid_ns > now_ns;
            changed |= !keep;
            keep
        });
    }
    if changed {
        route::changed();
        config::addresses_changed();
    }
    next_ns
}

const _: () = assert!(NEIGHBOR_LEN == ICMP_LEN + 16);

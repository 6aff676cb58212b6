//! How interfaces come by their addresses: what the configuration says, DHCP, routers; and what the program finds of it in /etc.
//!
//! Nothing here delays the start of the program, unless `net.required` says so: DHCP goes on in the background, and only who opens /etc/resolv.conf or
//! sends to where no route leads yet is kept waiting ([`wait_for`]), for [`WAIT_NS`] after boot at most.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::IpAddr;

use rump_config::{Interface as Said, Net};
use rump_hypercall::boot::{self, Exit};
use rump_hypercall::net::{self, Packet};
use rump_hypercall::sync::CondVar;
use rump_hypercall::{Giant, time};
use rump_kern::clock::NS_PER_S;
use rump_kern::{Errno, etc, init_main, log, sleep_sig};

use crate::addr::Addr;
use crate::dhcp::{Change, Client, Lease};
use crate::ifnet::{self, AddrState, IfAddr, Ifnet, Kind, LOOPBACK_MTU, Offloads};
use crate::route::{self, Route};
use crate::wire::UDP_LEN;
use crate::{arp, nd, neighbor, netisr, sntp};

/// How long after boot programs wait for addresses that are being asked for.
const WAIT_NS: u64 = 10 * NS_PER_S;
/// How long the start of the program waits where `net.required` is set.
const REQUIRED_NS: u64 = 30 * NS_PER_S;
/// Bits that an IPv4 prefix has before it.
const V4_BITS: u8 = 96;
/// The largest packet that an interface cuts itself, IP header included.
const TSO_MAX: usize = 65_535 - 15;
/// Solicitations that routers get (MAX_RTR_SOLICITATIONS).
const SOLICITATIONS: u8 = 3;
/// Between two of them (RTR_SOLICITATION_INTERVAL).
const SOLICITATION_NS: u64 = 4 * NS_PER_S;
/// How long after the first one programs wait for a router (MAX_RA_DELAY_TIME, and the way).
const ROUTER_NS: u64 = NS_PER_S;
/// Name servers that resolv.conf names (MAXNS).
const DNS_MAX: usize = 3;

/// Who has said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The configuration.
    Configured,
    /// A DHCP server.
    Dhcp,
    /// A router's advertisement.
    Router,
}

struct Interface {
    ifp: &'static Ifnet,
    dhcp: Option<Client>,
    link_up: bool,
    /// Solicitations that are to be sent, and when the next one.
    solicitations: u8,
    solicit_ns: u64,
    /// Until when a router's first word is waited for.
    router_ns: u64,
    dns: Vec<(Source, Vec<Addr>)>,
    domain: Option<Vec<u8>>,
}

struct State {
    interfaces: Vec<Interface>,
    /// Component net_inet6 is in the image.
    has_v6: bool,
    /// What was written last.
    resolv_conf: String,
    hosts: String,
}

static STATE: Giant<State> = Giant::new(State {
    interfaces: Vec::new(),
    has_v6: false,
    resolv_conf: String::new(),
    hosts: String::new(),
});

/// Woken when an address or a name server has come.
static CHANGED: CondVar = CondVar::new();

fn said() -> Net {
    init_main::config().map(|config| config.net.clone()).unwrap_or_default()
}

fn said_of(net: &Net, ifp: &Ifnet) -> Option<Said> {
    net.interfaces.iter().flatten().find(|said| said.name == ifp.name()).cloned()
}

fn addr_of(addr: IpAddr) -> Addr {
    match addr {
        IpAddr::V4(v4) => Addr::v4(v4.octets()),
        IpAddr::V6(v6) => Addr(v6.octets()),
    }
}

/// Makes lo0, and an interface for each device of the platform; names count per driver, as in NetBSD.
fn attach() {
    let everything = Offloads { tx_checksum: true, tso4_max: TSO_MAX, tso6_max: TSO_MAX };
    let lo0 = Ifnet::attach("lo0", Kind::Loopback, LOOPBACK_MTU, everything);
    lo0.put_addr(IfAddr::permanent(Addr::LOOPBACK_V4, V4_BITS + 8));
    for device in 0..net::count() {
        let info = net::info(device);
        let unit = (0..device).filter(|&other| net::info(other).name == info.name).count();
        let mut name = String::from(info.name);
        // Writing to a String does not fail.
        let _ = write!(name, "{unit}");
        let offloads = Offloads {
            tx_checksum: info.tx_checksum,
            tso4_max: if info.tso4 { TSO_MAX } else { 0 },
            tso6_max: if info.tso6 { TSO_MAX } else { 0 },
        };
        let kind = Kind::Ethernet { device, mac: info.mac };
        let ifp = Ifnet::attach(&name, kind, info.mtu.into(), offloads);
        STATE.borrow_mut().interfaces.push(Interface {
            ifp,
            dhcp: None,
            link_up: info.link_up,
            solicitations: 0,
            solicit_ns: time::NEVER,
            router_ns: 0,
            dns: Vec::new(),
            domain: None,
        });
    }
}

fn check_names(net: &Net) {
    for said in net.interfaces.iter().flatten() {
        if ifnet::by_name(&said.name).is_none() {
            let names: Vec<&str> = ifnet::all().iter().map(|ifp| ifp.name()).collect();
            log!(
                "rumpbake: the configuration names the interface {}, which this machine has not; it has {}",
                said.name,
                names.join(", ")
            );
        }
    }
}

/// Gives an interface an address of its own and the route to its network.
pub fn add_addr(ifp: &'static Ifnet, addr: IfAddr) -> Result<(), Errno> {
    if addr.addr.is_v4() {
        if !ifp.put_addr(addr) {
            return Err(Errno::ENOBUFS);
        }
    } else {
        nd::add_addr(ifp, addr);
    }
    route::changed();
    if addr.addr.is_link_local() && !addr.addr.is_v4() {
        return Ok(());
    }
    route::add(Route {
        dst: addr.addr,
        bits: addr.bits,
        gateway: None,
        ifp,
        is_static: true,
        expires_ns: time::NEVER,
    })
}

/// Takes an address away, and the routes that came with it.
pub fn remove_addr(ifp: &'static Ifnet, addr: Addr) -> bool {
    let Some(own) = ifp.find_addr(addr) else { return false };
    ifp.addrs.borrow_mut().retain(|known| known.addr != addr);
    let network = own.addr.masked(own.bits);
    route::remove(|route| {
        let of_network = route.gateway.is_none() && route.dst == network && route.bits == own.bits;
        let behind = route.gateway.is_some_and(|gateway| gateway.matches(network, own.bits));
        route.ifp.index == ifp.index && (of_network || behind)
    });
    route::changed();
    true
}

fn add_gateway(ifp: &'static Ifnet, gateway: Addr) {
    let (dst, bits) =
        if gateway.is_v4() { (Addr::UNSPECIFIED_V4, V4_BITS) } else { (Addr::UNSPECIFIED_V6, 0) };
    let gateway = Some(gateway.with_zone(ifp.index));
    // There are not so many configured routes that one had no place.
    let _ = route::add(Route { dst, bits, gateway, ifp, is_static: true, expires_ns: time::NEVER });
}

/// Applies what the configuration says of one family.
fn apply(ifp: &'static Ifnet, said: &Said, v4: bool) {
    for cidr in said.addresses.iter().filter(|cidr| cidr.addr.is_ipv4() == v4) {
        let bits = cidr.bits + if v4 { V4_BITS } else { 0 };
        let addr = addr_of(cidr.addr).with_zone(ifp.index);
        if add_addr(ifp, IfAddr::permanent(addr, bits)).is_err() {
            log!("rumpbake: {}: too many addresses; {cidr} is left out", ifp.name());
        }
    }
    for gateway in said.gateways.iter().filter(|gateway| gateway.is_ipv4() == v4) {
        add_gateway(ifp, addr_of(*gateway));
    }
}

/// Component net_inet begins.
pub fn begin() {
    set_up();
    etc::set_awaiter(await_file);
    netisr::start();
    netisr::flush();
}

/// Makes the interfaces and begins to give them addresses.
fn set_up() {
    attach();
    let net = said();
    check_names(&net);
    let hostname = init_main::config().and_then(|config| config.hostname.clone()).unwrap_or_default();
    for ifp in ifnet::all() {
        if ifp.is_loopback() {
            continue;
        }
        let said = said_of(&net, ifp).unwrap_or_default();
        if let Some(mtu) = said.mtu {
            ifp.mtu.set((mtu as usize).min(ifp.mtu.get()));
        }
        apply(ifp, &said, true);
        let dns: Vec<Addr> = said.dns.iter().map(|addr| addr_of(*addr).with_zone(ifp.index)).collect();
        if !dns.is_empty() {
            set_dns(ifp, Source::Configured, dns);
        }
        let has_v4 = said.addresses.iter().any(|cidr| cidr.addr.is_ipv4());
        if said.dhcp.unwrap_or(!has_v4) {
            let client = Client::new(ifp, hostname.as_bytes());
            if let Some(client) = &client {
                netisr::wake_by(client.deadline_ns());
            }
            with(ifp, |interface| interface.dhcp = client);
        }
    }
    write_hosts();
    if let Some(server) = net.sntp {
        sntp::begin(addr_of(server));
    }
}

/// Component net_inet6 begins.
pub fn begin6() {
    STATE.borrow_mut().has_v6 = true;
    if let Some(lo0) = ifnet::loopback() {
        lo0.put_addr(IfAddr::permanent(Addr::LOOPBACK_V6, 128));
        // NetBSD's loopback interface has one of this scope, too.
        let link_local = Addr([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        lo0.put_addr(IfAddr::permanent(link_local.with_zone(lo0.index), 64));
    }
    let net = said();
    for ifp in ifnet::all() {
        let Some(mac) = ifp.mac() else { continue };
        let link_local = Addr([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let addr = nd::with_interface_id(link_local, mac).with_zone(ifp.index);
        nd::add_addr(ifp, IfAddr::permanent(addr, 64));
        if let Some(said) = said_of(&net, ifp) {
            apply(ifp, &said, false);
        }
        solicit_routers(ifp);
    }
    write_hosts();
    netisr::flush();
}

/// Waits for an address where the configuration wants that; ends the image if none comes.
pub fn require() {
    if said().required != Some(true) {
        return;
    }
    let deadline_ns = time::monotonic_ns() + REQUIRED_NS;
    while !has_address() {
        if time::monotonic_ns() >= deadline_ns || STATE.borrow().interfaces.is_empty() {
            log!(
                "rumpbake: the program needs the network (net.required), and no interface has got an address"
            );
            boot::exit(Exit::Exited(127));
        }
        CHANGED.wait_until(deadline_ns);
    }
}

fn has_address() -> bool {
    ifnet::all().iter().any(|ifp| {
        let addrs = ifp.addrs.borrow();
        !ifp.is_loopback()
            && addrs.iter().any(|own| own.is_usable() && (own.addr.is_v4() || !own.addr.is_link_local()))
    })
}

/// Whether component net_inet6 is in the image.
#[must_use]
pub fn has_v6() -> bool {
    STATE.borrow().has_v6
}

fn with<T>(ifp: &Ifnet, f: impl FnOnce(&mut Interface) -> T) -> Option<T> {
    let mut state = STATE.borrow_mut();
    state.interfaces.iter_mut().find(|interface| interface.ifp.index == ifp.index).map(f)
}

fn solicit_routers(ifp: &'static Ifnet) {
    let now_ns = time::monotonic_ns();
    with(ifp, |interface| {
        interface.solicitations = SOLICITATIONS - 1;
        interface.solicit_ns = now_ns + SOLICITATION_NS;
        interface.router_ns = now_ns + ROUTER_NS;
    });
    netisr::wake_by(now_ns + SOLICITATION_NS);
    nd::router_solicit(ifp);
}

/// Whether routers may tell this interface how to reach the world.
#[must_use]
pub fn takes_advertisements(ifp: &Ifnet) -> bool {
    has_v6() && !ifp.is_loopback()
}

/// A router has advertised itself: no more questions.
pub fn router_found(ifp: &Ifnet) {
    with(ifp, |interface| {
        (interface.solicitations, interface.solicit_ns, interface.router_ns) = (0, time::NEVER, 0);
    });
    addresses_changed();
}

/// Addresses or routes have changed in a way for which somebody may be waiting.
pub fn addresses_changed() {
    write_hosts();
    CHANGED.broadcast();
}

/// The name servers that `source` has told this interface of.
pub fn set_dns(ifp: &Ifnet, source: Source, servers: Vec<Addr>) {
    with(ifp, |interface| {
        interface.dns.retain(|(known, _)| *known != source);
        if !servers.is_empty() {
            interface.dns.push((source, servers));
            interface.dns.sort_by_key(|(source, _)| *source);
        }
    });
    write_resolv_conf();
    CHANGED.broadcast();
}

/// Whether a name server is known.
fn has_dns() -> bool {
    STATE.borrow().interfaces.iter().any(|interface| !interface.dns.is_empty())
}

/// Until when an address or a route of this family may yet come, or an address be found to be nobody else's; 0 if nothing is to be expected.
fn pending_until(v4: bool) -> u64 {
    let of = |interface: &Interface| {
        let waits = if v4 {
            interface.dhcp.as_ref().is_some_and(|client| !client.has_lease())
        } else {
            let addrs = interface.ifp.addrs.borrow();
            addrs.iter().any(|own| matches!(own.state, AddrState::Tentative { .. }))
        };
        match (waits, v4) {
            (true, _) => WAIT_NS,
            (false, true) => 0,
            (false, false) => interface.router_ns,
        }
    };
    STATE.borrow().interfaces.iter().map(of).max().unwrap_or(0)
}

/// Waits until `done`, or nothing more is to be expected. For an LWP in a system call.
///
/// # Errors
/// EINTR, ERESTART.
fn wait_until(v4: bool, done: impl Fn() -> bool) -> Result<(), Errno> {
    while !done() {
        let until_ns = pending_until(v4).min(WAIT_NS);
        if time::monotonic_ns() >= until_ns {
            break;
        }
        if netisr::poll() {
            continue;
        }
        match sleep_sig(&CHANGED, until_ns) {
            Ok(()) | Err(Errno::EWOULDBLOCK) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Waits for a route to `dst` while one may yet come. For an LWP in a system call that may sleep.
///
/// # Errors
/// EINTR, ERESTART.
#[inline]
pub fn wait_for(dst: Addr) -> Result<(), Errno> {
    if route_is_final(dst) {
        return Ok(());
    }
    wait_until(dst.is_v4(), || route_is_final(dst))
}

/// Whether there is a way, and an address to send from that reaches as far: a broadcast or multicast address has a way before there is one, and the
/// link-local address is there before others.
fn route_is_final(dst: Addr) -> bool {
    let source = route::lookup(dst).and_then(|path| route::source(dst, &path));
    source.is_ok_and(|source| dst.is_v4() || dst.has_zone() || !source.is_link_local())
}

fn await_file(path: &[u8]) {
    if path == b"/etc/resolv.conf" {
        // Who is interrupted opens what is there.
        let _ = wait_until(true, has_dns);
    }
}

fn write_resolv_conf() {
    let mut text = String::new();
    {
        let state = STATE.borrow();
        if let Some(domain) = state.interfaces.iter().find_map(|interface| interface.domain.as_ref()) {
            let _ = writeln!(text, "search {}", String::from_utf8_lossy(domain));
        }
        let servers = state.interfaces.iter().flat_map(|interface| {
            let servers = interface.dns.iter().flat_map(|(_, servers)| servers);
            servers.map(|server| (interface.ifp, *server))
        });
        let mut known = Vec::new();
        for (ifp, server) in servers {
            if known.len() < DNS_MAX && !known.contains(&server) {
                known.push(server);
                let zone = if server.has_zone() { ["%", ifp.name()].concat() } else { String::new() };
                let _ = writeln!(text, "nameserver {server}{zone}");
            }
        }
        if state.resolv_conf == text {
            return;
        }
    }
    etc::provide("/etc/resolv.conf", text.as_bytes());
    STATE.borrow_mut().resolv_conf = text;
}

fn write_hosts() {
    let mut text = String::from("127.0.0.1\tlocalhost\n");
    if has_v6() {
        text.push_str("::1\tlocalhost\n");
    }
    if let Some(hostname) = init_main::config().and_then(|config| config.hostname.as_deref()) {
        let first = ifnet::all().iter().filter(|ifp| !ifp.is_loopback()).find_map(|ifp| ifp.first_v4());
        let addr = first.map_or(Addr::LOOPBACK_V4, |own| own.addr);
        let _ = writeln!(text, "{addr}\t{hostname}");
    }
    if STATE.borrow().hosts != text {
        etc::provide("/etc/hosts", text.as_bytes());
        STATE.borrow_mut().hosts = text;
    }
}

/// A UDP packet came in on the DHCP client's port: `packet` begins with the UDP header. False if no client runs on the interface.
pub fn dhcp_input(ifp: &'static Ifnet, packet: &Packet) -> bool {
    let mut bytes = packet.to_vec();
    if bytes.len() < UDP_LEN {
        return true;
    }
    let message = bytes.split_off(UDP_LEN);
    let now_ns = time::monotonic_ns();
    let change = with(ifp, |interface| {
        let client = interface.dhcp.as_mut()?;
        let change = client.input(&message, now_ns);
        Some((change, client.deadline_ns()))
    });
    let Some(Some((change, deadline_ns))) = change else { return false };
    netisr::wake_by(deadline_ns);
    if let Some(change) = change {
        lease_changed(ifp, change);
    }
    true
}

fn lease_changed(ifp: &'static Ifnet, change: Change) {
    match change {
        Change::Bound(lease, ends_ns) => bound(ifp, &lease, ends_ns),
        Change::Lost(lease) => {
            remove_addr(ifp, lease.addr);
            with(ifp, |interface| interface.domain = None);
            set_dns(ifp, Source::Dhcp, Vec::new());
        }
    }
    addresses_changed();
}

fn bound(ifp: &'static Ifnet, lease: &Lease, ends_ns: u64) {
    let is_new = ifp.find_addr(lease.addr).is_none();
    let old: Vec<Addr> = {
        let addrs = ifp.addrs.borrow();
        let leased = addrs.iter().filter(|own| own.autoconf && own.addr.is_v4() && own.addr != lease.addr);
        leased.map(|own| own.addr).collect()
    };
    for addr in old {
        remove_addr(ifp, addr);
    }
    let own = IfAddr {
        valid_ns: ends_ns,
        preferred_ns: ends_ns,
        autoconf: true,
        ..IfAddr::permanent(lease.addr, V4_BITS + lease.bits)
    };
    if add_addr(ifp, own).is_err() {
        log!("rumpbake: {}: no room for the address {}", ifp.name(), lease.addr);
        return;
    }
    if let Some(mtu) = lease.mtu.map(usize::from)
        && (576..=ifp.mtu.get()).contains(&mtu)
    {
        ifp.mtu.set(mtu);
    }
    for &(dst, bits, gateway) in &lease.routes {
        let gateway = (!gateway.is_unspecified()).then_some(gateway);
        let bits = V4_BITS + bits;
        // A server that gives more routes than there is room for cannot expect that all are used.
        let _ = route::add(Route { dst, bits, gateway, ifp, is_static: false, expires_ns: ends_ns });
    }
    with(ifp, |interface| interface.domain.clone_from(&lease.domain));
    set_dns(ifp, Source::Dhcp, lease.dns.clone());
    if is_new {
        let _ = arp::announce(ifp, lease.addr);
    }
}

/// The device says whether a cable is plugged in; where one was, the network may be another.
pub fn link_changed(ifp: &'static Ifnet, link_up: bool) {
    let came = with(ifp, |interface| !core::mem::replace(&mut interface.link_up, link_up) && link_up);
    if came == Some(true) {
        neighbor::forget(ifp);
        let hostname = init_main::config().and_then(|config| config.hostname.clone()).unwrap_or_default();
        let asks = with(ifp, |interface| interface.dhcp.as_ref().is_some_and(|client| !client.has_lease()));
        if asks == Some(true) {
            let client = Client::new(ifp, hostname.as_bytes());
            with(ifp, |interface| interface.dhcp = client);
        }
        if has_v6() {
            solicit_routers(ifp);
        }
        netisr::wake();
    }
}

/// Whether the device says that a cable is plugged in.
#[must_use]
pub fn link_is_up(ifp: &Ifnet) -> bool {
    ifp.is_loopback() || with(ifp, |interface| interface.link_up) == Some(true)
}

/// Asks again; returns when there is something to do next.
pub fn timer(now_ns: u64) -> u64 {
    let mut next_ns = time::NEVER;
    let interfaces: Vec<&'static Ifnet> =
        STATE.borrow().interfaces.iter().map(|interface| interface.ifp).collect();
    for ifp in interfaces {
        let (change, solicit) = with(ifp, |interface| {
            let change = interface.dhcp.as_mut().and_then(|client| client.timer(now_ns));
            let solicit = interface.solicit_ns <= now_ns;
            if solicit {
                interface.solicitations = interface.solicitations.saturating_sub(1);
                let more = interface.solicitations > 0;
                interface.solicit_ns = if more { now_ns + SOLICITATION_NS } else { time::NEVER };
            }
            (change, solicit)
        })
        .unwrap_or_default();
        if solicit {
            nd::router_solicit(ifp);
        }
        if let Some(change) = change {
            lease_changed(ifp, change);
        }
        let deadline_ns = with(ifp, |interface| {
            let dhcp_ns = interface.dhcp.as_ref().map_or(time::NEVER, Client::deadline_ns);
            dhcp_ns.min(interface.solicit_ns)
        });
        next_ns = next_ns.min(deadline_ns.unwrap_or(time::NEVER));
    }
    next_ns
}

/// Takes everything away, for the next test.
#[cfg(test)]
pub(crate) fn reset() {
    *STATE.borrow_mut() =
        State { interfaces: Vec::new(), has_v6: false, resolv_conf: String::new(), hosts: String::new() };
}

/// Routers are listened to.
#[cfg(test)]
pub(crate) fn begin6_for_tests() {
    STATE.borrow_mut().has_v6 = true;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{THEIRS, frame, from_nothing, ipv6, their_link_local, udp};
    use crate::wire::icmp::v6;
    use crate::wire::{ETHER_LEN, ETHERTYPE_IPV4, Ipv4Header, get_u16, proto};

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
            assert!(
                kinds.contains(&v6::NEIGHBOR_SOLICIT) && kinds.contains(&v6::ROUTER_SOLICIT),
                "{kinds:?}"
            );
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
}

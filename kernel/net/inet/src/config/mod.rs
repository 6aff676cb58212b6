//! How interfaces come by their addresses: what the configuration says, DHCP, routers; and what the program finds of it in /etc.
//!
//! Nothing here delays the start of the program, unless `net.required` says so: DHCP goes on in the background, and only who opens /etc/resolv.conf or
//! sends to where no route leads yet is kept waiting ([`wait_for`]), for ten seconds after boot at most.

mod files;
mod lease;
#[cfg(test)]
mod tests;
mod wait;

pub use lease::dhcp_input;
pub use wait::{require, wait_for};

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::IpAddr;

use rump_config::{Interface as Said, Net};
use rump_hypercall::net;
use rump_hypercall::sync::CondVar;
use rump_hypercall::{Giant, time};
use rump_kern::clock::NS_PER_S;
use rump_kern::{Errno, etc, init_main, log};

use crate::addr::Addr;
use crate::dhcp::Client;
use crate::ifnet::{self, IfAddr, Ifnet, Kind, LOOPBACK_MTU, Offloads};
use crate::route::{self, Route};
use crate::{nd, neighbor, netisr, sntp};

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
    etc::set_awaiter(wait::await_file);
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
    files::write_hosts();
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
    files::write_hosts();
    netisr::flush();
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
    files::write_hosts();
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
    files::write_resolv_conf();
    CHANGED.broadcast();
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
            lease::lease_changed(ifp, change);
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

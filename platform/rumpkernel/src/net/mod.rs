//! Component rumpnet: gives the rump kernel's interfaces the addresses that the configuration's key `net` says, or a DHCP server, as layer 1 does for its own.
//!
//! Card N is `virtN`. Addresses come before the program starts, since nobody waits for them later: DHCP goes over the card itself, before the rump kernel gets it
//! ([`dhcp`]), then the interface is made and set by the rump kernel's own system calls ([`ifconfig`]). A lease is taken once and not renewed. An
//! interface for which DHCP is forbidden and no address is given is left to the program, which may make it and set it by ioctl(2).

mod dhcp;
mod ifconfig;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::net::IpAddr;

use rump_config::{Cidr, Interface, Net};
use rump_hypercall::boot::{self, Exit};
use rump_hypercall::net;
use rump_kern::init_main;

use crate::files;

rump_kern::component! {
    name: "rumpnet",
    faction: "net",
    needs: "rumpkernel",
    when: "",
    about: "addresses for the interfaces of a rump kernel from --rump-libs",
    init: init
}

/// Name servers that resolv.conf names (MAXNS).
const DNS_MAX: usize = 3;

/// What an interface gets.
#[derive(Default)]
struct Settings {
    addresses: Vec<([u8; 4], u8)>,
    routes: Vec<([u8; 4], u8, [u8; 4])>,
    dns: Vec<IpAddr>,
    domain: Option<Vec<u8>>,
    mtu: Option<u32>,
}

/// IPv4 alone: IPv6 addresses are the program's to set.
fn v4(cidr: &Cidr) -> Option<([u8; 4], u8)> {
    match cidr.addr {
        IpAddr::V4(addr) => Some((addr.octets(), cidr.bits)),
        IpAddr::V6(_) => None,
    }
}

/// What the configuration says of an interface, and a server, if one is to be asked; `None`: it is left to the program.
fn settings(card: usize, name: &str, said: &Interface, hostname: &str) -> Option<Settings> {
    if said.addresses.iter().any(|cidr| cidr.addr.is_ipv6()) {
        rump_kern::log!(
            "rumpbake: {name}: IPv6 addresses of a rump kernel's interface are the program's to set"
        );
    }
    let mut settings = Settings {
        addresses: said.addresses.iter().filter_map(v4).collect(),
        dns: said.dns.clone(),
        mtu: said.mtu,
        ..Settings::default()
    };
    let is_static = !settings.addresses.is_empty();
    if !is_static && said.dhcp == Some(false) {
        return None;
    }
    let mut routers = said.gateways.iter().filter_map(|gateway| match gateway {
        IpAddr::V4(addr) => Some(addr.octets()),
        IpAddr::V6(_) => None,
    });
    settings.routes.extend(routers.next().map(|router| ([0; 4], 0, router)));
    if said.dhcp.unwrap_or(!is_static)
        && let Some(lease) = dhcp::ask(card, name, hostname.as_bytes())
    {
        settings.addresses.push((lease.addr.low(), lease.bits));
        let routes =
            lease.routes.iter().filter(|(to, bits, _)| *bits > 0 || settings.routes.is_empty() && to.is_v4());
        let routes: Vec<_> = routes.map(|(to, bits, router)| (to.low(), *bits, router.low())).collect();
        settings.routes.extend(routes);
        settings.mtu = settings.mtu.or(lease.mtu.map(u32::from));
        if settings.dns.is_empty() {
            settings.dns = lease.dns.iter().map(|server| IpAddr::from(server.low())).collect();
        }
        settings.domain = lease.domain;
    }
    Some(settings)
}

/// Makes /etc/resolv.conf, unless there is one.
fn write_resolv_conf(dns: &[IpAddr], domain: Option<&[u8]>) {
    let mut text = String::new();
    if let Some(domain) = domain.and_then(|domain| core::str::from_utf8(domain).ok()) {
        let _ = writeln!(text, "search {domain}");
    }
    for server in dns.iter().take(DNS_MAX) {
        let _ = writeln!(text, "nameserver {server}");
    }
    files::provide("/etc", "/etc/resolv.conf", text.as_bytes());
}

fn init() {
    let config = init_main::config();
    let hostname = config.and_then(|config| config.hostname.clone()).unwrap_or_default();
    let net = config.map(|config| config.net.clone()).unwrap_or_default();
    let Net { interfaces, required, .. } = net;
    let interfaces = interfaces.unwrap_or_default();
    let names: Vec<String> = (0..net::count()).map(|card| format!("virt{card}")).collect();
    for interface in interfaces.iter().filter(|interface| !names.contains(&interface.name)) {
        rump_kern::log!(
            "rumpbake: configuration net: there is no interface {}; a rump kernel's are {}",
            interface.name,
            names.join(", ")
        );
    }
    let (mut dns, mut domain, mut has_address) = (Vec::new(), None, false);
    for (card, name) in names.iter().enumerate() {
        let said = interfaces.iter().find(|interface| interface.name == *name);
        let said = said.cloned().unwrap_or_else(|| Interface { name: name.clone(), ..Interface::default() });
        let Some(settings) = settings(card, name, &said, &hostname) else { continue };
        if let Err(fault) = ifconfig::set_up(name, &settings) {
            rump_kern::log!("rumpbake: {name}: {}: error {}", fault.what, fault.errno);
            continue;
        }
        has_address |= !settings.addresses.is_empty();
        dns.extend(settings.dns);
        domain = domain.or(settings.domain);
    }
    if !dns.is_empty() {
        write_resolv_conf(&dns, domain.as_deref());
    }
    if required == Some(true) && !has_address {
        rump_kern::log!("rumpbake: no interface has got an address");
        boot::exit(Exit::Exited(127));
    }
}

//! What the program finds in /etc of the network: resolv.conf(5) and hosts(5).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use rump_kern::{etc, init_main};

use super::{STATE, has_v6};
use crate::addr::Addr;
use crate::ifnet;

/// Name servers that resolv.conf names (MAXNS).
const DNS_MAX: usize = 3;

/// Writes /etc/resolv.conf, if it is to be another.
pub(super) fn write_resolv_conf() {
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

/// Writes /etc/hosts, if it is to be another.
pub(super) fn write_hosts() {
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

//! What DHCP has brought: the address, its routes and name servers, until they end.

use alloc::vec::Vec;

use rump_hypercall::net::Packet;
use rump_hypercall::time;
use rump_kern::log;

use super::{Source, V4_BITS, add_addr, addresses_changed, remove_addr, set_dns, with};
use crate::addr::Addr;
use crate::dhcp::{Change, Lease};
use crate::ifnet::{IfAddr, Ifnet};
use crate::route::{self, Route};
use crate::wire::UDP_LEN;
use crate::{arp, netisr};

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

/// A lease has been got, or lost.
pub(super) fn lease_changed(ifp: &'static Ifnet, change: Change) {
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

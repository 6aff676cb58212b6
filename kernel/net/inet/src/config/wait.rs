//! Who waits for an address, a route or a name server that may yet come, and for how long.

use rump_hypercall::boot::{self, Exit};
use rump_hypercall::time;
use rump_kern::clock::NS_PER_S;
use rump_kern::{Errno, log, sleep_sig};

use super::{CHANGED, Interface, STATE, said};
use crate::addr::Addr;
use crate::ifnet::{self, AddrState};
use crate::{netisr, route};

/// How long after boot programs wait for addresses that are being asked for.
pub(super) const WAIT_NS: u64 = 10 * NS_PER_S;
/// How long the start of the program waits where `net.required` is set.
const REQUIRED_NS: u64 = 30 * NS_PER_S;

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

pub(super) fn has_address() -> bool {
    ifnet::all().iter().any(|ifp| {
        let addrs = ifp.addrs.borrow();
        !ifp.is_loopback()
            && addrs.iter().any(|own| own.is_usable() && (own.addr.is_v4() || !own.addr.is_link_local()))
    })
}

/// Whether a name server is known.
fn has_dns() -> bool {
    STATE.borrow().interfaces.iter().any(|interface| !interface.dns.is_empty())
}

/// Until when an address or a route of this family may yet come, or an address be found to be nobody else's; 0 if nothing is to be expected.
pub(super) fn pending_until(v4: bool) -> u64 {
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

pub(super) fn await_file(path: &[u8]) {
    if path == b"/etc/resolv.conf" {
        // Who is interrupted opens what is there.
        let _ = wait_until(true, has_dns);
    }
}

//! Routes: which interface and which neighbour a packet goes to (route(4), RFC 1122 3.3.1), and what is known of the path (RFC 1191, RFC 8201).
//!
//! The table is a list, longest prefix first: a host has a handful of routes. Who sends often keeps a [`RouteCache`], which is good until
//! anything about routes, addresses or path MTUs changes.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::Cell;

use rump_hypercall::{Giant, time};
use rump_kern::Errno;

use crate::addr::Addr;
use crate::ifnet::{self, Ifnet};

/// A route.
#[derive(Clone, Copy)]
pub struct Route {
    /// The network.
    pub dst: Addr,
    /// Length of its prefix in bits of 128.
    pub bits: u8,
    /// The router; `None` if the network is on the link.
    pub gateway: Option<Addr>,
    /// The interface.
    pub ifp: &'static Ifnet,
    /// It was configured, not learnt.
    pub is_static: bool,
    /// When it goes; monotonic time.
    pub expires_ns: u64,
}

/// The way to a destination.
#[derive(Clone, Copy)]
pub struct Path {
    /// The interface to send from: lo0 for an address of this host.
    pub ifp: &'static Ifnet,
    /// Whom to hand the packet on the link: the destination itself or a router.
    pub next_hop: Addr,
    /// The largest packet that the path is known to take, IP header included; bytes.
    pub mtu: usize,
    /// The destination is a broadcast address.
    pub is_broadcast: bool,
}

impl Path {
    /// The largest TCP segment without options that fits, bytes: the MTU less the headers.
    #[must_use]
    pub fn mss(&self, dst: Addr) -> usize {
        self.mtu.saturating_sub(dst.header_len() + crate::wire::TCP_LEN)
    }

    /// The largest packet to `dst` that the interface cuts into segments itself, IP header included; 0 if it does not (see [`ifnet::Offloads`]).
    #[inline]
    #[must_use]
    pub fn tso_max(&self, dst: Addr) -> usize {
        if dst.is_v4() { self.ifp.offloads.tso4_max } else { self.ifp.offloads.tso6_max }
    }
}

/// Most routes: routers' advertisements must not fill the memory.
const ROUTES_MAX: usize = 128;
/// Most path MTUs that are remembered.
const PATH_MTUS_MAX: usize = 256;
/// How long a path MTU is believed (RFC 1191, 6.3), nanoseconds.
const PATH_MTU_LIFE_NS: u64 = 600 * 1_000_000_000;
/// The smallest IPv4 path MTU that is believed; what claims less only wants to be a nuisance.
pub const PATH_MTU_MIN_V4: usize = 552;
/// Every IPv6 link takes this (RFC 8200, 5).
pub const PATH_MTU_MIN_V6: usize = 1280;

struct Table {
    routes: Vec<Route>,
    /// MTU, and until when it is believed.
    mtus: BTreeMap<Addr, (usize, u64)>,
}

static TABLE: Giant<Table> = Giant::new(Table { routes: Vec::new(), mtus: BTreeMap::new() });
static GENERATION: Giant<u32> = Giant::new(1);

/// Makes all [`RouteCache`]s ask again. Called by whoever changes routes, addresses or interfaces.
pub fn changed() {
    GENERATION.set(GENERATION.get().wrapping_add(1));
}

/// A number that is another one after each change of routes, addresses or path MTUs.
#[inline]
#[must_use]
pub fn generation() -> u32 {
    GENERATION.get()
}

/// Adds a route, or replaces the one to the same network by the same gateway.
///
/// # Errors
/// ENOBUFS if there are too many.
pub fn add(mut route: Route) -> Result<(), Errno> {
    route.dst = route.dst.masked(route.bits);
    let mut table = TABLE.borrow_mut();
    let same = |known: &Route| {
        (known.dst, known.bits, known.gateway, known.ifp.index)
            == (route.dst, route.bits, route.gateway, route.ifp.index)
    };
    if let Some(known) = table.routes.iter_mut().find(|known| same(known)) {
        *known = route;
    } else {
        if table.routes.len() >= ROUTES_MAX || table.routes.try_reserve(1).is_err() {
            return Err(Errno::ENOBUFS);
        }
        let at = table.routes.partition_point(|known| known.bits >= route.bits);
        table.routes.insert(at, route);
    }
    drop(table);
    changed();
    Ok(())
}

/// Removes the routes for which `which` says so; how many there were.
pub fn remove(mut which: impl FnMut(&Route) -> bool) -> usize {
    let mut table = TABLE.borrow_mut();
    let before = table.routes.len();
    table.routes.retain(|route| !which(route));
    let removed = before - table.routes.len();
    drop(table);
    if removed > 0 {
        changed();
    }
    removed
}

/// All routes, longest prefix first.
#[must_use]
pub fn all() -> Vec<Route> {
    TABLE.borrow().routes.clone()
}

/// The way to `dst`. A multicast or limited broadcast address goes out of the interface of the default route, or the first that is not lo0.
///
/// # Errors
/// EHOSTUNREACH if no route leads there. ENETDOWN if the interface is down.
pub fn lookup(dst: Addr) -> Result<Path, Errno> {
    find(dst, None)
}

/// The way to `dst` out of this interface; a destination to which no route leads is taken to be on its link.
///
/// # Errors
/// ENETDOWN if the interface is down.
pub fn lookup_on(dst: Addr, ifp: &'static Ifnet) -> Result<Path, Errno> {
    find(dst, Some(ifp))
}

fn find(dst: Addr, only: Option<&'static Ifnet>) -> Result<Path, Errno> {
    if ifnet::is_local(dst) {
        let ifp = ifnet::loopback().ok_or(Errno::ENETUNREACH)?;
        return on_link(ifp, dst);
    }
    if dst.zone() != 0 {
        let ifp = ifnet::by_index(usize::from(dst.zone())).ok_or(Errno::EHOSTUNREACH)?;
        return on_link(ifp, dst);
    }
    let to_all = dst.is_multicast() || dst.is_limited_broadcast();
    if let Some(ifp) = only
        && to_all
    {
        return on_link(ifp, dst);
    }
    let table = TABLE.borrow();
    let found = table.routes.iter().find(|route| {
        route.dst.is_v4() == dst.is_v4()
            && dst.matches(route.dst, route.bits)
            && route.ifp.is_up()
            && only.is_none_or(|ifp| ifp.index == route.ifp.index)
    });
    let Some(route) = found else {
        drop(table);
        let first = || ifnet::find_map(|ifp| (!ifp.is_loopback() && ifp.is_up()).then_some(ifp));
        let ifp = only.or_else(|| if to_all { first().or_else(ifnet::loopback) } else { None });
        return on_link(ifp.ok_or(Errno::EHOSTUNREACH)?, dst);
    };
    let mut path = on_link(route.ifp, dst)?;
    if let Some(gateway) = route.gateway
        && !to_all
    {
        path.next_hop = gateway;
    }
    if let Some(&(known, until_ns)) = table.mtus.get(&dst)
        && time::monotonic_ns() < until_ns
    {
        path.mtu = path.mtu.min(known);
    }
    Ok(path)
}

/// The way to a neighbour on the link of `ifp`.
fn on_link(ifp: &'static Ifnet, dst: Addr) -> Result<Path, Errno> {
    if !ifp.is_up() {
        return Err(Errno::ENETDOWN);
    }
    let is_broadcast = !ifp.is_loopback() && ifnet::is_broadcast(dst);
    Ok(Path { ifp, next_hop: dst, mtu: ifp.mtu.get(), is_broadcast })
}

/// Remembers that packets to `dst` must not be larger. Returns the MTU that now holds; `None` if nothing changed.
pub fn lower_path_mtu(dst: Addr, mtu: usize) -> Option<usize> {
    let floor = if dst.is_v4() { PATH_MTU_MIN_V4 } else { PATH_MTU_MIN_V6 };
    let mtu = mtu.max(floor);
    let now_ns = time::monotonic_ns();
    if ifnet::is_local(dst) || lookup(dst).is_ok_and(|path| path.mtu <= mtu) {
        return None;
    }
    let mut table = TABLE.borrow_mut();
    if table.mtus.len() >= PATH_MTUS_MAX {
        table.mtus.retain(|_, &mut (_, until_ns)| until_ns > now_ns);
        if table.mtus.len() >= PATH_MTUS_MAX {
            table.mtus.pop_first();
        }
    }
    table.mtus.insert(dst, (mtu, now_ns + PATH_MTU_LIFE_NS));
    drop(table);
    changed();
    Some(mtu)
}

/// Removes what has expired; returns when there is something to do next.
pub fn timer(now_ns: u64) -> u64 {
    remove(|route| route.expires_ns <= now_ns);
    next_expiry()
}

/// When the first route expires.
#[must_use]
pub fn next_expiry() -> u64 {
    TABLE.borrow().routes.iter().map(|route| route.expires_ns).min().unwrap_or(time::NEVER)
}

/// The way to one destination, remembered.
#[derive(Default)]
pub struct RouteCache {
    path: Cell<Option<Path>>,
    dst: Cell<Addr>,
    generation: Cell<u32>,
}

impl RouteCache {
    /// The way to `dst`.
    ///
    /// # Errors
    /// As [`lookup`].
    #[inline]
    pub fn get(&self, dst: Addr) -> Result<Path, Errno> {
        if self.generation.get() == generation()
            && self.dst.get() == dst
            && let Some(path) = self.path.get()
        {
            return Ok(path);
        }
        let path = lookup(dst)?;
        self.path.set(Some(path));
        self.dst.set(dst);
        self.generation.set(generation());
        Ok(path)
    }
}

/// The address that packets to `dst` along `path` are sent from (RFC 1122 3.3.4.3, RFC 6724 without its policy table).
///
/// # Errors
/// EADDRNOTAVAIL if there is none.
pub fn source(dst: Addr, path: &Path) -> Result<Addr, Errno> {
    if path.ifp.is_loopback() && (dst.is_loopback() || ifnet::is_local(dst)) {
        return Ok(dst);
    }
    let now_ns = time::monotonic_ns();
    let mut best: Option<(Addr, [u32; 4])> = None;
    let mut consider = |ifp: &'static Ifnet| {
        for own in ifp.addrs.borrow().iter() {
            let addr = own.addr;
            if !own.is_usable() || addr.is_v4() != dst.is_v4() {
                continue;
            }
            let foreign_zone = addr.has_zone() && ifp.index != path.ifp.index;
            let stays_here = dst.is_loopback() || path.ifp.is_loopback();
            if foreign_zone || (addr.is_loopback() && !stays_here) {
                continue;
            }
            let same_scope = addr.is_link_local() == (dst.is_link_local() || dst.has_zone());
            let near = u32::from(path.next_hop.matches(addr, own.bits));
            let rank = [
                u32::from(ifp.index == path.ifp.index),
                u32::from(same_scope),
                u32::from(own.preferred_ns > now_ns) * 2 + near,
                if addr.is_v4() { 0 } else { addr.common_prefix(dst) },
            ];
            if best.is_none_or(|(_, known)| rank > known) {
                best = Some((addr, rank));
            }
        }
    };
    ifnet::all().into_iter().for_each(&mut consider);
    best.map(|(addr, _)| addr).ok_or(Errno::EADDRNOTAVAIL)
}

/// Takes everything away, for the next test.
#[cfg(test)]
pub(crate) fn reset() {
    let mut table = TABLE.borrow_mut();
    table.routes.clear();
    table.mtus.clear();
    drop(table);
    changed();
}

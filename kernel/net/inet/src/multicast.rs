//! Groups that this host is a member of, and what it tells routers of them (RFC 1112, IGMPv2: RFC 2236, MLD: RFC 2710).
//!
//! Routers that speak IGMPv3 or MLDv2 fall back to these versions for hosts that do. A router asks, and each member answers after a random
//! delay, unless another one has answered before; who joins says so unasked, twice.

use alloc::vec::Vec;

use rump_hypercall::net::{Packet, Slice};
use rump_hypercall::{Giant, time};
use rump_kern::Errno;
use rump_kern::clock::NS_PER_S;

use crate::addr::{Addr, pseudo_header};
use crate::ether::{self, group_mac};
use crate::ifnet::{self, Ifnet};
use crate::input::Received;
use crate::netisr;
use crate::output::{HEADROOM, Options, ip_output};
use crate::wire::icmp::v6;
use crate::wire::{ETHERTYPE_IPV4, Ipv4Header, checksum, get_array, get_u16, proto, put_u16};

/// Most groups, all interfaces together.
const GROUPS_MAX: usize = 256;
/// A second report follows the first within this time (RFC 2236, 8.10).
const UNSOLICITED_NS: u64 = 10 * NS_PER_S;

/// `224.0.0.1`.
const ALL_HOSTS_V4: Addr = Addr::v4([224, 0, 0, 1]);
/// `224.0.0.2`.
const ALL_ROUTERS_V4: Addr = Addr::v4([224, 0, 0, 2]);
/// `ff02::1`, without zone.
pub const ALL_NODES: Addr = Addr([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
/// `ff01::1`, without zone.
const ALL_NODES_HERE: Addr = Addr([0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
/// `ff02::2`, without zone.
pub const ALL_ROUTERS: Addr = Addr([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);

struct Membership {
    ifp: &'static Ifnet,
    group: Addr,
    /// How many sockets asked for it.
    count: u32,
    /// When it is to be reported; monotonic time.
    report_ns: u64,
    /// The last report heard was ours.
    ours: bool,
}

static GROUPS: Giant<Vec<Membership>> = Giant::new(Vec::new());

/// Whether packets to `group` that come in at `ifp` are for this host.
#[must_use]
pub fn is_member(ifp: &'static Ifnet, group: Addr) -> bool {
    let plain = group.without_zone();
    if group == ALL_HOSTS_V4 || plain == ALL_NODES || plain == ALL_NODES_HERE {
        return true;
    }
    let solicited = !group.is_v4()
        && ifp.addrs.borrow().iter().any(|own| !own.addr.is_v4() && own.addr.solicited_node() == plain);
    let joined = |known: &Membership| known.group == group && known.ifp.index == ifp.index;
    solicited || GROUPS.borrow().iter().any(joined)
}

fn random_within(span_ns: u64) -> u64 {
    let mut bytes = [0; 8];
    time::random(&mut bytes);
    u64::from_le_bytes(bytes) % span_ns.max(1)
}

/// Becomes a member, or one more time.
///
/// # Errors
/// ENOBUFS if there are too many groups.
pub fn join(ifp: &'static Ifnet, group: Addr) -> Result<(), Errno> {
    let mut groups = GROUPS.borrow_mut();
    if let Some(known) = groups.iter_mut().find(|known| known.group == group && known.ifp.index == ifp.index)
    {
        known.count += 1;
        return Ok(());
    }
    if groups.len() >= GROUPS_MAX || groups.try_reserve(1).is_err() {
        return Err(Errno::ENOBUFS);
    }
    let report_ns = time::monotonic_ns() + random_within(UNSOLICITED_NS);
    groups.push(Membership { ifp, group, count: 1, report_ns, ours: true });
    drop(groups);
    netisr::wake_by(report_ns);
    report(ifp, group);
    netisr::flush();
    Ok(())
}

/// Takes one [`join`] back.
pub fn leave(ifp: &'static Ifnet, group: Addr) {
    let mut groups = GROUPS.borrow_mut();
    let Some(at) = groups.iter().position(|known| known.group == group && known.ifp.index == ifp.index)
    else {
        return;
    };
    groups[at].count -= 1;
    if groups[at].count > 0 {
        return;
    }
    let gone = groups.swap_remove(at);
    drop(groups);
    if gone.ours && is_reported(ifp, group) {
        if group.is_v4() {
            igmp_send(ifp, igmp::LEAVE, group, ALL_ROUTERS_V4);
        } else {
            mld_send(ifp, v6::MLD_DONE, group, ALL_ROUTERS);
        }
        netisr::flush();
    }
}

/// Whether routers want to know: not of groups that do not leave the host, nor of all nodes.
fn is_reported(ifp: &Ifnet, group: Addr) -> bool {
    let here = !group.is_v4() && group.0[1] & 0xf <= 1;
    !ifp.is_loopback() && !here && group != ALL_HOSTS_V4 && group.without_zone() != ALL_NODES
}

fn report(ifp: &'static Ifnet, group: Addr) {
    if !is_reported(ifp, group) {
        return;
    }
    if group.is_v4() {
        igmp_send(ifp, igmp::REPORT_V2, group, group);
    } else {
        mld_send(ifp, v6::MLD_REPORT, group, group);
    }
}

/// Reports the solicited-node group of an address that was just given to the interface (RFC 4862, 5.4.2).
pub fn report_solicited(ifp: &'static Ifnet, addr: Addr) {
    report(ifp, addr.solicited_node().with_zone(ifp.index));
}

mod igmp {
    pub const QUERY: u8 = 0x11;
    pub const REPORT_V1: u8 = 0x12;
    pub const REPORT_V2: u8 = 0x16;
    pub const LEAVE: u8 = 0x17;
    pub const LEN: usize = 8;
}

/// Sends an IGMP message, with the router alert option that it needs (RFC 2113); one that cannot be sent is as if it were lost.
fn igmp_send(ifp: &'static Ifnet, kind: u8, group: Addr, dst: Addr) {
    const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];
    const HEADER: usize = 24;
    let mut bytes = [0; HEADER + igmp::LEN];
    let header = Ipv4Header {
        tos: 0xc0,
        total_len: bytes.len() as u16,
        id: random_within(1 << 16) as u16,
        fragment: 0,
        ttl: 1,
        protocol: proto::IGMP,
        src: ifp.first_v4().map_or([0; 4], |own| own.addr.low()),
        dst: dst.low(),
    };
    bytes[..20].copy_from_slice(&header.emit());
    bytes[0] = 0x46;
    bytes[20..HEADER].copy_from_slice(&ROUTER_ALERT);
    put_u16(&mut bytes, 10, 0);
    let sum = checksum(&bytes[..HEADER]);
    put_u16(&mut bytes, 10, sum);
    bytes[HEADER] = kind;
    bytes[HEADER + 4..].copy_from_slice(&group.low());
    let sum = checksum(&bytes[HEADER..]);
    put_u16(&mut bytes, HEADER + 2, sum);
    if let Some(slice) = Slice::from_bytes(&bytes, HEADROOM) {
        let _ = ether::frame(ifp, Packet::new(slice), group_mac(dst), ETHERTYPE_IPV4);
    }
}

/// Sends an MLD message behind a router alert (RFC 2711).
fn mld_send(ifp: &'static Ifnet, kind: u8, group: Addr, dst: Addr) {
    const LEN: usize = 24;
    let dst = dst.with_zone(ifp.index);
    let own = ifp.link_local().filter(ifnet::IfAddr::is_usable);
    let src = own.map_or(Addr::UNSPECIFIED_V6, |own| own.addr);
    let mut message = [0; LEN];
    message[0] = kind;
    message[8..].copy_from_slice(&group.without_zone().0);
    let mut sum = pseudo_header(src, dst, proto::ICMPV6, LEN);
    sum.add(&message);
    put_u16(&mut message, 2, sum.finish());
    let mut bytes = [proto::ICMPV6, 0, 5, 2, 0, 0, 1, 0].to_vec();
    bytes.extend_from_slice(&message);
    if let Some(slice) = Slice::from_bytes(&bytes, HEADROOM) {
        let options = Options { ifp: Some(ifp), ttl: Some(1), no_loop: true, ..Options::default() };
        let _ = ip_output(Packet::new(slice), src, dst, proto::HOPOPTS, &options);
    }
}

/// A router asks for members of `group` (all groups if unspecified), to be answered within `within_ns`.
fn query(ifp: &'static Ifnet, is_v4: bool, group: Addr, within_ns: u64) {
    let now_ns = time::monotonic_ns();
    let mut first_ns = time::NEVER;
    for known in GROUPS.borrow_mut().iter_mut() {
        let asked = group.is_unspecified() || known.group == group;
        if known.ifp.index == ifp.index && known.group.is_v4() == is_v4 && asked {
            known.report_ns = known.report_ns.min(now_ns + random_within(within_ns));
            first_ns = first_ns.min(known.report_ns);
        }
    }
    if first_ns != time::NEVER {
        netisr::wake_by(first_ns);
    }
}

/// Another member has answered.
fn heard(ifp: &Ifnet, group: Addr) {
    for known in GROUPS.borrow_mut().iter_mut() {
        if known.ifp.index == ifp.index && known.group == group {
            known.report_ns = time::NEVER;
            known.ours = false;
        }
    }
}

/// An IGMP message came in.
pub fn igmp_input(packet: &Packet, info: &Received) {
    let mut bytes = [0; igmp::LEN];
    if packet.copy_to(0, &mut bytes) < igmp::LEN || info.ttl != 1 {
        return;
    }
    let mut sum = crate::wire::Sum::new();
    packet.slices().for_each(|slice| sum.add(slice.bytes()));
    if sum.finish() != 0 {
        return;
    }
    let group = Addr::v4(get_array(&bytes, 4));
    match bytes[0] {
        // Tenths of a second; version 1 says 0 and means 10 s.
        igmp::QUERY => {
            let tenths = if bytes[1] == 0 { 100 } else { u64::from(bytes[1]) };
            query(info.ifp, true, group, tenths * NS_PER_S / 10);
        }
        igmp::REPORT_V1 | igmp::REPORT_V2 => heard(info.ifp, group),
        _ => {}
    }
}

/// An MLD message came in, with the right checksum.
pub fn mld_input(packet: &Packet, info: &Received, kind: u8) {
    let mut bytes = [0; 24];
    let local = info.src.is_link_local();
    if packet.copy_to(0, &mut bytes) < bytes.len() || info.ttl != 1 || !local {
        return;
    }
    let group = Addr(get_array(&bytes, 8)).with_zone(info.ifp.index);
    if kind == v6::MLD_QUERY {
        query(info.ifp, false, group, u64::from(get_u16(&bytes, 4)) * (NS_PER_S / 1000));
    } else {
        heard(info.ifp, group);
    }
}

/// Reports what is due; returns when there is something to do next.
pub fn timer(now_ns: u64) -> u64 {
    let mut due = Vec::new();
    let mut next_ns = time::NEVER;
    for known in GROUPS.borrow_mut().iter_mut() {
        if known.report_ns <= now_ns {
            known.report_ns = time::NEVER;
            known.ours = true;
            due.push((known.ifp, known.group));
        }
        next_ns = next_ns.min(known.report_ns);
    }
    for (ifp, group) in due {
        report(ifp, group);
    }
    next_ns
}

/// Takes everything away, for the next test.
#[cfg(test)]
pub(crate) fn reset() {
    GROUPS.borrow_mut().clear();
}

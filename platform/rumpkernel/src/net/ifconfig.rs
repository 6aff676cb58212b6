//! Interfaces, addresses and routes by the rump kernel's system calls, as ifconfig(8) and route(8) set them: ioctl(2) on a datagram socket, messages on a
//! socket of route(4). The numbers are those of NetBSD's `net/if.h`, `sys/sockio.h` and `net/route.h`.

use alloc::vec::Vec;

use rump_abi::errno::EEXIST;
use rump_abi::ioctl::{SIOCAIFADDR, SIOCGIFAFLAG_IN, SIOCIFCREATE, SIOCSIFMTU, SIOCSLINKSTR};
use rump_abi::socket::{AF_INET, AF_ROUTE, SOCK_DGRAM, SOCK_RAW};
use rump_abi::syscall::{SYS___socket30, SYS___sysctl, SYS_close, SYS_ioctl, SYS_write};
use rump_hypercall::sync::CondVar;
use rump_hypercall::time;
use rump_kern::clock::NS_PER_S;

use super::Settings;
use crate::call::own;

/// Bytes of an interface's name (IFNAMSIZ), of `struct ifreq`, of `struct sockaddr_in`.
const NAME_LEN: usize = 16;
const IFREQ_LEN: usize = 144;
const ADDR_LEN: usize = 16;

/// What went wrong.
pub(super) struct Fault {
    pub what: &'static str,
    pub errno: i32,
}

fn at(bytes: &[u8]) -> u64 {
    bytes.as_ptr().expose_provenance() as u64
}

/// A socket of the rump kernel.
struct Socket(u64);

impl Socket {
    fn new(family: i32, kind: i32) -> Result<Self, Fault> {
        let made = own(SYS___socket30, [family as u64, kind as u64, 0, 0, 0, 0]);
        made.map(Self).map_err(|errno| Fault { what: "the rump kernel has no such sockets", errno })
    }

    /// `argument` is read, or written as well.
    fn ioctl(&self, request: u64, argument: &mut [u8], what: &'static str) -> Result<(), Fault> {
        let address = argument.as_mut_ptr().expose_provenance() as u64;
        match own(SYS_ioctl, [self.0, request, address, 0, 0, 0]) {
            Ok(_) => Ok(()),
            Err(errno) => Err(Fault { what, errno }),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = own(SYS_close, [self.0, 0, 0, 0, 0, 0]);
    }
}

/// A structure that begins with the interface's name.
fn named(name: &str, len: usize) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.truncate(NAME_LEN - 1);
    bytes.resize(len, 0);
    bytes
}

/// `struct sockaddr_in`.
fn sockaddr(addr: [u8; 4]) -> [u8; ADDR_LEN] {
    let mut bytes = [0; ADDR_LEN];
    bytes[0] = ADDR_LEN as u8;
    bytes[1] = AF_INET as u8;
    bytes[4..8].copy_from_slice(&addr);
    bytes
}

fn mask(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0)
}

/// `struct ifaliasreq`: address, broadcast address, mask.
fn alias(name: &str, addr: [u8; 4], bits: u8) -> Vec<u8> {
    let broadcast = u32::from_be_bytes(addr) | !mask(bits);
    let mut bytes = named(name, NAME_LEN);
    for addr in [addr, broadcast.to_be_bytes(), mask(bits).to_be_bytes()] {
        bytes.extend(sockaddr(addr));
    }
    bytes
}

/// `struct rt_msghdr` of RTM_ADD, with destination, router and mask.
fn route(to: [u8; 4], bits: u8, router: [u8; 4]) -> Vec<u8> {
    const HEADER_LEN: usize = 120;
    const VERSION: u8 = 4;
    const ADD: u8 = 1;
    const UP_GATEWAY_STATIC: u32 = 0x803;
    const DST_GATEWAY_NETMASK: u32 = 7;
    let mut bytes = alloc::vec![0; HEADER_LEN];
    let len = (HEADER_LEN + 3 * ADDR_LEN) as u16;
    bytes[..2].copy_from_slice(&len.to_le_bytes());
    bytes[2..4].copy_from_slice(&[VERSION, ADD]);
    bytes[8..12].copy_from_slice(&UP_GATEWAY_STATIC.to_le_bytes());
    bytes[12..16].copy_from_slice(&DST_GATEWAY_NETMASK.to_le_bytes());
    // The message's number, by which its sender would know the answer.
    bytes[20..24].copy_from_slice(&1_u32.to_le_bytes());
    for addr in [to, router, mask(bits).to_be_bytes()] {
        bytes.extend(sockaddr(addr));
    }
    bytes
}

/// Has addresses used at once: NetBSD 8 and later ask for seconds whether somebody else has one (RFC 5227), unless `net.inet.ip.dad_count` is 0. The
/// node's number is not a fixed one, so its parent is asked for it (sysctl(7), CTL_QUERY).
fn forgo_detection() {
    const NODE_LEN: usize = 96;
    const NODES_MAX: usize = 128;
    const CTL_NET: i32 = 4;
    const QUERY: i32 = -2;
    const VERSION: u32 = 1 << 24;
    let of_ip = |node: i32| [CTL_NET, AF_INET, 0, node].map(i32::to_le_bytes).concat();
    let mut nodes = alloc::vec![0; NODE_LEN * NODES_MAX];
    let mut len = (nodes.len() as u64).to_le_bytes();
    let mut question = [0; NODE_LEN];
    question[..4].copy_from_slice(&VERSION.to_le_bytes());
    let (to, len_at) =
        (nodes.as_mut_ptr().expose_provenance() as u64, len.as_mut_ptr().expose_provenance() as u64);
    let asked = own(SYS___sysctl, [at(&of_ip(QUERY)), 4, to, len_at, at(&question), NODE_LEN as u64]);
    let node = nodes.chunks_exact(NODE_LEN).find(|node| node[8..].starts_with(b"dad_count\0"));
    if let (Ok(_), Some(node)) = (asked, node) {
        let number = i32::from_le_bytes([node[4], node[5], node[6], node[7]]);
        let _ = own(SYS___sysctl, [at(&of_ip(number)), 4, 0, 0, at(&[0; 4]), 4]);
    }
}

/// Waits until an address may be used, if the rump kernel still asks whether somebody else has it.
fn await_address(socket: &Socket, name: &str, addr: [u8; 4]) {
    const TENTATIVE: u8 = 2;
    const LONGEST_NS: u64 = 10 * NS_PER_S;
    const PAUSE_NS: u64 = NS_PER_S / 50;
    static PAUSE: CondVar = CondVar::new();
    let end_ns = time::monotonic_ns().saturating_add(LONGEST_NS);
    loop {
        let mut request = named(name, NAME_LEN);
        request.extend(sockaddr(addr));
        request.resize(IFREQ_LEN, 0);
        let known = socket.ioctl(SIOCGIFAFLAG_IN, &mut request, "");
        let now_ns = time::monotonic_ns();
        // The answer takes the address' place.
        if known.is_err() || request[NAME_LEN] & TENTATIVE == 0 || now_ns >= end_ns {
            return;
        }
        PAUSE.wait_until(now_ns + PAUSE_NS);
    }
}

/// Makes an interface and sets it.
pub(super) fn set_up(name: &str, settings: &Settings) -> Result<(), Fault> {
    let socket = Socket::new(AF_INET, SOCK_DGRAM)?;
    match socket.ioctl(SIOCIFCREATE, &mut named(name, IFREQ_LEN), "the rump kernel does not make it") {
        Err(Fault { errno, .. }) if errno == EEXIST => {}
        made => made?,
    }
    // Where a virtual interface has a link string, it is the card's name; others have none.
    let link = named(name, NAME_LEN);
    let mut driver = named(name, NAME_LEN);
    driver.extend(0_u64.to_le_bytes());
    driver.extend((name.len() as u64 + 1).to_le_bytes());
    driver.extend(at(&link).to_le_bytes());
    let _ = socket.ioctl(SIOCSLINKSTR, &mut driver, "");
    if let Some(mtu) = settings.mtu {
        let mut request = named(name, IFREQ_LEN);
        request[NAME_LEN..NAME_LEN + 4].copy_from_slice(&mtu.to_le_bytes());
        socket.ioctl(SIOCSIFMTU, &mut request, "the rump kernel does not set its MTU")?;
    }
    forgo_detection();
    for &(addr, bits) in &settings.addresses {
        socket.ioctl(
            SIOCAIFADDR,
            &mut alias(name, addr, bits),
            "the rump kernel does not set its address",
        )?;
    }
    settings.addresses.iter().for_each(|&(addr, _)| await_address(&socket, name, addr));
    if settings.routes.is_empty() {
        return Ok(());
    }
    let routing = Socket::new(AF_ROUTE, SOCK_RAW)?;
    for &(to, bits, router) in &settings.routes {
        let message = route(to, bits, router);
        match own(SYS_write, [routing.0, at(&message), message.len() as u64, 0, 0, 0]) {
            Err(errno) if errno != EEXIST => {
                return Err(Fault { what: "the rump kernel does not take its route", errno });
            }
            _ => {}
        }
    }
    Ok(())
}

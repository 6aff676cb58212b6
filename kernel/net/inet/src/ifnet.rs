//! Network interfaces (ifnet(9)): `lo0`, and one for each device of the platform.
//!
//! Interfaces are made at boot and never go away, so references to them are `'static`. Their state is in cells: only the holder of the
//! virtual CPU touches them, and no borrow is held over a call that leads into another part of the stack.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use rump_abi::net_if::{IFF_BROADCAST, IFF_LOOPBACK, IFF_MULTICAST, IFF_RUNNING, IFF_SIMPLEX, IFF_UP};
use rump_hypercall::Giant;

use crate::addr::Addr;
use crate::wire::Mac;

/// What an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// lo0.
    Loopback,
    /// An Ethernet: the platform's interface of this number.
    Ethernet {
        /// Number of the platform's interface.
        device: usize,
        /// Its hardware address.
        mac: Mac,
    },
}

/// Where an address is in its life (RFC 4862).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddrState {
    /// Duplicate address detection is under way until this time: it is not used yet.
    Tentative {
        /// Monotonic time.
        until_ns: u64,
    },
    /// Another host has it: it is never used.
    Duplicate,
    /// In use.
    Valid,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfAddr {
    /// The address, with its zone.
    pub addr: Addr,
    /// Length of the network's prefix in bits of 128 (an IPv4 prefix has 96 more than one says).
    pub bits: u8,
    /// See [`AddrState`].
    pub state: AddrState,
    /// When it stops being preferred for new connections; monotonic time, [`rump_hypercall::time::NEVER`] if never.
    pub preferred_ns: u64,
    /// When it goes.
    pub valid_ns: u64,
    /// It was made from a router's advertisement.
    pub autoconf: bool,
}

impl IfAddr {
    /// An address that stays.
    #[must_use]
    pub const fn permanent(addr: Addr, bits: u8) -> Self {
        use rump_hypercall::time::NEVER;
        Self { addr, bits, state: AddrState::Valid, preferred_ns: NEVER, valid_ns: NEVER, autoconf: false }
    }

    /// The network's broadcast address, where it has one.
    #[must_use]
    pub fn broadcast(&self) -> Option<Addr> {
        if !self.addr.is_v4() || self.bits >= 127 {
            return None;
        }
        let host = u128::MAX.checked_shr(u32::from(self.bits)).unwrap_or(0);
        Some(Addr((u128::from_be_bytes(self.addr.0) | host).to_be_bytes()))
    }

    /// Whether it may be used.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.state == AddrState::Valid
    }
}

/// What went over an interface.
#[derive(Default)]
#[expect(missing_docs, reason = "the counters' names in struct if_data")]
pub struct Counters {
    pub ipackets: Cell<u64>,
    pub ierrors: Cell<u64>,
    pub ibytes: Cell<u64>,
    pub imcasts: Cell<u64>,
    pub iqdrops: Cell<u64>,
    pub noproto: Cell<u64>,
    pub opackets: Cell<u64>,
    pub oerrors: Cell<u64>,
    pub obytes: Cell<u64>,
    pub omcasts: Cell<u64>,
}

/// Adds to a counter.
#[inline]
pub fn count(counter: &Cell<u64>, amount: u64) {
    counter.set(counter.get().wrapping_add(amount));
}

/// What an interface does for those who send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offloads {
    /// It completes TCP and UDP checksums; where it does not, output does.
    pub tx_checksum: bool,
    /// It cuts large TCP segments over IPv4 itself: a packet with a [`rump_hypercall::net::Gso`] may be up to this long, IP header included; bytes. 0 if it
    /// does not: then no such packet may be sent.
    pub tso4_max: usize,
    /// The same over IPv6.
    pub tso6_max: usize,
}

/// An interface.
pub struct Ifnet {
    /// Its number, from 1 on.
    pub index: u16,
    /// What it is.
    pub kind: Kind,
    /// The largest packet, without the link's header; bytes.
    pub mtu: Cell<usize>,
    /// The largest that it can be.
    pub mtu_max: usize,
    /// IFF_ flags.
    pub flags: Cell<u32>,
    /// What it does for those who send.
    pub offloads: Offloads,
    /// Its addresses, in the order in which they came.
    pub addrs: RefCell<Vec<IfAddr>>,
    /// What went over it.
    pub counters: Counters,
    name: Box<str>,
}

/// Most addresses of one interface: routers' advertisements must not fill the memory.
const ADDRS_MAX: usize = 32;

static IFNETS: Giant<Vec<&'static Ifnet>> = Giant::new(Vec::new());

/// The MTU of lo0, as in NetBSD.
pub const LOOPBACK_MTU: usize = 33_160;

impl Ifnet {
    /// Makes an interface and puts it at the end of the list.
    pub fn attach(name: &str, kind: Kind, mtu: usize, offloads: Offloads) -> &'static Self {
        let mut list = IFNETS.borrow_mut();
        let flags = IFF_UP
            | IFF_RUNNING
            | IFF_MULTICAST
            | match kind {
                Kind::Loopback => IFF_LOOPBACK,
                Kind::Ethernet { .. } => IFF_BROADCAST | IFF_SIMPLEX,
            };
        let ifp: &'static Self = Box::leak(Box::new(Self {
            index: list.len() as u16 + 1,
            kind,
            mtu: Cell::new(mtu),
            mtu_max: mtu,
            flags: Cell::new(flags.cast_unsigned()),
            offloads,
            addrs: RefCell::new(Vec::new()),
            counters: Counters::default(),
            name: name.into(),
        }));
        list.push(ifp);
        ifp
    }

    /// Its name: `lo0`, `vioif0`, `wm0`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is lo0.
    #[inline]
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.kind == Kind::Loopback
    }

    /// Its hardware address.
    #[must_use]
    pub fn mac(&self) -> Option<Mac> {
        match self.kind {
            Kind::Loopback => None,
            Kind::Ethernet { mac, .. } => Some(mac),
        }
    }

    /// Whether IFF_UP is set.
    #[inline]
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.flags.get() & IFF_UP.cast_unsigned() != 0
    }

    /// Its address that is exactly this one.
    #[must_use]
    pub fn find_addr(&self, addr: Addr) -> Option<IfAddr> {
        self.addrs.borrow().iter().find(|known| known.addr == addr).copied()
    }

    /// Adds an address or replaces the one that is the same; false if there are too many.
    pub fn put_addr(&self, addr: IfAddr) -> bool {
        let mut addrs = self.addrs.borrow_mut();
        if let Some(known) = addrs.iter_mut().find(|known| known.addr == addr.addr) {
            *known = addr;
            return true;
        }
        if addrs.len() >= ADDRS_MAX || addrs.try_reserve(1).is_err() {
            return false;
        }
        addrs.push(addr);
        true
    }

    /// The first usable IPv4 address.
    #[must_use]
    pub fn first_v4(&self) -> Option<IfAddr> {
        self.addrs.borrow().iter().find(|addr| addr.addr.is_v4() && addr.is_usable()).copied()
    }

    /// Its IPv6 address of link-local scope.
    #[must_use]
    pub fn link_local(&self) -> Option<IfAddr> {
        let addrs = self.addrs.borrow();
        addrs.iter().find(|addr| !addr.addr.is_v4() && addr.addr.is_link_local()).copied()
    }
}

/// All interfaces, in the order of their numbers.
#[must_use]
pub fn all() -> Vec<&'static Ifnet> {
    IFNETS.borrow().clone()
}

/// Calls `f` for each interface until it has an answer.
pub fn find_map<T>(mut f: impl FnMut(&'static Ifnet) -> Option<T>) -> Option<T> {
    IFNETS.borrow().iter().find_map(|ifp| f(ifp))
}

/// The interface of this number.
#[must_use]
pub fn by_index(index: usize) -> Option<&'static Ifnet> {
    IFNETS.borrow().get(index.checked_sub(1)?).copied()
}

/// The interface of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Ifnet> {
    find_map(|ifp| (ifp.name() == name).then_some(ifp))
}

/// lo0, which is always the first.
#[must_use]
pub fn loopback() -> Option<&'static Ifnet> {
    by_index(1)
}

/// The interface that has this address, in whatever state.
#[must_use]
pub fn owner(addr: Addr) -> Option<(&'static Ifnet, IfAddr)> {
    find_map(|ifp| ifp.find_addr(addr).map(|found| (ifp, found)))
}

/// Whether packets to this address are for this host: a usable address of any interface, or a loopback address.
#[must_use]
pub fn is_local(addr: Addr) -> bool {
    addr.is_loopback() || owner(addr).is_some_and(|(_, found)| found.is_usable())
}

/// Whether this is an address that a network of this host takes for "everybody".
#[must_use]
pub fn is_broadcast(addr: Addr) -> bool {
    // The part of the host has two bits at least, all of which are set: most addresses are ruled out at once.
    if !addr.is_v4() || addr.low()[3] & 3 != 3 {
        return false;
    }
    addr.is_limited_broadcast()
        || find_map(|ifp| ifp.addrs.borrow().iter().any(|own| own.broadcast() == Some(addr)).then_some(()))
            .is_some()
}

/// Takes all interfaces away, for the next test.
#[cfg(test)]
pub(crate) fn reset() {
    IFNETS.borrow_mut().clear();
}

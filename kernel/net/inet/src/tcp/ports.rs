//! Local ports: who has bound which, and which are free (bind(2), RFC 6056).
//!
//! A binding belongs to a socket, from bind(2), listen(2) or connect(2) until it is gone. Connections, half-open ones aside, hold their port beside that, so that a port
//! in use is not bound again without SO_REUSEADDR.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rump_kern::Errno;

use super::siphash::Key;
use crate::addr::{Addr, Endpoint};

/// First port that is chosen for an application (IPPORT_HIFIRSTAUTO).
pub const FIRST_AUTO: u16 = 49_152;
/// Last one.
pub const LAST_AUTO: u16 = 65_535;

/// How willing a socket is to share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// SO_REUSEADDR.
    pub addr: bool,
    /// SO_REUSEPORT.
    pub port: bool,
    /// IPV6_V6ONLY, or an AF_INET socket: the unspecified address means one family.
    pub one_family: bool,
}

#[derive(Clone, Copy, Debug)]
struct Binding {
    addr: Addr,
    share: Share,
}

#[derive(Default)]
struct Port {
    bindings: Vec<Binding>,
    connections: u32,
}

/// Counters of how far the choice of ports has come, one for a share of the destinations (RFC 6056, 3.3.4).
const COUNTERS: usize = 16;

/// The ports.
#[derive(Default)]
pub struct Ports {
    used: BTreeMap<u16, Port>,
    /// How many of those that are chosen for applications are used.
    auto_used: u16,
    counters: [u16; COUNTERS],
}

/// Whether a port is one of those that are chosen for applications.
const fn is_auto(port: u16) -> bool {
    port >= FIRST_AUTO
}

impl Binding {
    /// Whether a segment could be for both.
    fn overlaps(&self, addr: Addr, share: Share) -> bool {
        let covers = |any: Addr, one_family: bool, addr: Addr| {
            any.is_unspecified() && (any.is_v4() == addr.is_v4() || (!any.is_v4() && !one_family))
        };
        self.addr == addr
            || covers(self.addr, self.share.one_family, addr)
            || covers(addr, share.one_family, self.addr)
    }
}

impl Ports {
    /// Binds an endpoint.
    ///
    /// # Errors
    /// EADDRINUSE; ENOBUFS without memory.
    pub fn bind(&mut self, local: Endpoint, share: Share) -> Result<(), Errno> {
        let port = self.entry(local.port);
        let conflict = |other: &Binding| {
            // Who sets SO_REUSEADDR gets a specific address beside the unspecified one, whatever that one's socket has set (in_pcbbind(9)).
            let differs = other.addr != local.addr && (share.addr || share.port);
            let shared = share.port && other.share.port || differs;
            other.overlaps(local.addr, share) && !shared
        };
        let taken = port.bindings.iter().any(conflict)
            || port.connections > 0 && port.bindings.is_empty() && !share.addr && !share.port;
        let result = if taken {
            Err(Errno::EADDRINUSE)
        } else if port.bindings.try_reserve(1).is_err() {
            Err(Errno::ENOBUFS)
        } else {
            port.bindings.push(Binding { addr: local.addr, share });
            Ok(())
        };
        self.tidy(local.port);
        result
    }

    /// Undoes [`Ports::bind`].
    pub fn unbind(&mut self, local: Endpoint) {
        if let Some(port) = self.used.get_mut(&local.port)
            && let Some(at) = port.bindings.iter().position(|binding| binding.addr == local.addr)
        {
            port.bindings.swap_remove(at);
        }
        self.tidy(local.port);
    }

    fn tidy(&mut self, port: u16) {
        if self.used.get(&port).is_some_and(|port| port.bindings.is_empty() && port.connections == 0) {
            self.used.remove(&port);
            self.auto_used -= u16::from(is_auto(port));
        }
    }

    fn entry(&mut self, port: u16) -> &mut Port {
        let Self { used, auto_used, .. } = self;
        used.entry(port).or_insert_with(|| {
            *auto_used += u16::from(is_auto(port));
            Port::default()
        })
    }

    /// A connection uses the port.
    pub fn hold(&mut self, port: u16) {
        self.entry(port).connections += 1;
    }

    /// A connection uses the port no longer.
    pub fn release(&mut self, port: u16) {
        if let Some(entry) = self.used.get_mut(&port) {
            entry.connections = entry.connections.saturating_sub(1);
        }
        self.tidy(port);
    }

    /// Whether nobody uses it.
    #[must_use]
    pub fn is_free(&self, port: u16) -> bool {
        !self.used.contains_key(&port)
    }

    /// Chooses a port for an endpoint and binds it: by a keyed hash of `what`, so that it cannot be foreseen, and from there on upward, each time from where the last
    /// choice ended, so that the ports that are in use are not gone over every time.
    ///
    /// # Errors
    /// EADDRNOTAVAIL if all are taken; ENOBUFS.
    pub fn choose(&mut self, addr: Addr, share: Share, key: Key, what: u64) -> Result<u16, Errno> {
        let count = LAST_AUTO - FIRST_AUTO + 1;
        let counter = (key.hash(&[what, 3]) % COUNTERS as u64) as usize;
        let start = key.hash(&[what, 2]).wrapping_add(self.counters[counter].into()) % u64::from(count);
        // Second to free ports those that only connections hold: most of them are in TIME_WAIT, the oldest come first.
        let held = |port: &Port| port.bindings.is_empty();
        for takes_held in [false, true] {
            if !takes_held && self.auto_used >= count {
                continue;
            }
            for step in 0..count {
                let port = FIRST_AUTO + (start as u16 + step) % count;
                if self.is_free(port) || takes_held && self.used.get(&port).is_some_and(held) {
                    self.counters[counter] = (self.counters[counter] + step + 1) % count;
                    let share = Share { addr: share.addr || takes_held, ..share };
                    return self.bind(Endpoint { addr, port }, share).map(|()| port);
                }
            }
        }
        Err(Errno::EADDRNOTAVAIL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Addr = Addr::UNSPECIFIED_V4;
    const HOME: Addr = Addr::LOOPBACK_V4;

    fn at(addr: Addr) -> Endpoint {
        Endpoint { addr, port: 80 }
    }

    fn share(addr: bool, port: bool) -> Share {
        Share { addr, port, one_family: true }
    }

    #[test]
    fn conflicts() {
        let mut ports = Ports::default();
        ports.bind(at(ANY), share(false, false)).unwrap();
        assert_eq!(ports.bind(at(HOME), share(false, false)), Err(Errno::EADDRINUSE));
        assert_eq!(ports.bind(at(ANY), share(true, true)), Err(Errno::EADDRINUSE));
        // An AF_INET6 socket for that family alone is no conflict, one for both is.
        ports.bind(at(Addr::UNSPECIFIED_V6), share(false, false)).unwrap();
        let both = Share { one_family: false, ..Share::default() };
        ports.unbind(at(Addr::UNSPECIFIED_V6));
        assert_eq!(ports.bind(at(Addr::UNSPECIFIED_V6), both), Err(Errno::EADDRINUSE));
        ports.unbind(at(ANY));
        assert!(ports.is_free(80));
        ports.bind(at(Addr::UNSPECIFIED_V6), both).unwrap();
        assert_eq!(ports.bind(at(HOME), share(false, false)), Err(Errno::EADDRINUSE));
    }

    #[test]
    fn sharing() {
        let mut ports = Ports::default();
        ports.bind(at(ANY), share(true, false)).unwrap();
        ports.bind(at(HOME), share(true, false)).unwrap();
        assert_eq!(ports.bind(at(HOME), share(true, false)), Err(Errno::EADDRINUSE));
        let mut ports = Ports::default();
        ports.bind(at(HOME), share(false, false)).unwrap();
        ports.bind(at(ANY), share(true, false)).unwrap();
        let mut ports = Ports::default();
        for _ in 0..4 {
            ports.bind(at(ANY), share(false, true)).unwrap();
        }
    }

    #[test]
    fn connections_hold() {
        let mut ports = Ports::default();
        ports.hold(80);
        assert_eq!(ports.bind(at(ANY), share(false, false)), Err(Errno::EADDRINUSE));
        ports.bind(at(ANY), share(true, false)).unwrap();
        ports.unbind(at(ANY));
        ports.release(80);
        assert!(ports.is_free(80));
    }

    #[test]
    fn all_can_be_had() {
        let mut ports = Ports::default();
        let total = usize::from(LAST_AUTO - FIRST_AUTO) + 1;
        for i in 0..total {
            ports.choose(HOME, Share::default(), Key([1, 2]), i as u64).unwrap();
        }
        assert_eq!(ports.choose(HOME, Share::default(), Key([1, 2]), 0), Err(Errno::EADDRNOTAVAIL));
    }

    /// What connections have left behind is taken again when nothing else is left, and each port once before the first a second time.
    #[test]
    fn the_oldest_comes_again() {
        let mut ports = Ports::default();
        let count = usize::from(LAST_AUTO - FIRST_AUTO) + 1;
        let mut connect = || {
            let port = ports.choose(HOME, Share::default(), Key([1, 2]), 7).unwrap();
            ports.hold(port);
            ports.unbind(Endpoint { addr: HOME, port });
            port
        };
        let chosen: Vec<u16> = (0..2 * count).map(|_| connect()).collect();
        let (first, again) = chosen.split_at(count);
        assert_eq!(first, again);
        let different: alloc::collections::BTreeSet<&u16> = first.iter().collect();
        assert_eq!(different.len(), count);
        for &port in &chosen {
            ports.release(port);
        }
        assert!(ports.used.is_empty() && ports.auto_used == 0);
    }
}

//! What a datagram or raw socket of IP has (struct inpcb): its addresses, its options, how it sends.

use alloc::rc::{Rc, Weak};
use core::cell::Cell;

use rump_abi::socket::{MSG_DONTROUTE, SO_BROADCAST, SO_DONTROUTE};
use rump_hypercall::net::Packet;
use rump_kern::Errno;
use rump_net::socket::State;
use rump_net::{Control, SockAddr, Socket};

use crate::addr::{Addr, Endpoint};
use crate::output::{self, Options, ip_output};
use crate::route::{self, RouteCache};
use crate::sockaddr::{self, Family};
use crate::sockopt::{InetOptions, SendOptions};
use crate::{config, ifnet};

/// A socket's addresses and options.
pub struct Pcb {
    /// The socket.
    pub so: Weak<Socket>,
    /// Its address family.
    pub family: Family,
    /// Its own address: unspecified if it takes what comes to any; the port is 0 before it has one.
    pub local: Cell<Endpoint>,
    /// Its peer; `None` if it is not connected.
    pub remote: Cell<Option<Endpoint>>,
    /// Its own address was chosen for it by connect(2).
    pub chosen: Cell<bool>,
    /// Options of IP.
    pub options: InetOptions,
    /// The way to the peer.
    pub route: RouteCache,
}

/// How a packet is sent: what socket, control messages and destination say together.
pub struct Way<'a> {
    /// From where.
    pub src: Addr,
    /// To where.
    pub dst: Endpoint,
    /// How.
    pub options: Options<'a>,
}

impl Pcb {
    /// Of a new socket.
    #[must_use]
    pub fn new(so: &Rc<Socket>, family: Family) -> Self {
        Self {
            so: Rc::downgrade(so),
            family,
            local: Cell::new(Endpoint { addr: family.unspecified(), port: 0 }),
            remote: Cell::new(None),
            chosen: Cell::new(false),
            options: InetOptions::new(family),
            route: RouteCache::default(),
        }
    }

    /// Whether it takes packets of the family of `addr`.
    #[must_use]
    pub fn takes_family(&self, addr: Addr) -> bool {
        match (self.family, addr.is_v4()) {
            (Family::V4, is_v4) => is_v4,
            (Family::V6, false) => !self.local.get().addr.is_v4(),
            (Family::V6, true) => {
                let local = self.local.get().addr;
                !self.options.v6_only.get() && (local.is_v4() || local.is_unspecified())
            }
        }
    }

    /// An address that a program gives, as one to send to or to connect with.
    ///
    /// # Errors
    /// As [`sockaddr::decode`]; EINVAL for an IPv4 address on a socket that has nothing to do with IPv4.
    pub fn peer_of(&self, addr: &SockAddr) -> Result<Endpoint, Errno> {
        let mut peer = sockaddr::decode(addr, self.family)?;
        if self.family == Family::V6 && peer.addr.is_v4() && self.options.v6_only.get() {
            return Err(Errno::EINVAL);
        }
        // Nowhere in particular is here.
        if peer.addr.is_unspecified() {
            peer.addr = if peer.addr.is_v4() { Addr::LOOPBACK_V4 } else { Addr::LOOPBACK_V6 };
        }
        Ok(peer)
    }

    /// An address that a program wants to be the socket's own.
    ///
    /// # Errors
    /// As [`sockaddr::decode`]; EADDRNOTAVAIL if it is not this host's.
    pub fn own_of(&self, addr: &SockAddr) -> Result<Endpoint, Errno> {
        let own = sockaddr::decode(addr, self.family)?;
        if self.family == Family::V6 && own.addr.is_v4() && self.options.v6_only.get() {
            return Err(Errno::EADDRNOTAVAIL);
        }
        check_own(own.addr)?;
        Ok(own)
    }

    /// getsockname(2).
    #[must_use]
    pub fn sock_name(&self) -> SockAddr {
        sockaddr::encode(self.local.get(), self.family)
    }

    /// getpeername(2).
    ///
    /// # Errors
    /// ENOTCONN.
    pub fn peer_name(&self) -> Result<SockAddr, Errno> {
        self.remote.get().map(|remote| sockaddr::encode(remote, self.family)).ok_or(Errno::ENOTCONN)
    }

    /// Sets the peer of a datagram socket, and its own address if it has none.
    ///
    /// # Errors
    /// EHOSTUNREACH, EADDRNOTAVAIL, EINTR.
    pub fn connect(&self, so: &Rc<Socket>, peer: Endpoint) -> Result<(), Errno> {
        let mut local = self.local.get();
        if local.addr.is_unspecified() {
            config::wait_for(peer.addr)?;
            let ifp = self.options.multicast_if.get().filter(|_| peer.addr.is_multicast());
            let path = Options { ifp, ..Options::default() }.path(peer.addr)?;
            local.addr = route::source(peer.addr, &path)?;
            self.chosen.set(true);
        } else if local.addr.is_v4() != peer.addr.is_v4() {
            return Err(Errno::EINVAL);
        }
        self.local.set(local);
        self.remote.set(Some(peer));
        so.connected();
        Ok(())
    }

    /// Takes the peer away.
    pub fn disconnect(&self, so: &Rc<Socket>) {
        if self.chosen.replace(false) {
            let port = self.local.get().port;
            self.local.set(Endpoint { addr: self.family.unspecified(), port });
        }
        self.remote.set(None);
        so.change(State::CONNECTED, State::empty());
    }

    /// How a packet to `to`, or to the peer, is sent.
    ///
    /// # Errors
    /// EDESTADDRREQ, EINVAL, EHOSTUNREACH, EADDRNOTAVAIL, EINTR.
    pub fn way<'a>(
        &'a self,
        so: &Socket,
        to: Option<&SockAddr>,
        control: Option<&Control>,
        flags: i32,
    ) -> Result<Way<'a>, Errno> {
        let dst = match (to, self.remote.get()) {
            (Some(to), _) => self.peer_of(to)?,
            (None, Some(remote)) => remote,
            (None, None) => return Err(Errno::EDESTADDRREQ),
        };
        let said = control.map_or_else(|| Ok(SendOptions::default()), SendOptions::read)?;
        let own = &self.options;
        let sticky =
            own.pktinfo.get().filter(|(addr, _)| addr.is_unspecified() || addr.is_v4() == dst.addr.is_v4());
        let multicast = dst.addr.is_multicast();
        let ifp = said.ifp.or_else(|| sticky.and_then(|(_, ifp)| ifp));
        let ifp = ifp.or_else(|| own.multicast_if.get().filter(|_| multicast));
        let ttl = if multicast { Some(own.multicast_ttl.get()) } else { own.ttl.get() };
        let options = Options {
            route: Some(&self.route),
            ifp,
            ttl: said.ttl.or(ttl),
            tos: said.tos.unwrap_or_else(|| own.tos_to(dst.addr)),
            dont_fragment: own.dont_fragment.get(),
            broadcast: so.option(SO_BROADCAST),
            no_loop: !own.multicast_loop.get(),
            dont_route: so.option(SO_DONTROUTE) || flags & MSG_DONTROUTE != 0,
        };
        let local = self.local.get().addr;
        let given = said.src.or_else(|| sticky.map(|(addr, _)| addr).filter(|addr| !addr.is_unspecified()));
        let src = match given {
            Some(src) => {
                check_own(src)?;
                src
            }
            None if !local.is_unspecified() => local,
            None => {
                config::wait_for(dst.addr)?;
                route::source(dst.addr, &options.path(dst.addr)?)?
            }
        };
        if src.is_v4() != dst.addr.is_v4() {
            return Err(Errno::EINVAL);
        }
        Ok(Way { src, dst, options })
    }
}

/// That `addr` may be a socket's own: unspecified, a group, a broadcast address, or an address of this host.
fn check_own(addr: Addr) -> Result<(), Errno> {
    let ok =
        addr.is_unspecified() || addr.is_multicast() || ifnet::is_broadcast(addr) || ifnet::is_local(addr);
    if ok { Ok(()) } else { Err(Errno::EADDRNOTAVAIL) }
}

impl Way<'_> {
    /// Sends the packet, and whatever that leads to.
    ///
    /// # Errors
    /// As [`ip_output`].
    pub fn send(&self, packet: Packet, protocol: u8) -> Result<(), Errno> {
        let result = ip_output(packet, self.src, self.dst.addr, protocol, &self.options);
        output::flush();
        result
    }
}

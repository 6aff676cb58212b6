//! What a socket of AF_LOCAL has (`struct unpcb`): its name, and who it is connected with.
//!
//! Two connected sockets refer to each other until one is closed; that one's `detach` takes both references away. Datagram sockets that are connected to
//! another's name are known to that one, so that they learn of its end.

use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::cell::{Cell, RefCell};

use rump_abi::socket::{AF_LOCAL, LOCAL_CONNWAIT, LOCAL_CREDS, LOCAL_PEEREID, SOCK_DGRAM, SOL_LOCAL};
use rump_kern::errno::Errno;
use rump_net::protocol::Direction;
use rump_net::socket::State;
use rump_net::{Outgoing, Protocol, SockAddr, Socket, options};

use crate::creds::PeerId;
use crate::name::{self, Bound};
use crate::transfer;

/// A socket's own.
#[derive(Default)]
pub(crate) struct Unpcb {
    /// The file that stands for it.
    bound: RefCell<Option<Bound>>,
    /// Its name: the file's, or that of the listening socket by which it came.
    name: RefCell<Option<SockAddr>>,
    /// The other side.
    pub peer: RefCell<Option<Rc<Socket>>>,
    /// Datagram sockets whose other side this is.
    followers: RefCell<Vec<Weak<Socket>>>,
    /// LOCAL_CREDS.
    pub wants_creds: Cell<bool>,
    /// LOCAL_CONNWAIT.
    waits_for_accept: Cell<bool>,
    /// Who is on the other side, or for a listening socket, who listens.
    peer_id: Cell<Option<PeerId>>,
}

/// Makes a new socket's.
pub(crate) fn attach(_so: &Rc<Socket>, protocol: i32) -> Result<Rc<dyn Protocol>, Errno> {
    if protocol != 0 {
        return Err(Errno::EPROTONOSUPPORT);
    }
    Ok(Rc::new(Unpcb::default()))
}

/// A socket's own, if it is of this family.
pub(crate) fn of(so: &Socket) -> Option<&Unpcb> {
    so.proto().as_any().downcast_ref()
}

/// The name of a socket; an empty one if it has none.
pub(crate) fn name_of(so: &Socket) -> SockAddr {
    let name = of(so).and_then(|pcb| pcb.name.borrow().clone());
    name.unwrap_or_else(|| SockAddr::unnamed(AF_LOCAL))
}

fn is_datagram(so: &Socket) -> bool {
    so.protosw.kind == SOCK_DGRAM
}

impl Unpcb {
    fn set_peer(&self, peer: Option<Rc<Socket>>) -> Option<Rc<Socket>> {
        core::mem::replace(&mut *self.peer.borrow_mut(), peer)
    }

    /// A datagram socket's other side becomes `target`.
    fn follow(&self, so: &Rc<Socket>, target: &Rc<Socket>) -> Result<(), Errno> {
        let other = of(target).ok_or(Errno::EPROTOTYPE)?;
        let mut followers = other.followers.borrow_mut();
        followers.try_reserve(1).map_err(|_| Errno::ENOBUFS)?;
        followers.push(Rc::downgrade(so));
        drop(followers);
        drop(self.set_peer(Some(Rc::clone(target))));
        so.connected();
        Ok(())
    }

    fn unfollow(&self, so: &Rc<Socket>) {
        let Some(target) = self.set_peer(None) else { return };
        if let Some(other) = of(&target) {
            let mut followers = other.followers.borrow_mut();
            if let Some(at) =
                followers.iter().position(|follower| core::ptr::eq(follower.as_ptr(), Rc::as_ptr(so)))
            {
                followers.swap_remove(at);
            }
        }
        so.change(State::CONNECTED, State::DISCONNECTED);
    }

    /// Connects two sockets that wait for each other.
    fn join(&self, so: &Rc<Socket>, other: &Rc<Socket>) -> Result<(), Errno> {
        let pcb = of(other).ok_or(Errno::EPROTOTYPE)?;
        drop(self.set_peer(Some(Rc::clone(other))));
        drop(pcb.set_peer(Some(Rc::clone(so))));
        Ok(())
    }

    fn connect_to_listener(&self, so: &Rc<Socket>, listener: &Rc<Socket>) -> Result<(), Errno> {
        let theirs = of(listener).ok_or(Errno::EPROTOTYPE)?;
        if !listener.is_listening() {
            return Err(Errno::ECONNREFUSED);
        }
        let new = Socket::new_connection(listener).ok_or(Errno::ECONNREFUSED)?;
        let pcb = of(&new).ok_or(Errno::EPROTOTYPE)?;
        // Its name is the listening socket's; the file is still that one's alone.
        pcb.name.borrow_mut().clone_from(&theirs.name.borrow());
        pcb.peer_id.set(Some(PeerId::current()));
        pcb.wants_creds.set(theirs.wants_creds.get());
        self.peer_id.set(theirs.peer_id.get());
        self.join(so, &new)?;
        if self.waits_for_accept.get() || theirs.waits_for_accept.get() {
            so.connecting();
        } else {
            so.connected();
        }
        if !new.connected() {
            self.separate(so);
            return Err(Errno::ECONNREFUSED);
        }
        Ok(())
    }

    /// Ends a connection: both sides learn of it.
    fn separate(&self, so: &Rc<Socket>) {
        let peer = self.set_peer(None);
        so.disconnected();
        if let Some(peer) = peer {
            let back = of(&peer).and_then(|pcb| pcb.set_peer(None));
            peer.disconnected();
            drop(back);
        }
    }
}

impl Protocol for Unpcb {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn detach(&self, so: &Rc<Socket>) {
        if let Some(bound) = self.bound.borrow_mut().take() {
            bound.unbind();
        }
        if is_datagram(so) {
            self.unfollow(so);
        } else {
            self.separate(so);
        }
        let followers = core::mem::take(&mut *self.followers.borrow_mut());
        for follower in followers.iter().filter_map(Weak::upgrade) {
            if let Some(pcb) = of(&follower) {
                drop(pcb.set_peer(None));
            }
            follower.change(State::CONNECTED, State::DISCONNECTED);
            follower.set_error(Errno::ECONNRESET);
        }
    }

    fn abort(&self, so: &Rc<Socket>) {
        let peer = self.peer.borrow().clone();
        self.separate(so);
        if let Some(peer) = peer {
            peer.set_error(Errno::ECONNRESET);
        }
    }

    fn bind(&self, so: &Rc<Socket>, addr: &SockAddr) -> Result<(), Errno> {
        if self.bound.borrow().is_some() {
            return Err(Errno::EINVAL);
        }
        let bound = name::bind(so, addr)?;
        *self.bound.borrow_mut() = Some(bound);
        *self.name.borrow_mut() = Some(addr.clone());
        Ok(())
    }

    fn listen(&self, _so: &Rc<Socket>) -> Result<(), Errno> {
        if self.bound.borrow().is_none() {
            return Err(Errno::EINVAL);
        }
        self.peer_id.set(Some(PeerId::current()));
        Ok(())
    }

    fn connect(&self, so: &Rc<Socket>, addr: &SockAddr) -> Result<(), Errno> {
        let target = name::find(addr)?;
        if target.protosw.kind != so.protosw.kind {
            return Err(Errno::EPROTOTYPE);
        }
        if is_datagram(so) { self.follow(so, &target) } else { self.connect_to_listener(so, &target) }
    }

    fn connect2(&self, so: &Rc<Socket>, other: &Rc<Socket>) -> Result<(), Errno> {
        let pcb = of(other).ok_or(Errno::EPROTOTYPE)?;
        for pcb in [self, pcb] {
            pcb.peer_id.set(Some(PeerId::current()));
        }
        if is_datagram(so) {
            self.follow(so, other)?;
            return pcb.follow(other, so);
        }
        self.join(so, other)?;
        so.connected();
        other.connected();
        Ok(())
    }

    fn disconnect(&self, so: &Rc<Socket>) -> Result<(), Errno> {
        if is_datagram(so) {
            self.unfollow(so);
        } else {
            self.separate(so);
        }
        Ok(())
    }

    fn accept(&self, _so: &Rc<Socket>) -> Result<SockAddr, Errno> {
        let peer = self.peer.borrow().clone();
        let Some(peer) = peer else { return Ok(SockAddr::unnamed(AF_LOCAL)) };
        if peer.has(State::CONNECTING) {
            peer.connected();
        }
        Ok(name_of(&peer))
    }

    fn shutdown(&self, so: &Rc<Socket>, direction: Direction) -> Result<(), Errno> {
        let peer = self.peer.borrow().clone();
        match direction {
            Direction::Write => {
                so.cant_send_more();
                if let Some(peer) = peer.filter(|_| !is_datagram(so)) {
                    peer.cant_recv_more();
                }
            }
            Direction::Read => {
                if let Some(peer) = peer.filter(|_| !is_datagram(so)) {
                    peer.wake_writers();
                }
            }
        }
        Ok(())
    }

    fn send_space(&self, so: &Rc<Socket>) -> usize {
        transfer::send_space(self, so)
    }

    fn send(&self, so: &Rc<Socket>, out: Outgoing<'_, '_>) -> Result<(), Errno> {
        transfer::send(self, so, out)
    }

    fn received(&self, so: &Rc<Socket>) {
        transfer::received(self, so);
    }

    fn sock_name(&self, so: &Rc<Socket>) -> Result<SockAddr, Errno> {
        Ok(name_of(so))
    }

    fn peer_name(&self, _so: &Rc<Socket>) -> Result<SockAddr, Errno> {
        let peer = self.peer.borrow();
        Ok(peer.as_ref().map_or_else(|| SockAddr::unnamed(AF_LOCAL), |peer| name_of(peer)))
    }

    fn set_option(&self, _so: &Rc<Socket>, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
        match (level, name) {
            (SOL_LOCAL, LOCAL_CREDS) => self.wants_creds.set(options::int(value)? != 0),
            (SOL_LOCAL, LOCAL_CONNWAIT) => self.waits_for_accept.set(options::int(value)? != 0),
            _ => return Err(Errno::ENOPROTOOPT),
        }
        Ok(())
    }

    fn get_option(&self, _so: &Rc<Socket>, level: i32, name: i32, value: &mut Vec<u8>) -> Result<(), Errno> {
        let flag = match (level, name) {
            (SOL_LOCAL, LOCAL_PEEREID) => {
                value.clear();
                self.peer_id.get().ok_or(Errno::ENOTCONN)?.write(value);
                return Ok(());
            }
            (SOL_LOCAL, LOCAL_CREDS) => &self.wants_creds,
            (SOL_LOCAL, LOCAL_CONNWAIT) => &self.waits_for_accept,
            _ => return Err(Errno::ENOPROTOOPT),
        };
        value.clear();
        value.extend_from_slice(&i32::from(flag.get()).to_le_bytes());
        Ok(())
    }
}

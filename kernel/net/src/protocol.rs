//! What a protocol offers the socket layer (struct protosw, struct domain and struct pr_usrreqs of NetBSD).
//!
//! A component of faction net registers a [`Domain`] from its init function: an address family with its protocols. Opening a socket calls the
//! [`ProtoSw::attach`] of one of them, which makes the socket's own [`Protocol`] object (NetBSD's protocol control block).
//!
//! # Lifetimes
//! The socket owns its protocol object. The object knows its socket by a `Weak` that it may keep; a strong reference to the socket it takes only
//! from [`Protocol::detach`] on, when the descriptor is gone and there are data to be delivered still, and gives up when it is done.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::any::Any;

use bitflags::bitflags;
use rump_hypercall::Giant;
use rump_kern::errno::Errno;
use rump_kern::uio::Uio;

use crate::control::Control;
use crate::sockaddr::SockAddr;
use crate::socket::Socket;

bitflags! {
    /// How a protocol behaves (`pr_flags`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PrFlags: u16 {
        /// Records: each send is one, and each receive takes one. Otherwise a stream of bytes.
        const ATOMIC = 0x01;
        /// Each record comes with its sender's address.
        const ADDR = 0x02;
        /// Sending and receiving need a connection.
        const CONNREQUIRED = 0x04;
        /// [`Protocol::received`] is to be called.
        const WANTRCVD = 0x08;
        /// Descriptors can be passed.
        const RIGHTS = 0x10;
        /// listen(2) is possible.
        const LISTEN = 0x40;
    }
}

/// Makes a socket's protocol object.
pub type Attach = fn(so: &Rc<Socket>, protocol: i32) -> Result<Rc<dyn Protocol>, Errno>;

/// A protocol of a domain.
pub struct ProtoSw {
    /// SOCK_ number.
    pub kind: i32,
    /// IPPROTO_ number; 0 fits any that nobody else has, where `kind` is SOCK_RAW.
    pub protocol: i32,
    /// How it behaves.
    pub flags: PrFlags,
    /// What SO_SNDBUF is at first, bytes.
    pub send_space: usize,
    /// What SO_RCVBUF is at first, bytes.
    pub recv_space: usize,
    /// Makes a new socket's protocol object. `protocol` is what socket(2) was given, 0 if it was left open.
    pub attach: Attach,
}

/// An address family.
pub struct Domain {
    /// AF_ number.
    pub family: i32,
    /// Its name, for messages.
    pub name: &'static str,
    /// Its protocols; of several of one kind the first is the default.
    pub protocols: &'static [ProtoSw],
}

static DOMAINS: Giant<Vec<&'static Domain>> = Giant::new(Vec::new());

/// domain_attach(9): adds an address family. For the init function of a component; again is no harm.
pub fn register(domain: &'static Domain) {
    let mut domains = DOMAINS.borrow_mut();
    if !domains.iter().any(|other| other.family == domain.family) {
        domains.push(domain);
    }
}

/// pffinddomain(9), pffindproto(9): who is responsible for a socket like this.
///
/// # Errors
/// EAFNOSUPPORT, EPROTOTYPE, EPROTONOSUPPORT.
pub fn find(family: i32, kind: i32, protocol: i32) -> Result<(&'static Domain, &'static ProtoSw), Errno> {
    let domains = DOMAINS.borrow();
    let domain = *domains.iter().find(|domain| domain.family == family).ok_or(Errno::EAFNOSUPPORT)?;
    let all = domain.protocols;
    if protocol == 0 {
        let found = all.iter().find(|proto| proto.kind == kind).ok_or(Errno::EPROTOTYPE)?;
        return Ok((domain, found));
    }
    let exact = |proto: &&ProtoSw| proto.protocol == protocol && proto.kind == kind;
    let raw =
        |proto: &&ProtoSw| kind == rump_abi::socket::SOCK_RAW && proto.kind == kind && proto.protocol == 0;
    if let Some(found) = all.iter().find(exact).or_else(|| all.iter().find(raw)) {
        return Ok((domain, found));
    }
    Err(Errno::EPROTONOSUPPORT)
}

/// What is to be sent.
pub struct Outgoing<'a, 'u> {
    /// Where the data are. A protocol of records takes all of it, another at most [`Outgoing::max`] bytes.
    pub uio: &'a mut Uio<'u>,
    /// How many bytes there is room for, as [`Protocol::send_space`] said a moment ago, and at most what `uio` has.
    pub max: usize,
    /// To whom, if the caller said; the socket is not connected then.
    pub to: Option<&'a SockAddr>,
    /// Control messages. With the first piece of a transfer only.
    pub control: Option<Control>,
    /// MSG_OOB, MSG_DONTROUTE, MSG_EOR, MSG_DONTWAIT.
    pub flags: i32,
    /// More of the same transfer follows at once: TCP need not push yet.
    pub more_to_come: bool,
}

/// Which direction of a connection shutdown(2) ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// SHUT_RD.
    Read,
    /// SHUT_WR.
    Write,
}

/// A socket's protocol object. No method sleeps.
///
/// # Errors
/// What the manual pages of the system calls say. An operation that a protocol does not have fails with EOPNOTSUPP.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait Protocol {
    /// For the protocol itself.
    fn as_any(&self) -> &dyn Any;

    /// The last descriptor is gone (and the time of SO_LINGER is over). What cannot be delivered any more is let go; no more calls come.
    fn detach(&self, so: &Rc<Socket>);

    /// The connection ends without ceremony, since whoever listened for it is gone: the other side sees a reset. [`Protocol::detach`] follows.
    fn abort(&self, so: &Rc<Socket>) {
        let _ = so;
    }

    /// bind(2).
    fn bind(&self, so: &Rc<Socket>, addr: &SockAddr) -> Result<(), Errno>;

    /// listen(2); the socket's limit is set already.
    fn listen(&self, _so: &Rc<Socket>) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// connect(2): begins a connection, or sets the address of a datagram socket's peer. Calls [`Socket::connecting`] and later
    /// [`Socket::connected`] or [`Socket::set_error`] and [`Socket::disconnected`]; or [`Socket::connected`] at once.
    fn connect(&self, _so: &Rc<Socket>, _addr: &SockAddr) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// socketpair(2): connects two new sockets with each other.
    fn connect2(&self, _so: &Rc<Socket>, _other: &Rc<Socket>) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// Ends the connection in an orderly way: calls [`Socket::disconnecting`], or [`Socket::disconnected`] where that takes no time. Called for connected
    /// sockets before [`Protocol::detach`], and when a datagram socket is connected anew.
    fn disconnect(&self, _so: &Rc<Socket>) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// accept(2) hands this connection out: the peer's address.
    fn accept(&self, so: &Rc<Socket>) -> Result<SockAddr, Errno> {
        self.peer_name(so)
    }

    /// shutdown(2). The socket has noted that for itself ([`Socket::cant_recv_more`]; for writing the protocol says
    /// [`Socket::cant_send_more`]).
    fn shutdown(&self, so: &Rc<Socket>, direction: Direction) -> Result<(), Errno>;

    /// Bytes that can be sent now. Where data wait in the socket's own send buffer, that one's room.
    fn send_space(&self, so: &Rc<Socket>) -> usize {
        so.snd.space()
    }

    /// Takes data to be sent: into [`Socket::snd`], or to whom they go.
    fn send(&self, so: &Rc<Socket>, out: Outgoing<'_, '_>) -> Result<(), Errno>;

    /// Data were taken out of [`Socket::rcv`], so there is room again ([`PrFlags::WANTRCVD`]).
    fn received(&self, _so: &Rc<Socket>) {}

    /// Bytes that were sent and that the other side has not acknowledged (FIONWRITE).
    fn unsent(&self, so: &Rc<Socket>) -> usize {
        so.snd.len()
    }

    /// Somebody is about to sleep for the socket: what has come in by the interfaces is taken in first. True if there was something, so that it is worth looking
    /// again.
    fn before_sleep(&self, _so: &Rc<Socket>) -> bool {
        false
    }

    /// getsockname(2).
    fn sock_name(&self, so: &Rc<Socket>) -> Result<SockAddr, Errno>;

    /// getpeername(2); the socket is connected.
    fn peer_name(&self, so: &Rc<Socket>) -> Result<SockAddr, Errno>;

    /// setsockopt(2) of a level that is not SOL_SOCKET, and of those SOL_SOCKET options that a protocol has to know of, after the socket noted them. For the latter
    /// a result is disregarded.
    fn set_option(&self, _so: &Rc<Socket>, _level: i32, _name: i32, _value: &[u8]) -> Result<(), Errno> {
        Err(Errno::ENOPROTOOPT)
    }

    /// getsockopt(2) of a level that is not SOL_SOCKET: fills `value`, which holds what getsockopt2(2) was given, or nothing. A result that is longer than
    /// the caller's room is cut off.
    fn get_option(
        &self,
        _so: &Rc<Socket>,
        _level: i32,
        _name: i32,
        _value: &mut Vec<u8>,
    ) -> Result<(), Errno> {
        Err(Errno::ENOPROTOOPT)
    }

    /// ioctl(2): those that the socket layer does not know; `data` holds the argument, and is where the answer goes.
    fn ioctl(&self, _so: &Rc<Socket>, _cmd: u64, _data: &mut [u8]) -> Result<i32, Errno> {
        Err(Errno::ENOTTY)
    }
}

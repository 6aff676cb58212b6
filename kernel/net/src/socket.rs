//! Sockets (`struct socket`, uipc_socket2 of NetBSD): state, and what protocols tell of it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::rc::{Rc, Weak};
use core::cell::{Cell, OnceCell, RefCell};

use bitflags::bitflags;
use rump_abi::socket::{SO_ACCEPTCONN, SO_DEFOPTS, SO_LINGER, SO_RERROR};
use rump_hypercall::Giant;
use rump_hypercall::sync::CondVar;
use rump_kern::clock::{Timespec, nanotime};
use rump_kern::errno::Errno;
use rump_kern::signal::{number::SIGIO, psignal};

use crate::protocol::{self, Domain, PrFlags, ProtoSw, Protocol};
use crate::sockbuf::SockBuf;

/// Room that makes a stream socket ready to be written to, bytes (MCLBYTES).
const SEND_LOW_WATER: usize = 2048;

/// Most connections that wait to be accepted (kern.somaxconn).
pub const SOMAXCONN_MAX: usize = 4096;

bitflags! {
    /// `so_state`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct State: u16 {
        /// Connected.
        const CONNECTED = 0x01;
        /// Becoming connected.
        const CONNECTING = 0x02;
        /// Becoming disconnected.
        const DISCONNECTING = 0x04;
        /// Was connected once.
        const DISCONNECTED = 0x08;
        /// Nothing can be sent any more.
        const CANTSENDMORE = 0x10;
        /// Nothing more will be received.
        const CANTRCVMORE = 0x20;
        /// Readiness is told by SIGIO (O_ASYNC).
        const ASYNC = 0x40;
        /// A connection was begun, and its outcome has not been told yet.
        const CONNECT_PENDING = 0x80;
    }
}

/// What a socket that listens has.
#[derive(Default)]
struct Listener {
    /// Connections that wait to be accepted, the oldest first.
    complete: VecDeque<Rc<Socket>>,
    /// How many are being established.
    incomplete: usize,
    /// listen(2)'s limit.
    limit: usize,
}

/// A socket.
pub struct Socket {
    /// Its protocol's description.
    pub protosw: &'static ProtoSw,
    /// Its address family.
    pub domain: &'static Domain,
    /// The protocol's number, as socket(2) was told; the description's where that left it open.
    pub protocol: i32,
    /// What was received.
    pub rcv: SockBuf,
    /// What is to be sent.
    pub snd: SockBuf,
    /// Who waits for a connection to be made or ended.
    pub cv: CondVar,
    /// SO_LINGER's time, seconds.
    pub linger_s: Cell<u16>,
    /// SIOCSPGRP: who gets SIGIO.
    pub owner: Cell<i32>,
    /// SO_OVERFLOWED: messages that found no room.
    pub overflowed: Cell<u64>,
    /// What fstat(2) says of when it was made.
    pub birthtime: Timespec,
    /// Its number, as fstat(2) has it.
    pub ino: u64,
    /// Keeps the protocol's state: see [`Socket::proto`].
    pcb: OnceCell<Rc<dyn Protocol>>,
    options: Cell<i32>,
    state: Cell<State>,
    error: Cell<Option<Errno>>,
    listener: RefCell<Option<Box<Listener>>>,
    /// The listening socket that the connection came in by, until it is accepted.
    head: RefCell<Weak<Self>>,
    /// It is counted among the incomplete ones of `head`.
    counted: Cell<bool>,
}

static NEXT_INO: Giant<u64> = Giant::new(1);

impl Socket {
    fn bare(domain: &'static Domain, protosw: &'static ProtoSw, protocol: i32) -> Self {
        let ino = NEXT_INO.get();
        NEXT_INO.set(ino + 1);
        Self {
            protosw,
            domain,
            protocol,
            rcv: SockBuf::new(protosw.recv_space, 1),
            snd: SockBuf::new(protosw.send_space, SEND_LOW_WATER.min(protosw.send_space)),
            cv: CondVar::new(),
            linger_s: Cell::new(0),
            owner: Cell::new(0),
            overflowed: Cell::new(0),
            birthtime: nanotime(),
            ino,
            pcb: OnceCell::new(),
            options: Cell::new(0),
            state: Cell::new(State::empty()),
            error: Cell::new(None),
            listener: RefCell::new(None),
            head: RefCell::new(Weak::new()),
            counted: Cell::new(false),
        }
    }

    fn attached(self, proto: i32) -> Result<Rc<Self>, Errno> {
        let so = Rc::new(self);
        let pcb = (so.protosw.attach)(&so, proto)?;
        // Nobody else could have set it.
        let _ = so.pcb.set(pcb);
        Ok(so)
    }

    /// socreate: a new socket.
    ///
    /// # Errors
    /// EAFNOSUPPORT, EPROTOTYPE, EPROTONOSUPPORT; what the protocol says.
    pub fn create(family: i32, kind: i32, proto: i32) -> Result<Rc<Self>, Errno> {
        let (domain, protosw) = protocol::find(family, kind, proto)?;
        let number = if proto == 0 { protosw.protocol } else { proto };
        Self::bare(domain, protosw, number).attached(proto)
    }

    /// sonewconn: a socket for a connection that came in for `listener`. `None` if its queue is full, or there is no memory: the connection is to be
    /// refused, or its request dropped.
    ///
    /// It has the listener's options and buffer sizes. It is among the incomplete ones until the protocol says [`Socket::connected`], which puts it where
    /// accept(2) finds it, or [`Socket::disconnected`].
    #[must_use]
    pub fn new_connection(listener: &Rc<Self>) -> Option<Rc<Self>> {
        {
            let queue = listener.listener.borrow();
            let queue = queue.as_ref()?;
            // As in NetBSD, some more than asked for may be under way.
            if queue.complete.len() + queue.incomplete > queue.limit.saturating_mul(3) / 2 {
                return None;
            }
        }
        let new = Self::bare(listener.domain, listener.protosw, listener.protocol);
        new.options.set(listener.options.get() & (SO_DEFOPTS | SO_LINGER));
        new.linger_s.set(listener.linger_s.get());
        new.owner.set(listener.owner.get());
        for (to, from) in [(&new.rcv, &listener.rcv), (&new.snd, &listener.snd)] {
            to.limit.set(from.limit.get());
            to.low_water.set(from.low_water.get());
            to.timeout_ns.set(from.timeout_ns.get());
            to.fixed_size.set(from.fixed_size.get());
        }
        *new.head.borrow_mut() = Rc::downgrade(listener);
        let so = new.attached(listener.protocol).ok()?;
        if let Some(queue) = &mut *listener.listener.borrow_mut() {
            queue.incomplete += 1;
        }
        so.counted.set(true);
        Some(so)
    }

    /// Its protocol object.
    ///
    /// # Panics
    /// From inside the protocol's own `attach`.
    #[inline]
    #[must_use]
    pub fn proto(&self) -> &Rc<dyn Protocol> {
        self.pcb.get().expect("a socket has its protocol from its beginning on")
    }

    /// Whether its protocol is like that.
    #[inline]
    #[must_use]
    pub fn is(&self, flags: PrFlags) -> bool {
        self.protosw.flags.contains(flags)
    }

    /// Whether all of these hold.
    #[inline]
    #[must_use]
    pub fn has(&self, state: State) -> bool {
        self.state.get().contains(state)
    }

    /// Sets and clears state.
    #[inline]
    pub fn change(&self, clear: State, set: State) {
        self.state.set((self.state.get() - clear) | set);
    }

    /// SO_ options that are on, as a mask.
    #[inline]
    #[must_use]
    pub fn options(&self) -> i32 {
        self.options.get()
    }

    /// Whether an option of SOL_SOCKET that is a bit is on.
    #[inline]
    #[must_use]
    pub fn option(&self, option: i32) -> bool {
        self.options.get() & option != 0
    }

    /// Switches an option of SOL_SOCKET that is a bit.
    pub fn set_option_bit(&self, option: i32, on: bool) {
        let rest = self.options.get() & !option;
        self.options.set(if on { rest | option } else { rest });
    }

    /// Whether it listens.
    #[inline]
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.option(SO_ACCEPTCONN)
    }

    /// The error that waits to be told.
    #[inline]
    #[must_use]
    pub fn error(&self) -> Option<Errno> {
        self.error.get()
    }

    /// Takes the error that waits to be told.
    #[inline]
    #[must_use]
    pub fn take_error(&self) -> Option<Errno> {
        self.error.take()
    }

    /// An error has come to the socket: the next operation tells it.
    pub fn set_error(&self, errno: Errno) {
        self.error.set(Some(errno));
        self.wake_connectors();
        self.wake_readers();
        self.wake_writers();
    }

    /// soroverflow: a message found no room.
    pub fn overflow(&self) {
        self.overflowed.set(self.overflowed.get().saturating_add(1));
        if self.option(SO_RERROR) {
            self.set_error(Errno::ENOBUFS);
        }
    }

    fn wake_connectors(&self) {
        if self.cv.has_waiters() {
            self.cv.broadcast();
        }
    }

    /// sorwakeup: there is something to be received, or to be accepted.
    #[inline]
    pub fn wake_readers(&self) {
        self.rcv.wake();
        if self.has(State::ASYNC) {
            self.sigio();
        }
    }

    /// sowwakeup: there is room to send.
    #[inline]
    pub fn wake_writers(&self) {
        self.snd.wake();
        if self.has(State::ASYNC) {
            self.sigio();
        }
    }

    fn sigio(&self) {
        // There is one process, and its group.
        if let Some(proc) = rump_kern::proc::proc0().filter(|proc| self.owner.get().abs() == proc.pid) {
            psignal(proc, SIGIO);
        }
    }

    /// soisconnecting: a connection is being made.
    pub fn connecting(&self) {
        self.change(State::CONNECTED | State::DISCONNECTING, State::CONNECTING);
    }

    /// soisconnected: a connection is there. One that came in by a listening socket can be accepted from now on. False if that is
    /// gone meanwhile: the protocol ends the connection.
    pub fn connected(self: &Rc<Self>) -> bool {
        self.change(State::CONNECTING | State::DISCONNECTING, State::CONNECTED);
        if self.counted.get() {
            let head = self.head.borrow().upgrade();
            self.uncount();
            let Some(head) = head else { return false };
            {
                let mut queue = head.listener.borrow_mut();
                let Some(queue) = queue.as_mut() else { return false };
                if queue.complete.try_reserve(1).is_err() {
                    return false;
                }
                queue.complete.push_back(Rc::clone(self));
            }
            head.wake_readers();
            return true;
        }
        self.wake_connectors();
        self.wake_readers();
        self.wake_writers();
        true
    }

    /// It is not counted among the incomplete ones of its listening socket any more.
    fn uncount(&self) {
        if self.counted.replace(false)
            && let Some(head) = self.head.borrow().upgrade()
            && let Some(queue) = &mut *head.listener.borrow_mut()
        {
            queue.incomplete -= 1;
        }
    }

    /// soisdisconnecting: the connection ends; nothing can be sent or received any more.
    pub fn disconnecting(&self) {
        self.change(State::CONNECTING, State::DISCONNECTING | State::CANTRCVMORE | State::CANTSENDMORE);
        self.wake_connectors();
        self.wake_writers();
        self.wake_readers();
    }

    /// soisdisconnected: the connection has ended.
    pub fn disconnected(&self) {
        self.uncount();
        self.change(
            State::CONNECTING | State::CONNECTED | State::DISCONNECTING,
            State::CANTRCVMORE | State::CANTSENDMORE | State::DISCONNECTED,
        );
        self.snd.flush();
        self.wake_connectors();
        self.wake_writers();
        self.wake_readers();
    }

    /// socantsendmore: nothing can be sent any more.
    pub fn cant_send_more(&self) {
        self.change(State::empty(), State::CANTSENDMORE);
        self.wake_writers();
    }

    /// socantrcvmore: nothing more will be received; what is there can be read.
    pub fn cant_recv_more(&self) {
        self.change(State::empty(), State::CANTRCVMORE);
        self.wake_readers();
    }

    /// listen(2)'s part that is the socket's: it has a queue from now on, of this limit.
    pub fn set_listening(&self, limit: usize) {
        self.listener.borrow_mut().get_or_insert_default().limit = limit;
        self.set_option_bit(SO_ACCEPTCONN, true);
    }

    /// How many connections wait to be accepted, and how many may.
    #[must_use]
    pub fn accept_queue(&self) -> (usize, usize) {
        self.listener.borrow().as_ref().map_or((0, 0), |queue| (queue.complete.len(), queue.limit))
    }

    /// Takes the connection that waits longest to be accepted.
    #[must_use]
    pub fn take_connection(&self) -> Option<Rc<Self>> {
        let so = self.listener.borrow_mut().as_mut()?.complete.pop_front()?;
        *so.head.borrow_mut() = Weak::new();
        Some(so)
    }

    /// Shows the connections that wait to be accepted.
    pub fn each_waiting(&self, see: &mut dyn FnMut(&Rc<Self>)) {
        if let Some(queue) = &*self.listener.borrow() {
            queue.complete.iter().for_each(see);
        }
    }

    /// The end of listening: the connections that nobody accepted.
    #[must_use]
    pub fn take_listener(&self) -> VecDeque<Rc<Self>> {
        self.listener.borrow_mut().take().map_or_else(VecDeque::new, |queue| queue.complete)
    }
}

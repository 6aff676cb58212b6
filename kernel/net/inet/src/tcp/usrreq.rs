//! What sockets ask of TCP (`tcp_usrreq`, tcp(4)).

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::Cell;

use rump_abi::socket::{MSG_OOB, SO_KEEPALIVE, SO_LINGER, SO_REUSEADDR, SO_REUSEPORT};
use rump_kern::Errno;
use rump_net::protocol::Direction;
use rump_net::socket::State as SoState;
use rump_net::{Outgoing, Protocol, SockAddr, Socket};

use super::demux::Tuple;
use super::engine::ConnId;
use super::glue::{
    forget_listener, forget_socket, look, note_listener, note_socket, settle, with_conn, with_engine,
};
use super::ports::Share;
use super::stream::NoBufs;
use super::tcb::{Options, State, Tcb};
use crate::addr::Endpoint;
use crate::pcb::Pcb;
use crate::sockaddr::Family;
use crate::{config, ioctl, netisr, output, route};

/// What SO_SNDBUF is at first; it grows with the congestion window.
pub const SEND_SPACE: usize = 64 << 10;
/// What SO_RCVBUF is at first; it grows with the rate.
pub const RECV_SPACE: usize = 64 << 10;

/// The socket layer lets a half more wait than asked for, as in NetBSD.
fn queue_room(so: &Socket) -> usize {
    let (waiting, limit) = so.accept_queue();
    (limit * 3 / 2 + 1).saturating_sub(waiting)
}

/// A TCP socket's protocol object.
pub(super) struct TcpProtocol {
    pub pcb: Pcb,
    pub conn: Cell<Option<ConnId>>,
    pub listener: Cell<Option<u32>>,
    /// The listener through which the connection came.
    from: Cell<Option<u32>>,
    /// The endpoint that was bound, to be given back.
    bound: Cell<Option<Endpoint>>,
    /// Options of TCP; connections have their own copy.
    pub options: Cell<Options>,
}

fn attach(so: &Rc<Socket>, family: Family) -> Result<Rc<dyn Protocol>, Errno> {
    Ok(Rc::new(TcpProtocol {
        pcb: Pcb::new(so, family),
        conn: Cell::new(None),
        listener: Cell::new(None),
        from: Cell::new(None),
        bound: Cell::new(None),
        options: Cell::new(Options::default()),
    }))
}

/// A new AF_INET socket.
///
/// # Errors
/// None.
pub fn attach4(so: &Rc<Socket>, _protocol: i32) -> Result<Rc<dyn Protocol>, Errno> {
    attach(so, Family::V4)
}

/// A new AF_INET6 socket.
///
/// # Errors
/// None.
pub fn attach6(so: &Rc<Socket>, _protocol: i32) -> Result<Rc<dyn Protocol>, Errno> {
    attach(so, Family::V6)
}

/// The protocol object of a TCP socket.
fn of(so: &Socket) -> Option<&TcpProtocol> {
    so.proto().as_any().downcast_ref()
}

/// Makes sockets of a listener's complete connections, as far as its queue takes them.
pub(super) fn take_connections(index: u32, so: &Rc<Socket>) {
    let Some(listening) = of(so) else { return };
    while with_engine(|engine, _, _| engine.waiting_connections(index)) > 0 {
        let Some(new) = Socket::new_connection(so) else { break };
        let Some(protocol) = of(&new) else { break };
        let accepted = with_engine(|engine, _, _| {
            let id = engine.accept(index)?;
            engine.get(id).map(|tcb| (id, tcb.tuple))
        });
        let Some((id, tuple)) = accepted else {
            new.disconnected();
            break;
        };
        protocol.conn.set(Some(id));
        protocol.from.set(Some(index));
        protocol.options.set(listening.options.get());
        protocol.pcb.options.inherit(&listening.pcb.options);
        protocol.pcb.local.set(tuple.local);
        protocol.pcb.remote.set(Some(tuple.remote));
        if note_socket(id, &new).is_err() || !new.connected() {
            protocol.abort(&new);
            protocol.detach(&new);
        }
    }
    update_backlog(index, so);
}

fn update_backlog(index: u32, so: &Socket) {
    let room = queue_room(so);
    with_engine(|engine, _, _| {
        if let Some(listener) = engine.listener_mut(index) {
            listener.backlog = room;
        }
    });
}

impl TcpProtocol {
    fn share(&self, so: &Socket) -> Share {
        Share {
            addr: so.option(SO_REUSEADDR),
            port: so.option(SO_REUSEPORT),
            one_family: self.pcb.family == Family::V4 || self.pcb.options.v6_only.get(),
        }
    }

    /// Binds an endpoint; a port of 0 means any.
    fn bind_to(&self, so: &Socket, mut local: Endpoint, what: u64) -> Result<(), Errno> {
        let share = self.share(so);
        with_engine(|engine, _, _| {
            if local.port == 0 {
                local.port = engine.choose_port(local.addr, share, what)?;
                return Ok(());
            }
            engine.bind_port(local, share)
        })?;
        self.bound.set(Some(local));
        self.pcb.local.set(local);
        Ok(())
    }

    /// Who connects is refused from now on.
    fn stop_listening(&self) {
        if let Some(index) = self.listener.take() {
            forget_listener(index);
            with_engine(|engine, now_ns, net| engine.unlisten(now_ns, net, index));
            settle();
            output::flush();
        }
    }

    fn unbind(&self) {
        if let Some(local) = self.bound.take() {
            with_engine(|engine, _, _| engine.unbind_port(local));
        }
    }

    /// The options for a connection, from all layers' settings.
    pub fn current_options(&self, so: &Socket) -> Options {
        let remote = self.pcb.remote.get().unwrap_or_else(|| self.pcb.local.get());
        Options {
            keep_alive: so.option(SO_KEEPALIVE),
            rcvbuf: so.rcv.fixed_size.get().then(|| so.rcv.limit.get()),
            sndbuf: so.snd.fixed_size.get().then(|| so.snd.limit.get()),
            ttl: self.pcb.options.ttl.get(),
            tos: self.pcb.options.tos_to(remote.addr),
            ..self.options.get()
        }
    }

    /// An option has changed: the connection and the listener are told.
    pub fn options_changed(&self, so: &Socket) {
        let options = self.current_options(so);
        if let Some(id) = self.conn.get() {
            with_conn(id, |tcb, cx| {
                let old = core::mem::replace(&mut tcb.options, options);
                if let Some(limit) = options.rcvbuf {
                    (tcb.rcv_limit, tcb.rcv_max) = (limit, limit);
                }
                if let Some(limit) = options.sndbuf {
                    tcb.snd_limit = limit;
                }
                if tcb.state.is_synchronised() {
                    tcb.set_mss();
                    let timing = |it: &Options| (it.keep_alive, it.keep_idle_s);
                    if timing(&old) != timing(&options) {
                        tcb.start_keep(cx.now_ns);
                    }
                    // TCP_NODELAY sets free what waits.
                    tcb.output(cx);
                }
            });
            settle();
            output::flush();
        }
        if let Some(index) = self.listener.get() {
            with_engine(|engine, _, _| {
                if let Some(listener) = engine.listener_mut(index) {
                    listener.options = options;
                }
            });
        }
    }

    /// Does something with the connection, if there is one, and what follows from it.
    fn act<R>(&self, f: impl FnOnce(&mut Tcb, &mut super::Context<'_>) -> R) -> Option<R> {
        let result = with_conn(self.conn.get()?, f);
        settle();
        output::flush();
        result
    }
}

impl Protocol for TcpProtocol {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn detach(&self, _so: &Rc<Socket>) {
        if let Some(id) = self.conn.take() {
            forget_socket(id);
            with_engine(|engine, now_ns, net| engine.detach(now_ns, net, id));
        }
        self.stop_listening();
        self.unbind();
        self.pcb.options.leave_all();
        settle();
        output::flush();
    }

    fn abort(&self, _so: &Rc<Socket>) {
        if let Some(id) = self.conn.get() {
            with_engine(|engine, now_ns, net| engine.abort(now_ns, net, id));
            settle();
            output::flush();
        }
    }

    fn bind(&self, so: &Rc<Socket>, addr: &SockAddr) -> Result<(), Errno> {
        if self.bound.get().is_some() || self.conn.get().is_some() {
            return Err(Errno::EINVAL);
        }
        let local = self.pcb.own_of(addr)?;
        if local.addr.is_multicast() {
            return Err(Errno::EADDRNOTAVAIL);
        }
        self.bind_to(so, local, u64::from(local.port))
    }

    fn listen(&self, so: &Rc<Socket>) -> Result<(), Errno> {
        if self.conn.get().is_some() {
            return Err(Errno::EISCONN);
        }
        if self.listener.get().is_some() {
            return Ok(());
        }
        if self.bound.get().is_none() {
            self.bind_to(so, self.pcb.local.get(), 0)?;
        }
        let local = self.pcb.local.get();
        let share = self.share(so);
        let options = self.current_options(so);
        // The socket's limit bounds what waits; the engine's queue empties into the socket's at once.
        let index = with_engine(|engine, _, _| engine.listen(local, share.one_family, 1, options))?;
        if let Err(errno) = note_listener(index, so) {
            with_engine(|engine, now_ns, net| engine.unlisten(now_ns, net, index));
            return Err(errno);
        }
        self.listener.set(Some(index));
        Ok(())
    }

    fn connect(&self, so: &Rc<Socket>, addr: &SockAddr) -> Result<(), Errno> {
        let remote = self.pcb.peer_of(addr)?;
        if remote.port == 0 || remote.addr.is_multicast() {
            return Err(Errno::EADDRNOTAVAIL);
        }
        if let Some(old) = self.conn.get() {
            // One that failed may be tried again.
            if look(old, |tcb| tcb.state != State::Closed).unwrap_or(false) {
                return Err(Errno::EISCONN);
            }
            self.conn.set(None);
            forget_socket(old);
            with_engine(|engine, now_ns, net| engine.detach(now_ns, net, old));
        }
        let mut local = self.pcb.local.get();
        if local.addr.is_unspecified() {
            config::wait_for(remote.addr)?;
        }
        let path = route::lookup(remote.addr)?;
        if path.is_broadcast {
            return Err(Errno::EACCES);
        }
        if local.addr.is_unspecified() {
            local.addr = route::source(remote.addr, &path)?;
        } else if local.addr.is_v4() != remote.addr.is_v4() {
            return Err(Errno::EINVAL);
        }
        if self.bound.get().is_none() {
            let peer = u128::from_be_bytes(remote.addr.0);
            let what = (peer as u64) ^ (peer >> 64) as u64 ^ u64::from(remote.port) << 48;
            self.bind_to(so, Endpoint { addr: local.addr, port: 0 }, what)?;
            local = self.pcb.local.get();
        }
        self.pcb.remote.set(Some(remote));
        let options = self.current_options(so);
        let tuple = Tuple { local, remote };
        let id = with_engine(|engine, now_ns, net| engine.connect(now_ns, net, tuple, options))?;
        self.pcb.local.set(local);
        self.conn.set(Some(id));
        note_socket(id, so)?;
        so.connecting();
        settle();
        output::flush();
        Ok(())
    }

    fn disconnect(&self, so: &Rc<Socket>) -> Result<(), Errno> {
        let Some(id) = self.conn.get() else {
            so.disconnected();
            return Ok(());
        };
        let aborts = so.option(SO_LINGER) && so.linger_s.get() == 0;
        so.disconnecting();
        let unread = so.rcv.len();
        with_engine(|engine, now_ns, net| {
            if let Some(tcb) = engine.get_mut(id) {
                tcb.unread = unread;
            }
            if aborts {
                engine.abort(now_ns, net, id);
            } else {
                engine.close(now_ns, net, id);
            }
        });
        settle();
        output::flush();
        Ok(())
    }

    fn accept(&self, so: &Rc<Socket>) -> Result<SockAddr, Errno> {
        if let Some(index) = self.from.take() {
            // There is room for one more; who waited for it is taken in.
            let head = super::glue::listening_socket(index);
            if let Some(head) = head {
                take_connections(index, &head);
            }
        }
        if so.has(SoState::DISCONNECTED) {
            return Err(Errno::ECONNABORTED);
        }
        self.peer_name(so)
    }

    fn shutdown(&self, so: &Rc<Socket>, direction: Direction) -> Result<(), Errno> {
        match direction {
            Direction::Read => {
                self.act(|tcb, _| {
                    tcb.rcv_shut = true;
                    tcb.unread = 0;
                    tcb.rcv.advance(usize::MAX);
                    tcb.reassembly.clear();
                });
            }
            Direction::Write => {
                so.cant_send_more();
                self.stop_listening();
                self.act(Tcb::close);
            }
        }
        Ok(())
    }

    fn send_space(&self, so: &Rc<Socket>) -> usize {
        self.conn.get().and_then(|id| look(id, Tcb::room)).unwrap_or_else(|| so.snd.limit.get())
    }

    fn unsent(&self, _so: &Rc<Socket>) -> usize {
        self.conn.get().and_then(|id| look(id, |tcb| tcb.snd.len())).unwrap_or(0)
    }

    fn send(&self, _so: &Rc<Socket>, out: Outgoing<'_, '_>) -> Result<(), Errno> {
        if out.flags & MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let Outgoing { uio, max, .. } = out;
        let result = self.act(|tcb, cx| {
            let before = tcb.snd.len();
            let mut result = Ok(());
            while result.is_ok() && tcb.snd.len() - before < max {
                let len = tcb.snd.len();
                match tcb.snd.extend(max - (len - before)) {
                    Err(NoBufs) => result = Err(Errno::ENOBUFS),
                    Ok(room) => {
                        let wanted = room.len();
                        let done = uio.copy_in(room);
                        let count = *done.as_ref().unwrap_or(&0);
                        if count < wanted {
                            tcb.snd.truncate(len + count);
                            result = done.and(Err(Errno::EFAULT));
                        }
                    }
                }
            }
            if tcb.snd.len() > before {
                tcb.output(cx);
            }
            result
        });
        result.unwrap_or(Err(Errno::EPIPE))
    }

    fn received(&self, so: &Rc<Socket>) {
        let Some(id) = self.conn.get() else { return };
        let unread = so.rcv.len();
        let told = with_conn(id, |tcb, cx| {
            tcb.unread = unread;
            let due = tcb.is_update_due() || !tcb.rcv.is_empty();
            if due {
                tcb.output(cx);
            }
            due
        });
        if told == Some(true) {
            settle();
            output::flush();
        }
    }

    fn before_sleep(&self, so: &Rc<Socket>) -> bool {
        // Whatever one sleeps for shows in one of these. It is compared, since nobody sleeps yet who could be woken.
        let look = || {
            let state =
                [SoState::CONNECTED, SoState::CONNECTING, SoState::CANTRCVMORE, SoState::CANTSENDMORE];
            let buffers = (so.rcv.len(), self.send_space(so), so.accept_queue().0);
            (buffers, state.map(|state| so.has(state)), so.error())
        };
        let before = look();
        netisr::poll();
        look() != before
    }

    fn sock_name(&self, _so: &Rc<Socket>) -> Result<SockAddr, Errno> {
        Ok(self.pcb.sock_name())
    }

    fn peer_name(&self, _so: &Rc<Socket>) -> Result<SockAddr, Errno> {
        self.pcb.peer_name()
    }

    fn set_option(&self, so: &Rc<Socket>, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
        self.ctloutput_set(so, level, name, value)
    }

    fn get_option(&self, so: &Rc<Socket>, level: i32, name: i32, value: &mut Vec<u8>) -> Result<(), Errno> {
        *value = self.ctloutput_get(so, level, name)?;
        Ok(())
    }

    fn ioctl(&self, _so: &Rc<Socket>, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        ioctl::ioctl(cmd, data)
    }
}

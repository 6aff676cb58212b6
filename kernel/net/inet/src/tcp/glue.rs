//! The engine between IP and the sockets: one engine, its clock, its timer, and who is told of what.
//!
//! The engine is borrowed for one step at a time. What it has to tell is told afterwards, with nothing borrowed, since waking a socket looks at others.

use alloc::boxed::Box;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;

use rump_hypercall::net::Packet;
use rump_hypercall::time::{self, Callout, NEVER};
use rump_hypercall::{Giant, memory};
use rump_kern::Errno;
use rump_net::Socket;

use super::demux::Tuple;
use super::engine::{ConnId, Context, Defaults, Engine, Event, Network, Path, Trouble};
use super::segment::Header;
use super::seq::Seq;
use super::siphash::Key;
use super::stream::DENSE;
use super::tcb::{Tcb, event};
use super::usrreq::{self, RECV_SPACE, SEND_SPACE};
use crate::addr::{Addr, Endpoint};
use crate::ifnet::count;
use crate::input::{Cast, Ctl, Received, checksum_ok};
use crate::netisr;
use crate::output::{self, Options, ip_output};
use crate::route;
use crate::wire::{Tcp, get_u16, get_u32, proto};

/// Buffers of both directions grow to this, on a machine with memory.
const BUF_MAX: usize = 4 << 20;

/// How long the end of the program may wait for what it has written to be delivered.
const DRAIN_NS: u64 = 1_500_000_000;

/// The engine and the sockets of its connections and listeners.
struct State {
    engine: Engine,
    /// By place of the connection.
    sockets: Vec<Weak<Socket>>,
    /// By listener.
    listeners: Vec<Weak<Socket>>,
}

static TCP: Giant<Option<Box<State>>> = Giant::new(None);

/// When the timer fires, and the timer.
static TIMER: Giant<(u64, Option<Callout>)> = Giant::new((NEVER, None));

/// IP.
struct Ip;

impl Network for Ip {
    #[inline]
    fn send(&mut self, packet: Packet, local: Endpoint, remote: Endpoint, tcb: Option<&Tcb>) {
        let options = Options {
            route: tcb.map(|tcb| &tcb.route),
            ttl: tcb.and_then(|tcb| tcb.options.ttl),
            tos: tcb.map_or(0, |tcb| tcb.options.tos),
            dont_fragment: true,
            ..Options::default()
        };
        // What is not sent is lost, and will be sent again.
        if let Err(Errno::EMSGSIZE) = ip_output(packet, local.addr, remote.addr, proto::TCP, &options)
            && let Some(tcb) = tcb
        {
            tcb.path_stale.set(true);
        }
    }

    fn path(&mut self, remote: Endpoint) -> Path {
        let Ok(path) = route::lookup(remote.addr) else {
            // Without a route nothing is sent; these are what every path takes.
            return Path { mss: if remote.addr.is_v4() { 536 } else { 1220 }, tso_max: 0 };
        };
        let headers = remote.addr.header_len() + super::segment::MAX_HEADER;
        Path {
            mss: path.mss(remote.addr).min(65_000) as u32,
            tso_max: path.tso_max(remote.addr).min(65_535).saturating_sub(headers) as u32,
        }
    }
}

impl State {
    fn new() -> Box<Self> {
        let mut words = [[0; 8]; 2];
        words.iter_mut().for_each(|word| time::random(word));
        let pages = usize::try_from(memory::page_counts().total).unwrap_or(usize::MAX);
        let share = pages.saturating_mul(memory::PAGE_SIZE) / 32;
        let defaults =
            Defaults { sndbuf: SEND_SPACE, rcvbuf: RECV_SPACE, buf_max: share.clamp(256 << 10, BUF_MAX) };
        let engine = Engine::new(Key(words.map(u64::from_le_bytes)), defaults);
        rump_kern::exit::at_exit(|| drain(time::monotonic_ns() + DRAIN_NS));
        Box::new(Self { engine, sockets: Vec::new(), listeners: Vec::new() })
    }
}

#[inline]
fn with_state<R>(f: impl FnOnce(&mut State) -> R) -> R {
    /// Only the first time.
    #[cold]
    #[inline(never)]
    fn begin(place: &mut Option<Box<State>>) -> &mut State {
        place.insert(State::new())
    }
    let mut place = TCP.borrow_mut();
    if place.is_none() {
        begin(&mut place);
    }
    match &mut *place {
        Some(state) => f(state),
        None => unreachable!(),
    }
}

/// Does one thing with the engine. What follows from it waits for [`settle`].
pub(super) fn with_engine<R>(f: impl FnOnce(&mut Engine, u64, &mut dyn Network) -> R) -> R {
    with_state(|state| f(&mut state.engine, time::monotonic_ns(), &mut Ip))
}

/// Does something with a connection; `None` if it is gone.
pub(super) fn with_conn<R>(id: ConnId, f: impl FnOnce(&mut Tcb, &mut Context<'_>) -> R) -> Option<R> {
    with_engine(|engine, now_ns, net| engine.with(now_ns, net, id, f))
}

/// Looks at a connection.
pub(super) fn look<R>(id: ConnId, f: impl FnOnce(&Tcb) -> R) -> Option<R> {
    with_state(|state| state.engine.get(id).map(f))
}

fn note(list: &mut Vec<Weak<Socket>>, index: u32, so: Weak<Socket>) -> Result<(), Errno> {
    let index = index as usize;
    if index >= list.len() {
        list.try_reserve(index + 1 - list.len()).map_err(|_| Errno::ENOBUFS)?;
        list.resize_with(index + 1, Weak::new);
    }
    list[index] = so;
    Ok(())
}

/// From now on `so` is told of the connection's events.
///
/// # Errors
/// ENOBUFS.
pub(super) fn note_socket(id: ConnId, so: &Rc<Socket>) -> Result<(), Errno> {
    with_state(|state| note(&mut state.sockets, id.index, Rc::downgrade(so)))
}

/// From now on `so` is told of the listener's connections.
///
/// # Errors
/// ENOBUFS.
pub(super) fn note_listener(index: u32, so: &Rc<Socket>) -> Result<(), Errno> {
    with_state(|state| note(&mut state.listeners, index, Rc::downgrade(so)))
}

/// The socket of a listener.
pub(super) fn listening_socket(index: u32) -> Option<Rc<Socket>> {
    with_state(|state| state.listeners.get(index as usize).and_then(Weak::upgrade))
}

/// The connection's socket goes.
pub(super) fn forget_socket(id: ConnId) {
    // A weak reference keeps the socket's memory.
    let old = with_state(|state| state.sockets.get_mut(id.index as usize).map(core::mem::take));
    drop(old);
}

/// The listener's socket goes.
pub(super) fn forget_listener(index: u32) {
    let old = with_state(|state| state.listeners.get_mut(index as usize).map(core::mem::take));
    drop(old);
}

/// Tells the sockets what has happened, and sets the timer.
pub(super) fn settle() {
    loop {
        let next = with_state(|state| {
            let event = state.engine.take_event()?;
            let (list, index) = match event {
                Event::Connection(id, _) => (&state.sockets, id.index),
                Event::Acceptable(index) => (&state.listeners, index),
            };
            Some((event, list.get(index as usize).and_then(Weak::upgrade)))
        });
        match next {
            None => break,
            Some((Event::Connection(id, bits), Some(so))) => tell(id, bits, &so),
            Some((Event::Acceptable(index), Some(so))) => usrreq::take_connections(index, &so),
            Some((_, None)) => {}
        }
    }
    arm();
}

/// Moves what has been received to the socket, as far as there is memory for it.
fn hand_over(tcb: &mut Tcb, so: &Socket) {
    loop {
        let first = tcb.rcv.slices().next().cloned();
        let Some(slice) = first else { break };
        let len = slice.len();
        let taken = if len < DENSE { so.rcv.append_bytes(slice.bytes()) } else { so.rcv.append_slice(slice) };
        if taken.is_err() {
            break;
        }
        tcb.rcv.advance(len);
    }
    tcb.unread = so.rcv.len();
}

/// Tells a socket of its connection's events.
fn tell(id: ConnId, bits: u8, so: &Rc<Socket>) {
    let seen = with_state(|state| {
        let tcb = state.engine.get_mut(id)?;
        if bits & event::READABLE != 0 {
            hand_over(tcb, so);
        }
        if !so.rcv.fixed_size.get() {
            so.rcv.limit.set(tcb.rcv_limit);
        }
        if !so.snd.fixed_size.get() {
            so.snd.limit.set(tcb.snd_limit);
        }
        Some((tcb.error, tcb.fin_received && tcb.rcv.is_empty()))
    });
    let Some((error, ended)) = seen else { return };
    if bits & event::CONNECTED != 0 {
        so.connected();
    }
    if bits & event::READABLE != 0 {
        if ended {
            so.cant_recv_more();
        } else {
            so.wake_readers();
        }
    }
    if bits & event::CLOSED != 0 {
        if let Some(errno) = error {
            so.set_error(errno);
        }
        so.disconnected();
    } else if bits & event::DELIVERED != 0 && so.has(rump_net::socket::State::DISCONNECTING) {
        so.disconnected();
    } else if bits & event::WRITABLE != 0 {
        so.wake_writers();
    }
}

/// Sees to it that the timer fires in time. One that fires too early does no harm.
fn arm() {
    let next_ns = with_state(|state| state.engine.next_deadline());
    let (armed_ns, callout) = TIMER.get();
    if next_ns < armed_ns {
        if let Some(callout) = callout {
            time::callout_cancel(callout);
        }
        TIMER.set((next_ns, Some(time::callout(next_ns, fire, 0))));
    }
}

fn fire(_: usize) {
    TIMER.set((NEVER, None));
    with_engine(|engine, now_ns, net| engine.expire(now_ns, net));
    settle();
    output::flush();
}

/// A segment has come in: its TCP header first.
pub fn input(mut packet: Packet, info: &Received) {
    if info.cast != Cast::Unicast || !checksum_ok(&packet, info) {
        count(&info.ifp.counters.ierrors, 1);
        return;
    }
    let Some(tcp) = Tcp::new(packet.head()) else {
        count(&info.ifp.counters.ierrors, 1);
        return;
    };
    let tuple = Tuple {
        local: Endpoint { addr: info.dst, port: tcp.dst_port() },
        remote: Endpoint { addr: info.src, port: tcp.src_port() },
    };
    let header = Header::parse(tcp);
    let header_len = tcp.header_len();
    packet.advance(header_len);
    let owes = with_engine(|engine, now_ns, net| {
        engine.input(now_ns, net, tuple, &header, packet);
        engine.owes()
    });
    if owes {
        netisr::defer(acknowledge);
    }
    settle();
}

/// Nothing else is to be done: what has waited for that.
fn acknowledge() {
    with_engine(|engine, now_ns, net| engine.acknowledge(now_ns, net));
    arm();
}

/// An ICMP error about a segment that went from `src` to `dst`.
pub fn ctlinput(what: Ctl, src: Addr, dst: Addr, header: &[u8; 8]) {
    let tuple = Tuple {
        local: Endpoint { addr: src, port: get_u16(header, 0) },
        remote: Endpoint { addr: dst, port: get_u16(header, 2) },
    };
    let seq = Seq(get_u32(header, 4));
    let trouble = match what {
        Ctl::Refused => Trouble::Error(Errno::ECONNREFUSED),
        Ctl::Unreachable | Ctl::TimeExceeded => Trouble::Error(Errno::EHOSTUNREACH),
        Ctl::TooBig(_) => Trouble::TooBig,
    };
    with_engine(|engine, now_ns, net| engine.unreachable(now_ns, net, &tuple, seq, trouble));
    settle();
}

/// The program ends: what it has written is delivered and all connections are closed, as far as that takes no longer than until `deadline_ns`. Called with nothing else
/// going to run: it does not sleep.
pub fn drain(deadline_ns: u64) {
    if TCP.borrow().is_none() {
        return;
    }
    with_engine(|engine, now_ns, net| {
        let ids: Vec<ConnId> = engine.ids().collect();
        for id in ids {
            engine.detach(now_ns, net, id);
        }
    });
    loop {
        output::flush();
        crate::netisr::poll();
        let left = with_engine(|engine, now_ns, net| {
            engine.expire(now_ns, net);
            engine.undelivered()
        });
        if left == 0 || time::monotonic_ns() >= deadline_ns {
            break;
        }
        core::hint::spin_loop();
    }
    output::flush();
}

/// Forgets everything, for tests.
#[cfg(test)]
pub(super) fn reset() {
    let old = TCP.borrow_mut().take();
    if let (_, Some(callout)) = TIMER.get() {
        time::callout_cancel(callout);
    }
    TIMER.set((NEVER, None));
    drop(old);
}

//! The engine: all connections, listeners, half-open connections and those in TIME_WAIT; segments and time in, segments and events out.
//!
//! It knows neither sockets nor interfaces: it sends through [`Network`], and what a socket has to know is found by [`Engine::take_event`] after each call. So two
//! of them can be wired back to back in a test. Nothing in it waits, and no cost grows with the number of connections.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use rump_hypercall::net::Packet;
use rump_kern::Errno;

use super::demux::{Demux, Target, Tuple};
use super::input::Outcome;
use super::listen::Listeners;
use super::output::send_bare;
use super::segment::{ACK, FIN, Header, RST, SYN};
use super::seq::Seq;
use super::siphash::Key;
use super::syn_cache::SynCache;
use super::tcb::{Options, State, Tcb, event, now_ms};
use super::time_wait::{Answer, Record, TimeWait};
use super::timer::Wheel;
use crate::addr::Endpoint;

/// What the way to a peer is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// The largest segment, data and options, that fits the path's packets.
    pub mss: u32,
    /// The most data that a packet may have that the interface cuts into segments; 0 if it does not.
    pub tso_max: u32,
}

/// IP, as the engine sees it.
pub trait Network {
    /// Sends a packet that begins with its TCP header and has a [`rump_hypercall::net::Checksum::Partial`]; `tcb` is its connection, if it has one. It is queued: no answer to it
    /// arrives before this returns.
    fn send(&mut self, packet: Packet, local: Endpoint, remote: Endpoint, tcb: Option<&Tcb>);

    /// The way to a peer.
    fn path(&mut self, remote: Endpoint) -> Path;
}

/// What new connections begin with.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// Send buffer, bytes.
    pub sndbuf: usize,
    /// Receive buffer, bytes.
    pub rcvbuf: usize,
    /// What both grow to.
    pub buf_max: usize,
}

/// What ICMP says about a segment of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It was too big for the path, which is known by now.
    TooBig,
    /// It did not get there.
    Error(Errno),
}

/// What was counted (netstat(1)'s tcps_).
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Stats {
    pub sent: u64,
    pub bytes_sent: u64,
    pub retransmitted: u64,
    pub received: u64,
    pub out_of_order: u64,
    pub timeouts: u64,
    pub resets_sent: u64,
    pub accepted: u64,
    pub connected: u64,
    pub cookies_sent: u64,
    pub cookies_taken: u64,
    pub listen_overflows: u64,
}

/// What output and input need beside the connection.
pub struct Context<'a> {
    /// The monotonic clock.
    pub now_ns: u64,
    /// Where segments go.
    pub net: &'a mut dyn Network,
    /// Counters.
    pub stats: &'a mut Stats,
    /// See [`Defaults`].
    pub defaults: &'a Defaults,
    /// Limits answers to strangers.
    pub resets: &'a mut ResetLimit,
}

/// At most so many resets per second to segments that belong to nothing: answers must not be a weapon (RFC 5961, 7).
#[derive(Default)]
pub struct ResetLimit {
    second: u64,
    count: u32,
}

/// Resets per second.
const RESETS_PER_S: u32 = 200;

impl Context<'_> {
    /// Answers a segment that belongs to nothing with a reset (RFC 9293, 3.10.7.1).
    pub fn reset_for(&mut self, tuple: Tuple, h: &Header, len: u32) {
        if h.has(RST) {
            return;
        }
        let second = self.now_ns / 1_000_000_000;
        if self.resets.second != second {
            *self.resets = ResetLimit { second, count: 0 };
        }
        self.resets.count += 1;
        if self.resets.count > RESETS_PER_S {
            return;
        }
        let length = len + u32::from(h.has(SYN)) + u32::from(h.has(FIN));
        let reply = if h.has(ACK) {
            Header { seq: h.ack, flags: RST, ..Header::default() }
        } else {
            Header { ack: h.seq + length, flags: RST | ACK, ..Header::default() }
        };
        self.stats.resets_sent += 1;
        send_bare(self.net, tuple.local, tuple.remote, &reply);
    }
}

/// A connection, as its socket knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnId {
    /// Its place.
    pub index: u32,
    /// Tells connections apart that had the same place.
    pub serial: u32,
}

/// A place for a connection.
#[derive(Default)]
pub(super) struct Slot {
    pub serial: u32,
    pub tcb: Option<Box<Tcb>>,
}

/// What a socket has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bits of [`event`] for a connection.
    Connection(ConnId, u8),
    /// A listener has a connection to be accepted.
    Acceptable(u32),
}

/// See the module's documentation.
pub struct Engine {
    pub(super) slots: Vec<Slot>,
    pub(super) free: Vec<u32>,
    pub(super) demux: Demux,
    pub(super) wheel: Wheel,
    pub(super) listeners: Listeners,
    pub(super) syn_cache: SynCache,
    pub(super) time_wait: TimeWait,
    pub(super) events: VecDeque<Event>,
    /// Connections that owe an acknowledgement, which can wait for a moment.
    owing: Vec<ConnId>,
    pub(super) key: Key,
    pub(super) serial: u32,
    pub(super) resets: ResetLimit,
    /// What was counted.
    pub stats: Stats,
    /// What new connections begin with.
    pub defaults: Defaults,
}

/// The context, from the engine's own fields.
macro_rules! context {
    ($engine:expr, $now_ns:expr, $net:expr) => {
        $crate::tcp::engine::Context {
            now_ns: $now_ns,
            net: $net,
            stats: &mut $engine.stats,
            defaults: &$engine.defaults,
            resets: &mut $engine.resets,
        }
    };
}

impl Engine {
    /// An engine without connections. `key` is secret.
    #[must_use]
    pub fn new(key: Key, defaults: Defaults) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            demux: Demux::default(),
            wheel: Wheel::default(),
            listeners: Listeners::default(),
            syn_cache: SynCache::default(),
            time_wait: TimeWait::default(),
            events: VecDeque::new(),
            owing: Vec::new(),
            key,
            serial: 0,
            resets: ResetLimit::default(),
            stats: Stats::default(),
            defaults,
        }
    }

    /// An initial sequence number (RFC 6528) and an offset for time stamps.
    pub(super) fn initial(&self, hash: u64, now_ns: u64) -> (Seq, u32) {
        let secret = self.key.hash(&[hash, 1]);
        (Seq((secret as u32).wrapping_add((now_ns / 4096) as u32)), (secret >> 32) as u32)
    }

    /// A connection.
    #[must_use]
    pub fn get(&self, id: ConnId) -> Option<&Tcb> {
        self.slots.get(id.index as usize).filter(|slot| slot.serial == id.serial)?.tcb.as_deref()
    }

    /// A connection, to be changed.
    pub fn get_mut(&mut self, id: ConnId) -> Option<&mut Tcb> {
        self.slots.get_mut(id.index as usize).filter(|slot| slot.serial == id.serial)?.tcb.as_deref_mut()
    }

    /// Connections that there are, closed ones with a socket included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Half-open connections, and those in TIME_WAIT.
    #[must_use]
    pub fn compressed(&self) -> (usize, usize) {
        (self.syn_cache.count(), self.time_wait.count())
    }

    /// Finds what a tuple refers to.
    pub(super) fn find(&self, hash: u64, tuple: &Tuple) -> Option<Target> {
        self.demux.find(hash, |target| match target {
            Target::Connection(index) => {
                self.slots[index as usize].tcb.as_ref().is_some_and(|tcb| tcb.tuple == *tuple)
            }
            Target::HalfOpen(index) => self.syn_cache.get(index).is_some_and(|record| record.tuple == *tuple),
            Target::TimeWait(index) => self.time_wait.get(index).is_some_and(|record| record.tuple == *tuple),
        })
    }

    /// Puts a connection in its place and into the table.
    pub(super) fn add(&mut self, tcb: Tcb) -> Option<ConnId> {
        let hash = tcb.hash;
        let index = match self.free.last() {
            Some(&index) => index,
            None => {
                let len = self.slots.len();
                self.slots.try_reserve(1).ok()?;
                self.free.try_reserve(len + 1).ok()?;
                if !self.wheel.reserve(len + 1) {
                    return None;
                }
                self.slots.push(Slot::default());
                self.free.push(len as u32);
                len as u32
            }
        };
        if !self.demux.insert(hash, Target::Connection(index)) {
            return None;
        }
        self.free.pop();
        self.serial = self.serial.wrapping_add(1);
        self.slots[index as usize] = Slot { serial: self.serial, tcb: Some(Box::new(tcb)) };
        Some(ConnId { index, serial: self.serial })
    }

    /// Frees a connection's place.
    pub(super) fn remove(&mut self, index: u32) {
        self.wheel.cancel(index);
        let slot = &mut self.slots[index as usize];
        slot.serial = 0;
        let tcb = slot.tcb.take();
        // Room was reserved when the place was made.
        self.free.push(index);
        drop(tcb);
    }

    /// A segment has arrived. `packet` begins behind its header; its checksum was right.
    pub fn input(&mut self, now_ns: u64, net: &mut dyn Network, tuple: Tuple, h: &Header, packet: Packet) {
        self.stats.received += 1;
        let hash = tuple.hash(self.key);
        match self.find(hash, &tuple) {
            Some(Target::Connection(index)) => {
                let mut cx = context!(self, now_ns, net);
                let Some(tcb) = self.slots[index as usize].tcb.as_deref_mut() else { return };
                let outcome = tcb.segment_arrives(&mut cx, h, packet);
                if outcome == Outcome::Keep {
                    tcb.output(&mut cx);
                }
                if tcb.ack_soon && !tcb.ack_noted && self.owing.try_reserve(1).is_ok() {
                    tcb.ack_noted = true;
                    self.owing.push(ConnId { index, serial: self.slots[index as usize].serial });
                }
                self.settle(now_ns, index, outcome);
            }
            Some(Target::HalfOpen(index)) => self.half_open(now_ns, net, index, h, packet),
            Some(Target::TimeWait(index)) => self.waiting(now_ns, net, index, h, packet),
            None => self.unknown(now_ns, net, tuple, hash, h, packet),
        }
    }

    /// Whether acknowledgements wait for [`acknowledge`](Self::acknowledge).
    #[must_use]
    pub fn owes(&self) -> bool {
        !self.owing.is_empty()
    }

    /// Sends the acknowledgements that could wait until there was nothing else to do.
    pub fn acknowledge(&mut self, now_ns: u64, net: &mut dyn Network) {
        while let Some(id) = self.owing.pop() {
            let mut cx = context!(self, now_ns, net);
            let slot = &mut self.slots[id.index as usize];
            if slot.serial == id.serial
                && let Some(tcb) = slot.tcb.as_deref_mut()
            {
                tcb.ack_noted = false;
                if tcb.ack_soon {
                    tcb.send_ack(&mut cx);
                }
            }
        }
    }

    /// A segment for a connection in TIME_WAIT.
    fn waiting(&mut self, now_ns: u64, net: &mut dyn Network, index: u32, h: &Header, packet: Packet) {
        let Some(record) = self.time_wait.get(index) else { return };
        match record.answer(now_ms(now_ns), h, packet.len()) {
            Answer::Ignore => {}
            Answer::Acknowledge(header) => {
                self.stats.sent += 1;
                send_bare(net, record.tuple.local, record.tuple.remote, &header);
            }
            Answer::Reuse => {
                let (tuple, hash) = (record.tuple, record.hash);
                if self.listeners.find(&tuple, hash).is_some() {
                    self.forget_waiting(index);
                    self.unknown(now_ns, net, tuple, hash, h, packet);
                }
            }
        }
    }

    /// Ends a TIME_WAIT.
    pub(super) fn forget_waiting(&mut self, index: u32) {
        if let Some(record) = self.time_wait.remove(index) {
            self.demux.remove(record.hash, Target::TimeWait(index));
            self.listeners.ports.release(record.tuple.local.port);
        }
    }

    /// A segment for nothing that is known.
    fn unknown(
        &mut self,
        now_ns: u64,
        net: &mut dyn Network,
        tuple: Tuple,
        hash: u64,
        h: &Header,
        packet: Packet,
    ) {
        if let Some(listener) = self.listeners.find(&tuple, hash) {
            if h.flags & (SYN | ACK | RST) == SYN {
                return self.syn_arrives(now_ns, net, listener, tuple, hash, h);
            }
            if h.flags & (SYN | ACK | RST) == ACK
                && self.syn_cache.looks_for_cookies(now_ns)
                && let Some(options) = super::syn_cache::open_cookie(self.key, hash, h, now_ns)
            {
                return self.cookie_arrives(now_ns, net, listener, tuple, hash, h, packet, options);
            }
        }
        let mut cx = context!(self, now_ns, net);
        cx.reset_for(tuple, h, packet.len() as u32);
    }

    /// After something was done with a connection: what became of it, its timers, its events.
    pub(super) fn settle(&mut self, now_ns: u64, index: u32, outcome: Outcome) {
        match outcome {
            Outcome::Keep => {}
            Outcome::Closed => return self.closed(index),
            Outcome::TimeWait => return self.enter_time_wait(now_ns, index),
        }
        let Some(tcb) = self.slots[index as usize].tcb.as_deref_mut() else { return };
        let deadline = tcb.deadline();
        if deadline < self.wheel.deadline(index) {
            self.wheel.set(index, deadline);
        }
        self.note(index);
    }

    /// Notes a connection's events for its socket, or hands a new one to its listener.
    pub(super) fn note(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        let Some(tcb) = slot.tcb.as_deref_mut() else { return };
        if tcb.events == 0 {
            return;
        }
        let id = ConnId { index, serial: slot.serial };
        if let Some(listener) = tcb.listener {
            if tcb.events & event::CONNECTED != 0 {
                tcb.events &= !event::CONNECTED;
                self.stats.accepted += 1;
                if self.listeners.push(listener, id) {
                    self.events.push_back(Event::Acceptable(listener));
                }
            }
            return;
        }
        if !tcb.attached {
            tcb.events = 0;
        } else if !tcb.noted && self.events.try_reserve(1).is_ok() {
            tcb.noted = true;
            self.events.push_back(Event::Connection(id, 0));
        }
    }

    /// What the next socket has to know.
    pub fn take_event(&mut self) -> Option<Event> {
        loop {
            match self.events.pop_front()? {
                Event::Connection(id, _) => {
                    // A connection may be gone since.
                    if let Some(tcb) = self.get_mut(id) {
                        tcb.noted = false;
                        let bits = core::mem::take(&mut tcb.events);
                        return Some(Event::Connection(id, bits));
                    }
                }
                event => return Some(event),
            }
        }
    }

    /// A connection is over. Its place is freed unless a socket or a listener has it.
    pub(super) fn closed(&mut self, index: u32) {
        let Some(tcb) = self.slots[index as usize].tcb.as_deref_mut() else { return };
        if tcb.state == State::Closed {
            return;
        }
        tcb.state = State::Closed;
        let (hash, port) = (tcb.hash, tcb.tuple.local.port);
        tcb.release();
        tcb.events |= event::CLOSED | event::READABLE | event::WRITABLE;
        self.demux.remove(hash, Target::Connection(index));
        self.listeners.ports.release(port);
        self.wheel.cancel(index);
        let Some(tcb) = self.slots[index as usize].tcb.as_deref_mut() else { return };
        if tcb.attached || tcb.listener.is_some() {
            self.note(index);
        } else {
            self.remove(index);
        }
    }

    /// A connection is over but for the wait.
    fn enter_time_wait(&mut self, now_ns: u64, index: u32) {
        let Some(tcb) = self.slots[index as usize].tcb.as_deref_mut() else { return };
        let (tuple, hash) = (tcb.tuple, tcb.hash);
        let window = (tcb.rcv_adv.ahead_of(tcb.rcv_nxt) >> tcb.rcv_scale).min(65535) as u16;
        let stamps = tcb.ts_ok.then_some((tcb.ts_recent, tcb.ts_offset));
        let record = Record::new(tcb.nxt, tcb.rcv_nxt, window, stamps);
        if self.time_wait.is_full()
            && let Some(oldest) = self.time_wait.expired(u64::MAX)
        {
            self.forget_waiting(oldest);
        }
        self.listeners.ports.hold(tuple.local.port);
        self.closed(index);
        match self.time_wait.insert(now_ns, tuple, hash, record) {
            Some(place) => {
                if !self.demux.insert(hash, Target::TimeWait(place)) {
                    self.time_wait.remove(place);
                    self.listeners.ports.release(tuple.local.port);
                }
            }
            None => self.listeners.ports.release(tuple.local.port),
        }
    }

    /// When [`Engine::expire`] is to be called next.
    #[must_use]
    pub fn next_deadline(&self) -> u64 {
        self.wheel.next_deadline().min(self.syn_cache.next_deadline()).min(self.time_wait.next_deadline())
    }

    /// Time has passed: retransmissions, delayed acknowledgements, probes, ends.
    pub fn expire(&mut self, now_ns: u64, net: &mut dyn Network) {
        while let Some(index) = self.wheel.expire(now_ns) {
            let mut cx = context!(self, now_ns, net);
            let Some(tcb) = self.slots[index as usize].tcb.as_deref_mut() else { continue };
            let outcome = tcb.timers(&mut cx);
            self.settle(now_ns, index, outcome);
        }
        while let Some(index) = self.syn_cache.expired(now_ns) {
            self.half_open_timeout(now_ns, net, index);
        }
        while let Some(index) = self.time_wait.expired(now_ns) {
            self.forget_waiting(index);
        }
    }

    /// Opens a connection (connect(2)). The port of `tuple.local` has been bound or chosen.
    ///
    /// # Errors
    /// EADDRINUSE if there is such a connection, ENOBUFS.
    pub fn connect(
        &mut self,
        now_ns: u64,
        net: &mut dyn Network,
        tuple: Tuple,
        options: Options,
    ) -> Result<ConnId, Errno> {
        let hash = tuple.hash(self.key);
        let (mut iss, ts_offset) = self.initial(hash, now_ns);
        match self.find(hash, &tuple) {
            None => {}
            Some(Target::TimeWait(place)) => {
                // RFC 6191 by sequence numbers: the new ones begin beyond the old ones.
                let nxt = self.time_wait.get(place).map_or(iss, |record| record.nxt);
                iss = if iss > nxt { iss } else { nxt + 65_536 };
                self.forget_waiting(place);
            }
            Some(_) => return Err(Errno::EADDRINUSE),
        }
        let mut tcb = Tcb::new(tuple, hash, options, &self.defaults, net.path(tuple.remote));
        tcb.begin_sending(iss);
        tcb.ts_offset = ts_offset;
        tcb.attached = true;
        tcb.state = State::SynSent;
        tcb.keep_ns = now_ns + u64::from(tcb.options.keep_init_s) * 1_000_000_000;
        self.stats.connected += 1;
        let id = self.add(tcb).ok_or(Errno::ENOBUFS)?;
        self.listeners.ports.hold(tuple.local.port);
        self.with(now_ns, net, id, Tcb::send_syn);
        Ok(id)
    }

    /// Does something with a connection, and what follows from it.
    pub fn with<R>(
        &mut self,
        now_ns: u64,
        net: &mut dyn Network,
        id: ConnId,
        f: impl FnOnce(&mut Tcb, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let mut cx = context!(self, now_ns, net);
        let slot = self.slots.get_mut(id.index as usize).filter(|slot| slot.serial == id.serial)?;
        let result = f(slot.tcb.as_deref_mut()?, &mut cx);
        self.settle(now_ns, id.index, Outcome::Keep);
        Some(result)
    }

    /// close(2) begins: what was written is still delivered, if nothing was received that nobody read. The socket is still told of the end.
    pub fn close(&mut self, now_ns: u64, net: &mut dyn Network, id: ConnId) {
        let mut cx = context!(self, now_ns, net);
        let Some(slot) = self.slots.get_mut(id.index as usize).filter(|slot| slot.serial == id.serial) else {
            return;
        };
        let Some(tcb) = slot.tcb.as_deref_mut() else { return };
        tcb.closing = true;
        match tcb.state {
            State::Closed => return,
            State::SynSent => return self.closed(id.index),
            // RFC 2525, 2.17: data that are lost are to be known as lost.
            _ if tcb.unread + tcb.rcv.len() > 0 && !matches!(tcb.state, State::Closing | State::LastAck) => {
                tcb.send_reset(&mut cx);
                return self.closed(id.index);
            }
            State::FinWait2 => tcb.keep_ns = now_ns + super::input::FIN_WAIT_2_NS,
            _ => {}
        }
        tcb.close(&mut cx);
        self.settle(now_ns, id.index, Outcome::Keep);
    }

    /// The socket has gone: [`Engine::close`], and nobody is told any more.
    pub fn detach(&mut self, now_ns: u64, net: &mut dyn Network, id: ConnId) {
        let Some(tcb) = self.get_mut(id) else { return };
        tcb.attached = false;
        tcb.listener = None;
        if tcb.state == State::Closed {
            return self.remove(id.index);
        }
        self.close(now_ns, net, id);
    }

    /// An ICMP error about a segment of ours (RFC 5927: only with a sequence number that is on its way).
    pub fn unreachable(
        &mut self,
        now_ns: u64,
        net: &mut dyn Network,
        tuple: &Tuple,
        seq: Seq,
        what: Trouble,
    ) {
        let hash = tuple.hash(self.key);
        let Some(Target::Connection(index)) = self.find(hash, tuple) else { return };
        let mut cx = context!(self, now_ns, net);
        let Some(tcb) = self.slots[index as usize].tcb.as_deref_mut() else { return };
        if seq < tcb.una || seq > tcb.nxt {
            return;
        }
        match what {
            Trouble::TooBig => {
                tcb.path_stale.set(true);
                tcb.output(&mut cx);
                tcb.retransmit_first(&mut cx);
                self.settle(now_ns, index, Outcome::Keep);
            }
            Trouble::Error(errno) if tcb.state == State::SynSent => {
                tcb.error = Some(errno);
                self.closed(index);
            }
            Trouble::Error(errno) => tcb.soft_error = Some(errno),
        }
    }

    /// Ends a connection with a reset.
    pub fn abort(&mut self, now_ns: u64, net: &mut dyn Network, id: ConnId) {
        let mut cx = context!(self, now_ns, net);
        let Some(slot) = self.slots.get_mut(id.index as usize).filter(|slot| slot.serial == id.serial) else {
            return;
        };
        let Some(tcb) = slot.tcb.as_deref_mut() else { return };
        if tcb.state.is_synchronised() || tcb.state == State::SynReceived {
            tcb.send_reset(&mut cx);
        }
        tcb.error.get_or_insert(Errno::ECONNABORTED);
        self.closed(id.index);
    }

    /// How many connections have data or a FIN that the peer has not acknowledged; for the orderly end of the machine.
    #[must_use]
    pub fn undelivered(&self) -> usize {
        let busy = |tcb: &Tcb| {
            tcb.state.is_synchronised() && (!tcb.snd.is_empty() || (tcb.fin_queued && !tcb.fin_acked()))
        };
        self.slots.iter().filter_map(|slot| slot.tcb.as_deref()).filter(|tcb| busy(tcb)).count()
    }

    /// All connections' identities.
    pub fn ids(&self) -> impl Iterator<Item = ConnId> {
        let id = |(index, slot): (usize, &Slot)| {
            slot.tcb.as_ref().map(|_| ConnId { index: index as u32, serial: slot.serial })
        };
        self.slots.iter().enumerate().filter_map(id)
    }
}

pub(super) use context;

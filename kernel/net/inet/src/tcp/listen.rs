//! Listeners, and how a SYN becomes a connection (RFC 9293 3.10.7.2, RFC 4987).
//!
//! A SYN makes a record in the SYN cache, or nothing but a cookie; the connection itself is made when the handshake is complete. A listener's queue of complete
//! connections is bounded by its backlog: an acknowledgement that finds it full is dropped, and our SYN, sent again, asks for it once more.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use rump_hypercall::net::Packet;
use rump_kern::Errno;

use super::demux::{Target, Tuple};
use super::engine::{ConnId, Engine, Network, context};
use super::input::Outcome;
use super::output::send_bare;
use super::ports::{Ports, Share};
use super::segment::{self, ACK, Header, RST, SYN, Stamps};
use super::seq::Seq;
use super::syn_cache::{self, HalfOpen};
use super::tcb::{Options, State, Tcb, now_ms};
use crate::addr::{Addr, Endpoint};

/// A listening socket.
pub struct Listener {
    /// Where.
    pub local: Endpoint,
    /// An AF_INET6 socket's unspecified address means IPv6 alone.
    pub one_family: bool,
    /// Most complete connections that wait.
    pub backlog: usize,
    /// Options that connections begin with.
    pub options: Options,
    /// Connections that wait to be accepted.
    queue: VecDeque<ConnId>,
}

/// The listeners.
#[derive(Default)]
pub struct Listeners {
    all: Vec<Option<Listener>>,
    /// Their indices by port, in hash buckets.
    buckets: [Vec<u32>; 32],
    /// Ports in use.
    pub ports: Ports,
}

impl Listeners {
    /// A listener.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&Listener> {
        self.all.get(index as usize)?.as_ref()
    }

    /// A listener, to be changed.
    pub fn get_mut(&mut self, index: u32) -> Option<&mut Listener> {
        self.all.get_mut(index as usize)?.as_mut()
    }

    /// Whom a segment without connection is for: the listener with the most specific address; of several that share it, one by the hash.
    #[must_use]
    pub fn find(&self, tuple: &Tuple, hash: u64) -> Option<u32> {
        let local = tuple.local;
        let rank = |listener: &Listener| {
            let any = listener.local.addr.is_unspecified();
            match listener.local.port == local.port {
                true if listener.local.addr == local.addr => 3,
                true if any && listener.local.addr.is_v4() == local.addr.is_v4() => 2,
                true if any && !listener.local.addr.is_v4() && !listener.one_family => 1,
                _ => 0,
            }
        };
        let bucket = &self.buckets[usize::from(local.port) % 32];
        let ranks = || {
            bucket
                .iter()
                .filter_map(|&index| self.get(index).map(|listener| (rank(listener), index)))
                .filter(|entry| entry.0 > 0)
        };
        let best = ranks().map(|entry| entry.0).max()?;
        let same = ranks().filter(|entry| entry.0 == best).count();
        ranks().filter(|entry| entry.0 == best).nth((hash >> 32) as usize % same).map(|entry| entry.1)
    }

    fn add(&mut self, listener: Listener) -> Option<u32> {
        let bucket = &mut self.buckets[usize::from(listener.local.port) % 32];
        bucket.try_reserve(1).ok()?;
        let index = match self.all.iter().position(Option::is_none) {
            Some(index) => index,
            None => {
                self.all.try_reserve(1).ok()?;
                self.all.push(None);
                self.all.len() - 1
            }
        };
        bucket.push(index as u32);
        self.all[index] = Some(listener);
        Some(index as u32)
    }

    fn remove(&mut self, index: u32) -> Option<Listener> {
        let listener = self.all.get_mut(index as usize)?.take()?;
        self.buckets[usize::from(listener.local.port) % 32].retain(|&entry| entry != index);
        Some(listener)
    }

    /// Queues a complete connection. True if there is anyone to be told.
    pub(super) fn push(&mut self, index: u32, id: ConnId) -> bool {
        // Room was looked for before the connection was made.
        self.get_mut(index).is_some_and(|listener| {
            listener.queue.push_back(id);
            true
        })
    }

    /// Whether a listener takes another connection.
    fn has_room(&mut self, index: u32) -> bool {
        self.get_mut(index).is_some_and(|listener| {
            listener.queue.len() < listener.backlog && listener.queue.try_reserve(1).is_ok()
        })
    }
}

/// What a SYN offers.
fn options_of(h: &Header) -> segment::Options {
    segment::Options { sack: segment::SackBlocks::default(), ..h.options }
}

impl Engine {
    /// listen(2): takes connections from now on, at an endpoint that has been bound.
    ///
    /// # Errors
    /// ENOBUFS.
    pub fn listen(
        &mut self,
        local: Endpoint,
        one_family: bool,
        backlog: usize,
        options: Options,
    ) -> Result<u32, Errno> {
        let listener = Listener { local, one_family, backlog, options, queue: VecDeque::new() };
        self.listeners.add(listener).ok_or(Errno::ENOBUFS)
    }

    /// Binds a port (bind(2)).
    ///
    /// # Errors
    /// EADDRINUSE, ENOBUFS.
    pub fn bind_port(&mut self, local: Endpoint, share: Share) -> Result<(), Errno> {
        self.listeners.ports.bind(local, share)
    }

    /// Chooses a free port and binds it.
    ///
    /// # Errors
    /// EADDRNOTAVAIL, ENOBUFS.
    pub fn choose_port(&mut self, addr: Addr, share: Share, what: u64) -> Result<u16, Errno> {
        // Others that ask for the same get others.
        self.serial = self.serial.wrapping_add(1);
        self.listeners.ports.choose(addr, share, self.key, what ^ u64::from(self.serial) << 20)
    }

    /// Gives a bound port back.
    pub fn unbind_port(&mut self, local: Endpoint) {
        self.listeners.ports.unbind(local);
    }

    /// A listener, to be changed.
    pub fn listener_mut(&mut self, index: u32) -> Option<&mut Listener> {
        self.listeners.get_mut(index)
    }

    /// A listener goes; connections that nobody accepted are reset.
    pub fn unlisten(&mut self, now_ns: u64, net: &mut dyn Network, index: u32) {
        let Some(listener) = self.listeners.remove(index) else { return };
        for id in listener.queue {
            if let Some(tcb) = self.get_mut(id) {
                tcb.listener = None;
                if tcb.state == State::Closed {
                    self.remove(id.index);
                } else {
                    self.abort(now_ns, net, id);
                }
            }
        }
        while let Some(place) = self.syn_cache.of_listener(index) {
            self.forget_half_open(place);
        }
    }

    /// Takes a connection from a listener's queue; it has a socket from now on. One that is gone meanwhile is handed out, too, with its error.
    pub fn accept(&mut self, index: u32) -> Option<ConnId> {
        loop {
            let id = self.listeners.get_mut(index)?.queue.pop_front()?;
            if let Some(tcb) = self.get_mut(id) {
                tcb.listener = None;
                tcb.attached = true;
                self.note(id.index);
                return Some(id);
            }
        }
    }

    /// Connections that wait to be accepted.
    #[must_use]
    pub fn waiting_connections(&self, index: u32) -> usize {
        self.listeners.get(index).map_or(0, |listener| listener.queue.len())
    }

    fn forget_half_open(&mut self, place: u32) {
        if let Some(record) = self.syn_cache.remove(place) {
            self.demux.remove(record.hash, Target::HalfOpen(place));
        }
    }

    /// Answers a SYN.
    fn send_syn_ack(
        &mut self,
        net: &mut dyn Network,
        tuple: &Tuple,
        iss: Seq,
        irs: Seq,
        mut options: segment::Options,
        window: usize,
    ) {
        options.mss = Some(net.path(tuple.remote).mss.clamp(64, 65535) as u16);
        options.wscale = options.wscale.map(|_| Tcb::scale_for(self.defaults.buf_max));
        let window = window.min(65535) as u16;
        let header = Header { seq: iss, ack: irs + 1, flags: SYN | ACK, window, options };
        self.stats.sent += 1;
        send_bare(net, tuple.local, tuple.remote, &header);
    }

    fn rcvbuf_of(&self, listener: u32) -> usize {
        self.listeners.get(listener).and_then(|it| it.options.rcvbuf).unwrap_or(self.defaults.rcvbuf)
    }

    /// A SYN for a listener.
    pub(super) fn syn_arrives(
        &mut self,
        now_ns: u64,
        net: &mut dyn Network,
        listener: u32,
        tuple: Tuple,
        hash: u64,
        h: &Header,
    ) {
        let (iss, ts_offset) = self.initial(hash, now_ns);
        let window = self.rcvbuf_of(listener);
        let options = options_of(h);
        let record = HalfOpen { options, iss, irs: h.seq, ts_offset, ..HalfOpen::new(tuple, hash, listener) };
        let stamp = now_ms(now_ns).wrapping_add(ts_offset);
        let mut reply = options;
        if !self.listeners.has_room(listener) && self.syn_cache.count() > syn_cache::MAX_HALF_OPEN / 2 {
            // Nobody accepts what is complete already.
            self.stats.listen_overflows += 1;
            return;
        }
        if let Some(place) = self.syn_cache.insert(now_ns, record) {
            if !self.demux.insert(hash, Target::HalfOpen(place)) {
                self.syn_cache.remove(place);
                return;
            }
            reply.stamps = options.stamps.map(|its| Stamps { value: stamp, echo: its.value });
            self.send_syn_ack(net, &tuple, iss, h.seq, reply, window);
        } else {
            self.stats.cookies_sent += 1;
            let iss = syn_cache::cookie(self.key, hash, h, now_ns);
            reply.stamps = options
                .stamps
                .map(|its| Stamps { value: syn_cache::cookie_stamp(&options, stamp), echo: its.value });
            if reply.stamps.is_none() {
                (reply.wscale, reply.sack_ok) = (None, false);
            }
            self.send_syn_ack(net, &tuple, iss, h.seq, reply, window);
        }
    }

    /// A segment for a half-open connection.
    pub(super) fn half_open(
        &mut self,
        now_ns: u64,
        net: &mut dyn Network,
        place: u32,
        h: &Header,
        packet: Packet,
    ) {
        let Some(&record) = self.syn_cache.get(place) else { return };
        let window = self.rcvbuf_of(record.listener);
        if h.has(RST) {
            if h.seq == record.irs + 1 {
                self.forget_half_open(place);
            }
            return;
        }
        if h.has(SYN) {
            if h.seq == record.irs {
                self.answer_again(now_ns, net, &record, window);
            } else if !h.has(ACK) {
                // The peer has begun anew.
                self.forget_half_open(place);
                self.syn_arrives(now_ns, net, record.listener, record.tuple, record.hash, h);
            }
            return;
        }
        if !h.has(ACK) {
            return;
        }
        if h.ack != record.iss + 1 {
            let mut cx = context!(self, now_ns, net);
            return cx.reset_for(record.tuple, h, packet.len() as u32);
        }
        if h.seq <= record.irs || h.seq > record.irs + 1 + window as u32 {
            return self.answer_again(now_ns, net, &record, window);
        }
        if !self.listeners.has_room(record.listener) {
            self.stats.listen_overflows += 1;
            return;
        }
        self.forget_half_open(place);
        self.complete(now_ns, net, &record, h, packet);
    }

    /// An acknowledgement of a cookie.
    #[expect(clippy::too_many_arguments, reason = "a segment, what it is for and what it says")]
    pub(super) fn cookie_arrives(
        &mut self,
        now_ns: u64,
        net: &mut dyn Network,
        listener: u32,
        tuple: Tuple,
        hash: u64,
        h: &Header,
        packet: Packet,
        options: segment::Options,
    ) {
        if !self.listeners.has_room(listener) {
            self.stats.listen_overflows += 1;
            return;
        }
        self.stats.cookies_taken += 1;
        let ts_offset = h.options.stamps.map_or(0, |stamps| stamps.echo.wrapping_sub(now_ms(now_ns)));
        let record = HalfOpen {
            options,
            iss: h.ack - 1,
            irs: h.seq - 1,
            ts_offset,
            ..HalfOpen::new(tuple, hash, listener)
        };
        self.complete(now_ns, net, &record, h, packet);
    }

    /// The handshake is complete: makes the connection and hands it the segment.
    fn complete(
        &mut self,
        now_ns: u64,
        net: &mut dyn Network,
        record: &HalfOpen,
        h: &Header,
        packet: Packet,
    ) {
        let Some(listener) = self.listeners.get(record.listener) else { return };
        let options = listener.options;
        let path = net.path(record.tuple.remote);
        let mut tcb = Tcb::new(record.tuple, record.hash, options, &self.defaults, path);
        tcb.begin_sending(record.iss);
        tcb.nxt = record.iss + 1;
        tcb.begin_receiving(record.irs);
        tcb.ts_offset = record.ts_offset;
        tcb.peer_options(&Header { seq: record.irs, options: record.options, ..Header::default() });
        // What our SYN offered; the scale was that of the largest buffer.
        if record.options.wscale.is_some() {
            tcb.rcv_scale = Tcb::scale_for(self.defaults.buf_max);
        }
        tcb.rcv_adv = tcb.rcv_nxt + tcb.rcv_limit.min(65535) as u32;
        tcb.ts_recent_ms = now_ms(now_ns);
        tcb.state = State::SynReceived;
        tcb.listener = Some(record.listener);
        let Some(id) = self.add(tcb) else { return };
        self.listeners.ports.hold(record.tuple.local.port);
        let mut cx = context!(self, now_ns, net);
        let Some(tcb) = self.slots[id.index as usize].tcb.as_deref_mut() else { return };
        let outcome = tcb.segment_arrives(&mut cx, h, packet);
        if outcome == Outcome::Keep {
            tcb.output(&mut cx);
            if tcb.state == State::SynReceived {
                // It was not what it seemed.
                tcb.listener = None;
                return self.closed(id.index);
            }
        }
        self.settle(now_ns, id.index, outcome);
    }

    fn answer_again(&mut self, now_ns: u64, net: &mut dyn Network, record: &HalfOpen, window: usize) {
        let stamp = now_ms(now_ns).wrapping_add(record.ts_offset);
        let stamps = record.options.stamps.map(|its| Stamps { value: stamp, echo: its.value });
        let reply = segment::Options { stamps, ..record.options };
        self.send_syn_ack(net, &record.tuple, record.iss, record.irs, reply, window);
    }

    /// A half-open connection's peer does not answer.
    pub(super) fn half_open_timeout(&mut self, now_ns: u64, net: &mut dyn Network, place: u32) {
        let Some(&record) = self.syn_cache.get(place) else { return };
        if self.syn_cache.again(now_ns, place) {
            let window = self.rcvbuf_of(record.listener);
            self.answer_again(now_ns, net, &record, window);
        } else {
            self.forget_half_open(place);
        }
    }
}

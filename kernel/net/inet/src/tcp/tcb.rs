//! A connection's state: the transmission control block (RFC 9293, 3.3).
//!
//! Sequence numbers of the send side, in order: `una` (oldest not acknowledged), `nxt` (next to be sent for the first time), the end of what
//! the application has written, the FIN. The send queue begins at `snd_start`, which is `una` once the SYN is acknowledged. On the receive side `rcv_nxt` is
//! what is expected next and `rcv_adv` the right edge that the peer was told of; it never goes back.

use core::cell::Cell;

use rump_kern::Errno;

use super::congestion::Congestion;
use super::demux::Tuple;
use super::input::QUICK_ACKS;
use super::loss::Probe;
use super::reassembly::Reassembly;
use super::rtt::Rtt;
use super::sack::Scoreboard;
use super::segment::{Stamps, TS_LEN};
use super::seq::Seq;
use super::stream::Stream;
use super::timer::NEVER;
use super::{Defaults, Path};

/// States, numbered as NetBSD's `TCPS_`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "RFC 9293's names")]
#[repr(u8)]
pub enum State {
    Closed = 0,
    SynSent = 2,
    SynReceived = 3,
    Established = 4,
    CloseWait = 5,
    FinWait1 = 6,
    Closing = 7,
    LastAck = 8,
    FinWait2 = 9,
    TimeWait = 10,
}

impl State {
    /// Whether both sides have agreed on sequence numbers.
    #[must_use]
    pub const fn is_synchronised(self) -> bool {
        !matches!(self, Self::Closed | Self::SynSent | Self::SynReceived)
    }
}

/// How the connection deals with loss just now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Nothing is known to be lost.
    Open,
    /// Fast recovery.
    Recovery,
    /// After a timeout.
    Loss,
}

/// What has happened that the socket wants to know.
pub mod event {
    /// The connection is there.
    pub const CONNECTED: u8 = 1;
    /// There is more to read, or the peer has closed.
    pub const READABLE: u8 = 2;
    /// There is room to write.
    pub const WRITABLE: u8 = 4;
    /// The connection is gone.
    pub const CLOSED: u8 = 8;
    /// All that was written, and the FIN, have arrived.
    pub const DELIVERED: u8 = 16;
}

/// Options that the application sets; connections have those of their listener.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// TCP_NODELAY: no waiting for acknowledgements with less than a segment.
    pub no_delay: bool,
    /// SO_KEEPALIVE.
    pub keep_alive: bool,
    /// TCP_MAXSEG, 0 if not set.
    pub max_seg: u16,
    /// TCP_KEEPIDLE, seconds.
    pub keep_idle_s: u32,
    /// TCP_KEEPINTVL, seconds.
    pub keep_interval_s: u32,
    /// TCP_KEEPCNT.
    pub keep_count: u32,
    /// TCP_KEEPINIT, seconds: how long a connection may take to come about.
    pub keep_init_s: u32,
    /// SO_RCVBUF, if the application has set it; it is left as it is then.
    pub rcvbuf: Option<usize>,
    /// SO_SNDBUF, likewise.
    pub sndbuf: Option<usize>,
    /// IP_TTL or IPV6_UNICAST_HOPS.
    pub ttl: Option<u8>,
    /// IP_TOS or IPV6_TCLASS.
    pub tos: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            no_delay: false,
            keep_alive: false,
            max_seg: 0,
            keep_idle_s: 7200,
            keep_interval_s: 75,
            keep_count: 8,
            keep_init_s: 75,
            rcvbuf: None,
            sndbuf: None,
            ttl: None,
            tos: 0,
        }
    }
}

/// A connection.
pub struct Tcb {
    /// Both ends.
    pub tuple: Tuple,
    /// The tuple's hash.
    pub hash: u64,
    /// Its state.
    pub state: State,
    /// A socket refers to it.
    pub attached: bool,
    /// The socket is being closed: data that come now are refused.
    pub closing: bool,
    /// The listener through which it came, while it waits to be accepted.
    pub listener: Option<u32>,
    /// Events ([`event`]) that the socket has not been told.
    pub events: u8,
    /// It is in the list of connections with events.
    pub noted: bool,
    /// Why it is gone.
    pub error: Option<Errno>,
    /// An error on the way that may pass; what a timeout is reported as.
    pub soft_error: Option<Errno>,
    /// What the application set.
    pub options: Options,
    /// The way to the peer.
    pub path: Path,
    /// IP has said that a packet was too big.
    pub path_stale: Cell<bool>,
    /// IP's memory of it.
    pub route: super::Route,

    /// Our first sequence number.
    pub iss: Seq,
    /// Oldest that is not acknowledged.
    pub una: Seq,
    /// Next to be sent for the first time.
    pub nxt: Seq,
    /// What the peer is ready to take, bytes from `una`.
    pub snd_wnd: u32,
    /// Segment of the last window update.
    pub wl1: Seq,
    /// Its acknowledgement.
    pub wl2: Seq,
    /// The largest window that the peer ever offered.
    pub max_wnd: u32,
    /// The peer's window scale.
    pub snd_scale: u8,
    /// What was written and not acknowledged.
    pub snd: Stream,
    /// Sequence number of its first byte.
    pub snd_start: Seq,
    /// Most bytes in it.
    pub snd_limit: usize,
    /// After what was written comes a FIN.
    pub fin_queued: bool,
    /// And it was sent.
    pub fin_sent: bool,
    /// The largest segment: data and options.
    pub mss: u32,
    /// What the peer said of its own, for when the path changes.
    pub peer_mss: u32,

    /// The peer's first sequence number.
    pub irs: Seq,
    /// Expected next.
    pub rcv_nxt: Seq,
    /// Right edge of the window that the peer was told of.
    pub rcv_adv: Seq,
    /// Our window scale.
    pub rcv_scale: u8,
    /// Received and not read.
    pub rcv: Stream,
    /// Received, handed to the socket, and not read.
    pub unread: usize,
    /// Most bytes of both.
    pub rcv_limit: usize,
    /// How far the limit may grow.
    pub rcv_max: usize,
    /// Where the present measurement of the receive rate began.
    pub rcv_epoch_ns: u64,
    /// Bytes received since.
    pub rcv_epoch_bytes: usize,
    /// Came out of order.
    pub reassembly: Reassembly,
    /// The peer has closed.
    pub fin_received: bool,
    /// Where the peer's FIN is, if it came before data that precedes it.
    pub fin_at: Option<Seq>,
    /// The application will not read any more: what comes is dropped.
    pub rcv_shut: bool,
    /// The end of the last segment that was smaller than it might have been; Nagle waits for its acknowledgement alone (Minshall's variant).
    pub small_end: Seq,
    /// The last acknowledgement that was sent.
    pub last_ack: Seq,
    /// An acknowledgement is due at once.
    pub ack_now: bool,
    /// An acknowledgement is due as soon as the processor has nothing better to do ([`Engine::acknowledge`](super::engine::Engine::acknowledge)).
    pub ack_soon: bool,
    /// The engine knows of that.
    pub ack_noted: bool,
    /// Full segments that are still acknowledged at once ([`QUICK_ACKS`]).
    pub quick_acks: u8,

    /// Both sides send time stamps.
    pub ts_ok: bool,
    /// Both sides know SACK.
    pub sack_ok: bool,
    /// The peer's stamp to echo.
    pub ts_recent: u32,
    /// When it came, milliseconds.
    pub ts_recent_ms: u32,
    /// What our stamps are ahead of the clock.
    pub ts_offset: u32,

    /// Round-trip time.
    pub rtt: Rtt,
    /// The segment that is being timed ends here, and was sent then.
    pub timed: Option<(Seq, u64)>,
    /// Congestion control.
    pub congestion: Congestion,
    /// The congestion window was used up by the last output.
    pub cwnd_limited: bool,
    /// See [`Phase`].
    pub phase: Phase,
    /// Recovery ends when this is acknowledged.
    pub recover: Seq,
    /// What the peer has beyond its acknowledgement.
    pub sacked: Scoreboard,
    /// What is before this and not reported is lost.
    pub lost_edge: Seq,
    /// Losses before this have been sent again.
    pub high_rxt: Seq,
    /// What was sent first after the oldest hole was sent again; if the peer reports what is beyond, that was lost once more.
    pub rxt_mark: Seq,
    /// The probe of the tail that is under way.
    pub probe: Option<Probe>,
    /// Duplicate acknowledgements in a row.
    pub dup_acks: u32,
    /// The retransmission timer probes a closed window.
    pub persist: bool,
    /// Less than a full segment may be sent into a small window.
    pub force: bool,
    /// Keep-alive probes without an answer.
    pub probes: u32,
    /// When a segment came last.
    pub heard_ns: u64,
    /// When data was sent last.
    pub sent_ns: u64,
    /// When a challenge was sent last.
    pub challenge_ns: u64,

    /// Retransmission or window probe.
    pub rexmt_ns: u64,
    /// Looking for losses that nothing reveals ([`loss`](super::loss)).
    pub probe_ns: u64,
    /// Delayed acknowledgement.
    pub delack_ns: u64,
    /// Establishment, keep-alive, or the end of FIN_WAIT_2.
    pub keep_ns: u64,

    /// Segments sent again.
    pub retransmitted: u32,
    /// Segments that came out of order.
    pub out_of_order: u32,
    /// Times that the window was closed.
    pub zero_windows: u32,
}

impl Tcb {
    /// A closed connection.
    #[must_use]
    pub fn new(tuple: Tuple, hash: u64, options: Options, defaults: &Defaults, path: Path) -> Self {
        let zero = Seq(0);
        Self {
            tuple,
            hash,
            state: State::Closed,
            attached: false,
            closing: false,
            listener: None,
            events: 0,
            noted: false,
            error: None,
            soft_error: None,
            options,
            path,
            path_stale: Cell::new(false),
            route: super::Route::default(),
            iss: zero,
            una: zero,
            nxt: zero,
            snd_wnd: 0,
            wl1: zero,
            wl2: zero,
            max_wnd: 0,
            snd_scale: 0,
            snd: Stream::default(),
            snd_start: zero,
            snd_limit: options.sndbuf.unwrap_or(defaults.sndbuf),
            fin_queued: false,
            fin_sent: false,
            mss: 536,
            peer_mss: 536,
            irs: zero,
            rcv_nxt: zero,
            rcv_adv: zero,
            rcv_scale: 0,
            rcv: Stream::default(),
            unread: 0,
            rcv_limit: options.rcvbuf.unwrap_or(defaults.rcvbuf),
            rcv_max: options.rcvbuf.unwrap_or(defaults.buf_max),
            rcv_epoch_ns: 0,
            rcv_epoch_bytes: 0,
            reassembly: Reassembly::default(),
            fin_received: false,
            fin_at: None,
            rcv_shut: false,
            small_end: zero,
            last_ack: zero,
            ack_now: false,
            ack_soon: false,
            ack_noted: false,
            quick_acks: QUICK_ACKS,
            ts_ok: false,
            sack_ok: false,
            ts_recent: 0,
            ts_recent_ms: 0,
            ts_offset: 0,
            rtt: Rtt::default(),
            timed: None,
            congestion: Congestion::new(536),
            cwnd_limited: false,
            phase: Phase::Open,
            recover: zero,
            sacked: Scoreboard::default(),
            lost_edge: zero,
            high_rxt: zero,
            rxt_mark: zero,
            probe: None,
            dup_acks: 0,
            persist: false,
            force: false,
            probes: 0,
            heard_ns: 0,
            sent_ns: 0,
            challenge_ns: 0,
            rexmt_ns: NEVER,
            probe_ns: NEVER,
            delack_ns: NEVER,
            keep_ns: NEVER,
            retransmitted: 0,
            out_of_order: 0,
            zero_windows: 0,
        }
    }

    /// Sets our first sequence number.
    pub fn begin_sending(&mut self, iss: Seq) {
        self.iss = iss;
        self.una = iss;
        self.nxt = iss;
        self.snd_start = iss + 1;
        self.recover = iss;
        self.lost_edge = iss;
        self.high_rxt = iss;
        self.rxt_mark = iss;
        self.small_end = iss;
    }

    /// Takes the peer's first sequence number.
    pub fn begin_receiving(&mut self, irs: Seq) {
        self.irs = irs;
        self.rcv_nxt = irs + 1;
        self.rcv_adv = irs + 1;
        self.last_ack = irs + 1;
    }

    /// The scale for windows up to `max` bytes.
    #[must_use]
    pub fn scale_for(max: usize) -> u8 {
        (0..super::segment::MAX_WSCALE)
            .find(|&scale| max >> scale <= 65535)
            .unwrap_or(super::segment::MAX_WSCALE)
    }

    /// Fixes the segment size, once the peer's is known or when the path has changed.
    pub fn set_mss(&mut self) {
        let user = if self.options.max_seg == 0 { u32::MAX } else { u32::from(self.options.max_seg) };
        self.mss = self.peer_mss.min(self.path.mss).min(user).max(64);
    }

    /// Bytes of data that a segment without SACK ranges holds.
    #[inline]
    #[must_use]
    pub const fn segment_len(&self) -> u32 {
        if self.ts_ok { self.mss - TS_LEN } else { self.mss }
    }

    /// Where what was written ends.
    #[inline]
    #[must_use]
    pub fn data_end(&self) -> Seq {
        self.snd_start + self.snd.len() as u32
    }

    /// Whether our FIN is acknowledged.
    #[must_use]
    pub fn fin_acked(&self) -> bool {
        self.fin_sent && self.una > self.data_end()
    }

    /// Our time stamp.
    #[inline]
    #[must_use]
    pub fn stamp(&self, now_ns: u64) -> u32 {
        now_ms(now_ns).wrapping_add(self.ts_offset)
    }

    /// The time stamps of a segment.
    #[inline]
    #[must_use]
    pub fn stamps(&self, now_ns: u64) -> Option<Stamps> {
        self.ts_ok.then(|| Stamps { value: self.stamp(now_ns), echo: self.ts_recent })
    }

    /// Bytes that the application can write.
    #[must_use]
    pub fn room(&self) -> usize {
        self.snd_limit.saturating_sub(self.snd.len())
    }

    /// The earliest of its timers.
    #[inline]
    #[must_use]
    pub fn deadline(&self) -> u64 {
        self.rexmt_ns.min(self.probe_ns).min(self.delack_ns).min(self.keep_ns)
    }

    /// Stops all timers.
    pub fn stop_timers(&mut self) {
        (self.rexmt_ns, self.probe_ns, self.delack_ns, self.keep_ns) = (NEVER, NEVER, NEVER, NEVER);
    }

    /// Bytes on their way (RFC 6675's pipe): sent, not reported as received, not lost or sent again.
    #[must_use]
    pub fn pipe(&self) -> u32 {
        if self.lost_edge == self.una && self.sacked.is_empty() {
            let left = self.dup_acks * self.segment_len();
            return if self.sack_ok {
                self.nxt - self.una
            } else {
                (self.nxt - self.una).saturating_sub(left)
            };
        }
        let again = self.sacked.missing(self.una, self.high_rxt.min(self.lost_edge));
        let fresh = self.sacked.missing(self.lost_edge.min(self.nxt), self.nxt);
        let left = if self.sack_ok { 0 } else { self.dup_acks * self.segment_len() };
        again + fresh.saturating_sub(left)
    }

    /// Starts the retransmission timer.
    pub fn start_rexmt(&mut self, now_ns: u64) {
        self.rexmt_ns = now_ns + u64::from(self.rtt.timeout_us()) * 1000;
    }

    /// Starts the keep-alive timer, if the application wants it.
    pub fn start_keep(&mut self, now_ns: u64) {
        self.keep_ns = if self.options.keep_alive {
            now_ns + u64::from(self.options.keep_idle_s) * 1_000_000_000
        } else {
            NEVER
        };
    }

    /// Frees what a connection that is gone does not need.
    pub fn release(&mut self) {
        self.stop_timers();
        self.snd = Stream::default();
        self.reassembly.clear();
        self.sacked.clear();
    }
}

/// The clock in milliseconds; it wraps.
#[inline]
#[must_use]
pub const fn now_ms(now_ns: u64) -> u32 {
    (now_ns / 1_000_000) as u32
}

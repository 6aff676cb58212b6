//! Input: what an arriving segment does to its connection (RFC 9293 3.10.7, RFC 7323, RFC 5961, RFC 5681, RFC 6675).
//!
//! A segment that continues the stream in an established connection takes a short way; all others are looked at step by step in the order of the
//! RFC. Nothing here trusts a number: sequence numbers are compared before they are subtracted, and a packet's length is its views'.

use rump_hypercall::net::Packet;
use rump_kern::Errno;

use super::congestion::Congestion;
use super::reassembly::append;
use super::segment::{ACK, FIN, Header, RST, SYN};
use super::seq::Seq;
use super::tcb::{Phase, State, Tcb, event, now_ms};
use super::timer::NEVER;
use super::{Context, Defaults};

/// How long an acknowledgement may wait for data to go with.
const DELACK_NS: u64 = 40_000_000;
/// So many full segments are acknowledged at once at the beginning, when the peer waits for acknowledgements to widen its window, and after one came out of order or once more: where segments get
/// lost, acknowledgements do, too, and the peer's window is small.
pub const QUICK_ACKS: u8 = 16;
/// Challenges to one connection are at least so far apart (RFC 5961, 7).
const CHALLENGE_NS: u64 = 500_000_000;
/// Time stamps older than this mean nothing (RFC 7323, 5.5).
const PAWS_IDLE_MS: u32 = 24 * 24 * 3600 * 1000;
/// A socket that is gone waits so long in FIN_WAIT_2.
pub const FIN_WAIT_2_NS: u64 = 60_000_000_000;

/// What becomes of the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It goes on.
    Keep,
    /// It is over.
    Closed,
    /// It is over but for the wait of TIME_WAIT.
    TimeWait,
}

impl Tcb {
    /// Takes a segment in. Output is the caller's to call afterwards, where the connection goes on.
    pub fn segment_arrives(&mut self, cx: &mut Context<'_>, h: &Header, mut packet: Packet) -> Outcome {
        self.heard_ns = cx.now_ns;
        self.probes = 0;
        if self.state == State::SynSent {
            return self.in_syn_sent(cx, h, packet);
        }
        if self.predicted(h, &packet) {
            return self.fast(cx, h, packet);
        }
        // RFC 7323, 5.3: a segment from long ago.
        if self.ts_ok && !h.has(RST) {
            match h.options.stamps {
                Some(stamps) if stamps.value.wrapping_sub(self.ts_recent).cast_signed() < 0 => {
                    let idle = now_ms(cx.now_ns).wrapping_sub(self.ts_recent_ms);
                    if idle < PAWS_IDLE_MS {
                        self.challenge(cx);
                        return Outcome::Keep;
                    }
                }
                None if !h.has(SYN) => return Outcome::Keep,
                _ => {}
            }
        }
        let window = self.rcv_adv.ahead_of(self.rcv_nxt);
        if h.has(RST) {
            // RFC 5961, 3.2: only the exact number is believed.
            if h.seq == self.rcv_nxt || (self.state == State::SynReceived && h.seq == self.irs + 1) {
                return self.reset_by_peer();
            }
            if h.seq > self.rcv_nxt && h.seq < self.rcv_nxt + window.max(1) {
                self.challenge(cx);
            }
            return Outcome::Keep;
        }
        if h.has(SYN) {
            if self.state == State::SynReceived && h.seq == self.irs {
                // Simultaneous open: their SYN again, with or without an acknowledgement of ours.
                if !h.has(ACK) || h.ack != self.nxt {
                    self.send_syn(cx);
                    return Outcome::Keep;
                }
            } else {
                self.challenge(cx);
                return Outcome::Keep;
            }
        }
        if !h.has(ACK) {
            return Outcome::Keep;
        }
        // A SYN that is left takes the number before the data.
        let mut seq = if h.has(SYN) { h.seq + 1 } else { h.seq };
        let mut fin = h.has(FIN);
        let len = packet.len() as u32;
        // What came before.
        if seq < self.rcv_nxt {
            let old = self.rcv_nxt - seq;
            if old >= len + u32::from(fin) {
                // All of it: a keep-alive probe, or an acknowledgement of ours was lost.
                if len > 0 {
                    self.quick_acks = QUICK_ACKS;
                    if self.sack_ok {
                        self.reassembly.note_duplicate(seq, seq + len);
                    }
                }
                if len > 0 || fin || h.seq + 1 == self.rcv_nxt {
                    self.ack_now |= !h.has(SYN);
                } else {
                    // A bare acknowledgement that was overtaken, or two ends that disagree: not an answer for each.
                    self.challenge(cx);
                }
                packet.truncate(0);
                fin = false;
            } else {
                if self.sack_ok {
                    self.reassembly.note_duplicate(seq, self.rcv_nxt);
                }
                packet.advance(old as usize);
            }
            seq = self.rcv_nxt;
        }
        // What is beyond the window.
        let edge = self.rcv_nxt + window;
        let end = seq + packet.len() as u32;
        if end + u32::from(fin) > edge {
            if seq > edge || (seq == edge && seq != self.rcv_nxt) {
                self.challenge(cx);
                return Outcome::Keep;
            }
            if end > edge {
                // A probe of a closed window, or more than was offered.
                packet.truncate((edge - seq) as usize);
                fin = false;
                self.ack_now = true;
            }
        }
        // RFC 5961, 5: acknowledgements that cannot be, from someone who guesses.
        if h.ack > self.nxt || (h.ack < self.una && self.una - h.ack > self.max_wnd.max(1)) {
            if self.state == State::SynReceived {
                cx.reset_for(self.tuple, h, len);
            } else {
                self.challenge(cx);
            }
            return Outcome::Keep;
        }
        if let Some(stamps) = h.options.stamps {
            self.take_stamp(cx, h.seq, stamps.value);
        }
        if self.state == State::SynReceived {
            if h.ack != self.nxt {
                return Outcome::Keep;
            }
            self.established(cx);
            self.snd_wnd = u32::from(h.window) << self.snd_scale;
            self.max_wnd = self.snd_wnd;
            (self.wl1, self.wl2) = (seq, h.ack);
        }
        self.take_ack(cx, h, packet.is_empty() && !fin);
        if self.fin_acked() {
            self.events |= event::DELIVERED;
            match self.state {
                State::FinWait1 => {
                    self.state = State::FinWait2;
                    if !self.attached || self.closing {
                        self.keep_ns = cx.now_ns + FIN_WAIT_2_NS;
                    }
                }
                State::Closing => return Outcome::TimeWait,
                State::LastAck => return Outcome::Closed,
                _ => {}
            }
        }
        self.take_data(cx, seq, packet, fin)
    }

    /// Whether this is the segment that was to be expected: established, in order, nothing unusual.
    #[inline]
    fn predicted(&self, h: &Header, packet: &Packet) -> bool {
        self.state == State::Established
            && h.flags & (FIN | SYN | RST | ACK) == ACK
            && h.seq == self.rcv_nxt
            && h.ack >= self.una
            && h.ack <= self.nxt
            && self.phase == Phase::Open
            && self.sacked.is_empty()
            && h.options.sack.is_empty()
            && self.reassembly.is_empty()
            && packet.len() as u32 <= self.rcv_adv.ahead_of(self.rcv_nxt)
            && (h.ack > self.una || !packet.is_empty())
            && match h.options.stamps {
                Some(stamps) => self.ts_ok && stamps.value.wrapping_sub(self.ts_recent).cast_signed() >= 0,
                None => !self.ts_ok,
            }
            && !self.rcv_shut
            && !self.closing
            && self.fin_at.is_none()
    }

    /// The short way.
    fn fast(&mut self, cx: &mut Context<'_>, h: &Header, packet: Packet) -> Outcome {
        if let Some(stamps) = h.options.stamps {
            self.take_stamp(cx, h.seq, stamps.value);
        }
        if h.ack > self.una {
            self.advance(cx, h);
            self.probe_answered(h);
        }
        self.take_window(h);
        if !packet.is_empty() {
            self.deliver(cx, packet);
        }
        Outcome::Keep
    }

    /// RFC 7323, 4.3: the stamp to echo is that of the segment that made the last acknowledgement move.
    #[inline]
    fn take_stamp(&mut self, cx: &Context<'_>, seq: Seq, value: u32) {
        if self.ts_ok && seq <= self.last_ack && value.wrapping_sub(self.ts_recent).cast_signed() >= 0 {
            self.ts_recent = value;
            self.ts_recent_ms = now_ms(cx.now_ns);
        }
    }

    fn in_syn_sent(&mut self, cx: &mut Context<'_>, h: &Header, packet: Packet) -> Outcome {
        if h.has(ACK) && h.ack != self.nxt {
            if !h.has(RST) {
                cx.reset_for(self.tuple, h, packet.len() as u32);
            }
            return Outcome::Keep;
        }
        if h.has(RST) {
            if h.has(ACK) {
                self.error = Some(Errno::ECONNREFUSED);
                return Outcome::Closed;
            }
            return Outcome::Keep;
        }
        if !h.has(SYN) {
            return Outcome::Keep;
        }
        self.begin_receiving(h.seq);
        self.peer_options(h);
        self.ts_recent_ms = now_ms(cx.now_ns);
        if !h.has(ACK) {
            // Simultaneous open.
            self.state = State::SynReceived;
            self.send_syn(cx);
            return Outcome::Keep;
        }
        // A window in a SYN is not scaled.
        self.snd_wnd = u32::from(h.window);
        self.max_wnd = self.snd_wnd;
        (self.wl1, self.wl2) = (h.seq, h.ack);
        self.established(cx);
        self.advance(cx, h);
        self.ack_now = true;
        self.rcv_adv = self.rcv_nxt + self.rcv_limit.min(65535) as u32;
        self.take_data(cx, self.rcv_nxt, packet, h.has(FIN))
    }

    /// What the SYN of the peer says of it.
    pub fn peer_options(&mut self, h: &Header) {
        let options = &h.options;
        let default_mss = if self.tuple.remote.addr.is_v4() { 536 } else { 1220 };
        self.peer_mss = options.mss.map_or(default_mss, u32::from).max(64);
        self.set_mss();
        if let Some(scale) = options.wscale {
            self.snd_scale = scale;
            self.rcv_scale = Self::scale_for(self.rcv_max);
        } else {
            (self.snd_scale, self.rcv_scale) = (0, 0);
        }
        self.sack_ok = options.sack_ok;
        self.ts_ok = options.stamps.is_some();
        self.ts_recent = options.stamps.map_or(0, |stamps| stamps.value);
        self.congestion = Congestion::new(self.segment_len());
    }

    fn established(&mut self, cx: &Context<'_>) {
        self.state = State::Established;
        self.events |= event::CONNECTED | event::WRITABLE;
        self.rexmt_ns = NEVER;
        self.rcv_epoch_ns = cx.now_ns;
        self.start_keep(cx.now_ns);
        if self.fin_queued {
            // Closed before it was established.
            self.state = State::FinWait1;
        }
    }

    fn reset_by_peer(&mut self) -> Outcome {
        self.error = match self.state {
            State::SynReceived => Some(Errno::ECONNREFUSED),
            // Both sides have said all they had to say.
            State::Closing | State::LastAck => None,
            _ => Some(Errno::ECONNRESET),
        };
        Outcome::Closed
    }

    /// An acknowledgement of how things are, for segments that may be forged; not often.
    fn challenge(&mut self, cx: &mut Context<'_>) {
        if self.challenge_ns != 0 && cx.now_ns < self.challenge_ns + CHALLENGE_NS {
            return;
        }
        self.challenge_ns = cx.now_ns;
        if self.state == State::SynReceived {
            self.send_syn(cx);
        } else {
            self.ack_now = true;
        }
    }

    /// The acknowledgement and the window of a segment; `bare` if it brings nothing else.
    fn take_ack(&mut self, cx: &mut Context<'_>, h: &Header, bare: bool) {
        let mut news = 0;
        let unreported = self.sacked.is_empty();
        if self.sack_ok {
            let floor = h.ack.max(self.una);
            for &(start, end) in h.options.sack.as_slice() {
                // Not what is acknowledged: that reports a duplicate (RFC 2883).
                if start < end && start > floor && end <= self.nxt {
                    news += self.sacked.insert(start, end);
                }
            }
        }
        if h.ack > self.una {
            self.advance(cx, h);
        } else if h.ack == self.una && self.una != self.nxt {
            let same_window = u32::from(h.window) << self.snd_scale == self.snd_wnd;
            if news > 0 || (bare && same_window && !self.sack_ok) {
                self.dup_acks += 1;
            }
        }
        self.take_window(h);
        self.probe_answered(h);
        if unreported && news > 0 {
            // Reordering has so long from now.
            self.probe_ns = NEVER;
        }
        self.look_for_loss();
    }

    /// Takes the window of a segment, if it is not an old one (RFC 9293, 3.10.7.4).
    #[inline]
    fn take_window(&mut self, h: &Header) {
        if h.ack < self.una {
            return;
        }
        if self.wl1 < h.seq || (self.wl1 == h.seq && self.wl2 <= h.ack) {
            let window = u32::from(h.window) << self.snd_scale;
            if window > self.snd_wnd && self.persist {
                self.persist = false;
                self.rexmt_ns = NEVER;
                self.rtt.progress();
            }
            self.snd_wnd = window;
            self.max_wnd = self.max_wnd.max(window);
            (self.wl1, self.wl2) = (h.seq, h.ack);
        } else if h.ack == self.una {
            // The window is relative to the acknowledgement, which has moved.
            let window = u32::from(h.window) << self.snd_scale;
            self.snd_wnd = self.snd_wnd.max(window);
        }
    }

    /// `h.ack` acknowledges something new.
    fn advance(&mut self, cx: &mut Context<'_>, h: &Header) {
        let acked = h.ack - self.una;
        let edge = self.una + self.snd_wnd;
        let data = h.ack.ahead_of(self.snd_start).min(self.snd.len() as u32);
        let was_full = self.room() == 0;
        self.snd.advance(data as usize);
        self.snd_start += data;
        self.una = h.ack;
        // The right edge stays where it is until the segment's window is taken.
        self.snd_wnd = edge.ahead_of(self.una);
        self.sacked.acked(self.una);
        self.lost_edge = self.lost_edge.max(self.una);
        self.high_rxt = self.high_rxt.max(self.una);
        self.soft_error = None;

        // Round-trip time: of the timed segment; of time stamps where something was sent again.
        if let Some((end, sent_ns)) = self.timed {
            if h.ack >= end {
                self.rtt.sample(((cx.now_ns - sent_ns) / 1000).min(u64::from(u32::MAX)) as u32);
                self.timed = None;
            }
        } else if let Some(stamps) = h.options.stamps
            && self.ts_ok
            && stamps.echo != 0
        {
            let ms = self.stamp(cx.now_ns).wrapping_sub(stamps.echo);
            if ms < 600_000 {
                self.rtt.sample((ms * 1000).max(500));
            }
        }
        self.rtt.progress();
        self.probe_ns = NEVER;

        let mss = self.segment_len();
        let srtt_ms = self.rtt.srtt_us() / 1000;
        match self.phase {
            Phase::Open => {
                self.dup_acks = 0;
                if self.cwnd_limited {
                    self.congestion.acked(acked, mss, now_ms(cx.now_ns), srtt_ms);
                }
            }
            Phase::Recovery if self.una < self.recover => {
                if !self.sack_ok {
                    // NewReno (RFC 6582): what follows a partial acknowledgement is lost, too.
                    self.dup_acks = self.dup_acks.saturating_sub(acked / mss);
                    self.lost_edge = (self.una + mss).min(self.nxt);
                    self.high_rxt = self.una;
                }
            }
            Phase::Loss if self.una < self.recover => {
                self.dup_acks = 0;
                self.congestion.acked(acked, mss, now_ms(cx.now_ns), srtt_ms);
            }
            Phase::Recovery | Phase::Loss => {
                self.phase = Phase::Open;
                self.dup_acks = 0;
                self.lost_edge = self.una;
                self.high_rxt = self.una;
            }
        }
        if self.una == self.nxt {
            self.rexmt_ns = NEVER;
        } else {
            self.start_rexmt(cx.now_ns);
        }
        self.persist = false;
        self.grow_send_buffer(cx.defaults);
        // Half of the room, so that a writer is not woken for every segment.
        if self.attached && data > 0 && (was_full || self.room() * 2 >= self.snd_limit) {
            self.events |= event::WRITABLE;
        }
    }

    /// The send buffer has to hold what is in flight and as much again.
    fn grow_send_buffer(&mut self, defaults: &Defaults) {
        if self.options.sndbuf.is_none()
            && self.snd_limit < defaults.buf_max
            && self.congestion.window() as usize > self.snd_limit / 2
            && self.snd_wnd as usize > self.snd_limit / 2
        {
            self.snd_limit = (self.snd_limit * 2).min(defaults.buf_max);
        }
    }

    /// The data and the FIN of a segment, both inside the window.
    fn take_data(&mut self, cx: &mut Context<'_>, seq: Seq, packet: Packet, fin: bool) -> Outcome {
        if !matches!(self.state, State::Established | State::FinWait1 | State::FinWait2) {
            return Outcome::Keep;
        }
        let end = seq + packet.len() as u32;
        if fin {
            self.fin_at = Some(end);
            self.ack_now = true;
        }
        if !packet.is_empty() {
            if self.closing || (!self.attached && self.listener.is_none()) {
                // RFC 1122, 4.2.2.13: nobody will ever read it; the peer has to know.
                self.send_reset(cx);
                return Outcome::Closed;
            }
            if self.rcv_shut {
                // The application has said that it will not read: acknowledged and dropped.
                if seq == self.rcv_nxt {
                    self.rcv_nxt = end;
                    self.rcv_adv = self.rcv_adv.max(end);
                }
                self.ack_now = true;
            } else if seq == self.rcv_nxt && self.reassembly.is_empty() {
                self.deliver(cx, packet);
            } else {
                self.deliver_later(cx, seq, packet);
            }
        }
        if self.fin_at == Some(self.rcv_nxt) {
            return self.take_fin(cx);
        }
        Outcome::Keep
    }

    fn take_fin(&mut self, cx: &mut Context<'_>) -> Outcome {
        self.fin_at = None;
        self.rcv_nxt += 1;
        self.rcv_adv = self.rcv_adv.max(self.rcv_nxt);
        self.fin_received = true;
        self.ack_now = true;
        self.events |= event::READABLE;
        match self.state {
            State::Established => self.state = State::CloseWait,
            State::FinWait1 => self.state = State::Closing,
            State::FinWait2 => {
                self.send_ack(cx);
                return Outcome::TimeWait;
            }
            _ => {}
        }
        Outcome::Keep
    }

    /// Data that is next.
    #[inline]
    fn deliver(&mut self, cx: &mut Context<'_>, packet: Packet) {
        let len = packet.len();
        let before = self.rcv.len();
        // Without memory the rest is as good as lost.
        let _ = append(&mut self.rcv, packet);
        let taken = self.rcv.len() - before;
        self.rcv_nxt += taken as u32;
        self.events |= event::READABLE;
        self.grow_receive_buffer(cx, taken);
        // RFC 1122, 4.2.3.2, wants an acknowledgement for every second segment. While more segments come in and the application reads, it
        // waits until there is nothing else to do, or until the peer might use up its window.
        let waiting = self.rcv_nxt - self.last_ack;
        let segment = self.segment_len();
        if taken < len || waiting >= (2 * segment).max(self.rcv_limit as u32 / 4) {
            self.ack_now = true;
        } else if len as u32 >= segment && self.quick_acks > 0 {
            self.quick_acks -= 1;
            self.ack_now = true;
        } else {
            self.ack_soon |= waiting >= 2 * segment;
            if self.delack_ns == NEVER {
                self.delack_ns = cx.now_ns + DELACK_NS;
            }
        }
    }

    /// Data that is out of order, or that may close a gap.
    fn deliver_later(&mut self, cx: &mut Context<'_>, seq: Seq, packet: Packet) {
        self.ack_now = true;
        if seq != self.rcv_nxt {
            self.quick_acks = QUICK_ACKS;
            self.out_of_order += 1;
            cx.stats.out_of_order += 1;
            self.reassembly.insert(seq, packet);
            return;
        }
        let before = self.rcv.len();
        let wanted = packet.len();
        let result = append(&mut self.rcv, packet);
        let taken = self.rcv.len() - before;
        self.rcv_nxt += taken as u32;
        if result.is_ok() && taken == wanted {
            let from = self.rcv.len();
            let _ = self.reassembly.deliver(self.rcv_nxt, &mut self.rcv);
            self.rcv_nxt += (self.rcv.len() - from) as u32;
        }
        self.events |= event::READABLE;
        let taken = self.rcv.len() - before;
        self.grow_receive_buffer(cx, taken);
    }

    /// A buffer that is filled in less than two round trips limits the sender. No round trip is taken for shorter than a millisecond: a larger buffer than that asks for
    /// would only be another place to wait in.
    fn grow_receive_buffer(&mut self, cx: &Context<'_>, bytes: usize) {
        self.rcv_epoch_bytes += bytes;
        let epoch_ns = u64::from(self.rtt.srtt_us().max(1000)) * 1000;
        let took_ns = cx.now_ns - self.rcv_epoch_ns;
        if took_ns < epoch_ns {
            return;
        }
        let per_epoch = (self.rcv_epoch_bytes as u64).saturating_mul(epoch_ns) / took_ns;
        if per_epoch > self.rcv_limit as u64 / 2 && self.rcv_limit < self.rcv_max {
            self.rcv_limit = (self.rcv_limit * 2).min(self.rcv_max);
        }
        self.rcv_epoch_bytes = 0;
        self.rcv_epoch_ns = cx.now_ns;
    }
}

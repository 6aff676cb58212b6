//! Output: what may be sent now, and the segments for it (RFC 9293 3.8, RFC 5681, RFC 6675).
//!
//! Lost data goes first, then new data, as far as the peer's window and the congestion window allow. Where the interface cuts large packets
//! (TSO), one packet of up to 64 KiB stands for many segments. Small segments wait as Nagle and the sender's side of silly-window avoidance want it
//! (RFC 9293, 3.8.6.2.1 and 3.7.4). Without memory nothing is sent, and the retransmission timer tries again.

use rump_hypercall::net::{Checksum, Gso, GsoKind, Packet, Size, Slice};

use super::segment::{ACK, FIN, Header, Options, PSH, SYN, Stamps};
use super::seq::Seq;
use super::tcb::{Phase, State, Tcb};
use super::timer::NEVER;
use super::{Context, HEADROOM, Network};
use crate::addr::{Endpoint, pseudo_header};
use crate::wire::{TcpHeader, proto};

/// Data up to this length is copied behind the header: one piece for the device instead of two.
const COPY_BREAK: usize = 512;

/// Bytes of a SACK option with so many ranges, with its padding.
const fn sack_len(blocks: usize) -> u32 {
    if blocks == 0 { 0 } else { 4 + 8 * blocks as u32 }
}

/// A packet of a header alone, with room for data behind it.
#[must_use]
pub fn header_packet(local: Endpoint, remote: Endpoint, header: &Header) -> Option<Slice> {
    let (bytes, len) = header.emit(local.port, remote.port);
    let mut slice = Slice::alloc(Size::Half, HEADROOM)?;
    slice.extend(len)?.copy_from_slice(&bytes[..len]);
    Some(slice)
}

/// Puts the sum of the pseudo-header into a packet that begins with its TCP header.
pub fn seal(packet: &mut Packet, local: Endpoint, remote: Endpoint) {
    let sum = pseudo_header(local.addr, remote.addr, proto::TCP, packet.len()).partial();
    let at = usize::from(TcpHeader::CHECKSUM_OFFSET);
    if let Some(head) = packet.head_mut() {
        head[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }
    packet.checksum = Checksum::Partial { start: 0, offset: TcpHeader::CHECKSUM_OFFSET };
}

/// Sends a segment without data that belongs to no connection: a reset, or an answer in the name of one that is compressed.
pub fn send_bare(net: &mut dyn Network, local: Endpoint, remote: Endpoint, header: &Header) {
    let Some(slice) = header_packet(local, remote, header) else { return };
    let mut packet = Packet::new(slice);
    seal(&mut packet, local, remote);
    net.send(packet, local, remote, None);
}

impl Tcb {
    /// The window to offer (RFC 9293, 3.8.6.2.2): never smaller than offered before, and opened by a useful step at a time.
    fn window(&self) -> u32 {
        let space =
            self.rcv_limit.saturating_sub(self.rcv.len() + self.unread).min(65535 << self.rcv_scale) as u32;
        let offered = self.rcv_adv.ahead_of(self.rcv_nxt);
        let step = (self.rcv_limit as u32 / 2).min(self.mss);
        if space < offered.saturating_add(step) { offered } else { space }
    }

    /// Whether the window has opened by so much that the peer should know: half the buffer; or, where less is open, two segments. While the application
    /// has much to read it will not miss what the peer holds back, and the peer is told in larger steps.
    #[must_use]
    pub fn is_update_due(&self) -> bool {
        if self.rcv_shut || self.fin_received {
            return false;
        }
        let offered = self.rcv_adv.ahead_of(self.rcv_nxt);
        let gain = self.window() - offered.min(self.window());
        let limit = self.rcv_limit as u32;
        let unread = (self.rcv.len() + self.unread) as u32;
        let enough = (unread / 2).min(limit / 8).max(2 * self.mss);
        gain >= limit / 2 || (gain >= enough && offered < limit / 2)
    }

    /// The window as it goes into the header, and the edge that it promises.
    fn advertise(&mut self) -> u16 {
        let window = self.window();
        // Rounded up where it keeps an old promise, since the edge must not go back.
        let scaled = window.div_ceil(1 << self.rcv_scale).min(65535);
        self.rcv_adv = self.rcv_adv.max(self.rcv_nxt + (scaled << self.rcv_scale));
        if scaled == 0 {
            self.zero_windows += 1;
        }
        scaled as u16
    }

    /// Sends what may be sent.
    pub fn output(&mut self, cx: &mut Context<'_>) {
        if !self.state.is_synchronised() || self.state == State::TimeWait {
            return;
        }
        if self.path_stale.take() {
            self.path = cx.net.path(self.tuple.remote);
            self.set_mss();
        }
        let idle = self.una == self.nxt;
        if idle && cx.now_ns.saturating_sub(self.sent_ns) > u64::from(self.rtt.timeout_us()) * 1000 {
            self.congestion.idle(self.mss);
        }
        self.cwnd_limited = false;
        loop {
            let pipe = self.pipe();
            let cwnd = self.congestion.window();
            if self.phase != Phase::Open
                && let Some((from, to)) = self.sacked.hole(self.high_rxt.max(self.una), self.lost_edge)
            {
                if pipe >= cwnd {
                    break;
                }
                if !self.retransmit(cx, from, to) {
                    break;
                }
                continue;
            }
            if !self.send_new(cx, pipe, cwnd) {
                break;
            }
        }
        self.force = false;
        if self.ack_now || self.is_update_due() {
            self.send_ack(cx);
        }
        self.arm_timers(cx.now_ns);
    }

    fn arm_timers(&mut self, now_ns: u64) {
        if self.una != self.nxt {
            if self.persist || self.rexmt_ns == NEVER {
                self.persist = false;
                self.start_rexmt(now_ns);
            }
        } else if self.nxt != self.data_end() || (self.fin_queued && !self.fin_sent) {
            // Something waits and nothing is in flight whose acknowledgement would call here again: the window is too small.
            if !self.persist {
                self.persist = true;
                self.start_rexmt(now_ns);
            }
        } else {
            self.persist = false;
            self.rexmt_ns = NEVER;
        }
        self.arm_probe(now_ns);
    }

    /// Sends one packet of new data, or a FIN. False if there is nothing that may be sent.
    fn send_new(&mut self, cx: &mut Context<'_>, pipe: u32, cwnd: u32) -> bool {
        let mss = self.data_len_max();
        let available = self.data_end().ahead_of(self.nxt);
        let window = (self.una + self.snd_wnd).ahead_of(self.nxt);
        if available == 0 {
            let due = self.fin_queued && !self.fin_sent && (window > 0 || self.force);
            return due && self.send_segment(cx, self.nxt, 0, FIN);
        }
        let allowed = window.min(cwnd.saturating_sub(pipe));
        let mut len = available.min(allowed).min(self.tso_len(mss));
        if len == 0 {
            self.cwnd_limited |= window > 0;
            return false;
        }
        if len > mss && (len < available || !self.fin_queued) {
            // Whole segments; a rest is looked at by itself.
            len -= len % mss;
        }
        let whole = len >= mss
            || (len == available && (self.options.no_delay || self.small_end <= self.una || self.fin_queued))
            || (len == window && len >= self.max_wnd / 2)
            || self.force;
        if !whole {
            self.cwnd_limited |= window > allowed;
            return false;
        }
        let last = len == available;
        let fin = if last && self.fin_queued { FIN } else { 0 };
        let psh = if last { PSH } else { 0 };
        self.send_segment(cx, self.nxt, len, fin | psh)
    }

    /// Bytes of data per segment, with the options that it has now.
    fn data_len_max(&self) -> u32 {
        let report = if self.sack_ok && self.reassembly.has_report() { sack_len(3) } else { 0 };
        self.segment_len() - report.min(self.segment_len() - 32)
    }

    /// Bytes of data per packet.
    fn tso_len(&self, mss: u32) -> u32 {
        (self.path.tso_max / mss * mss).max(mss)
    }

    /// Sends lost data again: from `from`, at most to `to`. False if that failed.
    fn retransmit(&mut self, cx: &mut Context<'_>, from: Seq, to: Seq) -> bool {
        if from == self.una {
            self.rxt_mark = self.nxt;
        }
        let Some(sent) = self.resend(cx, from, to) else { return false };
        self.high_rxt = from + sent;
        // A hole without anything to send would be a FIN that is covered below; but never loop on one.
        sent > 0
    }

    /// Sends a segment again that begins at `from`, and at most what is before `to`. Returns how many sequence numbers that were.
    pub fn resend(&mut self, cx: &mut Context<'_>, from: Seq, to: Seq) -> Option<u32> {
        let len = (to - from).min(self.data_len_max()).min(self.data_end().ahead_of(from));
        let fin =
            if self.fin_sent && from + len == self.data_end() && to > self.data_end() { FIN } else { 0 };
        self.send_segment(cx, from, len, fin).then_some(len + u32::from(fin != 0))
    }

    /// Sends the oldest segment that is not acknowledged, whatever the windows say.
    pub fn retransmit_first(&mut self, cx: &mut Context<'_>) {
        match self.state {
            State::SynSent | State::SynReceived => self.send_syn(cx),
            _ => {
                let to = self.sacked.hole(self.una, self.nxt).map_or(self.nxt, |hole| hole.1);
                if to > self.una {
                    self.retransmit(cx, self.una, to);
                }
            }
        }
    }

    /// Sends a SYN, with an acknowledgement if the peer's is known.
    pub fn send_syn(&mut self, cx: &mut Context<'_>) {
        let again = self.nxt != self.iss;
        let acks = self.state == State::SynReceived;
        let stamps = Stamps { value: self.stamp(cx.now_ns), echo: if acks { self.ts_recent } else { 0 } };
        // An answer offers only what the peer has offered.
        let options = Options {
            mss: Some(self.advertised_mss()),
            wscale: (!acks || self.rcv_scale != 0 || self.snd_scale != 0)
                .then(|| Self::scale_for(self.rcv_max)),
            sack_ok: !acks || self.sack_ok,
            stamps: (!acks || self.ts_ok).then_some(stamps),
            ..Options::default()
        };
        let window = self.rcv_limit.min(65535) as u16;
        if acks {
            self.rcv_adv = self.rcv_adv.max(self.rcv_nxt + u32::from(window));
        }
        let header = Header {
            seq: self.iss,
            ack: if acks { self.rcv_nxt } else { Seq(0) },
            flags: if acks { SYN | ACK } else { SYN },
            window,
            options,
        };
        self.nxt = self.iss + 1;
        if again {
            self.timed = None;
            self.retransmitted += 1;
        } else {
            self.timed = Some((self.nxt, cx.now_ns));
        }
        cx.stats.sent += 1;
        if let Some(slice) = header_packet(self.tuple.local, self.tuple.remote, &header) {
            self.transmit(cx, Packet::new(slice));
        }
        self.start_rexmt(cx.now_ns);
    }

    /// The segment size that we are ready to receive.
    fn advertised_mss(&self) -> u16 {
        let user = if self.options.max_seg == 0 { u32::MAX } else { u32::from(self.options.max_seg) };
        self.path.mss.min(user).clamp(64, 65535) as u16
    }

    fn transmit(&mut self, cx: &mut Context<'_>, mut packet: Packet) {
        seal(&mut packet, self.tuple.local, self.tuple.remote);
        cx.net.send(packet, self.tuple.local, self.tuple.remote, Some(self));
    }

    /// Sends an acknowledgement.
    pub fn send_ack(&mut self, cx: &mut Context<'_>) {
        self.send_segment(cx, self.nxt, 0, 0);
    }

    /// Sends a probe that the peer has to answer: a sequence number that it has acknowledged (RFC 9293, 3.8.4).
    pub fn send_probe(&mut self, cx: &mut Context<'_>) {
        self.send_segment(cx, self.una - 1, 0, 0);
    }

    /// Sends a reset that the peer believes.
    pub fn send_reset(&mut self, cx: &mut Context<'_>) {
        let header = Header {
            seq: self.nxt,
            ack: self.rcv_nxt,
            flags: super::segment::RST | ACK,
            window: 0,
            options: Options { stamps: self.stamps(cx.now_ns), ..Options::default() },
        };
        cx.stats.sent += 1;
        if let Some(slice) = header_packet(self.tuple.local, self.tuple.remote, &header) {
            self.transmit(cx, Packet::new(slice));
        }
    }

    /// Sends a segment (or a large packet of several) with `len` bytes of data from `seq`. False without memory.
    pub fn send_segment(&mut self, cx: &mut Context<'_>, seq: Seq, len: u32, flags: u8) -> bool {
        let mut options = Options { stamps: self.stamps(cx.now_ns), ..Options::default() };
        if self.sack_ok && self.reassembly.has_report() {
            options.sack = self.reassembly.report();
        }
        let window = self.advertise();
        let header = Header { seq, ack: self.rcv_nxt, flags: flags | ACK, window, options };
        let Some(mut slice) = header_packet(self.tuple.local, self.tuple.remote, &header) else {
            return false;
        };
        let header_len = slice.len();
        let offset = (seq - self.snd_start) as usize;
        let packet = if len == 0 {
            Packet::new(slice)
        } else if len as usize <= COPY_BREAK {
            let Some(mut room) = slice.extend(len as usize) else { return false };
            self.snd.gather(offset, len as usize, |piece, from, count| {
                let (now, later) = core::mem::take(&mut room).split_at_mut(count);
                now.copy_from_slice(&piece.bytes()[from..from + count]);
                room = later;
            });
            Packet::new(slice)
        } else {
            let mut packet = Packet::new(slice);
            if self.snd.fill(offset, len as usize, &mut packet).is_err() {
                return false;
            }
            packet
        };
        let mut packet = packet;
        let mss = self.data_len_max();
        if len > mss {
            let kind = if self.tuple.remote.addr.is_v4() { GsoKind::TcpV4 } else { GsoKind::TcpV6 };
            packet.gso = Some(Gso { kind, size: mss as u16, header_len: header_len as u16 });
        }
        self.transmit(cx, packet);
        cx.stats.sent += 1;
        cx.stats.bytes_sent += u64::from(len);

        let end = seq + len + u32::from(flags & FIN != 0);
        if flags & FIN != 0 {
            self.fin_sent = true;
        }
        if end > self.nxt {
            if !len.is_multiple_of(mss) {
                self.small_end = end;
            }
            if self.timed.is_none() {
                self.timed = Some((end, cx.now_ns));
            }
            self.nxt = end;
            self.sent_ns = cx.now_ns;
            if self.sacked.is_empty() {
                self.probe_ns = NEVER;
            }
        } else if end > seq {
            // Karn: what is sent again is not timed.
            self.timed = None;
            self.retransmitted += 1;
            cx.stats.retransmitted += 1;
            self.sent_ns = cx.now_ns;
        }
        self.last_ack = self.rcv_nxt;
        self.ack_now = false;
        self.ack_soon = false;
        self.delack_ns = NEVER;
        true
    }
}

//! How losses are found (RFC 6675, RFC 6582), and those that no three segments reveal (RACK-TLP, RFC 8985, as far as it wants no time of sending for each segment).
//!
//! Three segments that arrive after a lost one tell of it. At the end of what the application has to say, or with a small window, they do not come, and
//! the retransmission timer alone would let 200 ms pass or more. So a shorter timer runs beside it while the peer knows SACK:
//! - Nothing beyond the acknowledgement is reported: after two round trips a new segment is sent, or the last one again, and the answer tells what
//!   is missing (section 7).
//! - Something is reported beyond a hole: when reordering would have been over, the hole is lost (section 6.2).
//! - Something is reported that was sent after a retransmission: likewise, the retransmission is lost.
//! - In recovery nothing comes for two round trips: the first missing segment is sent once more. The RFC has no such probe; it costs a segment and spares
//!   a timeout wherever a retransmission is lost and the window lets nothing follow it.

use super::Context;
use super::sack::DUP_THRESH;
use super::segment::{Header, PSH};
use super::seq::Seq;
use super::tcb::{Phase, Tcb};
use super::timer::NEVER;

/// The least time before a probe: a busy host, or one that is emulated, answers late.
const PROBE_MIN_NS: u64 = 10_000_000;
/// The least time that reordering is given.
const REORDER_MIN_NS: u64 = 4_000_000;

/// The segment that was sent to learn of the others before it.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    from: Seq,
    end: Seq,
    /// It had been sent before, and is not known to be lost.
    again: bool,
}

impl Tcb {
    /// What follows from reports and duplicate acknowledgements about loss.
    pub fn look_for_loss(&mut self) {
        if self.una == self.nxt {
            return;
        }
        let mss = self.segment_len();
        if self.sack_ok {
            if let Some(edge) = self.sacked.lost_edge(mss) {
                self.lost_edge = self.lost_edge.max(edge);
            }
            if self.phase == Phase::Open
                && let Some(edge) = self.lost_before_probe()
            {
                self.lost_edge = self.lost_edge.max(edge);
            }
            // Sent again, and lost again: what was sent later has arrived.
            if self.phase != Phase::Open
                && self.high_rxt > self.una
                && let Some(highest) = self.sacked.highest()
                && highest > self.rxt_mark + DUP_THRESH * mss
                && self.sacked.missing(self.una, self.una + 1) == 1
            {
                self.high_rxt = self.una;
                self.rxt_mark = self.nxt;
            }
        }
        if self.phase != Phase::Open {
            return;
        }
        if self.dup_acks >= DUP_THRESH {
            // RFC 6582, 3.2: not for a window for which that was done before.
            if !self.sack_ok && self.una <= self.recover && self.recover != self.iss {
                return;
            }
            let end = self.sacked.hole(self.una, self.nxt).map_or(self.nxt, |hole| hole.1);
            self.lost_edge = self.lost_edge.max((self.una + mss).min(end));
        }
        if self.lost_edge > self.una {
            self.recover_from_loss();
        }
    }

    /// Begins fast recovery: what is before the edge is lost.
    fn recover_from_loss(&mut self) {
        self.phase = Phase::Recovery;
        self.recover = self.nxt;
        self.high_rxt = self.una;
        self.congestion.lost(self.segment_len());
        self.timed = None;
        self.probe = None;
        self.probe_ns = NEVER;
    }

    /// What was reported last, if there are holes before it that are not known to be lost.
    fn reported_beyond_hole(&self) -> Option<Seq> {
        self.sacked.last_start().filter(|start| *start > self.lost_edge)
    }

    /// Whether what was sent after a retransmission has arrived, and the retransmission has not.
    fn is_resent_late(&self) -> bool {
        self.phase == Phase::Recovery
            && self.high_rxt > self.una
            && self.sacked.highest().is_some_and(|highest| highest > self.rxt_mark)
    }

    /// Starts the timer, unless it runs or there is nothing to learn.
    #[inline]
    pub fn arm_probe(&mut self, now_ns: u64) {
        if self.una == self.nxt || !self.sack_ok || self.persist || self.phase == Phase::Loss {
            self.probe_ns = NEVER;
            return;
        }
        let srtt_ns = u64::from(self.rtt.srtt_us()) * 1000;
        if self.probe_ns != NEVER || srtt_ns == 0 {
            return;
        }
        if self.reported_beyond_hole().is_some() || self.is_resent_late() {
            self.probe_ns = now_ns + (srtt_ns / 2).max(REORDER_MIN_NS);
        } else if self.probe.is_none()
            && (self.phase == Phase::Recovery || self.nxt - self.una > self.segment_len())
        {
            // Not for a lonely segment: its acknowledgement may be delayed for as long as the retransmission timer runs.
            self.probe_ns = now_ns + (2 * srtt_ns).max(PROBE_MIN_NS);
        }
    }

    /// The timer has fired.
    pub fn probe_due(&mut self, cx: &mut Context<'_>) {
        self.probe_ns = NEVER;
        if self.una == self.nxt || self.phase == Phase::Loss {
            return;
        }
        if self.is_resent_late() {
            self.high_rxt = self.una;
            self.rxt_mark = self.nxt;
        } else if let Some(edge) = self.reported_beyond_hole() {
            self.lost_edge = edge;
            if self.phase == Phase::Open {
                self.recover_from_loss();
            }
        } else if self.phase == Phase::Open {
            return self.probe_tail(cx);
        } else {
            return self.probe_head(cx);
        }
        self.output(cx);
    }

    /// Sends the first missing segment once more.
    fn probe_head(&mut self, cx: &mut Context<'_>) {
        let to = self.sacked.hole(self.una, self.nxt).map_or(self.nxt, |hole| hole.1);
        self.rxt_mark = self.nxt;
        if let Some(sent) = self.resend(cx, self.una, to) {
            self.probe = Some(Probe { from: self.una, end: self.una + sent, again: false });
            self.start_rexmt(cx.now_ns);
        }
    }

    /// Sends a new segment, whatever the congestion window says, or else the last one again.
    fn probe_tail(&mut self, cx: &mut Context<'_>) {
        let most = self.segment_len();
        let window = (self.una + self.snd_wnd).ahead_of(self.nxt);
        let fresh = self.data_end().ahead_of(self.nxt).min(most);
        let again = fresh == 0 || fresh > window;
        let from = if again { self.nxt - (self.nxt - self.una).min(most) } else { self.nxt };
        let sent = if again {
            self.resend(cx, from, self.nxt).is_some()
        } else {
            self.send_segment(cx, from, fresh, PSH)
        };
        if sent {
            self.probe = Some(Probe { from, end: self.nxt, again });
            self.start_rexmt(cx.now_ns);
        }
    }

    /// What an acknowledgement says of the probe. A probe that repaired the only loss would hide it from congestion control.
    #[inline]
    pub fn probe_answered(&mut self, h: &Header) {
        let Some(probe) = self.probe else { return };
        if h.ack < probe.end {
            return;
        }
        // RFC 2883: the first block below the acknowledgement is a duplicate that came. Then nothing was lost.
        let doubled = h.options.sack.as_slice().first().is_some_and(|block| block.1 <= h.ack);
        if !probe.again || doubled {
            self.probe = None;
        } else if h.ack > probe.end {
            self.probe = None;
            self.congestion.lost(self.segment_len());
        }
    }

    /// What is before the probe, and not reported, was sent two round trips earlier: once the probe is reported, that is lost.
    fn lost_before_probe(&self) -> Option<Seq> {
        let probe = self.probe?;
        (self.sacked.highest()? > probe.from).then_some(probe.from)
    }
}

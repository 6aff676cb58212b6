//! What a connection does when time has passed: retransmission (RFC 6298), window probes (RFC 9293, 3.8.6.1), delayed acknowledgements, keep-alive
//! (RFC 1122, 4.2.3.6), and giving up.

use rump_kern::Errno;

use super::Context;
use super::input::Outcome;
use super::tcb::{Phase, State, Tcb};
use super::timer::NEVER;

/// Retransmissions of the same data before the connection is given up.
const MAX_TIMEOUTS: u8 = 12;
/// Of a SYN; the establishment timer usually comes first.
const MAX_SYN_TIMEOUTS: u8 = 8;
/// Probes of a closed window for a socket that is gone.
const MAX_ORPHAN_PROBES: u8 = 8;

impl Tcb {
    /// Does what is due.
    pub fn timers(&mut self, cx: &mut Context<'_>) -> Outcome {
        if self.delack_ns <= cx.now_ns {
            self.delack_ns = NEVER;
            self.ack_now = true;
            self.output(cx);
        }
        if self.keep_ns <= cx.now_ns {
            self.keep_ns = NEVER;
            if self.keep(cx) == Outcome::Closed {
                return Outcome::Closed;
            }
        }
        if self.rexmt_ns <= cx.now_ns {
            self.rexmt_ns = NEVER;
            return if self.persist { self.probe_window(cx) } else { self.retransmission(cx) };
        }
        if self.probe_ns <= cx.now_ns {
            self.probe_due(cx);
        }
        Outcome::Keep
    }

    fn give_up(&mut self) -> Outcome {
        self.error = Some(self.soft_error.unwrap_or(Errno::ETIMEDOUT));
        Outcome::Closed
    }

    /// Nothing was acknowledged for too long.
    fn retransmission(&mut self, cx: &mut Context<'_>) -> Outcome {
        cx.stats.timeouts += 1;
        let nth = self.rtt.back_off();
        let most = if self.state.is_synchronised() { MAX_TIMEOUTS } else { MAX_SYN_TIMEOUTS };
        if nth > most {
            return self.give_up();
        }
        self.timed = None;
        if !self.state.is_synchronised() {
            self.retransmit_first(cx);
            return Outcome::Keep;
        }
        self.congestion.timed_out(self.segment_len(), nth);
        if nth > 1 {
            // RFC 2018, 8: the peer may have thrown away what it reported.
            self.sacked.clear();
        }
        self.phase = Phase::Loss;
        self.probe = None;
        self.recover = self.nxt;
        self.lost_edge = self.nxt;
        self.high_rxt = self.una;
        self.rxt_mark = self.nxt;
        self.dup_acks = 0;
        self.output(cx);
        if self.high_rxt == self.una && self.una != self.nxt {
            // The congestion window is one segment, but the pipe may be thought full; or there was no memory.
            self.retransmit_first(cx);
        }
        self.start_rexmt(cx.now_ns);
        Outcome::Keep
    }

    /// The window is too small for what waits.
    fn probe_window(&mut self, cx: &mut Context<'_>) -> Outcome {
        let nth = self.rtt.back_off();
        if !self.attached && nth > MAX_ORPHAN_PROBES {
            self.send_reset(cx);
            return self.give_up();
        }
        // What fits goes now; a closed window is asked for.
        let before = self.nxt;
        self.force = true;
        self.persist = false;
        self.output(cx);
        if self.nxt == before {
            self.send_probe(cx);
            self.persist = true;
            self.start_rexmt(cx.now_ns);
        }
        Outcome::Keep
    }

    /// Establishment takes too long, the peer is silent, or a closed socket's peer does not close.
    fn keep(&mut self, cx: &mut Context<'_>) -> Outcome {
        match self.state {
            State::SynSent | State::SynReceived => return self.give_up(),
            State::FinWait2 if !self.attached || self.closing => return Outcome::Closed,
            _ if !self.options.keep_alive => return Outcome::Keep,
            _ => {}
        }
        const NS_PER_S: u64 = 1_000_000_000;
        let idle_ns = u64::from(self.options.keep_idle_s) * NS_PER_S;
        let quiet_until = self.heard_ns + idle_ns;
        if self.probes == 0 && cx.now_ns < quiet_until {
            self.keep_ns = quiet_until;
            return Outcome::Keep;
        }
        if self.probes >= self.options.keep_count {
            self.send_reset(cx);
            return self.give_up();
        }
        self.probes += 1;
        self.send_probe(cx);
        self.keep_ns = cx.now_ns + u64::from(self.options.keep_interval_s.max(1)) * NS_PER_S;
        Outcome::Keep
    }

    /// The application has nothing more to say: shutdown(2) for writing, or close(2).
    pub fn close(&mut self, cx: &mut Context<'_>) {
        match self.state {
            State::Established => self.state = State::FinWait1,
            State::CloseWait => self.state = State::LastAck,
            State::SynReceived => {}
            _ => return,
        }
        self.fin_queued = true;
        self.output(cx);
    }
}

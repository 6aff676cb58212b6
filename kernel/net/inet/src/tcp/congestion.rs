//! Congestion control: slow start (RFC 5681), CUBIC (RFC 9438), the initial window of RFC 6928.
//!
//! All in bytes and milliseconds with integers: CUBIC's window is `C (t - K)^3 + W_max` segments with `C` = 0.4 per cubic second, so
//! 4e-10 per cubic millisecond.

/// The window, and what it grows by.
#[derive(Clone, Copy, Debug)]
pub struct Congestion {
    /// Bytes that may be in flight.
    cwnd: u32,
    /// Slow start ends here.
    ssthresh: u32,
    /// Window before the last reduction.
    w_max: u32,
    /// Where the present epoch of avoidance began; `None` before its first acknowledgement.
    epoch_ms: Option<u32>,
    /// From then until the window is `w_max` again.
    k_ms: u32,
    /// What Reno's window would be (RFC 9438, 4.3).
    w_est: u32,
    /// Bytes acknowledged that have not widened the window yet.
    credit: u32,
}

/// The largest window.
pub const MAX_CWND: u32 = 1 << 28;

/// RFC 6928.
fn initial_window(mss: u32) -> u32 {
    (10 * mss).min((2 * mss).max(14_600))
}

/// The cube root, rounded down.
fn cube_root(value: u64) -> u64 {
    let mut root = 0_u64;
    // Bit by bit from the top: 2^21 cubed is 2^63.
    for bit in (0..21).rev() {
        let candidate = root | 1 << bit;
        if candidate * candidate * candidate <= value {
            root = candidate;
        }
    }
    root
}

impl Congestion {
    /// Of a new connection.
    #[must_use]
    pub fn new(mss: u32) -> Self {
        Self {
            cwnd: initial_window(mss),
            ssthresh: MAX_CWND,
            w_max: 0,
            epoch_ms: None,
            k_ms: 0,
            w_est: 0,
            credit: 0,
        }
    }

    /// Bytes that may be in flight.
    #[inline]
    #[must_use]
    pub const fn window(&self) -> u32 {
        self.cwnd
    }

    /// The end of slow start.
    #[must_use]
    pub const fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    /// New data was acknowledged while the window was used up.
    #[inline]
    pub fn acked(&mut self, bytes: u32, mss: u32, now_ms: u32, srtt_ms: u32) {
        if self.cwnd < self.ssthresh {
            self.cwnd = self.cwnd.saturating_add(bytes).min(self.ssthresh.max(self.cwnd)).min(MAX_CWND);
        } else {
            self.avoid(bytes, mss, now_ms, srtt_ms);
        }
    }

    fn avoid(&mut self, bytes: u32, mss: u32, now_ms: u32, srtt_ms: u32) {
        let start = *self.epoch_ms.get_or_insert_with(|| {
            let below = self.w_max.saturating_sub(self.cwnd);
            self.w_max = self.w_max.max(self.cwnd);
            // K = cbrt((W_max - cwnd) / C): in segments and cubic milliseconds a factor of 2.5e9.
            self.k_ms = cube_root(u64::from(below) * 2_500_000_000 / u64::from(mss)) as u32;
            self.w_est = self.cwnd;
            self.credit = 0;
            now_ms
        });
        let t = i64::from(now_ms.wrapping_sub(start)) + i64::from(srtt_ms) - i64::from(self.k_ms);
        // Clamped to 90 s the cube is below 7.3e14, and times a segment of 64 KiB below 4.8e19 / 10: divided in two steps it fits.
        let t = t.clamp(-90_000, 90_000);
        let cubic = t * t * t / 100_000 * i64::from(mss) / 25_000 + i64::from(self.w_max);
        // RFC 9438, 4.2: at most half as much again per round trip.
        let target = cubic.clamp(i64::from(self.cwnd), i64::from(self.cwnd) * 3 / 2) as u32;

        // RFC 9438, 4.3: alpha = 3 (1 - 0.7) / (1 + 0.7) = 9/17, until the old window is reached.
        let reno = if self.w_est < self.w_max { u64::from(bytes) * 9 / 17 } else { u64::from(bytes) };
        let grown = reno * u64::from(mss) / u64::from(self.cwnd.max(1));
        self.w_est = self.w_est.saturating_add(grown.max(1) as u32).min(MAX_CWND);
        if self.w_est > target {
            self.cwnd = self.cwnd.max(self.w_est);
            return;
        }
        // (target - cwnd) / cwnd for each byte acknowledged.
        let widen = u64::from(target - self.cwnd) * u64::from(bytes) + u64::from(self.credit);
        self.credit = (widen % u64::from(self.cwnd)) as u32;
        self.cwnd = self.cwnd.saturating_add((widen / u64::from(self.cwnd)) as u32).min(MAX_CWND);
    }

    /// Data was lost: the window shrinks to 0.7 of what it was.
    pub fn lost(&mut self, mss: u32) {
        self.reduce(mss);
        self.cwnd = self.ssthresh;
    }

    /// A timeout: slow start from one segment. Further timeouts in a row do not lower the threshold again.
    pub fn timed_out(&mut self, mss: u32, nth: u8) {
        if nth <= 1 {
            self.reduce(mss);
        }
        self.cwnd = mss;
        self.epoch_ms = None;
    }

    fn reduce(&mut self, mss: u32) {
        // Fast convergence (RFC 9438, 4.7): a flow whose window is shrinking leaves room for others.
        self.w_max = if self.cwnd < self.w_max { (u64::from(self.cwnd) * 17 / 20) as u32 } else { self.cwnd };
        self.ssthresh = ((u64::from(self.cwnd) * 7 / 10) as u32).max(2 * mss);
        self.epoch_ms = None;
    }

    /// Nothing was sent for longer than a timeout: what the window says of the path is old (RFC 5681, 4.1).
    pub fn idle(&mut self, mss: u32) {
        self.ssthresh = self.ssthresh.max(self.cwnd / 4 * 3);
        self.cwnd = self.cwnd.min(initial_window(mss));
        self.epoch_ms = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cube_roots() {
        for (value, root) in [(0, 0), (1, 1), (7, 1), (8, 2), (26, 2), (27, 3), (1_000_000_000, 1000)] {
            assert_eq!(cube_root(value), root);
        }
        assert_eq!(cube_root(u64::MAX), (1 << 21) - 1);
    }

    #[test]
    fn grows_shrinks_and_comes_back() {
        let mss = 1460;
        let mut cc = Congestion::new(mss);
        assert_eq!(cc.window(), 14_600);
        for _ in 0..10 {
            let window = cc.window();
            cc.acked(window, mss, 0, 10);
            assert_eq!(cc.window(), window * 2);
        }
        let before = cc.window();
        cc.lost(mss);
        assert!(cc.window().abs_diff(before / 10 * 7) < mss);
        // K for this window is about 18 s; a round trip takes 10 ms.
        let mut now_ms = 0;
        while now_ms < 60_000 && cc.window() < before {
            for _ in 0..10 {
                cc.acked(cc.window() / 10, mss, now_ms, 10);
            }
            now_ms += 10;
        }
        assert!((1000..30_000).contains(&now_ms), "{now_ms}");
        cc.timed_out(mss, 1);
        assert_eq!(cc.window(), mss);
        let ssthresh = cc.ssthresh();
        cc.timed_out(mss, 2);
        assert_eq!(cc.ssthresh(), ssthresh);
    }

    #[test]
    fn never_overflows() {
        let mut cc = Congestion::new(65_000);
        for step in 0..10_000_u32 {
            cc.acked(1 << 20, 65_000, step.wrapping_mul(1_000_000), 60_000);
            if step % 1000 == 999 {
                cc.lost(65_000);
            }
            assert!(cc.window() <= MAX_CWND * 2);
        }
    }
}

//! Round-trip time and the retransmission timeout (RFC 6298), in microseconds.

/// Least timeout. RFC 6298 says a second; like others we go lower, since a peer delays its acknowledgements by 200 ms at most in practice.
pub const MIN_RTO_US: u32 = 200_000;
/// Greatest timeout.
pub const MAX_RTO_US: u32 = 60_000_000;
/// Timeout before anything was measured.
const FIRST_RTO_US: u32 = 1_000_000;

/// The estimator.
#[derive(Clone, Copy, Debug)]
pub struct Rtt {
    srtt_us: u32,
    rttvar_us: u32,
    /// Timeouts in a row: the timeout doubles with each.
    backoff: u8,
    /// The least that was measured.
    min_us: u32,
}

impl Default for Rtt {
    fn default() -> Self {
        Self { srtt_us: 0, rttvar_us: 0, backoff: 0, min_us: u32::MAX }
    }
}

impl Rtt {
    /// Takes a measurement; it ends the doubling.
    pub fn sample(&mut self, us: u32) {
        let us = us.clamp(1, MAX_RTO_US);
        self.min_us = self.min_us.min(us);
        if self.srtt_us == 0 {
            self.srtt_us = us;
            self.rttvar_us = us / 2;
        } else {
            let deviation = self.srtt_us.abs_diff(us);
            self.rttvar_us = self.rttvar_us - self.rttvar_us / 4 + deviation / 4;
            self.srtt_us = (self.srtt_us - self.srtt_us / 8 + us / 8).max(1);
        }
        self.backoff = 0;
    }

    /// The timeout now, doublings included.
    #[inline]
    #[must_use]
    pub fn timeout_us(&self) -> u32 {
        let base = if self.srtt_us == 0 {
            FIRST_RTO_US
        } else {
            // RFC 6298 adds at least the clock's granularity; ours is far below the minimum.
            (self.srtt_us + 4 * self.rttvar_us.max(1)).clamp(MIN_RTO_US, MAX_RTO_US)
        };
        base.saturating_mul(1 << self.backoff.min(12)).min(MAX_RTO_US)
    }

    /// A timeout happened. Returns how many in a row.
    pub fn back_off(&mut self) -> u8 {
        self.backoff = self.backoff.saturating_add(1);
        self.backoff
    }

    /// New data was acknowledged: the path works.
    #[inline]
    pub fn progress(&mut self) {
        self.backoff = 0;
    }

    /// Timeouts in a row.
    #[must_use]
    pub const fn backoff(&self) -> u8 {
        self.backoff
    }

    /// Smoothed round-trip time, 0 if unknown.
    #[inline]
    #[must_use]
    pub const fn srtt_us(&self) -> u32 {
        self.srtt_us
    }

    /// Its mean deviation.
    #[must_use]
    pub const fn rttvar_us(&self) -> u32 {
        self.rttvar_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converges_and_backs_off() {
        let mut rtt = Rtt::default();
        assert_eq!(rtt.timeout_us(), FIRST_RTO_US);
        for _ in 0..100 {
            rtt.sample(300_000);
        }
        assert!(rtt.srtt_us().abs_diff(300_000) < 1000);
        assert!((300_000..320_000).contains(&rtt.timeout_us()));
        rtt.back_off();
        assert!(rtt.timeout_us() > 600_000);
        for _ in 0..100 {
            rtt.back_off();
        }
        assert_eq!(rtt.timeout_us(), MAX_RTO_US);
        rtt.sample(10);
        assert!(rtt.timeout_us() < MAX_RTO_US);
        for _ in 0..100 {
            rtt.sample(10);
        }
        assert_eq!(rtt.timeout_us(), MIN_RTO_US);
    }
}

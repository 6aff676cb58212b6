//! The little statistics that a comparison needs: median, spread, and an interval for the ratio of two medians.
//!
//! The interval is the percentile bootstrap (Efron & Tibshirani, *An Introduction to the Bootstrap*, chapter 13): both sides' samples are drawn
//! anew with replacement, and the ratio of the medians is taken, two thousand times. The generator has a fixed seed, so that the
//! same samples give the same interval.

/// How often samples are drawn anew.
const DRAWS: usize = 2000;
/// The interval leaves out this part of the draws at either end: 95 % are inside.
const TAIL: f64 = 0.025;

/// The median, 0 of nothing.
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    median_of_sorted(&sorted)
}

fn median_of_sorted(sorted: &[f64]) -> f64 {
    match sorted {
        [] => 0.0,
        _ if sorted.len() % 2 == 1 => sorted[sorted.len() / 2],
        _ => f64::midpoint(sorted[sorted.len() / 2 - 1], sorted[sorted.len() / 2]),
    }
}

/// The median distance from the median, as a part of the median.
pub fn spread(samples: &[f64]) -> f64 {
    let middle = median(samples);
    if middle == 0.0 {
        return 0.0;
    }
    let distances: Vec<f64> = samples.iter().map(|sample| (sample - middle).abs()).collect();
    median(&distances) / middle
}

/// A ratio of medians with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// The median of `above` as a multiple of that of `below`; nothing if a median is not positive.
pub fn ratio(above: &[f64], below: &[f64]) -> Option<Ratio> {
    let (over, under) = (median(above), median(below));
    if over <= 0.0 || under <= 0.0 {
        return None;
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut drawn: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let over = median(&random.draw(above));
            let under = median(&random.draw(below));
            if under > 0.0 { over / under } else { f64::MAX }
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and DRAWS")]
    let at = |part: f64| drawn[((DRAWS - 1) as f64 * part).round() as usize];
    Some(Ratio { value: over / under, low: at(TAIL), high: at(1.0 - TAIL) })
}

/// xorshift64* (Vigna 2016).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn draw(&mut self, from: &[f64]) -> Vec<f64> {
        let count = from.len() as u64;
        // The upper bits are the better ones; a count of samples makes the bias of the remainder negligible.
        from.iter().map(|_| from[usize::try_from((self.next() >> 16) % count).unwrap_or(0)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{median, ratio, spread};

    #[test]
    fn medians() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(spread(&[10.0, 9.0, 11.0, 10.0, 30.0]), 0.1);
    }

    #[test]
    fn the_interval_holds_the_ratio_and_is_the_same_each_time() {
        let slow = [20.0, 21.0, 19.0, 20.5, 19.5, 22.0, 20.0];
        let quick = [10.0, 10.5, 9.5, 10.0, 10.2, 9.8, 10.1];
        let first = ratio(&slow, &quick).unwrap();
        assert_eq!(first.value, 2.0);
        assert!(first.low <= 2.0 && 2.0 <= first.high && first.low > 1.8 && first.high < 2.3, "{first:?}");
        assert_eq!(ratio(&slow, &quick), Some(first));
    }

    #[test]
    fn equal_samples_leave_no_room() {
        let same = ratio(&[5.0; 7], &[5.0; 7]).unwrap();
        assert_eq!((same.low, same.value, same.high), (1.0, 1.0, 1.0));
        assert!(ratio(&[1.0], &[0.0]).is_none());
        assert!(ratio(&[], &[]).is_none());
    }
}

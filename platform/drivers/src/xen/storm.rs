//! How many events another domain may send for nothing: events cost whoever gets them more than whoever sends them.

/// Events for nothing, one after the other, after which the channel rests.
const MOST: u32 = 64;

/// Counts the events of a channel.
#[derive(Debug, Default)]
pub struct Storm {
    in_vain: u32,
}

impl Storm {
    /// How long a channel is to rest after too many, in nanoseconds: nothing is lost by it but time, as the event that says that something has
    /// come comes then.
    pub const REST_NS: u64 = 10_000_000;

    /// An event has come; there was something to do, or there was not. True if the channel is to rest now.
    pub fn event(&mut self, something: bool) -> bool {
        self.in_vain = if something { 0 } else { self.in_vain + 1 };
        let rest = self.in_vain == MOST;
        if rest {
            self.in_vain = 0;
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Storm};

    #[test]
    fn only_what_is_in_vain_counts() {
        let mut storm = Storm::default();
        assert!((0..1000).all(|round| !storm.event(round % MOST == 0)));
        let rests = (0..MOST * 10).filter(|_| storm.event(false)).count();
        assert!(rests == 10 || rests == 11, "{rests}");
    }
}

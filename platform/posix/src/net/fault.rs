//! What goes wrong on a wire.

/// How often what goes wrong, out of a thousand frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Where the generator starts.
    pub seed: u64,
    /// Frames that do not arrive.
    pub lost_permille: u32,
    /// Frames that arrive twice.
    pub doubled_permille: u32,
    /// Frames of which one bit is another.
    pub damaged_permille: u32,
    /// Frames that arrive later than the next few.
    pub late_permille: u32,
    /// How long every frame takes.
    pub delay_ns: u64,
}

/// How much later than others a late frame is.
pub(super) const LATE_NS: u64 = 2_000_000;

/// SplitMix64: small, and good enough to choose frames.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Generator(u64);

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Whether something that happens to `permille` of a thousand happens now.
    pub(super) fn happens(&mut self, permille: u32) -> bool {
        permille > 0 && self.next() % 1000 < permille.into()
    }
}

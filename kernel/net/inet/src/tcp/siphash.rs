//! A keyed hash, SipHash-1-3 (Aumasson and Bernstein, 2012): what initial sequence numbers (RFC 6528), ports (RFC 6056), SYN cookies and hash tables
//! need so that a stranger cannot foresee them.

/// The key.
#[derive(Clone, Copy, Default)]
pub struct Key(pub [u64; 2]);

#[inline]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

impl Key {
    /// The hash of words; their number is part of it.
    #[inline]
    #[must_use]
    pub fn hash(self, words: &[u64]) -> u64 {
        let [k0, k1] = self.0;
        let mut v = [
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        for word in words.iter().copied().chain([(words.len() as u64 * 8) << 56]) {
            v[3] ^= word;
            round(&mut v);
            v[0] ^= word;
        }
        v[2] ^= 0xff;
        for _ in 0..3 {
            round(&mut v);
        }
        v[0] ^ v[1] ^ v[2] ^ v[3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differs_by_key_words_and_number() {
        let key = Key([1, 2]);
        let mut seen = alloc::vec::Vec::new();
        for hash in [key.hash(&[]), key.hash(&[0]), key.hash(&[0, 0]), key.hash(&[1]), Key([2, 1]).hash(&[1])]
        {
            assert!(!seen.contains(&hash));
            seen.push(hash);
        }
        assert_eq!(key.hash(&[7, 8]), key.hash(&[7, 8]));
    }
}

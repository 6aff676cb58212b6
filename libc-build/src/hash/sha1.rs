//! SHA-1 (RFC 3174): sha1(3).

use super::block::{Context, digest, word_pad};

/// `SHA1_CTX`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sha1 {
    state: [u32; 5],
    /// Bits, the lower word first.
    count: [u32; 2],
    buffer: [u8; 64],
}

const _: () = assert!(size_of::<Sha1>() == 92);

/// Takes a block in.
fn compress(state: &mut [u32; 5], block: &[u8; 64]) {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for at in 16..80 {
        words[at] = (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (step, &word) in words.iter().enumerate() {
        let (mix, constant) = match step / 20 {
            0 => (b & c | !b & d, 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => (b & c | b & d | c & d, 0x8f1b_bcdc_u32),
            _ => (b ^ c ^ d, 0xca62_c1d6),
        };
        let sum =
            a.rotate_left(5).wrapping_add(mix).wrapping_add(e).wrapping_add(word).wrapping_add(constant);
        (a, b, c, d, e) = (sum, a, b.rotate_left(30), c, d);
    }
    for (word, new) in state.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(new);
    }
}

impl Context for Sha1 {
    const DIGEST_BYTES: usize = 20;

    fn start() -> Self {
        let state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        Self { state, count: [0; 2], buffer: [0; 64] }
    }

    fn update(&mut self, data: &[u8]) {
        word_pad::absorb(&mut self.count, &mut self.buffer, data, |block| compress(&mut self.state, block));
    }

    fn finish(&mut self, digest: &mut [u8]) {
        let bits = word_pad::bits(&self.count).to_be_bytes();
        word_pad::finish(&self.count, &mut self.buffer, &bits, |block| compress(&mut self.state, block));
        for (bytes, word) in digest.chunks_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
    }
}

digest! {
    Sha1: SHA1Init SHA1Update(core::ffi::c_uint) SHA1Final SHA1End SHA1Data(usize) SHA1File SHA1FileChunk
}

/// Takes a block into a state.
///
/// # Safety
/// Both are valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn SHA1Transform(state: *mut [u32; 5], block: *const [u8; 64]) {
    // SAFETY: as this function's own.
    unsafe { compress(&mut *state, &*block) }
}

#[cfg(test)]
mod tests {
    use crate::hash::testing::check;

    #[test]
    fn rfc_3174() {
        check::<super::Sha1>(b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
        check::<super::Sha1>(b"", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        let many = vec![b'a'; 1_000_000];
        check::<super::Sha1>(&many, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    }
}

//! SHA-1 (RFC 3174): sha1(3).

use sha1::block_api::compress;

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

impl Context for Sha1 {
    const DIGEST_BYTES: usize = 20;

    fn start() -> Self {
        let state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        Self { state, count: [0; 2], buffer: [0; 64] }
    }

    fn update(&mut self, data: &[u8]) {
        word_pad::absorb(&mut self.count, &mut self.buffer, data, |blocks| compress(&mut self.state, blocks));
    }

    fn finish(&mut self, digest: &mut [u8]) {
        let bits = word_pad::bits(&self.count).to_be_bytes();
        word_pad::finish(&self.count, &mut self.buffer, &bits, |blocks| compress(&mut self.state, blocks));
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
    unsafe { compress(&mut *state, core::slice::from_ref(&*block)) }
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

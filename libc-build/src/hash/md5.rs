//! MD5 (RFC 1321): md5(3).

use md5::block_api::compress;

use super::block::{Context, digest, word_pad};

/// `MD5_CTX`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Md5 {
    state: [u32; 4],
    /// Bits, the lower word first.
    count: [u32; 2],
    buffer: [u8; 64],
}

const _: () = assert!(size_of::<Md5>() == 88);

impl Context for Md5 {
    const DIGEST_BYTES: usize = 16;

    fn start() -> Self {
        Self { state: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476], count: [0; 2], buffer: [0; 64] }
    }

    fn update(&mut self, data: &[u8]) {
        word_pad::absorb(&mut self.count, &mut self.buffer, data, |blocks| compress(&mut self.state, blocks));
    }

    fn finish(&mut self, digest: &mut [u8]) {
        let bits = word_pad::bits(&self.count).to_le_bytes();
        word_pad::finish(&self.count, &mut self.buffer, &bits, |blocks| compress(&mut self.state, blocks));
        for (bytes, word) in digest.chunks_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
    }
}

digest! {
    Md5: MD5Init MD5Update(core::ffi::c_uint) MD5Final MD5End MD5Data(core::ffi::c_uint) MD5File
}

#[cfg(test)]
mod tests {
    use crate::hash::testing::check;

    #[test]
    fn rfc_1321() {
        check::<super::Md5>(b"", "d41d8cd98f00b204e9800998ecf8427e");
        check::<super::Md5>(b"abc", "900150983cd24fb0d6963f7d28e17f72");
        let digits = b"1234567890".repeat(8);
        check::<super::Md5>(&digits, "57edf4a22be3c955ac49da2e2107b67a");
    }
}

//! SHA-224 and SHA-256 (FIPS 180-4): sha2(3).

use sha2::block_api::compress256;

use super::block::{Context, digest, word_pad};

/// The state of no data yet.
const SHA256: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
/// As above.
const SHA224: [u32; 8] =
    [0xc105_9ed8, 0x367c_d507, 0x3070_dd17, 0xf70e_5939, 0xffc0_0b31, 0x6858_1511, 0x64f9_8fa7, 0xbefa_4fa4];

/// `SHA256_CTX` and `SHA224_CTX`, which differ in where they start and in how much of the outcome they give.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sha2<const DIGEST_BYTES: usize> {
    state: [u32; 8],
    /// Bits.
    count: u64,
    buffer: [u8; 64],
}

impl<const BYTES: usize> Context for Sha2<BYTES> {
    const DIGEST_BYTES: usize = BYTES;

    fn start() -> Self {
        let state = if BYTES == Sha256::DIGEST_BYTES { SHA256 } else { SHA224 };
        Self { state, count: 0, buffer: [0; 64] }
    }

    fn update(&mut self, data: &[u8]) {
        word_pad::absorb(&mut self.count, &mut self.buffer, data, |blocks| {
            compress256(&mut self.state, blocks)
        });
    }

    fn finish(&mut self, digest: &mut [u8]) {
        let bits = word_pad::bits(&self.count).to_be_bytes();
        word_pad::finish(&self.count, &mut self.buffer, &bits, |blocks| compress256(&mut self.state, blocks));
        for (bytes, word) in digest.chunks_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
    }
}

/// `SHA256_CTX`.
pub type Sha256 = Sha2<32>;
/// `SHA224_CTX`.
pub type Sha224 = Sha2<28>;

digest! {
    Sha256: SHA256_Init SHA256_Update(usize) SHA256_Final SHA256_End SHA256_Data(usize) SHA256_File SHA256_FileChunk
}

digest! {
    Sha224: SHA224_Init SHA224_Update(usize) SHA224_Final SHA224_End SHA224_Data(usize) SHA224_File SHA224_FileChunk
}

const _: () = assert!(size_of::<Sha256>() == 104);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::testing::check;

    #[test]
    fn fips_180() {
        check::<Sha224>(b"abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
        check::<Sha224>(&[b'a'; 1000], "4e8f0ce90b64661a2b5e84be6d93a7d9b76871062f1814433d04a03d");
        check::<Sha256>(b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        check::<Sha256>(&[b'a'; 1000], "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
    }
}

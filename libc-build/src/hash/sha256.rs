//! SHA-224 and SHA-256 (FIPS 180-4): sha2(3).

use super::block::{Context, digest, word_pad};

/// What is added in each step: the cube roots of the first primes, what is behind the point.
const CUBE_ROOTS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// Takes a block in.
fn compress(state: &mut [u32; 8], block: &[u8; 64]) {
    let mut words = [0_u32; 64];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for at in 16..64 {
        let (old, new) = (words[at - 15], words[at - 2]);
        let old = old.rotate_right(7) ^ old.rotate_right(18) ^ old >> 3;
        let new = new.rotate_right(17) ^ new.rotate_right(19) ^ new >> 10;
        words[at] = words[at - 16].wrapping_add(old).wrapping_add(words[at - 7]).wrapping_add(new);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (&word, &root) in words.iter().zip(&CUBE_ROOTS) {
        let turned = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let first = h.wrapping_add(turned).wrapping_add(e & f ^ !e & g).wrapping_add(root).wrapping_add(word);
        let turned = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let second = turned.wrapping_add(a & b ^ a & c ^ b & c);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(second));
    }
    for (word, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(new);
    }
}

/// `SHA256_CTX`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sha256 {
    state: [u32; 8],
    /// Bits.
    count: u64,
    buffer: [u8; 64],
}

impl Context for Sha256 {
    const DIGEST_BYTES: usize = 32;

    fn start() -> Self {
        let state = [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ];
        Self { state, count: 0, buffer: [0; 64] }
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
    Sha256: SHA256_Init SHA256_Update(usize) SHA256_Final SHA256_End SHA256_Data(usize) SHA256_File SHA256_FileChunk
}

/// `SHA224_CTX`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sha224 {
    state: [u32; 8],
    /// Bits.
    count: u64,
    buffer: [u8; 64],
}

impl Context for Sha224 {
    const DIGEST_BYTES: usize = 28;

    fn start() -> Self {
        let state = [
            0xc105_9ed8,
            0x367c_d507,
            0x3070_dd17,
            0xf70e_5939,
            0xffc0_0b31,
            0x6858_1511,
            0x64f9_8fa7,
            0xbefa_4fa4,
        ];
        Self { state, count: 0, buffer: [0; 64] }
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

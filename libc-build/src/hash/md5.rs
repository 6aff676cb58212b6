//! MD5 (RFC 1321): md5(3).

use super::block::{Context, digest, word_pad};

/// What is added in each step: the sine of the step's number, in 32 bits.
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];
/// By how much each step rotates: four numbers for each round of sixteen.
const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

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

/// Takes a block in.
fn compress(state: &mut [u32; 4], block: &[u8; 64]) {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    let [mut a, mut b, mut c, mut d] = *state;
    for (step, &sine) in SINES.iter().enumerate() {
        let (mix, index) = match step / 16 {
            0 => (b & c | !b & d, step),
            1 => (d & b | !d & c, 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let sum = a.wrapping_add(mix).wrapping_add(sine).wrapping_add(words[index % 16]);
        let turned = sum.rotate_left(TURNS[step / 16 % 4][step % 4]);
        (a, d, c, b) = (d, c, b, b.wrapping_add(turned));
    }
    for (word, new) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(new);
    }
}

impl Context for Md5 {
    const DIGEST_BYTES: usize = 16;

    fn start() -> Self {
        Self { state: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476], count: [0; 2], buffer: [0; 64] }
    }

    fn update(&mut self, data: &[u8]) {
        word_pad::absorb(&mut self.count, &mut self.buffer, data, |block| compress(&mut self.state, block));
    }

    fn finish(&mut self, digest: &mut [u8]) {
        let bits = word_pad::bits(&self.count).to_le_bytes();
        word_pad::finish(&self.count, &mut self.buffer, &bits, |block| compress(&mut self.state, block));
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

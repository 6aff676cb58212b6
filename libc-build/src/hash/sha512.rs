//! SHA-384 and SHA-512 (FIPS 180-4): sha2(3).

use super::block::{Context, digest, long_pad};

/// What is added in each step: the cube roots of the first primes, what is behind the point.
const CUBE_ROOTS: [u64; 80] = [
    0x428a_2f98_d728_ae22,
    0x7137_4491_23ef_65cd,
    0xb5c0_fbcf_ec4d_3b2f,
    0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538,
    0x59f1_11f1_b605_d019,
    0x923f_82a4_af19_4f9b,
    0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242,
    0x1283_5b01_4570_6fbe,
    0x2431_85be_4ee4_b28c,
    0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f,
    0x80de_b1fe_3b16_96b1,
    0x9bdc_06a7_25c7_1235,
    0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2,
    0xefbe_4786_384f_25e3,
    0x0fc1_9dc6_8b8c_d5b5,
    0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275,
    0x4a74_84aa_6ea6_e483,
    0x5cb0_a9dc_bd41_fbd4,
    0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab,
    0xa831_c66d_2db4_3210,
    0xb003_27c8_98fb_213f,
    0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2,
    0xd5a7_9147_930a_a725,
    0x06ca_6351_e003_826f,
    0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc,
    0x2e1b_2138_5c26_c926,
    0x4d2c_6dfc_5ac4_2aed,
    0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de,
    0x766a_0abb_3c77_b2a8,
    0x81c2_c92e_47ed_aee6,
    0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364,
    0xa81a_664b_bc42_3001,
    0xc24b_8b70_d0f8_9791,
    0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218,
    0xd699_0624_5565_a910,
    0xf40e_3585_5771_202a,
    0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8,
    0x1e37_6c08_5141_ab53,
    0x2748_774c_df8e_eb99,
    0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63,
    0x4ed8_aa4a_e341_8acb,
    0x5b9c_ca4f_7763_e373,
    0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc,
    0x78a5_636f_4317_2f60,
    0x84c8_7814_a1f0_ab72,
    0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28,
    0xa450_6ceb_de82_bde9,
    0xbef9_a3f7_b2c6_7915,
    0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c,
    0xd186_b8c7_21c0_c207,
    0xeada_7dd6_cde0_eb1e,
    0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba,
    0x0a63_7dc5_a2c8_98a6,
    0x113f_9804_bef9_0dae,
    0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84,
    0x32ca_ab7b_40c7_2493,
    0x3c9e_be0a_15c9_bebc,
    0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6,
    0x597f_299c_fc65_7e2a,
    0x5fcb_6fab_3ad6_faec,
    0x6c44_198c_4a47_5817,
];

/// Takes a block in.
fn compress(state: &mut [u64; 8], block: &[u8; 128]) {
    let mut words = [0_u64; 80];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<8>().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    for at in 16..80 {
        let (old, new) = (words[at - 15], words[at - 2]);
        let old = old.rotate_right(1) ^ old.rotate_right(8) ^ old >> 7;
        let new = new.rotate_right(19) ^ new.rotate_right(61) ^ new >> 6;
        words[at] = words[at - 16].wrapping_add(old).wrapping_add(words[at - 7]).wrapping_add(new);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (&word, &root) in words.iter().zip(&CUBE_ROOTS) {
        let turned = e.rotate_right(14) ^ e.rotate_right(18) ^ e.rotate_right(41);
        let first = h.wrapping_add(turned).wrapping_add(e & f ^ !e & g).wrapping_add(root).wrapping_add(word);
        let turned = a.rotate_right(28) ^ a.rotate_right(34) ^ a.rotate_right(39);
        let second = turned.wrapping_add(a & b ^ a & c ^ b & c);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(second));
    }
    for (word, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(new);
    }
}

/// `SHA512_CTX`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sha512 {
    state: [u64; 8],
    /// Bits, the lower word first.
    count: [u64; 2],
    buffer: [u8; 128],
}

impl Context for Sha512 {
    const DIGEST_BYTES: usize = 64;

    fn start() -> Self {
        let state = [
            0x6a09_e667_f3bc_c908,
            0xbb67_ae85_84ca_a73b,
            0x3c6e_f372_fe94_f82b,
            0xa54f_f53a_5f1d_36f1,
            0x510e_527f_ade6_82d1,
            0x9b05_688c_2b3e_6c1f,
            0x1f83_d9ab_fb41_bd6b,
            0x5be0_cd19_137e_2179,
        ];
        Self { state, count: [0; 2], buffer: [0; 128] }
    }

    fn update(&mut self, data: &[u8]) {
        long_pad::absorb(&mut self.count, &mut self.buffer, data, |block| compress(&mut self.state, block));
    }

    fn finish(&mut self, digest: &mut [u8]) {
        let bits = long_pad::bits(&self.count).to_be_bytes();
        long_pad::finish(&self.count, &mut self.buffer, &bits, |block| compress(&mut self.state, block));
        for (bytes, word) in digest.chunks_mut(8).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
    }
}

digest! {
    Sha512: SHA512_Init SHA512_Update(usize) SHA512_Final SHA512_End SHA512_Data(usize) SHA512_File SHA512_FileChunk
}

/// `SHA384_CTX`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sha384 {
    state: [u64; 8],
    /// Bits, the lower word first.
    count: [u64; 2],
    buffer: [u8; 128],
}

impl Context for Sha384 {
    const DIGEST_BYTES: usize = 48;

    fn start() -> Self {
        let state = [
            0xcbbb_9d5d_c105_9ed8,
            0x629a_292a_367c_d507,
            0x9159_015a_3070_dd17,
            0x152f_ecd8_f70e_5939,
            0x6733_2667_ffc0_0b31,
            0x8eb4_4a87_6858_1511,
            0xdb0c_2e0d_64f9_8fa7,
            0x47b5_481d_befa_4fa4,
        ];
        Self { state, count: [0; 2], buffer: [0; 128] }
    }

    fn update(&mut self, data: &[u8]) {
        long_pad::absorb(&mut self.count, &mut self.buffer, data, |block| compress(&mut self.state, block));
    }

    fn finish(&mut self, digest: &mut [u8]) {
        let bits = long_pad::bits(&self.count).to_be_bytes();
        long_pad::finish(&self.count, &mut self.buffer, &bits, |block| compress(&mut self.state, block));
        for (bytes, word) in digest.chunks_mut(8).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
    }
}

digest! {
    Sha384: SHA384_Init SHA384_Update(usize) SHA384_Final SHA384_End SHA384_Data(usize) SHA384_File SHA384_FileChunk
}

const _: () = assert!(size_of::<Sha512>() == 208);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::testing::check;

    #[test]
    fn fips_180() {
        check::<Sha384>(
            b"abc",
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        );
        check::<Sha384>(
            &[b'a'; 1000],
            "f54480689c6b0b11d0303285d9a81b21a93bca6ba5a1b4472765dca4da45ee328082d469c650cd3b61b16d3266ab8ced",
        );
        check::<Sha512>(
            b"abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        );
        check::<Sha512>(
            &[b'a'; 1000],
            "67ba5535a46e3f86dbfbed8cbbaf0125c76ed549ff8b0b9e03e0c88cf90fa634fa7b12b47d77b694de488ace8d9a65967dc96df599727d3292a8d9d447709c97",
        );
    }
}

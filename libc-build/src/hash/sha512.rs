//! SHA-384 and SHA-512 (FIPS 180-4): sha2(3).

use sha2::block_api::compress512;

use super::block::{Context, digest, long_pad};

/// The state of no data yet.
const SHA512: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];
/// As above.
const SHA384: [u64; 8] = [
    0xcbbb_9d5d_c105_9ed8,
    0x629a_292a_367c_d507,
    0x9159_015a_3070_dd17,
    0x152f_ecd8_f70e_5939,
    0x6733_2667_ffc0_0b31,
    0x8eb4_4a87_6858_1511,
    0xdb0c_2e0d_64f9_8fa7,
    0x47b5_481d_befa_4fa4,
];

/// `SHA512_CTX` and `SHA384_CTX`, which differ in where they start and in how much of the outcome they give.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sha2<const DIGEST_BYTES: usize> {
    state: [u64; 8],
    /// Bits, the lower word first.
    count: [u64; 2],
    buffer: [u8; 128],
}

impl<const BYTES: usize> Context for Sha2<BYTES> {
    const DIGEST_BYTES: usize = BYTES;

    fn start() -> Self {
        let state = if BYTES == Sha512::DIGEST_BYTES { SHA512 } else { SHA384 };
        Self { state, count: [0; 2], buffer: [0; 128] }
    }

    fn update(&mut self, data: &[u8]) {
        long_pad::absorb(&mut self.count, &mut self.buffer, data, |blocks| {
            compress512(&mut self.state, blocks)
        });
    }

    fn finish(&mut self, digest: &mut [u8]) {
        let bits = long_pad::bits(&self.count).to_be_bytes();
        long_pad::finish(&self.count, &mut self.buffer, &bits, |blocks| compress512(&mut self.state, blocks));
        for (bytes, word) in digest.chunks_mut(8).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
    }
}

/// `SHA512_CTX`.
pub type Sha512 = Sha2<64>;
/// `SHA384_CTX`.
pub type Sha384 = Sha2<48>;

digest! {
    Sha512: SHA512_Init SHA512_Update(usize) SHA512_Final SHA512_End SHA512_Data(usize) SHA512_File SHA512_FileChunk
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

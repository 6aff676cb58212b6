//! Argument reduction for the trigonometric functions of long double: x mod π/2, exactly enough for every x.
//!
//! Payne and Hanek ("Radian reduction for trigonometric functions", SIGNUM 18, 1983) in integers: the significand times a window of
//! 256 bits of 2/π. Bits of 2/π that make multiples of 4 are left out; 192 bits of fraction are kept, of which the closest
//! approach of a long double to a multiple of π/2 loses about 80.

use super::x87::{BIAS, F80};

/// The bits of 2/π behind the binary point: as many as the greatest long double needs.
static TWO_OVER_PI: [u64; 262] = [
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
    0xa9e3_9161_5ee6_1b08,
    0x6599_855f_14a0_6840,
    0x8dff_d880_4d73_2731,
    0x0606_1556_ca73_a8c9,
    0x60e2_7bc0_8c6b_47c4,
    0x19c3_67cd_dce8_092a,
    0x8359_c476_8b96_1ca6,
    0xddaf_44d1_5719_053e,
    0xa5ff_0705_3f7e_33e8,
    0x32c2_de4f_9832_7dbb,
    0xc33d_26ef_6b1e_5ef8,
    0x9f3a_1f35_caf2_7f1d,
    0x87f1_2190_7c7c_246a,
    0xfa6e_d577_2d30_433b,
    0x15c6_14b5_9d19_c3c2,
    0xc4ad_414d_2c5d_000c,
    0x467d_862d_71e3_9ac6,
    0x9b00_6233_7cd2_b497,
    0xa7b4_d555_37f6_3ed7,
    0x1810_a3fc_764d_2a9d,
    0x64ab_d770_f87c_6357,
    0xb07a_e715_1756_49c0,
    0xd9d6_3b38_84a7_cb23,
    0x2477_8ad6_2354_5ab9,
    0x1f00_1b0a_f1df_ce19,
    0xff31_9f6a_1e66_6157,
    0x9947_fbac_d87f_7eb7,
    0x6522_89e8_3260_bfe6,
    0xcdc4_ef09_366c_d43f,
    0x5dd7_de16_de3b_5892,
    0x9bde_2822_d2e8_8628,
    0x4d58_e232_cac6_16e3,
    0x08cb_7de0_50c0_17a7,
    0x1df3_5be0_1834_132e,
    0x6212_8301_4883_5b8e,
    0xf57f_b0ad_f2e9_1e43,
    0x4a48_d367_10d8_ddaa,
    0x425f_aece_616a_a428,
    0x0ab4_99d3_f2a6_067f,
    0x775c_83c2_a388_3c61,
    0x7873_8a5a_8caf_bdd7,
    0x6f63_a62d_cbbf_f4ef,
    0x818d_67c1_2645_ca55,
    0x36d9_cad2_a828_8d61,
    0xc277_c912_1426_049b,
    0x4612_c459_c444_c5c8,
    0x91b2_4df3_1700_ad43,
    0xd4e5_4929_10d5_fdfc,
    0xbe00_cc94_1eee_ce70,
    0xf53e_1380_f1ec_c3e7,
    0xb328_f8c7_9405_933e,
    0x71c1_b309_2ef3_450b,
    0x9c12_887b_20ab_9fb5,
    0x2ec2_9247_2f32_7b6d,
    0x550c_90a7_721f_e76b,
    0x96cb_314a_1679_e279,
    0x4189_dff4_9794_e884,
    0xe6e2_9731_996b_ed88,
    0x365f_5f0e_fdbb_b49a,
    0x486c_a467_4272_7132,
    0x5d8d_b815_9f09_e5bc,
    0x2531_8d39_74f7_1c05,
    0x3001_0c0d_6808_4b58,
    0xee2c_90aa_4702_e774,
    0x24d6_bda6_7df7_7248,
    0x6eef_169f_a694_8ef6,
    0x91b4_5153_d1f2_0acf,
    0x3398_207e_4bf5_6863,
    0xb25f_3edd_035d_407f,
    0x8985_2952_55c0_6437,
    0x10d8_6d32_4832_754c,
    0x5bd4_714e_6e54_45c1,
    0x090b_69f5_2ad5_6614,
    0x9d07_2750_045d_db3b,
    0xb4c5_76ea_17f9_877d,
    0x6b49_ba27_1d29_6996,
    0xaccc_c654_14ad_6ae2,
    0x9089_d988_5072_2cbe,
    0xa404_9407_7770_30f3,
    0x27fc_00a8_71ea_49c2,
    0x663d_e064_83dd_9797,
    0x3fa3_fd94_438c_860d,
    0xde41_319d_3992_8c70,
    0xdde7_b717_3bdf_082b,
    0x3715_a080_5c93_805a,
    0x9211_10d8_e80f_af80,
    0x6c4b_ffdb_0f90_3876,
    0x1859_15a5_62bb_cb61,
    0xb989_c7bd_4010_04f2,
    0xd227_7549_f6b6_ebbb,
    0x22db_aa14_0a2f_2689,
    0x7683_6433_3b09_1a94,
    0x0eaa_3a51_c2a3_1dae,
    0xedaf_1226_5c4d_c26d,
    0x9c7a_2d97_56c0_833f,
    0x03f6_f009_8c40_2b99,
    0x316d_07b4_3915_200c,
    0x5bc3_d8c4_92f5_4bad,
    0xc6a5_ca4e_cd37_a736,
    0xa9e6_9492_ab68_42dd,
    0xde63_19ef_8c76_528b,
    0x6837_dbfc_aba1_ae31,
    0x15df_a1ae_00da_fb0c,
    0x664d_64b7_05ed_3065,
    0x29bf_5657_3aff_47b9,
    0xf96a_f3be_75df_9328,
    0x3080_abf6_8c66_15cb,
    0x0406_22fa_1de4_d9a4,
    0xb33d_8f1b_5709_cd36,
    0xe942_4ea4_be13_b523,
    0x331a_aaf0_a865_4fa5,
    0xc1d2_0f3f_0bcd_785b,
    0x76f9_2304_8b7b_7217,
    0x8953_a6c6_e26e_6f00,
    0xebef_584a_9bb7_dac4,
    0xba66_aacf_cf76_1d02,
    0xd12d_f1b1_c199_8c77,
    0xadc3_da48_86a0_5df7,
    0xf480_c62f_f0ac_9aec,
    0xddbc_5c3f_6dde_d01f,
    0xc790_b6db_2a3a_25a3,
    0x9aaf_0093_53ad_0457,
    0xb6b4_2d29_7e80_4ba7,
    0x07da_0eaa_76a1_597b,
    0x2a12_162d_b7dc_fde5,
    0xfafe_db89_fdbe_896c,
    0x76e4_fca9_0670_803e,
    0x156e_85ff_87fd_073e,
    0x2833_6761_8618_2aea,
    0xbd4d_afe7_b36e_6d8f,
    0x3967_955b_bf31_48d7,
    0x8416_df30_432d_c735,
    0x6125_ce70_c9b8_cb30,
    0xfd6c_bfa2_00a4_e46c,
    0x05a0_dd5a_476f_21d2,
    0x1262_845c_b949_6170,
    0xe056_6b01_5299_3755,
    0x50b7_d51e_c4f1_335f,
    0x6e13_e430_5da9_2e85,
    0xc3b2_1d36_32a1_a4b7,
    0x08d4_b1ea_21f7_16e4,
    0x698f_77ff_2780_030c,
    0x2d40_8da0_cd4f_99a5,
    0x20d3_a2b3_0a5d_2f42,
    0xf9b4_cbda_11d0_be7d,
    0xc1db_9bbd_17ab_81a2,
    0xca5c_6a08_1755_2e55,
    0x0027_f014_7f86_07e1,
    0x640b_148d_4196_debe,
    0x872a_fdda_b625_6b34,
    0x897b_fef3_059e_bfb9,
    0x4f6a_68a8_2a4a_5ac4,
    0x4fbc_f82d_985a_d795,
    0xc7f4_8d4d_0da6_3a20,
    0x5f57_a4b1_3f14_9538,
    0x8001_20cc_86dd_71b6,
    0xdec9_f560_bf11_654d,
    0x6b07_01ac_b08c_d0c0,
    0xb248_5551_0efb_1ec3,
    0x7295_3b06_a335_40c0,
    0x7bdc_06cc_45e0_fa29,
    0x4ec8_cad6_41f3_e8de,
    0x647c_d864_9b31_bed9,
    0xc397_a4d4_5877_c5e3,
    0x6913_daf0_3c3a_ba46,
    0x1846_5f75_55f5_bdd2,
    0xc692_6e5d_2eac_ed44,
    0x0e42_3e1c_87c4_61e9,
    0xfd29_f3d6_e7ca_7c22,
    0x3591_6fc5_e008_8dd7,
    0xffe2_6a6e_c6fd_b0c1,
    0x0893_745d_7cb2_ad6b,
    0x9d6e_cd7b_723e_6a11,
    0xc6a9_cff7_df73_29ba,
    0xc9b5_5100_b70d_b2e2,
    0x24ba_7460_7de5_8ad8,
    0x742c_150d_0c18_8194,
    0x667e_1629_0176_7a9f,
    0xbefd_fdef_4556_367e,
    0xd913_d9ec_b9ba_8bfc,
    0x97c4_27a8_31c3_6ef1,
    0x36c5_9456_a8d8_b5a8,
    0xb40e_cccf_2d89_1234,
    0x576f_8956_2ce3_ce99,
    0xb920_d6aa_5e6b_9c2a,
    0x3ecc_5f11_4a0b_fdfb,
    0xf4e1_6d3b_8e2c_86e2,
    0x84d4_e9a9_b4fc_d1ee,
    0xefc9_352e_6139_2f44,
    0x2138_c8d9_1b0a_fc81,
    0x6a4a_fbd8_1c2f_84b4,
    0x538c_994e_cc22_54dc,
    0x552a_d6c6_c096_190b,
    0xb870_1a64_9569_605a,
    0x26ee_523f_0f11_7f11,
    0xb5f4_f5cb_fc2d_bc34,
    0xeebc_34cc_5de8_605e,
    0xdd9b_8e67_ef33_92b8,
    0x17c9_9b58_61bc_57e1,
    0xc683_5110_3ed8_4871,
    0xdddd_1c2d_a118_af46,
    0x2c21_d7f3_5998_7ad9,
    0xc054_9efa_864f_fc06,
    0x56ae_79e5_3622_8922,
    0xad38_dc93_67aa_e855,
    0x3826_829b_e7ca_a40d,
    0x51b1_3399_0ed7_a948,
    0x0569_f0b2_65a7_887f,
    0x974c_8836_d1f9_b392,
    0x214a_827b_21cf_98dc,
    0x9f40_5547_dc3a_74e1,
    0x42eb_67df_9dfe_5fd4,
    0x5ea4_677b_7aac_baa2,
    0xf655_2388_2b55_ba41,
    0x086e_5986_2a21_8347,
    0x39e6_e389_d49e_e540,
    0xfb49_e956_ffca_0f1c,
    0x8a59_c52b_fa94_c5c1,
    0xd3cf_c50f_ae5a_db86,
    0xc547_6243_853b_8621,
    0x9479_2c87_6110_7b4c,
    0x2a1a_2c80_12bf_4390,
    0x2688_893c_78e4_c4a8,
    0x7bdb_e5c2_3ac4_eaf4,
    0x268a_67f7_bf92_0d2b,
    0xa365_b193_3d0b_7cbd,
    0xdc51_a463_dd27_dde1,
    0x6919_949a_9529_a828,
    0xce68_b4ed_0920_9f44,
    0xca98_4e63_8270_237c,
    0x7e32_b90f_8ef5_a7e7,
    0x5614_08f1_212a_9db5,
    0x4d7e_6f51_19a5_abf9,
    0xb5d6_df82_61dd_9602,
    0x3616_9f3a_c4a1_a283,
    0x6ded_727a_8d39_a9b8,
    0x825c_326b_5b27_46ed,
    0x3400_7700_d255_f4fc,
    0x4d59_0180_71e0_e13f,
    0x89b2_95f3_64a8_f1ae,
    0xa74b_38fc_4cea_b2bb,
    0x4727_0bab_c3a7_34ba,
];

/// π/2 as a fixed-point number with 127 bits behind the point.
const HALF_PI: u128 = 0xc90f_daa2_2168_c234_c4c6_628b_80dc_1cd1;

/// What is left of an angle: it is quadrant·π/2 + high + low, and |high| ≤ π/4.
#[derive(Clone, Copy, Debug)]
pub struct Reduced {
    /// Modulo 4.
    pub quadrant: u32,
    /// The rest.
    pub high: F80,
    /// What `high` was rounded by.
    pub low: F80,
}

/// 64 bits of 2/π from bit `start` on, counted from the binary point.
fn window(start: usize) -> u64 {
    let word = |index: usize| TWO_OVER_PI.get(index).copied().unwrap_or(0);
    let (index, shift) = (start / 64, start % 64);
    if shift == 0 { word(index) } else { word(index) << shift | word(index + 1) >> (64 - shift) }
}

/// The number mantissa·2^(exponent - 127) with its sign, as a long double and what that leaves.
fn pair(negative: bool, mantissa: u128, exponent: i32) -> (F80, F80) {
    if mantissa == 0 {
        return (F80::ZERO, F80::ZERO);
    }
    let zeros = mantissa.leading_zeros().cast_signed();
    let mantissa = mantissa << zeros;
    let high = F80::from_parts(negative, (exponent - zeros + BIAS) as u16, (mantissa >> 64) as u64);
    let rest = mantissa as u64;
    if rest == 0 {
        return (high, F80::ZERO);
    }
    let more = rest.leading_zeros().cast_signed();
    (high, F80::from_parts(negative, (exponent - zeros - 64 - more + BIAS) as u16, rest << more))
}

/// Reduces a finite `x`.
#[must_use]
pub fn reduce(x: F80) -> Reduced {
    const QUARTER_PI: F80 = F80::from_parts(false, 16_382, 0xc90f_daa2_2168_c234);
    if x.abs() <= QUARTER_PI {
        return Reduced { quadrant: 0, high: x, low: F80::ZERO };
    }
    // x = mantissa · 2^exponent
    let exponent = i32::from(x.exponent()) - BIAS - 63;
    let skip = (exponent - 2).max(0);
    // The product of the significand and the window, words from the lowest up; value = product · 2^(exponent - skip - 256).
    let mut product = [0_u64; 5];
    let mut carry = 0_u64;
    for (index, word) in product.iter_mut().take(4).enumerate() {
        let bits = window(skip.unsigned_abs() as usize + 64 * (3 - index));
        let sum = u128::from(x.mantissa()) * u128::from(bits) + u128::from(carry);
        *word = sum as u64;
        carry = (sum >> 64) as u64;
    }
    product[4] = carry;
    // The point lies `point` bits above the lowest; two bits above it are the quadrant.
    let point = (256 - (exponent - skip)).unsigned_abs();
    let bits_at = |low: i64| {
        // 64 bits from position `low` up.
        let word = |index: i64| {
            usize::try_from(index).ok().and_then(|index| product.get(index)).copied().unwrap_or(0)
        };
        let (index, shift) = (low.div_euclid(64), low.rem_euclid(64) as u32);
        if shift == 0 { word(index) } else { word(index) >> shift | word(index + 1) << (64 - shift) }
    };
    let point = i64::from(point);
    let mut quadrant = (bits_at(point) & 3) as u32;
    let mut fraction = [bits_at(point - 192), bits_at(point - 128), bits_at(point - 64)];
    // Above one half: count from the next quadrant.
    let mut negative = false;
    if fraction[2] >> 63 != 0 {
        quadrant = (quadrant + 1) & 3;
        negative = true;
        let (low, carry) = (!fraction[0]).overflowing_add(1);
        let (middle, carry) = (!fraction[1]).overflowing_add(carry.into());
        fraction = [low, middle, (!fraction[2]).wrapping_add(carry.into())];
    }
    // The fraction's 128 leading bits, times π/2.
    let top = u128::from(fraction[2]) << 64 | u128::from(fraction[1]);
    let zeros = top.leading_zeros().min(64);
    let shifted = if zeros == 0 { top } else { top << zeros | u128::from(fraction[0]) >> (64 - zeros) };
    let product = multiply_high(shifted, HALF_PI);
    // shifted is 2^(zeros+128) times the fraction, HALF_PI 2^127 times π/2, the high half of their product lacks 2^128.
    let (high, low) = pair(negative, product, -zeros.cast_signed());
    let turned = |part: F80| if x.is_negative() { -part } else { part };
    let quadrant = if x.is_negative() { quadrant.wrapping_neg() & 3 } else { quadrant };
    Reduced { quadrant, high: turned(high), low: turned(low) }
}

/// The high 128 bits of a product.
fn multiply_high(left: u128, right: u128) -> u128 {
    let (a, b) = (left >> 64, left & u128::from(u64::MAX));
    let (c, d) = (right >> 64, right & u128::from(u64::MAX));
    let low = u128::from(u64::MAX);
    let middle = ((b * d) >> 64) + ((a * d) & low) + ((b * c) & low);
    a * c + ((a * d) >> 64) + ((b * c) >> 64) + (middle >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sines_from_reduced_angles_are_right() {
        for x in [1.0, -2.0, 3.0, 10.0, 1e5, -1e10, 1e22, 1.7e308, 710.0, 0.9, 4.712_388_980_384_69] {
            let reduced = reduce(F80::from_f64(x));
            let rest = reduced.high.to_f64();
            assert!(rest.abs() <= core::f64::consts::FRAC_PI_4 + 1e-15);
            let sine = match reduced.quadrant {
                0 => rest.sin(),
                1 => rest.cos(),
                2 => -rest.sin(),
                _ => -rest.cos(),
            };
            let expected = x.sin();
            assert!((sine - expected).abs() <= 3e-16 * expected.abs().max(1e-3), "{x}: {sine} {expected}");
        }
    }
}

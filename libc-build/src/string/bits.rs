//! Functions on the bits and bytes of integers: ffs(3), popcount(3), bswap(3), byteorder(3).

use core::ffi::{c_int, c_long, c_uint, c_ulong};

/// The place of the lowest bit that is set, counted from 1; 0 if none is.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn ffs(value: c_int) -> c_int {
    if value == 0 { 0 } else { value.trailing_zeros() as c_int + 1 }
}

/// ffs(3) of a long.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn ffsl(value: c_long) -> c_int {
    if value == 0 { 0 } else { value.trailing_zeros() as c_int + 1 }
}

/// ffs(3) of a long long.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn ffsll(value: i64) -> c_int {
    ffsl(value)
}

/// The number of bits that are set.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn popcount(value: c_uint) -> c_uint {
    value.count_ones()
}

/// popcount(3) of 32 bits.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn popcount32(value: u32) -> c_uint {
    value.count_ones()
}

/// popcount(3) of 64 bits.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn popcount64(value: u64) -> c_uint {
    value.count_ones()
}

/// popcount(3) of an unsigned long.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn popcountl(value: c_ulong) -> c_uint {
    value.count_ones()
}

/// popcount(3) of an unsigned long long.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn popcountll(value: u64) -> c_uint {
    value.count_ones()
}

/// Turns the bytes of 16 bits round.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __bswap16(value: u16) -> u16 {
    value.swap_bytes()
}

/// Turns the bytes of 32 bits round.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __bswap32(value: u32) -> u32 {
    value.swap_bytes()
}

/// Turns the bytes of 64 bits round.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn bswap64(value: u64) -> u64 {
    value.swap_bytes()
}

/// 32 bits from the host's byte order to the network's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn htonl(value: u32) -> u32 {
    value.to_be()
}

/// 16 bits from the host's byte order to the network's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn htons(value: u16) -> u16 {
    value.to_be()
}

/// 32 bits from the network's byte order to the host's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn ntohl(value: u32) -> u32 {
    u32::from_be(value)
}

/// 16 bits from the network's byte order to the host's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn ntohs(value: u16) -> u16 {
    u16::from_be(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_orders() {
        assert_eq!([ffs(0), ffs(1), ffs(i32::MIN), ffsl(1 << 40), ffsll(0)], [0, 1, 32, 41, 0]);
        assert_eq!([popcount(u32::MAX), popcount64(0xff00), popcountl(0)], [32, 8, 0]);
        assert_eq!((htonl(0x0102_0304), ntohs(0x0102), bswap64(1)), (0x0403_0201, 0x0201, 1 << 56));
    }
}

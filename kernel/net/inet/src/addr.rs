//! Addresses of either family in one form (RFC 4291).
//!
//! An IPv4 address is held as its mapped IPv6 address (`::ffff:a.b.c.d`), so that tables, comparisons and hashes need no cases, and a socket of
//! AF_INET6 that also takes IPv4 is nothing special. An address of link-local scope (`fe80::/10`, `ff02::/16`, `ff01::/16`) carries its zone, the
//! interface's index, in bytes 2 and 3, as in NetBSD's kernel; it is put in and taken out at the edges: the wire and the application.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use crate::wire::{Sum, get_u16};

/// An address. Ordered and hashed by its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Addr(pub [u8; 16]);

/// The first twelve bytes of a mapped IPv4 address.
const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

impl Addr {
    /// `::`, of AF_INET6.
    pub const UNSPECIFIED_V6: Self = Self([0; 16]);
    /// `0.0.0.0`.
    pub const UNSPECIFIED_V4: Self = Self::v4([0; 4]);
    /// `255.255.255.255`.
    pub const BROADCAST: Self = Self::v4([255; 4]);
    /// `127.0.0.1`.
    pub const LOOPBACK_V4: Self = Self::v4([127, 0, 0, 1]);
    /// `::1`.
    pub const LOOPBACK_V6: Self = Self([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    /// An IPv4 address.
    #[inline]
    #[must_use]
    pub const fn v4(a: [u8; 4]) -> Self {
        Self([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a[0], a[1], a[2], a[3]])
    }

    /// The IPv4 address, if it is one.
    #[inline]
    #[must_use]
    pub fn to_v4(self) -> Option<[u8; 4]> {
        self.is_v4().then_some(self.low())
    }

    /// The last four bytes: the IPv4 address where [`Addr::is_v4`].
    #[inline]
    #[must_use]
    pub const fn low(self) -> [u8; 4] {
        [self.0[12], self.0[13], self.0[14], self.0[15]]
    }

    /// Whether it is an IPv4 address.
    #[inline]
    #[must_use]
    pub fn is_v4(self) -> bool {
        self.0[..12] == MAPPED
    }

    /// `0.0.0.0` or `::`.
    #[inline]
    #[must_use]
    pub fn is_unspecified(self) -> bool {
        self == Self::UNSPECIFIED_V4 || self == Self::UNSPECIFIED_V6
    }

    /// `127.0.0.0/8` or `::1`.
    #[inline]
    #[must_use]
    pub fn is_loopback(self) -> bool {
        if self.is_v4() { self.0[12] == 127 } else { self == Self::LOOPBACK_V6 }
    }

    /// `224.0.0.0/4` or `ff00::/8`.
    #[inline]
    #[must_use]
    pub fn is_multicast(self) -> bool {
        if self.is_v4() { self.0[12] & 0xf0 == 0xe0 } else { self.0[0] == 0xff }
    }

    /// `255.255.255.255`; a subnet's broadcast address is the interfaces' to know.
    #[inline]
    #[must_use]
    pub fn is_limited_broadcast(self) -> bool {
        self == Self::BROADCAST
    }

    /// `fe80::/10`, or `169.254.0.0/16`.
    #[must_use]
    pub fn is_link_local(self) -> bool {
        if self.is_v4() {
            self.0[12] == 169 && self.0[13] == 254
        } else {
            self.0[0] == 0xfe && self.0[1] & 0xc0 == 0x80
        }
    }

    /// Whether bytes 2 and 3 hold a zone.
    #[must_use]
    pub fn has_zone(self) -> bool {
        match self.0[0] {
            0xfe => self.0[1] & 0xc0 == 0x80,
            0xff => matches!(self.0[1] & 0xf, 1 | 2),
            _ => false,
        }
    }

    /// The zone, or 0.
    #[must_use]
    pub fn zone(self) -> u16 {
        if self.has_zone() { get_u16(&self.0, 2) } else { 0 }
    }

    /// With this zone, if it is an address that has one.
    #[must_use]
    pub fn with_zone(mut self, index: u16) -> Self {
        if self.has_zone() {
            [self.0[2], self.0[3]] = index.to_be_bytes();
        }
        self
    }

    /// As on the wire: without its zone.
    #[must_use]
    pub fn without_zone(self) -> Self {
        self.with_zone(0)
    }

    /// Whether the first `bits` bits are the same (of 128; an IPv4 prefix has 96 more than one says).
    #[must_use]
    pub fn matches(self, prefix: Self, bits: u8) -> bool {
        let [mine, its] = [self, prefix].map(|addr| u128::from_be_bytes(addr.0));
        bits == 0 || (mine ^ its) >> (128 - u32::from(bits.min(128))) == 0
    }

    /// Only the first `bits` bits (of 128), the rest zero.
    #[must_use]
    pub fn masked(self, bits: u8) -> Self {
        let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
        Self((u128::from_be_bytes(self.0) & mask).to_be_bytes())
    }

    /// How many leading bits are the same.
    #[must_use]
    pub fn common_prefix(self, other: Self) -> u32 {
        (u128::from_be_bytes(self.0) ^ u128::from_be_bytes(other.0)).leading_zeros()
    }

    /// The solicited-node multicast address (RFC 4291, 2.7.1), without zone.
    #[must_use]
    pub fn solicited_node(self) -> Self {
        let mut group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0];
        group[13..].copy_from_slice(&self.0[13..]);
        Self(group)
    }

    /// Bytes of the header that carries it.
    #[inline]
    #[must_use]
    pub fn header_len(self) -> usize {
        if self.is_v4() { 20 } else { 40 }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_v4() {
            Some(v4) => Ipv4Addr::from(v4).fmt(f),
            None => Ipv6Addr::from(self.without_zone().0).fmt(f),
        }
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Endpoint {
    /// The address.
    pub addr: Addr,
    /// The port, in the processor's byte order.
    pub port: u16,
}

/// The sum of the pseudo-header that TCP, UDP and ICMPv6 checksums cover (RFC 793, RFC 8200 8.1), for `len` bytes of header and payload. Both
/// addresses are of one family.
#[inline]
#[must_use]
pub fn pseudo_header(src: Addr, dst: Addr, protocol: u8, len: usize) -> Sum {
    let mut sum = Sum::new();
    if src.is_v4() {
        sum.add(&src.low());
        sum.add(&dst.low());
    } else {
        sum.add(&src.without_zone().0);
        sum.add(&dst.without_zone().0);
    }
    sum.add_u16(u16::from(protocol));
    sum.add_u32(len as u32);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn v6(text: &str) -> Addr {
        Addr(text.parse::<Ipv6Addr>().unwrap().octets())
    }

    #[test]
    fn kinds() {
        assert!(Addr::LOOPBACK_V4.is_v4() && Addr::LOOPBACK_V4.is_loopback());
        assert!(!Addr::LOOPBACK_V6.is_v4() && Addr::LOOPBACK_V6.is_loopback());
        assert!(Addr::v4([224, 0, 0, 1]).is_multicast() && v6("ff02::1").is_multicast());
        assert!(v6("fe80::1").is_link_local() && !v6("fec0::1").is_link_local());
        assert_eq!(Addr::v4([10, 0, 2, 15]).to_string(), "10.0.2.15");
        assert_eq!(v6("fe80::2").with_zone(3).to_string(), "fe80::2");
    }

    #[test]
    fn zones() {
        let addr = v6("fe80::2").with_zone(3);
        assert_eq!((addr.zone(), addr.without_zone()), (3, v6("fe80::2")));
        assert_eq!(v6("2001:db8::1").with_zone(3), v6("2001:db8::1"));
    }

    #[test]
    fn prefixes() {
        let addr = Addr::v4([10, 1, 2, 3]);
        assert!(addr.matches(Addr::v4([10, 0, 0, 0]), 96 + 8));
        assert!(!addr.matches(Addr::v4([10, 0, 0, 0]), 96 + 16));
        assert!(addr.matches(v6("::1"), 0));
        assert_eq!(addr.masked(96 + 24), Addr::v4([10, 1, 2, 0]));
        assert_eq!(addr.masked(128), addr);
        assert_eq!(addr.masked(0), Addr::UNSPECIFIED_V6);
        assert_eq!(addr.common_prefix(Addr::v4([10, 1, 2, 2])), 127);
        assert_eq!(v6("2001:db8::12:3456").solicited_node(), v6("ff02::1:ff12:3456"));
    }
}

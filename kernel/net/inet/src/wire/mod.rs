//! Headers as they are on the wire: checked views of bytes, and what makes the bytes.
//!
//! A view borrows the header's bytes and reads fields in place; it is made only of enough bytes, so reading needs no check and cannot fail. Whether
//! what the fields say is right, is for the protocols to judge. Numbers come out in the processor's byte order.

mod checksum;
mod ethernet;
pub mod icmp;
mod ipv4;
mod ipv6;
mod tcp;
mod udp;

pub use checksum::{Sum, checksum};
pub use ethernet::{ARP_LEN, Arp, ETHER_LEN, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Ethernet, Mac};
pub use ipv4::{IPV4_LEN, Ipv4, Ipv4Header};
pub use ipv6::{FRAGMENT_LEN, Fragment, IPV6_LEN, Ipv6, Ipv6Header};
pub use tcp::{TCP_LEN, Tcp, TcpHeader};
pub use udp::{UDP_LEN, Udp, udp_header};

/// IANA's protocol numbers.
#[expect(missing_docs, reason = "the protocols' own names")]
pub mod proto {
    pub const HOPOPTS: u8 = 0;
    pub const ICMP: u8 = 1;
    pub const IGMP: u8 = 2;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const ICMPV6: u8 = 58;
    pub const NONE: u8 = 59;
    pub const DSTOPTS: u8 = 60;
}

/// The big-endian number at `at`.
#[inline]
#[must_use]
pub const fn get_u16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// The big-endian number at `at`.
#[inline]
#[must_use]
pub const fn get_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The bytes of a fixed length at `at`.
#[inline]
#[must_use]
pub fn get_array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

/// Puts a big-endian number at `at`.
#[inline]
pub fn put_u16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

/// Puts a big-endian number at `at`.
#[inline]
pub fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

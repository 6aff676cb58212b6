//! IPv6 headers and the fragment header (RFC 8200).

use super::{get_array, get_u16, get_u32, put_u16, put_u32};
use crate::addr::Addr;

/// Bytes of the fixed header.
pub const IPV6_LEN: usize = 40;

/// A header that fits its packet: version 6, payload within it.
#[derive(Clone, Copy)]
pub struct Ipv6<'a>(&'a [u8; IPV6_LEN]);

impl<'a> Ipv6<'a> {
    /// Of the first bytes of a packet of `len` bytes; `None` if the lengths contradict each other. Jumbograms are not taken.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8], len: usize) -> Option<Self> {
        let header = Self::new_quoted(bytes)?;
        (IPV6_LEN + header.payload_len() <= len).then_some(header)
    }

    /// The header at the beginning of what an ICMPv6 error returns, of which only the header needs to be there.
    #[must_use]
    pub fn new_quoted(bytes: &'a [u8]) -> Option<Self> {
        let header = Self(bytes.first_chunk()?);
        (header.0[0] >> 4 == 6).then_some(header)
    }

    /// Traffic class.
    #[inline]
    #[must_use]
    pub fn traffic_class(self) -> u8 {
        (get_u16(self.0, 0) >> 4) as u8
    }

    /// Flow label.
    #[inline]
    #[must_use]
    pub fn flow_label(self) -> u32 {
        get_u32(self.0, 0) & 0xf_ffff
    }

    /// Bytes after this header.
    #[inline]
    #[must_use]
    pub fn payload_len(self) -> usize {
        usize::from(get_u16(self.0, 4))
    }

    /// What follows this header.
    #[inline]
    #[must_use]
    pub fn next_header(self) -> u8 {
        self.0[6]
    }

    /// Hop limit.
    #[inline]
    #[must_use]
    pub fn hop_limit(self) -> u8 {
        self.0[7]
    }

    /// Who sent it, without zone.
    #[inline]
    #[must_use]
    pub fn src(self) -> Addr {
        Addr(get_array(self.0, 8))
    }

    /// Whom it is for, without zone.
    #[inline]
    #[must_use]
    pub fn dst(self) -> Addr {
        Addr(get_array(self.0, 24))
    }
}

/// What the fixed header says.
#[derive(Clone, Copy, Debug)]
pub struct Ipv6Header {
    /// Traffic class.
    pub traffic_class: u8,
    /// Flow label, 20 bits.
    pub flow_label: u32,
    /// Bytes after this header.
    pub payload_len: u16,
    /// What follows this header.
    pub next_header: u8,
    /// Hop limit.
    pub hop_limit: u8,
    /// Who sends it; its zone is not written.
    pub src: Addr,
    /// Whom it is for; its zone is not written.
    pub dst: Addr,
}

impl Ipv6Header {
    /// The bytes.
    #[inline]
    #[must_use]
    pub fn emit(&self) -> [u8; IPV6_LEN] {
        let mut bytes = [0; IPV6_LEN];
        let first = 6 << 28 | u32::from(self.traffic_class) << 20 | self.flow_label & 0xf_ffff;
        put_u32(&mut bytes, 0, first);
        put_u16(&mut bytes, 4, self.payload_len);
        bytes[6] = self.next_header;
        bytes[7] = self.hop_limit;
        bytes[8..24].copy_from_slice(&self.src.without_zone().0);
        bytes[24..].copy_from_slice(&self.dst.without_zone().0);
        bytes
    }
}

/// Bytes of the fragment header.
pub const FRAGMENT_LEN: usize = 8;

/// The fragment header (RFC 8200, 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// What the whole payload begins with.
    pub next_header: u8,
    /// Where in the whole payload this one begins, bytes; a multiple of 8.
    pub offset: u16,
    /// More fragments follow.
    pub more: bool,
    /// Which packet it belongs to.
    pub id: u32,
}

impl Fragment {
    /// Reads one; `None` if there are too few bytes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; FRAGMENT_LEN] = bytes.first_chunk()?;
        let word = get_u16(bytes, 2);
        Some(Self { next_header: bytes[0], offset: word & !7, more: word & 1 != 0, id: get_u32(bytes, 4) })
    }

    /// The bytes.
    #[must_use]
    pub fn emit(&self) -> [u8; FRAGMENT_LEN] {
        let mut bytes = [0; FRAGMENT_LEN];
        bytes[0] = self.next_header;
        put_u16(&mut bytes, 2, self.offset & !7 | u16::from(self.more));
        put_u32(&mut bytes, 4, self.id);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let header = Ipv6Header {
            traffic_class: 0xab,
            flow_label: 0x12345,
            payload_len: 8,
            next_header: 17,
            hop_limit: 64,
            src: Addr::LOOPBACK_V6,
            dst: Addr([0xfe, 0x80, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        };
        let bytes = header.emit();
        let view = Ipv6::new(&bytes, 48).unwrap();
        assert_eq!((view.traffic_class(), view.flow_label(), view.payload_len()), (0xab, 0x12345, 8));
        assert_eq!(view.dst().zone(), 0, "the zone stays inside");
        assert!(Ipv6::new(&bytes, 47).is_none());
        let fragment = Fragment { next_header: 6, offset: 1232, more: true, id: 0xdead_beef };
        assert_eq!(Fragment::parse(&fragment.emit()), Some(fragment));
    }
}

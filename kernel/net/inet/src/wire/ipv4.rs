//! IPv4 headers (RFC 791).

use super::{checksum, get_array, get_u16, put_u16};
use crate::addr::Addr;

/// Bytes of a header without options.
pub const IPV4_LEN: usize = 20;

/// A header that fits its packet: version 4, header and total length within it.
#[derive(Clone, Copy)]
pub struct Ipv4<'a>(&'a [u8; IPV4_LEN]);

impl<'a> Ipv4<'a> {
    /// Of the first bytes of a packet of `len` bytes; `None` if its lengths contradict each other or the packet.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8], len: usize) -> Option<Self> {
        let header = Self(bytes.first_chunk()?);
        let ok = header.0[0] >> 4 == 4
            && header.header_len() >= IPV4_LEN
            && header.header_len() <= header.total_len()
            && header.total_len() <= len;
        ok.then_some(header)
    }

    /// The header at the beginning of what an ICMP error returns, of which only the header needs to be there.
    #[must_use]
    pub fn new_quoted(bytes: &'a [u8]) -> Option<Self> {
        let header = Self(bytes.first_chunk()?);
        (header.0[0] >> 4 == 4 && header.header_len() >= IPV4_LEN).then_some(header)
    }

    /// Bytes of the header with its options, 20 to 60.
    #[inline]
    #[must_use]
    pub fn header_len(self) -> usize {
        usize::from(self.0[0] & 0xf) * 4
    }

    /// Type of service.
    #[inline]
    #[must_use]
    pub fn tos(self) -> u8 {
        self.0[1]
    }

    /// Bytes of header and payload.
    #[inline]
    #[must_use]
    pub fn total_len(self) -> usize {
        usize::from(get_u16(self.0, 2))
    }

    /// Which packet a fragment belongs to.
    #[inline]
    #[must_use]
    pub fn id(self) -> u16 {
        get_u16(self.0, 4)
    }

    /// It must not be fragmented.
    #[inline]
    #[must_use]
    pub fn dont_fragment(self) -> bool {
        self.0[6] & 0x40 != 0
    }

    /// More fragments follow.
    #[inline]
    #[must_use]
    pub fn more_fragments(self) -> bool {
        self.0[6] & 0x20 != 0
    }

    /// Where in the whole payload this one begins, bytes.
    #[inline]
    #[must_use]
    pub fn fragment_offset(self) -> usize {
        usize::from(get_u16(self.0, 6) & 0x1fff) * 8
    }

    /// Whether it is a part of a packet.
    #[inline]
    #[must_use]
    pub fn is_fragment(self) -> bool {
        get_u16(self.0, 6) & 0x3fff != 0
    }

    /// Time to live.
    #[inline]
    #[must_use]
    pub fn ttl(self) -> u8 {
        self.0[8]
    }

    /// The payload's protocol.
    #[inline]
    #[must_use]
    pub fn protocol(self) -> u8 {
        self.0[9]
    }

    /// Who sent it.
    #[inline]
    #[must_use]
    pub fn src(self) -> Addr {
        Addr::v4(get_array(self.0, 12))
    }

    /// Whom it is for.
    #[inline]
    #[must_use]
    pub fn dst(self) -> Addr {
        Addr::v4(get_array(self.0, 16))
    }
}

/// What a header without options says.
#[derive(Clone, Copy, Debug)]
pub struct Ipv4Header {
    /// Type of service.
    pub tos: u8,
    /// Bytes of header and payload.
    pub total_len: u16,
    /// Which packet a fragment belongs to.
    pub id: u16,
    /// Flags and the offset in units of 8 bytes, as in the header.
    pub fragment: u16,
    /// Time to live.
    pub ttl: u8,
    /// The payload's protocol.
    pub protocol: u8,
    /// Who sends it.
    pub src: [u8; 4],
    /// Whom it is for.
    pub dst: [u8; 4],
}

impl Ipv4Header {
    /// In [`Ipv4Header::fragment`]: it must not be fragmented.
    pub const DONT_FRAGMENT: u16 = 0x4000;
    /// In [`Ipv4Header::fragment`]: more fragments follow.
    pub const MORE_FRAGMENTS: u16 = 0x2000;

    /// The bytes, with the checksum.
    #[inline]
    #[must_use]
    pub fn emit(&self) -> [u8; IPV4_LEN] {
        let mut bytes = [0; IPV4_LEN];
        bytes[0] = 0x45;
        bytes[1] = self.tos;
        put_u16(&mut bytes, 2, self.total_len);
        put_u16(&mut bytes, 4, self.id);
        put_u16(&mut bytes, 6, self.fragment);
        bytes[8] = self.ttl;
        bytes[9] = self.protocol;
        bytes[12..16].copy_from_slice(&self.src);
        bytes[16..].copy_from_slice(&self.dst);
        let sum = checksum(&bytes);
        put_u16(&mut bytes, 10, sum);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let header = Ipv4Header {
            tos: 0x10,
            total_len: 40,
            id: 7,
            fragment: Ipv4Header::MORE_FRAGMENTS | 3,
            ttl: 64,
            protocol: 17,
            src: [10, 0, 0, 1],
            dst: [10, 0, 0, 2],
        };
        let bytes = header.emit();
        assert_eq!(checksum(&bytes), 0);
        let view = Ipv4::new(&bytes, 40).unwrap();
        assert_eq!((view.total_len(), view.header_len(), view.fragment_offset()), (40, 20, 24));
        assert!(view.is_fragment() && view.more_fragments() && !view.dont_fragment());
        assert_eq!((view.src(), view.dst()), (Addr::v4([10, 0, 0, 1]), Addr::v4([10, 0, 0, 2])));
        assert!(Ipv4::new(&bytes, 39).is_none(), "longer than the packet");
        for first in [0x55, 0x44, 0x4f] {
            let mut bad = bytes;
            bad[0] = first;
            assert!(Ipv4::new(&bad, 40).is_none());
        }
    }
}

//! UDP headers (RFC 768).

use super::{get_u16, put_u16};

/// Bytes of the header.
pub const UDP_LEN: usize = 8;

/// A header that fits its packet.
#[derive(Clone, Copy)]
pub struct Udp<'a>(&'a [u8; UDP_LEN]);

impl<'a> Udp<'a> {
    /// Of the first bytes of a payload of `len` bytes; `None` if its length is impossible.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8], len: usize) -> Option<Self> {
        let header = Self(bytes.first_chunk()?);
        (header.len() >= UDP_LEN && header.len() <= len).then_some(header)
    }

    /// The sender's port.
    #[inline]
    #[must_use]
    pub fn src_port(self) -> u16 {
        get_u16(self.0, 0)
    }

    /// The receiver's port.
    #[inline]
    #[must_use]
    pub fn dst_port(self) -> u16 {
        get_u16(self.0, 2)
    }

    /// Bytes of header and payload.
    #[inline]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is at least the header's length")]
    pub fn len(self) -> usize {
        usize::from(get_u16(self.0, 4))
    }

    /// The checksum; 0 if there is none.
    #[inline]
    #[must_use]
    pub fn checksum(self) -> u16 {
        get_u16(self.0, 6)
    }
}

/// A header; `checksum` is the sum of the pseudo-header, to be completed on output.
#[inline]
#[must_use]
pub fn udp_header(src_port: u16, dst_port: u16, len: u16, checksum: u16) -> [u8; UDP_LEN] {
    let mut bytes = [0; UDP_LEN];
    put_u16(&mut bytes, 0, src_port);
    put_u16(&mut bytes, 2, dst_port);
    put_u16(&mut bytes, 4, len);
    put_u16(&mut bytes, 6, checksum);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let bytes = udp_header(53, 1000, 12, 0xabcd);
        let view = Udp::new(&bytes, 12).unwrap();
        assert_eq!((view.src_port(), view.dst_port(), view.len(), view.checksum()), (53, 1000, 12, 0xabcd));
        assert!(Udp::new(&bytes, 11).is_none());
        assert!(Udp::new(&udp_header(1, 2, 7, 0), 100).is_none());
    }
}

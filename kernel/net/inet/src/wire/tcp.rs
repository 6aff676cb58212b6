//! TCP headers (RFC 9293, 3.1).

use super::{get_u16, get_u32, put_u16, put_u32};

/// Bytes of a header without options.
pub const TCP_LEN: usize = 20;

/// A header that fits its segment, options included.
#[derive(Clone, Copy)]
pub struct Tcp<'a>(&'a [u8]);

impl<'a> Tcp<'a> {
    /// Of a segment's first bytes, which hold all of the header; `None` if they do not.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() < TCP_LEN {
            return None;
        }
        let len = usize::from(bytes[12] >> 4) * 4;
        (len >= TCP_LEN && len <= bytes.len()).then(|| Self(&bytes[..len]))
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

    /// Sequence number.
    #[inline]
    #[must_use]
    pub fn seq(self) -> u32 {
        get_u32(self.0, 4)
    }

    /// Acknowledgement number.
    #[inline]
    #[must_use]
    pub fn ack(self) -> u32 {
        get_u32(self.0, 8)
    }

    /// Bytes of the header with its options, 20 to 60.
    #[inline]
    #[must_use]
    pub fn header_len(self) -> usize {
        self.0.len()
    }

    /// The flags, TH_FIN to TH_CWR.
    #[inline]
    #[must_use]
    pub fn flags(self) -> u8 {
        self.0[13]
    }

    /// Window, not scaled.
    #[inline]
    #[must_use]
    pub fn window(self) -> u16 {
        get_u16(self.0, 14)
    }

    /// Urgent pointer.
    #[inline]
    #[must_use]
    pub fn urgent(self) -> u16 {
        get_u16(self.0, 18)
    }

    /// The options' bytes.
    #[inline]
    #[must_use]
    pub fn options(self) -> &'a [u8] {
        &self.0[TCP_LEN..]
    }
}

/// What a header says; options follow it.
#[derive(Clone, Copy, Debug)]
pub struct TcpHeader {
    /// The sender's port.
    pub src_port: u16,
    /// The receiver's port.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Bytes of header and options: a multiple of 4, 20 to 60.
    pub header_len: usize,
    /// The flags.
    pub flags: u8,
    /// Window, scaled.
    pub window: u16,
    /// What the checksum field holds: the sum of the pseudo-header, to be completed on output.
    pub checksum: u16,
    /// Urgent pointer.
    pub urgent: u16,
}

impl TcpHeader {
    /// Where the checksum is in the header.
    pub const CHECKSUM_OFFSET: u16 = 16;

    /// The bytes without options.
    #[inline]
    #[must_use]
    pub fn emit(&self) -> [u8; TCP_LEN] {
        let mut bytes = [0; TCP_LEN];
        put_u16(&mut bytes, 0, self.src_port);
        put_u16(&mut bytes, 2, self.dst_port);
        put_u32(&mut bytes, 4, self.seq);
        put_u32(&mut bytes, 8, self.ack);
        bytes[12] = ((self.header_len / 4) << 4) as u8;
        bytes[13] = self.flags;
        put_u16(&mut bytes, 14, self.window);
        put_u16(&mut bytes, 16, self.checksum);
        put_u16(&mut bytes, 18, self.urgent);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let header = TcpHeader {
            src_port: 80,
            dst_port: 50000,
            seq: 0xffff_fffe,
            ack: 3,
            header_len: 24,
            flags: 0x12,
            window: 65535,
            checksum: 0,
            urgent: 1,
        };
        let mut bytes = [0; 24];
        bytes[..20].copy_from_slice(&header.emit());
        bytes[20..].copy_from_slice(&[2, 4, 5, 0xb4]);
        let view = Tcp::new(&bytes).unwrap();
        assert_eq!((view.src_port(), view.dst_port(), view.seq(), view.ack()), (80, 50000, 0xffff_fffe, 3));
        assert_eq!((view.header_len(), view.options()), (24, &[2, 4, 5, 0xb4][..]));
        assert!(Tcp::new(&bytes[..23]).is_none());
        bytes[12] = 0x40;
        assert!(Tcp::new(&bytes).is_none());
    }
}

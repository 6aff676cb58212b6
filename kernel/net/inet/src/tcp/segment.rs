//! What a segment's header says: fields and options (RFC 9293 3.1 and 3.2, RFC 7323, RFC 2018).
//!
//! Options are read with every length checked; those that are malformed end the reading, what came before them counts. A header is written with
//! options in the order and with the padding that others know the fast path by (two NOPs, then the time stamps; RFC 7323, appendix A).

use super::seq::Seq;
use crate::wire::{TCP_LEN, Tcp, TcpHeader, get_u16, get_u32, put_u16, put_u32};

/// TH_FIN: no more data from the sender.
pub const FIN: u8 = 1;
/// TH_SYN: sequence numbers are synchronised.
pub const SYN: u8 = 2;
/// TH_RST: the connection is reset.
pub const RST: u8 = 4;
/// TH_PUSH: the sender has no more to say just now.
pub const PSH: u8 = 8;
/// TH_ACK: the acknowledgement field counts.
pub const ACK: u8 = 16;
/// TH_URG: the urgent pointer counts.
pub const URG: u8 = 32;

const OPT_END: u8 = 0;
const OPT_NOP: u8 = 1;
const OPT_MSS: u8 = 2;
const OPT_WSCALE: u8 = 3;
const OPT_SACK_OK: u8 = 4;
const OPT_SACK: u8 = 5;
const OPT_TS: u8 = 8;

/// Most bytes of a header with options.
pub const MAX_HEADER: usize = 60;

/// Bytes that time stamps take in a header, with their padding.
pub const TS_LEN: u32 = 12;

/// Largest window scale that may be used (RFC 7323, 2.3).
pub const MAX_WSCALE: u8 = 14;

/// Time stamps: the sender's clock, and what it echoes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stamps {
    /// TSval.
    pub value: u32,
    /// TSecr.
    pub echo: u32,
}

/// Ranges that a SACK option carries: at most four, fewer beside time stamps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SackBlocks {
    blocks: [(Seq, Seq); 4],
    len: u8,
}

impl SackBlocks {
    /// Adds a range, if there is room.
    pub fn push(&mut self, start: Seq, end: Seq) {
        if let Some(slot) = self.blocks.get_mut(usize::from(self.len)) {
            *slot = (start, end);
            self.len += 1;
        }
    }

    /// The ranges.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[(Seq, Seq)] {
        &self.blocks[..usize::from(self.len)]
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Options of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Maximum segment size (SYN only).
    pub mss: Option<u16>,
    /// Window scale (SYN only).
    pub wscale: Option<u8>,
    /// SACK permitted (SYN only).
    pub sack_ok: bool,
    /// Time stamps.
    pub stamps: Option<Stamps>,
    /// Selective acknowledgements.
    pub sack: SackBlocks,
}

/// A header as a connection looks at it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Header {
    /// Sequence number of the first byte, or of the SYN.
    pub seq: Seq,
    /// Acknowledgement.
    pub ack: Seq,
    /// Flags.
    pub flags: u8,
    /// Window as it stands in the header.
    pub window: u16,
    /// Options.
    pub options: Options,
}

impl Header {
    /// Reads a header.
    #[inline]
    #[must_use]
    pub fn parse(tcp: Tcp<'_>) -> Self {
        Self {
            seq: Seq(tcp.seq()),
            ack: Seq(tcp.ack()),
            flags: tcp.flags(),
            window: tcp.window(),
            options: Options::parse(tcp.options()),
        }
    }

    /// Whether a flag is set.
    #[inline]
    #[must_use]
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The header's bytes, between these ports. The checksum field is zero.
    #[inline]
    #[must_use]
    pub fn emit(&self, src_port: u16, dst_port: u16) -> ([u8; MAX_HEADER], usize) {
        let mut bytes = [0; MAX_HEADER];
        let options_len = self.options.emit(&mut bytes[TCP_LEN..]);
        let header_len = TCP_LEN + options_len;
        let fixed = TcpHeader {
            src_port,
            dst_port,
            seq: self.seq.0,
            ack: self.ack.0,
            header_len,
            flags: self.flags,
            window: self.window,
            checksum: 0,
            urgent: 0,
        };
        bytes[..TCP_LEN].copy_from_slice(&fixed.emit());
        (bytes, header_len)
    }
}

/// The four bytes that begin time stamps alone.
const TS_PREFIX: u32 = u32::from_be_bytes([OPT_NOP, OPT_NOP, OPT_TS, 10]);

impl Options {
    /// Reads options.
    #[inline]
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        if bytes.len() == TS_LEN as usize && get_u32(bytes, 0) == TS_PREFIX {
            let stamps = Stamps { value: get_u32(bytes, 4), echo: get_u32(bytes, 8) };
            return Self { stamps: Some(stamps), ..Self::default() };
        }
        Self::parse_slowly(bytes)
    }

    fn parse_slowly(mut bytes: &[u8]) -> Self {
        let mut options = Self::default();
        while let Some(&kind) = bytes.first() {
            if kind == OPT_END {
                break;
            }
            if kind == OPT_NOP {
                bytes = &bytes[1..];
                continue;
            }
            let Some(len) = bytes.get(1).map(|&len| usize::from(len)) else { break };
            if len < 2 || len > bytes.len() {
                break;
            }
            let (option, rest) = bytes.split_at(len);
            let value = &option[2..];
            match (kind, value.len()) {
                (OPT_MSS, 2) => options.mss = Some(get_u16(value, 0)),
                (OPT_WSCALE, 1) => options.wscale = Some(value[0].min(MAX_WSCALE)),
                (OPT_SACK_OK, 0) => options.sack_ok = true,
                (OPT_TS, 8) => {
                    options.stamps = Some(Stamps { value: get_u32(value, 0), echo: get_u32(value, 4) });
                }
                (OPT_SACK, _) => {
                    for block in value.as_chunks::<8>().0 {
                        options.sack.push(Seq(get_u32(block, 0)), Seq(get_u32(block, 4)));
                    }
                }
                _ => {}
            }
            bytes = rest;
        }
        options
    }

    /// Writes options; returns their length, a multiple of 4.
    #[inline]
    fn emit(&self, out: &mut [u8]) -> usize {
        let mut at = 0;
        if let Some(mss) = self.mss {
            out[at..at + 2].copy_from_slice(&[OPT_MSS, 4]);
            put_u16(out, at + 2, mss);
            at += 4;
        }
        if self.sack_ok {
            out[at..at + 4].copy_from_slice(&[OPT_NOP, OPT_NOP, OPT_SACK_OK, 2]);
            at += 4;
        }
        if let Some(stamps) = self.stamps {
            put_u32(out, at, TS_PREFIX);
            put_u32(out, at + 4, stamps.value);
            put_u32(out, at + 8, stamps.echo);
            at += TS_LEN as usize;
        }
        if let Some(wscale) = self.wscale {
            out[at..at + 4].copy_from_slice(&[OPT_NOP, OPT_WSCALE, 3, wscale]);
            at += 4;
        }
        let room = (MAX_HEADER - TCP_LEN).saturating_sub(at + 4) / 8;
        let blocks = self.sack.as_slice();
        let blocks = &blocks[..blocks.len().min(room)];
        if !blocks.is_empty() {
            out[at..at + 4].copy_from_slice(&[OPT_NOP, OPT_NOP, OPT_SACK, (2 + 8 * blocks.len()) as u8]);
            at += 4;
            for (start, end) in blocks {
                put_u32(out, at, start.0);
                put_u32(out, at + 4, end.0);
                at += 8;
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(header: &Header) -> Header {
        let (bytes, len) = header.emit(1, 2);
        Header::parse(Tcp::new(&bytes[..len]).unwrap())
    }

    #[test]
    fn syn_options() {
        let options = Options {
            mss: Some(1460),
            wscale: Some(7),
            sack_ok: true,
            stamps: Some(Stamps { value: 1, echo: 2 }),
            sack: SackBlocks::default(),
        };
        let header = Header { seq: Seq(1), ack: Seq(2), flags: SYN, window: 3, options };
        assert_eq!(there_and_back(&header).options, options);
    }

    #[test]
    fn sack_blocks_fit() {
        let mut sack = SackBlocks::default();
        for i in 0..6 {
            sack.push(Seq(i * 10), Seq(i * 10 + 5));
        }
        let mut options = Options { sack, ..Options::default() };
        let header = Header { flags: ACK, options, ..Header::default() };
        assert_eq!(there_and_back(&header).options.sack.as_slice().len(), 4);
        options.stamps = Some(Stamps::default());
        let header = Header { flags: ACK, options, ..Header::default() };
        assert_eq!(there_and_back(&header).options.sack.as_slice(), &sack.as_slice()[..3]);
    }

    #[test]
    fn hostile_options() {
        for bytes in
            [&[2][..], &[2, 0], &[2, 1, 0, 0], &[2, 4, 5], &[5, 255, 1, 1], &[8, 10, 0, 0], &[1, 1, 3]]
        {
            assert_eq!(Options::parse(bytes), Options::default());
        }
        assert_eq!(Options::parse(&[2, 4, 1, 0, 9, 200]).mss, Some(256));
        assert_eq!(Options::parse(&[3, 3, 200, 0]).wscale, Some(MAX_WSCALE));
        // Three bytes over two ranges: the whole ones count.
        let mut odd = [0; 21];
        (odd[0], odd[1]) = (5, 21);
        assert_eq!(Options::parse(&odd).sack.as_slice().len(), 2);
    }

    #[test]
    fn random_options() {
        let mut state = 1_u32;
        for _ in 0..20_000 {
            let mut bytes = [0; 40];
            for byte in &mut bytes {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = if state >> 30 == 0 { (state >> 12) as u8 } else { (state >> 12) as u8 & 15 };
            }
            let _ = Options::parse(&bytes[..(state >> 8) as usize % 41]);
        }
    }
}

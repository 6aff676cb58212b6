//! The header before every packet (virtio 1.2, 5.1.6).

use rump_hypercall::net::{Checksum, Gso, GsoKind, Packet};

/// Bytes of the header with the number of buffers.
pub const LONG: usize = 12;
/// Bytes of a legacy device's header without mergeable buffers.
pub const SHORT: usize = 10;

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
/// Bit of the kind: with explicit congestion notification.
const GSO_ECN: u8 = 0x80;

/// The header of a packet to be sent.
#[inline]
pub fn of(packet: &Packet) -> [u8; LONG] {
    let mut header = [0; LONG];
    if let Checksum::Partial { start, offset } = packet.checksum {
        header[0] = NEEDS_CSUM;
        header[6..8].copy_from_slice(&start.to_le_bytes());
        header[8..10].copy_from_slice(&offset.to_le_bytes());
    }
    if let Some(gso) = packet.gso {
        header[1] = match gso.kind {
            GsoKind::TcpV4 => GSO_TCPV4,
            GsoKind::TcpV6 => GSO_TCPV6,
        };
        header[2..4].copy_from_slice(&gso.header_len.to_le_bytes());
        header[4..6].copy_from_slice(&gso.size.to_le_bytes());
    }
    header
}

/// What a received header says.
pub struct Received {
    /// Of the checksum.
    pub checksum: Checksum,
    /// Of a large packet.
    pub gso: Option<Gso>,
    /// Over how many buffers the packet goes; 1 if the header does not say.
    pub buffers: u16,
}

/// Reads a received header, which has [`LONG`] or [`SHORT`] bytes.
#[inline]
pub fn read(header: &[u8]) -> Received {
    let word = |at: usize| match header.get(at..at + 2) {
        Some(bytes) => u16::from_le_bytes([bytes[0], bytes[1]]),
        None => 0,
    };
    let flags = header[0];
    // A sum that is still to be completed comes from a sender on the same host, and has not been on a cable.
    let checksum =
        if flags & (NEEDS_CSUM | DATA_VALID) != 0 { Checksum::Verified } else { Checksum::Unknown };
    let kind = match header[1] & !GSO_ECN {
        GSO_TCPV4 => Some(GsoKind::TcpV4),
        GSO_TCPV6 => Some(GsoKind::TcpV6),
        _ => None,
    };
    let size = word(4);
    let gso = kind.filter(|_| size != 0).map(|kind| Gso { kind, size, header_len: word(2) });
    Received { checksum, gso, buffers: if header.len() >= LONG { word(10) } else { 1 } }
}

//! What a device does to packets before they are on the cable: checksums (RFC 1071) and segments (RFC 9293, 3.7.1).

use rump_hypercall::net::{Checksum, Gso, GsoKind, Packet};

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// The one's complement sum of 16-bit words, folded.
fn sum(bytes: &[u8], start: u32) -> u16 {
    let mut sum = start;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn get16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn put16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

/// Completes the checksum over the bytes from `start`, whose field, at `start + offset`, holds the pseudo-header's sum.
fn complete(frame: &mut [u8], start: usize, offset: usize) {
    let total = !sum(&frame[start..], 0);
    put16(frame, start + offset, if total == 0 { 0xffff } else { total });
}

/// The frames that a packet stands for.
///
/// # Panics
/// If its description does not fit its bytes: the test's kernel made a mistake.
pub(super) fn frames(packet: &Packet) -> Vec<Vec<u8>> {
    let mut whole = packet.to_vec();
    let partial = match packet.checksum {
        Checksum::Partial { start, offset } => {
            let (start, offset) = (usize::from(start), usize::from(offset));
            assert!(start + offset + 2 <= whole.len(), "a checksum outside its packet: {packet:?}");
            Some((start, offset))
        }
        Checksum::Unknown | Checksum::Verified => None,
    };
    let Some(gso) = packet.gso else {
        if let Some((start, offset)) = partial {
            complete(&mut whole, start, offset);
        }
        return vec![whole];
    };
    let (start, offset) = partial.expect("a large packet without a partial checksum");
    cut(&whole, gso, start, offset)
}

/// Cuts a large TCP packet into segments.
fn cut(whole: &[u8], gso: Gso, tcp: usize, offset: usize) -> Vec<Vec<u8>> {
    const FLAGS: usize = 13;
    const FIN_PSH: u8 = 0x09;
    const CWR: u8 = 0x80;
    let headers: usize = gso.header_len.into();
    let size: usize = gso.size.into();
    assert!(size > 0 && offset == 16 && headers <= whole.len(), "a large packet described wrongly: {gso:?}");
    assert_eq!(headers, tcp + usize::from(whole[tcp + 12] >> 4) * 4, "headers of another length");
    let payload = &whole[headers..];
    let count = payload.len().div_ceil(size).max(1);
    let sequence = u32::from_be_bytes(whole[tcp + 4..tcp + 8].try_into().expect("four bytes"));
    let mut segments = Vec::with_capacity(count);
    for index in 0..count {
        let part = &payload[index * size..payload.len().min((index + 1) * size)];
        let mut frame = whole[..headers].to_vec();
        frame.extend_from_slice(part);
        let at = sequence.wrapping_add((index * size) as u32);
        frame[tcp + 4..tcp + 8].copy_from_slice(&at.to_be_bytes());
        if index + 1 < count {
            frame[tcp + FLAGS] &= !FIN_PSH;
        }
        if index > 0 {
            frame[tcp + FLAGS] &= !CWR;
        }
        // The pseudo-header's sum has the length of the large packet's TCP part: that of the segment instead.
        let (old, new) = ((whole.len() - tcp) as u32, (frame.len() - tcp) as u32);
        let pseudo = u32::from(get16(whole, tcp + offset)) + u32::from(!sum(&old.to_be_bytes(), 0));
        let pseudo = sum(&new.to_be_bytes(), (pseudo & 0xffff) + (pseudo >> 16));
        put16(&mut frame, tcp + offset, pseudo);
        complete(&mut frame, tcp, offset);
        let ip_len = frame.len() - ETHERNET;
        match gso.kind {
            GsoKind::TcpV4 => {
                put16(&mut frame, ETHERNET + 2, ip_len as u16);
                let id = get16(whole, ETHERNET + 4).wrapping_add(index as u16);
                put16(&mut frame, ETHERNET + 4, id);
                put16(&mut frame, ETHERNET + 10, 0);
                let header = !sum(&frame[ETHERNET..tcp], 0);
                put16(&mut frame, ETHERNET + 10, header);
            }
            GsoKind::TcpV6 => put16(&mut frame, ETHERNET + 4, (ip_len - 40) as u16),
        }
        segments.push(frame);
    }
    segments
}

#[cfg(test)]
mod tests {
    use rump_hypercall::net::{Checksum, Gso, GsoKind, Packet};

    use super::{frames, put16, sum};
    use crate::run;

    /// A TCP packet over IPv4 with its pseudo-header's sum in place.
    fn packet(payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 54];
        frame[12] = 8;
        frame[14] = 0x45;
        put16(&mut frame, 16, (40 + payload.len()) as u16);
        put16(&mut frame, 18, 7);
        (frame[22], frame[23]) = (64, 6);
        frame[26..34].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        frame[38..42].copy_from_slice(&1000_u32.to_be_bytes());
        (frame[46], frame[47]) = (5 << 4, 0x19);
        let len = (20 + payload.len()) as u16;
        let pseudo = sum(&[10, 0, 0, 1, 10, 0, 0, 2, 0, 6, (len >> 8) as u8, len as u8], 0);
        put16(&mut frame, 50, pseudo);
        frame.extend_from_slice(payload);
        frame
    }

    /// Whether IP's and TCP's checksums are right.
    fn is_right(frame: &[u8]) -> bool {
        let len = (frame.len() - 34) as u16;
        let mut pseudo = frame[26..34].to_vec();
        pseudo.extend([0, 6, (len >> 8) as u8, len as u8]);
        sum(&frame[14..34], 0) == 0xffff && sum(&frame[34..], sum(&pseudo, 0).into()) == 0xffff
    }

    #[test]
    fn large_packets_become_segments() {
        run(|| {
            let payload: Vec<u8> = (0..5001_u32).map(|i| i as u8).collect();
            let mut large = Packet::from_bytes(&packet(&payload)).unwrap();
            large.checksum = Checksum::Partial { start: 34, offset: 16 };
            large.gso = Some(Gso { kind: GsoKind::TcpV4, size: 1460, header_len: 54 });
            let frames = frames(&large);
            assert_eq!(frames.len(), 4);
            let mut all = Vec::new();
            for (index, frame) in frames.iter().enumerate() {
                assert!(is_right(frame), "segment {index}");
                assert_eq!(frame[38..42], (1000 + 1460 * index as u32).to_be_bytes());
                assert_eq!(frame[47], if index == 3 { 0x19 } else { 0x10 });
                all.extend_from_slice(&frame[54..]);
            }
            assert!(all == payload);
        });
    }
}

//! Frames that nobody should send: a flood of connection requests, and such as are wrong in one of many ways. Seeded, so that every run sends the same.
//!
//! A quarter is noise; the others are packets of the protocols of an IP host, whose fields are partly drawn at random and whose checksums are right more
//! often than not, since a wrong one ends a packet's way early.

use crate::cable::Random;

/// Bytes of an Ethernet header.
const ETHER_LEN: usize = 14;
/// The largest frame without its checksum.
const FRAME_MAX: u64 = 1514;

/// Whom frames are for.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its hardware address.
    pub mac: [u8; 6],
    /// Its address.
    pub addr: [u8; 4],
}

impl Target {
    /// Its link-local address, made of the hardware address.
    fn link_local(&self) -> [u8; 16] {
        let [a, b, c, d, e, f] = self.mac;
        [0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f]
    }
}

fn sum(bytes: &[u8], start: u32) -> u32 {
    bytes
        .chunks(2)
        .fold(start, |sum, pair| sum + u32::from(pair[0]) * 256 + pair.get(1).copied().map_or(0, u32::from))
}

fn fold(mut sum: u32) -> [u8; 2] {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

/// Where a protocol keeps its checksum.
fn checksum_at(protocol: u8) -> Option<usize> {
    match protocol {
        1 | 2 | 58 => Some(2),
        6 => Some(16),
        17 => Some(6),
        _ => None,
    }
}

/// Puts the right checksum into the message of a protocol.
fn mend(protocol: u8, src: &[u8], dst: &[u8], message: &mut [u8]) {
    let Some(at) = checksum_at(protocol).filter(|at| message.len() >= at + 2) else { return };
    message[at..at + 2].fill(0);
    let pseudo = if matches!(protocol, 1 | 2) {
        0
    } else {
        sum(dst, sum(src, u32::from(protocol) + message.len() as u32))
    };
    let right = fold(sum(message, pseudo));
    message[at..at + 2].copy_from_slice(&right);
}

fn noise(random: &mut Random, len: u64) -> Vec<u8> {
    (0..len).map(|_| random.below(256) as u8).collect()
}

fn one_of<T: Copy>(random: &mut Random, all: &[T]) -> T {
    all[random.below(all.len() as u64) as usize]
}

fn ethernet(random: &mut Random, dst: [u8; 6], kind: u16, packet: &[u8]) -> Vec<u8> {
    let mut frame = dst.to_vec();
    frame.extend_from_slice(&[2, 0, 0, 0, 9, random.below(256) as u8]);
    frame.extend_from_slice(&kind.to_be_bytes());
    frame.extend_from_slice(packet);
    frame
}

/// An IPv4 packet; `fragment` is the field of that name.
fn ipv4(protocol: u8, src: [u8; 4], dst: [u8; 4], fragment: u16, id: u16, message: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&(20 + message.len() as u16).to_be_bytes());
    packet.extend_from_slice(&id.to_be_bytes());
    packet.extend_from_slice(&fragment.to_be_bytes());
    packet.extend_from_slice(&[64, protocol, 0, 0]);
    packet.extend_from_slice(&src);
    packet.extend_from_slice(&dst);
    let right = fold(sum(&packet, 0));
    packet[10..12].copy_from_slice(&right);
    packet.extend_from_slice(message);
    packet
}

/// An address of the target's network.
fn neighbour(random: &mut Random, target: &Target) -> [u8; 4] {
    let [a, b, ..] = target.addr;
    [a, b, random.below(256) as u8, random.below(256) as u8]
}

/// A request for a connection to a port, from anywhere in the target's network.
pub fn syn(random: &mut Random, target: &Target, port: u16) -> Vec<u8> {
    let src = neighbour(random, target);
    let mut segment = (1024 + random.below(60_000) as u16).to_be_bytes().to_vec();
    segment.extend_from_slice(&port.to_be_bytes());
    segment.extend_from_slice(&(random.word() as u32).to_be_bytes());
    segment.extend_from_slice(&[0, 0, 0, 0, 0x60, 2, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4]);
    mend(6, &src, &target.addr, &mut segment);
    let id = random.word() as u16;
    ethernet(random, target.mac, 0x800, &ipv4(6, src, target.addr, 0x4000, id, &segment))
}

/// Who asks in [`question`].
pub const ASKER: [u8; 6] = [2, 0, 0, 0, 0x0a, 0x0a];

/// A question for the target's hardware address, as any host would ask it; the answer goes to [`ASKER`].
pub fn question(target: &Target) -> Vec<u8> {
    let [a, b, ..] = target.addr;
    let mut frame = vec![0xff; 6];
    frame.extend_from_slice(&ASKER);
    frame.extend_from_slice(&[8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend_from_slice(&ASKER);
    frame.extend_from_slice(&[a, b, 255, 253, 0, 0, 0, 0, 0, 0]);
    frame.extend_from_slice(&target.addr);
    frame
}

/// A message of a protocol that begins as one does.
fn message(random: &mut Random, protocol: u8) -> Vec<u8> {
    let len = if random.below(8) == 0 { random.below(1460) } else { random.below(100) };
    let mut bytes = noise(random, len);
    let ports = one_of(random, &[[0, 7], [0, 80], [0, 68], [0x12, 0x34]]);
    match protocol {
        6 | 17 if bytes.len() >= 20 => {
            bytes[2..4].copy_from_slice(&ports);
            if protocol == 17 {
                let len = (bytes.len() as u16).to_be_bytes();
                bytes[4..6].copy_from_slice(&len);
            } else if random.below(4) > 0 {
                bytes[12] = one_of(random, &[0x50, 0x60, 0x80, 0xf0]);
            }
        }
        1 if bytes.len() > 1 => {
            bytes[..2].copy_from_slice(&[one_of(random, &[0, 3, 5, 8, 11, 13]), random.below(5) as u8])
        }
        58 if bytes.len() > 8 => {
            bytes[..2]
                .copy_from_slice(&[one_of(random, &[1, 2, 3, 128, 129, 130, 133, 134, 135, 136, 137]), 0]);
        }
        _ => {}
    }
    bytes
}

fn wrong_ipv4(random: &mut Random, target: &Target) -> Vec<u8> {
    let protocol = one_of(random, &[1, 2, 6, 6, 17, 17, 41, 255]);
    let src =
        if random.below(4) == 0 { (random.word() as u32).to_be_bytes() } else { neighbour(random, target) };
    let [a, b, ..] = target.addr;
    let dst = one_of(
        random,
        &[target.addr, target.addr, target.addr, [a, b, 255, 255], [255; 4], [224, 0, 0, 1], [127, 0, 0, 1]],
    );
    let mut bytes = message(random, protocol);
    if random.below(4) > 0 {
        mend(protocol, &src, &dst, &mut bytes);
    }
    let fragment = if random.below(4) == 0 { random.word() as u16 } else { 0x4000 };
    let id = random.below(64) as u16;
    let mut packet = ipv4(protocol, src, dst, fragment, id, &bytes);
    if random.below(8) == 0 {
        // Options, and lengths that are not the packet's.
        packet[0] = 0x40 | random.below(16) as u8;
        packet[3] = random.below(256) as u8;
        packet[10..12].fill(0);
        let right = fold(sum(&packet[..20], 0));
        packet[10..12].copy_from_slice(&right);
    }
    ethernet(random, target.mac, 0x800, &packet)
}

fn wrong_ipv6(random: &mut Random, target: &Target) -> Vec<u8> {
    let protocol = one_of(random, &[0, 6, 17, 43, 44, 50, 58, 58, 58, 58, 60, 255]);
    let mut src = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    src[8..].copy_from_slice(&random.word().to_be_bytes());
    let mut all = [0; 16];
    (all[0], all[1], all[15]) = (0xff, 2, 1);
    let own = target.link_local();
    let dst = one_of(random, &[own, own, all]);
    let mut bytes = message(random, protocol);
    if protocol == 58 && bytes.len() >= 24 && random.below(2) == 0 {
        bytes[8..24].copy_from_slice(&own);
    }
    if random.below(4) > 0 {
        mend(protocol, &src, &dst, &mut bytes);
    }
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[protocol, if random.below(4) > 0 { 255 } else { 1 }]);
    packet.extend_from_slice(&src);
    packet.extend_from_slice(&dst);
    packet.extend_from_slice(&bytes);
    ethernet(random, target.mac, 0x86dd, &packet)
}

fn wrong_arp(random: &mut Random, target: &Target) -> Vec<u8> {
    let mut packet = vec![0, 1, 8, 0, 6, 4, 0, one_of(random, &[1, 1, 2, 3, 9])];
    packet.extend(noise(random, 6));
    packet.extend_from_slice(&neighbour(random, target));
    packet.extend(noise(random, 6));
    packet.extend_from_slice(&if random.below(2) == 0 { target.addr } else { neighbour(random, target) });
    ethernet(random, [0xff; 6], 0x806, &packet)
}

/// A frame that is wrong, or at least uncalled-for.
pub fn wrong(random: &mut Random, target: &Target) -> Vec<u8> {
    let mut frame = match random.below(8) {
        0 | 1 => {
            let dst = one_of(random, &[target.mac, [0xff; 6], [0x33, 0x33, 0, 0, 0, 1]]);
            let kind = one_of(random, &[0x800, 0x806, 0x86dd, 0x8100, 0, 0xffff]);
            let len = random.below(FRAME_MAX - ETHER_LEN as u64);
            let packet = noise(random, len);
            ethernet(random, dst, kind, &packet)
        }
        2..=4 => wrong_ipv4(random, target),
        5 | 6 => wrong_ipv6(random, target),
        _ => wrong_arp(random, target),
    };
    match random.below(16) {
        0 => {
            let len = random.below(frame.len() as u64 + 1) as usize;
            frame.truncate(len.max(1));
        }
        1 => {
            for _ in 0..4 {
                let at = ETHER_LEN + random.below((frame.len() - ETHER_LEN).max(1) as u64) as usize;
                let value = random.below(256) as u8;
                frame.get_mut(at).into_iter().for_each(|byte| *byte = value);
            }
        }
        _ => {}
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target = Target { mac: [2, 0, 0, 0, 0, 1], addr: [10, 9, 0, 1] };

    #[test]
    fn requests_are_right() {
        let mut random = Random::new(1);
        let frame = syn(&mut random, &TARGET, 80);
        assert_eq!(frame.len(), 58);
        assert_eq!(fold(sum(&frame[14..34], 0)), [0, 0]);
        let pseudo = sum(&frame[26..34], 6 + 24);
        assert_eq!(fold(sum(&frame[34..], pseudo)), [0, 0]);
    }

    #[test]
    fn frames_are_of_all_lengths_that_a_cable_carries() {
        let mut random = Random::new(1);
        let lens: Vec<usize> = (0..20_000).map(|_| wrong(&mut random, &TARGET).len()).collect();
        assert!(lens.iter().any(|&len| len < 14) && lens.iter().any(|&len| len > 1400));
        assert!(lens.iter().all(|&len| (1..=FRAME_MAX as usize).contains(&len)));
    }
}

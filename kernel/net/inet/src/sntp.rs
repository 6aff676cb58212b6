//! The time of day from a server, once after boot (SNTP: RFC 4330, RFC 5905), where the configuration names one (`net.sntp`).

use rump_hypercall::net::{Checksum, Packet, Slice};
use rump_hypercall::{Giant, time};
use rump_kern::clock::{self, NS_PER_S};
use rump_kern::log;

use crate::addr::{Addr, pseudo_header};
use crate::input::Received;
use crate::output::{HEADROOM, Options, ip_output};
use crate::udp::ANONYMOUS;
use crate::wire::{UDP_LEN, get_array, get_u32, proto, udp_header};
use crate::{netisr, route};

/// The servers' port.
pub const PORT: u16 = 123;
/// Bytes of a message.
const LEN: usize = 48;
/// Seconds from the beginning of NTP's time, 1900, to that of Unix's.
const EPOCH_S: u64 = 2_208_988_800;
/// Questions before giving up.
const TRIES: u32 = 6;

struct Query {
    server: Addr,
    /// Our port.
    port: u16,
    /// What the answer has to repeat.
    nonce: [u8; 8],
    /// When the last question was sent: the time of day as it was believed then.
    sent_ns: u64,
    tries: u32,
    deadline_ns: u64,
}

static QUERY: Giant<Option<Query>> = Giant::new(None);

/// Begins to ask `server`.
pub fn begin(server: Addr) {
    let mut random = [0; 2];
    time::random(&mut random);
    let span = ANONYMOUS.end() - ANONYMOUS.start();
    let port = ANONYMOUS.start() + u16::from_le_bytes(random) % span;
    let deadline_ns = time::monotonic_ns();
    *QUERY.borrow_mut() = Some(Query { server, port, nonce: [0; 8], sent_ns: 0, tries: 0, deadline_ns });
    netisr::wake_by(deadline_ns);
}

impl Query {
    /// Sends a question; one that cannot be sent is as if it were lost. False if there is no way to the server yet.
    fn ask(&mut self) -> bool {
        let Ok(path) = route::lookup(self.server) else { return false };
        let Ok(src) = route::source(self.server, &path) else { return false };
        // Version 4, client; all else is nobody's business (RFC 4330, 5).
        let mut message = [0; LEN];
        message[0] = 0x23;
        time::random(&mut self.nonce);
        message[40..].copy_from_slice(&self.nonce);
        let len = UDP_LEN + LEN;
        let pseudo = pseudo_header(src, self.server, proto::UDP, len).partial();
        let mut bytes = udp_header(self.port, PORT, len as u16, pseudo).to_vec();
        bytes.extend_from_slice(&message);
        if let Some(slice) = Slice::from_bytes(&bytes, HEADROOM) {
            let mut packet = Packet::new(slice);
            packet.checksum = Checksum::Partial { start: 0, offset: 6 };
            let _ = ip_output(packet, src, self.server, proto::UDP, &Options::default());
        }
        self.sent_ns = clock::realtime_ns();
        true
    }
}

/// A time stamp as nanoseconds since 1970; the era is the one that begins in 2036 where the highest bit is not set (RFC 4330, 3).
fn unix_ns(stamp: [u8; 8]) -> u64 {
    let (seconds, fraction) = (u64::from(get_u32(&stamp, 0)), u64::from(get_u32(&stamp, 4)));
    let era = if seconds >> 31 == 0 { 1 << 32 } else { 0 };
    (seconds + era).saturating_sub(EPOCH_S) * NS_PER_S + ((fraction * NS_PER_S) >> 32)
}

/// The time of day now according to an answer that came at `received_ns` to a question of `sent_ns`, both as they are believed; `None` if it says nothing.
fn corrected(message: &[u8; LEN], nonce: [u8; 8], sent_ns: u64, received_ns: u64) -> Option<u64> {
    let [first, stratum, ..] = *message;
    let unsynchronised = first >> 6 == 3;
    let origin: [u8; 8] = get_array(message, 24);
    if first & 7 != 4 || unsynchronised || !(1..=15).contains(&stratum) || origin != nonce {
        return None;
    }
    let (arrived, left): ([u8; 8], [u8; 8]) = (get_array(message, 32), get_array(message, 40));
    if left == [0; 8] {
        return None;
    }
    let difference = |theirs: [u8; 8], ours: u64| i128::from(unix_ns(theirs)) - i128::from(ours);
    let offset = (difference(arrived, sent_ns) + difference(left, received_ns)) / 2;
    u64::try_from(i128::from(received_ns) + offset).ok()
}

/// A UDP packet came in from [`PORT`], its header first; true if it was an answer to us.
pub fn input(packet: &Packet, info: &Received, dst_port: u16) -> bool {
    let mut query = QUERY.borrow_mut();
    let Some(asked) = query.as_ref() else { return false };
    if dst_port != asked.port || info.src != asked.server {
        return false;
    }
    let received_ns = clock::realtime_ns();
    let mut message = [0; LEN];
    let mut payload = packet.clone();
    payload.advance(UDP_LEN);
    if payload.copy_to(0, &mut message) == LEN
        && let Some(now_ns) = corrected(&message, asked.nonce, asked.sent_ns, received_ns)
    {
        *query = None;
        drop(query);
        clock::set_realtime_ns(now_ns);
    }
    true
}

/// Asks again; returns when there is something to do next.
pub fn timer(now_ns: u64) -> u64 {
    let mut query = QUERY.borrow_mut();
    let Some(asked) = query.as_mut() else { return time::NEVER };
    if now_ns < asked.deadline_ns {
        return asked.deadline_ns;
    }
    if asked.tries >= TRIES {
        log!("rumpbake: the time server {} does not answer; the machine's clock is believed", asked.server);
        *query = None;
        return time::NEVER;
    }
    // Until there is a way to the server, it is not its fault.
    let wait_ns = if asked.ask() {
        asked.tries += 1;
        NS_PER_S << asked.tries.min(4)
    } else {
        NS_PER_S / 4
    };
    asked.deadline_ns = now_ns + wait_ns;
    asked.deadline_ns
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01 00:00 UTC in NTP's seconds, plus half a second.
    const STAMP: [u8; 8] = [0xed, 0, 0x34, 0, 0x80, 0, 0, 0];

    #[test]
    fn stamps() {
        let at = u64::from(u32::from_be_bytes([0xed, 0, 0x34, 0])) - EPOCH_S;
        assert_eq!(unix_ns(STAMP), at * NS_PER_S + NS_PER_S / 2);
        assert!(unix_ns([0, 0, 0, 1, 0, 0, 0, 0]) > unix_ns([0xff; 8]), "the next era");
    }

    #[test]
    fn answers() {
        let mut message = [0; LEN];
        (message[0], message[1]) = (0x24, 2);
        message[24..32].copy_from_slice(&[7; 8]);
        message[32..40].copy_from_slice(&STAMP);
        message[40..].copy_from_slice(&STAMP);
        let theirs = unix_ns(STAMP);
        // Half of the way there and back is the way back.
        assert_eq!(corrected(&message, [7; 8], 1000, 3000), Some(theirs + 1000));
        assert_eq!(corrected(&message, [8; 8], 1000, 3000), None, "an answer to somebody else");
        message[0] = 0xe4;
        assert_eq!(corrected(&message, [7; 8], 1000, 3000), None, "a server without the time");
    }
}

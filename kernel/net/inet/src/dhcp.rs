//! The DHCP client (RFC 2131, RFC 2132, RFC 3442): the messages, and how a lease is got, kept and lost.

use alloc::vec::Vec;

use rump_hypercall::net::{Checksum, Packet, Slice};
use rump_hypercall::time;
use rump_kern::clock::NS_PER_S;
use rump_kern::log;

use crate::addr::{Addr, pseudo_header};
use crate::ifnet::Ifnet;
use crate::output::{HEADROOM, Options, ip_output};
use crate::wire::{Mac, UDP_LEN, get_array, get_u16, get_u32, proto, put_u16, put_u32, udp_header};

/// The client's port.
pub const CLIENT_PORT: u16 = 68;
/// The server's port.
const SERVER_PORT: u16 = 67;

/// Between the first two messages; doubles with each that is not answered. Shorter than RFC 2131's 4 s: the first is often lost while a link comes up, and
/// a program may be waiting.
const RETRY_NS: u64 = NS_PER_S / 4;
/// The longest time between two messages.
const RETRY_MAX_NS: u64 = 64 * NS_PER_S;
/// Requests for one offer before looking for another.
const REQUESTS_MAX: u32 = 4;
/// Unanswered messages after which whoever looks at the console is told: after some eight seconds.
const MESSAGES_BEFORE_NOTICE: u32 = 5;
/// Most name servers and routes taken from a lease.
const LIST_MAX: usize = 8;

/// Bytes before the options, the magic cookie included.
const FIXED_LEN: usize = 240;
const COOKIE: u32 = 0x6382_5363;

/// Option numbers.
mod option {
    pub const PAD: u8 = 0;
    pub const MASK: u8 = 1;
    pub const ROUTER: u8 = 3;
    pub const DNS: u8 = 6;
    pub const HOSTNAME: u8 = 12;
    pub const DOMAIN: u8 = 15;
    pub const MTU: u8 = 26;
    pub const ADDRESS: u8 = 50;
    pub const LEASE: u8 = 51;
    pub const KIND: u8 = 53;
    pub const SERVER: u8 = 54;
    pub const PARAMETERS: u8 = 55;
    pub const MAX_SIZE: u8 = 57;
    pub const RENEW: u8 = 58;
    pub const REBIND: u8 = 59;
    pub const CLIENT: u8 = 61;
    pub const ROUTES: u8 = 121;
    pub const END: u8 = 255;
}

/// Kinds of message.
mod kind {
    pub const DISCOVER: u8 = 1;
    pub const OFFER: u8 = 2;
    pub const REQUEST: u8 = 3;
    pub const ACK: u8 = 5;
    pub const NAK: u8 = 6;
}

/// What a server gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The address.
    pub addr: Addr,
    /// Length of the network's prefix, of 32.
    pub bits: u8,
    /// Network, length of its prefix (of 32) and router, the default route among them.
    pub routes: Vec<(Addr, u8, Addr)>,
    /// Name servers.
    pub dns: Vec<Addr>,
    /// The domain in which names without dots are looked up, if it is one that can be written down.
    pub domain: Option<Vec<u8>>,
    /// The largest packet.
    pub mtu: Option<u16>,
    /// Who gave it.
    pub server: Addr,
    /// How long it holds, when it is to be renewed, when any server is to be asked; seconds.
    pub times_s: [u32; 3],
}

/// A server's message.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    kind: u8,
    lease: Lease,
}

/// A domain that may stand in resolv.conf: letters, digits, hyphens and dots, nothing that would be read as something else.
fn check_domain(bytes: &[u8]) -> Option<Vec<u8>> {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    (!bytes.is_empty() && bytes.iter().all(good)).then(|| bytes.to_vec())
}

/// Classless routes (RFC 3442).
fn classless(mut bytes: &[u8]) -> Option<Vec<(Addr, u8, Addr)>> {
    let mut routes = Vec::new();
    while let Some((&bits, rest)) = bytes.split_first() {
        let significant = usize::from(bits.div_ceil(8));
        if bits > 32 || rest.len() < significant + 4 {
            return None;
        }
        let mut dst = [0; 4];
        dst[..significant].copy_from_slice(&rest[..significant]);
        if routes.len() < LIST_MAX {
            routes.push((Addr::v4(dst), bits, Addr::v4(get_array(rest, significant))));
        }
        bytes = &rest[significant + 4..];
    }
    Some(routes)
}

fn addrs(bytes: &[u8]) -> impl Iterator<Item = Addr> {
    bytes.as_chunks::<4>().0.iter().map(|addr| Addr::v4(*addr))
}

/// Reads a server's message to us; `None` if it is something else or makes no sense.
fn parse(bytes: &[u8], xid: u32, mac: Mac) -> Option<Message> {
    let reply = bytes.len() >= FIXED_LEN
        && bytes[..3] == [2, 1, 6]
        && get_u32(bytes, 4) == xid
        && bytes[28..34] == mac
        && get_u32(bytes, 236) == COOKIE;
    if !reply {
        return None;
    }
    let mut lease = Lease {
        addr: Addr::v4(get_array(bytes, 16)),
        bits: 24,
        routes: Vec::new(),
        dns: Vec::new(),
        domain: None,
        mtu: None,
        server: Addr::v4(get_array(bytes, 20)),
        times_s: [0; 3],
    };
    let (mut kind, mut router, mut routes) = (0, None, None);
    let mut rest = &bytes[FIXED_LEN..];
    loop {
        let (&code, after) = rest.split_first()?;
        match code {
            option::PAD => {
                rest = after;
                continue;
            }
            option::END => break,
            _ => {}
        }
        let (&len, after) = after.split_first()?;
        let (value, after) = after.split_at_checked(len.into())?;
        rest = after;
        let number = || value.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        match code {
            option::KIND => kind = *value.first()?,
            option::MASK => {
                let mask = number()?;
                if mask.leading_ones() + mask.trailing_zeros() != 32 {
                    return None;
                }
                lease.bits = mask.leading_ones() as u8;
            }
            option::ROUTER => router = addrs(value).next(),
            option::ROUTES => routes = classless(value),
            option::DNS => lease.dns = addrs(value).take(LIST_MAX).collect(),
            option::DOMAIN => lease.domain = check_domain(value),
            option::MTU if value.len() == 2 => lease.mtu = Some(get_u16(value, 0)),
            option::SERVER => lease.server = addrs(value).next()?,
            option::LEASE => lease.times_s[0] = number()?,
            option::RENEW => lease.times_s[1] = number()?,
            option::REBIND => lease.times_s[2] = number()?,
            _ => {}
        }
    }
    // Where there are classless routes, the router alone does not count.
    let default = |router| (Addr::UNSPECIFIED_V4, 0, router);
    lease.routes = routes.unwrap_or_else(|| router.map(default).into_iter().collect());
    let useless = lease.addr.is_unspecified()
        || lease.addr.is_multicast()
        || lease.addr.is_limited_broadcast()
        || lease.addr.is_loopback();
    if kind != kind::NAK && (useless || lease.bits == 0) {
        return None;
    }
    // Times that contradict each other are made what RFC 2131 4.4.5 has by default.
    let [whole, renew, rebind] = lease.times_s;
    if whole == 0 && kind == kind::ACK {
        return None;
    }
    if renew == 0 || renew >= rebind || rebind >= whole {
        lease.times_s = [whole, whole / 2, (u64::from(whole) * 7 / 8) as u32];
    }
    Some(Message { kind, lease })
}

/// What the client is doing.
#[derive(Clone, Debug)]
enum State {
    /// Looking for servers.
    Selecting,
    /// One has made an offer, which was asked for.
    Requesting(Lease),
    /// It has a lease until this time; monotonic.
    Bound(Lease, u64),
    /// The lease is to be renewed by the server that gave it.
    Renewing(Lease, u64),
    /// By any server.
    Rebinding(Lease, u64),
}

/// What becomes of the interface.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// It has this lease, until this time (monotonic).
    Bound(Lease, u64),
    /// The lease is gone.
    Lost(Lease),
}

/// What a client's messages go over.
pub trait Link {
    /// Its name, for the console.
    fn name(&self) -> &str;
    /// Its hardware address, if it has one.
    fn mac(&self) -> Option<Mac>;
    /// Sends a datagram of UDP whose checksum is that of the pseudo header alone. One that cannot be sent is as if it were lost.
    fn send(&self, datagram: &[u8], src: Addr, dst: Addr);
}

impl Link for &'static Ifnet {
    fn name(&self) -> &str {
        Ifnet::name(self)
    }

    fn mac(&self) -> Option<Mac> {
        Ifnet::mac(self)
    }

    fn send(&self, datagram: &[u8], src: Addr, dst: Addr) {
        if let Some(slice) = Slice::from_bytes(datagram, HEADROOM) {
            let mut packet = Packet::new(slice);
            packet.checksum = Checksum::Partial { start: 0, offset: 6 };
            let options = Options { ifp: Some(self), broadcast: true, ..Options::default() };
            let _ = ip_output(packet, src, dst, proto::UDP, &options);
        }
    }
}

/// The client of one interface.
pub struct Client<L: Link = &'static Ifnet> {
    link: L,
    mac: Mac,
    hostname: Vec<u8>,
    state: State,
    xid: u32,
    /// Messages since the last answer.
    sent: u32,
    began_ns: u64,
    /// When there is something to do next.
    deadline_ns: u64,
    noticed: bool,
}

fn random() -> u32 {
    let mut bytes = [0; 4];
    time::random(&mut bytes);
    u32::from_le_bytes(bytes)
}

impl<L: Link> Client<L> {
    /// Begins to look for a lease. `None` on an interface without hardware address.
    #[must_use]
    pub fn new(link: L, hostname: &[u8]) -> Option<Self> {
        let now_ns = time::monotonic_ns();
        let mut client = Self {
            mac: link.mac()?,
            link,
            hostname: hostname.to_vec(),
            state: State::Selecting,
            xid: random(),
            sent: 0,
            began_ns: now_ns,
            deadline_ns: now_ns,
            noticed: false,
        };
        client.send(now_ns);
        Some(client)
    }

    /// When [`Client::timer`] has something to do.
    #[must_use]
    pub fn deadline_ns(&self) -> u64 {
        self.deadline_ns
    }

    /// Whether it has a lease.
    #[must_use]
    pub fn has_lease(&self) -> bool {
        matches!(self.state, State::Bound(..) | State::Renewing(..) | State::Rebinding(..))
    }

    fn options(&self, bytes: &mut Vec<u8>, kind: u8) {
        let mut put = |code: u8, value: &[u8]| {
            bytes.extend_from_slice(&[code, value.len() as u8]);
            bytes.extend_from_slice(value);
        };
        put(option::KIND, &[kind]);
        let mut client = [1; 7];
        client[1..].copy_from_slice(&self.mac);
        put(option::CLIENT, &client);
        put(option::MAX_SIZE, &1500_u16.to_be_bytes());
        if !self.hostname.is_empty() {
            put(option::HOSTNAME, &self.hostname[..self.hostname.len().min(63)]);
        }
        if let State::Requesting(offer) = &self.state {
            put(option::ADDRESS, &offer.addr.low());
            put(option::SERVER, &offer.server.low());
        }
        let wanted = [
            option::MASK,
            option::ROUTES,
            option::ROUTER,
            option::DNS,
            option::DOMAIN,
            option::MTU,
            option::LEASE,
            option::RENEW,
            option::REBIND,
        ];
        put(option::PARAMETERS, &wanted);
        bytes.push(option::END);
    }

    /// The message for the state that the client is in.
    fn message(&self, now_ns: u64) -> Vec<u8> {
        let mut bytes = alloc::vec![0; FIXED_LEN];
        bytes[..3].copy_from_slice(&[1, 1, 6]);
        put_u32(&mut bytes, 4, self.xid);
        let seconds = (now_ns - self.began_ns) / NS_PER_S;
        put_u16(&mut bytes, 8, u16::try_from(seconds).unwrap_or(u16::MAX));
        let kind = match &self.state {
            State::Selecting => kind::DISCOVER,
            _ => kind::REQUEST,
        };
        match &self.state {
            State::Renewing(lease, _) | State::Rebinding(lease, _) => {
                bytes[12..16].copy_from_slice(&lease.addr.low());
            }
            // Answers by broadcast, since we have no address yet.
            _ => put_u16(&mut bytes, 10, 0x8000),
        }
        bytes[28..34].copy_from_slice(&self.mac);
        put_u32(&mut bytes, 236, COOKIE);
        self.options(&mut bytes, kind);
        // Old servers drop what is shorter than BOOTP's messages.
        bytes.resize(bytes.len().max(300), option::PAD);
        bytes
    }

    /// Sends the message for the state.
    fn send(&mut self, now_ns: u64) {
        let (src, dst) = match &self.state {
            State::Renewing(lease, _) => (lease.addr, lease.server),
            State::Rebinding(lease, _) => (lease.addr, Addr::BROADCAST),
            _ => (Addr::UNSPECIFIED_V4, Addr::BROADCAST),
        };
        let message = self.message(now_ns);
        let len = UDP_LEN + message.len();
        let pseudo = pseudo_header(src, dst, proto::UDP, len).partial();
        let mut bytes = udp_header(CLIENT_PORT, SERVER_PORT, len as u16, pseudo).to_vec();
        bytes.extend_from_slice(&message);
        self.link.send(&bytes, src, dst);
        let span_ns = (RETRY_NS << self.sent.min(8)).min(RETRY_MAX_NS);
        // Spread by an eighth, so that many clients that start at once do not stay in step.
        let spread_ns = u64::from(random()) % (span_ns / 8);
        self.deadline_ns = now_ns + span_ns + spread_ns;
        self.sent += 1;
    }

    fn enter(&mut self, state: State, now_ns: u64) {
        self.state = state;
        self.sent = 0;
        self.send(now_ns);
    }

    fn restart(&mut self, now_ns: u64) {
        self.xid = random();
        self.began_ns = now_ns;
        self.enter(State::Selecting, now_ns);
    }

    /// A message came in on the client's port: UDP's payload.
    pub fn input(&mut self, bytes: &[u8], now_ns: u64) -> Option<Change> {
        let message = parse(bytes, self.xid, self.mac)?;
        match (&self.state, message.kind) {
            (State::Selecting, kind::OFFER) => {
                self.enter(State::Requesting(message.lease), now_ns);
                None
            }
            (State::Requesting(offer), kind::ACK) if offer.addr == message.lease.addr => {
                Some(self.bind(message.lease, now_ns))
            }
            (State::Renewing(lease, _) | State::Rebinding(lease, _), kind::ACK)
                if lease.addr == message.lease.addr =>
            {
                Some(self.bind(message.lease, now_ns))
            }
            (State::Requesting(_), kind::NAK) => {
                self.restart(now_ns);
                None
            }
            (State::Renewing(lease, _) | State::Rebinding(lease, _), kind::NAK) => {
                let lost = Change::Lost(lease.clone());
                log!("rumpbake: {}: the DHCP server took the address {} back", self.link.name(), lease.addr);
                self.restart(now_ns);
                Some(lost)
            }
            _ => None,
        }
    }

    fn bind(&mut self, lease: Lease, now_ns: u64) -> Change {
        let until = |seconds: u32| {
            if seconds == u32::MAX { time::NEVER } else { now_ns + u64::from(seconds) * NS_PER_S }
        };
        let ends_ns = until(lease.times_s[0]);
        self.deadline_ns = if ends_ns == time::NEVER { time::NEVER } else { until(lease.times_s[1]) };
        self.state = State::Bound(lease.clone(), ends_ns);
        self.sent = 0;
        self.noticed = false;
        Change::Bound(lease, ends_ns)
    }

    /// The deadline has passed.
    pub fn timer(&mut self, now_ns: u64) -> Option<Change> {
        if now_ns < self.deadline_ns {
            return None;
        }
        match &self.state {
            State::Selecting | State::Requesting(_) => {
                if self.sent == MESSAGES_BEFORE_NOTICE && !self.noticed {
                    self.noticed = true;
                    log!("rumpbake: {}: no DHCP server has answered yet", self.link.name());
                }
                if matches!(self.state, State::Requesting(_)) && self.sent >= REQUESTS_MAX {
                    self.restart(now_ns);
                } else {
                    self.send(now_ns);
                }
                None
            }
            State::Bound(lease, ends_ns) => {
                let state = State::Renewing(lease.clone(), *ends_ns);
                self.xid = random();
                self.began_ns = now_ns;
                self.enter(state, now_ns);
                self.limit();
                None
            }
            State::Renewing(lease, ends_ns) | State::Rebinding(lease, ends_ns) if now_ns >= *ends_ns => {
                let lost = Change::Lost(lease.clone());
                log!("rumpbake: {}: the address {} has expired", self.link.name(), lease.addr);
                self.restart(now_ns);
                Some(lost)
            }
            State::Renewing(lease, ends_ns) => {
                if now_ns >= rebind_ns(lease, *ends_ns) {
                    let state = State::Rebinding(lease.clone(), *ends_ns);
                    self.enter(state, now_ns);
                } else {
                    self.send(now_ns);
                }
                self.limit();
                None
            }
            State::Rebinding(..) => {
                self.send(now_ns);
                self.limit();
                None
            }
        }
    }

    /// The lease's end and the change of states are not slept through.
    fn limit(&mut self) {
        let change_ns = match &self.state {
            State::Renewing(lease, ends_ns) => rebind_ns(lease, *ends_ns),
            State::Rebinding(_, ends_ns) => *ends_ns,
            _ => return,
        };
        self.deadline_ns = self.deadline_ns.min(change_ns);
    }
}

/// When every server is asked, of a lease that ends then.
fn rebind_ns(lease: &Lease, ends_ns: u64) -> u64 {
    let [whole, _, rebind] = lease.times_s;
    ends_ns - u64::from(whole - rebind) * NS_PER_S
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumpbake_posix as _;

    const MAC: Mac = [2, 0, 0, 0, 0, 1];

    /// A server's message.
    fn reply(kind: u8, options: &[u8]) -> Vec<u8> {
        let mut bytes = alloc::vec![0; FIXED_LEN];
        bytes[..3].copy_from_slice(&[2, 1, 6]);
        put_u32(&mut bytes, 4, 7);
        bytes[16..20].copy_from_slice(&[10, 0, 2, 15]);
        bytes[28..34].copy_from_slice(&MAC);
        put_u32(&mut bytes, 236, COOKIE);
        bytes.extend_from_slice(&[option::KIND, 1, kind]);
        bytes.extend_from_slice(options);
        bytes.push(option::END);
        bytes
    }

    const USUAL: [u8; 30] = [
        1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 2, 2, 6, 4, 10, 0, 2, 3, 51, 4, 0, 1, 0x51, 0x80, 54, 4, 10, 0,
        2, 2,
    ];

    #[test]
    fn a_usual_answer() {
        let message = parse(&reply(kind::ACK, &USUAL), 7, MAC).unwrap();
        let router = Addr::v4([10, 0, 2, 2]);
        assert_eq!(message.kind, kind::ACK);
        assert_eq!(message.lease.addr, Addr::v4([10, 0, 2, 15]));
        assert_eq!((message.lease.bits, message.lease.server), (24, router));
        assert_eq!(message.lease.routes, [(Addr::UNSPECIFIED_V4, 0, router)]);
        assert_eq!(message.lease.dns, [Addr::v4([10, 0, 2, 3])]);
        assert_eq!(message.lease.times_s, [86400, 43200, 75600]);
    }

    #[test]
    fn what_is_not_for_us_or_makes_no_sense() {
        let good = reply(kind::ACK, &USUAL);
        assert_eq!(parse(&good, 8, MAC), None);
        assert_eq!(parse(&good, 7, [2, 0, 0, 0, 0, 2]), None);
        for len in 0..good.len() {
            assert_eq!(parse(&good[..len], 7, MAC), None, "{len} bytes");
        }
        let mut mask = USUAL;
        mask[3] = 0;
        assert_eq!(parse(&reply(kind::ACK, &mask), 7, MAC), None, "a mask with holes");
        assert_eq!(parse(&reply(kind::ACK, &USUAL[..18]), 7, MAC), None, "no lease time");
    }

    #[test]
    fn classless_routes_and_domains() {
        let routes = [option::ROUTES, 14, 0, 10, 0, 2, 1, 24, 192, 168, 7, 10, 0, 2, 4, 33];
        assert!(classless(&routes[2..15]).is_some());
        let good = classless(&routes[2..15]).unwrap();
        assert_eq!(good[1], (Addr::v4([192, 168, 7, 0]), 24, Addr::v4([10, 0, 2, 4])));
        assert_eq!(classless(&routes[2..16]), None);
        assert_eq!(check_domain(b"example.org\0").unwrap(), b"example.org");
        assert_eq!(check_domain(b"x\nnameserver 1.2.3.4"), None);
    }
}

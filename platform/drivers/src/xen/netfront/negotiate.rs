//! What the two ends of a network device tell each other through xenstore (io/netif.h, io/xenbus.h).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::RingGrants;
use crate::xen::store::{Error, Store, Transaction};

/// Where a domain finds its network devices.
pub const DEVICES: &str = "device/vif";
/// Ethernet's MTU where nobody says.
const ETHERNET_MTU: u16 = 1500;
/// The smallest MTU that IPv4 works with (RFC 791).
const MIN_MTU: u16 = 68;
/// The largest: a packet's length, with its Ethernet header, has 16 bits.
const MAX_MTU: u16 = u16::MAX - 14;

/// How far an end has come (`enum xenbus_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Anything else: it is about to become something.
    Other = 0,
    /// The back end has said what it can do.
    InitWait = 2,
    /// It is connected.
    Connected = 4,
    /// It is about to end.
    Closing = 5,
    /// It has ended.
    Closed = 6,
    /// There is none, or none that the domain may see.
    Gone = 255,
}

impl State {
    fn of(value: &[u8]) -> Self {
        match value {
            b"2" => Self::InitWait,
            b"4" => Self::Connected,
            b"5" => Self::Closing,
            b"6" => Self::Closed,
            _ => Self::Other,
        }
    }
}

/// What a back end offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The guest's own node of the device.
    pub device: String,
    /// The back end's node.
    pub backend: String,
    /// Its domain.
    pub domain: u16,
    /// The Ethernet address.
    pub mac: [u8; 6],
    /// The largest IP packet.
    pub mtu: u16,
    /// It completes checksums of TCP and UDP over IPv4 and IPv6.
    pub checksum: bool,
    /// It cuts large packets of TCP over IPv4.
    pub tso4: bool,
    /// The same over IPv6.
    pub tso6: bool,
}

/// Why a device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Xenstore does not say what is needed: this.
    Says(&'static str),
    /// Its back end copies no packets into the guest's pages.
    NoCopy,
    /// Its back end takes packets in one piece only.
    NoGather,
    /// It offers less than the one that was in its place.
    Less,
    /// The back end that was in its place has not given back all that it was lent.
    Keeps,
    /// Memory, grants or event channels are used up.
    NoRoom,
    /// Xenstore has failed.
    Store(Error),
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Says(what) => write!(f, "cannot be used, since xenstore does not say its {what}"),
            Self::NoCopy => f.write_str("cannot be used, since its back end does not copy packets"),
            Self::NoGather => f.write_str("cannot be used, since its back end takes no packets in pieces"),
            Self::Less => {
                f.write_str("cannot be used, since it offers less than the one in whose place it is")
            }
            Self::Keeps => f.write_str("cannot be used, since the one in whose place it is keeps memory"),
            Self::NoRoom => {
                f.write_str("cannot be used, since there is no memory, grant or event channel for it")
            }
            Self::Store(_) => f.write_str("cannot be used, since xenstore does not answer as it should"),
        }
    }
}

/// The numbers of the domain's network devices, in order.
pub fn devices(store: &mut Store) -> Vec<u32> {
    // A domain without has no such node.
    let names = store.directory(Transaction::NONE, DEVICES).unwrap_or_default();
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

impl Offer {
    /// Whether somebody who counts on what `before` offers can do with this.
    #[must_use]
    pub fn is_no_less_than(&self, before: &Self) -> bool {
        self.mtu >= before.mtu
            && self.checksum >= before.checksum
            && self.tso4 >= before.tso4
            && self.tso6 >= before.tso6
    }
}

fn text(store: &mut Store, folder: &str, name: &str) -> Option<String> {
    String::from_utf8(store.read(Transaction::NONE, &format!("{folder}/{name}")).ok()?).ok()
}

fn is_set(store: &mut Store, folder: &str, name: &str) -> bool {
    text(store, folder, name).is_some_and(|value| value == "1")
}

/// Six bytes in hexadecimal with colons between them, which name one station: no group (IEEE 802), and not nobody.
fn mac(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts.next()?;
        if part.len() != 2 || !part.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    (parts.next().is_none() && bytes[0] & 1 == 0 && bytes != [0; 6]).then_some(bytes)
}

/// How far the back end has come; `None` if the store does not answer.
pub fn backend_state(store: &mut Store, backend: &str) -> Option<State> {
    match store.read(Transaction::NONE, &format!("{backend}/state")) {
        Ok(value) => Some(State::of(&value)),
        Err(Error::Refused(_)) => Some(State::Gone),
        Err(_) => None,
    }
}

/// The node of the back end of device `number`.
pub fn backend(store: &mut Store, number: u32) -> Option<String> {
    text(store, &format!("{DEVICES}/{number}"), "backend")
}

/// What the back end of device `number` offers. It has come to [`State::InitWait`].
///
/// # Errors
/// Why the device cannot be used.
pub fn offer(store: &mut Store, number: u32) -> Result<Offer, Refusal> {
    let device = format!("{DEVICES}/{number}");
    let backend = backend(store, number).ok_or(Refusal::Says("back end"))?;
    let domain = text(store, &device, "backend-id").and_then(|id| id.parse().ok());
    let domain = domain.ok_or(Refusal::Says("back end's domain"))?;
    let mac = text(store, &device, "mac").as_deref().and_then(mac);
    let mac = mac.ok_or(Refusal::Says("Ethernet address"))?;
    let mtu = match text(store, &device, "mtu") {
        Some(mtu) => Some(mtu),
        None => text(store, &backend, "mtu"),
    };
    let mtu = mtu.and_then(|mtu| mtu.parse().ok()).unwrap_or(ETHERNET_MTU).clamp(MIN_MTU, MAX_MTU);
    if !is_set(store, &backend, "feature-rx-copy") {
        return Err(Refusal::NoCopy);
    }
    if !is_set(store, &backend, "feature-sg") {
        return Err(Refusal::NoGather);
    }
    let checksum = !is_set(store, &backend, "feature-no-csum-offload")
        && is_set(store, &backend, "feature-ipv6-csum-offload");
    let tso4 = is_set(store, &backend, "feature-gso-tcpv4");
    let tso6 = is_set(store, &backend, "feature-gso-tcpv6");
    Ok(Offer { device, backend, domain, mac, mtu, checksum, tso4, tso6 })
}

/// Tells the back end what the guest takes, and where its rings are; then it connects.
///
/// # Errors
/// The store's.
pub fn accept(store: &mut Store, offer: &Offer, grants: RingGrants, port: u32) -> Result<(), Refusal> {
    let numbers = [
        ("tx-ring-ref", grants.transmit.0),
        ("rx-ring-ref", grants.receive.0),
        ("event-channel", port),
        ("request-rx-copy", 1),
        ("feature-rx-notify", 1),
        ("feature-sg", 1),
        ("feature-gso-tcpv4", 1),
        ("feature-gso-tcpv6", 1),
        ("feature-ipv6-csum-offload", 1),
        // The last: it makes the others count.
        ("state", State::Connected as u32),
    ];
    numbers.into_iter().try_for_each(|(name, value)| {
        let path = format!("{}/{name}", offer.device);
        store.write(Transaction::NONE, &path, format!("{value}").as_bytes()).map_err(Refusal::Store)
    })
}

/// Tells the back end that the guest has ended its use of the device, unless it knows, or the tool stack has taken the device away.
pub fn closed(store: &mut Store, offer: &Offer) {
    let path = format!("{}/state", offer.device);
    if store.read(Transaction::NONE, &path).is_ok_and(|state| state != b"6") {
        // Nobody is there to be told of a failure.
        let _ = store.write(Transaction::NONE, &path, b"6");
    }
}

#[cfg(test)]
mod tests;

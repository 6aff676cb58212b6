//! Network devices of Xen's guests, `xennet` (Xen's public header io/netif.h).
//!
//! The back end, in another domain, takes packets from one ring and puts packets into another; the two agree through xenstore ([`negotiate`]). What is
//! sent is granted where it lies, what is received is copied out of pages that stay granted.
//!
//! A back end that contradicts itself is given up: its driver domain is not started anew by a guest. What it still reaches then, or when it ends, stays
//! granted and unused until it lets go. Where the tool stack puts another back end in its place, the device goes on with new rings ([`Netfront::reopen`]).
//! Events are asked for only when somebody is about to sleep, and for sent packets only when there was no room.

pub mod negotiate;
mod receive;
mod ring;
mod transmit;

use alloc::boxed::Box;
use core::fmt::Write as _;

use rump_hypercall::console;
use rump_hypercall::net::{Checksum, Counters, Info, Packet, Slice};

use self::negotiate::Offer;
use self::receive::Receive;
use self::transmit::Transmit;
use crate::nic::{Interrupt, Nic};
use crate::xen::grant::GrantRef;

/// XEN_NETIF_EXTRA_TYPE_GSO
const GSO: u8 = 1;
/// XEN_NETIF_GSO_TYPE_TCPV4
const GSO_TCPV4: u8 = 1;
/// XEN_NETIF_GSO_TYPE_TCPV6
const GSO_TCPV6: u8 = 2;

/// The way to the back end's domain.
pub trait Port {
    /// Lets it reach the page at this address of the guest's; `None` if too many are granted.
    fn grant(&mut self, address: u64, readonly: bool) -> Option<GrantRef>;
    /// Takes that back. False if the page is in use there.
    fn end(&mut self, grant: GrantRef) -> bool;
    /// Tells the back end to look at the rings.
    fn notify(&mut self);
}

/// What is wrong with a back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// More answers than requests.
    Counter,
    /// An answer to no request.
    Number,
    /// It uses a page on after it was done with it.
    Keeps,
}

/// A line on the console.
struct Line;

impl core::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        console::write(text.as_bytes());
        Ok(())
    }
}

/// The grants of the pages that the rings are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingGrants {
    /// Of packets that are sent.
    pub transmit: GrantRef,
    /// Of packets that are received.
    pub receive: GrantRef,
}

struct Rings {
    receive: Receive,
    transmit: Transmit,
}

impl Rings {
    /// Rings that the back end does not know of yet; `None` without memory or grants.
    fn new(port: &mut dyn Port) -> Option<Self> {
        let mut receive = Receive::new(port)?;
        let Some(transmit) = Transmit::new(port) else {
            receive.close(port);
            return None;
        };
        // The back end looks at the ring when it connects.
        receive.ring.publish();
        Some(Self { receive, transmit })
    }

    /// Takes back what the back end lets go; whether that was all.
    fn close(&mut self, port: &mut dyn Port) -> bool {
        let all_sent = self.transmit.close(port);
        self.receive.close(port) && all_sent
    }
}

/// A network device.
pub struct Netfront {
    port: Box<dyn Port>,
    /// `None` once the back end has gone or is given up.
    rings: Option<Rings>,
    /// What a back end that has gone or is given up has not let go.
    kept: Option<Rings>,
    offer: Offer,
    link_up: bool,
    /// Somebody wants to be told of received packets.
    enabled: bool,
    /// Somebody wants to be told of room to send.
    starved: bool,
    counters: Counters,
}

impl Netfront {
    /// A device with rings that the back end does not know of yet; `None` without memory or grants.
    #[must_use]
    pub fn new(mut port: Box<dyn Port>, offer: Offer) -> Option<Self> {
        let rings = Rings::new(port.as_mut())?;
        Some(Self {
            port,
            rings: Some(rings),
            kept: None,
            offer,
            link_up: false,
            enabled: false,
            starved: false,
            counters: Counters::default(),
        })
    }

    /// Goes on with another back end, and with new rings that it does not know of yet: the card stays what it was announced as. False without memory
    /// or grants, or while the one before has not let go of everything.
    #[must_use]
    pub fn reopen(&mut self, mut port: Box<dyn Port>) -> bool {
        if self.rings.is_some() || !self.close() {
            return false;
        }
        self.rings = Rings::new(port.as_mut());
        self.port = port;
        self.rings.is_some()
    }

    /// What the back end is to know the rings by, if it is in use.
    #[must_use]
    pub fn grants(&self) -> Option<RingGrants> {
        let rings = self.rings.as_ref()?;
        Some(RingGrants { transmit: rings.transmit.ring.grant()?, receive: rings.receive.ring.grant()? })
    }

    /// The back end is connected, or is not any more. True if whoever listens is to be told.
    ///
    /// Packets wait for it in the ring, unseen: Linux's back end takes the first event before it has noted which interrupt its events are. If it sees
    /// a packet then, it may say of another interrupt that it is done with it, and never gets an event of this device again.
    pub fn set_link(&mut self, up: bool) -> bool {
        let up = up && self.rings.is_some();
        let changed = core::mem::replace(&mut self.link_up, up) != up;
        self.flush();
        changed
    }

    /// Ends the use of the back end: it has gone, or cannot be trusted. False while it keeps something, which another call tries to take back.
    pub fn close(&mut self) -> bool {
        self.link_up = false;
        // Nothing is ever in both.
        self.kept = self.rings.take().or(self.kept.take());
        if self.kept.as_mut().is_some_and(|rings| rings.close(self.port.as_mut())) {
            self.kept = None;
        }
        self.kept.is_none()
    }

    fn broken(&mut self, why: Broken) {
        let why = match why {
            Broken::Counter => "it has answered more than it was asked",
            Broken::Number => "it has answered what it was not asked",
            Broken::Keeps => "it keeps pages that it has no use for",
        };
        let _ = writeln!(Line, "rumpbake: a network device of Xen is given up: {why}");
        self.counters.rx_errors += 1;
        let _ = self.close();
    }

    fn try_receive(&mut self) -> Result<Option<Packet>, Broken> {
        let Some(rings) = &mut self.rings else { return Ok(None) };
        let packet = rings.receive.next(&mut self.counters)?;
        if rings.receive.is_low() || packet.is_none() {
            rings.receive.refill();
            if rings.receive.ring.publish() {
                self.port.notify();
            }
        }
        if packet.is_none() {
            rings.transmit.reclaim(self.port.as_mut(), &mut self.counters)?;
        }
        Ok(packet)
    }

    fn try_transmit(&mut self, packet: &mut Option<Packet>) -> Result<(), Broken> {
        let (Some(rings), port) = (&mut self.rings, self.port.as_mut()) else {
            *packet = None;
            self.counters.tx_errors += 1;
            return Ok(());
        };
        rings.transmit.send(packet, port, &mut self.counters);
        self.starved = false;
        if packet.is_some() {
            // Full: what is queued is to go out, and then what the back end has done may make room.
            if self.link_up && rings.transmit.ring.publish() {
                port.notify();
            }
            rings.transmit.reclaim(port, &mut self.counters)?;
            rings.transmit.send(packet, port, &mut self.counters);
        }
        if packet.is_some() {
            self.starved = true;
            if rings.transmit.ring.ask() {
                rings.transmit.reclaim(port, &mut self.counters)?;
                rings.transmit.send(packet, port, &mut self.counters);
                self.starved = packet.is_some();
            }
        }
        Ok(())
    }
}

impl Nic for Netfront {
    fn info(&self) -> Info {
        Info {
            name: "xennet",
            mac: self.offer.mac,
            mtu: self.offer.mtu,
            tx_checksum: self.offer.checksum,
            rx_checksum: true,
            tso4: self.offer.checksum && self.offer.tso4,
            tso6: self.offer.checksum && self.offer.tso6,
            link_up: self.link_up,
        }
    }

    fn counters(&self) -> Counters {
        self.counters
    }

    fn receive(&mut self) -> Option<Packet> {
        match self.try_receive() {
            Ok(packet) => packet,
            Err(why) => {
                self.broken(why);
                None
            }
        }
    }

    fn transmit(&mut self, mut packet: Packet) -> Result<(), Packet> {
        complete_other_checksum(&mut packet);
        let mut packet = Some(packet);
        if let Err(why) = self.try_transmit(&mut packet) {
            self.broken(why);
            // Lost, like everything that was in the ring: who sent it will notice.
            return Ok(());
        }
        packet.map_or(Ok(()), Err)
    }

    fn flush(&mut self) {
        if self.link_up
            && let Some(rings) = &mut self.rings
            && rings.transmit.ring.publish()
        {
            self.port.notify();
        }
    }

    fn enable_interrupt(&mut self) -> bool {
        let waiting = self.rings.as_ref().is_some_and(|rings| {
            let waiting = rings.receive.ring.ask();
            if waiting {
                rings.receive.ring.silence();
            }
            waiting
        });
        self.enabled = !waiting;
        waiting
    }

    fn interrupt(&mut self, _why: Interrupt) -> bool {
        let Some(rings) = &mut self.rings else { return false };
        let mut tell = false;
        if self.enabled && rings.receive.ring.ask() {
            self.enabled = false;
            rings.receive.ring.silence();
            tell = true;
        }
        // A poll may have made the room.
        if self.starved && (rings.transmit.ring.ask() || rings.transmit.has_room()) {
            self.starved = false;
            rings.transmit.ring.silence();
            tell = true;
        }
        tell
    }
}

/// Back ends complete the checksums of TCP and UDP. Those of others are completed here, as far as there is memory.
fn complete_other_checksum(packet: &mut Packet) {
    const TCP: u16 = 16;
    const UDP: u16 = 6;
    let Checksum::Partial { start, offset } = packet.checksum else { return };
    if offset == TCP || offset == UDP {
        return;
    }
    let (start, at) = (usize::from(start), usize::from(start) + usize::from(offset));
    let bytes = packet.to_vec();
    let mut sum: u64 = 0;
    for pair in bytes[start.min(bytes.len())..].chunks(2) {
        sum += u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let Some(front) = bytes.get(..at + 2).and_then(|front| Slice::from_bytes(front, 0)) else { return };
    let mut whole = front;
    if let Some(bytes) = whole.bytes_mut() {
        bytes[at..].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    }
    packet.advance(at + 2);
    if packet.push_front(whole).is_ok() {
        packet.checksum = Checksum::Unknown;
    }
}

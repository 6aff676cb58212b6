//! Network devices, `vioif` (virtio 1.2, 5.1).
//!
//! One pair of queues is used, though [`Rings`] is all that a pair has, so that there can be several. Received packets stay in the clusters that the device
//! has filled; sent ones are gathered from where they lie. The header that virtio puts before a packet goes into the room before the packet's
//! first view where that is its own, so that a small packet takes one descriptor.
//!
//! Interrupts are asked for only when somebody is about to sleep, and for sent packets only when the queue was full: in between both queues are looked at when the
//! network is at work anyway.

mod header;
mod rings;

use alloc::boxed::Box;
use core::fmt::Write as _;

use rump_hypercall::net::{Counters, Info, Packet};
use rump_hypercall::{console, time};

use self::rings::{Rings, Setup};
use super::queue::Broken;
use super::{
    ACCESS_PLATFORM, ACKNOWLEDGE, DRIVER, DRIVER_OK, EVENT_IDX, FAILED, FEATURES_OK, INDIRECT_DESC,
    NEEDS_RESET, Transport, VERSION_1, read_config,
};
use crate::nic::{Interrupt, Nic};

/// virtio's number for network devices.
pub const DEVICE_ID: u32 = 1;

const CSUM: u64 = 1 << 0;
const GUEST_CSUM: u64 = 1 << 1;
const MTU: u64 = 1 << 3;
const MAC: u64 = 1 << 5;
const GUEST_TSO4: u64 = 1 << 7;
const GUEST_TSO6: u64 = 1 << 8;
const HOST_TSO4: u64 = 1 << 11;
const HOST_TSO6: u64 = 1 << 12;
const MRG_RXBUF: u64 = 1 << 15;
const STATUS: u64 = 1 << 16;

/// Offset of the status in the configuration.
const CONFIG_STATUS: usize = 6;
/// Offset of the MTU.
const CONFIG_MTU: usize = 10;
/// Bit of the status: the link is up.
const LINK_UP: u16 = 1;
/// Ethernet's MTU where the device does not say.
const ETHERNET_MTU: u16 = 1500;
/// The smallest MTU that IPv4 works with (RFC 791).
const MIN_MTU: u16 = 68;
/// How often a device that writes nonsense is started anew.
const MAX_RESETS: u64 = 16;

/// A line on the console.
struct Line;

impl core::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        console::write(text.as_bytes());
        Ok(())
    }
}

/// Why a device cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It does not take the features that the driver wants.
    Features,
    /// It lacks a queue or does not take the one that it was given.
    Queue,
    /// There is no memory for its queues.
    Memory,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Features => "does not agree to the features that every driver needs",
            Self::Queue => "does not take its queues",
            Self::Memory => "cannot be used, since there is no memory for its queues",
        })
    }
}

/// A network device.
pub struct VirtioNet {
    transport: Box<dyn Transport>,
    rings: Option<Rings>,
    features: u64,
    mac: [u8; 6],
    mtu: u16,
    link_up: bool,
    /// Somebody wants to be told of received packets.
    enabled: bool,
    /// Somebody wants to be told of room in the transmit queue.
    starved: bool,
    counters: Counters,
}

impl VirtioNet {
    /// Takes a device into use.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn new(transport: Box<dyn Transport>) -> Result<Self, Error> {
        let mut nic = Self {
            transport,
            rings: None,
            features: 0,
            mac: [0; 6],
            mtu: ETHERNET_MTU,
            link_up: true,
            enabled: false,
            starved: false,
            counters: Counters::default(),
        };
        match nic.start() {
            Ok(()) => Ok(nic),
            Err(error) => {
                nic.transport.add_status(FAILED);
                Err(error)
            }
        }
    }

    fn choose(offered: u64) -> u64 {
        let mut wanted = CSUM
            | GUEST_CSUM
            | MTU
            | MAC
            | HOST_TSO4
            | HOST_TSO6
            | MRG_RXBUF
            | STATUS
            | INDIRECT_DESC
            | EVENT_IDX
            | VERSION_1
            | ACCESS_PLATFORM;
        // Large packets come in several clusters only, and their checksums are not in place.
        if offered & MRG_RXBUF != 0 && offered & GUEST_CSUM != 0 {
            wanted |= GUEST_TSO4 | GUEST_TSO6;
        }
        if offered & CSUM == 0 {
            wanted &= !(HOST_TSO4 | HOST_TSO6);
        }
        offered & wanted
    }

    fn has(&self, feature: u64) -> bool {
        self.features & feature != 0
    }

    /// Resets the device and sets everything up (3.1.1).
    fn start(&mut self) -> Result<(), Error> {
        self.transport.reset();
        // After the reset, so that the device does not reach clusters that are somebody else's by then.
        self.rings = None;
        self.transport.add_status(ACKNOWLEDGE);
        self.transport.add_status(DRIVER);
        let offered = self.transport.device_features();
        let legacy = self.transport.is_legacy();
        if !legacy && offered & VERSION_1 == 0 {
            return Err(Error::Features);
        }
        self.features = Self::choose(offered);
        self.transport.set_driver_features(self.features);
        if !legacy {
            self.transport.add_status(FEATURES_OK);
            if self.transport.status() & FEATURES_OK == 0 {
                return Err(Error::Features);
            }
        }
        self.read_config();
        let setup = Setup {
            legacy,
            event_index: self.has(EVENT_IDX),
            indirect: self.has(INDIRECT_DESC),
            mergeable: self.has(MRG_RXBUF),
            long_header: self.has(MRG_RXBUF) || !legacy,
            large_receive: self.has(GUEST_TSO4 | GUEST_TSO6),
            first_queue: 0,
        };
        let rings = Rings::new(self.transport.as_mut(), setup)?;
        self.transport.add_status(DRIVER_OK);
        let rings = self.rings.insert(rings);
        rings.receive.fill();
        if rings.receive.queue.publish() {
            self.transport.notify(rings.receive.number);
        }
        Ok(())
    }

    fn read_config(&mut self) {
        if self.has(MAC) {
            self.mac = read_config(self.transport.as_ref(), 0);
        } else if self.mac == [0; 6] {
            time::random(&mut self.mac);
            // Locally administered, not a group.
            self.mac[0] = self.mac[0] & 0xfc | 2;
        }
        if self.has(MTU) {
            let mtu = u16::from_le_bytes(read_config(self.transport.as_ref(), CONFIG_MTU));
            self.mtu = mtu.max(MIN_MTU);
        }
        if !self.has(MRG_RXBUF) {
            self.mtu = self.mtu.min(ETHERNET_MTU);
        }
        self.read_link();
    }

    fn read_link(&mut self) {
        let status = u16::from_le_bytes(read_config(self.transport.as_ref(), CONFIG_STATUS));
        self.link_up = !self.has(STATUS) || status & LINK_UP != 0;
    }

    /// The device has written nonsense: starts it anew, unless it does so all the time.
    fn broken(&mut self, why: Broken) {
        let why = match why {
            Broken::Index => "it has used more buffers than it got",
            Broken::Descriptor => "it has used a buffer that it did not get",
            Broken::Length => "it describes a packet that does not fit its buffers",
            Broken::Asks => "it asks for it",
        };
        let _ = writeln!(Line, "rumpbake: a virtio network device is started anew: {why}");
        self.counters.resets += 1;
        let failed = if self.counters.resets > MAX_RESETS {
            let _ = writeln!(Line, "rumpbake: the virtio network device is given up");
            true
        } else {
            self.start().is_err()
        };
        if failed {
            self.transport.reset();
            self.rings = None;
            self.transport.add_status(FAILED);
            self.link_up = false;
        }
    }

    /// Takes the next packet from the rings, if the device is sane.
    fn try_receive(&mut self) -> Result<Option<Packet>, Broken> {
        let Some(rings) = &mut self.rings else { return Ok(None) };
        let packet = rings.receive.next(&mut self.counters)?;
        // Many at once: a device that runs out of clusters drops packets, one that gets each by itself is told too often.
        if rings.receive.is_low() || packet.is_none() {
            rings.receive.refill();
            if rings.receive.queue.publish() {
                self.transport.notify(rings.receive.number);
            }
        }
        if packet.is_none() {
            rings.transmit.reclaim()?;
        }
        Ok(packet)
    }

    fn try_transmit(&mut self, packet: &mut Option<Packet>) -> Result<(), Broken> {
        let Some(rings) = &mut self.rings else {
            *packet = None;
            self.counters.tx_errors += 1;
            return Ok(());
        };
        rings.transmit.send(packet, &mut self.counters)?;
        if packet.is_some() {
            // Full: what is queued is to go out, and then what the device has done may make room.
            if rings.transmit.queue.publish() {
                self.transport.notify(rings.transmit.number);
            }
            rings.transmit.reclaim()?;
            rings.transmit.send(packet, &mut self.counters)?;
        }
        if packet.is_some() {
            self.starved = true;
            if rings.transmit.ask_for_room() {
                rings.transmit.reclaim()?;
                rings.transmit.send(packet, &mut self.counters)?;
            }
        }
        if packet.is_none() {
            self.starved = false;
        }
        Ok(())
    }
}

impl Nic for VirtioNet {
    fn info(&self) -> Info {
        Info {
            name: "vioif",
            mac: self.mac,
            mtu: self.mtu,
            tx_checksum: self.has(CSUM),
            rx_checksum: self.has(GUEST_CSUM),
            tso4: self.has(HOST_TSO4),
            tso6: self.has(HOST_TSO6),
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

    fn transmit(&mut self, packet: Packet) -> Result<(), Packet> {
        let mut packet = Some(packet);
        if let Err(why) = self.try_transmit(&mut packet) {
            self.broken(why);
            // Lost, like everything that was in the queue: who sent it will notice.
            return Ok(());
        }
        match packet {
            None => Ok(()),
            Some(packet) => Err(packet),
        }
    }

    fn flush(&mut self) {
        if let Some(rings) = &mut self.rings
            && rings.transmit.queue.publish()
        {
            self.transport.notify(rings.transmit.number);
        }
    }

    fn enable_interrupt(&mut self) -> bool {
        let Some(rings) = &mut self.rings else { return false };
        let waiting = rings.receive.queue.ask(1);
        if waiting {
            rings.receive.queue.silence();
        }
        self.enabled = !waiting;
        waiting
    }

    fn interrupt(&mut self, why: Interrupt) -> bool {
        let causes = self.transport.causes(why);
        let mut tell = false;
        if causes.config {
            if self.transport.status() & NEEDS_RESET != 0 {
                self.broken(Broken::Asks);
                tell = true;
            }
            let before = self.link_up;
            self.read_link();
            tell |= before != self.link_up;
        }
        self.tell_of_queues() || tell
    }

    fn watch(&mut self) -> bool {
        if let Some(rings) = &mut self.rings
            && self.enabled
        {
            rings.receive.queue.put_off();
        }
        self.enabled && self.rings.is_some()
    }

    fn has_received(&self) -> bool {
        self.rings.as_ref().is_some_and(|rings| rings.receive.queue.has_used())
    }

    fn watched(&mut self) -> bool {
        self.tell_of_queues()
    }
}

impl VirtioNet {
    /// Whether whoever listens is to be told of packets or of room; interrupts are asked for as far as they are still wanted.
    fn tell_of_queues(&mut self) -> bool {
        let mut tell = false;
        let Some(rings) = &mut self.rings else { return tell };
        // What this interrupt was for may have been taken already, by a poll. Then it is asked for anew: with an event index the device is silent once
        // it has passed the place.
        if self.enabled && (rings.receive.queue.has_used() || rings.receive.queue.ask(1)) {
            self.enabled = false;
            rings.receive.queue.silence();
            tell = true;
        }
        // A poll may have made the room.
        if self.starved && (rings.transmit.queue.has_used() || rings.transmit.queue.free() > 0) {
            self.starved = false;
            rings.transmit.queue.silence();
            tell = true;
        }
        tell
    }
}

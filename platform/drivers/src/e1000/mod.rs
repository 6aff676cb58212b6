//! Intel's gigabit cards of the 8254x and 82574 families, `wm`: what many real boards have and most hypervisors imitate.
//!
//! One queue each way with the descriptors that all of them share. Sending: the device completes TCP's and UDP's checksum, and cuts large TCP packets
//! over IPv4; what it is to do is said in a context descriptor, which is repeated only where it changes. Interrupts are masked whenever nobody wants to be told.
//!
//! What the device writes is a length and a status per descriptor; both are checked.

mod receive;
mod registers;
mod transmit;

use rump_hypercall::net::{Counters, Info, Packet};
use rump_hypercall::time;

use self::receive::Receive;
use self::registers as reg;
use self::transmit::Transmit;
use crate::mmio::Registers;
use crate::nic::{Interrupt, Nic};
use crate::pci::Device;

/// Intel.
pub const VENDOR: u16 = 0x8086;
/// Which register of the function has the range with the registers.
pub const BAR: u8 = 0;

/// Devices of the 8254x family: those that boards had and hypervisors imitate.
const FAMILY_8254X: [u16; 14] = [
    0x1004, 0x1008, 0x100c, 0x100e, 0x100f, 0x1010, 0x1011, 0x1013, 0x1015, 0x1018, 0x101e, 0x1026, 0x1076,
    0x1078,
];
/// Devices of the families of the 82571 to 82583, and network interfaces of chipsets that are like them.
const FAMILY_82574: [u16; 18] = [
    0x105e, 0x107d, 0x108b, 0x108c, 0x109a, 0x10b9, 0x10d3, 0x10ea, 0x10eb, 0x10f6, 0x150c, 0x1502, 0x1503,
    0x153a, 0x153b, 0x155a, 0x15a1, 0x15a3,
];

/// Causes that somebody who waits for packets is interested in.
const RECEIVE_CAUSES: u32 = reg::INT_RXT0 | reg::INT_RXDMT0 | reg::INT_RXO;
/// How long a reset takes at most, and how long registers must be left alone at its beginning.
const RESET_NS: u64 = 500_000_000;
const RESET_QUIET_NS: u64 = 1_000_000;

/// Why a card cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It does not come back from a reset.
    Reset,
    /// There is no memory for its queues.
    Memory,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Reset => "does not come back from a reset",
            Self::Memory => "cannot be used, since there is no memory for its queues",
        })
    }
}

/// Whether a PCI function is such a card.
#[must_use]
pub fn is_one(device: &Device<'_>) -> bool {
    device.vendor() == VENDOR && (FAMILY_8254X.contains(&device.id()) || FAMILY_82574.contains(&device.id()))
}

/// A card.
pub struct E1000 {
    registers: Registers,
    receive: Receive,
    transmit: Transmit,
    mac: [u8; 6],
    link_up: bool,
    /// Somebody wants to be told of received packets, of room to send.
    enabled: bool,
    starved: bool,
    counters: Counters,
}

/// Waits without giving the processor up; for the microseconds that hardware takes.
fn pause(ns: u64) {
    let end = time::monotonic_ns() + ns;
    while time::monotonic_ns() < end {
        core::hint::spin_loop();
    }
}

fn reset(registers: &Registers) -> Result<(), Error> {
    registers.write32(reg::IMC, u32::MAX);
    registers.write32(reg::RCTL, 0);
    registers.write32(reg::TCTL, 0);
    registers.write32(reg::CTRL, registers.read32(reg::CTRL) | reg::CTRL_RST);
    pause(RESET_QUIET_NS);
    let end = time::monotonic_ns() + RESET_NS;
    while registers.read32(reg::CTRL) & reg::CTRL_RST != 0 {
        if time::monotonic_ns() > end {
            return Err(Error::Reset);
        }
    }
    registers.write32(reg::IMC, u32::MAX);
    let _ = registers.read32(reg::ICR);
    Ok(())
}

impl E1000 {
    /// Takes a card into use.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn new(registers: Registers) -> Result<Self, Error> {
        if registers.len() < reg::LEN {
            return Err(Error::Reset);
        }
        reset(&registers)?;
        let control = registers.read32(reg::CTRL) & !reg::CTRL_CLEAR;
        registers.write32(reg::CTRL, control | reg::CTRL_SLU | reg::CTRL_ASDE);
        let extended = registers.read32(reg::CTRL_EXT);
        registers.write32(reg::CTRL_EXT, extended | reg::CTRL_EXT_DRV_LOAD);

        // The reset has loaded the address from the card's memory.
        let (low, high) = (registers.read32(reg::RAL), registers.read32(reg::RAH));
        let mut mac = [0; 6];
        mac[..4].copy_from_slice(&low.to_le_bytes());
        mac[4..].copy_from_slice(&high.to_le_bytes()[..2]);
        if mac == [0; 6] || mac == [0xff; 6] {
            time::random(&mut mac);
            mac[0] = mac[0] & 0xfc | 2;
            registers.write32(reg::RAL, u32::from_le_bytes([mac[0], mac[1], mac[2], mac[3]]));
        }
        registers.write32(reg::RAH, u32::from_le_bytes([mac[4], mac[5], 0, 0]) | reg::RAH_AV);
        for word in 0..128 {
            registers.write32(reg::MTA + 4 * word, 0);
        }
        let receive = Receive::start(&registers).ok_or(Error::Memory)?;
        let transmit = Transmit::start(&registers).ok_or(Error::Memory)?;
        // No interrupts closer than 20 microseconds: under load the queues are polled anyway.
        registers.write32(reg::ITR, 20_000 / 256);
        registers.write32(reg::IMS, reg::INT_LSC);
        let link_up = registers.read32(reg::STATUS) & reg::STATUS_LU != 0;
        Ok(Self {
            registers,
            receive,
            transmit,
            mac,
            link_up,
            enabled: false,
            starved: false,
            counters: Counters::default(),
        })
    }

    /// Sets which causes interrupt.
    fn set_mask(&self) {
        let mut causes = reg::INT_LSC;
        if self.enabled {
            causes |= RECEIVE_CAUSES;
        }
        if self.starved {
            causes |= reg::INT_TXDW;
        }
        self.registers.write32(reg::IMS, causes);
    }
}

impl Nic for E1000 {
    fn info(&self) -> Info {
        Info {
            name: "wm",
            mac: self.mac,
            mtu: 1500,
            tx_checksum: true,
            rx_checksum: true,
            tso4: true,
            tso6: false,
            link_up: self.link_up,
        }
    }

    fn counters(&self) -> Counters {
        self.counters
    }

    fn receive(&mut self) -> Option<Packet> {
        let packet = self.receive.next(&mut self.counters);
        if packet.is_none() || self.receive.is_low() {
            self.receive.refill(&self.registers);
        }
        if packet.is_none() {
            self.transmit.reclaim();
        }
        packet
    }

    fn transmit(&mut self, packet: Packet) -> Result<(), Packet> {
        let mut place = Some(packet);
        self.transmit.send(&mut place, &mut self.counters);
        if place.is_some() {
            self.transmit.flush(&self.registers);
            self.transmit.reclaim();
            self.transmit.send(&mut place, &mut self.counters);
        }
        match place {
            None => Ok(()),
            Some(packet) => {
                self.starved = true;
                self.set_mask();
                Err(packet)
            }
        }
    }

    fn flush(&mut self) {
        self.transmit.flush(&self.registers);
    }

    fn enable_interrupt(&mut self) -> bool {
        if self.receive.has_packet() {
            return true;
        }
        self.enabled = true;
        self.set_mask();
        if self.receive.has_packet() {
            self.enabled = false;
            return true;
        }
        false
    }

    fn interrupt(&mut self, _: Interrupt) -> bool {
        // Reading takes the causes, and the line down.
        let causes = self.registers.read32(reg::ICR);
        if causes == 0 {
            return false;
        }
        let mut tell = false;
        if causes & reg::INT_LSC != 0 {
            let up = self.registers.read32(reg::STATUS) & reg::STATUS_LU != 0;
            tell = up != self.link_up;
            self.link_up = up;
        }
        if self.enabled && self.receive.has_packet() {
            self.enabled = false;
            tell = true;
        }
        if self.starved && self.transmit.has_sent() {
            self.starved = false;
            tell = true;
        }
        let mut unwanted = 0;
        if !self.enabled {
            unwanted |= RECEIVE_CAUSES;
        }
        if !self.starved {
            unwanted |= reg::INT_TXDW;
        }
        if unwanted != 0 {
            self.registers.write32(reg::IMC, unwanted);
        }
        tell
    }
}

impl Drop for E1000 {
    fn drop(&mut self) {
        // The device must not reach the queues' memory any more. One that does not come back from this has stopped all the same.
        let _ = reset(&self.registers);
    }
}

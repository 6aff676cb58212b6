//! PCI devices (PCI Local Bus 3.0; PCI Express Base 5.0 for what is the same there): configuration space, base addresses, capabilities, messages.

pub mod bars;
pub mod msi;

/// A function of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The bus.
    pub bus: u8,
    /// The device, below 32.
    pub device: u8,
    /// The function, below 8.
    pub function: u8,
}

/// A way into configuration space, 32 bits at a time; `offset` is a multiple of 4 below 256. What is not there reads as ones.
pub trait ConfigSpace {
    /// Reads a register.
    fn read(&self, address: Address, offset: u8) -> u32;
    /// Writes a register.
    fn write(&self, address: Address, offset: u8, value: u32);
}

/// A function with its configuration space.
#[derive(Clone, Copy)]
pub struct Device<'c> {
    space: &'c dyn ConfigSpace,
    /// Which one it is.
    pub address: Address,
}

/// Class and subclass of Ethernet cards (PCI Code and ID Assignment Specification, section 1.3).
pub const ETHERNET: u16 = 0x0200;

/// Register with the identifiers: vendor, device.
const ID: u8 = 0x00;
/// Register with command and status.
const COMMAND: u8 = 0x04;
/// Register with the class.
const CLASS: u8 = 0x08;
/// Register with the header's type.
const HEADER: u8 = 0x0c;
/// Register with a bridge's bus numbers.
const BUSES: u8 = 0x18;
/// Register with the subsystem's identifiers.
const SUBSYSTEM: u8 = 0x2c;
/// Register with the place of the first capability.
const CAPABILITIES: u8 = 0x34;
/// Register with the interrupt line and pin.
const INTERRUPT: u8 = 0x3c;

/// Command: answers to memory addresses.
pub const MEMORY: u16 = 1 << 1;
/// Command: may reach memory by itself.
pub const BUS_MASTER: u16 = 1 << 2;
/// Command: does not use its interrupt line.
pub const NO_LINE: u16 = 1 << 10;
/// Status, in the register's upper half: there are capabilities.
const HAS_CAPABILITIES: u32 = 1 << 20;
/// More capabilities than a function has room for: a list that is a ring.
const MAX_CAPABILITIES: usize = 48;

impl<'c> Device<'c> {
    /// The function at an address, if there is one.
    #[must_use]
    pub fn at(space: &'c dyn ConfigSpace, address: Address) -> Option<Self> {
        let device = Self { space, address };
        (device.vendor() != 0xffff).then_some(device)
    }

    /// Reads a register of its configuration space.
    #[must_use]
    pub fn read(&self, offset: u8) -> u32 {
        self.space.read(self.address, offset & !3)
    }

    /// Writes a register of its configuration space.
    pub fn write(&self, offset: u8, value: u32) {
        self.space.write(self.address, offset & !3, value);
    }

    /// Its vendor.
    #[must_use]
    pub fn vendor(&self) -> u16 {
        self.read(ID) as u16
    }

    /// Its number among the vendor's.
    #[must_use]
    pub fn id(&self) -> u16 {
        (self.read(ID) >> 16) as u16
    }

    /// Its number among the vendor's as the board's maker sees it.
    #[must_use]
    pub fn subsystem(&self) -> u16 {
        (self.read(SUBSYSTEM) >> 16) as u16
    }

    /// Class and subclass.
    #[must_use]
    pub fn class(&self) -> u16 {
        (self.read(CLASS) >> 16) as u16
    }

    fn header_type(&self) -> u8 {
        (self.read(HEADER) >> 16) as u8
    }

    /// The bus behind it, if it is a bridge that firmware has given one.
    #[must_use]
    pub fn bus_behind(&self) -> Option<u8> {
        let bridge = self.header_type() & 0x7f == 1;
        let bus = (self.read(BUSES) >> 8) as u8;
        (bridge && bus > self.address.bus).then_some(bus)
    }

    /// Sets and clears bits of the command register.
    pub fn command(&self, set: u16, clear: u16) {
        // The upper half is the status, whose bits are cleared by ones.
        let command = self.read(COMMAND) as u16;
        self.write(COMMAND, u32::from(command & !clear | set));
    }

    /// The interrupt line that firmware says that it has: an input of the interrupt controller.
    #[must_use]
    pub fn interrupt_line(&self) -> Option<u8> {
        let [line, pin, ..] = self.read(INTERRUPT).to_le_bytes();
        (pin != 0 && line != 0 && line != 0xff).then_some(line)
    }

    /// The capabilities: kind and place of each.
    pub fn capabilities(&self) -> impl Iterator<Item = (u8, u8)> {
        let has = self.read(COMMAND) & HAS_CAPABILITIES != 0;
        let first = if has { self.read(CAPABILITIES) as u8 & !3 } else { 0 };
        let device = *self;
        let mut at = first;
        core::iter::from_fn(move || {
            // The first 64 bytes are no capabilities.
            (at >= 0x40).then(|| {
                let [kind, next, ..] = device.read(at).to_le_bytes();
                let place = core::mem::replace(&mut at, next & !3);
                (kind, place)
            })
        })
        .take(MAX_CAPABILITIES)
    }

    /// Where the first capability of a kind is.
    #[must_use]
    pub fn capability(&self, kind: u8) -> Option<u8> {
        self.capabilities().find(|&(found, _)| found == kind).map(|(_, place)| place)
    }
}

/// Calls `found` for every function on `bus` and behind its bridges.
pub fn scan(space: &dyn ConfigSpace, bus: u8, found: &mut dyn FnMut(Device<'_>)) {
    for device in 0..32 {
        for function in 0..8 {
            let Some(device) = Device::at(space, Address { bus, device, function }) else {
                if function == 0 {
                    break;
                }
                continue;
            };
            found(device);
            if let Some(behind) = device.bus_behind() {
                scan(space, behind, found);
            }
            let is_single = function == 0 && device.header_type() & 0x80 == 0;
            if is_single {
                break;
            }
        }
    }
}

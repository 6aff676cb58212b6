//! virtio devices on PCI (virtio 1.2, 4.1), as version 1 has them; transitional devices have that interface as well.

use alloc::vec::Vec;

use super::queue::Addresses;
use super::{Causes, Transport};
use crate::mmio::Registers;
use crate::nic::Interrupt;
use crate::pci::Device;

/// The vendor of all virtio devices.
pub const VENDOR: u16 = 0x1af4;
/// Device numbers are this plus the kind's number.
const MODERN: u16 = 0x1040;
/// Device numbers of transitional devices; the kind is in the subsystem's number.
const TRANSITIONAL: core::ops::Range<u16> = 0x1000..0x1040;
/// The capability's kind: the vendor's own.
const VENDOR_CAPABILITY: u8 = 0x09;

const COMMON: u8 = 1;
const NOTIFY: u8 = 2;
const ISR: u8 = 3;
const DEVICE: u8 = 4;

const DEVICE_FEATURE_SELECT: usize = 0x00;
const DEVICE_FEATURE: usize = 0x04;
const DRIVER_FEATURE_SELECT: usize = 0x08;
const DRIVER_FEATURE: usize = 0x0c;
const CONFIG_MSIX_VECTOR: usize = 0x10;
const DEVICE_STATUS: usize = 0x14;
const CONFIG_GENERATION: usize = 0x15;
const QUEUE_SELECT: usize = 0x16;
const QUEUE_SIZE: usize = 0x18;
const QUEUE_MSIX_VECTOR: usize = 0x1a;
const QUEUE_ENABLE: usize = 0x1c;
const QUEUE_NOTIFY_OFF: usize = 0x1e;
const QUEUE_DESC: usize = 0x20;
const QUEUE_DRIVER: usize = 0x28;
const QUEUE_DEVICE: usize = 0x30;
/// Bytes of the common configuration.
const COMMON_LEN: usize = 0x38;

/// The message for configuration changes; [`QUEUES_MESSAGE`] is that for the queues.
pub const CONFIG_MESSAGE: u16 = 0;
/// The message for the queues.
pub const QUEUES_MESSAGE: u16 = 1;
/// Messages that a device is given.
pub const MESSAGES: usize = 2;
/// The device has found no room for the message.
const NO_VECTOR: u16 = 0xffff;
/// How often the status is read until a device that is reset says so.
const RESET_TRIES: u32 = 1_000_000;

/// The kind of a virtio device, if it is one.
#[must_use]
pub fn kind(device: &Device<'_>) -> Option<u32> {
    if device.vendor() != VENDOR {
        return None;
    }
    match device.id() {
        id if TRANSITIONAL.contains(&id) => Some(device.subsystem().into()),
        id if (MODERN + 1..MODERN + 0x40).contains(&id) => Some((id - MODERN).into()),
        _ => None,
    }
}

/// A device on PCI.
pub struct Pci {
    common: Registers,
    notify: Registers,
    notify_multiplier: usize,
    isr: Registers,
    config: Option<Registers>,
    /// It interrupts by messages.
    messages: bool,
    /// Places in `notify`, by queue.
    doorbells: Vec<usize>,
}

impl Pci {
    /// The device, if it has the structures of version 1. `map` gives a window onto one of its base address registers' ranges; `messages` says that MSI-X
    /// is enabled with [`MESSAGES`] entries.
    #[must_use]
    pub fn new(
        device: &Device<'_>,
        messages: bool,
        map: &mut dyn FnMut(u8) -> Option<Registers>,
    ) -> Option<Self> {
        let mut windows: [Option<Registers>; 5] = [None; 5];
        let mut notify_multiplier = 0;
        for (kind, at) in device.capabilities() {
            if kind != VENDOR_CAPABILITY {
                continue;
            }
            let [_, _, _, structure] = device.read(at).to_le_bytes();
            let Some(place @ None) = windows.get_mut(usize::from(structure)) else { continue };
            let bar = device.read(at + 4) as u8;
            let (offset, len) = (device.read(at + 8) as usize, device.read(at + 12) as usize);
            *place = map(bar).and_then(|window| window.part(offset, len));
            if structure == NOTIFY {
                notify_multiplier = device.read(at + 16) as usize;
            }
        }
        let [_, common, notify, isr, config] = windows;
        debug_assert_eq!([COMMON, NOTIFY, ISR, DEVICE], [1, 2, 3, 4]);
        Some(Self {
            common: common.filter(|common| common.len() >= COMMON_LEN)?,
            notify: notify.filter(|notify| notify.len() >= 2)?,
            notify_multiplier,
            isr: isr.filter(|isr| !isr.is_empty())?,
            config,
            messages,
            doorbells: Vec::new(),
        })
    }
}

impl Transport for Pci {
    fn is_legacy(&self) -> bool {
        false
    }

    fn reset(&mut self) {
        self.common.write8(DEVICE_STATUS, 0);
        for _ in 0..RESET_TRIES {
            if self.common.read8(DEVICE_STATUS) == 0 {
                break;
            }
        }
        if self.messages {
            self.common.write16(CONFIG_MSIX_VECTOR, CONFIG_MESSAGE);
        }
    }

    fn status(&self) -> u8 {
        self.common.read8(DEVICE_STATUS)
    }

    fn add_status(&mut self, bits: u8) {
        self.common.write8(DEVICE_STATUS, self.status() | bits);
    }

    fn device_features(&mut self) -> u64 {
        let half = |select| {
            self.common.write32(DEVICE_FEATURE_SELECT, select);
            u64::from(self.common.read32(DEVICE_FEATURE))
        };
        half(0) | half(1) << 32
    }

    fn set_driver_features(&mut self, features: u64) {
        for (select, half) in [(0, features as u32), (1, (features >> 32) as u32)] {
            self.common.write32(DRIVER_FEATURE_SELECT, select);
            self.common.write32(DRIVER_FEATURE, half);
        }
    }

    fn queue_max(&mut self, queue: u16) -> u16 {
        self.common.write16(QUEUE_SELECT, queue);
        self.common.read16(QUEUE_SIZE)
    }

    fn set_queue(&mut self, queue: u16, addresses: &Addresses) -> bool {
        let common = &self.common;
        common.write16(QUEUE_SELECT, queue);
        common.write16(QUEUE_SIZE, addresses.size);
        common.write64(QUEUE_DESC, addresses.descriptors);
        common.write64(QUEUE_DRIVER, addresses.available);
        common.write64(QUEUE_DEVICE, addresses.used);
        if self.messages {
            common.write16(QUEUE_MSIX_VECTOR, QUEUES_MESSAGE);
            if common.read16(QUEUE_MSIX_VECTOR) == NO_VECTOR {
                return false;
            }
        }
        let doorbell = usize::from(common.read16(QUEUE_NOTIFY_OFF)).saturating_mul(self.notify_multiplier);
        if doorbell % 2 != 0 || doorbell.saturating_add(2) > self.notify.len() {
            return false;
        }
        let index = usize::from(queue);
        if self.doorbells.len() <= index {
            self.doorbells.resize(index + 1, 0);
        }
        self.doorbells[index] = doorbell;
        common.write16(QUEUE_ENABLE, 1);
        true
    }

    fn notify(&self, queue: u16) {
        if let Some(&doorbell) = self.doorbells.get(usize::from(queue)) {
            self.notify.write16(doorbell, queue);
        }
    }

    fn config8(&self, offset: usize) -> u8 {
        self.config.filter(|config| offset < config.len()).map_or(0, |config| config.read8(offset))
    }

    fn config_generation(&self) -> u8 {
        self.common.read8(CONFIG_GENERATION)
    }

    fn causes(&mut self, interrupt: Interrupt) -> Causes {
        match interrupt {
            Interrupt::Queues => Causes { queues: true, config: false },
            Interrupt::Config => Causes { queues: false, config: true },
            Interrupt::Line => {
                // Reading takes the causes, and the line down.
                let causes = self.isr.read8(0);
                Causes { queues: causes & 1 != 0, config: causes & 2 != 0 }
            }
        }
    }
}

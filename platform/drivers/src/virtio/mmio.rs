//! virtio devices with memory-mapped registers (virtio 1.2, 4.2), version 2, and version 1 as QEMU's microvm has it unless told otherwise.

use super::queue::{Addresses, LEGACY_ALIGN};
use super::{Causes, Transport};
use crate::mmio::Registers;
use crate::nic::Interrupt;

/// Bytes of the registers with the configuration.
pub const LEN: usize = 0x200;
/// "virt", little-endian.
const MAGIC: u32 = 0x7472_6976;
const VERSION: usize = 0x004;
const DEVICE_ID: usize = 0x008;
const DEVICE_FEATURES: usize = 0x010;
const DEVICE_FEATURES_SEL: usize = 0x014;
const DRIVER_FEATURES: usize = 0x020;
const DRIVER_FEATURES_SEL: usize = 0x024;
const GUEST_PAGE_SIZE: usize = 0x028;
const QUEUE_SEL: usize = 0x030;
const QUEUE_NUM_MAX: usize = 0x034;
const QUEUE_NUM: usize = 0x038;
const QUEUE_ALIGN: usize = 0x03c;
const QUEUE_PFN: usize = 0x040;
const QUEUE_READY: usize = 0x044;
const QUEUE_NOTIFY: usize = 0x050;
const INTERRUPT_STATUS: usize = 0x060;
const INTERRUPT_ACK: usize = 0x064;
const STATUS: usize = 0x070;
const QUEUE_DESC: usize = 0x080;
const QUEUE_DRIVER: usize = 0x090;
const QUEUE_DEVICE: usize = 0x0a0;
const CONFIG_GENERATION: usize = 0x0fc;
const CONFIG: usize = 0x100;
const PAGE: u32 = 4096;
/// How often the status is read until a device that is reset says so.
const RESET_TRIES: u32 = 1_000_000;

/// A device with memory-mapped registers.
pub struct Mmio {
    registers: Registers,
    legacy: bool,
}

impl Mmio {
    /// The device in a window, if there is one of the kind `device_id`.
    #[must_use]
    pub fn probe(registers: Registers, device_id: u32) -> Option<Self> {
        if registers.len() <= CONFIG || registers.read32(0) != MAGIC {
            return None;
        }
        let legacy = match registers.read32(VERSION) {
            1 => true,
            2 => false,
            _ => return None,
        };
        (registers.read32(DEVICE_ID) == device_id).then_some(Self { registers, legacy })
    }
}

impl Transport for Mmio {
    fn is_legacy(&self) -> bool {
        self.legacy
    }

    fn reset(&mut self) {
        self.registers.write32(STATUS, 0);
        for _ in 0..RESET_TRIES {
            if self.registers.read32(STATUS) == 0 {
                break;
            }
        }
        if self.legacy {
            self.registers.write32(GUEST_PAGE_SIZE, PAGE);
        }
    }

    fn status(&self) -> u8 {
        self.registers.read32(STATUS) as u8
    }

    fn add_status(&mut self, bits: u8) {
        let status = self.registers.read32(STATUS);
        self.registers.write32(STATUS, status | u32::from(bits));
    }

    fn device_features(&mut self) -> u64 {
        self.registers.write32(DEVICE_FEATURES_SEL, 0);
        let low = self.registers.read32(DEVICE_FEATURES);
        if self.legacy {
            return low.into();
        }
        self.registers.write32(DEVICE_FEATURES_SEL, 1);
        u64::from(self.registers.read32(DEVICE_FEATURES)) << 32 | u64::from(low)
    }

    fn set_driver_features(&mut self, features: u64) {
        self.registers.write32(DRIVER_FEATURES_SEL, 0);
        self.registers.write32(DRIVER_FEATURES, features as u32);
        if !self.legacy {
            self.registers.write32(DRIVER_FEATURES_SEL, 1);
            self.registers.write32(DRIVER_FEATURES, (features >> 32) as u32);
        }
    }

    fn queue_max(&mut self, queue: u16) -> u16 {
        self.registers.write32(QUEUE_SEL, queue.into());
        self.registers.read32(QUEUE_NUM_MAX).min(1 << 15) as u16
    }

    fn set_queue(&mut self, queue: u16, addresses: &Addresses) -> bool {
        self.registers.write32(QUEUE_SEL, queue.into());
        self.registers.write32(QUEUE_NUM, addresses.size.into());
        if self.legacy {
            let Ok(pfn) = u32::try_from(addresses.descriptors / u64::from(PAGE)) else { return false };
            self.registers.write32(QUEUE_ALIGN, LEGACY_ALIGN as u32);
            self.registers.write32(QUEUE_PFN, pfn);
            return self.registers.read32(QUEUE_PFN) == pfn;
        }
        self.registers.write64(QUEUE_DESC, addresses.descriptors);
        self.registers.write64(QUEUE_DRIVER, addresses.available);
        self.registers.write64(QUEUE_DEVICE, addresses.used);
        self.registers.write32(QUEUE_READY, 1);
        self.registers.read32(QUEUE_READY) == 1
    }

    fn notify(&self, queue: u16) {
        self.registers.write32(QUEUE_NOTIFY, queue.into());
    }

    fn config8(&self, offset: usize) -> u8 {
        let at = CONFIG + offset;
        if at < self.registers.len() { self.registers.read8(at) } else { 0 }
    }

    fn config_generation(&self) -> u8 {
        if self.legacy { 0 } else { self.registers.read32(CONFIG_GENERATION) as u8 }
    }

    fn causes(&mut self, _: Interrupt) -> Causes {
        let causes = self.registers.read32(INTERRUPT_STATUS);
        if causes != 0 {
            self.registers.write32(INTERRUPT_ACK, causes);
        }
        Causes { queues: causes & 1 != 0, config: causes & 2 != 0 }
    }
}

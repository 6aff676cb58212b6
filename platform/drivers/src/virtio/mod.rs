//! virtio (OASIS, Virtual I/O Device, version 1.2): what its devices have in common.

pub mod mmio;
pub mod net;
pub mod pci;
pub mod queue;

use crate::nic::Interrupt;
use queue::Addresses;

/// Device status: the driver has seen the device.
pub const ACKNOWLEDGE: u8 = 1;
/// Device status: the driver knows how to drive it.
pub const DRIVER: u8 = 2;
/// Device status: everything is set up.
pub const DRIVER_OK: u8 = 4;
/// Device status: the features are agreed on.
pub const FEATURES_OK: u8 = 8;
/// Device status: the device wants to be reset.
pub const NEEDS_RESET: u8 = 64;
/// Device status: the driver has given up.
pub const FAILED: u8 = 128;

/// Feature: a descriptor may point to a table of descriptors.
pub const INDIRECT_DESC: u64 = 1 << 28;
/// Feature: each side says from which entry on it wants to be told.
pub const EVENT_IDX: u64 = 1 << 29;
/// Feature: the device follows version 1 of the specification.
pub const VERSION_1: u64 = 1 << 32;
/// Feature: the device's addresses are the platform's, which without an IOMMU are physical ones all the same.
pub const ACCESS_PLATFORM: u64 = 1 << 33;

/// What a device wants to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Causes {
    /// Its queues have moved.
    pub queues: bool,
    /// Its configuration has changed.
    pub config: bool,
}

/// How a driver reaches its device.
pub trait Transport {
    /// Whether the device follows the draft before version 1 only.
    fn is_legacy(&self) -> bool;
    /// Resets the device; once this has returned it uses no memory any more.
    fn reset(&mut self);
    /// The device status.
    fn status(&self) -> u8;
    /// Sets bits of the device status.
    fn add_status(&mut self, bits: u8);
    /// What the device offers.
    fn device_features(&mut self) -> u64;
    /// What the driver takes of it.
    fn set_driver_features(&mut self, features: u64);
    /// The most entries that a queue can have; 0 if there is no such queue.
    fn queue_max(&mut self, queue: u16) -> u16;
    /// Sets a queue up. False if the device does not take it.
    fn set_queue(&mut self, queue: u16, addresses: &Addresses) -> bool;
    /// Tells the device that there is something in a queue.
    fn notify(&self, queue: u16);
    /// A byte of the device's own configuration, 0 where there is none.
    fn config8(&self, offset: usize) -> u8;
    /// A number that changes while the configuration does.
    fn config_generation(&self) -> u8;
    /// Takes the causes of an interrupt from the device.
    fn causes(&mut self, interrupt: Interrupt) -> Causes;
}

/// Reads a part of the device's configuration, all of it at one moment.
pub fn read_config<const N: usize>(transport: &dyn Transport, offset: usize) -> [u8; N] {
    /// A device that changes its mind so often is not worth waiting for.
    const TRIES: usize = 16;
    let mut bytes = [0; N];
    for _ in 0..TRIES {
        let generation = transport.config_generation();
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = transport.config8(offset + index);
        }
        if transport.config_generation() == generation {
            break;
        }
    }
    bytes
}

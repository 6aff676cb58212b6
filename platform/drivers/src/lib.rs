//! Device drivers: PCI, virtio over PCI and memory-mapped registers, network cards.
//!
//! They know no machine: configuration space, mapped registers and interrupt vectors come from whoever looks for devices (`platform/hw`), pages and
//! clusters through the hypercalls. So they run in a test on the host as well, against a device that the test plays, and that may lie.
//!
//! What a device writes is not trusted: every length and index is checked, and a device that is out of its mind is reset and reported. Memory that it can
//! reach by itself is another matter: there is no IOMMU in between.
#![no_std]

extern crate alloc;

pub mod e1000;
pub mod mmio;
pub mod nic;
pub mod pci;
pub mod virtio;
pub mod xen;

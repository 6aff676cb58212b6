//! Bare metal x86-64: the hw kit.
//!
//! The root of the kit that `rumpbake hw` takes its kernel from: boot through PVH or multiboot 1, page tables, interrupts, clock, console, power-off; and the
//! crates of layer 1, so that all of it is one archive. `linker/build.rs` builds it with flags of its own; it is no default member of the workspace.
#![no_std]

extern crate alloc;

// The components; the linker takes those that an application needs.
use rump_dev_cons as _;
use rump_dev_mem as _;
use rump_net as _;
use rump_net_inet as _;
use rump_net_local as _;
use rump_tmpfs as _;
use rump_vfs as _;
// The hypercalls of rumpuser(3), for rump kernels that are linked in.
use rumpbake_rumpkernel as _;
use rumpbake_rumpuser as _;

mod acpi;
mod apic;
mod boot;
mod clock;
mod cpuid;
mod descriptors;
mod device;
mod entry;
mod guest;
mod idle;
mod interrupts;
mod irq;
mod kit;
mod memory;
mod msr;
mod net;
mod pci;
mod pci_calls;
mod poweroff;
mod rtc;
mod serial;
mod start;
mod tlb;
mod virtio_slots;
mod xen;
mod xennet;

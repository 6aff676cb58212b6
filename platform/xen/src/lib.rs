//! Xen PV guest: the xen kit.
//!
//! The root of the kit that `rumpbake xen` takes its kernel from: entry from the ELF notes, page tables under Xen's rules, traps, event channels, clock,
//! console, power-off; and the crates of layer 1, so that all of it is one archive. `linker/build.rs` builds it with flags of its own; it is no
//! default member of the workspace. What PVH guests need as well is in `platform/xenguest`. The interface is Xen's public headers (`xen/include/public` in its sources), named by file where they are used.
//!
//! Kernel and application share one page table, as on bare metal. The kernel runs with event delivery masked, in guest-kernel mode from the first hypercall on; the
//! application runs in guest-user mode, because in guest-kernel mode Xen pushes its frames at the current stack pointer, over a red zone. `entry.rs` says how the two meet.
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

mod clock;
mod console;
mod cpu;
mod entry;
mod grants;
mod hypercall;
mod kit;
mod memory;
mod mmu;
mod net;
mod pci;
mod poweroff;
mod start;
mod traps;

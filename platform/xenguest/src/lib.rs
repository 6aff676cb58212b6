//! What guests of Xen share, whether they are paravirtual (`platform/xen`) or PVH (`platform/hw` with its component `xen`): hypercalls, event
//! channels, the clock, the console's rings, the connection with xenstore, network devices, the end.
//!
//! How a hypercall is made and where pages are mapped differs: what a guest's kind has to define is in [`hypercall`], [`shared`] and [`grants`], the rest is handed over.
//! The interface is Xen's public headers (`xen/include/public` in its sources), named by file where they are used.
#![no_std]

extern crate alloc;

pub mod clock;
pub mod console;
pub mod events;
pub mod grants;
pub mod hypercall;
pub mod net;
pub mod poweroff;
pub mod shared;
pub mod store;

//! What bare metal and Xen share: the scheduler, the page allocator, the page tables, the kernel heap, timers, the crash report.
//!
//! Each file implements a part of the hypercall contract (crate `rump-hypercall`) under its link names; what differs from machine to machine it
//! asks of the functions in [`machine`]. Everything here runs on the one virtual CPU with interrupts masked.
#![no_std]

extern crate alloc;

pub mod backtrace;
pub mod boot;
pub mod callout;
pub mod copy;
pub mod cpu;
pub mod entry;
pub mod exit;
pub mod fpu;
pub mod heap;
pub mod io;
pub mod machine;
#[cfg(not(test))]
mod memfn;
pub mod page;
pub mod pmap;
pub mod random;
pub mod sched;
pub mod stack;
pub mod start;
pub mod trap;

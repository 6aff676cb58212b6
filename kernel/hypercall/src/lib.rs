//! The hypercalls: everything that a kernel component (layer 1) may ask of the platform (layer 3).
//!
//! The idea is rumpuser(3)'s: kernel components hold no assembly and know no machine; they call down through
//! this crate alone. Each function is declared here and defined once per platform (`platform/common` for
//! bare metal and Xen, `platform/posix` for a host process); they are bound when an image or a test is linked.
//!
//! # The virtual CPU
//! Component code runs only while it holds the platform's one virtual CPU: at system-call entry the platform has
//! taken it, and it is given up only inside the waiting calls of [`sync`] and [`thread`]. Between two such calls no other
//! component code runs, not even a callout. So component state needs no locks for consistency, only for
//! exclusion across a wait; [`Giant`] is the cell that makes this visible to the compiler.
//!
//! # Calls up
//! The platform calls layer 1 through [`Upcalls`], which the kernel hands over with [`upcall::register`].
#![no_std]

extern crate alloc;

pub mod boot;
pub mod console;
mod giant;
pub mod lock;
pub mod memory;
pub mod net;
pub mod pci;
pub mod sync;
pub mod thread;
pub mod time;
pub mod upcall;
pub mod user;

pub use giant::Giant;
pub use upcall::Upcalls;

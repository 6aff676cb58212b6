//! Faction kern: processes, LWPs, memory maps, signals, descriptors, pipes, events, time, sysctl.
//!
//! # System calls
//! A system call is a function with the C symbol `sys_<name>` (NetBSD's name in sys/syscall.h: `sys___stat50`), defined with
//! [`syscall!`]. Layer 2 calls it through the platform's gate; the `syscall` instruction reaches it through the table that
//! the linker makes of those that went into the image. What no component defines answers ENOSYS.
#![no_std]

extern crate alloc;

pub mod component;
mod macros;

pub use rump_hypercall::upcall::Ret;

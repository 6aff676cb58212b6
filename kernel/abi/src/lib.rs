//! NetBSD 10's interface for amd64: numbers, constants and structures, generated from its headers.
#![no_std]
#![forbid(unsafe_code)]

pub mod errno;
pub mod syscall;

pub use errno::Errno;

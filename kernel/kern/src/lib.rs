//! Faction kern: processes, LWPs, memory maps, signals, descriptors, pipes, events, time, sysctl.
//!
//! # System calls
//! A system call is a function with the C symbol `sys_<name>` (NetBSD's name in sys/syscall.h: `sys___stat50`), defined with
//! [`syscall!`]. Layer 2 calls it through the platform's gate; the `syscall` instruction reaches it through the table that
//! the linker makes of those that went into the image. What no component defines answers ENOSYS.
//!
//! # Modules
//! | module | what |
//! |---|---|
//! | [`errno`] | `Errno`, and how a result becomes two registers |
//! | [`copy`] | the application's memory, by value: copyin(9) |
//! | [`proc`], [`lwp`] | the process and its threads |
//! | [`sleep`] | interruptible waiting: cv_wait_sig(9), ERESTART |
//! | [`filedesc`] | descriptors |
#![no_std]

extern crate alloc;

pub mod component;
pub mod copy;
pub mod errno;
pub mod filedesc;
pub mod lwp;
mod macros;
pub mod proc;
pub mod sleep;

pub use errno::{Errno, IntoRet};
pub use lwp::{Lwp, curlwp};
pub use proc::{Proc, curproc};
pub use rump_hypercall::upcall::Ret;
pub use sleep::sleep_sig;

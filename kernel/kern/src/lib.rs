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
//! | [`init_main`], [`exec`], [`exit`] | from boot to the program's first instruction, and its end |
//! | [`syscall`](mod@syscall), [`errno`], [`copy`] | system calls: by number, their result, the application's memory (copyin(9)) |
//! | [`proc`], [`lwp`], [`prot`] | the process, its threads, whose they are |
//! | [`sleep`] | interruptible waiting: cv_wait_sig(9), ERESTART |
//! | [`sys_lwp`], [`lwp_park`], [`lwpctl`], [`futex`] | the system calls under libpthread |
//! | [`signal`] | signals |
//! | [`clock`], [`timer`] | clocks, sleeping, timers |
//! | [`uvm`] | the address space |
//! | [`filedesc`], [`file`], [`uio`], [`selinfo`], [`devsw`], [`ioctl`] | descriptors and what they stand for |
//! | [`etc`] | files whose content the kernel knows |
//! | [`rlimit`], [`resource`] | resource limits and use |
//! | [`log`], [`trace`] | messages and the trace of system calls on the console |
#![no_std]

extern crate alloc;

pub mod clock;
pub mod component;
pub mod copy;
pub mod devsw;
pub mod errno;
pub mod etc;
pub mod event;
pub mod exec;
pub mod exit;
pub mod file;
pub mod filedesc;
pub mod futex;
#[cfg(test)]
mod fuzz_tests;
pub mod init_main;
pub mod ioctl;
pub mod log;
pub mod lwp;
pub mod lwp_park;
#[cfg(test)]
mod lwp_tests;
pub mod lwpctl;
mod macros;
pub mod pagestore;
pub mod pipe;
pub mod proc;
pub mod prot;
pub mod random;
pub mod resource;
pub mod rlimit;
pub mod select;
pub mod selinfo;
pub mod signal;
pub mod sleep;
pub mod sys_lwp;
pub mod syscall;
pub mod sysctl;
#[cfg(test)]
mod testing;
pub mod timer;
pub mod trace;
pub mod uio;
pub mod uvm;

pub use errno::{Errno, IntoRet};
pub use lwp::{Lwp, curlwp};
pub use proc::{Proc, curproc};
pub use rump_hypercall::upcall::Ret;
pub use sleep::sleep_sig;

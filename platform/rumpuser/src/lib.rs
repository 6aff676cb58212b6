//! rumpuser(3), version 17: the hypercalls that a rump kernel asks of its host, on the platform's own (`rump-hypercall`).
//!
//! Only the C functions face outward: their names, types and rules are those of NetBSD's `rump/rumpuser.h` and of rumpuser(3), so a rump kernel that somebody
//! else built runs on bare metal, under Xen and in a host process alike. Below, this is an ordinary user of the platform's threads, condition variables,
//! memory, clocks and network cards. It knows no machine.
//!
//! # Two processors, one above the other
//! The platform runs all kernel threads on one virtual CPU and never takes it away; the rump kernel above shares out CPUs of its own among
//! its lwps. A hypercall that may wait gives the rump kernel's CPU back first (`hyp_backend_unschedule`) and asks for it again afterwards
//! (`hyp_backend_schedule`): module [`upcall`]. The platform's virtual CPU is handed over by the wait itself. So the
//! state in here needs no lock.
//!
//! # Errors
//! All numbers are NetBSD's, on every platform: the rump kernel uses no others.
#![no_std]

extern crate alloc;

mod cache;
pub mod clock;
pub mod component;
pub mod console;
pub mod cv;
mod fair;
pub mod file;
pub mod host;
pub mod memory;
pub mod mutex;
pub mod pci;
mod printf;
pub mod rwlock;
pub mod thread;
pub mod tls;
pub mod upcall;
mod va;
pub mod virtif;

use core::ffi::{CStr, c_char};

/// A C string's bytes, without its end.
///
/// # Safety
/// `string` points to a string that stays for `'a`.
unsafe fn bytes<'a>(string: *const c_char) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(string) }.to_bytes()
}

//! The platform inside a host process: the same kernel components for unit tests, fuzzing and tools.
//!
//! Implements every function of `rump-hypercall` with what `std` has: a kernel thread is a `std` thread that holds the one virtual CPU
//! while it runs ([`vcpu`]), pages are heap memory, and the application's address space is a table: no application code runs here, so nothing needs a real
//! mapping. Where a component would enter application code or end the image, the thread stops and the test can ask what happened
//! ([`Outcome`]).
//!
//! A crate's tests link it with `use rumpbake_posix as _;` or by calling [`run`].

mod boot;
mod callout;
mod console;
mod memory;
mod thread;
mod user;
mod vcpu;

pub use boot::{BootFiles, set_boot};
pub use console::{take_console, type_console};
pub use thread::{Outcome, run, run_to_end};
pub use user::set_frame;

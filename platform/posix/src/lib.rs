//! The platform inside a host process: the same kernel components for unit tests, fuzzing and tools.
//!
//! Implements every function of `rump-hypercall`: a kernel thread is a `std` thread that holds the one virtual CPU while it runs
//! ([`vcpu`]), physical memory is a memory file, the application's address space a table of what `pmap_enter` said, mapped at the real
//! addresses wherever the host has nothing there ([`memory`]). No application code runs here: where a component would enter it, or end the
//! image, the thread ends and the test is told ([`Outcome`]).
//!
//! As on the machine, a thread that ends drops nothing: its host thread stops where it is. A panic in the closure of [`run`] is the
//! test's; a panic in any other kernel thread or in a callout stops the kernel for good, and [`run`] passes it on.
//!
//! A crate's tests link it with `use rumpbake_posix as _;` or by calling [`run`].

mod boot;
mod callout;
mod console;
mod copy;
mod memory;
mod net;
mod pci;
mod run;
mod thread;
mod user;
mod vcpu;
mod wait;

pub use boot::{BootFiles, set_boot};
pub use console::{take_console, type_console};
pub use memory::set_page_limit;
pub use net::{Faults, Link, Wire, net_pair, net_reset, net_set_faults, net_set_link, net_wire};
pub use run::{Outcome, run, run_to_end};
pub use thread::outside;
pub use user::{gate, set_frame};

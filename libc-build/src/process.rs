//! How a program ends: exit(3), atexit(3), quick_exit(3), abort(3), and what C++ has for it.

mod exit;
#[cfg(not(test))]
pub mod fork;
mod handlers;
#[cfg(not(test))]
mod thread_exit;

pub use exit::*;
pub use handlers::*;
#[cfg(not(test))]
pub use thread_exit::*;

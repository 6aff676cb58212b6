//! System calls: the C functions that only pass their arguments on, and what the rest of layer 2 calls of them.
//!
//! A stub is a handful of instructions, each in a section of its own: it names the entry of its one system call, so exactly the calls that a
//! program can make are in its image. Stubs are of three kinds, by what may happen while the call sleeps:
//! * `fast`: it does not sleep, or is never restarted. One indirect call, a test, a return.
//! * `restart`: it may ask to be made again, so the arguments are kept.
//! * `cancel`: as `restart`, and it is a cancellation point (POSIX, 2.9.5).

#[cfg(not(test))]
mod calls;
mod declared;
#[cfg(not(test))]
mod shaped;
#[cfg(not(test))]
mod stub;

pub use declared::*;

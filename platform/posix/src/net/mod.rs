//! Network interfaces (hypercall `net`): wires inside the process, with faults.
//!
//! A test makes a pair of interfaces that are wired to each other ([`net_pair`]), or one whose other end the test holds itself ([`net_wire`]). The wire
//! loses, doubles, damages, delays and reorders frames as [`Faults`] says, from a seeded generator: the same seed and the same frames give
//! the same faults. It does in software what a device would: it completes checksums and cuts large packets into segments, so what arrives is always a frame
//! as it would be on a cable.

mod fault;
mod segment;
mod wire;

pub use fault::Faults;
pub use wire::{Link, Wire, net_pair, net_reset, net_set_faults, net_set_link, net_wire};

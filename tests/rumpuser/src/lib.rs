//! The conformance suite of rumpuser(3), tests/programs/rumpuser, in a host process: see tests/conformance.rs. `build.rs` compiles it with the host's C
//! compiler, which this crate alone needs.

//! The rump kernel of the tests, tests/programs/rumpkernel, in a host process: see tests/posix.rs. `build.rs` compiles it with the host's C compiler.

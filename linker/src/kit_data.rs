//! The embedded kits: one relocatable object per layer, made by the build script.

/// The kernel and the bare-metal platform; empty if this build has none.
pub const HW: &[u8] = &[];
/// Layer 2; empty if this build has none.
pub const LIBC: &[u8] = &[];

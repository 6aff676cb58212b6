//! The embedded kits: one relocatable object per layer, made by the build script.

/// The kernel and the bare-metal platform.
pub const HW: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kit-hw.o"));
/// The kernel and the Xen platform.
pub const XEN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kit-xen.o"));
/// Layer 2.
pub const LIBC: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kit-libc.o"));

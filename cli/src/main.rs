//! Bakes one NetBSD/amd64 program into a bootable image.
fn main() {}

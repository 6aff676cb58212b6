//! Where the tools are that `cargo xtask setup` fetches.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The folder of the fetched tools, ignored by git.
pub fn folder() -> PathBuf {
    root().join(".tools")
}

/// The zig binary.
pub fn zig() -> Result<PathBuf> {
    let path = folder().join("ziglang/ziglang/zig");
    if !path.exists() {
        bail!("the compiler is not there yet; run `cargo xtask setup` first");
    }
    Ok(path)
}

/// NetBSD's headers.
pub fn headers() -> PathBuf {
    folder().join("ziglang/ziglang/lib/libc/include/generic-netbsd")
}

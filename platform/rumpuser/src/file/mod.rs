//! Files: names, contents, descriptors, transfers.
//!
//! Names are an image's own. A path of the baked-in root archive is that file; what is written to it stays in memory. Any other name is a file in memory, once it was
//! created. `/dev/mdN:SIZE` (`/dev/md0:64m`) is a disk in memory of a fixed size, there as soon as somebody asks for it. Everything lasts as long as the image runs.

mod archive;
pub mod bio;
pub mod descriptor;
pub mod host;
pub mod io;
mod store;

use core::ffi::c_int;

/// Whether a file is a directory.
///
/// # Errors
/// ENOENT if there is none.
pub fn is_directory(name: &[u8]) -> Result<bool, c_int> {
    Ok(store::find(name)?.kind == store::Kind::Dir)
}

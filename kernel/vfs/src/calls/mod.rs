//! The system calls that take paths, and those that take descriptors of a file system's files.

pub mod attr;
pub mod dirs;
pub mod links;
pub mod mounts;
pub mod open;
pub mod stat;

/// AT_FDCWD.
pub(crate) const AT_FDCWD: i32 = rump_abi::fcntl::AT_FDCWD;

//! The process (proc(9)): what its LWPs share.
//!
//! There is one, the program, for as long as the image runs. Its number is 1, and its parent is the kernel, process 0. A process is
//! never freed, so references to it are `'static`.

use crate::filedesc::FileDescTable;

/// A process.
pub struct Proc {
    /// Process number.
    pub pid: i32,
    /// The parent's number.
    pub ppid: i32,
    /// Descriptors.
    pub fd: FileDescTable,
}

/// The process of the calling LWP.
#[inline]
#[must_use]
pub fn curproc() -> &'static Proc {
    crate::lwp::curlwp().proc
}

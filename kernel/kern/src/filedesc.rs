//! Descriptors (filedesc(9)): a process's table of open files.

/// A process's table of open files.
#[derive(Default)]
pub struct FileDescTable {}

impl FileDescTable {
    /// A table without open files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

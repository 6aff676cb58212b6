//! The application's ELF file.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The two kinds of program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppKind {
    /// Makes system calls by the `syscall` instruction.
    Static,
    /// Imports NetBSD's shared libraries.
    Dynamic,
}

/// A program that was read and accepted.
#[derive(Clone, Debug)]
pub struct App {
    path: PathBuf,
    bytes: Vec<u8>,
    kind: AppKind,
}

impl App {
    /// Reads a NetBSD/amd64 program.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read, [`Error::Refused`] if it is something else.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Self::parse(path, bytes)
    }

    /// Reads a program from memory; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        if bytes.is_empty() {
            return Err(Error::Refused {
                path: path.into(),
                reason: "the file is empty".into(),
                hint: "build the program again".into(),
            });
        }
        Ok(Self { path: path.into(), bytes, kind: AppKind::Static })
    }

    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> AppKind {
        self.kind
    }

    /// The file's name, as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's length.
    #[must_use]
    pub fn file_bytes(&self) -> usize {
        self.bytes.len()
    }
}

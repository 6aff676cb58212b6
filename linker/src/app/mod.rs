//! The application's ELF file: read, checked, and turned into what the later steps need.
//!
//! Follows the System V ABI (gABI chapters 4 and 5, amd64 psABI) and NetBSD's use of it: `.note.netbsd.ident` names the
//! system. Nothing in the file is trusted: every offset and size is checked against the file's length before use, and
//! no memory is allocated for a number that the file merely claims.

mod dynamic;
mod headers;
mod identify;
mod system;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub(crate) use dynamic::{DynSymbol, Dynamic, Reloc};
pub(crate) use headers::{Headers, Load, PAGE};
use object::elf;
pub(crate) use system::notes;

use crate::error::{Error, Result};

/// Where position-independent executables are placed: where the stock linker puts the others.
pub(crate) const PIE_BASE: u64 = 0x0100_0000;

/// What is wrong with a file, and the way out; becomes [`Error::Refused`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub reason: String,
    pub hint: String,
}

impl Refusal {
    pub(crate) fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: hint.into() }
    }

    /// The file ends before something that its headers promise.
    pub(crate) fn truncated(what: &str) -> Self {
        Self::new(format!("the file is cut short: {what} lies past its end"), "copy or build it again")
    }

    /// The headers contradict themselves or each other.
    pub(crate) fn absurd(what: impl AsRef<str>) -> Self {
        Self::new(format!("the ELF headers are damaged: {}", what.as_ref()), "build the program again")
    }
}

/// How to build a program that is accepted.
pub(crate) const HOW_TO_BUILD: &str =
    "build it for NetBSD with `rumpbake cc`, `zig cc -target x86_64-netbsd.10.1` or `GOOS=netbsd go build`";

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
    headers: Headers,
    dynamic: Option<Dynamic>,
}

impl App {
    /// Reads a NetBSD/amd64 program.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read, [`Error::Refused`] if it is something else.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(path, load(path)?)
    }

    /// Reads a program from memory; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let (kind, headers, dynamic) = check(&bytes).map_err(|refusal| refused(path, refusal))?;
        Ok(Self { path: path.into(), bytes, kind, headers, dynamic })
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

    /// The shared libraries that the program names (DT_NEEDED).
    #[must_use]
    pub fn libraries(&self) -> &[String] {
        self.dynamic.as_ref().map_or(&[], |dynamic| &dynamic.needed)
    }

    pub(crate) fn headers(&self) -> &Headers {
        &self.headers
    }

    pub(crate) fn dynamic(&self) -> Option<&Dynamic> {
        self.dynamic.as_ref()
    }

    /// The whole file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A load segment's content. The range was checked when the headers were read.
    pub(crate) fn content(&self, load: &Load) -> &[u8] {
        self.bytes.get(load.file_offset..load.file_offset + load.file_len).unwrap_or(&[])
    }
}

/// Longest file that is read: an image reaches no further than 2 GiB.
const FILE_MAX: u64 = 1 << 31;

/// A regular file's content.
pub(crate) fn load(path: &Path) -> Result<Vec<u8>> {
    let fail = |source| Error::Read { path: path.into(), source };
    let metadata = std::fs::metadata(path).map_err(fail)?;
    if metadata.is_dir() {
        return Err(refused(path, Refusal::new("it is a directory", "name the program in it")));
    }
    if !metadata.is_file() {
        return Err(refused(path, Refusal::new("it is not a regular file", "name the program's file")));
    }
    if metadata.len() > FILE_MAX {
        return Err(refused(
            path,
            Refusal::new("it is larger than 2 GiB, more than an image holds", "put its data on a volume"),
        ));
    }
    std::fs::read(path).map_err(fail)
}

fn refused(path: &Path, refusal: Refusal) -> Error {
    Error::Refused { path: path.into(), reason: refusal.reason, hint: refusal.hint }
}

fn check(bytes: &[u8]) -> std::result::Result<(AppKind, Headers, Option<Dynamic>), Refusal> {
    let header = identify::elf_header(bytes)?;
    let headers = Headers::read(bytes, header)?;
    let dynamic = headers.dynamic.map(|span| Dynamic::read(bytes, &headers, span)).transpose()?;
    let pie = dynamic.as_ref().is_some_and(|dynamic| dynamic.flags_1 & elf::DF_1_PIE.0 != 0);
    if headers.position_independent && headers.interp.is_none() && !pie {
        return Err(Refusal::new("it is a shared library, not a program", "name the program that uses it"));
    }
    if headers.interp.is_none() {
        return Ok((AppKind::Static, headers, dynamic));
    }
    if dynamic.is_none() {
        return Err(Refusal::absurd("it has an interpreter, but nothing for it to link (no PT_DYNAMIC)"));
    }
    Ok((AppKind::Dynamic, headers, dynamic))
}

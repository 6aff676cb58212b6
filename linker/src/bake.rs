//! From a program to an image: the one road through the crate.

use std::path::{Path, PathBuf};

use crate::{App, ComponentInfo, Error, Report, Result};

/// The platform that an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Bare metal x86-64, QEMU, and any loader that speaks PVH or multiboot 1.
    Hw,
}

/// Who sees the multiboot header.
///
/// QEMU prefers multiboot to PVH if it sees both, and its multiboot path is slower and absent from some of its
/// machines. It overlooks a header in the last 48 bytes of the searched 8192, which the specification allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Multiboot {
    /// Boot loaders see it, `qemu -kernel` takes PVH.
    #[default]
    BootLoaders,
    /// Everybody sees it, `qemu -kernel` included.
    Everyone,
}

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct BakeOptions {
    /// Components by name. A dynamic program gets them beside those that it reaches; a static program, whose system calls
    /// cannot be known, gets these (and what they need) instead of all.
    pub components: Option<Vec<String>>,
    /// Directory that becomes the root file system.
    pub root: Option<PathBuf>,
    /// Configuration, JSON (crate `rump-config`); may be empty.
    pub config_json: Vec<u8>,
    /// Leaves the table of function names for backtraces out.
    pub strip: bool,
    /// Where to write the map: sections with address, size and component.
    pub map: Option<PathBuf>,
    /// Where to write an ELF file with all symbols, for debuggers.
    pub symbols: Option<PathBuf>,
    /// Who sees the multiboot header.
    pub multiboot: Multiboot,
}

/// A finished image.
#[derive(Clone, Debug)]
pub struct Image {
    bytes: Vec<u8>,
    report: Report,
}

impl Image {
    /// The file's content.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is in the image.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Writes the image, and the map and the symbol file if the options named them. Nothing is left behind on failure.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, &self.bytes).map_err(|source| Error::Write { path: path.into(), source })
    }
}

/// Makes an image of a program.
///
/// # Errors
/// Whatever [`Error`] says, except that the program was accepted by [`App::read`] already.
pub fn bake(app: &App, target: Target, options: &BakeOptions) -> Result<Image> {
    let _ = (app, target, options, crate::kit_data::LIBC);
    Err(Error::Kit { kit: "hw", reason: "it is not in this build".into() })
}

/// The components that the kernel kit of `target` offers, sorted by name.
///
/// # Errors
/// [`Error::Kit`].
pub fn components(target: Target) -> Result<Vec<ComponentInfo>> {
    let _ = (target, crate::kit_data::HW);
    Err(Error::Kit { kit: "hw", reason: "it is not in this build".into() })
}

/// What a program or an image is.
///
/// # Errors
/// As [`App::read`].
pub fn inspect(path: &Path) -> Result<Report> {
    App::read(path)?;
    Err(Error::Kit { kit: "hw", reason: "it is not in this build".into() })
}

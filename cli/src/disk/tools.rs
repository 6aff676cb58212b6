//! The tools of the host that make a disk: GRUB's `grub-mkimage` with its modules for BIOS and UEFI, and xorriso.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::tools::in_path;

/// Where GRUB's modules are, whatever the distribution.
const GRUB_FOLDER: &str = "/usr/lib/grub";
/// The first sector of a disk that BIOS boots; it comes with the modules.
const HYBRID: &str = "i386-pc/boot_hybrid.img";
/// The module that starts the image, as the one for UEFI.
const UEFI: &str = "x86_64-efi/multiboot.mod";

/// All of them, found.
pub struct Tools {
    /// GRUB's maker of images.
    pub grub_mkimage: PathBuf,
    /// The maker of ISO 9660 file systems.
    pub xorriso: PathBuf,
    /// The boot sector.
    pub hybrid: PathBuf,
}

impl Tools {
    /// All of them, or the sentence that says which packages to install.
    pub fn find() -> Result<Self, Failure> {
        let mut packages = Vec::new();
        let mut need = |package, path: Option<PathBuf>| {
            if path.is_none() {
                packages.push(package);
            }
            path
        };
        let module = |path| Some(Path::new(GRUB_FOLDER).join(path)).filter(|path| path.is_file());
        let grub_mkimage = need("grub-common", in_path("grub-mkimage").or_else(|| in_path("grub2-mkimage")));
        let hybrid = need("grub-pc-bin", module(HYBRID));
        let uefi = need("grub-efi-amd64-bin", module(UEFI));
        let xorriso = need("xorriso", in_path("xorriso"));
        match (grub_mkimage, hybrid, uefi, xorriso) {
            (Some(grub_mkimage), Some(hybrid), Some(_), Some(xorriso)) => {
                Ok(Self { grub_mkimage, xorriso, hybrid })
            }
            _ => Err(Failure::new(format!(
                "disks are made with GRUB 2 and xorriso, not all of which is installed: apt-get install {} (Debian, Ubuntu)",
                packages.join(" ")
            ))),
        }
    }

    /// `grub-mkimage`.
    pub fn grub_mkimage(&self) -> Command {
        Command::new(&self.grub_mkimage)
    }

    /// xorriso, without what its configuration files and the environment would add.
    pub fn xorriso(&self) -> Command {
        let mut command = Command::new(&self.xorriso);
        command.env_remove("SOURCE_DATE_EPOCH").arg("-no_rc");
        command
    }
}

/// Runs a tool; what it says is kept for the sentence that says how it failed.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let program = Path::new(command.get_program()).file_name().unwrap_or(OsStr::new("tool"));
    let program = program.to_string_lossy().into_owned();
    command.env("LC_ALL", "C").env("TZ", "UTC").stdin(Stdio::null());
    let output = command
        .output()
        .map_err(|error: io::Error| Failure::new(format!("{program} cannot be run: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("nothing");
    Err(Failure::new(format!("{program} ended with {}, saying: {last}", output.status)))
}

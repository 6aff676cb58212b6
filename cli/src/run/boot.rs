//! How the machine comes to the image: QEMU loads it, or firmware starts a disk that holds it.
//!
//! A disk starts with what was baked in: nothing passes words on the kernel command line to it.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use rump_config::Stdio;
use rumpbake_linker::{FileKind, Report, Target};

use super::{Args, Firmware, Machine};
use crate::disk::{self, Disk, Medium};
use crate::failure::Failure;
use crate::tools;

/// The way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Boot {
    /// QEMU loads the image and hands it the kernel command line, which may be empty.
    Kernel {
        /// The words.
        command_line: String,
        /// What the program's descriptors 0 to 2 are.
        stdio: Stdio,
        /// The image holds a network.
        has_network: bool,
    },
    /// Firmware starts the boot loader on it.
    Disk {
        /// The disk.
        disk: Disk,
        /// The file with UEFI; without it the machine's BIOS.
        uefi: Option<PathBuf>,
        /// The image on it holds a network, or there is no telling.
        has_network: bool,
    },
}

impl Boot {
    /// The machine where the user names none.
    pub fn default_machine(&self) -> Machine {
        match self {
            Self::Kernel { .. } => Machine::Microvm,
            // The other one's IDE takes five times as long to read a large image.
            Self::Disk { .. } => Machine::Q35,
        }
    }

    /// Whether the image holds a network.
    pub fn has_network(&self) -> bool {
        match self {
            Self::Kernel { has_network, .. } | Self::Disk { has_network, .. } => *has_network,
        }
    }

    /// What the program's descriptors 0 to 2 are.
    pub fn stdio(&self) -> Stdio {
        match self {
            Self::Kernel { stdio, .. } => *stdio,
            Self::Disk { disk, .. } => disk.stdio,
        }
    }
}

/// Looks at the file and at the options that have to do with it.
pub fn boot(args: &Args) -> Result<Boot, Failure> {
    let path = args.image.display();
    let disk = Disk::recognize(&args.image)
        .map_err(|error| Failure::new(format!("{path}: cannot be read: {error}")))?;
    match disk {
        Some(disk) => of_disk(args, disk),
        None => of_image(args),
    }
}

fn of_disk(args: &Args, disk: Disk) -> Result<Boot, Failure> {
    let path = args.image.display();
    if args.machine == Some(Machine::Microvm) {
        return Err(Failure::new(format!(
            "{path}: microvm has no firmware that starts disks; leave --machine out, or name pc or q35"
        )));
    }
    let configured = args.configuration.config()?.to_json() != "{}";
    if configured || args.append.as_deref().is_some_and(|words| !words.trim().is_empty()) {
        return Err(Failure::new(format!(
            "{path}: a disk starts with the arguments and the configuration that were baked in; \
             give them to rumpbake hw, or run an image made with --format elf"
        )));
    }
    let uefi = match args.firmware {
        Firmware::Bios => None,
        Firmware::Uefi => Some(tools::uefi().ok_or_else(|| {
            Failure::new(format!("UEFI for QEMU is not installed; {}", tools::UEFI_ADVICE))
        })?),
    };
    // The tools that look into a disk may be missing; then a card that nobody uses does no harm.
    let image = disk::image_in(&args.image).ok().flatten();
    let report = image.and_then(|image| rumpbake_linker::inspect(image.path()).ok());
    Ok(Boot::Disk { disk, uefi, has_network: report.is_none_or(|report| report.has_network()) })
}

/// What the image is; `baker` is the subcommand that makes the right one of a program.
pub fn image_report(args: &Args, baker: &str) -> Result<Report, Failure> {
    let path = args.image.display();
    let report = rumpbake_linker::inspect(&args.image)?;
    match report.kind {
        FileKind::Image => Ok(report),
        FileKind::StaticExecutable | FileKind::DynamicExecutable => Err(Failure::new(format!(
            "{path}: this is a program, not an image; bake it first: rumpbake {baker} {path}"
        ))),
    }
}

/// Where the image ends in the machine's memory, KiB.
pub fn end_kib(report: &Report) -> u64 {
    report.parts.iter().map(|part| part.address + part.bytes).max().unwrap_or(0).div_ceil(1024)
}

/// What descriptors 0 to 2 of a program are that is run here.
pub fn stdio() -> Stdio {
    if io::stdin().is_terminal() { Stdio::Terminal } else { Stdio::Pipe }
}

fn of_image(args: &Args) -> Result<Boot, Failure> {
    let path = args.image.display();
    let report = image_report(args, "hw")?;
    if report.target == Some(Target::Xen) {
        return Err(Failure::new(format!(
            "{path}: this is an image for Xen; run it with --xen, or bake the program with rumpbake hw"
        )));
    }
    // A machine in which the image itself has no room is silent.
    let end_kib = end_kib(&report);
    if args.memory < end_kib {
        return Err(Failure::new(format!(
            "{path}: the image lies in the first {end_kib} KiB of memory, and the machine has {} KiB; give it more with -m",
            args.memory
        )));
    }
    if args.firmware == Firmware::Uefi {
        return Err(Failure::new(format!(
            "{path}: UEFI starts disks only; make one with: rumpbake hw --format iso"
        )));
    }
    let stdio = stdio();
    Ok(Boot::Kernel { command_line: command_line(args, stdio)?, stdio, has_network: report.has_network() })
}

/// The options' configuration as one JSON object, then `--append`. Descriptors 0 to 2 are a terminal if standard input is one.
/// JSON rather than words, because QEMU and boot loaders
/// put words of their own at the end, which must not become the program's arguments.
pub fn command_line(args: &Args, stdio: Stdio) -> Result<String, Failure> {
    let mut config = args.configuration.config()?;
    if stdio == Stdio::Pipe {
        config.stdio = Some(Stdio::Pipe);
    }
    let json = config.to_json();
    let append = args.append.as_deref().unwrap_or_default();
    Ok(match (json.as_str(), append) {
        ("{}", append) => append.into(),
        (json, "") => json.into(),
        (json, append) => format!("{json} {append}"),
    })
}

/// The medium as QEMU's option `-drive` describes it, without the file.
pub fn drive(medium: Medium) -> &'static str {
    match medium {
        // What is written to the disk is forgotten: an image that runs twice is the same twice.
        Medium::Raw => "if=ide,media=disk,snapshot=on,format=raw,file=",
        Medium::Iso => "if=ide,media=cdrom,readonly=on,format=raw,file=",
    }
}

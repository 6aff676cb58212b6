//! `rumpbake hw`: an image for bare metal x86-64.

use std::path::Path;

use clap::ValueEnum;
use rump_config::Stdio;
use rumpbake_linker::{BakeOptions, Image, Multiboot, Target, write_file};

use crate::bake::BakeArgs;
use crate::disk::{Disk, Medium, tools::Tools};
use crate::failure::{Failure, Outcome};

/// Arguments of `rumpbake hw`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake hw server.elf -o server.img --root www --env PORT=8080 -- --verbose
  rumpbake hw server.elf --format iso -o server.iso

Disks (iso, raw) are made with GRUB 2 and xorriso; `rumpbake doctor` says whether they are there.")]
pub struct Args {
    #[command(flatten)]
    bake: BakeArgs,
    /// The image's format
    #[arg(long, value_enum, default_value_t = Format::Elf)]
    format: Format,
    /// How `qemu -kernel` starts the image; boot loaders find the multiboot header either way
    #[arg(long, value_enum, default_value_t = Boot::Pvh)]
    boot: Boot,
}

/// What kind of file an image is.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// An ELF file that PVH and multiboot 1 loaders start
    Elf,
    /// A CD with GRUB 2, for BIOS and UEFI
    Iso,
    /// A disk with GRUB 2, for BIOS and UEFI
    Raw,
}

impl Format {
    /// What the file's name ends with if the user gives none.
    fn ending(self) -> &'static str {
        match self {
            Self::Elf => ".img",
            Self::Iso => ".iso",
            Self::Raw => ".raw",
        }
    }

    /// The medium, if it is one with a boot loader.
    fn medium(self) -> Option<Medium> {
        match self {
            Self::Elf => None,
            Self::Iso => Some(Medium::Iso),
            Self::Raw => Some(Medium::Raw),
        }
    }
}

/// What QEMU takes the image for.
#[derive(Clone, Copy, ValueEnum)]
enum Boot {
    /// PVH, on every machine
    Pvh,
    /// Multiboot 1
    Multiboot,
}

/// Bakes.
pub fn bake(args: &Args) -> Outcome {
    let output = args.bake.output(args.format.ending())?;
    let config = args.bake.config()?;
    let disk =
        args.format.medium().map(|medium| Disk { medium, stdio: config.stdio.unwrap_or(Stdio::Terminal) });
    // Before the work, of which nothing would come.
    let tools = disk.map(|disk| Tools::find().map(|tools| (disk, tools))).transpose()?;
    let multiboot = match args.boot {
        Boot::Pvh => Multiboot::BootLoaders,
        Boot::Multiboot => Multiboot::Everyone,
    };
    let options = BakeOptions { multiboot, ..BakeOptions::default() };
    args.bake.bake(Target::Hw, &config, options, &output, |image| match &tools {
        None => {
            image.write(&output)?;
            Ok(image.bytes().len())
        }
        Some((disk, tools)) => write_disk(*disk, tools, image, &output),
    })
}

/// Makes and writes the disk; returns its length.
fn write_disk(disk: Disk, tools: &Tools, image: &Image, output: &Path) -> Result<usize, Failure> {
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::new(format!("a temporary folder cannot be made: {error}")))?;
    let bytes = disk.make(tools, image.bytes(), folder.path())?;
    // The map and the symbol file, if the options named them; the image itself has served.
    image.write(&folder.path().join("image"))?;
    write_file(output, &[&bytes])?;
    Ok(bytes.len())
}

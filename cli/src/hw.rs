//! `rumpbake hw`: an image for bare metal x86-64.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rump_config::{Config, Stdio};
use rumpbake_linker::{App, BakeOptions, Image, Multiboot, Target, bake as bake_image};

use crate::config_args::ConfigArgs;
use crate::disk::{self, Disk, Medium, tools::Tools};
use crate::failure::{Failure, Outcome};
use crate::{output, progress};

/// Arguments of `rumpbake hw`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake hw server.elf -o server.img --root www --env PORT=8080 -- --verbose
  rumpbake hw server.elf --format iso -o server.iso

Disks (iso, raw) are made with GRUB 2 and xorriso; `rumpbake doctor` says whether they are there.")]
pub struct Args {
    /// The program: an executable for NetBSD/amd64
    program: PathBuf,
    /// The image to write; without it the program's name with the ending .img, .iso or .raw
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Make this directory's content the root file system
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Bake the configuration in this JSON file in; options below win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Put these kernel components in; for a static program, these instead of all
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    components: Option<Vec<String>>,
    /// Leave out the function names that make backtraces readable
    #[arg(long)]
    strip: bool,
    /// Write what lies where in the image to this file
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Write an ELF file with all symbols, for debuggers
    #[arg(long, value_name = "FILE")]
    symbols: Option<PathBuf>,
    /// The image's format
    #[arg(long, value_enum, default_value_t = Format::Elf)]
    format: Format,
    /// How `qemu -kernel` starts the image; boot loaders find the multiboot header either way
    #[arg(long, value_enum, default_value_t = Boot::Pvh)]
    boot: Boot,
    /// Print nothing where all goes well
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    configuration: ConfigArgs,
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
    fn extension(self) -> &'static str {
        match self {
            Self::Elf => "img",
            Self::Iso => "iso",
            Self::Raw => "raw",
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
    let output = args.output.clone().unwrap_or_else(|| args.program.with_extension(args.format.extension()));
    if same_file(&args.program, &output) {
        return Err(Failure::new(format!("{}: the image would overwrite the program", output.display())));
    }
    let config = configuration(args)?;
    let disk =
        args.format.medium().map(|medium| Disk { medium, stdio: config.stdio.unwrap_or(Stdio::Terminal) });
    // Before the work, of which nothing would come.
    let tools = disk.map(|disk| Tools::find().map(|tools| (disk, tools))).transpose()?;
    let options = BakeOptions {
        components: args.components.clone(),
        root: args.root.clone(),
        config_json: config.to_json().into_bytes(),
        strip: args.strip,
        map: args.map.clone(),
        symbols: args.symbols.clone(),
        multiboot: match args.boot {
            Boot::Pvh => Multiboot::BootLoaders,
            Boot::Multiboot => Multiboot::Everyone,
        },
    };
    let (image, file_bytes) = progress::during("baking", || {
        let app = App::read(&args.program)?;
        let image = bake_image(&app, Target::Hw, &options)?;
        let bytes = match &tools {
            None => {
                image.write(&output)?;
                image.bytes().len()
            }
            Some((disk, tools)) => write_disk(*disk, tools, &image, &output)?,
        };
        Ok::<_, Failure>((image, bytes))
    })?;
    if !args.quiet {
        let names: Vec<_> =
            image.report().components.iter().map(|component| component.name.as_str()).collect();
        let bytes = output::size(file_bytes as u64);
        output::print(&format!("{}: {bytes} ({})\n", output.display(), names.join(", ")))?;
    }
    Ok(0)
}

/// Makes and writes the disk; returns its length.
fn write_disk(disk: Disk, tools: &Tools, image: &Image, output: &Path) -> Result<usize, Failure> {
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::new(format!("a temporary folder cannot be made: {error}")))?;
    let bytes = disk.make(tools, image.bytes(), folder.path())?;
    // The map and the symbol file, if the options named them; the image itself has served.
    image.write(&folder.path().join("image"))?;
    disk::write(output, &bytes)?;
    Ok(bytes.len())
}

/// What is baked in: the program's name, under the file given, under the options.
fn configuration(args: &Args) -> Result<Config, Failure> {
    let mut config = Config::default();
    if let Some(name) = args.program.file_name().and_then(|name| name.to_str()) {
        config.argv0 = Some(name.into());
    }
    if let Some(path) = &args.config {
        let bytes = std::fs::read(path)
            .map_err(|error| Failure::new(format!("{}: cannot be read: {error}", path.display())))?;
        let file =
            Config::parse(&bytes).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        config = config.overlay(file);
    }
    Ok(config.overlay(args.configuration.config()?))
}

fn same_file(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

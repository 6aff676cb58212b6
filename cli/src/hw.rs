//! `rumpbake hw`: an image for bare metal x86-64.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rump_config::Config;
use rumpbake_linker::{App, BakeOptions, Multiboot, Target, bake as bake_image};

use crate::config_args::ConfigArgs;
use crate::failure::{Failure, Outcome};
use crate::{output, progress};

/// Arguments of `rumpbake hw`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake hw server.elf -o server.img --root www --env PORT=8080 -- --verbose")]
pub struct Args {
    /// The program: an executable for NetBSD/amd64
    program: PathBuf,
    /// The image to write; without it the program's name with the ending .img
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
}

/// Bakes.
pub fn bake(args: &Args) -> Outcome {
    let output = args.output.clone().unwrap_or_else(|| args.program.with_extension("img"));
    if same_file(&args.program, &output) {
        return Err(Failure::new(format!("{}: the image would overwrite the program", output.display())));
    }
    let config = configuration(args)?;
    let Format::Elf = args.format;
    let options = BakeOptions {
        components: args.components.clone(),
        root: args.root.clone(),
        config_json: config.to_json().into_bytes(),
        strip: args.strip,
        map: args.map.clone(),
        symbols: args.symbols.clone(),
        multiboot: Multiboot::default(),
    };
    let image = progress::during("baking", || {
        let app = App::read(&args.program)?;
        let image = bake_image(&app, Target::Hw, &options)?;
        image.write(&output)?;
        Ok::<_, rumpbake_linker::Error>(image)
    })?;
    if !args.quiet {
        let names: Vec<_> =
            image.report().components.iter().map(|component| component.name.as_str()).collect();
        let bytes = output::size(image.bytes().len() as u64);
        output::print(&format!("{}: {bytes} ({})\n", output.display(), names.join(", ")))?;
    }
    Ok(0)
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

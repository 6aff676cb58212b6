//! What baking is for every platform: the program, the image's content and its configuration.

use std::path::{Path, PathBuf};

use rump_config::Config;
use rumpbake_linker::{App, BakeOptions, Image, RumpOptions, Target, bake};

use crate::config_args::ConfigArgs;
use crate::failure::{Failure, Outcome};
use crate::{output, progress};

/// Arguments of every subcommand that bakes.
#[derive(clap::Args)]
pub struct BakeArgs {
    /// The program: an executable for NetBSD/amd64
    program: PathBuf,
    /// The image to write; without it the program's name with another ending
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
    /// Take the rump kernel whose static libraries (librump.a and others) are in this directory: it serves files and sockets
    #[arg(long, value_name = "DIR")]
    rump_libs: Option<PathBuf>,
    /// Components of that rump kernel, by their libraries: vfs for librumpvfs.a
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', requires = "rump_libs")]
    rump_components: Vec<String>,
    /// Leave out the function names that make backtraces readable
    #[arg(long)]
    strip: bool,
    /// Write what lies where in the image to this file
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Write an ELF file with all symbols, for debuggers
    #[arg(long, value_name = "FILE")]
    symbols: Option<PathBuf>,
    /// Print nothing where all goes well
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    configuration: ConfigArgs,
}

impl BakeArgs {
    /// The image's file: the one that the user names, or the program's name with this instead of its ending.
    pub fn output(&self, ending: &str) -> Result<PathBuf, Failure> {
        let own = || {
            let mut name = self.program.file_stem().unwrap_or_default().to_owned();
            name.push(ending);
            self.program.with_file_name(name)
        };
        let output = self.output.clone().unwrap_or_else(own);
        if same_file(&self.program, &output) {
            return Err(Failure::new(format!(
                "{}: the image would overwrite the program; name another file with -o",
                output.display()
            )));
        }
        Ok(output)
    }

    /// What is baked in: the program's name, under the file given, under the options.
    pub fn config(&self) -> Result<Config, Failure> {
        let mut config = Config::default();
        if let Some(name) = self.program.file_name().and_then(|name| name.to_str()) {
            config.argv0 = Some(name.into());
        }
        if let Some(path) = &self.config {
            let bytes = std::fs::read(path)
                .map_err(|error| Failure::new(format!("{}: cannot be read: {error}", path.display())))?;
            let file = Config::parse(&bytes)
                .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
            config = config.overlay(file);
        }
        Ok(config.overlay(self.configuration.config()?))
    }

    /// Bakes for a platform, with what it adds to the options; `write` writes the image and returns the file's length.
    pub fn bake(
        &self,
        target: Target,
        config: &Config,
        platform: BakeOptions,
        output: &Path,
        write: impl FnOnce(&Image) -> Result<usize, Failure>,
    ) -> Outcome {
        let options = BakeOptions {
            components: self.components.clone(),
            root: self.root.clone(),
            config_json: config.to_json().into_bytes(),
            strip: self.strip,
            map: self.map.clone(),
            symbols: self.symbols.clone(),
            rump: self
                .rump_libs
                .clone()
                .map(|libraries| RumpOptions { libraries, components: self.rump_components.clone() }),
            ..platform
        };
        let (image, file_bytes) = progress::during("baking", || {
            let app = App::read(&self.program)?;
            let image = bake(&app, target, &options)?;
            let bytes = write(&image)?;
            Ok::<_, Failure>((image, bytes))
        })?;
        if !self.quiet {
            let names: Vec<_> =
                image.report().components.iter().map(|component| component.name.as_str()).collect();
            let bytes = output::size(file_bytes as u64);
            output::print(&format!("{}: {bytes} ({})\n", output.display(), names.join(", ")))?;
        }
        Ok(0)
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

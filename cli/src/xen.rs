//! `rumpbake xen`: an image that is a guest of Xen, paravirtual or PVH.
//!
//! A PVH guest is an image for bare metal with a component more, and runs there as well.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rump_config::Config;
use rumpbake_linker::{BakeOptions, Target, write_file};

use crate::bake::BakeArgs;
use crate::failure::{Failure, Outcome};

/// Arguments of `rumpbake xen`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake xen server.elf -o server-xen.img --xl-config server.cfg --env PORT=8080 -- --verbose
  xl create server.cfg

The image is the kernel of a guest; its console is Xen's. How the program ended is the console's last line, and in the guest's
node data/rumpbake/status of xenstore. `rumpbake run --xen` boots an image of type pv under QEMU; one of type pvh is an image for
bare metal as well, and `rumpbake run` boots it.")]
pub struct Args {
    #[command(flatten)]
    bake: BakeArgs,
    /// What kind of guest the image is, as in xl's configuration
    #[arg(long = "type", value_enum, default_value_t = Kind::Pv)]
    kind: Kind,
    /// Write a configuration for xl to this file; change in it what you like
    #[arg(long, value_name = "FILE")]
    xl_config: Option<PathBuf>,
}

/// What kind of guest an image is.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Paravirtual: needs nothing of the processor for virtual machines
    Pv,
    /// A virtual machine with Xen's devices; the image also runs on bare metal
    Pvh,
}

impl Kind {
    /// As xl has it.
    fn name(self) -> &'static str {
        match self {
            Self::Pv => "pv",
            Self::Pvh => "pvh",
        }
    }

    /// The platform.
    fn target(self) -> Target {
        match self {
            Self::Pv => Target::Xen,
            Self::Pvh => Target::Hw,
        }
    }
}

/// Bakes.
pub fn bake(args: &Args) -> Outcome {
    let output = args.bake.output("-xen.img")?;
    let config = args.bake.config()?;
    // Says what is wrong before baking.
    vifs(&config)?;
    let options = BakeOptions { xen_guest: args.kind == Kind::Pvh, ..BakeOptions::default() };
    args.bake.bake(args.kind.target(), &config, options, &output, |image| {
        // The image last, as beside maps: where something else cannot be written there is none.
        if let Some(path) = &args.xl_config {
            let end = image.report().parts.iter().map(|part| part.address + part.bytes).max().unwrap_or(0);
            write_file(path, &[xl_config(&output, args.kind, &config, end)?.as_bytes()])?;
        }
        image.write(&output)?;
        Ok(image.bytes().len())
    })
}

/// A guest's configuration (xl.cfg(5)) for an image that ends at address `end`.
fn xl_config(image: &Path, kind: Kind, config: &Config, end: u64) -> Result<String, Failure> {
    /// Memory beside the image: the program's own, tables, stacks. MiB.
    const BESIDE_MIB: u64 = 16;
    let fail = |why: String| Failure::new(format!("{}: {why}", image.display()));
    // The image is not there yet.
    let kernel = std::path::absolute(image).map_err(|error| fail(error.to_string()))?;
    let kernel = kernel.to_str().filter(|path| !path.contains(['"', '\n']));
    let kernel =
        kernel.ok_or_else(|| fail("xl takes no file whose name has quotes or is not UTF-8".into()))?;
    let stem = image.file_stem().unwrap_or_default().to_string_lossy();
    let name = config.hostname.as_deref().unwrap_or(&stem);
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let mut text = String::new();
    for (key, value) in [
        ("name", format!("\"{name}\"")),
        ("type", format!("\"{}\"", kind.name())),
        ("kernel", format!("\"{kernel}\"")),
        ("memory", (end.div_ceil(1 << 20) + BESIDE_MIB).to_string()),
        ("vcpus", "1".into()),
        ("on_poweroff", "\"destroy\"".into()),
        ("on_reboot", "\"restart\"".into()),
        ("on_crash", "\"destroy\"".into()),
    ] {
        // A string takes everything.
        let _ = writeln!(text, "{key} = {value}");
    }
    let vifs = vifs(config)?;
    if !vifs.is_empty() {
        let _ = writeln!(text, "vif = [{}]", vifs.join(", "));
    }
    Ok(text)
}

/// A guest's network devices: one for each interface up to the last that the configuration names, each on xl's own bridge.
fn vifs(config: &Config) -> Result<Vec<&'static str>, Failure> {
    /// The most that the driver has grants for, with enough left for what they send.
    const MOST: usize = 4;
    let mut count = 0;
    for interface in config.net.interfaces.iter().flatten().filter(|interface| interface.name != "lo0") {
        let number = interface.name.strip_prefix("xennet").and_then(|number| number.parse::<usize>().ok());
        let number = number.filter(|&number| number < MOST).ok_or_else(|| {
            let name = &interface.name;
            Failure::new(format!(
                "the configuration names the interface {name}, which a guest of Xen has not; its interfaces are xennet0 to xennet{}",
                MOST - 1
            ))
        })?;
        count = count.max(number + 1);
    }
    Ok(vec!["\"bridge=xenbr0\""; count])
}

#[cfg(test)]
mod tests {
    use super::{Kind, xl_config};
    use rump_config::Config;

    #[test]
    fn interfaces_that_are_configured_are_devices_of_the_guest() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("server.img");
        std::fs::write(&image, "").unwrap();
        let text = |names: &[&str]| {
            let list: Vec<String> = names.iter().map(|name| format!("{{\"name\":\"{name}\"}}")).collect();
            let json = format!("{{\"net\":{{\"interfaces\":[{}]}}}}", list.join(","));
            xl_config(&image, Kind::Pv, &Config::parse(json.as_bytes()).unwrap(), 0)
                .map_err(|error| error.to_string())
        };
        assert!(!text(&[]).unwrap().contains("vif"));
        assert!(text(&["xennet0"]).unwrap().ends_with("\nvif = [\"bridge=xenbr0\"]\n"));
        assert!(
            text(&["lo0", "xennet1"]).unwrap().ends_with("\nvif = [\"bridge=xenbr0\", \"bridge=xenbr0\"]\n")
        );
        for name in ["vioif0", "xennet4", "xennet"] {
            let said = text(&[name]).unwrap_err();
            assert!(
                said.contains(&format!("names the interface {name}, which a guest of Xen has not")),
                "{said}"
            );
        }
    }

    #[test]
    fn a_guest_is_named_after_its_host_name_or_its_image() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("my server.img");
        std::fs::write(&image, "").unwrap();
        let mut config = Config::default();
        let text = xl_config(&image, Kind::Pv, &config, 3 << 20).unwrap();
        assert!(text.starts_with("name = \"my-server\"\ntype = \"pv\"\nkernel = \"/"), "{text}");
        assert!(text.contains("my server.img\"\nmemory = 19\nvcpus = 1\n"), "{text}");
        let text = xl_config(&image, Kind::Pvh, &config, 0).unwrap();
        assert!(text.contains("\ntype = \"pvh\"\n"), "{text}");
        config.hostname = Some("web.example".into());
        assert!(xl_config(&image, Kind::Pv, &config, 0).unwrap().starts_with("name = \"web.example\"\n"));
        let quoted = folder.path().join("a\"b.img");
        std::fs::write(&quoted, "").unwrap();
        assert!(xl_config(&quoted, Kind::Pv, &config, 0).is_err());
    }
}

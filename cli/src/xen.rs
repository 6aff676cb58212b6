//! `rumpbake xen`: an image that is a paravirtual guest of Xen.

use rumpbake_linker::{Multiboot, Target};

use crate::bake::BakeArgs;
use crate::failure::Outcome;

/// Arguments of `rumpbake xen`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake xen server.elf -o server-xen.img --env PORT=8080 -- --verbose
  rumpbake run --xen server-xen.img

The image is the kernel of a guest of type \"pv\"; its console is Xen's.")]
pub struct Args {
    #[command(flatten)]
    bake: BakeArgs,
}

/// Bakes.
pub fn bake(args: &Args) -> Outcome {
    let output = args.bake.output("-xen.img")?;
    let config = args.bake.config()?;
    args.bake.bake(Target::Xen, &config, Multiboot::default(), &output, |image| {
        image.write(&output)?;
        Ok(image.bytes().len())
    })
}

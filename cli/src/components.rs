//! `rumpbake components`: what images can be made of.

use std::fmt::Write as _;

use rumpbake_linker::Target;

use crate::failure::Outcome;
use crate::{inspect, output};

/// Arguments of `rumpbake components`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake components
  rumpbake hw server.elf --components tmpfs,mem")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lists them.
pub fn list(args: &Args) -> Outcome {
    let components = rumpbake_linker::components(Target::Hw)?;
    if args.json {
        output::print(&inspect::json(&components)?)?;
        return Ok(0);
    }
    let mut out = format!("{:<12} {:<8} {:<20} what it is\n", "name", "faction", "needs");
    for component in &components {
        let needs = component.needs.join(" ");
        // Writing to a String does not fail.
        let _ =
            writeln!(out, "{:<12} {:<8} {needs:<20} {}", component.name, component.faction, component.about);
    }
    output::print(&out)?;
    Ok(0)
}

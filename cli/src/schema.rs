//! `rumpbake schema`: the JSON schema of the boot-time configuration, which docs/config.schema.json holds too.

use crate::failure::{Failure, Outcome};
use crate::output;

/// Arguments of `rumpbake schema`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake schema > docs/config.schema.json")]
pub struct Args {}

/// Prints the schema.
pub fn print(_args: &Args) -> Outcome {
    let schema = rump_config::schema().map_err(|error| Failure::new(error.to_string()))?;
    output::print(&schema)?;
    Ok(0)
}

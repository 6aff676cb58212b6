//! `rumpbake completions`: a completion script for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::failure::Outcome;
use crate::output;

/// Arguments of `rumpbake completions`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake completions bash > ~/.local/share/bash-completion/completions/rumpbake")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub fn print(args: &Args) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Cli::command(), "rumpbake", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

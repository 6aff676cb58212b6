//! The project's own commands: set-up, demo, test, abi, conformance.

mod abi;
mod tools;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "rumpbake's own commands", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write crate rump-abi and the symbol lists from NetBSD's headers and libraries
    Abi {
        /// Write nothing; fail if something differs
        #[arg(long)]
        check: bool,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Abi { check } => abi::run(if check { abi::Mode::Check } else { abi::Mode::Write }),
    }
}

//! The project's own commands: set-up, demo, test, conformance, bench, abi, compat.
#![deny(unsafe_code)]

mod abi;
mod bench;
mod compat;
mod demo;
#[cfg(test)]
mod layers;
mod rumpuser;
mod setup;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "rumpbake's own commands", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch what building and testing need: QEMU, the C compiler for NetBSD, a NetBSD program
    Setup,
    /// Build, bake and boot the sample applications
    Demo,
    /// Run everything that has to pass, on the host and in QEMU
    Test,
    /// Run the outside test suites, which take long
    Conformance {
        /// Only the tests of Go's standard library, on this platform
        #[arg(long, value_enum)]
        platform: Option<test::Platform>,
        /// Only the tests of these packages of Go's standard library
        packages: Vec<String>,
    },
    /// Measure rumpbake side by side with a Linux guest, or with another revision
    Bench(bench::Args),
    /// Write crate rump-abi and the symbol list from NetBSD's headers and libraries
    Abi {
        /// Write nothing; fail if something differs
        #[arg(long)]
        check: bool,
    },
    /// Write the tables of what is implemented of NetBSD's interfaces, docs/compat-*.md and docs/rumpuser.md
    Compat {
        /// Write nothing; fail if something differs
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    // A backtrace, which anyhow adds when asked for by the environment, says nothing that the chain of causes does not.
    if let Err(error) = run() {
        eprintln!("xtask: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run() -> Result<()> {
    match Arguments::parse().command {
        Command::Setup => setup::run(),
        Command::Demo => demo::run(),
        Command::Test => test::run(),
        Command::Conformance { platform, packages } => test::conformance(platform, &packages),
        Command::Bench(args) => bench::run(&args),
        Command::Abi { check } => abi::run(mode(check)),
        Command::Compat { check } => compat::run(mode(check)),
    }
}

fn mode(check: bool) -> abi::Mode {
    if check { abi::Mode::Check } else { abi::Mode::Write }
}

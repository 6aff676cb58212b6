//! The command `rumpbake`: bakes one NetBSD/amd64 program into a bootable image, and runs it under QEMU.
//!
//! One module per subcommand. A subcommand returns the exit status or a [`failure::Failure`], which is printed as one sentence:
//! `rumpbake: …`, exit status 1. Usage errors are clap's, exit status 2. `unsafe` is confined to one block in [`run`],
//! which a child process that must not outlive its parent needs.
#![deny(unsafe_code)]

mod bake;
mod cc;
mod completions;
mod components;
mod config_args;
mod disk;
mod doctor;
mod failure;
mod hw;
mod inspect;
mod output;
mod progress;
mod run;
mod schema;
mod tools;
mod xen;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Bake one NetBSD/amd64 program into a bootable image.
///
/// The image holds the program and exactly the kernel components that it needs; nothing else runs in it.
#[derive(Parser)]
#[command(name = "rumpbake", version, max_term_width = 100, after_help = EXAMPLE)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLE: &str = "Example:
  rumpbake cc -O2 hello.c -o hello.elf
  rumpbake hw hello.elf -o hello.img
  rumpbake run hello.img -- arg1 arg2";

#[derive(Subcommand)]
enum Command {
    /// Compile and link C for NetBSD/amd64 with zig
    Cc(cc::Args),
    /// Compile and link C++ for NetBSD/amd64 with zig
    #[command(name = "c++")]
    Cxx(cc::CxxArgs),
    /// Bake a program into an image for bare metal x86-64 and QEMU
    Hw(hw::Args),
    /// Bake a program into an image that is a guest of Xen
    Xen(xen::Args),
    /// Run an image under QEMU: console on stdout, the program's exit status passed on
    Run(run::Args),
    /// Show what a program or an image is made of
    Inspect(inspect::Args),
    /// List the kernel components
    Components(components::Args),
    /// Show which tools are installed and how to get those that are missing
    Doctor(doctor::Args),
    /// Print a script that completes rumpbake's arguments in a shell
    Completions(completions::Args),
    /// Print the JSON schema of the boot-time configuration
    Schema(schema::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Cc(args) => cc::compile(cc::Language::C, &args.arguments),
        Command::Cxx(args) => cc::compile(cc::Language::Cxx, &args.arguments),
        Command::Hw(args) => hw::bake(&args),
        Command::Xen(args) => xen::bake(&args),
        Command::Run(args) => run::run(&args),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Components(args) => components::list(&args),
        Command::Doctor(args) => doctor::examine(&args),
        Command::Completions(args) => completions::print(&args),
        Command::Schema(args) => schema::print(&args),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            eprintln!("rumpbake: {failure}");
            ExitCode::FAILURE
        }
    }
}

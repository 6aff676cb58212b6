//! `rumpbake cc` and `rumpbake c++`: zig's C and C++ compiler with NetBSD/amd64 as its target.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::tools;

/// The target that every program is built for. The compiler's headers are those of NetBSD 11, whatever release is named, and let kevent(2)
/// and dup3(2) be functions that only the libc of that release has; nothing else differs.
pub const TARGET: &str = "x86_64-netbsd.11.0";

/// What is compiled.
#[derive(Clone, Copy)]
pub enum Language {
    /// C.
    C,
    /// C++.
    Cxx,
}

/// Arguments of `rumpbake cc`: all of them are the compiler's.
#[derive(clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Example:
  rumpbake cc -O2 hello.c -o hello.elf

All arguments go to zig's clang, after `-target x86_64-netbsd.11.0`. zig is looked for in $RUMPBAKE_ZIG, in PATH,
in the checkout's .tools, and as the Python package ziglang."
)]
pub struct Args {
    /// What the compiler is called with
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    pub arguments: Vec<OsString>,
}

/// Arguments of `rumpbake c++`: all of them are the compiler's.
#[derive(clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Example:
  rumpbake c++ -O2 hello.cc -o hello.elf

All arguments go to zig's clang++, after `-target x86_64-netbsd.11.0`; libc++ is linked statically."
)]
pub struct CxxArgs {
    /// What the compiler is called with
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    pub arguments: Vec<OsString>,
}

/// Becomes the compiler; returns only if that fails.
pub fn compile(language: Language, arguments: &[OsString]) -> Outcome {
    let Some(zig) = tools::zig() else {
        return Err(Failure::new(format!("the compiler zig was not found; {}", tools::ZIG_ADVICE)));
    };
    let driver = match language {
        Language::C => "cc",
        Language::Cxx => "c++",
    };
    let mut command = Command::new(&zig.program);
    command.args(&zig.prefix).args([driver, "-target", TARGET]).args(arguments);
    let error = command.exec();
    Err(Failure::new(format!("{}: cannot be run: {error}; {}", zig.program.display(), tools::ZIG_ADVICE)))
}

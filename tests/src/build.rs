//! Building programs for NetBSD/amd64 with stock tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Image, rumpbake, run, work_dir, workspace};

/// A program for NetBSD.
pub struct Program {
    /// The ELF file.
    pub elf: PathBuf,
}

impl Program {
    /// Bakes the program for bare metal.
    pub fn bake(&self) -> Image {
        self.bake_with(&[])
    }

    /// Bakes the program for bare metal with further options.
    pub fn bake_with(&self, options: &[&str]) -> Image {
        let image = self.elf.with_extension("img");
        run(rumpbake().arg("hw").arg(&self.elf).arg("-o").arg(&image).args(options));
        Image { path: image }
    }
}

fn source(path: &str) -> PathBuf {
    workspace().join("tests/programs").join(path)
}

fn compile(driver: &str, name: &str, sources: &[PathBuf], flags: &[&str]) -> Program {
    let elf = work_dir(name).join(format!("{name}.elf"));
    run(rumpbake().arg(driver).args(["-O2", "-Wall"]).args(flags).args(sources).arg("-o").arg(&elf));
    Program { elf }
}

/// A C program from `programs/c/NAME.c`.
pub fn c(name: &str) -> Program {
    compile("cc", name, &[source(&format!("c/{name}.c"))], &["-Werror"])
}

/// A C++ program from `programs/c/NAME.cc`.
pub fn cxx(name: &str) -> Program {
    compile("c++", name, &[source(&format!("c/{name}.cc"))], &["-Werror"])
}

/// A C program from sources elsewhere, with its flags.
pub fn c_from(name: &str, sources: &[PathBuf], flags: &[&str]) -> Program {
    compile("cc", name, sources, flags)
}

/// `go` set up for NetBSD/amd64.
pub fn go_command(dir: &Path) -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(dir)
        .env("GOOS", "netbsd")
        .env("GOARCH", "amd64")
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=mod");
    command
}

/// A Go program from `programs/go/NAME/`.
pub fn go(name: &str) -> Program {
    go_from(name, &source(&format!("go/{name}")))
}

/// A Go program from a folder.
pub fn go_from(name: &str, folder: &Path) -> Program {
    let elf = work_dir(name).join(format!("{name}.elf"));
    run(go_command(folder).arg("build").arg("-o").arg(&elf).arg("."));
    Program { elf }
}

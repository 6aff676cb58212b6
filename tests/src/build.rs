//! Building programs for NetBSD/amd64 with stock tools.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::{Image, Platform, rumpbake, run, work_dir, workspace};

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
        self.bake_for(Platform::Hw, options)
    }

    /// Bakes the program for a platform with further options.
    pub fn bake_for(&self, platform: Platform, options: &[&str]) -> Image {
        let mut name = self.elf.file_stem().unwrap_or_default().to_owned();
        name.push(platform.ending());
        let path = self.elf.with_file_name(name);
        run(rumpbake().arg(platform.subcommand()).arg(&self.elf).arg("-o").arg(&path).args(options));
        Image { path, platform }
    }
}

/// Builds a file if no test of this process has; several may want it at the same time.
fn once(file: &Path, build: impl FnOnce()) {
    static BUILT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    // A test that failed while it built something has failed; the others see for themselves.
    let mut built = BUILT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !built.contains(file) {
        build();
        built.insert(file.to_owned());
    }
}

fn source(path: &str) -> PathBuf {
    workspace().join("tests/programs").join(path)
}

fn compile(driver: &str, name: &str, sources: &[PathBuf], flags: &[&str]) -> Program {
    let elf = work_dir(name).join(format!("{name}.elf"));
    once(&elf, || {
        run(rumpbake().arg(driver).args(["-O2", "-Wall"]).args(flags).args(sources).arg("-o").arg(&elf));
    });
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

/// A C program of one file, built for the host.
///
/// # Panics
/// If the host has no C compiler.
pub fn on_the_host(name: &str, source: &Path) -> Command {
    let file = work_dir(name).join(format!("{name}-host"));
    once(&file, || {
        run(Command::new("cc").args(["-O2", "-o"]).arg(&file).arg(source));
    });
    Command::new(file)
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
    once(&elf, || {
        run(go_command(folder).arg("build").arg("-o").arg(&elf).arg("."));
    });
    Program { elf }
}

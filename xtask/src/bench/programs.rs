//! The programs of tests/bench: found, built for both systems, made bootable.
//!
//! `tests/bench/NAME.c` is a C program, `tests/bench/NAME/` with a go.mod a Go program, with a rump.c a rump kernel that measures its hypercalls (linux.c beside it
//! is a program that does the same): a file that is added is measured. A system is either
//! rumpbake (a command that bakes) or the Linux control.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::control::{Control, Libc};
use super::cpio;
use super::guest::Bootable;
use crate::tools;

/// A benchmark program's source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    C(PathBuf),
    Cxx(PathBuf),
    Go(PathBuf),
    Rump(PathBuf),
}

/// A benchmark program.
pub struct Program {
    pub name: String,
    pub source: Source,
}

/// All programs that measure inside of the guest, by name.
pub fn all() -> Result<Vec<Program>> {
    let folder = folder();
    let mut programs = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let Some(name) = path.file_stem().map(|name| name.to_string_lossy().into_owned()) else { continue };
        if path.extension().is_some_and(|extension| extension == "c") {
            programs.push(Program { name, source: Source::C(path) });
        } else if path.join("go.mod").exists() {
            programs.push(Program { name, source: Source::Go(path) });
        } else if path.join("rump.c").exists() {
            programs.push(Program { name, source: Source::Rump(path) });
        }
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(programs)
}

/// tests/bench.
pub fn folder() -> PathBuf {
    tools::root().join("tests/bench")
}

/// One of tests/bench/host: a program or other source that serves measures from outside.
pub fn host_source(name: &str) -> PathBuf {
    folder().join("host").join(name)
}

/// One side of the comparison.
pub struct Side {
    /// "rumpbake", "linux", or a revision.
    pub name: String,
    pub system: System,
}

/// What a side is.
pub enum System {
    /// The command that bakes.
    Rumpbake(PathBuf),
    Linux(Control),
}

/// How the Linux side starts a program, and with what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The program is process 1, linked with musl: boot, sizes, memory.
    Boot,
    /// A small init runs the program, linked with glibc: everything that is measured inside.
    Inside,
}

/// A program that is ready to boot.
pub struct Built {
    pub boot: Bootable,
    /// What a user ships: the image, or bzImage and initramfs.
    pub shipped_bytes: u64,
}

impl Side {
    /// Builds a program; the files go to `work`, and `bake` are further options of `rumpbake hw`.
    pub fn build(
        &self,
        source: &Source,
        name: &str,
        purpose: Purpose,
        bake: &[&str],
        work: &Path,
    ) -> Result<Built> {
        let work = work.join(&self.name);
        std::fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
        let built = match &self.system {
            System::Rumpbake(command) => rumpbake(command, source, name, bake, &work),
            System::Linux(control) => linux(control, source, name, purpose, &work),
        };
        built.with_context(|| format!("{name} for {}", self.name))
    }
}

fn rumpbake(command: &Path, source: &Source, name: &str, bake: &[&str], work: &Path) -> Result<Built> {
    let elf = work.join(format!("{name}.elf"));
    let image = work.join(format!("{name}{}.img", bake.concat().replace('-', "_")));
    // In the checkout, where it finds the compiler.
    let compile = |compiler: &str, file: &Path| {
        let mut compile = Command::new(command);
        compile.current_dir(tools::root()).args([compiler, "-O2", "-s", "-lpthread", "-o"]);
        must(compile.arg(&elf).arg(file))
    };
    let mut options: Vec<OsString> = bake.iter().map(Into::into).collect();
    match source {
        Source::C(file) => compile("cc", file)?,
        Source::Cxx(file) => compile("c++", file)?,
        Source::Go(folder) => go(folder, "netbsd", &elf)?,
        Source::Rump(folder) => {
            // The program is never reached: the rump kernel ends the image.
            compile("cc", &host_source("hello.c"))?;
            options.extend(["--rump-libs".into(), rump_library(folder, name, work)?.into_os_string()]);
        }
    }
    must(Command::new(command).arg("hw").arg("--quiet").arg(&elf).arg("-o").arg(&image).args(options))?;
    let shipped_bytes = bytes(&image)?;
    Ok(Built { boot: Bootable { kernel: image, initrd: None, command_line: String::new() }, shipped_bytes })
}

/// A folder with the rump kernel as a static library, compiled as NetBSD's are.
fn rump_library(source: &Path, name: &str, work: &Path) -> Result<PathBuf> {
    let folder = work.join(format!("{name}-libraries"));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let (object, library) = (folder.join("rump.o"), folder.join("librump.a"));
    let zig = tools::zig()?;
    must(
        Command::new(&zig)
            .args([
                "cc",
                "-target",
                "x86_64-netbsd.10.1",
                "-std=c11",
                "-O2",
                "-ffreestanding",
                "-fno-pic",
                "-c",
            ])
            .arg(source.join("rump.c"))
            .arg("-o")
            .arg(&object),
    )?;
    must(Command::new(&zig).args(["ar", "rcs"]).arg(&library).arg(&object))?;
    Ok(folder)
}

fn linux(control: &Control, source: &Source, name: &str, purpose: Purpose, work: &Path) -> Result<Built> {
    let program = work.join(name);
    let folder = folder().join("linux");
    let wrapper = folder.join("boot.c");
    match (source, purpose) {
        (Source::C(file), Purpose::Boot) => control.compile(
            Libc::Musl,
            std::slice::from_ref(file),
            &["-Dmain=program_main"],
            &[wrapper],
            &program,
        )?,
        (Source::C(file), Purpose::Inside) => {
            control.compile(Libc::Glibc, std::slice::from_ref(file), &[], &[], &program)?;
        }
        (Source::Cxx(file), _) => {
            must(Command::new("g++").args(["-O2", "-static", "-s", "-o"]).arg(&program).arg(file))?;
        }
        (Source::Go(folder), _) => go(folder, "linux", &program)?,
        (Source::Rump(folder), _) => {
            control.compile(Libc::Glibc, &[folder.join("linux.c")], &[], &[], &program)?;
        }
    }
    let program = read(&program)?;
    let archive = match (source, purpose) {
        (Source::C(_), Purpose::Boot) => cpio::archive(&[("init", &program)]),
        _ => {
            let init = work.join("init");
            control.compile(Libc::Musl, &[folder.join("init.c")], &[], &[], &init)?;
            cpio::archive(&[("init", &read(&init)?), ("program", &program)])
        }
    };
    let initrd = work.join(format!("{name}.cpio"));
    std::fs::write(&initrd, &archive).with_context(|| format!("cannot write {}", initrd.display()))?;
    let shipped_bytes = bytes(&control.bzimage)? + archive.len() as u64;
    Ok(Built { boot: control.guest(initrd, purpose), shipped_bytes })
}

fn go(folder: &Path, system: &str, output: &Path) -> Result<()> {
    must(
        Command::new("go")
            .current_dir(folder)
            .envs([("CGO_ENABLED", "0"), ("GOOS", system), ("GOARCH", "amd64"), ("GOFLAGS", "")])
            .args(["build", "-trimpath", "-ldflags=-s -w", "-o"])
            .arg(output)
            .arg("."),
    )
}

/// The image that only prints.
pub fn floor(work: &Path) -> Result<Bootable> {
    let object = work.join("floor.o");
    let image = work.join("floor.img");
    must(Command::new("gcc").arg("-c").arg(host_source("floor.S")).arg("-o").arg(&object))?;
    must(
        Command::new(rust_lld()?)
            .args(["-flavor", "gnu", "--image-base=0x100000", "--oformat", "binary", "-Ttext=0x100000"])
            .args(["-e", "start", "-o"])
            .arg(&image)
            .arg(&object),
    )?;
    Ok(Bootable { kernel: image, initrd: None, command_line: String::new() })
}

/// QEMU's plugin that counts instructions.
pub fn counter(work: &Path) -> Result<PathBuf> {
    let plugin = work.join("count.so");
    must(
        Command::new("gcc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(&plugin).arg(host_source("count.c")),
    )?;
    Ok(plugin)
}

fn rust_lld() -> Result<PathBuf> {
    let sysroot = output_of(Command::new("rustc").args(["--print", "sysroot"]))?;
    let path = Path::new(sysroot.trim()).join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
    if !path.exists() {
        bail!("the Rust toolchain has no rust-lld");
    }
    Ok(path)
}

/// The length of a file.
pub fn bytes(path: &Path) -> Result<u64> {
    Ok(std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Runs a command that has to succeed; it is quiet unless it fails.
pub fn must(command: &mut Command) -> Result<()> {
    output_of(command).map(drop)
}

/// The standard output of a command that has to succeed.
pub fn output_of(command: &mut Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!(
            "{command:?} ended with {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

//! Compiles the suite against NetBSD's rump/rumpuser.h, and makes a Rust test of each of its tests.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

const HEADERS: &str = ".tools/ziglang/ziglang/lib/libc/include/generic-netbsd";
const SUITE: &str = "tests/programs/rumpuser";
/// In it, the tests of what only a host process serves.
const POSIX: &str = "posix";

fn main() -> ExitCode {
    let workspace = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets this")).join("../..");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets this"));
    match build(&workspace, &out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // cargo shows it.
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn build(workspace: &Path, out: &Path) -> Result<(), String> {
    let (headers, suite) = (workspace.join(HEADERS), workspace.join(SUITE));
    println!("cargo::rerun-if-changed={}", suite.display());
    println!("cargo::rerun-if-env-changed=CC");
    if !headers.join("rump/rumpuser.h").exists() {
        return Err("NetBSD's headers are not there; run `cargo xtask setup`".to_owned());
    }
    let read = |error: std::io::Error| format!("{}: {error}", suite.display());
    let folders = [suite.clone(), suite.join(POSIX)];
    let mut sources: Vec<PathBuf> = Vec::new();
    for folder in &folders {
        let entries = fs::read_dir(folder).map_err(read)?.filter_map(|entry| Some(entry.ok()?.path()));
        sources.extend(entries.filter(|path| path.extension().is_some_and(|ending| ending == "c")));
    }
    sources.sort();
    for source in sources {
        let object = out.join(source.file_stem().unwrap_or_default()).with_extension("o");
        let mut command = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
        command.args([
            "-std=c11",
            "-O2",
            "-ffreestanding",
            "-fPIC",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-DPOSIX",
            "-idirafter",
        ]);
        command.arg(&headers).arg("-I").arg(&suite).arg("-c").arg(&source).arg("-o").arg(&object);
        let status = command.status().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        if !status.success() {
            return Err(format!("{command:?} ended with {status}"));
        }
        println!("cargo::rustc-link-arg-tests={}", object.display());
    }
    let mut tests = String::new();
    for folder in &folders {
        let list = fs::read_to_string(folder.join("tests.h")).map_err(read)?;
        for name in list.lines().filter_map(|line| line.strip_prefix("T(")?.strip_suffix(')')) {
            let _ = write!(tests, "#[test]\nfn {name}() {{\n    conforms(c\"{name}\");\n}}\n");
        }
    }
    fs::write(out.join("tests.rs"), tests).map_err(|error| format!("{}: {error}", out.display()))
}

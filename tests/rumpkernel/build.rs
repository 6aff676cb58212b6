//! Compiles the rump kernel of the tests against NetBSD's rump/rumpuser.h, with the host's C compiler.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

const HEADERS: &str = ".tools/ziglang/ziglang/lib/libc/include/generic-netbsd";
const SOURCES: &str = "tests/programs/rumpkernel";
/// A folder for each library.
const LIBRARIES: [&str; 3] = ["kern", "vfs", "net_virtif"];

fn main() -> ExitCode {
    let workspace = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets this")).join("../..");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets this"));
    // Link sets stay whole.
    println!("cargo::rustc-link-arg-tests=-Wl,-z,nostart-stop-gc");
    match LIBRARIES.iter().try_for_each(|library| build(&workspace, library, &out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // cargo shows it.
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn build(workspace: &Path, library: &str, out: &Path) -> Result<(), String> {
    let (headers, folder) = (workspace.join(HEADERS), workspace.join(SOURCES));
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-env-changed=CC");
    if !headers.join("rump/rumpuser.h").exists() {
        return Err("NetBSD's headers are not there; run `cargo xtask setup`".to_owned());
    }
    let folder = folder.join(library);
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for source in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let stem = source.file_stem().unwrap_or_default();
        // A component's part on some other host: what it does is done by the hypercalls here.
        if stem.as_encoded_bytes().ends_with(b"_user") {
            continue;
        }
        let name = format!("{library}-{}.o", stem.display());
        let object = out.join(name);
        let mut command = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
        command.args([
            "-std=gnu11",
            "-O2",
            "-ffreestanding",
            "-fcommon",
            "-fPIC",
            "-Wall",
            "-Wextra",
            "-Werror",
        ]);
        // __printflike and __dead are words of NetBSD's own headers.
        command.args([
            "-Wno-unused-parameter",
            "-D__printflike(a,b)=",
            "-D__dead=__attribute__((noreturn))",
            "-idirafter",
        ]);
        command.arg(&headers).arg("-c").arg(&source).arg("-o").arg(&object);
        let status = command.status().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        if !status.success() {
            return Err(format!("{command:?} ended with {status}"));
        }
        println!("cargo::rustc-link-arg-tests={}", object.display());
    }
    Ok(())
}

//! Builds the kits that the linker takes images from, and hands them to the crate as files to embed.
//!
//! A kit is one relocatable object with a section per function and datum: the kernel (`platform/hw` or `platform/xen` with all of layer 1) and layer 2
//! (`libc-build`). Each is built by a cargo invocation of its own, since its flags must not reach host code, in a target folder of its own, since
//! the outer invocation holds the lock of the other; then `rust-lld -r` makes the archive one object.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The one target that is needed.
const TARGET: &str = "x86_64-unknown-linux-gnu";

struct Kit {
    /// Name of the object in `OUT_DIR`.
    name: &'static str,
    package: &'static str,
    /// Name of the archive, as cargo derives it from the library's name.
    archive: &'static str,
    flags: &'static [&'static str],
    /// Symbols that draw the archive's members in.
    roots: &'static [&'static str],
}

const KITS: [Kit; 3] = [
    Kit {
        name: "kit-hw.o",
        package: "rumpbake-hw",
        archive: "librumpbake_hw.a",
        flags: &["-Ccode-model=kernel", "-Cno-redzone=yes"],
        roots: &["rb_hw_start"],
    },
    Kit {
        name: "kit-xen.o",
        package: "rumpbake-xen",
        archive: "librumpbake_xen.a",
        flags: &["-Ccode-model=kernel", "-Cno-redzone=yes"],
        roots: &["rb_xen_entry"],
    },
    Kit {
        name: "kit-libc.o",
        package: "rump-libc",
        archive: "librump_libc.a",
        flags: &["-Ccode-model=small"],
        roots: &["rb_libc_start"],
    },
];

/// Flags of every kit.
const COMMON_FLAGS: [&str; 3] = ["-Cpanic=abort", "-Crelocation-model=static", "-Cforce-unwind-tables=no"];

/// Folders and files that the kits are made from, relative to the workspace.
const SOURCES: [&str; 12] = [
    "kernel",
    "platform/common",
    "platform/drivers",
    "platform/far",
    "platform/rumpkernel",
    "platform/rumpuser",
    "platform/hw",
    "platform/xen",
    "platform/xenguest",
    "libc-build",
    "Cargo.toml",
    "Cargo.lock",
];

fn main() -> ExitCode {
    let workspace = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets this")).join("..");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets this"));
    // <target folder>/<profile>/build/<package>/out
    let kits = out.ancestors().nth(4).expect("OUT_DIR lies in the target folder").join("kits");
    for kit in &KITS {
        let made = build(kit, &workspace, &kits).and_then(|archive| link(kit, &archive, &out.join(kit.name)));
        if let Err(message) = made {
            // cargo shows it.
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Runs a command; if it fails, the error is what it printed.
fn run(command: &mut Command, what: &str) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{what}: cannot start {command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{what} failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn build(kit: &Kit, workspace: &Path, kits: &Path) -> Result<PathBuf, String> {
    let mut command = Command::new(env::var_os("CARGO").expect("cargo sets this"));
    command.current_dir(workspace).args(["rustc", "--quiet", "--lib", "--crate-type", "staticlib"]);
    command.args(["--profile", "kit", "--target", TARGET, "--package", kit.package]);
    command.arg("--target-dir").arg(kits);
    // What the outer cargo was told for host code does not hold for the kit; clippy and coverage tools hook in through the wrappers.
    for variable in
        ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"]
    {
        command.env_remove(variable);
    }
    let flags: Vec<&str> = COMMON_FLAGS.iter().chain(kit.flags).copied().collect();
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    run(&mut command, &format!("building the kit {}", kit.package))?;
    Ok(kits.join(TARGET).join("kit").join(kit.archive))
}

fn link(kit: &Kit, archive: &Path, object: &Path) -> Result<(), String> {
    let rustc = env::var_os("RUSTC").expect("cargo sets this");
    let sysroot = run(Command::new(rustc).args(["--print", "sysroot"]), "asking rustc for its sysroot")?;
    let lld = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("bin/rust-lld");
    let mut command = Command::new(lld);
    command.args(["-flavor", "gnu", "-r", "--strip-debug"]);
    for root in kit.roots {
        command.arg(format!("--undefined={root}"));
    }
    command.arg(archive).arg("-o").arg(object);
    run(&mut command, &format!("linking the kit {}", kit.package)).map(drop)
}

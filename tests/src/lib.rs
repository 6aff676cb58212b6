//! Integration tests: bake, boot, look.
//!
//! What the tests in `tests/` share: building programs for NetBSD with stock tools, baking them with the command, booting them under QEMU and
//! looking at console and exit status. Everything is built in `.work/tests` of the checkout.
#![forbid(unsafe_code)]

mod boot;
mod build;
pub mod cable;
pub mod dom0;
pub mod flood;
pub mod gotest;
mod guest;
mod platform;

pub use boot::{Image, Run, finish};
pub use build::{Program, c, c_from, cxx, go, go_from, on_the_host};
pub use guest::{Guest, connect, free_port};
pub use platform::Platform;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// The checkout.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace")
}

/// Where a test's files go; made if it does not exist.
pub fn work_dir(name: &str) -> PathBuf {
    let dir = workspace().join(".work/tests").join(name);
    std::fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("cannot make {}: {error}", dir.display()));
    dir
}

/// The command `rumpbake`, built once per test run.
pub fn rumpbake() -> Command {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        let target = workspace().join("target");
        run(Command::new(env!("CARGO"))
            .current_dir(workspace())
            .args(["build", "--quiet", "--release", "--package", "rumpbake", "--target-dir"])
            .arg(&target));
        target.join("release/rumpbake")
    });
    let mut command = Command::new(&*PATH);
    command
        .env("ZIG_GLOBAL_CACHE_DIR", work_dir("zig-cache"))
        .env("ZIG_LOCAL_CACHE_DIR", work_dir("zig-cache"));
    command
}

/// Runs a command that has to succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

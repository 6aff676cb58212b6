//! `cargo xtask compat`: writes the tables of what is implemented of NetBSD's interfaces, docs/compat-*.md.
//!
//! The linker knows: it reads the kits that images are made from. So the work is done by an example of its crate. The hypercalls of rumpuser(3) are read off
//! their sources ([`rumpuser`]).

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::abi::Mode;
use crate::{rumpuser, tools};

/// The files, in docs/.
const FILES: [&str; 3] = ["compat-syscalls.md", "compat-libc.md", "rumpuser.md"];

/// Writes or checks the tables.
pub fn run(mode: Mode) -> Result<()> {
    let docs = tools::root().join("docs");
    let work = tempfile::tempdir().context("cannot make a temporary folder")?;
    let folder = if mode == Mode::Check { work.path() } else { &docs };
    let hypercalls = rumpuser::document(tools::root(), &tools::headers())?;
    std::fs::write(folder.join("rumpuser.md"), hypercalls).context("cannot write docs/rumpuser.md")?;
    let mut command = Command::new("cargo");
    command.current_dir(tools::root());
    command.args(["run", "--quiet", "--package", "rumpbake-linker", "--example", "compat", "--"]);
    command.arg(tools::headers()).arg(folder);
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the tables cannot be made: cargo run ended with {status}");
    }
    let read = |folder: &Path, name: &str| std::fs::read(folder.join(name)).unwrap_or_default();
    let differ: Vec<&str> =
        FILES.into_iter().filter(|name| read(folder, name) != read(&docs, name)).collect();
    if !differ.is_empty() {
        bail!("docs/{} is out of date; run `cargo xtask compat`", differ.join(" and docs/"));
    }
    Ok(())
}

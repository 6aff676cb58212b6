//! The C compiler that knows NetBSD's headers: `zig cc -target x86_64-netbsd.10.1`, from the checkout's tool folder.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use crate::tools;

/// The system whose interface this is: NetBSD 10 on amd64.
pub const TARGET: &str = "x86_64-netbsd.10.1";

/// Runs the compiler over `source` with `args`; what it prints is in the answer, whether it succeeded or not.
fn run(work: &Path, source: &str, args: &[&str]) -> Result<Output> {
    let file = work.join("probe.c");
    fs::write(&file, source).with_context(|| format!("cannot write {}", file.display()))?;
    zig(work)?
        .args(["cc", "-target", TARGET, "-O2", "-g0", "-w"])
        .args(args)
        .arg("probe.c")
        .output()
        .context("cannot start the compiler")
}

/// A zig command with its caches kept in the checkout's tool folder, unless the caller's environment names others.
pub fn zig(work: &Path) -> Result<Command> {
    let mut command = Command::new(tools::zig()?);
    command.current_dir(work);
    for variable in ["ZIG_LOCAL_CACHE_DIR", "ZIG_GLOBAL_CACHE_DIR"] {
        if std::env::var_os(variable).is_none() {
            command.env(variable, tools::folder().join("zig-cache"));
        }
    }
    Ok(command)
}

fn succeed(output: &Output) -> Result<()> {
    if !output.status.success() {
        bail!("the compiler refused a probe:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// The preprocessor's output with the macro definitions and line markers in it.
pub fn macros(work: &Path, source: &str) -> Result<String> {
    let output = run(work, source, &["-E", "-dD"])?;
    succeed(&output)?;
    Ok(String::from_utf8(output.stdout)?)
}

/// The assembly, or the numbers of the lines that the compiler refuses.
pub fn assemble(work: &Path, source: &str) -> Result<Result<String, Vec<usize>>> {
    let output = run(work, source, &["-S", "-o", "probe.s", "-ferror-limit=0", "-fno-color-diagnostics"])?;
    if output.status.success() {
        return Ok(Ok(fs::read_to_string(work.join("probe.s"))?));
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut lines: Vec<usize> = text
        .lines()
        .filter_map(|line| line.strip_prefix("probe.c:"))
        .filter_map(|rest| rest.split(':').next()?.parse().ok())
        .collect();
    lines.sort_unstable();
    lines.dedup();
    if lines.is_empty() {
        bail!("the compiler refused a probe:\n{text}");
    }
    Ok(Err(lines))
}

/// How the compiler lays out every record that `source` uses, with the types resolved.
pub fn record_layouts(work: &Path, source: &str) -> Result<String> {
    let output = run(work, source, &["-S", "-o", "probe.s", "-Xclang", "-fdump-record-layouts-canonical"])?;
    succeed(&output)?;
    Ok(String::from_utf8(output.stdout)?)
}

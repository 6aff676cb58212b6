//! `cargo xtask demo`: the sample applications, from source to a booted image, with every command shown.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{setup, tools};

/// Builds, bakes and boots the samples.
pub fn run() -> Result<()> {
    setup::run()?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tools::root().join("target"), PathBuf::from);
    must(
        Command::new("cargo").current_dir(tools::root()).args([
            "build",
            "--release",
            "--package",
            "rumpbake",
        ]),
        "building rumpbake",
    )?;
    let rumpbake = target.join("release/rumpbake");
    let work = tools::root().join(".work/demo");
    std::fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let apps = tools::root().join("apps");

    title("A C program (dynamic: its libc is linked in when it is baked)");
    must(
        Command::new(&rumpbake)
            .current_dir(&work)
            .args(["cc", "-O2", "-o", "hello-c.elf"])
            .arg(apps.join("hello-c/hello.c")),
        "the C sample",
    )?;
    bake_and_boot(&rumpbake, &work, "hello-c", 3)?;

    title("A Go program (static: it makes NetBSD's system calls itself)");
    must(
        Command::new("go")
            .current_dir(apps.join("hello-go"))
            .envs([("CGO_ENABLED", "0"), ("GOOS", "netbsd"), ("GOARCH", "amd64")])
            .args(["build", "-trimpath", "-o"])
            .arg(work.join("hello-go.elf"))
            .arg("."),
        "the Go sample",
    )?;
    bake_and_boot(&rumpbake, &work, "hello-go", 4)
}

fn title(text: &str) {
    println!("\n== {text}");
}

/// Bakes `name`.elf, boots it with two arguments and a variable, and expects `status`.
fn bake_and_boot(rumpbake: &Path, work: &Path, name: &str, status: i32) -> Result<()> {
    must(
        Command::new(rumpbake)
            .current_dir(work)
            .arg("hw")
            .arg(format!("{name}.elf"))
            .arg("-o")
            .arg(format!("{name}.img")),
        name,
    )?;
    let mut boot = Command::new(rumpbake);
    boot.current_dir(work).arg("run").arg(format!("{name}.img")).args([
        "--env",
        "GREETING=hello",
        "--",
        "one",
        "two words",
    ]);
    show(&boot);
    let ended = boot.status().with_context(|| format!("cannot start {}", rumpbake.display()))?;
    match ended.code() {
        Some(code) if code == status => {
            println!("-- exit status {code}, as the program chose");
            Ok(())
        }
        _ => bail!("{name}: expected exit status {status}, but `rumpbake run` ended with {ended}"),
    }
}

/// Prints a command as one would type it, with the program's name alone.
fn show(command: &Command) {
    let program =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut line = format!("$ {program}");
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let short = Path::new(&*argument)
            .strip_prefix(tools::root())
            .map_or_else(|_| argument.to_string(), |path| path.display().to_string());
        line += &if short.contains(' ') { format!(" '{short}'") } else { format!(" {short}") };
    }
    println!("{line}");
}

fn must(command: &mut Command, what: &str) -> Result<()> {
    show(command);
    let status =
        command.status().with_context(|| format!("{what}: cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{what}: the last command ended with {status}");
    }
    Ok(())
}

//! `cargo xtask test`: everything that has to pass, step by step, with what each took; and `cargo xtask conformance`.
//!
//! A step that fails does not keep the later ones from running. At the end stand the test runners' own lines.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{abi, bench, compat, setup, tools};

/// What the run has come to.
#[derive(Default)]
struct Report {
    steps: Vec<(&'static str, Duration, Result<()>)>,
    /// "test result: …" lines with the suite before them.
    lines: Vec<String>,
}

impl Report {
    fn step(&mut self, name: &'static str, work: impl FnOnce(&mut Vec<String>) -> Result<()>) {
        println!("\n== {name}");
        let start = Instant::now();
        let result = work(&mut self.lines);
        if let Err(error) = &result {
            println!("{name}: {error:#}");
        }
        self.steps.push((name, start.elapsed(), result));
    }

    fn close(self) -> Result<()> {
        println!("\n== steps");
        for (name, took, result) in &self.steps {
            println!(
                "{:>8.1} s  {}  {name}",
                took.as_secs_f64(),
                if result.is_ok() { "ok    " } else { "FAILED" }
            );
        }
        println!();
        for line in &self.lines {
            println!("{line}");
        }
        let failed: Vec<&str> =
            self.steps.iter().filter(|(.., result)| result.is_err()).map(|(name, ..)| *name).collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }
}

/// The packages that only make sense inside a kit.
const KIT_ONLY: [&str; 2] = ["rumpbake-hw", "rumpbake-xen"];
/// The crate that boots images.
const BOOTING: &str = "rumpbake-tests";

/// Cargo's words for leaving packages out.
fn without<'a>(packages: &[&'a str]) -> impl Iterator<Item = &'a str> {
    packages.iter().flat_map(|&package| ["--exclude", package])
}

/// Runs what has to pass.
pub fn run() -> Result<()> {
    let mut report = Report::default();
    report.step("setup", |_| setup::run());
    report.step("format", |_| cargo(&["fmt", "--all", "--check"], &mut Vec::new()));
    report.step("clippy", |_| {
        let mut words = vec!["clippy", "--workspace"];
        words.extend(without(&KIT_ONLY));
        words.extend(["--all-targets", "--quiet", "--", "-Dwarnings"]);
        cargo(&words, &mut Vec::new())
    });
    report.step("clippy of the kits", |_| {
        // In release, where a panic aborts: a kit has no unwinder. No test targets: it brings a panic handler.
        for package in KIT_ONLY.into_iter().chain(["rump-libc"]) {
            cargo(
                &["clippy", "--release", "--package", package, "--quiet", "--", "-Dwarnings"],
                &mut Vec::new(),
            )?;
        }
        Ok(())
    });
    report.step("abi", |_| abi::run(abi::Mode::Check));
    report.step("compat", |_| compat::run(abi::Mode::Check));
    report.step("unit tests", |lines| {
        let mut words = vec!["test", "--workspace", "--no-fail-fast", "--exclude", BOOTING];
        words.extend(without(&KIT_ONLY));
        cargo(&words, lines)
    });
    report.step("boot tests", |lines| cargo(&["test", "--package", BOOTING, "--no-fail-fast"], lines));
    report.step("bench", |_| bench::check());
    report.close()
}

/// The platforms that tests of Go's standard library run on.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub enum Platform {
    /// Bare metal
    #[default]
    Hw,
    /// The first guest of Xen
    Xen,
}

/// Runs the outside suites, which take long: the boot tests that are ignored otherwise.
///
/// With a platform or with names only Go's standard library: there, these packages.
pub fn conformance(platform: Option<Platform>, packages: &[String]) -> Result<()> {
    let mut report = Report::default();
    report.step("setup", |_| setup::run());
    if packages.is_empty() {
        // Ten million frames, among others; without optimisation they would take an hour.
        report.step("long unit tests", |lines| {
            let words =
                ["test", "--release", "--package", "rump-net-inet", "--no-fail-fast", "--", "--ignored"];
            cargo(&words, lines)
        });
    }
    report.step("conformance", |lines| {
        let mut command = Command::new("cargo");
        command.args(["test", "--package", BOOTING, "--no-fail-fast"]);
        if packages.is_empty() && platform.is_none() {
            command.args(["--", "--ignored", "--nocapture"]);
        } else {
            let test = match platform.unwrap_or_default() {
                Platform::Hw => "the_standard_library_s_tests::hw",
                Platform::Xen => "the_standard_library_s_tests::xen",
            };
            command.env("RUMPBAKE_GO_PACKAGES", packages.join(" "));
            command.args(["--test", "go_programs", "--", "--ignored", "--nocapture", "--exact", test]);
        }
        show(command, lines)
    });
    report.close()
}

/// Runs cargo.
fn cargo(arguments: &[&str], lines: &mut Vec<String>) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(arguments);
    show(command, lines)
}

/// Runs a command in the project's folder, shows what it prints, and keeps the test runners' result lines.
fn show(mut command: Command, lines: &mut Vec<String>) -> Result<()> {
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    command.current_dir(tools::root()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().context("cannot start cargo")?;
    // The command holds the pipe's other ends open.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut suite = String::new();
    for line in BufReader::new(reader).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        let text = line.trim();
        if let Some(name) = text.strip_prefix("Running ").or(text.strip_prefix("Doc-tests ")) {
            suite = suite_name(name);
        } else if text.starts_with("test result:") && !text.contains(" 0 passed; 0 failed; 0 ignored;") {
            lines.push(format!("{suite:<40} {text}"));
        }
    }
    let status = child.wait()?;
    if !status.success() {
        let subcommand = command.get_args().next().unwrap_or_default().display();
        bail!("cargo {subcommand} ended with {status}");
    }
    Ok(())
}

/// "unittests src/lib.rs (target/debug/deps/rump_kern-0123)" is rump_kern; a document test goes by its crate.
fn suite_name(text: &str) -> String {
    let binary = text.rsplit_once('/').map_or(text, |(_, name)| name.trim_end_matches(')'));
    match binary.rsplit_once('-') {
        Some((name, _)) if text.ends_with(')') => name.to_owned(),
        _ => format!("{text} (documentation)"),
    }
}

#[cfg(test)]
mod tests {
    use super::suite_name;

    #[test]
    fn suites_go_by_their_crates() {
        assert_eq!(suite_name("unittests src/lib.rs (target/debug/deps/rump_kern-0123abcd)"), "rump_kern");
        assert_eq!(suite_name("tests/layout.rs (target/debug/deps/layout-0123abcd)"), "layout");
        assert_eq!(suite_name("rump_kern"), "rump_kern (documentation)");
    }
}

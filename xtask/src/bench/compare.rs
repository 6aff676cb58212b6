//! `--compare REV`: another revision's rumpbake, and what got worse since.
//!
//! The revision is checked out as a worktree in the target folder and built there, in a target folder of its own that later comparisons use
//! again. The programs are this checkout's: only the images that are baked of them differ.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{build_rumpbake, programs, results::Results, stats};
use crate::tools;

/// A difference below this is noise, whatever the samples say.
const LEAST_DIFFERENCE: f64 = 0.05;
/// The same of instructions: they are steady, but for what interrupts come by.
const LEAST_COUNTED: f64 = 0.01;

fn git(arguments: &[&str]) -> Result<String> {
    programs::output_of(Command::new("git").current_dir(tools::root()).args(arguments))
        .map(|text| text.trim().to_owned())
}

/// The revision's commit, in short.
pub fn commit(revision: &str) -> Result<String> {
    let found = git(&[
        "rev-parse",
        "--verify",
        "--quiet",
        "--short",
        "--end-of-options",
        &format!("{revision}^{{commit}}"),
    ]);
    found.ok().with_context(|| format!("{revision} is no revision of this repository"))
}

/// Of fewer boots than these a time is not judged: chance alone sets two or three apart.
const LEAST_BOOTS: usize = 4;

/// Builds the revision's command. Returns what it is called in the tables, too.
pub fn build(revision: &str, folder: &Path) -> Result<(String, PathBuf)> {
    let commit = commit(revision)?;
    let checkout = folder.join("compare/source");
    let path = checkout.to_str().context("the target folder's name is not UTF-8")?;
    // A worktree whose folder was removed by hand is still known to git.
    git(&["worktree", "prune"])?;
    if checkout.exists() {
        programs::must(
            Command::new("git").current_dir(&checkout).args(["checkout", "--quiet", "--detach", &commit]),
        )?;
    } else {
        git(&["worktree", "add", "--quiet", "--detach", path, &commit])?;
    }
    // The compiler for NetBSD is found below the checkout.
    let tools = checkout.join(".tools");
    if !tools.exists() {
        std::os::unix::fs::symlink(tools::folder(), &tools).context("cannot link .tools")?;
    }
    eprintln!("bench: building {commit}");
    let built = build_rumpbake(&checkout, &folder.join("compare/target"))?;
    if commit == super::OURS || commit == super::LINUX {
        bail!("a revision cannot be called {commit}");
    }
    Ok((commit, built))
}

/// The figures in which `ours` is worse than `other`: the interval of the ratio leaves 1 out, and the difference is greater than both
/// sides' spread and than five percent; one percent of instructions. Sizes have no noise: there any growth counts.
pub fn worse(results: &Results, ours: &str, other: &str) -> Vec<String> {
    let mut list = Vec::new();
    for (name, figure) in &results.figures {
        let Some(lead) = figure.lead(other, ours) else { continue };
        let exact = matches!(figure.unit.as_str(), "bytes" | "KiB" | "instructions");
        if !exact && figure.samples.values().any(|samples| samples.len() < LEAST_BOOTS) {
            continue;
        }
        let least = match figure.unit.as_str() {
            "bytes" => 0.0,
            "instructions" => LEAST_COUNTED,
            _ => LEAST_DIFFERENCE,
        };
        let spread = figure.samples.values().map(|samples| stats::spread(samples)).fold(0.0, f64::max);
        let noise = least.max(2.0 * spread);
        if lead.low > 1.0 && lead.value > 1.0 + noise {
            list.push(format!("{name} (by {:.1} %)", (lead.value - 1.0) * 100.0));
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::worse;
    use crate::bench::results::tests::empty;

    #[test]
    fn what_is_worse_by_more_than_the_noise() {
        let mut results = empty();
        for (ours, other) in [(20.0, 10.0), (20.5, 10.1), (19.8, 9.9), (20.1, 10.0)] {
            results.add("slow", "ns", "rumpbake", vec![ours]);
            results.add("slow", "ns", "old", vec![other]);
            results.add("rate", "MBps", "rumpbake", vec![ours]);
            results.add("rate", "MBps", "old", vec![other]);
            results.add("noisy", "ns", "rumpbake", vec![ours * ours]);
            results.add("noisy", "ns", "old", vec![ours * other * 1.98]);
        }
        results.add("few", "ns", "rumpbake", vec![20.0]);
        results.add("few", "ns", "old", vec![10.0]);
        results.add("counted.few", "instructions", "rumpbake", vec![102.0]);
        results.add("counted.few", "instructions", "old", vec![100.0]);
        results.add("size.hello", "bytes", "rumpbake", vec![1001.0]);
        results.add("size.hello", "bytes", "old", vec![1000.0]);
        assert_eq!(
            worse(&results, "rumpbake", "old"),
            ["counted.few (by 2.0 %)", "size.hello (by 0.1 %)", "slow (by 100.5 %)"]
        );
    }
}

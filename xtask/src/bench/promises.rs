//! The promises of SPECIFICATION.md: one list, tests/bench/promises.json, from which the table is made and by which sizes are judged.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::results::{Results, pretty};
use super::stats;
use crate::tools;

/// One promise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Promise {
    /// What is promised, as a sentence's subject.
    what: String,
    /// The figure of the benchmark that keeps it.
    figure: Option<String>,
    /// The most (or least, where more is better) that the figure may be.
    limit: f64,
    unit: String,
    /// Where it is measured or tested: a path in the checkout.
    kept_by: String,
}

const BEGIN: &str = "<!-- promises: from tests/bench/promises.json -->\n";
const END: &str = "<!-- end of the promises -->\n";

fn all() -> Result<Vec<Promise>> {
    let path = tools::root().join("tests/bench/promises.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// The table as SPECIFICATION.md has it.
fn table(promises: &[Promise]) -> String {
    let mut out = "| what | promise | kept by |\n|---|---|---|\n".to_owned();
    for promise in promises {
        let figure = promise.figure.as_ref().map_or_else(String::new, |figure| format!(", `{figure}`"));
        let _ = writeln!(
            out,
            "| {} | at most {} | [{}]({}){figure} |",
            promise.what,
            value(promise),
            promise.kept_by,
            promise.kept_by,
        );
    }
    out
}

fn value(promise: &Promise) -> String {
    match promise.unit.as_str() {
        "bytes" => format!("{} bytes", promise.limit),
        "times" => format!("{} times as much", promise.limit),
        unit => pretty(promise.limit, unit),
    }
}

fn specification() -> PathBuf {
    tools::root().join("SPECIFICATION.md")
}

/// Fails if SPECIFICATION.md does not have the table of the promises, or if a promise names a file that does not exist.
pub fn check_specification() -> Result<()> {
    let promises = all()?;
    for promise in &promises {
        if !tools::root().join(&promise.kept_by).exists() {
            bail!(
                "tests/bench/promises.json: {} is kept by {}, which does not exist",
                promise.what,
                promise.kept_by
            );
        }
    }
    let path = specification();
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let there = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(table, _)| table);
    let wanted = table(&promises);
    if there != Some(wanted.as_str()) {
        bail!(
            "SPECIFICATION.md: the table of the promises is not that of tests/bench/promises.json, which is\n{BEGIN}{wanted}{END}"
        );
    }
    Ok(())
}

/// The promises about bytes that these results break. Times are not judged: they are the machine's, too.
pub fn broken(results: &Results) -> Result<Vec<String>> {
    let mut list = Vec::new();
    for promise in all()?.iter().filter(|promise| promise.unit == "bytes") {
        let Some(name) = &promise.figure else { continue };
        let samples = results.figures.get(name).and_then(|figure| figure.samples.get(super::OURS));
        let Some(samples) = samples else { continue };
        let value = stats::median(samples);
        if value > promise.limit {
            list.push(format!("{name}: {value} bytes are more than the promised {}", promise.limit));
        }
    }
    Ok(list)
}

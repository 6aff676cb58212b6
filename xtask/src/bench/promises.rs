//! The promises of SPECIFICATION.md: one list, tests/bench/promises.json, from which the table is made and by which sizes are judged.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

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

/// Writes the table into SPECIFICATION.md.
pub fn write_specification() -> Result<()> {
    let path = specification();
    let (text, wanted) = specifications(&path)?;
    if text != wanted {
        std::fs::write(&path, wanted).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Fails if SPECIFICATION.md does not have the table of the promises.
pub fn check_specification() -> Result<()> {
    let (text, wanted) = specifications(&specification())?;
    if text != wanted {
        bail!(
            "SPECIFICATION.md does not have the promises of tests/bench/promises.json; run `cargo xtask bench --html`"
        );
    }
    Ok(())
}

/// SPECIFICATION.md as it is and as it should be. Fails if a promise names a file that does not exist.
fn specifications(path: &Path) -> Result<(String, String)> {
    let promises = all()?;
    for promise in &promises {
        if !tools::root().join(&promise.kept_by).exists() {
            bail!(
                "tests/bench/promises.json: \"{}\" is kept by {}, which does not exist",
                promise.what,
                promise.kept_by
            );
        }
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (before, rest) =
        text.split_once(BEGIN).context("SPECIFICATION.md has no line where the promises begin")?;
    let (_, after) = rest.split_once(END).context("SPECIFICATION.md has no line where the promises end")?;
    let wanted = format!("{before}{BEGIN}{}{END}{after}", table(&promises));
    Ok((text, wanted))
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

#[cfg(test)]
mod tests {
    use super::{Promise, broken, check_specification, table};
    use crate::bench::results::tests::empty;

    #[test]
    fn the_specification_has_the_promises() {
        check_specification().unwrap();
    }

    #[test]
    fn a_row() {
        let promise = Promise {
            what: "An image".to_owned(),
            figure: Some("size.x".to_owned()),
            limit: 2048.0,
            unit: "bytes".to_owned(),
            kept_by: "README.md".to_owned(),
        };
        let row = table(&[promise]);
        assert!(
            row.ends_with("| An image | at most 2048 bytes | [README.md](README.md), `size.x` |\n"),
            "{row}"
        );
    }

    #[test]
    fn growth_breaks_a_promise_and_slowness_does_not() {
        let mut results = empty();
        results.add("size.hello", "bytes", "rumpbake", vec![1e9]);
        results.add("boot.microvm.first_line", "ms", "rumpbake", vec![1e9]);
        let broken = broken(&results).unwrap();
        assert_eq!(broken.len(), 1);
        assert!(broken[0].starts_with("size.hello"));
    }
}

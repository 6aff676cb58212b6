//! The promises of SPECIFICATION.md: one list, tests/bench/promises.json, from which the tables are made and by which sizes are judged.
//!
//! A promise is about a value (`limit`, `unit`) or about a multiple of another side's (`times`, `than`). Beside it stands what the published run
//! measured (docs/bench.json).

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::blocks::Block;
use super::results::{Better, Figure, Results, pretty};
use super::stats;
use crate::tools;

/// One promise.
#[derive(Deserialize)]
struct Promise {
    /// What is promised, as a sentence's subject.
    what: String,
    /// The figure of the benchmark that keeps it.
    figure: String,
    #[serde(flatten)]
    bound: Bound,
    /// Where it is measured or tested: a path in the checkout.
    kept_by: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bound {
    /// The most that the figure may be (or the least, where more is better).
    Value { limit: f64, unit: String },
    /// How many times better it is than that of a side, at least; below 1: how much worse at most.
    Ratio { times: f64, than: String },
}

fn all() -> Result<Vec<Promise>> {
    let path = tools::root().join("tests/bench/promises.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let promises: Vec<Promise> = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    for promise in &promises {
        if !tools::root().join(&promise.kept_by).exists() {
            bail!("{}: {} does not exist", path.display(), promise.kept_by);
        }
    }
    Ok(promises)
}

/// The tables of SPECIFICATION.md.
pub fn blocks(published: &Results) -> Result<[Block; 2]> {
    let (mut values, mut ratios) =
        ("| what | promise | published run | kept by |\n|---|---|---|---|\n".to_owned(), String::new());
    ratios.clone_from(&values);
    for promise in all()? {
        let figure = published.figures.get(&promise.figure);
        match &promise.bound {
            Bound::Value { .. } => row(&mut values, &promise, figure),
            Bound::Ratio { .. } => row(&mut ratios, &promise, figure),
        }
    }
    let document = "SPECIFICATION.md";
    Ok([
        Block { document, name: "the promises", text: values },
        Block { document, name: "the promises beside Linux", text: ratios },
    ])
}

fn row(out: &mut String, promise: &Promise, figure: Option<&Figure>) {
    let Promise { what, figure: name, bound, kept_by } = promise;
    let (promised, measured) = match bound {
        Bound::Value { limit, unit } => {
            let exact =
                |value: f64| if unit == "bytes" { format!("{value} bytes") } else { pretty(value, unit) };
            let word = if Better::of(unit) == Better::Less { "at most" } else { "at least" };
            let median = median(figure);
            let kept =
                |value: &f64| (*value <= *limit) == (Better::of(unit) == Better::Less) || *value == *limit;
            (
                format!("{word} {}", exact(*limit)),
                median.map(|value| format!("{}{}", exact(value), remark(kept(&value)))),
            )
        }
        Bound::Ratio { times, than } => {
            let lead = figure.and_then(|figure| figure.lead(super::OURS, than));
            if *times < 1.0 {
                let measured =
                    lead.map(|lead| format!("{:.2} times{}", 1.0 / lead.value, remark(lead.value >= *times)));
                (format!("at most {} times {than}'s", 1.0 / times), measured)
            } else {
                let measured = lead.map(|lead| {
                    format!(
                        "{:.1} times ({:.1} to {:.1}){}",
                        lead.value,
                        lead.low,
                        lead.high,
                        remark(lead.value >= *times)
                    )
                });
                (format!("at least {times} times better than {than}"), measured)
            }
        }
    };
    let measured = measured.unwrap_or_else(|| "not measured".to_owned());
    let _ = writeln!(out, "| {what} | {promised} | {measured} | [{kept_by}]({kept_by}), `{name}` |");
}

fn remark(kept: bool) -> &'static str {
    if kept { "" } else { ": **not kept**" }
}

fn median(figure: Option<&Figure>) -> Option<f64> {
    figure?.samples.get(super::OURS).map(|samples| stats::median(samples))
}

/// The promises about bytes that these results break. Times are not judged: they are the machine's, too.
pub fn broken(results: &Results) -> Result<Vec<String>> {
    let mut list = Vec::new();
    for promise in all()? {
        let Bound::Value { limit, unit } = &promise.bound else { continue };
        let Some(value) = median(results.figures.get(&promise.figure)) else { continue };
        if unit == "bytes" && value > *limit {
            list.push(format!("{}: {value} bytes are more than the promised {limit}", promise.figure));
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::{Bound, Promise, broken, row};
    use crate::bench::results::tests::empty;

    fn shown(figure: &str, bound: Bound) -> String {
        let mut results = empty();
        results.add("size.x", "bytes", "rumpbake", vec![2000.0]);
        results.add("boot.x", "ms", "rumpbake", vec![40.0]);
        results.add("boot.x", "ms", "linux", vec![1200.0]);
        results.add("boot.x", "ms", "floor", vec![30.0]);
        let promise = Promise {
            what: "It".to_owned(),
            figure: figure.to_owned(),
            bound,
            kept_by: "README.md".to_owned(),
        };
        let mut out = String::new();
        row(&mut out, &promise, results.figures.get(figure));
        out
    }

    #[test]
    fn rows() {
        let end = "[README.md](README.md)";
        let limit = |limit| Bound::Value { limit, unit: "bytes".to_owned() };
        let times = |times, than: &str| Bound::Ratio { times, than: than.to_owned() };
        assert_eq!(
            shown("size.x", limit(2048.0)),
            format!("| It | at most 2048 bytes | 2000 bytes | {end}, `size.x` |\n")
        );
        assert!(shown("size.x", limit(1024.0)).contains("2000 bytes: **not kept**"));
        assert!(shown("size.y", limit(1024.0)).contains("| not measured |"));
        assert!(
            shown("boot.x", times(20.0, "linux"))
                .contains("at least 20 times better than linux | 30.0 times (30.0 to 30.0) |")
        );
        assert!(shown("boot.x", times(0.5, "floor")).contains("at most 2 times floor's | 1.33 times |"));
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

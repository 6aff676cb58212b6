//! The figures in which the other side is ahead, and why: tests/bench/behind.json explains, the published run says which and by how much.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::blocks::Block;
use super::counted;
use super::results::{Figure, Results, pretty};
use super::table::verdict;
use super::{LINUX, OURS, stats};
use crate::tools;

/// A paragraph on some figures.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paragraph {
    /// Their common name, for a reader.
    pub what: String,
    /// Their names, or beginnings of names that end in `*`.
    figures: Vec<String>,
    /// The profile, the cause, what is planned.
    pub why: String,
}

impl Paragraph {
    fn covers(&self, figure: &str) -> bool {
        self.figures.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => figure.starts_with(start),
            None => figure == pattern,
        })
    }
}

/// All paragraphs.
pub fn paragraphs() -> Result<Vec<Paragraph>> {
    let path = tools::root().join("tests/bench/behind.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// The figures in which `first` is behind `second`. Counts are left out: they explain times, and are nothing that one waits for.
fn behind<'a>(results: &'a Results, first: &str, second: &str) -> Vec<(&'a str, &'a Figure)> {
    let figures = results.figures.iter().filter(|(name, figure)| {
        !name.starts_with(counted::PREFIX)
            && figure.lead(first, second).is_some_and(|lead| verdict(lead, first, second) == second)
    });
    figures.map(|(name, figure)| (name.as_str(), figure)).collect()
}

/// A paragraph with the figures that it speaks of.
pub type Explained<'a, 'b> = (&'b Paragraph, Vec<(&'a str, &'a Figure)>);

/// The paragraphs that speak of figures that are behind, with these; and the figures of which none speaks.
pub fn explained<'a, 'b>(
    results: &'a Results,
    paragraphs: &'b [Paragraph],
) -> (Vec<Explained<'a, 'b>>, Vec<&'a str>) {
    let mut left = behind(results, OURS, LINUX);
    let mut list = Vec::new();
    for paragraph in paragraphs {
        let (these, others) = left.into_iter().partition::<Vec<_>, _>(|(name, _)| paragraph.covers(name));
        left = others;
        if !these.is_empty() {
            list.push((paragraph, these));
        }
    }
    (list, left.into_iter().map(|(name, _)| name).collect())
}

/// The figures with their medians, as words.
pub fn medians(figures: &[(&str, &Figure)]) -> String {
    let one = |(name, figure): &(&str, &Figure)| {
        let of = |side| figure.samples.get(side).map_or(0.0, |samples| stats::median(samples));
        format!("`{name}` {} against {}", pretty(of(OURS), &figure.unit), pretty(of(LINUX), &figure.unit))
    };
    figures.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The section of SPECIFICATION.md.
pub fn block(published: &Results) -> Result<Block> {
    let paragraphs = paragraphs()?;
    let (explained, unexplained) = explained(published, &paragraphs);
    let mut text = String::new();
    for (paragraph, figures) in explained {
        let _ = writeln!(text, "- **{}** ({}). {}", paragraph.what, medians(&figures), paragraph.why);
    }
    if !unexplained.is_empty() {
        let names: Vec<String> = unexplained.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "- **Not explained yet**: {}.", names.join(", "));
    }
    if text.is_empty() {
        text = "In nothing that is measured.\n".to_owned();
    }
    Ok(Block { document: "SPECIFICATION.md", name: "where Linux is ahead", text })
}

#[cfg(test)]
mod tests {
    use super::{Paragraph, explained, medians, paragraphs};
    use crate::bench::results::tests::empty;

    #[test]
    fn every_paragraph_can_be_read() {
        assert!(!paragraphs().unwrap().is_empty());
    }

    #[test]
    fn what_is_behind_is_explained_or_named() {
        let mut results = empty();
        for (name, ours, other) in
            [("a.x_1", 20.0, 10.0), ("a.x_2", 10.0, 20.0), ("b.y", 30.0, 10.0), ("counted.b.y", 3.0, 1.0)]
        {
            results.add(name, "ns", "rumpbake", vec![ours]);
            results.add(name, "ns", "linux", vec![other]);
        }
        let list = [Paragraph { what: "X".to_owned(), figures: vec!["a.x*".to_owned()], why: String::new() }];
        let (explained, unexplained) = explained(&results, &list);
        assert_eq!(explained.len(), 1);
        assert_eq!(medians(&explained[0].1), "`a.x_1` 20.0 ns against 10.0 ns");
        assert_eq!(unexplained, ["b.y"]);
    }
}

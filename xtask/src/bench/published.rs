//! The published run: docs/bench.json has its samples, and docs/bench.html, the tables of SPECIFICATION.md and that of README.md are made of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::blocks::Block;
use super::results::{Results, pretty};
use super::{LINUX, OURS, behind, html, promises, stats};
use crate::tools;

/// What a user chooses by.
const CHOSEN: &[(&str, &str)] = &[
    ("boot.microvm.first_line", "QEMU's start to the first line of a C program's `main`, microvm"),
    ("size.hello", "what has to be shipped for it"),
    ("memory.least", "the least memory that it runs with"),
    ("calls.getppid", "a system call that does nothing, from libc"),
    ("threads.condvar_round_trip", "to another thread and back, by condition variables"),
    ("threads.create_join", "a thread, created and joined"),
    ("pages.map_touch_unmap_1m", "1 MiB of memory mapped, touched, given back"),
    ("files.pread_4k", "4 KiB read from a file in memory"),
    ("net.http_32", "HTTP requests over 32 connections"),
    ("net.udp_echo", "a datagram's way there and back"),
];

fn json() -> PathBuf {
    tools::root().join("docs/bench.json")
}

fn page() -> PathBuf {
    tools::root().join("docs/bench.html")
}

/// Reads results.
pub fn read(file: &Path) -> Result<Results> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| file.display().to_string())
}

/// Publishes a run beside Linux.
pub fn write(results: &Results) -> Result<()> {
    if results.sides != [OURS, LINUX] {
        bail!(
            "only a run beside the Linux guest can be published, not one of {}",
            results.sides.join(" and ")
        );
    }
    write_to(&json(), &lines(results)?)?;
    write_to(&page(), &html::page(results, OURS, LINUX))?;
    for block in blocks(results)? {
        block.write()?;
    }
    let (_, unexplained) = behind::explained(results, &behind::paragraphs()?);
    if !unexplained.is_empty() {
        eprintln!("bench: behind, and tests/bench/behind.json does not say why: {}", unexplained.join(", "));
    }
    Ok(())
}

/// Fails if a document says something else than the published run.
pub fn check() -> Result<()> {
    let results = read(&json())?;
    let text = std::fs::read_to_string(page()).context("cannot read docs/bench.html")?;
    if text != html::page(&results, OURS, LINUX) {
        bail!(
            "docs/bench.html is not that of docs/bench.json; run `cargo xtask bench --from docs/bench.json --html`"
        );
    }
    blocks(&results)?.iter().try_for_each(Block::check)
}

fn write_to(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn blocks(results: &Results) -> Result<Vec<Block>> {
    let mut list = Vec::from(promises::blocks(results)?);
    list.push(behind::block(results)?);
    list.push(Block { document: "README.md", name: "how fast", text: chosen(results) });
    Ok(list)
}

/// The table of README.md.
fn chosen(results: &Results) -> String {
    let mut text = "| | rumpbake | Linux guest | times better |\n|---|---|---|---|\n".to_owned();
    for (name, what) in CHOSEN {
        let Some(figure) = results.figures.get(*name) else { continue };
        let Some(lead) = figure.lead(OURS, LINUX) else { continue };
        let of = |side: &str| {
            let median = figure.samples.get(side).map_or(0.0, |samples| stats::median(samples));
            pretty(median, &figure.unit).replace(" requests_per_s", " per s")
        };
        let digits = usize::from(lead.value < 10.0);
        let _ = writeln!(text, "| {what} | {} | {} | {:.digits$} |", of(OURS), of(LINUX), lead.value);
    }
    text
}

/// The results as text with a line for each figure, without the repetitions of each boot, which `target/bench/bench.json` has.
fn lines(results: &Results) -> Result<String> {
    let mut value = serde_json::to_value(results)?;
    let object = value.as_object_mut().context("results are no object")?;
    let mut parts = Vec::new();
    for name in ["figures", "scales"] {
        let group = object.remove(name).unwrap_or_default();
        let mut entries = Vec::new();
        for (name, mut entry) in group.as_object().cloned().unwrap_or_default() {
            if let Some(entry) = entry.as_object_mut() {
                entry.remove("repetitions");
            }
            entries.push(format!("    {}: {entry}", serde_json::to_string(&name)?));
        }
        parts.push(format!("  \"{name}\": {{\n{}\n  }}", entries.join(",\n")));
    }
    for (name, entry) in object {
        parts.push(format!("  {}: {entry}", serde_json::to_string(name)?));
    }
    Ok(format!("{{\n{}\n}}\n", parts.join(",\n")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{check, chosen, lines};
    use crate::bench::results::{Results, tests::empty};
    use crate::tools;

    #[test]
    fn the_documents_say_what_was_measured() {
        check().unwrap();
    }

    #[test]
    fn links_lead_somewhere() {
        for document in
            ["README.md", "SPECIFICATION.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "tests/bench/README.md"]
        {
            let path = tools::root().join(document);
            let text = std::fs::read_to_string(&path).unwrap();
            let folder = path.parent().unwrap_or(Path::new(""));
            for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
            {
                let file = link.split('#').next().unwrap_or("");
                assert!(link.contains(':') || folder.join(file).exists(), "{document}: {link} leads nowhere");
            }
        }
    }

    #[test]
    fn lines_can_be_read_again() {
        let mut results = empty();
        results.add("calls.getppid", "ns", "rumpbake", vec![50.0, 52.0]);
        results.add("calls.getppid", "ns", "linux", vec![300.0]);
        results.add_scale("scale.files", "ns", "linux", 10, 3.0);
        let text = lines(&results).unwrap();
        let again: Results = serde_json::from_str(&text).unwrap();
        assert_eq!(lines(&again).unwrap(), text);
        assert!(
            chosen(&again)
                .ends_with("| a system call that does nothing, from libc | 51.0 ns | 300 ns | 5.9 |\n")
        );
    }
}

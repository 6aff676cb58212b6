//! `rumpbake inspect`: what a program or an image is made of.

use std::fmt::Write as _;
use std::path::PathBuf;

use rumpbake_linker::{FileKind, Report, SystemCalls, Target};

use crate::disk;
use crate::failure::{Failure, Outcome};
use crate::output::{self, size};

/// Arguments of `rumpbake inspect`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake inspect --json hello.img")]
pub struct Args {
    /// The program, image or disk
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the report.
pub fn inspect(args: &Args) -> Outcome {
    let report = match disk::image_in(&args.file)? {
        Some(image) => rumpbake_linker::inspect(image.path())?,
        None => rumpbake_linker::inspect(&args.file)?,
    };
    let text = if args.json { json(&report)? } else { text(&report) };
    output::print(&text)?;
    Ok(0)
}

/// `value` as formatted JSON with a newline at its end.
pub fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

fn kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::StaticExecutable => "static NetBSD/amd64 program",
        FileKind::DynamicExecutable => "dynamic NetBSD/amd64 program",
        FileKind::Image => "rumpbake image",
    }
}

fn system_calls(how: SystemCalls) -> &'static str {
    match how {
        SystemCalls::FunctionCalls => "function calls, through libc",
        SystemCalls::Instructions => "`syscall` instructions",
    }
}

/// What an image is for, in words behind its kind. The component that makes a guest of Xen of an image for bare metal is called as its platform is.
fn machines(report: &Report) -> &'static str {
    match report.target {
        Some(Target::Xen) => " for guests of Xen of type pv",
        Some(Target::Hw) if report.components.iter().any(|component| component.name == "xen") => {
            " for guests of Xen of type pvh, and bare metal,"
        }
        Some(Target::Hw) => " for bare metal",
        _ => "",
    }
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_text(&mut out, report);
    out
}

fn write_text(out: &mut String, report: &Report) -> std::fmt::Result {
    write!(out, "{}{}", kind(report.kind), machines(report))?;
    if let Some(program) = report.program {
        write!(out, " with a {}", kind(program))?;
    }
    writeln!(out, "\n{} in the file, {} in memory", size(report.file_bytes), size(report.memory_bytes))?;
    writeln!(out, "starts at {:#x}", report.entry)?;
    if let Some(how) = report.system_calls {
        writeln!(out, "system calls are {}", system_calls(how))?;
    }
    if !report.segments.is_empty() {
        writeln!(
            out,
            "\nsegments\n  {:<18} {:<4} {:>10} {:>10}  layer",
            "address", "prot", "file", "memory"
        )?;
    }
    for segment in &report.segments {
        let (file, memory) = (size(segment.file_bytes), size(segment.memory_bytes));
        let (address, prot, layer) = (segment.address, &segment.prot, &segment.layer);
        writeln!(out, "  {address:<#18x} {prot:<4} {file:>10} {memory:>10}  {layer}")?;
    }
    if !report.parts.is_empty() {
        writeln!(out, "\nparts\n  {:<18} {:>10}  part", "address", "memory")?;
    }
    for part in &report.parts {
        writeln!(out, "  {:<#18x} {:>10}  {}", part.address, size(part.bytes), part.name)?;
    }
    if !report.components.is_empty() {
        writeln!(
            out,
            "\ncomponents\n  {:<12} {:<10} {:>10} {:>10} {:>10} {:>10}  because",
            "name", "faction", "text", "rodata", "data", "bss"
        )?;
    }
    for component in &report.components {
        let [text, rodata, data, bss] =
            [component.text_bytes, component.rodata_bytes, component.data_bytes, component.bss_bytes]
                .map(size);
        let (name, faction, why) = (&component.name, &component.faction, &component.why);
        writeln!(out, "  {name:<12} {faction:<10} {text:>10} {rodata:>10} {data:>10} {bss:>10}  {why}")?;
    }
    for import in &report.imports {
        let from = match import.library.as_str() {
            "unknown" => "that no library of NetBSD has",
            library => &format!("from {library}"),
        };
        writeln!(out, "\nimports {} {from}", import.symbols.len())?;
        if !import.missing.is_empty() {
            writeln!(out, "  rumpbake's libc does not have: {}", import.missing.join(" "))?;
        }
    }
    Ok(())
}

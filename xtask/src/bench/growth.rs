//! What baking and booting cost against the size of the program: the number of symbols that are bound, and the bytes of the image.
//!
//! The programs are generated. One with N bound symbols has N words, each with a relocation that names a function of libc or libm:
//! N different functions up to a thousand (tests/bench/host/imports.txt), the same thousand ten times for ten thousand. So the first three images
//! differ in what of libc and the kernel is in them, too. One of N bytes has so much initialised data, of which it touches one byte.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::guest::{self, Bootable, Machine, Setup};
use super::programs::{self, Purpose, Side, Source, System};
use super::{Mode, Run};

/// How many symbols are bound.
const SYMBOLS: &[u64] = &[10, 100, 1000, 10_000];
/// How many bytes of data there are beside the program's own.
const BYTES: &[u64] = &[100_000, 1_000_000, 10_000_000, 100_000_000];
/// Enough for the largest image twice over.
const MEMORY_KIB: u64 = 512 << 10;

/// The beginning of every generated program: it prints its line, and uses what follows.
const MAIN: &str = "#include <stdio.h>\n\
    extern char growth[];\n\
    int main(int argc, char **argv) {\n\
    \x20   (void)argv;\n\
    \x20   puts(\"hello\");\n\
    \x20   __asm__ volatile(\"\" : : \"r\"(growth[argc]));\n\
    \x20   return 0;\n\
    }\n";

/// A program that is baked and booted in each round.
struct Candidate {
    /// The end of the figures' names, and what is counted.
    figure: &'static str,
    along: &'static str,
    count: u64,
    side: String,
    boot: Bootable,
    /// Where it can be baked, how.
    bake: Option<(PathBuf, PathBuf)>,
}

/// Bakes and boots programs of all sizes in turn.
pub fn growth(run: &mut Run) -> Result<()> {
    let mut candidates = Vec::new();
    let few = |counts: &'static [u64]| match run.mode {
        Mode::Full => counts,
        // The largest image takes longest, and what is wrong shows at the third as well.
        Mode::Quick => &counts[..3],
        Mode::Check => &counts[..1],
    };
    for &count in few(SYMBOLS) {
        let source = write(&run.work, &format!("symbols_{count}"), &with_symbols(count)?)?;
        for side in run.sides.iter().filter(|side| matches!(side.system, System::Rumpbake(_))) {
            candidates.push(candidate("symbols", "bound symbols", count, side, &source, &run.work)?);
        }
    }
    for &count in few(BYTES) {
        let source = write(&run.work, &format!("bytes_{count}"), &with_bytes(count))?;
        for side in &run.sides {
            let mut one = candidate("bytes", "bytes", count, side, &source, &run.work)?;
            // What is shipped, not what was asked for.
            one.count = match &one.boot.initrd {
                Some(initrd) => programs::bytes(initrd)?,
                None => programs::bytes(&one.boot.kernel)?,
            };
            candidates.push(one);
        }
    }
    // The first round warms the host's caches, where there are several.
    let warm = usize::from(run.mode == Mode::Full);
    for round in 0..run.rounds(7, 1) + warm {
        run.calibrate();
        for candidate in &candidates {
            let (baked, booted) = once(candidate)?;
            if round < warm {
                continue;
            }
            let Candidate { figure, along, count, side, .. } = candidate;
            let mut add = |what: &str, value: f64| {
                let name = format!("growth.{what}_by_{figure}");
                run.results.add_growth(&name, "ms", along, side, *count, value);
            };
            add("first_line", booted);
            if let Some(baked) = baked {
                add("bake", baked);
            }
        }
    }
    Ok(())
}

/// Milliseconds to bake it, and to its first line.
fn once(candidate: &Candidate) -> Result<(Option<f64>, f64)> {
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let mut baked = None;
    if let Some((command, elf)) = &candidate.bake {
        let start = Instant::now();
        let output = &candidate.boot.kernel;
        programs::must(Command::new(command).args(["hw", "--quiet", "-o"]).arg(output).arg(elf))?;
        baked = Some(ms(start.elapsed()));
    }
    let boot = guest::boot(&Setup {
        what: &candidate.boot,
        machine: Machine::Microvm,
        memory_kib: MEMORY_KIB,
        arguments: &[],
        options: Vec::new(),
        through: Vec::new(),
        timeout: Duration::from_secs(120),
    })?;
    let Some(first) = boot.line("hello") else {
        bail!("{} for {}: no line of main came{}", candidate.figure, candidate.side, boot.tail());
    };
    Ok((baked, ms(first.at)))
}

fn candidate(
    figure: &'static str,
    along: &'static str,
    count: u64,
    side: &Side,
    source: &Source,
    work: &Path,
) -> Result<Candidate> {
    let name = format!("{figure}_{count}");
    let built = side.build(source, &name, Purpose::Boot, &[], work)?;
    let bake = match &side.system {
        System::Rumpbake(command) => {
            Some((command.clone(), work.join(&side.name).join(format!("{name}.elf"))))
        }
        System::Linux(_) => None,
    };
    Ok(Candidate { figure, along, count, side: side.name.clone(), boot: built.boot, bake })
}

/// Writes a generated program.
fn write(work: &Path, name: &str, text: &str) -> Result<Source> {
    let path = work.join(format!("{name}.c"));
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Source::C(path))
}

/// A program with so many words that name functions of libc.
fn with_symbols(count: u64) -> Result<String> {
    let path = programs::host_source("imports.txt");
    let names = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let names: Vec<&str> = names.split_ascii_whitespace().collect();
    let mut text = format!("{MAIN}__asm__(\".data\\n.balign 8\\n.globl growth\\ngrowth:\\n\"\n");
    for name in names.iter().cycle().take(usize::try_from(count)?) {
        let _ = writeln!(text, "    \".quad {name}\\n\"");
    }
    Ok(text + ");\n")
}

/// A program with so many bytes of data that are not zero.
fn with_bytes(count: u64) -> String {
    format!("{MAIN}__asm__(\".data\\n.globl growth\\ngrowth: .fill {count}, 1, 0x5a\\n\");\n")
}

#[cfg(test)]
mod tests {
    use super::{with_bytes, with_symbols};

    #[test]
    fn as_many_words_as_asked_for() {
        for count in [10, 1000, 10_000] {
            assert_eq!(with_symbols(count).unwrap().matches(".quad ").count() as u64, count);
        }
    }

    #[test]
    fn a_thousand_different_names() {
        let text = with_symbols(1000).unwrap();
        let mut names: Vec<&str> = text.lines().filter(|line| line.contains(".quad ")).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 1000);
    }

    #[test]
    fn as_many_bytes_as_asked_for() {
        assert!(with_bytes(100).contains(".fill 100, 1,"));
    }
}

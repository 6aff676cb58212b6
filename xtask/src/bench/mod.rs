//! `cargo xtask bench`: where rumpbake stands, side by side with a Linux guest, or with another revision.
//!
//! Both sides alternate in one run (A B A B …). A sample is one boot: a program that measures inside of the guest repeats itself, and the
//! median of these repetitions is the boot's sample. tests/bench/README.md says how the sides are set up and how to read the table.

mod behind;
mod blocks;
mod compare;
mod control;
mod counted;
mod cpio;
mod groups;
mod growth;
mod guest;
mod host;
mod html;
mod lz4;
mod net;
mod programs;
mod promises;
mod published;
mod results;
mod stats;
mod table;
mod xen_calls;
mod xen_guests;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use control::Control;
use guest::{Machine, Setup};
use programs::{Program, Purpose, Side, System};
use results::Results;

use crate::tools;

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args, Default)]
#[command(after_help = "Example:
  cargo xtask bench --quick
  cargo xtask bench --filter threads
  cargo xtask bench --compare HEAD~5

Results go to target/bench: bench.json with every sample, and bench.html. Exit status 1 with --compare if something got slower.")]
pub struct Args {
    /// Fewer rounds: three minutes instead of twenty
    #[arg(long)]
    quick: bool,
    /// Only the groups whose name holds this: size, boot, instructions, memory, bake, growth, net, xen-calls, xen-guests, counted, and the programs in
    /// tests/bench
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// Publish the run: docs/bench.json, docs/bench.html, and the tables of SPECIFICATION.md and README.md
    #[arg(long, conflicts_with_all = ["compare", "check"])]
    html: bool,
    /// Measure nothing; show the results of an earlier run, a bench.json
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "filter", "compare", "rumpbake", "check"])]
    from: Option<PathBuf>,
    /// Compare with another revision instead of with Linux
    #[arg(long, value_name = "REV")]
    compare: Option<String>,
    /// Measure this command instead of building it
    #[arg(long, value_name = "FILE")]
    rumpbake: Option<PathBuf>,
    /// Judge no times: fail if something cannot run, or if a size has grown beyond its promise in SPECIFICATION.md
    #[arg(long)]
    check: bool,
}

/// The name of the side that is measured.
const OURS: &str = "rumpbake";
/// The name of the control.
const LINUX: &str = "linux";
/// Memory of the guests that measure inside.
const MEMORY_KIB: u64 = 512 << 10;

/// The group of the figures that are counted instead of timed.
const COUNTED: &str = "counted";

/// Programs that take longer are run once only in a quick run.
const QUICK_BOOT: Duration = Duration::from_secs(4);

/// How thorough a run is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Full,
    Quick,
    /// Each thing once.
    Check,
}

/// A run of the benchmark.
pub struct Run {
    mode: Mode,
    sides: Vec<Side>,
    /// Where programs and images go.
    work: PathBuf,
    results: Results,
}

impl Run {
    /// How many rounds there are.
    fn rounds(&self, full: usize, quick: usize) -> usize {
        match self.mode {
            Mode::Full => full,
            // Our boots are quick, and two revisions are less far apart than two systems.
            Mode::Quick if self.compares() && quick > 1 => full,
            Mode::Quick => quick,
            Mode::Check => 1,
        }
    }

    /// Whether all sides are rumpbake's.
    fn compares(&self) -> bool {
        self.sides.iter().all(|side| matches!(side.system, System::Rumpbake(_)))
    }

    fn is_quick(&self) -> bool {
        self.mode != Mode::Full
    }

    /// Does a fixed piece of work on the host and notes its time: the machine's noise beside the figures.
    fn calibrate(&mut self) {
        let start = Instant::now();
        let mut value = 1_u64;
        for _ in 0..2_000_000 {
            value = black_box(value.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1));
        }
        self.results.calibration_ms.push(start.elapsed().as_secs_f64() * 1e3);
    }

    /// Does one group; what goes wrong is noted, and the others go on.
    fn group(&mut self, name: &str, work: impl FnOnce(&mut Self) -> Result<()>) {
        let start = Instant::now();
        eprintln!("bench: {name}");
        if let Err(error) = work(self) {
            eprintln!("bench: {name}: {error:#}");
            self.results.failures.push(format!("{name}: {error:#}"));
        }
        eprintln!("bench: {name} took {:.1} s", start.elapsed().as_secs_f64());
    }

    /// The programs that measure inside, side by side, round by round.
    fn programs(&mut self, programs: &[Program]) {
        let mut built = Vec::new();
        for program in programs {
            for index in 0..self.sides.len() {
                let side = &self.sides[index];
                match side.build(&program.source, &program.name, Purpose::Inside, &[], &self.work) {
                    Ok(image) => built.push((program.name.clone(), side.name.clone(), image.boot)),
                    Err(error) => self.note(format!("{error:#}")),
                }
            }
        }
        // Full length for a few programs only: all of them would take an hour, most of it the Linux guest's.
        let arguments: &[&str] =
            if self.mode == Mode::Full && programs.len() <= 3 { &[] } else { &["quick"] };
        // These are not repeated: they failed, or take more than their share of a quick run.
        let mut done: Vec<(String, String)> = Vec::new();
        for round in 0..self.rounds(7, 2) {
            eprintln!("bench: round {} of the programs inside of the guests", round + 1);
            self.calibrate();
            for (program, side, what) in &built {
                let id = (program.clone(), side.clone());
                if done.contains(&id) {
                    continue;
                }
                let setup = Setup {
                    what,
                    // On microvm Linux finds nothing to calibrate its clock with, and ticks at 4 ms.
                    machine: Machine::Pc,
                    memory_kib: MEMORY_KIB,
                    arguments,
                    options: Vec::new(),
                    through: Vec::new(),
                    timeout: Duration::from_secs(if arguments.is_empty() { 600 } else { 180 }),
                };
                let start = Instant::now();
                let outcome = guest::boot(&setup).and_then(|boot| {
                    let count =
                        self.results.add_lines(side, boot.lines.iter().map(|line| line.text.as_str()));
                    if count == 0 || boot.status != Some(0) {
                        bail!("it measured {count} values and ended with {:?}{}", boot.status, boot.tail());
                    }
                    Ok(())
                });
                if round == 0 {
                    eprintln!("bench: {program} for {side} took {:.1} s", start.elapsed().as_secs_f64());
                }
                if let Err(error) = outcome {
                    self.note(format!("{program} for {side}: {error:#}"));
                    done.push(id);
                } else if self.mode == Mode::Check || self.is_quick() && start.elapsed() > QUICK_BOOT {
                    done.push(id);
                }
            }
        }
        for program in programs {
            // What failed has been noted.
            let start = format!("{} for ", program.name);
            if self.results.failures.iter().any(|failure| failure.starts_with(&start)) {
                continue;
            }
            for failure in self.results.one_sided(&format!("{}.", program.name)) {
                self.note(failure);
            }
        }
    }

    fn note(&mut self, failure: String) {
        eprintln!("bench: {failure}");
        self.results.failures.push(failure);
    }
}

/// Runs the benchmark.
pub fn run(args: &Args) -> Result<()> {
    let mode = match (args.check, args.quick) {
        (true, _) => Mode::Check,
        (_, true) => Mode::Quick,
        _ => Mode::Full,
    };
    let folder = target().join("bench");
    if let Some(file) = &args.from {
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        return report(&published::read(file)?, args, &folder);
    }
    let work = folder.join("work");
    std::fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;

    let wanted = |name: &str| args.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
    let mut programs = programs::all()?;
    let known: Vec<&str> = (groups::OUTSIDE.iter().map(|(name, _)| *name))
        .chain([COUNTED])
        .chain(programs.iter().map(|program| program.name.as_str()))
        .collect();
    // What can be seen to be wrong is said before minutes are spent on building.
    if !known.iter().any(|name| wanted(name)) {
        bail!(
            "no group has \"{}\" in its name; there are {}",
            args.filter.as_deref().unwrap_or_default(),
            known.join(", ")
        );
    }
    programs::output_of(Command::new(guest::qemu()).arg("--version")).with_context(|| {
        format!("{} does not run; `cargo xtask setup` installs it", guest::qemu().display())
    })?;
    if let Some(revision) = &args.compare {
        compare::commit(revision)?;
    }

    let ours = match &args.rumpbake {
        Some(command) => std::path::absolute(command)?,
        None => build_rumpbake(tools::root(), &target())?,
    };
    let mut sides = vec![Side { name: OURS.to_owned(), system: System::Rumpbake(ours) }];
    match &args.compare {
        Some(revision) => {
            let (name, command) = compare::build(revision, &folder)?;
            sides.push(Side { name, system: System::Rumpbake(command) });
        }
        None => sides.push(Side { name: LINUX.to_owned(), system: System::Linux(Control::set_up()?) }),
    }
    let mut run = Run { mode, results: empty_results(mode, &sides), sides, work };

    for &(name, measure) in groups::OUTSIDE {
        if wanted(name) {
            run.group(name, measure);
        }
    }
    // The group's own name takes all programs, a program's name takes its counts, too. All of them would double the length of a quick run.
    let every = wanted(COUNTED);
    let counted = every || programs.iter().any(|program| wanted(&program.name));
    if counted && (mode == Mode::Full || args.filter.is_some()) {
        run.group(COUNTED, |run| counted::counted(run, &|name| every || wanted(name)));
    }
    programs.retain(|program| wanted(&program.name));
    if !programs.is_empty() {
        run.group("programs", |run| {
            run.programs(&programs);
            Ok(())
        });
    }
    if args.compare.is_some() {
        // Of a hundred figures some look worse by chance: what does has as many samples again before it is judged.
        let suspects = compare::worse(&run.results, &run.sides[0].name, &run.sides[1].name);
        programs.retain(|program| {
            let start = format!("{}.", program.name);
            suspects.iter().any(|figure| figure.starts_with(&start))
        });
        if !programs.is_empty() {
            run.group("what looks worse, again", |run| {
                run.programs(&programs);
                Ok(())
            });
        }
    }
    report(&run.results, args, &folder)
}

/// Says what came out, and writes it down.
fn report(results: &Results, args: &Args, folder: &Path) -> Result<()> {
    if results.figures.is_empty() && results.scales.is_empty() && results.failures.is_empty() {
        bail!("nothing was measured: what the filter leaves is for full runs, or for another machine");
    }
    let (first, second) = (results.sides[0].as_str(), results.sides[1].as_str());
    print!("{}", table::text(results, first, second));
    let json = folder.join("bench.json");
    std::fs::write(&json, serde_json::to_string_pretty(results)? + "\n")
        .with_context(|| format!("cannot write {}", json.display()))?;
    let page = folder.join("bench.html");
    std::fs::write(&page, html::page(results, first, second))
        .with_context(|| format!("cannot write {}", page.display()))?;
    println!("\nevery sample: {}; charts: {}", json.display(), page.display());
    if args.html {
        published::write(results)?;
        println!("published: docs/bench.json, docs/bench.html, SPECIFICATION.md, README.md");
    }

    if args.check {
        let broken = promises::broken(results)?;
        if !broken.is_empty() {
            bail!("{}", broken.join("; "));
        }
    }
    if !results.failures.is_empty() {
        bail!(
            "{} of the benchmarks could not run:\n  {}",
            results.failures.len(),
            results.failures.join("\n  ")
        );
    }
    if args.compare.is_some() {
        let slower = compare::worse(results, first, second);
        if !slower.is_empty() {
            bail!("worse than {second} by more than the noise: {}", slower.join(", "));
        }
        println!("nothing is worse than {second} by more than the noise");
    }
    Ok(())
}

/// What `cargo xtask test` does: everything once, no time is judged.
pub fn check() -> Result<()> {
    published::check()?;
    run(&Args { check: true, ..Args::default() })
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tools::root().join("target"), PathBuf::from)
}

/// Builds the command of a checkout.
fn build_rumpbake(checkout: &Path, target: &Path) -> Result<PathBuf> {
    let status = Command::new("cargo")
        .current_dir(checkout)
        .args(["build", "--quiet", "--release", "--package", "rumpbake", "--target-dir"])
        .arg(target)
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("building rumpbake ended with {status}");
    }
    Ok(target.join("release/rumpbake"))
}

fn empty_results(mode: Mode, sides: &[Side]) -> Results {
    let first_line = |command: &mut Command| {
        programs::output_of(command)
            .ok()
            .and_then(|text| text.lines().next().map(str::to_owned))
            .unwrap_or_default()
    };
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    let control = sides.iter().find_map(|side| match &side.system {
        System::Linux(control) => Some(control.package.clone()),
        System::Rumpbake(_) => None,
    });
    let git = |arguments: &[&str]| first_line(Command::new("git").current_dir(tools::root()).args(arguments));
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    let revision =
        git(&["rev-parse", "--short", "HEAD"]) + if changed.is_empty() { "" } else { " with changes" };
    Results {
        revision,
        mode: match mode {
            Mode::Full => "full",
            Mode::Quick => "quick",
            Mode::Check => "check",
        }
        .to_owned(),
        sides: sides.iter().map(|side| side.name.clone()).collect(),
        machine: results::Machine {
            processor: field(&file("/proc/cpuinfo"), "model name"),
            processors: std::thread::available_parallelism().map_or(1, Into::into),
            memory_kib: field(&file("/proc/meminfo"), "MemTotal")
                .trim_end_matches(" kB")
                .parse()
                .unwrap_or(0),
            host: first_line(Command::new("uname").arg("-sr")),
            qemu: first_line(Command::new(guest::qemu()).arg("--version")),
            accelerator: if guest::has_kvm() { "kvm" } else { "tcg" }.to_owned(),
            control_command_line: control.as_ref().map(|_| control::command_line()),
            control,
            network: None,
        },
        calibration_ms: Vec::new(),
        load_average: file("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
        figures: BTreeMap::new(),
        scales: BTreeMap::new(),
        failures: Vec::new(),
    }
}

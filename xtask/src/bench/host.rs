//! What is measured from outside of the guest: boot, sizes, memory, instructions, the time that baking takes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::guest::{self, Bootable, Guest, Machine, Setup};
use super::programs::{self, Built, Purpose, Side, Source, System};
use super::{Run, programs::host_source};

/// The memory of guests whose memory is not the matter.
const MEMORY_KIB: u64 = 256 << 10;
/// How exactly the least memory is found: to this, or to 1.6 % (in quick runs 12.5 %) where that is more, since each try is a boot.
const LEAST_STEP_KIB: u64 = 64;
const LEAST_STEP_PART: u64 = 64;
const QUICK_STEP_PART: u64 = 8;
/// More than any side needs.
const LEAST_MOST_KIB: u64 = 256 << 10;

/// Options of `rumpbake hw` where QEMU is to go through multiboot.
const MULTIBOOT: &[&str] = &["--boot", "multiboot"];
/// What the image that only prints is called among the sides.
const FLOOR: &str = "floor";

const TIMEOUT: Duration = Duration::from_secs(60);

fn setup(what: &Bootable, machine: Machine) -> Setup<'_> {
    Setup {
        what,
        machine,
        memory_kib: MEMORY_KIB,
        arguments: &[],
        options: Vec::new(),
        through: Vec::new(),
        timeout: TIMEOUT,
    }
}

fn hello() -> Source {
    Source::C(host_source("hello.c"))
}

/// hello for one side: through PVH, which the Linux guest has too, or multiboot.
fn build_hello(side: &Side, bake: &[&str], work: &Path) -> Result<Built> {
    side.build(&hello(), "hello", Purpose::Boot, bake, work)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// QEMU's start → the first line of `main` → QEMU's end, for each machine and side in turn.
pub fn boot(run: &mut Run) -> Result<()> {
    struct Candidate {
        machine: Machine,
        side: String,
        what: Bootable,
        line: &'static str,
    }
    let mut candidates = Vec::new();
    for (machine, bake) in [(Machine::Microvm, &[][..]), (Machine::Pc, MULTIBOOT), (Machine::Q35, MULTIBOOT)]
    {
        if machine == Machine::Q35 && run.is_quick() {
            continue;
        }
        for side in &run.sides {
            // Linux goes by PVH everywhere: what its multiboot would be, it does not have.
            let built = build_hello(side, bake, &run.work)?;
            candidates.push(Candidate { machine, side: side.name.clone(), what: built.boot, line: "hello" });
        }
        if machine != Machine::Microvm {
            let what = programs::floor(&run.work)?;
            candidates.push(Candidate { machine, side: FLOOR.to_owned(), what, line: "floor" });
        }
    }
    let rounds = run.rounds(11, 3);
    for round in 0..=rounds {
        run.calibrate();
        for candidate in &candidates {
            let boot = guest::boot(&setup(&candidate.what, candidate.machine))?;
            let Some(first) = boot.line(candidate.line) else {
                bail!(
                    "{} on {}: no line of main came{}",
                    candidate.side,
                    candidate.machine.name(),
                    boot.tail()
                );
            };
            // The first round warms the host's caches.
            if round > 0 {
                let name = format!("boot.{}", candidate.machine.name());
                let (first, ended) = (ms(first.at), ms(boot.ended));
                run.results.add(&format!("{name}.first_line"), "ms", &candidate.side, vec![first]);
                run.results.add(&format!("{name}.exit"), "ms", &candidate.side, vec![ended]);
            }
        }
    }
    Ok(())
}

/// The instructions that a guest executes from its reset to the end of hello: steadier than time. QEMU's translator counts them, so there are
/// none under KVM.
pub fn instructions(run: &mut Run) -> Result<()> {
    if guest::has_kvm() {
        return Ok(());
    }
    let plugin = programs::counter(&run.work)?;
    let output = run.work.join("instructions");
    let mut plugin_option = guest::option("", &plugin);
    plugin_option.push(guest::option(",to=", &output));
    let mut built = Vec::new();
    for (machine, bake) in [(Machine::Microvm, &[][..]), (Machine::Pc, MULTIBOOT)] {
        for side in &run.sides {
            built.push((machine, side.name.clone(), build_hello(side, bake, &run.work)?.boot));
        }
    }
    built.push((Machine::Pc, FLOOR.to_owned(), programs::floor(&run.work)?));
    for _ in 0..run.rounds(7, 1) {
        for (machine, side, what) in &built {
            let options = vec!["-plugin".into(), plugin_option.clone()];
            guest::boot(&Setup { options, ..setup(what, *machine) })?;
            let text = std::fs::read_to_string(&output)
                .with_context(|| format!("QEMU's plugin wrote no {}", output.display()))?;
            let count = text.trim().parse().context("QEMU's plugin wrote no number")?;
            let figure = format!("boot.{}.instructions", machine.name());
            run.results.add(&figure, "instructions", side, vec![count]);
        }
    }
    Ok(())
}

/// What has to be shipped.
pub fn size(run: &mut Run) -> Result<()> {
    let cxx = Source::Cxx(host_source("hello.cc"));
    let go = Source::Go(programs::folder().join("golang"));
    for (name, source, bake) in [
        ("hello", hello(), &[][..]),
        ("hello_stripped", hello(), &["--strip"]),
        ("cxx", cxx, &[]),
        ("golang", go, &[]),
    ] {
        for side in &run.sides {
            let program = name.trim_end_matches("_stripped");
            let built = side.build(&source, program, Purpose::Boot, bake, &run.work)?;
            #[expect(clippy::cast_precision_loss, reason = "files have less than 2^52 bytes")]
            let bytes = built.shipped_bytes as f64;
            run.results.add(&format!("size.{name}"), "bytes", &side.name, vec![bytes]);
        }
    }
    Ok(())
}

/// The least memory that hello runs with, and what an idle guest keeps in use.
pub fn memory(run: &mut Run) -> Result<()> {
    let idle = Source::C(host_source("idle.c"));
    let mut sleepers = Vec::new();
    for index in 0..run.sides.len() {
        let side = &run.sides[index];
        let name = side.name.clone();
        let built = build_hello(side, &[], &run.work)?;
        let resting = side.build(&idle, "idle", Purpose::Boot, &[], &run.work)?;
        let part = if run.is_quick() { QUICK_STEP_PART } else { LEAST_STEP_PART };
        let least = least_kib(&built.boot, part)?;
        run.results.add("memory.least", "KiB", &name, vec![kib(least)]);
        sleepers.push((name, resting.boot));
    }
    for _ in 0..run.rounds(7, 1) {
        for (name, resting) in &sleepers {
            let used = idle_kib(resting)?;
            run.results.add("memory.idle", "KiB", name, vec![kib(used)]);
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "less than 2^52")]
fn kib(value: u64) -> f64 {
    value as f64
}

/// Bisects: a guest that prints its line and ends well has enough. The answer is too large by one `part`th at most.
fn least_kib(what: &Bootable, part: u64) -> Result<u64> {
    let works = |memory_kib, timeout| {
        let boot = guest::boot(&Setup { memory_kib, timeout, ..setup(what, Machine::Microvm) });
        boot.is_ok_and(|boot| boot.line("hello").is_some() && boot.status == Some(0))
    };
    let start = Instant::now();
    if !works(LEAST_MOST_KIB, TIMEOUT) {
        bail!("the guest does not run with {LEAST_MOST_KIB} KiB");
    }
    // Below a certain size QEMU or the firmware gives up, or the guest hangs.
    let timeout = start.elapsed() * 3 + Duration::from_secs(2);
    // Too little, and enough.
    let (mut little, mut enough) = (0, LEAST_MOST_KIB);
    while little + LEAST_STEP_KIB.max(enough / part) < enough {
        let middle = u64::midpoint(little, enough) / LEAST_STEP_KIB * LEAST_STEP_KIB;
        if works(middle, timeout) {
            enough = middle;
        } else {
            little = middle;
        }
    }
    Ok(enough)
}

/// The pages of guest memory that exist when the guest has come to rest: with shared memory behind it QEMU's process counts exactly them. The
/// pages that the machine itself makes (firmware, tables) are counted in a machine that is not started, and taken off.
fn idle_kib(what: &Bootable) -> Result<u64> {
    let shared = |more: &[&str]| {
        let mut options: Vec<_> = [
            "-object",
            &format!("memory-backend-memfd,id=ram,size={MEMORY_KIB}K,share=on"),
            "-machine",
            "memory-backend=ram",
        ]
        .map(Into::into)
        .to_vec();
        options.extend(more.iter().map(Into::into));
        options
    };
    let bare = {
        let guest = Guest::start(&Setup { options: shared(&["-S"]), ..setup(what, Machine::Microvm) })?;
        std::thread::sleep(Duration::from_millis(700));
        shared_kib(guest.process())?
    };
    let mut guest = Guest::start(&Setup { options: shared(&[]), ..setup(what, Machine::Microvm) })?;
    if !guest.wait_for("idle") {
        bail!("the idle guest did not get to its line");
    }
    std::thread::sleep(Duration::from_millis(700));
    Ok(shared_kib(guest.process())?.saturating_sub(bare))
}

/// The shared memory that a process has in use, from proc_pid_status(5).
fn shared_kib(process: u32) -> Result<u64> {
    let path = PathBuf::from(format!("/proc/{process}/status"));
    let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("RssShmem:")?.trim().strip_suffix(" kB")?.parse().ok())
        .with_context(|| format!("{} has no RssShmem", path.display()))
}

/// How long `rumpbake hw` takes; the Linux side has nothing like it.
pub fn bake(run: &mut Run) -> Result<()> {
    let rounds = run.rounds(11, 5);
    let output = run.work.join("bake.img");
    for (name, source) in [("hello", hello()), ("golang", Source::Go(programs::folder().join("golang")))] {
        let mut commands = Vec::new();
        for side in &run.sides {
            if let System::Rumpbake(command) = &side.system {
                side.build(&source, name, Purpose::Boot, &[], &run.work)?;
                let elf = run.work.join(&side.name).join(format!("{name}.elf"));
                commands.push((side.name.clone(), command.clone(), elf));
            }
        }
        for round in 0..=rounds {
            for (side, command, elf) in &commands {
                let start = Instant::now();
                programs::must(Command::new(command).args(["hw", "--quiet", "-o"]).arg(&output).arg(elf))?;
                let took = ms(start.elapsed());
                if round > 0 {
                    run.results.add(&format!("bake.{name}"), "ms", side, vec![took]);
                }
            }
        }
    }
    Ok(())
}

//! Instructions per operation, by the programs that measure inside of the guest: in a machine whose clock is its instruction counter.
//!
//! QEMU's `-icount shift=0` lets the guest's time pass by one nanosecond for each instruction, so what a program takes for nanoseconds are
//! instructions, and another run gives the same number. What an instruction costs is not in it: addresses that miss a cache, or system registers. Such
//! figures are called `counted.` and then as the others. They need QEMU's translator; under KVM there are none.

use std::time::Duration;

use anyhow::{Result, bail};

use super::guest::{self, Machine, Setup};
use super::programs::{self, Program, Purpose};
use super::{MEMORY_KIB, Mode, Run};

/// What the names of these figures begin with.
pub const PREFIX: &str = "counted.";

/// Whether something is to be counted: how late a sleeper wakes up is not, since the time in which nothing is done is not either.
fn counts(name: &str) -> bool {
    !name.contains("sleep")
}

/// Counts for all programs that a filter leaves.
pub fn counted(run: &mut Run, wanted: &dyn Fn(&str) -> bool) -> Result<()> {
    if guest::has_kvm() || run.mode == Mode::Check {
        return Ok(());
    }
    let mut programs = programs::all()?;
    programs.retain(|program| counts(&program.name) && wanted(&program.name));
    // Once: a second boot gives the same numbers.
    for program in &programs {
        for index in 0..run.sides.len() {
            if let Err(error) = count(run, program, index) {
                run.note(format!("counting {} for {}: {error:#}", program.name, run.sides[index].name));
            }
        }
    }
    Ok(())
}

fn count(run: &mut Run, program: &Program, index: usize) -> Result<()> {
    let side = &run.sides[index];
    let name = side.name.clone();
    let what = side.build(&program.source, &program.name, Purpose::Inside, &[], &run.work)?.boot;
    let boot = guest::boot(&Setup {
        what: &what,
        machine: Machine::Pc,
        memory_kib: MEMORY_KIB,
        arguments: &["quick"],
        options: ["-icount", "shift=0,sleep=off"].map(Into::into).to_vec(),
        through: Vec::new(),
        timeout: Duration::from_secs(300),
    })?;
    if boot.status != Some(0) {
        bail!("it ended with {:?}{}", boot.status, boot.tail());
    }
    let lines: Vec<String> = boot.lines.iter().filter_map(|line| instructions(&line.text)).collect();
    if lines.is_empty() {
        bail!("it counted nothing{}", boot.tail());
    }
    run.results.add_lines(&name, lines.iter().map(String::as_str));
    Ok(())
}

/// A program's line as a line of instructions; nothing if it is no time.
fn instructions(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (kind, name, beside, value, unit) = match words[..] {
        [kind @ "bench", name, value, unit] => (kind, name, "", value, unit),
        [kind @ "scale", name, beside, value, unit] => (kind, name, beside, value, unit),
        _ => return None,
    };
    let scale = match unit {
        "ns" => 1.0,
        "us" => 1e3,
        _ => return None,
    };
    let value: f64 = value.parse().ok()?;
    counts(name).then(|| format!("{kind} {PREFIX}{name} {beside} {:.2} instructions", value * scale))
}

#[cfg(test)]
mod tests {
    use super::instructions;

    #[test]
    fn times_are_instructions() {
        let of = |line| instructions(line).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(
            of("bench calls.getppid 46.5 ns").as_deref(),
            Some("bench counted.calls.getppid 46.50 instructions")
        );
        assert_eq!(
            of("scale scale.timers 100 7 us").as_deref(),
            Some("scale counted.scale.timers 100 7000.00 instructions")
        );
        assert_eq!(of("bench files.read_64k 300 MBps"), None);
        assert_eq!(of("bench golang.sleep_late_1ms 3 us"), None);
        assert_eq!(of("hello"), None);
    }
}

//! What entering the kernel costs under Xen: tests/bench/calls.c in an image that is Xen's first guest, its figures called `xen.` instead of `calls.`.
//!
//! The same program makes calls through libc, which are function calls, and by the `syscall` instruction, each of which Xen passes on and takes back.

use std::process::Command;

use anyhow::{Result, bail};

use super::Run;
use super::programs::{self, Purpose, Source, System, must, output_of};

/// The program, and what its figures begin with.
const PROGRAM: &str = "calls";

/// Measures each of our sides.
pub fn calls(run: &mut Run) -> Result<()> {
    let source = Source::C(programs::folder().join(format!("{PROGRAM}.c")));
    let mut images = Vec::new();
    for side in &run.sides {
        if let System::Rumpbake(command) = &side.system {
            side.build(&source, PROGRAM, Purpose::Inside, &[], &run.work)?;
            let folder = run.work.join(&side.name);
            let image = folder.join(format!("{PROGRAM}-xen.img"));
            let elf = folder.join(format!("{PROGRAM}.elf"));
            must(Command::new(command).args(["xen", "--quiet"]).arg(elf).arg("-o").arg(&image))?;
            images.push((side.name.clone(), command.clone(), image));
        }
    }
    let argument = if run.is_quick() { &["--", "quick"][..] } else { &[] };
    for _ in 0..run.rounds(7, 2) {
        run.calibrate();
        for (side, command, image) in &images {
            let shown = output_of(Command::new(command).args(["run", "--xen"]).arg(image).args(argument))?;
            let lines: Vec<String> =
                shown.lines().map(|line| line.replace(&format!("bench {PROGRAM}."), "bench xen.")).collect();
            if run.results.add_lines(side, lines.iter().map(String::as_str)) == 0 {
                bail!("{PROGRAM} measured nothing under Xen: {shown}");
            }
        }
    }
    Ok(())
}

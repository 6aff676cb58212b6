//! Guests that Xen's tool stack makes: the time from `xl create` to the first line of a C program's `main`, and the least memory.
//!
//! Both sides run under one Xen with one dom0 (qemu-scripts/xen-xl.sh), in turn. tests/bench/xen/job.sh is what dom0 does; tests/bench/xen/watch.c
//! takes the times there.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::control::{self, Control, Libc};
use super::programs::{self, Purpose, Side, Source, System, must};
use super::{Run, cpio, guest};
use crate::tools;

/// Memory of the guests while they are timed, MiB: enough, and no more than that, since the tool stack takes time for each page.
const OUR_MIB: u32 = 8;
const LINUX_MIB: u32 = 128;
/// Memory of the machine and of dom0, MiB: dom0 holds the Linux kernel twice, packed into its initramfs and unpacked.
const MACHINE_MIB: u32 = 900;
const DOM0_MIB: u32 = 400;
/// The whole run takes minutes; a machine that hangs must not take for ever, s.
const PATIENCE_S: &str = "1800";

/// A side's guest.
struct Guest {
    /// What its files are called in dom0, by this and an ending; a word for the shell.
    name: String,
    mib: u32,
    /// Lines of its configuration.
    lines: String,
    files: Vec<PathBuf>,
}

fn sources(name: &str) -> PathBuf {
    programs::folder().join("xen").join(name)
}

/// A copy under the name that the file has in dom0.
fn stage(from: &Path, folder: &Path, name: &str) -> Result<PathBuf> {
    let to = folder.join(name);
    std::fs::copy(from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(to)
}

fn ours(side: &Side, command: &Path, name: &str, work: &Path, folder: &Path) -> Result<Guest> {
    let hello = programs::host_source("hello.c");
    side.build(&Source::C(hello), "hello", Purpose::Boot, &[], work)?;
    let image = folder.join(format!("{name}.img"));
    let elf = work.join(&side.name).join("hello.elf");
    must(Command::new(command).args(["xen", "--quiet"]).arg(elf).arg("-o").arg(&image))?;
    let lines = format!("kernel=\"/job/{name}.img\"");
    Ok(Guest { name: name.to_owned(), mib: OUR_MIB, lines, files: vec![image] })
}

fn linux(control: &Control, name: &str, folder: &Path) -> Result<Guest> {
    let program = folder.join("init");
    let hello = programs::host_source("hello.c");
    control.compile(Libc::Musl, &[hello], &["-Dmain=program_main"], &[sources("boot.c")], &program)?;
    let bytes = std::fs::read(&program).with_context(|| format!("cannot read {}", program.display()))?;
    let archive = folder.join(format!("{name}.cpio"));
    std::fs::write(&archive, cpio::archive(&[("init", &bytes)]))
        .with_context(|| format!("cannot write {}", archive.display()))?;
    // Unpacked: the tool stack takes longer for the bzImage, whose kernel it unpacks itself.
    let kernel = stage(&control.vmlinux, folder, &format!("{name}.vmlinux"))?;
    let lines = format!(
        "kernel=\"/job/{name}.vmlinux\"\nramdisk=\"/job/{name}.cpio\"\nextra=\"{}\"",
        control::xen_command_line()
    );
    Ok(Guest { name: name.to_owned(), mib: LINUX_MIB, lines, files: vec![kernel, archive] })
}

/// Measures all sides in one dom0. Only in full runs: it takes minutes, most of them the Linux guest's.
pub fn guests(run: &mut Run) -> Result<()> {
    if run.is_quick() {
        return Ok(());
    }
    let folder = run.work.join("xen-guests");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut guests = Vec::new();
    for (index, side) in run.sides.iter().enumerate() {
        let name = format!("side{index}");
        guests.push(match &side.system {
            System::Rumpbake(command) => ours(side, command, &name, &run.work, &folder)?,
            System::Linux(control) => linux(control, &name, &folder)?,
        });
    }
    let mut setting = format!("ROUNDS={}\nSIDES='", run.rounds(7, 3));
    let names: Vec<&str> = guests.iter().map(|guest| guest.name.as_str()).collect();
    // A string takes everything.
    let _ = writeln!(setting, "{}'", names.join(" "));
    for guest in &guests {
        let _ = write!(setting, "memory_{0}={1}\nlines_{0}='{2}'\n", guest.name, guest.mib, guest.lines);
    }
    let bench = folder.join("bench.sh");
    std::fs::write(&bench, setting).with_context(|| format!("cannot write {}", bench.display()))?;
    let watch = folder.join("watch");
    must(Command::new("gcc").args(["-O2", "-static", "-s", "-o"]).arg(&watch).arg(sources("watch.c")))?;

    run.calibrate();
    let mut command = Command::new("timeout");
    // timeout(1) has a process group of its own, which a terminal's Ctrl-C does not reach, and hands this signal on.
    guest::end_with_us(&mut command, Signal::TERM);
    let output = command
        .args([PATIENCE_S, "sh"])
        .arg(tools::root().join("qemu-scripts/xen-xl.sh"))
        .args([sources("job.sh"), bench, watch])
        .args(guests.iter().flat_map(|guest| &guest.files))
        .env("MEMORY", MACHINE_MIB.to_string())
        .env("DOM0_MEMORY", DOM0_MIB.to_string())
        .output()
        .context("cannot start timeout")?;
    run.calibrate();
    let shown = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("dom0's job ended with {}:\n{shown}{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let mut count = 0;
    for line in shown.lines() {
        let ["sample", figure, name, value] = line.split_ascii_whitespace().collect::<Vec<_>>()[..] else {
            continue;
        };
        let Some(index) = names.iter().position(|known| *known == name) else { continue };
        let Ok(value) = value.parse() else { continue };
        let unit = if figure.starts_with("memory") { "KiB" } else { "ms" };
        let side = run.sides[index].name.clone();
        run.results.add(&format!("xen.{figure}"), unit, &side, vec![value]);
        count += 1;
    }
    if count == 0 {
        bail!("dom0's job measured nothing: {shown}");
    }
    Ok(())
}

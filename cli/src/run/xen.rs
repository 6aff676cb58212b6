//! `rumpbake run --xen`: the image as the first guest of Xen, which QEMU loads.
//!
//! Xen (its command line: docs/misc/xen-command-line in its sources) is told to say nothing, since its console is the guest's, and to
//! end by a triple fault, on which QEMU ends. The image is the first module; the words after its name are the guest's command line.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rumpbake_linker::Target;

use super::boot::{command_line, end_kib, image_report, stdio};
use super::console::Line;
use super::qemu::{Bare, option_value, shell_line};
use super::{Accel, Args, Firmware, Machine, drive, qemu_program, report, usable};
use crate::failure::{Failure, Outcome};
use crate::{output, tools};

/// What Xen itself needs beside its guest, KiB.
const XEN_KIB: u64 = 128 << 10;
/// What a guest needs beside its image for tables and first pages, KiB.
const GUEST_KIB: u64 = 3 << 10;
/// Bytes of a guest's command line, less the final zero.
const COMMAND_LINE_MAX: usize = 1023;

/// Runs the image.
pub fn run(args: &Args) -> Outcome {
    let path = args.image.display();
    let found = image_report(args, "xen")?;
    if found.target != Some(Target::Xen) {
        return Err(Failure::new(format!(
            "{path}: this is an image for bare metal; run it without --xen, or bake the program with rumpbake xen"
        )));
    }
    let least_kib = end_kib(&found) + GUEST_KIB;
    if args.memory < least_kib {
        return Err(Failure::new(format!(
            "{path}: the image needs {least_kib} KiB of memory, and the guest has {} KiB; give it more with -m",
            args.memory
        )));
    }
    if args.machine == Some(Machine::Microvm) || args.firmware == Firmware::Uefi {
        return Err(Failure::new(
            "Xen is started on pc and q35, with the BIOS; leave --machine and --firmware out",
        ));
    }
    let stdio = stdio();
    let words = command_line(args, stdio)?;
    if words.len() > COMMAND_LINE_MAX {
        return Err(Failure::new(format!(
            "the configuration takes {} bytes on the command line, and Xen hands {COMMAND_LINE_MAX} on; bake it in with rumpbake xen",
            words.len()
        )));
    }
    let program = qemu_program()?;
    let accel = usable(args.accel)?;
    let hypervisor =
        tools::xen().ok_or_else(|| Failure::new(format!("Xen is not there; {}", tools::XEN_ADVICE)))?;
    if !hypervisor.is_file() {
        return Err(Failure::new(format!(
            "{}: there is no hypervisor; {}",
            hypervisor.display(),
            tools::XEN_ADVICE
        )));
    }
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::new(format!("a temporary folder cannot be made: {error}")))?;
    let files = Files::prepare(args, &hypervisor, folder.path())?;
    let arguments = arguments(args, accel, &files, &words);
    if args.dry_run {
        output::print(&shell_line(&program, &arguments))?;
        return Ok(0);
    }
    let line = Line { stdio, behind_xen: Some(files.status.clone()) };
    let end = drive(&program, &arguments, &line, args.timeout.map(Duration::from_secs))?;
    let said = std::fs::read_to_string(&files.status).unwrap_or_default();
    Ok(report(&said, &end))
}

/// The files that QEMU opens.
struct Files {
    hypervisor: PathBuf,
    image: PathBuf,
    /// What port 0xe9 writes to.
    status: PathBuf,
}

impl Files {
    /// Puts them under names without spaces, since QEMU takes what follows one for the module's words.
    fn prepare(args: &Args, hypervisor: &Path, folder: &Path) -> Result<Self, Failure> {
        let fail = |path: &Path, error| Failure::new(format!("{}: {error}", path.display()));
        if args.dry_run {
            return Ok(Self {
                hypervisor: hypervisor.into(),
                image: args.image.clone(),
                status: "status".into(),
            });
        }
        let image = folder.join("image");
        let original = args.image.canonicalize().map_err(|error| fail(&args.image, error))?;
        std::os::unix::fs::symlink(original, &image).map_err(|error| fail(&image, error))?;
        let status = folder.join("status");
        std::fs::write(&status, "").map_err(|error| fail(&status, error))?;
        let hypervisor = match hypervisor.extension() {
            Some(ending) if ending == "gz" => unpack(hypervisor, &folder.join("xen"))?,
            _ => hypervisor.to_owned(),
        };
        Ok(Self { hypervisor, image, status })
    }
}

/// QEMU takes no compressed hypervisor.
fn unpack(packed: &Path, to: &Path) -> Result<PathBuf, Failure> {
    let fail = |why: String| Failure::new(format!("{}: cannot be unpacked: {why}", packed.display()));
    let unpacked =
        Command::new("gzip").arg("-dc").arg(packed).output().map_err(|error| fail(error.to_string()))?;
    if !unpacked.status.success() {
        return Err(fail(String::from_utf8_lossy(&unpacked.stderr).trim().to_owned()));
    }
    std::fs::write(to, unpacked.stdout).map_err(|error| fail(error.to_string()))?;
    Ok(to.to_owned())
}

/// QEMU's arguments.
fn arguments(args: &Args, accel: Accel, files: &Files, words: &str) -> Vec<OsString> {
    let machine = match args.machine {
        Some(Machine::Pc) => "pc",
        _ => "q35",
    };
    let (accel, cpu) = match accel {
        Accel::Kvm => ("kvm", "host"),
        // Emulation faults where Xen uses SMAP, and loses vector state in rare cases where it uses XSAVE (QEMU 7.2).
        Accel::Tcg | Accel::Auto => ("tcg", "max,-smap,-xsave"),
    };
    let xen_words = format!(
        "console=com1 com1=115200,8n1 loglvl=none guest_loglvl=none serial_tx_buffer=1m reboot=triple dom0=pv dom0_mem={}K",
        args.memory
    );
    let mut module = option_value(files.image.as_os_str());
    if !words.is_empty() {
        module.push(" ");
        module.push(option_value(OsStr::new(words)));
    }
    let machine = Bare { machine, accel, cpu, memory_kib: args.memory + XEN_KIB, status_file: &files.status };
    let mut arguments = machine.arguments(args.gdb);
    let mut add = |words: &[&OsStr]| arguments.extend(words.iter().map(OsString::from));
    add(&[OsStr::new("-kernel"), files.hypervisor.as_os_str()]);
    add(&["-append", &xen_words].map(OsStr::new));
    add(&[OsStr::new("-initrd"), &module]);
    arguments
}

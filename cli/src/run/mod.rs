//! `rumpbake run`: boots an image under QEMU.
//!
//! The guest's console is this process's standard input and output; how the guest ended becomes this process's exit
//! status ([`status`]). QEMU runs in a process group of its own and ends with this process, however that ends ([`guest`]).

mod boot;
mod console;
mod guest;
mod net;
mod qemu;
mod status;
mod xen;

use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::config_args::ConfigArgs;
use crate::failure::{Failure, Outcome};
use crate::{output, tools};
use boot::boot;
use console::{Event, Line, Terminal};
use guest::Guest;
use status::Ending;

/// Arguments of `rumpbake run`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake run hello.img -m 64M --env GREETING=hi -- arg1 arg2
  rumpbake run httpd.img --publish 8080:80 --pcap httpd.pcap

Exit status: the program's own; 128 plus the number of the signal that killed it; 125 if the kernel panicked; 124 if
QEMU ended, or the time ran out, before the program did.
Where standard input is a terminal, the program has one too; else its descriptors 0 to 2 are a stream of bytes, and end
where standard input ends. Ctrl-C ends the run.
$RUMPBAKE_QEMU names the QEMU to use.")]
pub struct Args {
    /// The image, as `rumpbake hw` made it
    image: PathBuf,
    /// Memory of the machine: a number with K, M or G (M if there is none)
    #[arg(short, long, value_name = "SIZE", default_value = "256M", value_parser = memory_kib)]
    memory: u64,
    /// Boot an image that `rumpbake xen` made, as the first guest of the hypervisor Xen
    #[arg(long)]
    xen: bool,
    /// The kind of machine; if none is named microvm, which boots fastest, and q35 for disks
    #[arg(long, value_enum)]
    machine: Option<Machine>,
    /// The firmware that starts a disk
    #[arg(long, value_enum, default_value_t = Firmware::Bios)]
    firmware: Firmware,
    /// How instructions are executed; auto takes kvm where it works
    #[arg(long, value_enum, default_value_t = Accel::Auto)]
    accel: Accel,
    /// Wait for a debugger on this TCP port of the local host (1234 if none is named) before the first instruction
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "1234")]
    gdb: Option<u16>,
    /// Put words on the kernel command line, after those that the options make
    #[arg(long, value_name = "WORDS", allow_hyphen_values = true)]
    append: Option<String>,
    /// End the run after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<u64>,
    /// Print the QEMU command line instead of running it
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    configuration: ConfigArgs,
    // The last, since its heading holds for all that follows.
    #[command(flatten)]
    network: net::NetArgs,
}

/// QEMU's machine types that images are run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Machine {
    /// No PCI and no firmware to speak of
    Microvm,
    /// A PC of the nineties (i440FX, PCI)
    Pc,
    /// A PC of the noughties (Q35, PCI Express)
    Q35,
}

/// What the machine starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Firmware {
    /// QEMU's own BIOS
    Bios,
    /// UEFI (OVMF), for disks
    Uefi,
}

/// How instructions are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Accel {
    /// kvm if the processor and /dev/kvm allow it, else tcg
    Auto,
    /// Emulation
    Tcg,
    /// The processor's virtualisation
    Kvm,
}

/// A memory size in KiB.
fn memory_kib(word: &str) -> Result<u64, String> {
    let wrong = || "it must be a number with K, M or G, for example 64M".to_owned();
    let digits = word.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit_kib = match &word[digits.len()..] {
        "K" | "k" => 1,
        "" | "M" | "m" => 1 << 10,
        "G" | "g" => 1 << 20,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    match number.checked_mul(unit_kib) {
        Some(kib @ 1..) => Ok(kib),
        _ => Err(wrong()),
    }
}

/// A number of seconds.
fn seconds(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| "it must be a whole number of seconds, for example 60".to_owned())
}

/// Runs the image.
pub fn run(args: &Args) -> Outcome {
    if args.xen {
        args.network.refuse_with_xen()?;
        return xen::run(args);
    }
    let boot = boot(args)?;
    let program = qemu_program()?;
    let accel = usable(args.accel)?;
    let network = args.network.network(&args.image.display().to_string(), boot.has_network())?;
    let status_file = tempfile::NamedTempFile::new()
        .map_err(|error| Failure::new(format!("a temporary file cannot be made: {error}")))?;
    let command_line = qemu::Setup {
        image: &args.image,
        memory_kib: args.memory,
        machine: args.machine.unwrap_or(boot.default_machine()),
        accel,
        gdb_port: args.gdb,
        boot: boot.clone(),
        network: network.clone(),
        status_file: if args.dry_run { Path::new("status") } else { status_file.path() },
    }
    .arguments();
    if args.dry_run {
        output::print(&qemu::shell_line(&program, &command_line))?;
        return Ok(0);
    }
    network.check()?;
    if let Some(port) = args.gdb {
        eprintln!(
            "rumpbake: waiting for a debugger: gdb -ex 'target remote :{port}' {}",
            args.image.display()
        );
    }
    let timeout = args.timeout.map(Duration::from_secs);
    let end = drive(&program, &command_line, &Line { stdio: boot.stdio(), behind_xen: None }, timeout)?;
    let line = std::fs::read_to_string(status_file.path()).unwrap_or_default();
    Ok(report(&line, &end))
}

/// QEMU itself.
fn qemu_program() -> Result<PathBuf, Failure> {
    tools::qemu().ok_or_else(|| {
        Failure::new(format!(
            "QEMU (qemu-system-x86_64) is not installed; install the package {}",
            tools::QEMU_PACKAGE
        ))
    })
}

/// How the run came to its end, seen from outside the guest.
enum End {
    /// QEMU ended by itself, with this to say about it.
    Qemu(std::process::ExitStatus),
    /// This process got a signal.
    Signal(i32),
    /// Nobody reads standard output any more.
    OutputBroken,
    /// `--timeout`.
    TimedOut(Duration),
}

/// Starts QEMU, carries the console's bytes, and waits for the end.
fn drive(
    program: &Path,
    arguments: &[std::ffi::OsString],
    line: &Line,
    timeout: Option<Duration>,
) -> Result<End, Failure> {
    let begin = Instant::now();
    let (sender, events) = console::catch_signals()
        .map_err(|error| Failure::new(format!("signals cannot be caught: {error}")))?;
    let terminal = Terminal::prepare();
    let mut guest = Guest::start(program, arguments)
        .map_err(|error| Failure::new(format!("{}: cannot be run: {error}", program.display())))?;
    console::connect(&mut guest, &terminal, line, sender)
        .map_err(|error| Failure::new(format!("the console cannot be connected: {error}")))?;
    let event = match timeout {
        None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        Some(limit) => events.recv_timeout(limit.saturating_sub(begin.elapsed())),
    };
    let end = match event {
        Ok(Event::OutputEnded) | Err(RecvTimeoutError::Disconnected) => {
            let status = guest.wait().map_err(|error| Failure::new(format!("QEMU was lost: {error}")))?;
            End::Qemu(status)
        }
        Ok(Event::OutputBroken) => End::OutputBroken,
        Ok(Event::Signal(number)) => End::Signal(number),
        Err(RecvTimeoutError::Timeout) => End::TimedOut(timeout.unwrap_or_default()),
    };
    drop(guest);
    drop(terminal);
    Ok(end)
}

/// Says on standard error what the exit status alone does not say; returns the exit status.
fn report(line: &str, end: &End) -> u8 {
    let ending = Ending::parse(line);
    match (ending, end) {
        (Some(Ending::Exited(status)), _) => status,
        (Some(Ending::Signaled(number)), _) => {
            eprintln!("rumpbake: the program was killed by {}", status::signal_name(number));
            128 | number
        }
        (Some(Ending::Panicked), _) => {
            eprintln!("rumpbake: the kernel panicked; what it said is on the console");
            status::PANICKED
        }
        (None, End::Signal(number)) => u8::try_from(128 + number).unwrap_or(status::NO_STATUS),
        (None, End::OutputBroken) => 128 | 13,
        (None, End::TimedOut(limit)) => {
            eprintln!("rumpbake: the program was still running after {} s", limit.as_secs());
            status::NO_STATUS
        }
        (None, End::Qemu(exit)) => {
            eprintln!("rumpbake: QEMU ended ({exit}) before the program did");
            status::NO_STATUS
        }
    }
}

/// The accelerator to use.
fn usable(accel: Accel) -> Result<Accel, Failure> {
    match (accel, accel != Accel::Tcg && matches!(tools::kvm(), tools::Kvm::Usable)) {
        (Accel::Tcg, _) | (Accel::Auto, false) => Ok(Accel::Tcg),
        (_, true) => Ok(Accel::Kvm),
        (Accel::Kvm, false) => {
            let tools::Kvm::Unusable(why) = tools::kvm() else { return Ok(Accel::Kvm) };
            Err(Failure::new(format!("KVM cannot be used: {why}; leave --accel out to run under emulation")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::memory_kib;

    #[test]
    fn memory_sizes() {
        assert_eq!(memory_kib("64"), Ok(64 << 10));
        assert_eq!(memory_kib("64M"), Ok(64 << 10));
        assert_eq!(memory_kib("512k"), Ok(512));
        assert_eq!(memory_kib("2G"), Ok(2 << 20));
        for bad in ["", "M", "0", "1T", "-1", "1.5G", "99999999999999999999", "18446744073709551615G"] {
            assert!(memory_kib(bad).is_err(), "{bad}");
        }
    }
}

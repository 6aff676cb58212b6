//! QEMU's command line.
//!
//! The machine is bare (`-nodefaults`): the first serial port is the console, port 0xe9 (isa-debugcon) carries how the guest ended, port
//! 0xf4 (isa-debug-exit) ends QEMU at once for guests that want to. microvm goes without ACPI, which its firmware takes 5 of 34 ms to
//! set up; needs its real-time clock asked for, because it leaves it out under KVM; and must not add words of its own to
//! the kernel command line.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use rump_config::quote;

use super::boot::{self, Boot};
use super::net::Network;
use super::{Accel, Machine};

/// What to run, and how.
pub struct Setup<'a> {
    /// The image.
    pub image: &'a Path,
    /// Memory, KiB.
    pub memory_kib: u64,
    /// The machine type.
    pub machine: Machine,
    /// `Tcg` or `Kvm`.
    pub accel: Accel,
    /// Where to wait for a debugger.
    pub gdb_port: Option<u16>,
    /// How the machine comes to the image.
    pub boot: Boot,
    /// Its network cards.
    pub network: Network,
    /// The file that port 0xe9 writes to.
    pub status_file: &'a Path,
}

impl Setup<'_> {
    /// QEMU's arguments.
    pub fn arguments(&self) -> Vec<OsString> {
        let machine = match self.machine {
            Machine::Microvm => "microvm,acpi=off,rtc=on,auto-kernel-cmdline=off",
            Machine::Pc => "pc",
            Machine::Q35 => "q35",
        };
        let (accel, cpu) = match self.accel {
            Accel::Kvm => ("kvm", "host"),
            Accel::Tcg | Accel::Auto => ("tcg", "max"),
        };
        let machine =
            Bare { machine, accel, cpu, memory_kib: self.memory_kib, status_file: self.status_file };
        let mut arguments = machine.arguments(self.gdb_port);
        let mut add = |words: &[&OsStr]| arguments.extend(words.iter().map(OsString::from));
        add(&["-device", "isa-debug-exit,iobase=0xf4,iosize=1"].map(OsStr::new));
        for word in self.network.arguments(self.machine) {
            add(&[&word]);
        }
        match &self.boot {
            Boot::Kernel { command_line, .. } => {
                add(&[OsStr::new("-kernel"), self.image.as_os_str()]);
                if !command_line.is_empty() {
                    add(&["-append", command_line].map(OsStr::new));
                }
            }
            Boot::Disk { disk, uefi, .. } => {
                if let Some(uefi) = uefi {
                    add(&[OsStr::new("-bios"), uefi.as_os_str()]);
                }
                let mut drive = OsString::from(boot::drive(disk.medium));
                drive.push(option_value(self.image.as_os_str()));
                add(&[OsStr::new("-drive"), &drive]);
            }
        }
        arguments
    }
}

/// A machine with a console and a port for how the guest has ended, and nothing else.
pub struct Bare<'a> {
    /// QEMU's name for it, and its options.
    pub machine: &'a str,
    /// QEMU's accelerator.
    pub accel: &'a str,
    /// QEMU's processor.
    pub cpu: &'a str,
    /// Memory, KiB.
    pub memory_kib: u64,
    /// The file that port 0xe9 writes to.
    pub status_file: &'a Path,
}

impl Bare<'_> {
    /// QEMU's arguments for it; with a port the machine waits there for a debugger.
    pub fn arguments(&self, gdb_port: Option<u16>) -> Vec<OsString> {
        let mut status = OsString::from("file,id=status,path=");
        status.push(option_value(self.status_file.as_os_str()));
        let mut arguments: Vec<OsString> = Vec::new();
        let mut add = |words: &[&OsStr]| arguments.extend(words.iter().map(OsString::from));
        for pair in [
            ["-M", self.machine],
            ["-accel", self.accel],
            ["-cpu", self.cpu],
            ["-m", &format!("{}K", self.memory_kib)],
            ["-display", "none"],
            ["-monitor", "none"],
            ["-serial", "stdio"],
            ["-device", "isa-debugcon,iobase=0xe9,chardev=status"],
        ] {
            add(&pair.map(OsStr::new));
        }
        add(&["-nodefaults", "-no-user-config", "-no-reboot"].map(OsStr::new));
        add(&[OsStr::new("-chardev"), &status]);
        if let Some(port) = gdb_port {
            add(&["-S", "-gdb", &format!("tcp:127.0.0.1:{port}")].map(OsStr::new));
        }
        arguments
    }
}

/// A value inside one of QEMU's comma-separated options: commas doubled.
pub fn option_value(value: &OsStr) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut bytes = Vec::new();
    for &byte in value.as_bytes() {
        bytes.push(byte);
        if byte == b',' {
            bytes.push(byte);
        }
    }
    OsString::from_vec(bytes)
}

/// The command as one line for a shell.
pub fn shell_line(program: &Path, arguments: &[OsString]) -> String {
    let words = std::iter::once(program.as_os_str()).chain(arguments.iter().map(OsString::as_os_str));
    let words: Vec<_> = words.map(|word| quote(&word.to_string_lossy())).collect();
    words.join(" ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::{Accel, Boot, Machine, Network, Setup, option_value, shell_line};
    use crate::disk::{Disk, Medium};
    use rump_config::Stdio;
    use std::ffi::{OsStr, OsString};
    use std::path::Path;

    #[test]
    fn commas_are_doubled() {
        assert_eq!(option_value(OsStr::new("a,b")), OsString::from("a,,b"));
    }

    #[test]
    fn a_whole_command_line() {
        let setup = Setup {
            image: Path::new("a b.img"),
            memory_kib: 65536,
            machine: Machine::Microvm,
            accel: Accel::Tcg,
            gdb_port: Some(1234),
            boot: Boot::Kernel {
                command_line: r#"{"args":["x"]}"#.into(),
                stdio: Stdio::Terminal,
                has_network: false,
            },
            network: Network::default(),
            status_file: Path::new("status"),
        };
        assert_eq!(
            shell_line(Path::new("qemu"), &setup.arguments()),
            "qemu -M microvm,acpi=off,rtc=on,auto-kernel-cmdline=off -accel tcg -cpu max -m 65536K -display none \
             -monitor none -serial stdio -device isa-debugcon,iobase=0xe9,chardev=status \
             -nodefaults -no-user-config -no-reboot -chardev file,id=status,path=status -S -gdb tcp:127.0.0.1:1234 \
             -device isa-debug-exit,iobase=0xf4,iosize=1 -kernel 'a b.img' -append '{\"args\":[\"x\"]}'\n"
        );
    }

    #[test]
    fn disks_are_drives() {
        let ends = |medium, uefi: Option<&str>| {
            let disk = Disk { medium, stdio: Stdio::Terminal };
            let network = Network::default();
            let setup = Setup {
                image: Path::new("a,b"),
                memory_kib: 65536,
                machine: Machine::Q35,
                accel: Accel::Tcg,
                gdb_port: None,
                boot: Boot::Disk { disk, uefi: uefi.map(Into::into), has_network: false },
                network,
                status_file: Path::new("status"),
            };
            let line = shell_line(Path::new("qemu"), &setup.arguments());
            line.split_once("iosize=1 ").unwrap().1.to_owned()
        };
        let raw = ends(Medium::Raw, None);
        assert_eq!(raw, "-drive if=ide,media=disk,snapshot=on,format=raw,file=a,,b\n");
        let iso = ends(Medium::Iso, Some("OVMF.fd"));
        assert_eq!(iso, "-bios OVMF.fd -drive if=ide,media=cdrom,readonly=on,format=raw,file=a,,b\n");
    }
}

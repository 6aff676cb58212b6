//! The control: a Linux guest from Debian's packages, which are fetched and unpacked into `.tools/linux` but not installed.
//!
//! The kernel is the cloud kernel, whose vmlinux is taken out of the bzImage: QEMU starts it through PVH, and no decompressor runs in the
//! guest. Beside it musl is unpacked, for programs as small as a user would make them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::programs::{self, Purpose};
use super::{guest::Bootable, lz4};
use crate::tools;

/// The kernel command line; tests/bench/README.md says what each word is worth. Every word is one that the kernel knows: it would hand any other
/// to its first process, as an argument in front of the program's.
const WORDS: &str = "console=ttyS0 quiet panic=-1 rdinit=/init mitigations=off tsc=reliable no_timer_check \
    lpj=4000000 random.trust_cpu=on rcupdate.rcu_expedited=1 8250.nr_uarts=1 cryptomgr.notests pci=lastbus=0 lsm= audit=0 \
    init_on_alloc=0 cgroup_disable=memory rodata=off psi=0 hardened_usercopy=off randomize_kstack_offset=off \
    initcall_blacklist=tracer_init_tracefs,trace_eval_init,load_system_certificate_list reboot=t";
/// Where a translator is the processor: it does string instructions element by element, and the kernel takes them for copies because the processor
/// claims that they are fast.
const TRANSLATED_WORDS: &str = "clearcpuid=erms,fsrm,rep_good";
/// Where a program is only started: patching every lock takes longer than the locks do.
const BOOT_WORDS: &str = "noreplace-smp";

/// The command line, for programs that measure inside.
pub fn command_line() -> String {
    if super::guest::has_kvm() { WORDS.to_owned() } else { format!("{WORDS} {TRANSLATED_WORDS}") }
}

/// The words of it that mean something to a guest of Xen, which has another console and no ports.
pub fn xen_command_line() -> String {
    let without = ["console=", "tsc=", "no_timer_check", "8250.", "pci=", "reboot="];
    let line = command_line();
    let words = line.split(' ').filter(|word| !without.iter().any(|start| word.starts_with(start)));
    ["console=hvc0"].into_iter().chain(words).chain([BOOT_WORDS]).collect::<Vec<_>>().join(" ")
}

/// Where the modules that are needed are kept, below the control's folder.
const MODULES: &str = "modules";
/// What a virtio network card on PCI needs, each after what it uses itself; below the package's folder of modules.
const NETWORK_MODULES: &[&str] = &[
    "drivers/virtio/virtio_ring.ko",
    "drivers/virtio/virtio.ko",
    "drivers/virtio/virtio_pci_legacy_dev.ko",
    "drivers/virtio/virtio_pci_modern_dev.ko",
    "drivers/virtio/virtio_pci.ko",
    "net/core/failover.ko",
    "drivers/net/net_failover.ko",
    "drivers/net/virtio_net.ko",
];

/// The files of the Linux side.
pub struct Control {
    /// The kernel proper.
    pub vmlinux: PathBuf,
    /// The kernel as Debian ships it: what one would have to ship.
    pub bzimage: PathBuf,
    /// The kernel package's name, which holds its version.
    pub package: String,
    musl: PathBuf,
}

/// Which C library the Linux side is linked with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Libc {
    /// The smaller one.
    Musl,
    /// The quicker one.
    Glibc,
}

impl Control {
    /// Fetches what is not there yet.
    pub fn set_up() -> Result<Self> {
        let folder = tools::folder().join("linux");
        let ready = folder.join("ready");
        if !ready.exists() {
            fetch(&folder)?;
        }
        let package =
            std::fs::read_to_string(&ready).with_context(|| format!("cannot read {}", ready.display()))?;
        let package = package.trim().to_owned();
        let release = package.trim_start_matches("linux-image-");
        Ok(Self {
            vmlinux: folder.join("vmlinux"),
            bzimage: folder.join(format!("debian/boot/vmlinuz-{release}")),
            musl: folder.join("debian/usr"),
            package,
        })
    }

    /// The modules for a virtio network card, in the order in which they have to be loaded.
    pub fn network_modules(&self) -> Result<Vec<Vec<u8>>> {
        let folder = tools::folder().join("linux");
        let modules = folder.join(MODULES);
        if !modules.exists() {
            // Unpacked before there was a benchmark that needs them.
            fetch(&folder)?;
        }
        let read = |path: &&str| {
            let path = modules.join(path.rsplit('/').next().unwrap_or(path));
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        NETWORK_MODULES.iter().map(read).collect()
    }

    /// A guest with this initramfs.
    pub fn guest(&self, initrd: PathBuf, purpose: Purpose) -> Bootable {
        let command_line = match purpose {
            Purpose::Boot => format!("{} {BOOT_WORDS}", command_line()),
            Purpose::Inside => command_line(),
        };
        Bootable { kernel: self.vmlinux.clone(), initrd: Some(initrd), command_line }
    }

    /// Compiles C statically with the machine's gcc. `extra` are sources that are compiled without `flags`.
    pub fn compile(
        &self,
        libc: Libc,
        sources: &[PathBuf],
        flags: &[&str],
        extra: &[PathBuf],
        output: &Path,
    ) -> Result<()> {
        let mut objects = Vec::new();
        for (index, (source, flags)) in sources
            .iter()
            .map(|source| (source, flags))
            .chain(extra.iter().map(|source| (source, &[][..])))
            .enumerate()
        {
            let object = output.with_extension(format!("{index}.o"));
            let mut command = Command::new("gcc");
            command.args(["-O2", "-c"]).args(flags);
            if libc == Libc::Musl {
                let own = programs::output_of(Command::new("gcc").arg("-print-file-name=include"))?;
                command.args(["-nostdinc", "-isystem"]).arg(self.musl.join("include/x86_64-linux-musl"));
                command.args(["-isystem", own.trim()]);
            }
            programs::must(command.arg(source).arg("-o").arg(&object))?;
            objects.push(object);
        }
        let mut command = Command::new("gcc");
        command.args(["-static", "-s", "-o"]).arg(output);
        match libc {
            Libc::Glibc => command.args(&objects).arg("-pthread"),
            Libc::Musl => {
                let library = self.musl.join("lib/x86_64-linux-musl");
                command.arg("-nostdlib");
                command.args(["crt1.o", "crti.o"].map(|name| library.join(name))).args(&objects);
                command.arg("-Wl,--start-group").arg(library.join("libc.a"));
                command.args(["-lgcc", "-lgcc_eh", "-Wl,--end-group"]).arg(library.join("crtn.o"))
            }
        };
        programs::must(&mut command)
    }
}

fn fetch(folder: &Path) -> Result<()> {
    let depends =
        programs::output_of(Command::new("apt-cache").args(["depends", "linux-image-cloud-amd64"]))?;
    let kernel = depends
        .split_ascii_whitespace()
        .find(|word| {
            word.starts_with("linux-image-")
                && word.ends_with("-cloud-amd64")
                && *word != "linux-image-cloud-amd64"
        })
        .context("apt knows no linux-image-cloud-amd64; run `apt-get update`, or use Debian 12")?
        .to_owned();
    println!("bench: unpacking {kernel} and musl from Debian's packages into .tools/linux (27 MB)");
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let packages = folder.join("packages");
    std::fs::create_dir_all(&packages).with_context(|| format!("cannot make {}", packages.display()))?;
    let downloaded = Command::new("apt-get")
        .current_dir(&packages)
        .args(["-qq", "download", &kernel, "musl-dev"])
        .output()
        .context("cannot start apt-get")?;
    if !downloaded.status.success() {
        bail!("apt-get download {kernel} musl-dev: {}", String::from_utf8_lossy(&downloaded.stderr).trim());
    }
    for entry in std::fs::read_dir(&packages)? {
        programs::must(Command::new("dpkg-deb").arg("-x").arg(entry?.path()).arg(folder.join("debian")))?;
    }
    let release = kernel.trim_start_matches("linux-image-");
    let bzimage = folder.join(format!("debian/boot/vmlinuz-{release}"));
    let bytes = std::fs::read(&bzimage).with_context(|| format!("cannot read {}", bzimage.display()))?;
    let vmlinux =
        lz4::vmlinux(&bytes).with_context(|| format!("{}: no kernel comes out", bzimage.display()))?;
    std::fs::write(folder.join("vmlinux"), vmlinux)?;
    let modules = folder.join(MODULES);
    std::fs::create_dir_all(&modules)?;
    for path in NETWORK_MODULES {
        let from = folder.join(format!("debian/lib/modules/{release}/kernel/{path}"));
        let name = path.rsplit('/').next().unwrap_or(path);
        std::fs::copy(&from, modules.join(name))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    // The rest is other modules, most of 130 MB.
    std::fs::remove_dir_all(folder.join("debian/lib"))?;
    std::fs::remove_dir_all(&packages)?;
    std::fs::write(folder.join("ready"), kernel)?;
    Ok(())
}

//! `cargo xtask setup`: fetches what building and testing need, each thing once, and says so.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::tools;

/// A Debian package that the tests need.
struct Package {
    name: &'static str,
    /// A command that it brings, or a file with its whole path.
    command: &'static str,
    /// What it is needed for.
    reason: &'static str,
}

/// All of them.
const PACKAGES: &[Package] = &[
    Package { name: "qemu-system-x86", command: "qemu-system-x86_64", reason: "boots the images" },
    Package { name: "grub-common", command: "grub-mkimage", reason: "makes the boot loader of disks" },
    Package {
        name: "grub-pc-bin",
        command: "/usr/lib/grub/i386-pc/boot_hybrid.img",
        reason: "is the boot loader of disks for BIOS",
    },
    Package {
        name: "grub-efi-amd64-bin",
        command: "/usr/lib/grub/x86_64-efi/multiboot.mod",
        reason: "is the boot loader of disks for UEFI",
    },
    Package { name: "xorriso", command: "xorriso", reason: "puts disks together" },
    Package {
        name: "ovmf",
        command: "/usr/share/ovmf/OVMF.fd",
        reason: "is UEFI for QEMU, which starts disks",
    },
    Package { name: "wrk", command: "wrk", reason: "asks the benchmark's servers for pages" },
    Package { name: "iproute2", command: "ip", reason: "makes the benchmark's and the tests' networks" },
    Package { name: "dnsmasq-base", command: "dnsmasq", reason: "gives images addresses and names" },
];

/// The C and C++ compiler for NetBSD, and NetBSD's headers: a Python package.
const ZIGLANG: &str =
    "ziglang==0.17.1 --hash=sha256:ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54";
const ZIGLANG_VERSION: &str = "0.17.1";

/// A static NetBSD program that was built elsewhere: an npm package.
const ESBUILD: &str = "@esbuild/netbsd-x64@0.28.2";
const ESBUILD_VERSION: &str = "0.28.2";
const ESBUILD_INTEGRITY: &str =
    "sha512-lqnzCV+mM0gIADaKihiCg6ifgfU2L3h5E33rNQBN1Y4MaVGnzryzmvvf7UHxprpQdE8hpqLolJ9Rl+SkIRDpyw==";

/// The hypervisor that images for Xen are tried with: a Debian package, unpacked and not installed.
const XEN_PACKAGE: &str = "xen-hypervisor-4.17-amd64";

/// Fetches what is not there yet.
pub fn run() -> Result<()> {
    debian_packages()?;
    go()?;
    ziglang()?;
    esbuild()?;
    xen()?;
    println!("set-up: everything is there");
    Ok(())
}

fn in_path(command: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(command).is_file()))
}

/// Runs a command that has to succeed; its output is the user's to read.
fn run_visibly(command: &mut Command, what: &str) -> Result<()> {
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("{what}: cannot start {command:?}"))?;
    if !status.success() {
        bail!("{what}: {command:?} ended with {status}");
    }
    Ok(())
}

fn debian_packages() -> Result<()> {
    let missing: Vec<&Package> = PACKAGES.iter().filter(|package| !in_path(package.command)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for package in &missing {
        println!("set-up: installing the Debian package {}, which {}", package.name, package.reason);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !in_path("apt-get") || !root {
        bail!(
            "please install {} (on Debian: sudo apt-get install {0}), then run this again",
            names.join(" ")
        );
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq").args(arguments);
        command
    };
    run_visibly(&mut apt(&["update"]), "set-up")?;
    run_visibly(apt(&["install", "--yes", "--no-install-recommends"]).args(names), "set-up")
}

fn go() -> Result<()> {
    if !in_path("go") {
        bail!(
            "the Go toolchain (1.24 or later) is not there; install it as its makers say, then run this again"
        );
    }
    Ok(())
}

fn ziglang() -> Result<()> {
    let folder = tools::folder().join("ziglang");
    let installed = folder.join(format!("ziglang-{ZIGLANG_VERSION}.dist-info"));
    if installed.exists() && tools::zig().is_ok() {
        return Ok(());
    }
    println!(
        "set-up: installing the Python package ziglang {ZIGLANG_VERSION} into .tools (compiles C for NetBSD; 411 MB)"
    );
    remove(&folder)?;
    std::fs::create_dir_all(tools::folder())?;
    let requirements = tools::folder().join("ziglang.txt");
    std::fs::write(&requirements, format!("{ZIGLANG}\n"))?;
    run_visibly(
        Command::new("python3")
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--root-user-action=ignore",
                "--no-deps",
            ])
            .args(["--only-binary", ":all:", "--require-hashes", "--target"])
            .arg(&folder)
            .arg("--requirement")
            .arg(&requirements),
        "set-up",
    )
}

fn esbuild() -> Result<()> {
    let folder = tools::folder().join("esbuild");
    let stamp = folder.join(ESBUILD_VERSION);
    if stamp.exists() {
        return Ok(());
    }
    if !in_path("npm") {
        bail!(
            "npm is not there: it fetches {ESBUILD}, a NetBSD program for the tests; install it, then run this again"
        );
    }
    println!(
        "set-up: unpacking the npm package {ESBUILD} into .tools (a NetBSD program for the tests; 11 MB)"
    );
    remove(&folder)?;
    std::fs::create_dir_all(&folder)?;
    let output = Command::new("npm")
        .args(["pack", "--json", "--silent", "--pack-destination"])
        .args([folder.as_path()])
        .arg(ESBUILD)
        .current_dir(&folder)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start npm")?;
    let report = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("npm cannot fetch {ESBUILD}");
    }
    if !report.contains(&format!("\"{ESBUILD_INTEGRITY}\"")) {
        bail!(
            "npm fetched something else than {ESBUILD} with the integrity {ESBUILD_INTEGRITY}; it reports: {report}"
        );
    }
    let archive = folder.join(format!("esbuild-netbsd-x64-{ESBUILD_VERSION}.tgz"));
    run_visibly(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&folder), "set-up")?;
    std::fs::remove_file(&archive)?;
    std::fs::write(stamp, "")?;
    Ok(())
}

/// Xen's hypervisor, as QEMU takes it: not compressed. Only tests of images for Xen need it, so its absence is told and no failure.
fn xen() -> Result<()> {
    let folder = tools::folder().join("xen");
    let hypervisor = folder.join("hypervisor");
    if hypervisor.exists() {
        return Ok(());
    }
    if !in_path("apt-get") || !in_path("dpkg-deb") {
        println!(
            "set-up: the hypervisor Xen comes from Debian's package {XEN_PACKAGE}, and this is no Debian; \
             tests of images for Xen need $RUMPBAKE_XEN"
        );
        return Ok(());
    }
    println!("set-up: unpacking the Debian package {XEN_PACKAGE} into .tools (boots images for Xen; 2 MB)");
    let work = folder.join("work");
    remove(&work)?;
    std::fs::create_dir_all(&work)?;
    let fetch = Command::new("apt-get").args(["-qq", "download", XEN_PACKAGE]).current_dir(&work).output();
    let fetch = fetch.context("cannot start apt-get")?;
    if !fetch.status.success() {
        bail!(
            "apt-get cannot fetch {XEN_PACKAGE} (Debian 12 has it; apt-get update may be needed): {}",
            String::from_utf8_lossy(&fetch.stderr).trim()
        );
    }
    let archive = std::fs::read_dir(&work)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|ending| ending == "deb"))
        .context("apt-get fetched no package")?;
    run_visibly(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(&work), "set-up")?;
    let packed = work.join("boot/xen-4.17-amd64.gz");
    let unpacked = Command::new("gzip").arg("-dc").arg(&packed).output().context("cannot start gzip")?;
    if !unpacked.status.success() {
        bail!("{} cannot be unpacked", packed.display());
    }
    std::fs::write(&hypervisor, unpacked.stdout)?;
    remove(&work)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

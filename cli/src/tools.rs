//! Finding what rumpbake calls: QEMU with its firmware, zig, Go.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The package that has QEMU, as the common distributions call it.
pub const QEMU_PACKAGE: &str = "qemu-system-x86 (Debian, Ubuntu: apt-get install qemu-system-x86; Fedora: dnf install qemu-system-x86-core; Alpine: apk add qemu-system-x86_64)";

/// How to get zig.
pub const ZIG_ADVICE: &str =
    "install it with `python3 -m pip install ziglang==0.17.1`, or set RUMPBAKE_ZIG to the program zig";

/// The first executable file of this name in PATH.
pub fn in_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// QEMU: `$RUMPBAKE_QEMU`, or from PATH.
pub fn qemu() -> Option<PathBuf> {
    chosen("RUMPBAKE_QEMU").or_else(|| in_path("qemu-system-x86_64"))
}

/// How to get UEFI for QEMU.
pub const UEFI_ADVICE: &str =
    "install ovmf (Debian, Ubuntu: apt-get install ovmf), or set RUMPBAKE_OVMF to the file OVMF.fd";

/// UEFI for QEMU, code and variables in one file: `$RUMPBAKE_OVMF`, or where distributions put it.
pub fn uefi() -> Option<PathBuf> {
    const PLACES: [&str; 4] = [
        "/usr/share/ovmf/OVMF.fd",
        "/usr/share/qemu/OVMF.fd",
        "/usr/share/edk2/x64/OVMF.4m.fd",
        "/usr/share/ovmf/bios.bin",
    ];
    let installed = || PLACES.iter().map(PathBuf::from).find(|path| path.is_file());
    chosen("RUMPBAKE_OVMF").or_else(installed)
}

/// How to get Xen.
pub const XEN_ADVICE: &str = "`cargo xtask setup` fetches it in a checkout; or install xen-hypervisor-4.17-amd64 (Debian), or set RUMPBAKE_XEN to the hypervisor";

/// The hypervisor: `$RUMPBAKE_XEN`, a checkout's, or the one that is installed.
pub fn xen() -> Option<PathBuf> {
    let installed = || {
        let entries = std::fs::read_dir("/boot").ok()?;
        let names = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let is_xen = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("xen-4") && name.ends_with("-amd64.gz")
        };
        names.filter(is_xen).max()
    };
    chosen("RUMPBAKE_XEN")
        .or_else(|| in_checkout(".tools/xen/hypervisor").find(|path| path.is_file()))
        .or_else(installed)
}

fn chosen(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// How zig is called: a program and its first arguments.
pub struct Zig {
    /// The program.
    pub program: PathBuf,
    /// What stands before zig's own arguments.
    pub prefix: Vec<OsString>,
}

/// zig: `$RUMPBAKE_ZIG`, from PATH, a checkout's `.tools`, or Python's package ziglang.
pub fn zig() -> Option<Zig> {
    if let Some(program) = chosen("RUMPBAKE_ZIG").or_else(|| in_path("zig")).or_else(zig_of_checkout) {
        return Some(Zig { program, prefix: Vec::new() });
    }
    let python = in_path("python3")?;
    let prefix: Vec<OsString> = vec!["-m".into(), "ziglang".into()];
    let mut command = Command::new(&python);
    command.args(&prefix).arg("version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success()).then_some(Zig { program: python, prefix })
}

/// The zig that `cargo xtask setup` put into the checkout that this program, or the working directory, lies in.
fn zig_of_checkout() -> Option<PathBuf> {
    in_checkout(".tools/ziglang/ziglang/zig").find(|path| is_executable(path))
}

/// Where a file of the checkout would be that this program, or the working directory, lies in.
fn in_checkout(file: &str) -> impl Iterator<Item = PathBuf> {
    let places = [env::current_exe().ok(), env::current_dir().ok()];
    let folders = places.into_iter().flatten();
    let candidates: Vec<_> = folders
        .flat_map(|place| place.ancestors().map(|folder| folder.join(file)).collect::<Vec<_>>())
        .collect();
    candidates.into_iter()
}

/// What `program` prints when asked for its version: the first line.
pub fn version(program: &Path, arguments: &[OsString]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Whether images can run at the processor's own speed.
pub enum Kvm {
    /// They can.
    Usable,
    /// They cannot; why.
    Unusable(String),
}

/// Looks at /dev/kvm and at the processor: an openable /dev/kvm alone proves nothing.
pub fn kvm() -> Kvm {
    let has_flag = std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| {
        let flags = text.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
        flags.split_ascii_whitespace().any(|flag| flag == "vmx" || flag == "svm")
    });
    if !has_flag {
        return Kvm::Unusable("the processor has no virtualisation (no flag vmx or svm)".into());
    }
    match std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm") {
        Ok(_) => Kvm::Usable,
        Err(error) => Kvm::Unusable(format!("/dev/kvm cannot be opened: {error}")),
    }
}

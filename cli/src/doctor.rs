//! `rumpbake doctor`: which tools are there, and how to get those that are not.

use std::ffi::OsString;

use crate::disk::tools::Tools;
use crate::failure::Outcome;
use crate::output;
use crate::tools::{self, Kvm};

/// Arguments of `rumpbake doctor`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  rumpbake doctor

The exit status is 0 if images can be run (QEMU is there), else 1. Baking itself needs no tool.")]
pub struct Args {}

/// Looks for every tool.
pub fn examine(_args: &Args) -> Outcome {
    let mut lines = Vec::new();
    let qemu = tools::qemu();
    lines.push(match &qemu {
        Some(path) => found(
            "QEMU",
            &path.display().to_string(),
            tools::version(path, &["--version".into()]),
            "runs images",
        ),
        None => missing("QEMU", &format!("runs images: install {}", tools::QEMU_PACKAGE)),
    });
    lines.push(match tools::kvm() {
        Kvm::Usable => "ok       KVM   /dev/kvm: images run at the processor's own speed".into(),
        Kvm::Unusable(why) => {
            missing("KVM", &format!("{why}; images run under emulation (TCG), which is slower"))
        }
    });
    lines.push(match tools::zig() {
        Some(zig) => {
            let mut arguments = zig.prefix.clone();
            arguments.push(OsString::from("version"));
            let version = tools::version(&zig.program, &arguments);
            found("zig", &zig.program.display().to_string(), version, "builds C and C++ programs")
        }
        None => missing("zig", &format!("builds C and C++ programs: {}", tools::ZIG_ADVICE)),
    });
    lines.push(match tools::in_path("go") {
        Some(path) => {
            let version = tools::version(&path, &["version".into()]);
            found(
                "Go",
                &path.display().to_string(),
                version,
                "builds Go programs: CGO_ENABLED=0 GOOS=netbsd GOARCH=amd64 go build",
            )
        }
        None => missing("Go", "builds Go programs: install it from go.dev/dl or your distribution (golang)"),
    });
    lines.push(match Tools::find() {
        Ok(found_tools) => {
            let path = found_tools.grub_mkimage.display().to_string();
            let version = tools::version(&found_tools.grub_mkimage, &["--version".into()]);
            let what_for =
                format!("with {} makes disks (hw --format iso, raw)", found_tools.xorriso.display());
            found("GRUB", &path, version, &what_for)
        }
        Err(failure) => missing("GRUB", &format!("makes disks (hw --format iso, raw): {failure}")),
    });
    lines.push(match tools::uefi() {
        Some(path) => {
            format!("ok       OVMF  {}: starts disks with UEFI (run --firmware uefi)", path.display())
        }
        None => {
            missing("OVMF", &format!("starts disks with UEFI (run --firmware uefi): {}", tools::UEFI_ADVICE))
        }
    });
    lines.push(match tools::xen() {
        Some(path) => format!("ok       Xen   {}: boots images for Xen (run --xen)", path.display()),
        None => missing("Xen", &format!("boots images for Xen (run --xen): {}", tools::XEN_ADVICE)),
    });
    output::print(&format!("{}\n", lines.join("\n")))?;
    Ok(u8::from(qemu.is_none()))
}

fn found(name: &str, path: &str, version: Option<String>, what_for: &str) -> String {
    match version {
        Some(version) => format!("ok       {name:<5} {path} ({version}): {what_for}"),
        None => format!("broken   {name:<5} {path} does not say its version: {what_for}"),
    }
}

fn missing(name: &str, advice: &str) -> String {
    format!("missing  {name:<5} {advice}")
}

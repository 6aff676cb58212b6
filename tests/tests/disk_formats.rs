//! The ways in which a machine comes to an image: disks with GRUB 2, started by BIOS and by UEFI, and QEMU's own loader
//! through PVH and through multiboot 1.
//!
//! The tools are needed, and their absence is a failure that names them: `cargo xtask setup` installs them.

use std::path::{Path, PathBuf};

use rumpbake_tests::{Image, Program, c_from, rumpbake, run, work_dir, workspace};

/// The sample, built under a name of its own for each test: they run side by side.
fn echo(name: &str) -> Program {
    c_from(name, &[workspace().join("tests/programs/c/echo.c")], &["-Werror"])
}

fn bake(program: &Program, format: &str, options: &[&str]) -> Image {
    let path = program.elf.with_extension(format);
    let mut command = rumpbake();
    command.args(["hw", "--quiet", "--format", format]).arg(&program.elf).arg("-o").arg(&path).args(options);
    run(&mut command);
    Image::for_hw(path)
}

/// What the sample shows of the configuration that its disk holds.
const BAKED: &[&str] = &["--env", "WHERE=disk", "--", "7", "two words"];

fn inspect(image: &Image) -> String {
    String::from_utf8_lossy(&run(rumpbake().args(["inspect", "--json"]).arg(&image.path)).stdout).into_owned()
}

fn check(image: &Image, options: &[&str]) -> String {
    let run = image.run_with(options, &[], b"").status(7);
    let run = run.shows("arg 0: disk-").shows("arg 1: 7\narg 2: two words\n").shows("env WHERE=disk\n");
    run.console
}

#[test]
fn bios_starts_both_disks_on_both_machines() {
    let program = echo("disk-bios");
    for format in ["iso", "raw"] {
        let image = bake(&program, format, BAKED);
        for machine in ["pc", "q35"] {
            let console = check(&image, &["--machine", machine, "-m", "64"]);
            assert!(console.starts_with("arg 0: "), "the boot loader is on the console:\n{console}");
        }
    }
}

#[test]
fn uefi_starts_both_disks() {
    let program = echo("disk-uefi");
    for format in ["iso", "raw"] {
        let image = bake(&program, format, BAKED);
        check(&image, &["--machine", "q35", "--firmware", "uefi"]);
    }
}

/// An image over places where UEFI keeps its own things until it has handed the machine over.
#[test]
fn uefi_starts_a_large_image() {
    let program = echo("disk-large");
    let root = work_dir("disk-large").join("root");
    std::fs::create_dir_all(&root).expect("the work folder is writable");
    std::fs::write(root.join("filler"), vec![0x5a; 40 << 20]).expect("the work folder is writable");
    let mut options = vec!["--root", root.to_str().expect("the checkout's path is UTF-8")];
    options.extend(BAKED);
    check(&bake(&program, "raw", &options), &["--firmware", "uefi", "-m", "256"]);
}

#[test]
fn the_same_image_makes_the_same_disk() {
    let program = echo("disk-same");
    let mut bytes = Vec::new();
    for format in ["iso", "raw", "iso", "raw"] {
        let image = bake(&program, format, BAKED);
        bytes.push(std::fs::read(&image.path).expect("it was just written"));
        // A date that crept in would differ.
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
    let image = program.bake_with(BAKED);
    for format in ["iso", "raw"] {
        assert_eq!(inspect(&Image::for_hw(program.elf.with_extension(format))), inspect(&image));
    }
    assert!(bytes[0] == bytes[2], "two ISO images differ");
    assert!(bytes[1] == bytes[3], "two raw images differ");
    let names: Vec<PathBuf> = std::fs::read_dir(work_dir("disk-same"))
        .expect("the work folder is there")
        .map(|entry| entry.expect("the folder was just opened").path())
        .collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains(".rumpbake-")), "{names:?}");
}

/// Makes an image that has `what` taken for something else.
fn without(image: &Path, what: &[u8], name: &str) -> Image {
    let mut bytes = std::fs::read(image).expect("it was just written");
    let head = &mut bytes[..8192];
    let at = head.windows(what.len()).position(|bytes| bytes == what).expect("every image has it");
    head[at] ^= 0xff;
    let path = image.with_extension(name);
    std::fs::write(&path, bytes).expect("the work folder is writable");
    Image::for_hw(path)
}

#[test]
fn qemu_loads_images_through_pvh_and_through_multiboot() {
    const MULTIBOOT: [u8; 4] = 0x1bad_b002_u32.to_le_bytes();
    const PVH: &[u8] = b"\x12\0\0\0Xen\0";
    let program = echo("disk-loader");
    for (boot, other) in [("pvh", &MULTIBOOT[..]), ("multiboot", PVH)] {
        let image = program.bake_with(&["--boot", boot]);
        let image = without(&image.path, other, boot);
        for machine in ["pc", "q35", "microvm"] {
            let _ = image.run_with(&["--machine", machine], &["5"], b"").status(5).shows("arg 1: 5\n");
        }
    }
}

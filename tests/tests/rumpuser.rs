//! The conformance suite of rumpuser(3) as a rump kernel of its own: the same C as in `tests/rumpuser`, linked with `--rump-libs` and booted.

use std::process::Command;

use rumpbake_tests::{Platform, c, finish, on, rumpbake, run, work_dir, workspace};

/// Compiles the suite to `librump.a` in a folder of its own, as NetBSD's libraries are compiled; returns the folder.
fn library() -> std::path::PathBuf {
    let folder = work_dir("rumpuser");
    let zig = || {
        let mut zig = Command::new(workspace().join(".tools/ziglang/ziglang/zig"));
        zig.env("ZIG_GLOBAL_CACHE_DIR", work_dir("zig-cache"))
            .env("ZIG_LOCAL_CACHE_DIR", work_dir("zig-cache"));
        zig.current_dir(&folder);
        zig
    };
    let suite = workspace().join("tests/programs/rumpuser");
    let entries = std::fs::read_dir(&suite).unwrap().map(|entry| entry.unwrap().path());
    let mut sources: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "c")).collect();
    sources.sort();
    for source in &sources {
        let mut compile = zig();
        compile.args([
            "cc",
            "-target",
            "x86_64-netbsd.10.1",
            "-std=c11",
            "-O2",
            "-ffreestanding",
            "-fno-pic",
        ]);
        run(compile.args(["-Wall", "-Wextra", "-Werror", "-c"]).arg(source));
    }
    let objects = sources.iter().map(|source| source.with_extension("o").file_name().unwrap().to_owned());
    run(zig().args(["ar", "rcs", "librump.a"]).args(objects));
    folder
}

/// What the suite expects to find in the image.
fn root() -> std::path::PathBuf {
    let root = work_dir("rumpuser/root");
    let baked = root.join("baked");
    std::fs::create_dir_all(&baked).unwrap();
    for name in ["file", "written"] {
        std::fs::write(baked.join(name), "what was baked in\n").unwrap();
    }
    root
}

/// The usual paths of the shortest hypercalls are beside the rump kernel, and not a jump to where they are.
fn short_calls_are_near(map: &str) {
    for name in ["mutex_enter", "mutex_exit", "rw_enter", "rw_exit", "cv_signal", "malloc", "free"] {
        let name = format!("rumpuser_{name}");
        let words = |line: &str| line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let place = map.lines().map(words).find(|words| words.ends_with(&["rump".into(), name.clone()]));
        let len: u64 = place.unwrap_or_else(|| panic!("{name} is not in the map"))[1].parse().unwrap();
        assert!(len > 16, "{name} is not copied: has its code got an address relative to itself?");
    }
}

/// A QEMU with a device that interrupts when it is told to, as `$RUMPBAKE_QEMU` names one.
fn qemu_with_device() -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let script = work_dir("rumpuser-device").join("qemu");
    let text = "#!/bin/sh\nexec qemu-system-x86_64 \"$@\" -device edu\n";
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

/// Components drive devices of their own by rumpcomp_pci_*: memory, DMA, interrupts.
fn devices_interrupt(image: &std::path::Path) {
    let mut command = rumpbake();
    command.args(["run", "--machine", "pc"]).arg(image).env("RUMPBAKE_QEMU", qemu_with_device());
    let _ = finish(command, b"")
        .ok()
        .shows("rumpuser: a device has copied and interrupted\n")
        .shows("tests passed\n");
}

fn conforms(platform: Platform) {
    // Both platforms' tests use the folder.
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let image = {
        let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (library, root) = (library(), root());
        let [library, root] = [&library, &root].map(|path| path.to_str().unwrap());
        let map = work_dir("rumpuser").join(format!("{platform:?}.map"));
        let options = ["--rump-libs", library, "--root", root, "--env", "RUMP_VERBOSE=1", "--map"];
        let image = c("echo").bake_for(platform, &[&options[..], &[map.to_str().unwrap()]].concat());
        short_calls_are_near(&std::fs::read_to_string(map).unwrap());
        image
    };
    let run = image.run().ok();
    // Xen's first guest has no card.
    if platform == Platform::Hw {
        devices_interrupt(&image.path);
        assert!(run.console.contains("rumpuser: the gateway has answered\n"), "{}", run.console);
    }
    let _ = run
        .shows("rumpuser: by descriptor\n")
        .shows("rumpuser: by putchar\n")
        .shows("rumpuser: -1 2 3 10 ab CD c string %\n")
        .shows("rumpuser: -5000000000 1099511627776 100000000 7 8 9 10\n")
        .shows("rumpuser: [    1] [2    ] [00003] [+4] [ 5] [006] [0x7] [   8]\n")
        .shows("rumpuser: [   right] [left    ] [cu] [lon] [0x1000]\n")
        .shows("tests passed\n");
}

on!(hw, xen: fn the_suite_passes(platform) {
    conforms(platform);
});

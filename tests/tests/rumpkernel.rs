//! A rump kernel from its static libraries: one of the tests' own (`tests/programs/rumpkernel`), with the parts that NetBSD's has, under a program; and libraries
//! that do not serve.

use std::path::{Path, PathBuf};
use std::process::Command;

use rumpbake_tests::{Image, Platform, Program, c, c_from, on, rumpbake, run, work_dir, workspace};

/// How most of the libraries are compiled; zig's own compiler is the same for every machine.
const FLAGS: [&str; 7] = ["-std=gnu11", "-O2", "-ffreestanding", "-fcommon", "-Wall", "-Werror", "-c"];

fn zig(folder: &Path) -> Command {
    let mut zig = Command::new(workspace().join(".tools/ziglang/ziglang/zig"));
    zig.env("ZIG_GLOBAL_CACHE_DIR", work_dir("zig-cache")).env("ZIG_LOCAL_CACHE_DIR", work_dir("zig-cache"));
    zig.current_dir(folder);
    zig
}

/// Makes a library of C sources, an object of each.
fn library(folder: &Path, name: &str, target: &str, sources: &[PathBuf], flags: &[&str]) {
    let mut objects = Vec::new();
    for source in sources {
        let object = format!("{name}-{}.o", source.file_stem().unwrap().to_str().unwrap());
        run(zig(folder)
            .args(["cc", "-target", target])
            .args(FLAGS)
            .args(flags)
            .arg(source)
            .args(["-o", &object]));
        objects.push(object);
    }
    let format = if name.ends_with("_pic") { "--format=bsd" } else { "--format=gnu" };
    let _ = std::fs::remove_file(folder.join(format!("{name}.a")));
    run(zig(folder).args(["ar", "rcs", format, &format!("{name}.a")]).args(objects));
}

const NETBSD: &str = "x86_64-netbsd.10.1";
const LINUX: &str = "x86_64-linux-musl";

fn sources() -> PathBuf {
    workspace().join("tests/programs/rumpkernel")
}

fn c_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(sources().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.collect();
    files.sort();
    files
}

/// The libraries, each compiled in another way: small code model, position-independent with guarded stacks (a variable has NetBSD's guard), and only so, in
/// BSD's notation, by a compiler for Linux (its guard is the thread's).
fn libraries(folder: &Path) {
    let headers = workspace().join(".tools/ziglang/ziglang/lib/libc/include/generic-netbsd");
    let for_linux = ["-fPIC", "-fstack-protector-all", "-idirafter", headers.to_str().unwrap()];
    library(folder, "librump", NETBSD, &c_files("kern"), &["-fno-pic"]);
    library(folder, "librumpvfs", NETBSD, &c_files("vfs"), &["-fPIC", "-fno-plt", "-fstack-protector-all"]);
    library(folder, "librumpnet_virtif_pic", LINUX, &c_files("net_virtif"), &for_linux);
}

/// The root archive, with what is a device of the rump kernel's.
fn root(folder: &Path) -> PathBuf {
    let root = folder.join("root");
    std::fs::create_dir_all(root.join("images")).unwrap();
    std::fs::write(root.join("images/disk.img"), "from the root archive\n").unwrap();
    std::fs::create_dir_all(root.join("baked/deep")).unwrap();
    std::fs::write(root.join("baked/deep/file"), "as it was baked\n").unwrap();
    root
}

fn program(name: &str) -> Program {
    c_from(name, &[sources().join("program.c")], &[])
}

/// Interfaces of the rump kernel's are set as the configuration says.
fn is_configured(image: &Image) {
    let net = r#"{"net":{"interfaces":[{"name":"virt0","address":"10.0.2.77/25","gateway":"10.0.2.3","mtu":1400,"dns":["10.0.2.9"]},{"name":"vioif0"}]}}"#;
    let _ = image
        .run_with(&["--append", net], &[], b"")
        .status(9)
        .shows("there is no interface vioif0; a rump kernel's are virt0\n")
        .shows("address: 10.0.2.77 255.255.255.128 10.0.2.127 10.0.2.3, MTU 1400\nresolv.conf: nameserver 10.0.2.9\n");
    let left = r#"{"net":{"interfaces":[{"name":"virt0","dhcp":false}]}}"#;
    let _ = image.run_with(&["--append", left], &[], b"").shows("address: Device not configured");
}

fn serves(platform: Platform) {
    let name = format!("rumpkernel-{platform:?}").to_lowercase();
    let folder = work_dir(&name);
    libraries(&folder);
    let root = root(&folder);
    let [folder, root] = [&folder, &root].map(|path| path.to_str().unwrap());
    let options =
        ["--rump-libs", folder, "--rump-components", "librumpvfs.a, rumpnet_virtif", "--root", root];
    let devices = "RUMP_ETFS=/dev/image=/images/disk.img /dev/other=/dev/md1:1m";
    let mounts = "RUMP_MOUNT=/mnt=image:/dev/image /tmp=tmpfs";
    let more = ["--cwd", "/dev", "--env", devices, "--env", mounts, "--env", "RUMP_FILES=/baked"];
    let options = [&options[..], &more].concat();
    let image = program(&name).bake_for(platform, &options);
    let wild = image.run_args(&["wild"]).status(128 + 11);
    let _ = wild.shows("before\n").shows("rump kernel ran into memory that is not there: SIGSEGV");
    let _ = image.run_args(&["asleep"]).status(128 + 14);
    let _ = image
        .run_with(&["--env", "RUMP_MOUNT=/mnt=ffs:/dev/image"], &[], b"")
        .status(127)
        .shows("RUMP_MOUNT: /mnt=ffs:/dev/image: the rump kernel has no such file system; name its component (error 19)\n");
    if platform == Platform::Hw {
        is_configured(&image);
    }
    let run = image.run().status(9);
    let (network, addresses) = match platform {
        // What QEMU's DHCP server says.
        Platform::Hw => (
            "network: 10.0.2.2 answers\n",
            "address: 10.0.2.15 255.255.255.0 10.0.2.255 10.0.2.2, MTU 1500\nresolv.conf: nameserver 10.0.2.3\n",
        ),
        // The first guest has no card.
        Platform::Xen => (
            "network: Device not configured\n",
            "address: Device not configured Device not configured Device not configured Device not configured\nresolv.conf: No such",
        ),
    };
    let _ = run
        .shows("rump kernel: modules of weight 111, processors 1\n")
        .shows("descriptor 3\n")
        .shows("disk is the same\n")
        .shows("image: from the root archive\n")
        .shows(
            "mapped: from the, 0 behind it, not written: from, shared: Operation not supported by device\n",
        )
        .shows("mounted: from the root archive\n")
        .shows("baked: as it was baked\n")
        .shows(addresses)
        .shows("kevent: 1, 77, 42, same; console: Operation not supported\n")
        .shows("statvfs: rkfs, 512, 1000\n")
        .shows("wild inside: Bad address, Bad address, Bad address, read\n")
        .shows("absent: No such file or directory\n")
        .shows("wild: Bad address, Bad address, Bad address\n")
        .shows("closed: Bad file descriptor\n")
        .shows("threads counted 18000, own 5\n")
        .shows("poll: 1, 0, 0x4; 2, 0x1, 0x4\n")
        .shows("select: 0; 1, 1, 0; Bad file descriptor\n")
        .shows("signals: 30, Invalid argument\n")
        .shows("ticks came, with time between\n")
        .shows(network)
        .shows("a copy of the console is new\n")
        .shows("rump kernel: a socket lingers\n");
}

on!(hw, xen: fn a_program_runs_on_a_rump_kernel(platform) {
    serves(platform);
});

/// What the command says when it refuses to bake with the libraries of `folder`.
fn refusal(folder: &Path, components: &str) -> String {
    let app = c("echo");
    let mut command = rumpbake();
    command.arg("hw").arg(&app.elf).arg("--rump-libs").arg(folder).arg("-o").arg(folder.join("image"));
    if !components.is_empty() {
        command.args(["--rump-components", components]);
    }
    let output = command.output().unwrap();
    assert!(!output.status.success(), "the libraries in {} were taken", folder.display());
    String::from_utf8(output.stderr).unwrap()
}

/// A folder with `librump.a` from the least rump kernel and, if there is more, from one more source.
fn least(name: &str, target: &str, more: &str) -> PathBuf {
    let folder = work_dir(&format!("rumpkernel-{name}"));
    let extra = folder.join("more.c");
    std::fs::write(&extra, more).unwrap();
    let sources: Vec<PathBuf> =
        [sources().join("least.c")].into_iter().chain((!more.is_empty()).then_some(extra)).collect();
    library(&folder, "librump", target, &sources, &["-Wno-unused-parameter"]);
    folder
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn the_least_rump_kernel_boots() {
    let folder = least("least", NETBSD, "");
    let image = c("echo").bake_with(&["--rump-libs", folder.to_str().unwrap()]);
    let _ = image.run().status(7).shows("hello from version 17\n!\n");
}

#[test]
fn a_directory_without_a_kernel_is_refused() {
    let folder = work_dir("rumpkernel-none");
    assert_says(&refusal(&folder, ""), &["rumpkernel-none: it has no librump.a; name the directory"]);
}

#[test]
fn libraries_of_another_machine_are_refused() {
    let folder = least("machine", "aarch64-netbsd.10.1", "");
    assert_says(&refusal(&folder, ""), &["librump.a: its member", "is built for AArch64, not for x86-64"]);
}

#[test]
fn libraries_of_another_version_are_refused() {
    let more = "void rumpuser_gettime(void); int rumpuser_poll(void); int old(void) { rumpuser_gettime(); return rumpuser_poll(); }";
    let said = refusal(&least("version", NETBSD, more), "");
    assert_says(&said, &["version 17 of rumpuser(3) does not have: rumpuser_gettime, rumpuser_poll"]);
}

#[test]
fn a_component_that_is_not_there_is_named_with_those_that_are() {
    let folder = least("component", NETBSD, "");
    library(&folder, "librumpvfs", NETBSD, &c_files("vfs"), &[]);
    let said = refusal(&folder, "fs_ffs");
    assert_says(&refusal(&folder, "vfs,rumpuser"), &["librumpuser.a is for programs on another host"]);
    assert_says(
        &said,
        &["it has no librumpfs_ffs.a, which the component fs_ffs is; its components are kern, vfs"],
    );
}

#[test]
fn all_missing_symbols_are_listed_with_who_needs_them() {
    let more =
        "int rumpns_one(void), rumpns_two(void); int sum(void) { return rumpns_one() + rumpns_two(); }";
    let said = refusal(&least("missing", NETBSD, more), "");
    assert_says(
        &said,
        &["need 2 symbols that nothing there defines", "rumpns_one (for librump.a(", "rumpns_two (for"],
    );
}

#[test]
fn a_symbol_that_is_defined_twice_is_named_with_both_places() {
    let said = refusal(&least("twice", NETBSD, "int rump_init(void) { return 0; }"), "");
    assert_says(&said, &["both librump.a(librump-least.o) and librump.a(librump-more.o) define rump_init"]);
}

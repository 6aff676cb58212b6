//! Each test of the suite as a test of its own, on the platform inside this process.

use std::ffi::{CStr, c_char, c_int};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use rump_hypercall::boot::Exit;
use rumpbake_posix::{BootFiles, Outcome, run, run_to_end, set_boot, take_console};
use rumpbake_rumpuser::host;
use rumpbake_rumpuser_posix as _;

unsafe extern "C" {
    /// Runs one test; returns how many claims did not hold.
    fn suite_run(name: *const c_char) -> c_int;
}

/// An entry of a cpio archive ("newc").
fn entry(archive: &mut Vec<u8>, name: &str, mode: usize, content: &[u8]) {
    let mut fields = [0; 13];
    (fields[1], fields[6], fields[11]) = (mode, content.len(), name.len() + 1);
    archive.extend_from_slice(b"070701");
    for field in fields {
        archive.extend_from_slice(format!("{field:08x}").as_bytes());
    }
    archive.extend_from_slice(name.as_bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

/// The path of shmif's bus: in a folder of this process.
fn bus() -> PathBuf {
    folder_of(std::process::id()).join("shmif.bus")
}

fn folder_of(process: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("rumpuser-{process}"))
}

/// Makes the folder, and removes those of processes that are gone.
fn clean() {
    let others = std::fs::read_dir(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for name in others.map(|entry| entry.unwrap().file_name()) {
        let process = name.to_str().and_then(|name| name.strip_prefix("rumpuser-")?.parse::<u32>().ok());
        let gone = process.filter(|process| !Path::new(&format!("/proc/{process}")).exists());
        if let Some(process) = gone {
            let _ = std::fs::remove_dir_all(folder_of(process));
        }
    }
    std::fs::create_dir_all(folder_of(std::process::id())).unwrap();
}

/// What the suite expects of the image in which it runs.
fn boot() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut root = Vec::new();
        entry(&mut root, "baked", 0o040_755, b"");
        entry(&mut root, "baked/file", 0o100_644, b"what was baked in\n");
        entry(&mut root, "baked/written", 0o100_644, b"what was baked in\n");
        entry(&mut root, "TRAILER!!!", 0, b"");
        clean();
        let bus = bus();
        let config = format!(r#"{{"hostname": "suite", "env": {{"RUMP_VERBOSE": "1", "BUS": {bus:?}}}}}"#);
        let config = config.into_bytes();
        assert!(set_boot(BootFiles { config, root, ..BootFiles::default() }));
        rumpbake_posix::net_pair(rumpbake_posix::Link::default());
    });
}

/// Runs a test of the suite, and returns what it wrote to the console.
fn outcome(name: &'static CStr) -> (c_int, String) {
    boot();
    let mut wrong = 0;
    let mut console = Vec::new();
    run(|| {
        take_console();
        // SAFETY: the suite was compiled for this, and its tests take turns.
        wrong = unsafe { suite_run(name.as_ptr()) };
        console = take_console();
    });
    (wrong, String::from_utf8_lossy(&console).into_owned())
}

fn conforms(name: &'static CStr) {
    let (wrong, console) = outcome(name);
    assert_eq!(wrong, 0, "{name:?}: claims that do not hold:\n{console}");
}

/// The suite's tests, one by one.
mod suite {
    use super::conforms;

    include!(concat!(env!("OUT_DIR"), "/tests.rs"));
}

#[test]
fn dprintf_formats_as_printf() {
    let (_, console) = outcome(c"dprintf");
    let lines: Vec<&str> = console.lines().collect();
    assert_eq!(
        lines,
        [
            "rumpuser: -1 2 3 10 ab CD c string %",
            "rumpuser: -5000000000 1099511627776 100000000 7 8 9 10",
            "rumpuser: [    1] [2    ] [00003] [+4] [ 5] [006] [0x7] [   8]",
            "rumpuser: [   right] [left    ] [cu] [lon] [0x1000]",
            "rumpuser: nothing at all",
        ]
    );
}

#[test]
fn putchar_writes_each_character() {
    assert_eq!(outcome(c"putchar").1, "rumpuser: by putchar\n");
}

#[test]
fn descriptors_1_and_2_are_the_console() {
    assert_eq!(outcome(c"descriptor_1_is_the_console").1, "rumpuser: by descriptor\n");
}

#[test]
fn exit_ends_the_image_with_its_status() {
    for status in [0, 1, 77, 255] {
        let ended = run_to_end(|| host::rumpuser_exit(status));
        assert_eq!(ended, Outcome::Ended(Exit::Exited(status as u8)));
    }
}

#[test]
fn exit_with_panic_is_a_crash_with_a_report() {
    take_console();
    let ended = run_to_end(|| host::rumpuser_exit(host::PANIC));
    assert_eq!(ended, Outcome::Ended(Exit::Signaled(6)));
    assert!(String::from_utf8_lossy(&take_console()).contains("the rump kernel has panicked"));
}

#[test]
fn kill_asks_whoever_has_the_program() {
    const ENOSYS: c_int = 78;
    run(|| {
        assert_eq!(host::rumpuser_kill(-1, 15), ENOSYS);
        host::set_kill(|pid, signal| if (pid, signal) == (-1, 15) { 0 } else { 3 });
        assert_eq!(host::rumpuser_kill(-1, 15), 0);
        assert_eq!(host::rumpuser_kill(7, 15), 3);
    });
}

#[test]
fn errno_belongs_to_the_thread() {
    run(|| {
        host::rumpuser_seterrno(22);
        assert_eq!(host::errno(), 22);
    });
    run(|| assert_eq!(host::errno(), 0));
}

/// Where the path of the bus is, for [`another_process_on_the_bus`].
const BUS: &str = "RUMPBAKE_TEST_BUS";

#[test]
fn shmif_wakes_another_process() {
    boot();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "another_process_on_the_bus", "--ignored"])
        .env(BUS, bus())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    conforms(c"shmif_answers_another_process");
    assert!(other.wait().unwrap().success());
}

/// The other end of the bus: says 1 in its first word as soon as there is a bus, and waits for the answer, which is 2.
#[test]
#[ignore = "a part of shmif_wakes_another_process"]
fn another_process_on_the_bus() {
    let Some(path) = std::env::var_os(BUS) else { return };
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut told = false;
    let mut word = [0; 4];
    while u32::from_ne_bytes(word) != 2 {
        assert!(Instant::now() < deadline, "nobody answers on the bus");
        std::thread::sleep(Duration::from_millis(10));
        let open = std::fs::OpenOptions::new().read(true).write(true).open(&path);
        let Ok(bus) = open else { continue };
        if bus.read_exact_at(&mut word, 0).is_ok() && word == [0xff; 4] && !told {
            bus.write_all_at(&1_u32.to_ne_bytes(), 0).unwrap();
            told = true;
        }
    }
}

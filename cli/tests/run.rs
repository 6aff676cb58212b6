//! Baking and running, with a stand-in for QEMU that says what it was called with and ends as it is told to.
//!
//! The guest's part of the contract (the line on port 0xe9) is written by the stand-in; that the real kernel
//! keeps it is tested by the images of `tests/`.

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Elf, call, file, names, one_sentence, rumpbake, script, stderr, stdout};

/// A folder with a program, its image, and `qemu`, which runs `action` with the status file's name in `$status`.
struct Bench {
    folder: tempfile::TempDir,
    qemu: PathBuf,
}

impl Bench {
    fn new(action: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        file(folder.path(), "program", &Elf::netbsd().bytes());
        let output = call(folder.path(), &["hw", "program", "-o", "image"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let find_status =
            r#"for word; do case $word in file,id=status,path=*) status=${word#*path=};; esac; done"#;
        let qemu = script(folder.path(), "qemu", &format!("#!/bin/sh\n{find_status}\n{action}\n"));
        Self { folder, qemu }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = rumpbake();
        command
            .current_dir(self.path())
            .env("RUMPBAKE_QEMU", &self.qemu)
            .args(["run", "image"])
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

#[test]
fn baking_prints_what_it_made() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "hello.elf", &Elf::netbsd().bytes());
    let output = call(folder.path(), &["hw", "hello.elf"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("hello.img: "), "{}", stdout(&output));
    assert_eq!(names(folder.path()), ["hello.elf", "hello.img"]);

    let quiet = call(folder.path(), &["hw", "-q", "hello.elf", "-o", "again.img", "--map", "again.map"]);
    assert_eq!((quiet.status.code(), stdout(&quiet).as_str()), (Some(0), ""));
    assert_eq!(names(folder.path()), ["again.img", "again.map", "hello.elf", "hello.img"]);
    let read = |name| std::fs::read(folder.path().join(name)).unwrap();
    assert!(read("hello.img") == read("again.img"), "the same inputs give the same bytes");

    let report = call(folder.path(), &["inspect", "--json", "hello.img"]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&report)).unwrap();
    assert_eq!(report["kind"], "image");
    assert_eq!(report["program"], "static-executable");
    assert_eq!(report["system_calls"], "instructions");
    let text = stdout(&call(folder.path(), &["inspect", "hello.img"]));
    assert!(text.starts_with("rumpbake image for bare metal with a static NetBSD/amd64 program\n"), "{text}");
    assert!(text.contains("\nsystem calls are `syscall` instructions\n"), "{text}");
}

#[test]
fn components_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let text = stdout(&call(folder.path(), &["components"]));
    assert!(text.lines().next().unwrap().starts_with("name"), "{text}");
    assert!(text.contains(" kern "), "{text}");
    let json = stdout(&call(folder.path(), &["components", "--json"]));
    let list: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(list.len(), text.lines().count() - 1);
}

#[test]
fn a_machine_smaller_than_the_image_is_refused() {
    let output = Bench::new("echo exited 0 > $status").run(&["-m", "1M"]);
    assert_eq!(output.status.code(), Some(1));
    let sentence = stderr(&output);
    assert!(sentence.contains("KiB of memory, and the machine has 1024 KiB"), "{sentence}");
}

#[test]
fn exit_statuses() {
    for (action, status, sentence) in [
        ("echo exited 0 > $status", 0, ""),
        ("echo exited 42 > $status; exit 85", 42, ""),
        ("echo signaled 11 > $status", 139, "rumpbake: the program was killed by signal 11 (SIGSEGV)\n"),
        ("echo panicked > $status", 125, "rumpbake: the kernel panicked; what it said is on the console\n"),
        ("exit 1", 124, "rumpbake: QEMU ended (exit status: 1) before the program did\n"),
        ("kill -9 $$", 124, "rumpbake: QEMU ended (signal: 9 (SIGKILL)) before the program did\n"),
    ] {
        let output = Bench::new(action).run(&[]);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(status), sentence), "{action}");
    }
}

#[test]
fn the_console_is_stdin_and_stdout() {
    let bench = Bench::new("cat; echo exited 0 > $status");
    // Where input is no terminal: 0x10 E at its end, and 0x10 itself doubled.
    for (input, expected) in
        [("", "\x10E"), ("one\n", "one\n\x10E"), ("half", "half\x10E"), ("\x04\x10E", "\x04\x10\x10E\x10E")]
    {
        let mut child = bench.command(&[]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(stdout(&output), expected);
    }
}

#[test]
fn options_reach_the_kernel_command_line() {
    let bench = Bench::new(r#"printf '%s\n' "$@"; echo exited 0 > $status"#);
    let output = bench.run(&[
        "-m",
        "64",
        "--machine",
        "q35",
        "--accel",
        "tcg",
        "--env",
        "A=b c",
        "--hostname",
        "oven",
        "--trace=open",
        "--append",
        "x y",
        "--",
        "-v",
        "it's",
    ]);
    let text = stdout(&output);
    let words: Vec<_> = text.lines().collect();
    let after = |word: &str| words[words.iter().position(|other| *other == word).unwrap() + 1];
    let append =
        r#"{"args":["-v","it's"],"env":{"A":"b c"},"hostname":"oven","stdio":"pipe","trace":["open"]} x y"#;
    assert_eq!(
        ["-append", "-m", "-M", "-accel", "-kernel"].map(after),
        [append, "65536K", "q35", "tcg", "image"]
    );
    let plain = stdout(&bench.run(&[]));
    assert!(plain.contains("-append\n{\"stdio\":\"pipe\"}\n"), "{plain}");
    let line = stdout(&bench.run(&["--dry-run", "--gdb=99", "--net", "none", "--", "a"]));
    assert!(
        line.ends_with(
            "-S -gdb tcp:127.0.0.1:99 -device isa-debug-exit,iobase=0xf4,iosize=1 -kernel image -append '{\"args\":[\"a\"],\"stdio\":\"pipe\"}'\n"
        ),
        "{line}"
    );
}

#[test]
fn a_run_that_takes_too_long_is_ended() {
    let bench = Bench::new("echo $$ > pid; echo started; exec sleep 300");
    let output = bench.run(&["--timeout", "3"]);
    assert_eq!(output.status.code(), Some(124));
    assert_eq!(stdout(&output), "started\n");
    assert_eq!(stderr(&output), "rumpbake: the program was still running after 3 s\n");
    wait_until_gone(bench.path());
}

#[test]
fn no_qemu_outlives_the_command() {
    use rustix::process::{Pid, Signal, kill_process};
    for (signal, code) in [(Signal::INT, Some(130)), (Signal::TERM, Some(143)), (Signal::KILL, None)] {
        let bench = Bench::new("echo $$ > pid; exec sleep 300");
        let mut child = bench.command(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begin = Instant::now();
        while std::fs::read_to_string(bench.path().join("pid")).unwrap_or_default().is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), code);
        wait_until_gone(bench.path());
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_run() {
    let bench = Bench::new("echo $$ > pid; while echo line; do sleep 0.01; done");
    let mut child = bench.command(&[]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(141));
    wait_until_gone(bench.path());
}

/// Waits until the process whose number is in the file `pid` has ended.
#[track_caller]
fn wait_until_gone(folder: &Path) {
    let pid = std::fs::read_to_string(folder.join("pid")).unwrap();
    let stat = format!("/proc/{}/stat", pid.trim());
    let begin = Instant::now();
    // A zombie that its new parent has not waited for yet has ended, too.
    while std::fs::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z ")) {
        assert!(begin.elapsed() < Duration::from_secs(60), "{stat} is still there");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn without_qemu() {
    let bench = Bench::new("");
    let output =
        rumpbake().current_dir(bench.path()).env("PATH", "").args(["run", "image"]).output().unwrap();
    assert!(one_sentence(&output).contains("install the package qemu-system-x86"));
    let output = rumpbake()
        .current_dir(bench.path())
        .env("RUMPBAKE_QEMU", "/nowhere/qemu")
        .args(["run", "image"])
        .output()
        .unwrap();
    assert!(one_sentence(&output).starts_with("/nowhere/qemu: cannot be run: "));
}

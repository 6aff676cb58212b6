//! Whatever is wrong, the command says so in one sentence, fails, and leaves no file behind.

mod common;

use std::fs;
use std::path::Path;

use common::{Elf, call, file, names, one_sentence, rumpbake, script, stderr};

/// Files that are not programs for NetBSD/amd64, with a word that the sentence must have.
fn wrong_programs() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = Elf::netbsd();
    let whole = good.bytes();
    let linux = Elf {
        notes: vec![("GNU", 1, vec![0; 16])],
        interpreter: Some("/lib64/ld-linux-x86-64.so.2"),
        ..good.clone()
    };
    vec![
        ("empty", Vec::new(), "empty"),
        ("text", b"hello, world\n".to_vec(), "text"),
        ("script", b"#!/bin/sh\necho hi\n".to_vec(), "script"),
        ("zeros", vec![0; 4096], "not an ELF"),
        ("magic", b"\x7fELF".to_vec(), ""),
        ("header", whole[..64].to_vec(), ""),
        ("half", whole[..whole.len() / 2].to_vec(), ""),
        ("linux", linux.bytes(), "Linux"),
        ("thirty-two", Elf { class: 1, machine: 3, ..good.clone() }.bytes(), "32-bit"),
        ("arm", Elf { machine: 183, ..good.clone() }.bytes(), "aarch64"),
        ("object", Elf { kind: 1, ..good.clone() }.bytes(), "object"),
        ("core", Elf { kind: 4, ..good.clone() }.bytes(), "core dump"),
        ("library", Elf { kind: 3, ..good.clone() }.bytes(), ""),
        ("windows", b"MZ\x90\0\x03\0\0\0".to_vec(), "Windows"),
        ("archive", b"!<arch>\n".to_vec(), "archive"),
    ]
}

#[test]
fn wrong_programs_are_refused_by_every_command() {
    for (name, content, word) in wrong_programs() {
        let folder = tempfile::tempdir().unwrap();
        file(folder.path(), name, &content);
        for arguments in [&["hw", name, "-o", "out.img"][..], &["run", name], &["inspect", name]] {
            let sentence = one_sentence(&call(folder.path(), arguments));
            assert!(sentence.starts_with(&format!("{name}: ")), "{sentence}");
            assert!(sentence.contains(word), "{sentence}");
            assert_eq!(names(folder.path()), [name], "{sentence}");
        }
    }
}

#[test]
fn truncation_anywhere_is_no_panic() {
    let whole = Elf::netbsd().bytes();
    let folder = tempfile::tempdir().unwrap();
    for len in (0..whole.len()).step_by(13) {
        file(folder.path(), "cut", &whole[..len]);
        one_sentence(&call(folder.path(), &["hw", "cut", "-o", "out.img"]));
    }
    assert_eq!(names(folder.path()), ["cut"]);
}

#[test]
fn this_very_test_is_a_program_for_another_system() {
    let folder = tempfile::tempdir().unwrap();
    let me = std::env::current_exe().unwrap();
    let sentence = one_sentence(&call(folder.path(), &["hw", me.to_str().unwrap(), "-o", "out.img"]));
    assert!(sentence.contains("Linux"), "{sentence}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn missing_files() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in
        [&["hw", "nowhere"][..], &["run", "nowhere"], &["inspect", "nowhere"], &["hw", "."], &["run", "."]]
    {
        one_sentence(&call(folder.path(), arguments));
    }
    assert!(names(folder.path()).is_empty());
}

/// A folder with a program that can be read.
fn folder_with_program() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "program", &Elf::netbsd().bytes());
    folder
}

fn refused(folder: &Path, arguments: &[&str], word: &str) {
    let before = names(folder);
    let sentence = one_sentence(&call(folder, arguments));
    assert!(sentence.contains(word), "{sentence}");
    assert_eq!(names(folder), before, "{sentence}");
}

#[test]
fn configuration_files() {
    let folder = folder_with_program();
    for (content, word) in [
        ("{\"arguments\":[]}", "config.json: there is no key \"arguments\""),
        (
            "{\"args\":1}",
            "config.json: \"args\" must be an array of strings or one string, not a number (line 1, column 9)",
        ),
        ("{\"env\":{\"PORT\":80}}", "\"env.PORT\" must be a string, not a number"),
        ("{", "not valid JSON"),
        ("args=1", "must be an object"),
        ("\u{1f600}", "not valid JSON"),
    ] {
        file(folder.path(), "config.json", content.as_bytes());
        let word = if content == "args=1" { "" } else { word };
        refused(folder.path(), &["hw", "program", "-o", "out.img", "--config", "config.json"], word);
    }
    fs::write(folder.path().join("config.json"), b"\xff").unwrap();
    refused(folder.path(), &["hw", "program", "--config", "config.json"], "UTF-8");
    refused(folder.path(), &["hw", "program", "--config", "nowhere.json"], "nowhere.json: cannot be read");
}

#[test]
fn options_with_wrong_values() {
    let folder = folder_with_program();
    refused(folder.path(), &["hw", "program", "--hostname", ""], "\"hostname\" must be 1 to 255 bytes long");
    refused(folder.path(), &["hw", "program", "--cwd", "srv"], "\"cwd\" must begin with /");
    refused(folder.path(), &["hw", "program", "--args", "it's"], "--args has a quote that does not end");
    refused(folder.path(), &["hw", "program", "--trace=a;b"], "\"trace\" must name system calls");
    refused(folder.path(), &["hw", "program", "-o", "program"], "would overwrite the program");
    refused(folder.path(), &["hw", "program", "--root", "nowhere"], "nowhere");
    refused(folder.path(), &["hw", "program", "--components", "nonsense"], "nonsense");
    refused(folder.path(), &["hw", "program", "-o", "no/such/folder/out.img"], "no/such/folder/out.img");
    // Nothing else stays behind, either.
    let beside = "no/such/folder/beside: cannot be written";
    for option in ["--map", "--symbols"] {
        refused(folder.path(), &["hw", "program", "-o", "out.img", option, "no/such/folder/beside"], beside);
    }
    refused(
        folder.path(),
        &["xen", "program", "-o", "out.img", "--xl-config", "no/such/folder/beside"],
        beside,
    );
}

#[test]
fn usage_errors_have_status_2() {
    let folder = folder_with_program();
    for arguments in [
        &[][..],
        &["nonsense"],
        &["hw"],
        &["hw", "program", "--env", "NAME"],
        &["hw", "program", "--env", "=x"],
        &["hw", "program", "--format", "qcow2"],
        &["hw", "program", "--args", "a", "--", "b"],
        &["run", "program", "-m", "lots"],
        &["run", "program", "--machine", "vax"],
        &["run", "program", "--gdb", "70000"],
        &["completions", "tea"],
    ] {
        let output = call(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(names(folder.path()), ["program"]);
}

#[test]
fn a_program_is_not_an_image() {
    let folder = folder_with_program();
    refused(folder.path(), &["run", "program"], "bake it first: rumpbake hw program");
}

#[test]
fn without_tools() {
    let folder = folder_with_program();
    let output = rumpbake().current_dir(folder.path()).env("PATH", "").args(["cc", "x.c"]).output().unwrap();
    // The checkout's own zig is found without PATH; it then says itself what is wrong with x.c.
    if output.status.code() == Some(1) && stderr(&output).starts_with("rumpbake: ") {
        assert!(one_sentence(&output).contains("RUMPBAKE_ZIG"));
    }
    let output = rumpbake().env("RUMPBAKE_ZIG", "/nowhere/zig").args(["cc", "x.c"]).output().unwrap();
    assert!(one_sentence(&output).starts_with("/nowhere/zig: cannot be run"));
    let output = rumpbake().env("PATH", "").arg("doctor").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(common::stdout(&output).contains("missing  QEMU  runs images: install qemu-system-x86"));
}

#[test]
fn disks_without_their_tools() {
    let folder = folder_with_program();
    for format in ["iso", "raw"] {
        let output = rumpbake()
            .current_dir(folder.path())
            .env("PATH", "")
            .args(["hw", "program", "--format", format])
            .output()
            .unwrap();
        let sentence = one_sentence(&output);
        assert!(sentence.starts_with("disks are made with GRUB 2 and xorriso"), "{sentence}");
        assert!(
            sentence.contains("apt-get install grub-common ") && sentence.contains("xorriso"),
            "{sentence}"
        );
        assert!(!folder.path().join("program").with_extension(format).exists());
    }
}

#[test]
fn disks_take_no_words_at_run_time() {
    let folder = tempfile::tempdir().unwrap();
    // As much of an ISO 9660 file system as a disk is recognized by.
    let mut bytes = vec![0; 0x8800];
    bytes[0x8000..0x8006].copy_from_slice(b"\x01CD001");
    bytes[0x8000 + 574..0x8000 + 702].fill(b' ');
    bytes[0x8000 + 574..0x8000 + 586].copy_from_slice(b"RUMPBAKE RAW");
    file(folder.path(), "disk", &bytes);
    for (arguments, problem) in [
        (&["--machine", "microvm"][..], "microvm has no firmware that starts disks"),
        (&["--", "x"], "a disk starts with the arguments and the configuration that were baked in"),
        (&["--env", "A=b"], "a disk starts with"),
        (&["--append", "trace"], "a disk starts with"),
    ] {
        let output = call(folder.path(), &[&["run", "disk"], arguments].concat());
        assert!(one_sentence(&output).contains(problem), "{arguments:?}");
    }
    let output = call(folder.path(), &["run", "disk", "--dry-run"]);
    let line = common::stdout(&output);
    assert!(line.contains(" -M q35 ") && line.contains(" -drive if=ide,media=disk,"), "{line}");
}

#[test]
fn the_compiler_gets_everything_and_its_status_is_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let zig = script(folder.path(), "zig", "#!/bin/sh\nprintf '%s|' \"$@\"\nexit 7\n");
    for (command, driver) in [("cc", "cc"), ("c++", "c++")] {
        let output = rumpbake()
            .env("RUMPBAKE_ZIG", &zig)
            .args([command, "-O2", "--help", "a b.c", "-o", "x", "-V"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(7));
        let expected = format!("{driver}|-target|x86_64-netbsd.11.0|-O2|--help|a b.c|-o|x|-V|");
        assert_eq!(common::stdout(&output), expected);
    }
}

#[test]
fn images_run_on_the_platform_that_they_are_for() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "program", &Elf::netbsd().bytes());
    for platform in ["hw", "xen"] {
        let output = call(folder.path(), &[platform, "-q", "program", "-o", &format!("{platform}.img")]);
        assert!(output.status.success(), "{}", common::stderr(&output));
    }
    for (arguments, problem) in [
        (&["xen.img"][..], "this is an image for Xen; run it with --xen"),
        (&["--xen", "hw.img"], "this is an image for bare metal; run it without --xen"),
        (&["--xen", "program"], "bake it first: rumpbake xen program"),
        (
            &["--xen", "-m", "2M", "xen.img"],
            "KiB of memory, and the guest has 2048 KiB; give it more with -m",
        ),
        (&["--xen", "--machine", "microvm", "xen.img"], "Xen is started on pc and q35"),
    ] {
        let output = call(folder.path(), &[&["run"], arguments].concat());
        assert!(one_sentence(&output).contains(problem), "{arguments:?}: {}", common::stderr(&output));
    }
    let arguments = ["run", "--xen", "xen.img"];
    let output = rumpbake()
        .current_dir(folder.path())
        .env("RUMPBAKE_XEN", "absent")
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let sentence = one_sentence(&output);
    assert!(sentence.contains("absent"), "{sentence}");
}

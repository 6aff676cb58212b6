//! What the commands print where all is well: help, schema, completions, the doctor, QEMU's command line.

mod common;

use common::{call, rumpbake, script, stderr, stdout};

fn help(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = call(folder.path(), arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // clap pads blank lines; editors do not keep that.
    stdout(&output).lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn help_texts() {
    insta::assert_snapshot!("help", help(&["--help"]));
    for command in ["hw", "xen", "run", "inspect", "components", "doctor", "completions", "schema"] {
        insta::assert_snapshot!(format!("help-{command}"), help(&[command, "--help"]));
    }
}

#[test]
fn every_command_shows_an_example() {
    for command in ["hw", "xen", "run", "inspect", "components", "doctor", "completions", "schema", "help"] {
        let text = if command == "help" { help(&["--help"]) } else { help(&[command, "--help"]) };
        assert!(text.contains("\nExample:\n  rumpbake "), "{command}: {text}");
    }
}

#[test]
fn the_published_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/config.schema.json");
    let published = std::fs::read_to_string(path).unwrap();
    let printed = help(&["schema"]) + "\n";
    assert_eq!(published, printed, "run `rumpbake schema > docs/config.schema.json`");
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(help(&["completions", shell]).contains("rumpbake"), "{shell}");
    }
}

#[test]
fn the_doctor_names_what_it_finds() {
    let folder = tempfile::tempdir().unwrap();
    let tool = script(folder.path(), "tool", "#!/bin/sh\necho version 1.2.3\n");
    let output = rumpbake()
        .env("PATH", "")
        .env("RUMPBAKE_QEMU", &tool)
        .env("RUMPBAKE_ZIG", &tool)
        .arg("doctor")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    let tool = tool.display();
    assert!(text.contains(&format!("ok       QEMU  {tool} (version 1.2.3)")), "{text}");
    assert!(text.contains(&format!("ok       zig   {tool} (version 1.2.3)")), "{text}");
    assert!(text.contains("missing  Go    builds Go programs: install it"), "{text}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let command = format!("{} schema | head -c 1", env!("CARGO_BIN_EXE_rumpbake"));
    let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("{", ""));
}

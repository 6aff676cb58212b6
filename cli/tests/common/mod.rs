//! What the tests of the command share: calling it, and files made by hand.
#![allow(dead_code, reason = "every test file uses a part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The command under test, with nothing to read.
pub fn rumpbake() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rumpbake"));
    command.stdin(Stdio::null()).env_remove("RUMPBAKE_QEMU").env_remove("RUMPBAKE_ZIG").env_remove("COLUMNS");
    command
}

/// Runs it with these arguments in `folder`.
pub fn call(folder: &Path, arguments: &[&str]) -> Output {
    rumpbake().current_dir(folder).args(arguments).output().unwrap()
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// That the command failed with exactly one sentence of its own; returns the sentence.
#[track_caller]
pub fn one_sentence(output: &Output) -> String {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(stdout(output), "", "{text}");
    let sentence = text.strip_prefix("rumpbake: ").unwrap_or_else(|| panic!("no prefix: {text}"));
    let sentence = sentence.strip_suffix('\n').unwrap_or_else(|| panic!("no end of line: {text}"));
    assert!(!sentence.contains('\n'), "more than one line: {text}");
    assert!(sentence.len() > 20, "too short to help: {text}");
    sentence.to_owned()
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Writes a file; returns its path.
pub fn file(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}

/// Writes an executable shell script.
pub fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = file(folder, name, text.as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The parts of an ELF64 file that the tests vary.
#[derive(Clone)]
pub struct Elf {
    /// EI_CLASS: 1 for 32 bits, 2 for 64.
    pub class: u8,
    /// e_type: 1 relocatable, 2 executable, 3 shared, 4 core.
    pub kind: u16,
    /// e_machine: 62 for x86-64.
    pub machine: u16,
    /// Notes: owner, type, content.
    pub notes: Vec<(&'static str, u32, Vec<u8>)>,
    /// Content of PT_INTERP.
    pub interpreter: Option<&'static str>,
}

impl Elf {
    /// A static NetBSD/amd64 program that does nothing but trap.
    pub fn netbsd() -> Self {
        let version = 1_001_000_000_u32.to_le_bytes().to_vec();
        Self { class: 2, kind: 2, machine: 62, notes: vec![("NetBSD", 1, version)], interpreter: None }
    }

    /// The file. One PT_LOAD at 0x400000 with everything, `int3` and `hlt` at the entry.
    pub fn bytes(&self) -> Vec<u8> {
        const BASE: u64 = 0x40_0000;
        const HEADERS: u64 = 64 + 4 * 56;
        let mut notes = Vec::new();
        for (owner, kind, content) in &self.notes {
            notes.extend((owner.len() as u32 + 1).to_le_bytes());
            notes.extend((content.len() as u32).to_le_bytes());
            notes.extend(kind.to_le_bytes());
            notes.extend(owner.bytes());
            notes.push(0);
            notes.resize(notes.len().next_multiple_of(4), 0);
            notes.extend(content);
            notes.resize(notes.len().next_multiple_of(4), 0);
        }
        let interpreter = self.interpreter.map(|path| [path.as_bytes(), b"\0"].concat()).unwrap_or_default();
        let code = [0xcc, 0xf4, 0, 0];
        let note_at = HEADERS + code.len() as u64;
        let interpreter_at = note_at + notes.len() as u64;
        let len = interpreter_at + interpreter.len() as u64;

        let mut out = vec![0x7f, b'E', b'L', b'F', self.class, 1, 1, 0];
        out.resize(16, 0);
        out.extend(self.kind.to_le_bytes());
        out.extend(self.machine.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
        out.extend((BASE + HEADERS).to_le_bytes());
        out.extend(64_u64.to_le_bytes());
        out.extend(0_u64.to_le_bytes());
        out.extend(0_u32.to_le_bytes());
        let segments: Vec<(u32, u32, u64, u64)> = [
            Some((1, 5, 0, len)),
            (!notes.is_empty()).then_some((4, 4, note_at, notes.len() as u64)),
            (!interpreter.is_empty()).then_some((3, 4, interpreter_at, interpreter.len() as u64)),
        ]
        .into_iter()
        .flatten()
        .collect();
        for half in [64, 56, segments.len() as u16, 64, 0, 0] {
            out.extend(half.to_le_bytes());
        }
        for (kind, flags, at, size) in segments {
            out.extend(kind.to_le_bytes());
            out.extend(flags.to_le_bytes());
            let align = if kind == 1 { 4096 } else { 4 };
            for word in [at, BASE + at, BASE + at, size, size, align] {
                out.extend(word.to_le_bytes());
            }
        }
        out.resize(HEADERS as usize, 0);
        out.extend(code);
        out.extend(notes);
        out.extend(interpreter);
        out
    }
}

//! What is accepted and what is refused, and that nothing in a file makes the reader panic.

use object::elf;
use proptest::prelude::*;

use super::{App, AppKind};
use crate::testing::AppBuilder;

fn refusal(bytes: Vec<u8>) -> String {
    match App::parse("x".as_ref(), bytes) {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    }
}

fn refused(builder: &AppBuilder) -> String {
    refusal(builder.build())
}

#[test]
fn both_kinds_are_accepted() {
    assert_eq!(AppBuilder::new().read().unwrap().kind(), AppKind::Static);
    let dynamic = AppBuilder::dynamic().read().unwrap();
    assert_eq!(dynamic.kind(), AppKind::Dynamic);
    assert_eq!(dynamic.libraries(), ["libc.so.12"]);
}

#[test]
fn files_that_are_no_programs_are_named() {
    for (bytes, sentence) in [
        (&b""[..], "x: the file is empty"),
        (b"int main() {}\n", "x: it is text, not a program"),
        (b"#!/bin/sh\n", "x: it is a script, not a program"),
        (b"MZ\x90\0", "x: it is a Windows or DOS program"),
        (b"!<arch>\nfoo.o", "x: it is an archive of object files"),
        (b"\x7fE", "x: the file is cut short: the ELF header lies past its end"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0", "x: the file is cut short"),
        (b"\0\0\0\0", "x: it is not an ELF program"),
    ] {
        let text = refusal(bytes.to_vec());
        assert!(text.starts_with(sentence), "{text}");
        assert!(text.contains("; "), "{text} has no way out");
        assert!(!text.contains('\n'), "{text} is more than one sentence");
    }
}

#[test]
fn programs_for_other_systems_are_named() {
    let with = |change: &dyn Fn(&mut AppBuilder)| {
        let mut builder = AppBuilder::new();
        change(&mut builder);
        refused(&builder)
    };
    let linux = with(&|b| b.note = Some(("GNU", 1)));
    assert!(
        linux.contains("it is a program for the Hurd") || linux.contains("it is a program for Linux"),
        "{linux}"
    );
    let linux = with(&|b| (b.note, b.interp) = (None, Some("/lib64/ld-linux-x86-64.so.2\0")));
    assert!(linux.contains("it is a program for Linux, not for NetBSD"), "{linux}");
    let freebsd = with(&|b| (b.note, b.osabi) = (None, elf::ELFOSABI_FREEBSD));
    assert!(freebsd.contains("it is a program for FreeBSD, not for NetBSD"), "{freebsd}");
    let openbsd = with(&|b| b.note = Some(("OpenBSD", 1)));
    assert!(openbsd.contains("it is a program for OpenBSD"), "{openbsd}");
    let unknown = with(&|b| b.note = None);
    assert!(unknown.contains("it has no .note.netbsd.ident"), "{unknown}");
    let arm = with(&|b| b.machine = elf::EM_AARCH64);
    assert!(arm.contains("it is a program for aarch64"), "{arm}");
    let image = with(&|b| b.note = Some(("Xen", 18)));
    assert!(image.contains("it is a bootable image or kernel"), "{image}");
}

#[test]
fn other_kinds_of_elf_are_named() {
    let of_kind = |kind| refused(&AppBuilder { kind, ..AppBuilder::new() });
    assert!(of_kind(elf::ET_REL).contains("it is a relocatable object"));
    assert!(of_kind(elf::ET_CORE).contains("it is a core dump"));
    assert!(of_kind(elf::ET_DYN).contains("it is a shared library, not a program"));
    let mut small = AppBuilder::new().build();
    small[4] = 1;
    assert!(refusal(small).contains("it is a 32-bit program"));
    let mut big = AppBuilder::new().build();
    big[5] = 2;
    assert!(refusal(big).contains("it is a big-endian program"));
}

/// Where the program header of the last segment begins.
fn last_load(bytes: &[u8]) -> usize {
    let number = usize::from(bytes[56]);
    (0..number).rev().map(|index| 64 + 56 * index).find(|&at| bytes[at] == 1).unwrap()
}

#[test]
fn absurd_headers_are_refused() {
    let with = |change: &dyn Fn(&mut [u8], usize)| {
        let mut bytes = AppBuilder::new().build();
        let load = last_load(&bytes);
        change(&mut bytes, load);
        refusal(bytes)
    };
    let put =
        |bytes: &mut [u8], at: usize, value: u64| bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    for (text, part) in [
        (with(&|b, at| put(b, at + 8, 1 << 40)), "a segment lies past its end"),
        (with(&|b, at| put(b, at + 8, u64::MAX)), "a segment lies past its end"),
        (with(&|b, at| put(b, at + 32, u64::MAX)), "a segment lies past its end"),
        (with(&|b, at| put(b, at + 40, 1)), "more bytes in the file than in memory"),
        (with(&|b, at| put(b, at + 40, u64::MAX)), "outside the application's half"),
        (with(&|b, at| put(b, at + 16, u64::MAX - 5)), "outside the application's half"),
        (with(&|b, at| put(b, at + 16, 0xffff_8000_0000_0000)), "outside the application's half"),
        (with(&|b, at| put(b, at + 16, AppBuilder::BASE + 8)), "overlap or share a page"),
        (with(&|b, at| put(b, at + 16, 0)), "address 0"),
        (with(&|b, at| b[at + 4] = 7), "writable and executable"),
        (with(&|b, _| put(b, 24, 0x1234)), "entry lies outside its code"),
        (with(&|b, _| put(b, 32, u64::MAX)), "the table of program headers lies past its end"),
        (with(&|b, _| b[56] = 0), "no program headers"),
        (with(&|b, _| b[57] = 0xff), "program headers are more than any program has"),
        (with(&|b, _| b[54] = 32), "the program headers have a wrong size"),
        (
            with(&|b, _| (put(b, 40, 64), b[60] = 0xff, b[61] = 0xff).0),
            "the table of sections lies past its end",
        ),
    ] {
        assert!(text.contains(part), "{text}, expected {part}");
    }
}

/// A program with something in every table.
fn rich() -> Vec<u8> {
    let d = AppBuilder::DATA;
    let global = elf::STB_GLOBAL;
    AppBuilder {
        symbols: vec![
            ("read", 0, 0, global, elf::STT_FUNC),
            ("__sF", d + 64, 24, global, elf::STT_OBJECT),
            ("tls", 4, 4, global, elf::STT_TLS),
        ],
        relocs: vec![
            (d, elf::R_X86_64_JUMP_SLOT, 1, 0),
            (d + 64, elf::R_X86_64_COPY, 2, 0),
            (d + 8, elf::R_X86_64_TPOFF64, 3, 0),
            (d + 16, elf::R_X86_64_IRELATIVE, 0, 0x100_0800),
        ],
        relr: vec![d + 24, 3],
        tls: Some((32, 16)),
        relro: 0x1000,
        ..AppBuilder::dynamic()
    }
    .build()
}

/// Writes the seeds of the fuzzer (`examples/fuzz-elf.rs`) anew.
#[test]
#[ignore = "writes into the source tree"]
fn write_fuzz_seeds() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    std::fs::write(corpus.join("dynamic.elf"), rich()).unwrap();
    std::fs::write(corpus.join("static.elf"), AppBuilder::new().build()).unwrap();
}

/// Reads, and bakes what can be read: neither may panic.
fn survive(bytes: Vec<u8>) {
    if let Ok(app) = App::parse("x".as_ref(), bytes) {
        let (kernel, libc) = (crate::testing::kernel_kit(), crate::testing::libc_kit());
        let kits = crate::bake::Kits { target: crate::Target::Hw, kernel: &kernel, libc: &libc };
        let _ = crate::bake::bake_with(&kits, &app, &crate::BakeOptions::default());
    }
}

#[test]
fn every_truncation_is_survived() {
    let bytes = rich();
    assert!(App::parse("x".as_ref(), bytes.clone()).is_ok());
    for len in (0..0x900).chain([0xfff, 0x1000, 0x1001, bytes.len() - 1]) {
        assert!(App::parse("x".as_ref(), bytes[..len].to_vec()).is_err(), "{len}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_are_survived(changes in prop::collection::vec((0..0x800_usize, any::<u8>()), 1..6)) {
        let mut bytes = rich();
        for (at, value) in changes {
            bytes[at] = value;
        }
        survive(bytes);
    }

    #[test]
    fn changed_words_are_survived(
        changes in prop::collection::vec((0..0x100_usize, prop::sample::select(vec![
            0, 1, 7, 8, 0xfff, 0x1000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x7fff_ffff_f000, 1 << 63, u64::MAX, u64::MAX - 7,
        ])), 1..4),
    ) {
        let mut bytes = rich();
        for (at, value) in changes {
            bytes[8 * at..8 * at + 8].copy_from_slice(&value.to_le_bytes());
        }
        survive(bytes);
    }

    #[test]
    fn any_bytes_are_survived(mut bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Some(start) = bytes.get_mut(..20) {
            start.copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0");
        }
        survive(bytes);
    }
}

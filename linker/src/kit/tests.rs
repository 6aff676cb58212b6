//! Walking and relocating small kits.

use std::collections::BTreeMap;

use object::elf;

use super::{Got, Kind, Kit, Place, Reach, Relocator};
use crate::testing::{KitBuilder, Ref};

/// Where the tests' sections lie: text at this address, each section 0x1000 after the last.
const BASE: u64 = 0xffff_ffff_8010_0000;

/// Walks from `start`, places everything, and returns the content of `start` and of the global offset table.
fn relocate(bytes: &[u8], change: impl FnOnce(&mut Kit)) -> crate::Result<(Vec<u8>, Vec<u8>, Vec<u64>)> {
    let mut kit = Kit::parse("test", bytes)?;
    change(&mut kit);
    let mut reach = Reach::default();
    kit.walk_symbol(&mut reach, "start")?;
    let got = Got::make(&mut kit, &mut reach);
    let mut addresses = vec![0; kit.sections.len()];
    for (n, index) in reach.iter().enumerate() {
        addresses[index] = BASE + 0x1000 * n as u64;
    }
    let externals = BTreeMap::new();
    let relocator =
        Relocator { kit: &kit, addresses: &addresses, externals: &externals, got: &got, thread_pointer: 0 };
    let table = got.section.map(|section| relocator.content(section)).transpose()?.unwrap_or_default();
    let (start, _) = kit.location("start").unwrap();
    let content = relocator.content(start)?;
    let of = |name: &str| kit.location(name).map_or(0, |(index, offset)| addresses[index] + offset);
    Ok((content, table, ["start", "target"].map(of).to_vec()))
}

fn kit(code: &[u8], refs: &[Ref]) -> Vec<u8> {
    KitBuilder::new().text("start", code, refs).data("target", Kind::Data, &[1; 8], &[]).finish()
}

fn displacement(from: u64, to: u64) -> [u8; 4] {
    i32::try_from(to.wrapping_sub(from).cast_signed()).unwrap().to_le_bytes()
}

#[test]
fn only_what_is_reached_is_taken() {
    let bytes = KitBuilder::new()
        .text("start", &[0; 8], &[(0, elf::R_X86_64_64, "middle", 0)])
        .data("middle", Kind::Rodata, &[0; 8], &[(0, elf::R_X86_64_64, "end", 0)])
        .data("end", Kind::Bss, &[0; 8], &[])
        .text("other", &[0; 8], &[(0, elf::R_X86_64_64, "end", 0)])
        .finish();
    let kit = Kit::parse("test", &bytes).unwrap();
    let mut reach = Reach::default();
    kit.walk_symbol(&mut reach, "start").unwrap();
    let has = |name: &str| reach.has(kit.location(name).unwrap().0);
    assert_eq!(["start", "middle", "end", "other"].map(has), [true, true, true, false]);
    let middle = kit.location("middle").unwrap().0;
    assert_eq!(reach.parent(middle), kit.location("start").unwrap().0);
}

#[test]
fn loads_through_the_table_become_direct() {
    // mov target@GOTPCREL(%rip), %r10
    let bytes = kit(&[0x4c, 0x8b, 0x15, 0, 0, 0, 0], &[(3, elf::R_X86_64_GOTPCREL, "target", -4)]);
    let (code, table, at) = relocate(&bytes, |_| {}).unwrap();
    assert_eq!(code[..3], [0x4c, 0x8d, 0x15], "lea");
    assert_eq!(code[3..], displacement(at[0] + 7, at[1]));
    assert!(table.is_empty());
    // Out of reach: mov $imm32, %r10.
    let (code, ..) = relocate(&bytes, |kit| kit.bind("target", Place::Absolute(0x100_2000))).unwrap();
    assert_eq!(code, [0x49, 0xc7, 0xc2, 0x00, 0x20, 0x00, 0x01]);
}

#[test]
fn calls_and_jumps_through_the_table_become_direct() {
    let bytes = kit(&[0xff, 0x15, 0, 0, 0, 0], &[(2, elf::R_X86_64_GOTPCRELX, "target", -4)]);
    let (code, _, at) = relocate(&bytes, |_| {}).unwrap();
    assert_eq!((&code[..2], &code[2..]), (&[0x67, 0xe8][..], &displacement(at[0] + 6, at[1])[..]));
    let bytes = kit(&[0xff, 0x25, 0, 0, 0, 0], &[(2, elf::R_X86_64_GOTPCRELX, "target", -4)]);
    let (code, _, at) = relocate(&bytes, |_| {}).unwrap();
    assert_eq!((code[0], &code[1..5], code[5]), (0xe9, &displacement(at[0] + 5, at[1])[..], 0x90));
}

#[test]
fn other_instructions_use_the_table() {
    // cmp target@GOTPCREL(%rip), %rax
    let bytes = kit(&[0x48, 0x3b, 0x05, 0, 0, 0, 0], &[(3, elf::R_X86_64_REX_GOTPCRELX, "target", -4)]);
    let (code, table, at) = relocate(&bytes, |_| {}).unwrap();
    assert_eq!(code[..3], [0x48, 0x3b, 0x05]);
    assert_eq!(table, at[1].to_le_bytes());
}

#[test]
fn physical_addresses_fit_32_bits() {
    let bytes =
        kit(&[0; 8], &[(0, elf::R_X86_64_32, "target", 0x8000_0000), (4, elf::R_X86_64_32S, "target", 0)]);
    let (code, _, at) = relocate(&bytes, |_| {}).unwrap();
    let word = |at: usize| u32::from_le_bytes(code[at..at + 4].try_into().unwrap());
    assert_eq!(u64::from(word(0)), at[1] - 0xffff_ffff_8000_0000);
    assert_eq!(u64::from(word(4)), at[1] & 0xffff_ffff);
}

#[test]
fn a_value_that_does_not_fit_is_an_error_that_names_it() {
    let bytes = kit(&[0; 8], &[(0, elf::R_X86_64_32, "target", 0)]);
    let error = relocate(&bytes, |_| {}).unwrap_err().to_string();
    assert!(error.contains("relocation of type 10 at .text.start+0x0 cannot reach target"), "{error}");
    let bytes = kit(&[0; 8], &[(6, elf::R_X86_64_64, "target", 0)]);
    assert!(relocate(&bytes, |_| {}).is_err(), "outside the section");
}

#[test]
fn what_is_in_no_image_must_not_be_named() {
    let bytes = KitBuilder::new()
        .text("start", &[0; 8], &[(0, elf::R_X86_64_64, "note", 0)])
        .data("note", Kind::Dropped, &[0; 8], &[])
        .finish();
    let error = relocate(&bytes, |_| {}).unwrap_err().to_string();
    assert!(error.contains(".text.start refers to note"), "{error}");
}

#[test]
fn a_zeroed_section_that_is_patched_has_content() {
    let bytes = KitBuilder::new().data("start", Kind::Bss, &[0; 16], &[]).finish();
    let mut kit = Kit::parse("test", &bytes).unwrap();
    let (section, offset) = kit.location("start").unwrap();
    kit.patch(section, offset + 8, &[1; 8]).unwrap();
    assert_eq!(kit.sections[section].kind, Kind::Data);
    assert_eq!(kit.sections[section].data[..], [[0; 8], [1; 8]].concat());
    assert!(kit.patch(section, 12, &[1; 8]).is_err());
}

#[test]
fn a_file_that_is_no_kit_is_refused() {
    assert!(Kit::parse("test", b"").is_err());
    assert!(Kit::parse("test", b"\x7fELF").is_err());
    let program = crate::testing::AppBuilder::new().build();
    assert!(Kit::parse("test", &program).unwrap_err().to_string().contains("not a relocatable object"));
}

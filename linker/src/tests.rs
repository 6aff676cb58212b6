//! The crate as a whole, on small kits and small programs.

use object::elf;
use rump_image::{ImageInfo, KERNEL_BASE};

use crate::bake::{Kits, bake_with};
use crate::testing::{AppBuilder, kernel_kit, libc_kit};
use crate::{App, BakeOptions, Error, Image, Multiboot};

fn bake(app: &App, options: &BakeOptions) -> crate::Result<Image> {
    bake_with(&Kits { target: crate::Target::Hw, kernel: &kernel_kit(), libc: &libc_kit() }, app, options)
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Where the kernel's table of contents lies in the file.
fn info(image: &Image) -> usize {
    let magic = ImageInfo::MAGIC.to_le_bytes();
    image.bytes().windows(8).position(|window| window == magic).unwrap()
}

/// The content of the application at an address, found through the table of contents as the kernel would.
fn app_word(image: &Image, va: u64) -> u64 {
    let bytes = image.bytes();
    let segments = info(image)
        + std::mem::offset_of!(ImageInfo, app)
        + std::mem::offset_of!(rump_image::AppInfo, segments);
    for index in 0..rump_image::MAX_SEGMENTS {
        let at = segments + index * size_of::<rump_image::Segment>();
        let (start, len, phys, file_len) =
            (word(bytes, at), word(bytes, at + 8), word(bytes, at + 16), word(bytes, at + 24));
        if (start..start + len).contains(&va) {
            let offset = usize::try_from(phys + (va - start) - 0x10_0000).unwrap();
            return if va - start < file_len { word(bytes, offset) } else { 0 };
        }
    }
    panic!("{va:#x} is in no segment");
}

fn app_info(image: &Image, field: usize) -> u64 {
    word(image.bytes(), info(image) + std::mem::offset_of!(ImageInfo, app) + field)
}

fn names(image: &Image) -> Vec<&str> {
    image.report().components.iter().map(|component| component.name.as_str()).collect()
}

const GLOBAL: elf::SymbolBind = elf::STB_GLOBAL;

#[test]
fn a_static_program_gets_every_system_call_and_its_components() {
    let app = AppBuilder::new().read().unwrap();
    let image = bake(&app, &BakeOptions::default()).unwrap();
    assert_eq!(names(&image), ["cons", "vfs", "tmpfs", "kern", "platform"]);
    let entry = word(image.bytes(), 24) - 0x10_0000;
    let code = usize::try_from(entry).unwrap();
    let sysent = usize::try_from(word(image.bytes(), code + 16) - KERNEL_BASE - 0x10_0000).unwrap();
    let call = |number: usize| word(image.bytes(), sysent + 8 * number);
    assert_ne!(call(3), call(6), "read is there and close is not");
    assert_eq!(call(6), call(511));
    let end = word(image.bytes(), code + 32);
    assert!(end > call(3), "the end of the data is known");
    assert_eq!(app_info(&image, 0), AppBuilder::ENTRY);
    assert!(!image.bytes().windows(64).any(|window| window == [0xcc; 64]), "what is not reached is left out");
}

#[test]
fn named_components_narrow_a_static_program() {
    let app = AppBuilder::new().read().unwrap();
    let options = BakeOptions { components: Some(vec!["cons".into()]), ..BakeOptions::default() };
    assert_eq!(names(&bake(&app, &options).unwrap()), ["cons", "kern", "platform"]);
    let options = BakeOptions { components: Some(vec!["xyz".into()]), ..BakeOptions::default() };
    let error = bake(&app, &options).unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no component \"xyz\"; the components are: cons, ktrace, tmpfs, vfs, xen, xennet"
    );
}

#[test]
fn naming_components_leaves_the_cores_calls() {
    let app = AppBuilder::new().read().unwrap();
    let options = BakeOptions { components: Some(vec!["ktrace".into()]), ..BakeOptions::default() };
    assert_eq!(names(&bake(&app, &options).unwrap()), ["cons", "ktrace", "kern", "platform"]);
}

#[test]
fn components_may_come_where_others_come_together() {
    let app = AppBuilder::new().read().unwrap();
    let narrow =
        BakeOptions { components: Some(vec!["cons".into()]), xen_guest: true, ..BakeOptions::default() };
    assert_eq!(names(&bake(&app, &narrow).unwrap()), ["cons", "xen", "kern", "platform"]);
    let both = bake(&app, &BakeOptions { components: None, ..narrow }).unwrap();
    assert_eq!(names(&both), ["cons", "vfs", "tmpfs", "xen", "xennet", "kern", "platform"]);
}

#[test]
fn root_and_configuration_bring_what_they_need() {
    let app = AppBuilder::new().read().unwrap();
    let narrow = BakeOptions { components: Some(vec!["cons".into()]), ..BakeOptions::default() };
    let root = tempfile::tempdir().unwrap();
    let options = BakeOptions { root: Some(root.path().into()), ..narrow.clone() };
    assert_eq!(names(&bake(&app, &options).unwrap()), ["cons", "vfs", "tmpfs", "kern", "platform"]);
    for (json, expected) in [
        (r#"{"cwd":"/x"}"#, &["cons", "vfs", "tmpfs", "kern", "platform"][..]),
        (r#"{"trace":["read"]}"#, &["cons", "ktrace", "kern", "platform"]),
        (r#"{"trace":false}"#, &["cons", "kern", "platform"]),
    ] {
        let options = BakeOptions { config_json: json.into(), ..narrow.clone() };
        assert_eq!(names(&bake(&app, &options).unwrap()), expected, "{json}");
    }
    let options = BakeOptions { config_json: b"[".to_vec(), ..narrow };
    assert!(bake(&app, &options).unwrap_err().to_string().starts_with("the configuration: "));
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let app = AppBuilder::new().read().unwrap();
    for options in
        [BakeOptions::default(), BakeOptions { multiboot: Multiboot::Everyone, ..BakeOptions::default() }]
    {
        assert_eq!(bake(&app, &options).unwrap().bytes(), bake(&app, &options).unwrap().bytes());
    }
}

#[test]
fn the_multiboot_header_is_where_its_readers_search() {
    let app = AppBuilder::new().read().unwrap();
    for (multiboot, range) in [(Multiboot::Everyone, 0..8144), (Multiboot::BootLoaders, 8144..8164)] {
        let image = bake(&app, &BakeOptions { multiboot, ..BakeOptions::default() }).unwrap();
        let half = |at: usize| u32::from_le_bytes(image.bytes()[at..at + 4].try_into().unwrap());
        let at = (0..8192 - 32).step_by(4).chain([8160]).find(|&at| half(at) == 0x1bad_b002).unwrap();
        assert!(range.contains(&at), "{at}");
        assert_eq!(half(at).wrapping_add(half(at + 4)).wrapping_add(half(at + 8)), 0);
        assert_eq!(half(at + 12) - half(at + 16), u32::try_from(at).unwrap(), "the file is linear to memory");
        assert_ne!(half(at + 28), 0);
    }
}

#[test]
fn an_image_describes_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.img");
    let app = AppBuilder::new().read().unwrap();
    let options = BakeOptions { config_json: b"{}".to_vec(), ..BakeOptions::default() };
    let image = bake(&app, &options).unwrap();
    image.write(&path).unwrap();
    let kits = Kits { target: crate::Target::Hw, kernel: &[], libc: &[] };
    let report = crate::inspect::inspect(&kits, &path).unwrap();
    assert_eq!(&report, image.report());
    assert_eq!(report.file_bytes, image.bytes().len() as u64);
    let refused = App::read(&path).unwrap_err().to_string();
    assert!(refused.contains("it is a bootable image or kernel, not a program"), "{refused}");
}

#[test]
fn a_dynamic_program_gets_what_it_imports() {
    let mut builder = AppBuilder::dynamic();
    let d = AppBuilder::DATA;
    builder.symbols =
        vec![("read", 0, 0, GLOBAL, elf::STT_FUNC), ("absent", 0, 0, elf::STB_WEAK, elf::STT_FUNC)];
    builder.relocs = vec![
        (d, elf::R_X86_64_JUMP_SLOT, 1, 0),
        (d + 8, elf::R_X86_64_GLOB_DAT, 2, 0),
        (d + 16, elf::R_X86_64_64, 1, 4),
        (d + 24, elf::R_X86_64_RELATIVE, 0, 0x1234),
    ];
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    assert_eq!(names(&image), ["cons", "kern", "platform", "libc"]);
    let read = app_word(&image, d);
    assert!(read > d, "layer 2 lies behind the program");
    assert_eq!(
        (app_word(&image, d + 8), app_word(&image, d + 16), app_word(&image, d + 24)),
        (0, read + 4, 0x1234)
    );
    let entry = app_word(&image, read);
    assert!(entry > KERNEL_BASE, "the system call is bound to the kernel");
    let gate_word = app_info(&image, std::mem::offset_of!(rump_image::AppInfo, gate_word));
    assert_eq!(app_word(&image, read + 8) & 0xffff_ffff, gate_word);
    assert!(app_word(&image, gate_word) > KERNEL_BASE);
    let start = app_info(&image, 0);
    assert!(start > d && app_info(&image, 8) == AppBuilder::ENTRY);
    assert_eq!(image.report().imports[0].library, "libc.so.12");
}

#[test]
fn a_call_that_the_kernel_lacks_is_bound_to_nosys() {
    let mut builder = AppBuilder::dynamic();
    let d = AppBuilder::DATA;
    builder.symbols = vec![("reboot", 0, 0, GLOBAL, elf::STT_FUNC), ("read", 0, 0, GLOBAL, elf::STT_FUNC)];
    builder.relocs = vec![(d, elf::R_X86_64_JUMP_SLOT, 1, 0), (d + 8, elf::R_X86_64_JUMP_SLOT, 2, 0)];
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    let [reboot, read] = [d, d + 8].map(|at| app_word(&image, app_word(&image, at)));
    assert!(reboot > KERNEL_BASE && reboot != read);
}

#[test]
fn system_calls_by_number_bring_them_all() {
    let mut builder = AppBuilder::dynamic();
    builder.symbols = vec![("syscall", 0, 0, GLOBAL, elf::STT_FUNC)];
    builder.relocs = vec![(AppBuilder::DATA, elf::R_X86_64_JUMP_SLOT, 1, 0)];
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    assert_eq!(names(&image), ["cons", "vfs", "tmpfs", "kern", "platform", "libc"]);
}

#[test]
fn all_missing_symbols_are_reported_at_once() {
    let mut builder = AppBuilder::dynamic();
    builder.symbols =
        vec![("pthread_create", 0, 0, GLOBAL, elf::STT_FUNC), ("frobnicate", 0, 0, GLOBAL, elf::STT_FUNC)];
    let d = AppBuilder::DATA;
    builder.relocs = vec![(d, elf::R_X86_64_JUMP_SLOT, 1, 0), (d + 8, elf::R_X86_64_JUMP_SLOT, 2, 0)];
    let Err(Error::MissingSymbols { symbols, .. }) = bake(&builder.read().unwrap(), &BakeOptions::default())
    else {
        panic!("baked");
    };
    let found: Vec<_> =
        symbols.iter().map(|symbol| (symbol.name.as_str(), symbol.library.as_deref())).collect();
    assert_eq!(found, [("frobnicate", None), ("pthread_create", Some("libpthread.so.1"))]);
}

#[test]
fn a_copy_relocation_moves_the_datum_into_the_program() {
    let mut builder = AppBuilder::dynamic();
    let d = AppBuilder::DATA;
    // The copy lies in the zeroed part, which thereby gets content.
    builder.symbols =
        vec![("__sF", d + 64, 24, GLOBAL, elf::STT_OBJECT), ("fputs", 0, 0, GLOBAL, elf::STT_FUNC)];
    builder.relocs = vec![(d + 64, elf::R_X86_64_COPY, 1, 0), (d, elf::R_X86_64_JUMP_SLOT, 2, 0)];
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    let fputs = app_word(&image, d);
    assert_eq!(app_word(&image, d + 64), 0x0505_0505_0505_0505, "the content is copied");
    assert_eq!(app_word(&image, d + 72), fputs, "and the relocations in it are applied");
    assert_eq!(app_word(&image, fputs), d + 64, "layer 2 uses the program's copy");
    builder.symbols[0].2 = 16;
    let error = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap_err().to_string();
    assert!(error.contains("it has room for 16 bytes of __sF, and libc's __sF has 24"), "{error}");
}

#[test]
fn the_programs_own_symbols_come_before_libcs() {
    let mut builder = AppBuilder::dynamic();
    let d = AppBuilder::DATA;
    let malloc = AppBuilder::ENTRY;
    builder.symbols =
        vec![("malloc", malloc, 2, GLOBAL, elf::STT_FUNC), ("fputs", 0, 0, GLOBAL, elf::STT_FUNC)];
    builder.relocs = vec![(d, elf::R_X86_64_JUMP_SLOT, 2, 0), (d + 8, elf::R_X86_64_GLOB_DAT, 1, 0)];
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    assert_eq!(app_word(&image, app_word(&image, d) + 8), malloc);
    assert_eq!(app_word(&image, d + 8), malloc);
}

#[test]
fn a_programs_symbol_is_never_taken_for_the_kernels() {
    let mut builder = AppBuilder::dynamic();
    let d = AppBuilder::DATA;
    builder.symbols = vec![
        ("sys_read", AppBuilder::ENTRY, 2, GLOBAL, elf::STT_FUNC),
        ("read", 0, 0, GLOBAL, elf::STT_FUNC),
    ];
    builder.relocs = vec![(d, elf::R_X86_64_JUMP_SLOT, 2, 0)];
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    assert!(app_word(&image, app_word(&image, d)) > KERNEL_BASE);
}

#[test]
fn files_that_are_not_regular_are_refused() {
    let error = App::read("/dev/zero".as_ref()).unwrap_err().to_string();
    assert!(error.contains("it is not a regular file"), "{error}");
    let error = App::read("/".as_ref()).unwrap_err().to_string();
    assert!(error.contains("it is a directory"), "{error}");
    assert!(App::read("/absent".as_ref()).unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn thread_local_storage_ends_at_the_thread_pointer() {
    let mut builder = AppBuilder::dynamic();
    let d = AppBuilder::DATA;
    builder.tls = Some((20, 16));
    builder.symbols = vec![("tls", 4, 4, GLOBAL, elf::STT_TLS)];
    builder.relocs = vec![
        (d, elf::R_X86_64_TPOFF64, 1, 0),
        (d + 8, elf::R_X86_64_DTPMOD64, 1, 0),
        (d + 16, elf::R_X86_64_DTPOFF64, 1, 2),
        (d + 24, elf::R_X86_64_TPOFF64, 0, 8),
    ];
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    let words = [0, 8, 16, 24].map(|at| app_word(&image, d + at).cast_signed());
    assert_eq!(words, [4 - 32, 1, 6, 8 - 32]);
}

#[test]
fn indirect_functions_are_left_to_libc_as_a_table() {
    let mut builder = AppBuilder::dynamic();
    let d = AppBuilder::DATA;
    builder.relocs = vec![(d, elf::R_X86_64_IRELATIVE, 0, AppBuilder::ENTRY.cast_signed())];
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    let table = app_word(&image, app_info(&image, 0) + 8);
    assert_eq!((app_word(&image, table), app_word(&image, table + 8)), (d, AppBuilder::ENTRY));
}

#[test]
fn a_position_independent_program_is_moved() {
    let mut builder = AppBuilder::dynamic();
    builder.kind = elf::ET_DYN;
    builder.flags_1 = elf::DF_1_PIE.0;
    let d = AppBuilder::DATA - AppBuilder::BASE;
    builder.data = [0x40_u64, 0x41, 0x42, 0x43].map(u64::to_le_bytes).concat();
    // The second word's bits 1 and 3: the first and third word after the place.
    builder.relr = vec![d, 0b1011];
    builder.relocs = vec![(d + 16, elf::R_X86_64_RELATIVE, 0, 0x77)];
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    let words = [0, 8, 16, 24].map(|at| app_word(&image, AppBuilder::DATA + at));
    let base = AppBuilder::BASE;
    assert_eq!(words, [base + 0x40, base + 0x41, base + 0x77, base + 0x43]);
    assert_eq!(app_info(&image, 8), AppBuilder::ENTRY);
}

#[test]
fn what_is_constant_after_relocation_is_read_only() {
    let mut builder = AppBuilder::dynamic();
    builder.data = vec![1; 0x2800];
    builder.relro = 0x2000;
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    let program: Vec<_> = image
        .report()
        .segments
        .iter()
        .filter(|segment| segment.layer == "program")
        .map(|segment| (segment.prot.as_str(), segment.memory_bytes))
        .collect();
    assert_eq!(program, [("r-x", 0x1000), ("r--", 0x2000), ("rw-", 0x1000)]);
    builder.relocs =
        vec![(AppBuilder::DATA + 8, elf::R_X86_64_IRELATIVE, 0, AppBuilder::ENTRY.cast_signed())];
    let image = bake(&builder.read().unwrap(), &BakeOptions::default()).unwrap();
    let first = &image.report().segments[1];
    assert_eq!((first.prot.as_str(), first.memory_bytes), ("rw-", 0x1000), "its resolver runs at start");
}

#[test]
fn the_map_and_the_symbol_file_lie_beside_the_image() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let app = AppBuilder::new().read().unwrap();
    let options = BakeOptions { map: Some(at("map")), symbols: Some(at("sym")), ..BakeOptions::default() };
    bake(&app, &options).unwrap().write(&at("image")).unwrap();
    let map = std::fs::read_to_string(at("map")).unwrap();
    assert!(map.lines().any(|line| line.ends_with(" sys_read") && line.contains("text   kern")), "{map}");
    assert!(std::fs::read(at("sym")).unwrap().starts_with(b"\x7fELF"));
}

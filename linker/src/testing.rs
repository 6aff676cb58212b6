//! For unit tests: small kits and small programs, made with `object::write` and by hand.

use std::collections::HashMap;

use object::write::{Object, Relocation, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope, elf,
};

use crate::kit::Kind;

/// Builds a kit: every symbol gets a section of its own.
pub(crate) struct KitBuilder {
    object: Object<'static>,
    symbols: HashMap<String, SymbolId>,
}

/// A reference: offset in the section, relocation type, symbol, addend.
pub(crate) type Ref<'a> = (u64, elf::RelocationType, &'a str, i64);

impl KitBuilder {
    pub(crate) fn new() -> Self {
        let object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        Self { object, symbols: HashMap::new() }
    }

    fn symbol(&mut self, name: &str) -> SymbolId {
        let object = &mut self.object;
        let undefined = || {
            object.add_symbol(Symbol {
                name: name.as_bytes().to_vec(),
                value: 0,
                size: 0,
                kind: SymbolKind::Unknown,
                scope: SymbolScope::Linkage,
                weak: false,
                section: SymbolSection::Undefined,
                flags: SymbolFlags::None,
            })
        };
        *self.symbols.entry(name.to_owned()).or_insert_with(undefined)
    }

    /// Adds a section with a symbol of the same name. The content of zeroed sections says only how long they are.
    pub(crate) fn data(&mut self, name: &str, kind: Kind, content: &[u8], refs: &[Ref]) -> &mut Self {
        let (prefix, section_kind, symbol_kind) = match kind {
            Kind::Text => (".text.", SectionKind::Text, SymbolKind::Text),
            Kind::Rodata => (".rodata.", SectionKind::ReadOnlyData, SymbolKind::Data),
            Kind::Data => (".data.", SectionKind::Data, SymbolKind::Data),
            Kind::Bss => (".bss.", SectionKind::UninitializedData, SymbolKind::Data),
            Kind::TlsData => (".tdata.", SectionKind::Tls, SymbolKind::Tls),
            Kind::TlsBss => (".tbss.", SectionKind::UninitializedTls, SymbolKind::Tls),
            Kind::Dropped => (".comment.", SectionKind::Other, SymbolKind::Data),
        };
        let section =
            self.object.add_section(Vec::new(), format!("{prefix}{name}").into_bytes(), section_kind);
        if matches!(kind, Kind::Bss | Kind::TlsBss) {
            self.object.append_section_bss(section, content.len() as u64, 16);
        } else {
            self.object.append_section_data(section, content, 16);
        }
        let id = self.symbol(name);
        let symbol = self.object.symbol_mut(id);
        symbol.section = SymbolSection::Section(section);
        symbol.size = content.len() as u64;
        symbol.kind = symbol_kind;
        for &(offset, r_type, target, addend) in refs {
            let symbol = self.symbol(target);
            let flags = RelocationFlags::Elf { r_type };
            self.object.add_relocation(section, Relocation { offset, symbol, addend, flags }).unwrap();
        }
        self
    }

    /// Adds a function.
    pub(crate) fn text(&mut self, name: &str, code: &[u8], refs: &[Ref]) -> &mut Self {
        self.data(name, Kind::Text, code, refs)
    }

    /// Says in which module a system call is defined.
    pub(crate) fn call(&mut self, name: &str, module: &str) -> &mut Self {
        let line = format!("sys_{name}\0{module}\n");
        let found = self.object.add_section(Vec::new(), b".rb.syscalls".to_vec(), SectionKind::ReadOnlyData);
        self.object.append_section_data(found, line.as_bytes(), 1);
        self
    }

    /// Adds a component's record.
    pub(crate) fn record(&mut self, name: &str, needs: &str, when: &str) -> &mut Self {
        let line = format!("{name}\0kern\0{needs}\0{when}\0about {name}\n");
        let found =
            self.object.add_section(Vec::new(), b".rb.components".to_vec(), SectionKind::ReadOnlyData);
        self.object.append_section_data(found, line.as_bytes(), 1);
        self.data(&format!("rb_component_{name}"), Kind::Rodata, &[0; 16], &[])
    }

    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.object.write().unwrap()
    }
}

/// A relocation of a program: place, type, symbol's index, addend.
pub(crate) type AppReloc = (u64, elf::RelocationType, u32, i64);

/// A dynamic symbol of a program: name, address (0 for undefined), size, binding, type.
pub(crate) type AppSymbol<'a> = (&'a str, u64, u64, elf::SymbolBind, elf::SymbolType);

/// Builds a NetBSD program: one segment with headers, tables and a little code at [`AppBuilder::BASE`], one with variables at
/// [`AppBuilder::DATA`].
#[derive(Clone)]
pub(crate) struct AppBuilder {
    pub kind: elf::FileType,
    pub machine: elf::Machine,
    pub osabi: elf::OsAbi,
    pub interp: Option<&'static str>,
    pub note: Option<(&'static str, u32)>,
    pub symbols: Vec<AppSymbol<'static>>,
    pub relocs: Vec<AppReloc>,
    pub relr: Vec<u64>,
    pub data: Vec<u8>,
    pub bss: u64,
    pub data_flags: elf::ProgramFlags,
    pub tls: Option<(u64, u64)>,
    pub relro: u64,
    pub flags_1: u64,
}

impl AppBuilder {
    pub(crate) const BASE: u64 = 0x100_0000;
    pub(crate) const DATA: u64 = 0x101_0000;
    /// Where the program starts.
    pub(crate) const ENTRY: u64 = Self::BASE + 0x800;

    /// A static program.
    pub(crate) fn new() -> Self {
        Self {
            kind: elf::ET_EXEC,
            machine: elf::EM_X86_64,
            osabi: elf::ELFOSABI_NONE,
            interp: None,
            note: Some(("NetBSD", 1)),
            symbols: Vec::new(),
            relocs: Vec::new(),
            relr: Vec::new(),
            data: vec![0x11; 64],
            bss: 64,
            data_flags: elf::PF_R | elf::PF_W,
            tls: None,
            relro: 0,
            flags_1: 0,
        }
    }

    /// A dynamic program.
    pub(crate) fn dynamic() -> Self {
        Self { interp: Some("/libexec/ld.elf_so\0"), ..Self::new() }
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let base = if self.kind == elf::ET_DYN { 0 } else { Self::BASE };
        let data_address = base + (Self::DATA - Self::BASE);
        let mut first = vec![0; 0x1000];
        let mut at = 0x400_usize;
        let mut tables = Vec::new();
        let mut add = |first: &mut Vec<u8>, bytes: &[u8]| {
            let start = at.next_multiple_of(16);
            first[start..start + bytes.len()].copy_from_slice(bytes);
            at = start + bytes.len();
            (start as u64, bytes.len() as u64)
        };
        let mut headers: Vec<(elf::ProgramType, elf::ProgramFlags, [u64; 6])> = Vec::new();
        if let Some(interp) = self.interp {
            let (offset, len) = add(&mut first, interp.as_bytes());
            headers.push((elf::PT_INTERP, elf::PF_R, [offset, base + offset, 0, len, len, 1]));
        }
        if let Some((owner, kind)) = self.note {
            let note = crate::header::note(owner, kind, &1_001_000_000_u32.to_le_bytes());
            let (offset, len) = add(&mut first, &note);
            headers.push((elf::PT_NOTE, elf::PF_R, [offset, base + offset, 0, len, len, 4]));
        }
        if self.interp.is_some() || self.kind == elf::ET_DYN {
            let mut names = vec![0];
            let library = names.len() as u64;
            names.extend(b"libc.so.12\0");
            let mut symbols = vec![0; 24];
            for &(name, value, size, bind, kind) in &self.symbols {
                symbols.extend(u32::try_from(names.len()).unwrap().to_le_bytes());
                symbols.extend([bind.0 << 4 | kind.0, 0]);
                symbols.extend(u16::from(value != 0).to_le_bytes());
                symbols.extend(value.to_le_bytes());
                symbols.extend(size.to_le_bytes());
                names.extend(name.as_bytes());
                names.push(0);
            }
            let hash = [1, u32::try_from(symbols.len() / 24).unwrap(), 0].map(u32::to_le_bytes).concat();
            let mut relocs = Vec::new();
            for &(place, kind, symbol, addend) in &self.relocs {
                relocs.extend(place.to_le_bytes());
                relocs.extend((u64::from(symbol) << 32 | u64::from(kind.0)).to_le_bytes());
                relocs.extend(addend.to_le_bytes());
            }
            let relr: Vec<u8> = self.relr.iter().flat_map(|word| word.to_le_bytes()).collect();
            let (strtab, strsz) = add(&mut first, &names);
            let (symtab, _) = add(&mut first, &symbols);
            let (hash, _) = add(&mut first, &hash);
            let (rela, relasz) = add(&mut first, &relocs);
            let (relr, relrsz) = add(&mut first, &relr);
            for (tag, value) in [
                (elf::DT_NEEDED, library),
                (elf::DT_STRTAB, base + strtab),
                (elf::DT_STRSZ, strsz),
                (elf::DT_SYMTAB, base + symtab),
                (elf::DT_HASH, base + hash),
                (elf::DT_RELA, base + rela),
                (elf::DT_RELASZ, relasz),
                (elf::DT_RELR, base + relr),
                (elf::DT_RELRSZ, relrsz),
                (elf::DT_FLAGS_1, self.flags_1),
                (elf::DT_NULL, 0),
            ] {
                tables.extend(tag.0.to_le_bytes());
                tables.extend(value.to_le_bytes());
            }
            let (offset, len) = add(&mut first, &tables);
            headers.push((elf::PT_DYNAMIC, elf::PF_R, [offset, base + offset, 0, len, len, 8]));
        }
        assert!(at <= 0x800, "the tables do not fit");
        first[0x800..0x802].copy_from_slice(&[0x0f, 0x05]);
        headers.push((elf::PT_LOAD, elf::PF_R | elf::PF_X, [0, base, 0, 0x1000, 0x1000, 0x1000]));
        let len = self.data.len() as u64;
        headers.push((elf::PT_LOAD, self.data_flags, [0x1000, data_address, 0, len, len + self.bss, 0x1000]));
        if let Some((len, align)) = self.tls {
            headers.push((elf::PT_TLS, elf::PF_R, [0x1000, data_address, 0, 0, len, align]));
        }
        if self.relro != 0 {
            headers.push((
                elf::PT_GNU_RELRO,
                elf::PF_R,
                [0x1000, data_address, 0, self.relro, self.relro, 1],
            ));
        }
        let mut head = Vec::new();
        head.extend(elf::ELFMAG);
        head.extend([2, 1, 1, self.osabi.0]);
        head.resize(16, 0);
        head.extend(self.kind.0.to_le_bytes());
        head.extend(self.machine.0.to_le_bytes());
        head.extend(1_u32.to_le_bytes());
        for word in [base + 0x800, 64, 0] {
            head.extend(word.to_le_bytes());
        }
        head.extend(0_u32.to_le_bytes());
        for half in [64, 56, u16::try_from(headers.len()).unwrap(), 64, 0, 0] {
            head.extend(half.to_le_bytes());
        }
        for (kind, flags, words) in headers {
            head.extend(kind.0.to_le_bytes());
            head.extend(flags.0.to_le_bytes());
            words.iter().for_each(|word| head.extend(word.to_le_bytes()));
        }
        first[..head.len()].copy_from_slice(&head);
        first.extend(&self.data);
        first
    }

    /// The program, read.
    pub(crate) fn read(&self) -> crate::Result<crate::App> {
        crate::App::parse("test.elf".as_ref(), self.build())
    }
}

/// The kernel kit that tests bake with: the core's system call `read`, which brings component `cons`; `open` and `mkdir` of component
/// `vfs`, which bring `tmpfs`, which needs it; a component that nobody needs; and
/// `xennet`, which comes where `xen` and `tmpfs` do.
pub(crate) fn kernel_kit() -> Vec<u8> {
    let mut kit = KitBuilder::new();
    let entry: &[Ref] = &[
        (1, elf::R_X86_64_PLT32, "main", -4),
        (8, elf::R_X86_64_64, "rb_image", 0),
        (16, elf::R_X86_64_64, "rb_sysent", 0),
        (24, elf::R_X86_64_64, "rb_components", 0),
        (32, elf::R_X86_64_64, "rb_data_end", 0),
    ];
    kit.text("rb_pvh_entry", &[0xe8; 48], entry)
        .text("rb_multiboot_entry", &[0x90; 4], &[])
        .text("main", &[0xc3; 4], &[])
        .text("rb_gate", &[0xc3], &[])
        .text("sys_nosys", &[0xc3], &[])
        .text("sys_read", &[0xc3; 8], &[])
        .text("sys_open", &[0xc3; 16], &[(0, elf::R_X86_64_64, "variable", 0)])
        .text("sys_mkdir", &[0xc3; 16], &[])
        .text("never", &[0xcc; 64], &[])
        .data("variable", Kind::Data, &[7; 8], &[])
        .data("zeroed", Kind::Bss, &[0; 100], &[])
        .call("read", "rump_kern::filedesc")
        .call("open", "rump_vfs::calls")
        .call("mkdir", "rump_vfs::calls")
        .record("cons", "kern", "read")
        .record("tmpfs", "vfs", "open mkdir")
        .record("vfs", "", "")
        .record("ktrace", "", "")
        .record("xen", "", "")
        .record("xennet", "xen", "xen+tmpfs");
    kit.finish()
}

/// The libc kit that tests bake with.
pub(crate) fn libc_kit() -> Vec<u8> {
    let mut kit = KitBuilder::new();
    kit.text("rb_libc_start", &[0xe8; 16], &[(8, elf::R_X86_64_64, "rb_irelative_start", 0)])
        .data("rb_gate_word", Kind::Bss, &[0; 8], &[])
        .text(
            "read",
            &[0x90; 16],
            &[(0, elf::R_X86_64_64, "sys_read", 0), (8, elf::R_X86_64_32S, "rb_gate_word", 0)],
        )
        .text("open", &[0x90; 16], &[(0, elf::R_X86_64_64, "sys_open", 0)])
        .text("reboot", &[0x90; 16], &[(0, elf::R_X86_64_64, "sys_reboot", 0)])
        .text("syscall", &[0x90; 16], &[(0, elf::R_X86_64_64, "rb_sysent", 0)])
        .text("fputs", &[0x90; 16], &[(0, elf::R_X86_64_64, "__sF", 0), (8, elf::R_X86_64_64, "malloc", 0)])
        .text("malloc", &[0x90; 16], &[])
        .data("__sF", Kind::Data, &[5; 24], &[(8, elf::R_X86_64_64, "fputs", 0)])
        .data("errlist", Kind::Rodata, &[0; 8], &[(0, elf::R_X86_64_64, "text", 2)])
        .data("text", Kind::Rodata, b"a\0message\0", &[]);
    kit.finish()
}

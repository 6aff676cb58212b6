//! For unit tests: small kits and small programs, made with `object::write` and by hand.

use object::write::{Object, Relocation, StandardSection, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope, elf,
};

use crate::kit::Kind;

/// Builds a kit: every symbol gets a section of its own.
pub(crate) struct KitBuilder {
    object: Object<'static>,
}

/// A reference: offset in the section, relocation type, symbol, addend.
pub(crate) type Ref<'a> = (u64, elf::RelocationType, &'a str, i64);

impl KitBuilder {
    pub(crate) fn new() -> Self {
        Self { object: Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little) }
    }

    fn symbol(&mut self, name: &str) -> object::write::SymbolId {
        if let Some(id) = self.object.symbol_id(name.as_bytes()) {
            return id;
        }
        self.object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size: 0,
            kind: SymbolKind::Unknown,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Undefined,
            flags: SymbolFlags::None,
        })
    }

    /// Adds a section with a symbol of the same name. The content of zeroed sections says only how long they are.
    pub(crate) fn data(&mut self, name: &str, kind: Kind, content: &[u8], refs: &[Ref]) -> &mut Self {
        let (prefix, section_kind, symbol_kind) = match kind {
            Kind::Text => (".text.", SectionKind::Text, SymbolKind::Text),
            Kind::Rodata => (".rodata.", SectionKind::ReadOnlyData, SymbolKind::Data),
            Kind::Data => (".data.", SectionKind::Data, SymbolKind::Data),
            Kind::Bss => (".bss.", SectionKind::UninitializedData, SymbolKind::Data),
            Kind::Dropped => (".comment.", SectionKind::Other, SymbolKind::Data),
        };
        let section =
            self.object.add_section(Vec::new(), format!("{prefix}{name}").into_bytes(), section_kind);
        if kind == Kind::Bss {
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

    /// Adds a component's record.
    pub(crate) fn record(&mut self, name: &str, needs: &str, when: &str) -> &mut Self {
        let line = format!("{name}\0kern\0{needs}\0{when}\0about {name}\n");
        let section = self.object.section_id(StandardSection::ReadOnlyData);
        let _ = section;
        let found =
            self.object.add_section(Vec::new(), b".rb.components".to_vec(), SectionKind::ReadOnlyData);
        self.object.append_section_data(found, line.as_bytes(), 1);
        self.data(&format!("rb_component_{name}"), Kind::Rodata, &[0; 16], &[])
    }

    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.object.write().unwrap()
    }
}

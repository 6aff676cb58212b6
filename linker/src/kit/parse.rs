//! Reading a kit's object file.

use std::borrow::Cow;
use std::collections::HashMap;

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64, SectionHeader64};
use object::read::elf::{FileHeader as _, SectionHeader as _, Sym as _};

use super::{Kind, Kit, Place, Section, Symbol};
use crate::error::{Error, Result};

/// Prefixes of allocated sections that no image needs: nothing unwinds, and notes are made by the linker.
const DROPPED: &[&str] =
    &[".eh_frame", ".gcc_except_table", ".note", ".comment", ".init_array", ".fini_array"];

/// Where a section of this name is placed.
pub(crate) fn section_kind(header: &SectionHeader64<LE>, name: &str) -> Kind {
    let flags = header.sh_flags(LE);
    let flags = elf::SectionFlags(flags.0);
    if !flags.contains(elf::SHF_ALLOC) || DROPPED.iter().any(|prefix| name.starts_with(prefix)) {
        Kind::Dropped
    } else if flags.contains(elf::SHF_TLS) {
        if header.sh_type(LE) == elf::SHT_NOBITS { Kind::TlsBss } else { Kind::TlsData }
    } else if flags.contains(elf::SHF_EXECINSTR) {
        Kind::Text
    } else if header.sh_type(LE) == elf::SHT_NOBITS {
        Kind::Bss
    } else if flags.contains(elf::SHF_WRITE) && !name.starts_with(".data.rel.ro") {
        Kind::Data
    } else {
        // After the image is made nothing is relocated any more, so what is read-only after relocation is read-only.
        Kind::Rodata
    }
}

impl<'d> Kit<'d> {
    /// Reads a kit.
    pub(crate) fn parse(name: &'static str, bytes: &'d [u8]) -> Result<Self> {
        let fault = |reason: String| Error::Kit { kit: name, reason };
        let object = |error: object::Error| fault(error.to_string());
        let header = FileHeader64::<LE>::parse(bytes).map_err(object)?;
        if header.e_type.get(LE) != elf::ET_REL || header.e_machine.get(LE) != elf::EM_X86_64 {
            return Err(fault("it is not a relocatable object for x86-64".into()));
        }
        let table = header.sections(LE, bytes).map_err(object)?;
        let mut sections = Vec::with_capacity(table.len());
        for header in table.iter() {
            let section_name = table.section_name(LE, header).map_err(object)?;
            let section_name = std::str::from_utf8(section_name).map_err(|error| fault(error.to_string()))?;
            let kind = section_kind(header, section_name);
            let data =
                if kind == Kind::Dropped { &[][..] } else { header.data(LE, bytes).map_err(object)? };
            let align = header.sh_addralign(LE).max(1);
            if !align.is_power_of_two() {
                return Err(fault(format!("section {section_name} has alignment {align}")));
            }
            sections.push(Section {
                name: section_name,
                kind,
                align,
                size: header.sh_size(LE),
                data: Cow::Borrowed(data),
                relocs: Cow::Borrowed(&[]),
            });
        }
        for header in table.iter() {
            let Some((relocs, _)) = header.rela(LE, bytes).map_err(object)? else { continue };
            let target = usize::try_from(header.sh_info(LE)).ok().and_then(|index| sections.get_mut(index));
            let target =
                target.ok_or_else(|| fault("relocations of a section that does not exist".into()))?;
            if target.kind != Kind::Dropped {
                target.relocs = Cow::Borrowed(relocs);
            }
        }
        let table = table.symbols(LE, bytes, elf::SHT_SYMTAB).map_err(object)?;
        let mut symbols = Vec::with_capacity(table.len());
        let mut globals = HashMap::with_capacity(table.len() / 2);
        for (index, symbol) in table.enumerate() {
            let symbol_name = symbol.name(LE, table.strings()).map_err(object)?;
            let symbol_name = std::str::from_utf8(symbol_name).map_err(|error| fault(error.to_string()))?;
            let value = symbol.st_value(LE);
            let place = match symbol.st_shndx(LE) {
                elf::SHN_UNDEF => Place::Undefined,
                elf::SHN_ABS => Place::Absolute(value),
                elf::SHN_COMMON => {
                    sections.push(Section {
                        name: symbol_name,
                        kind: Kind::Bss,
                        align: value.max(1),
                        size: symbol.st_size(LE),
                        data: Cow::Borrowed(&[]),
                        relocs: Cow::Borrowed(&[]),
                    });
                    Place::Section { index: sections.len() - 1, offset: 0 }
                }
                _ => {
                    let section = table.symbol_section(LE, symbol, index).map_err(object)?;
                    let section =
                        section.map(|section| section.0).filter(|&section| section < sections.len());
                    let index = section.ok_or_else(|| fault(format!("{symbol_name} is in no section")))?;
                    Place::Section { index, offset: value }
                }
            };
            let bind = symbol.st_bind();
            symbols.push(Symbol {
                name: symbol_name,
                place,
                size: symbol.st_size(LE),
                kind: symbol.st_type(),
                weak: bind == elf::STB_WEAK,
            });
            if bind != elf::STB_LOCAL {
                globals.insert(symbol_name, index.0);
            }
        }
        let mut kit = Self { name, sections, symbols, globals };
        kit.bound_sections();
        Ok(kit)
    }

    /// Binds `__start_x` and `__stop_x` to the section `x`, as linkers do.
    pub(crate) fn bound_sections(&mut self) {
        for symbol in &mut self.symbols {
            if symbol.place != Place::Undefined {
                continue;
            }
            let (name, stop) =
                match (symbol.name.strip_prefix("__start_"), symbol.name.strip_prefix("__stop_")) {
                    (Some(name), _) => (name, false),
                    (None, Some(name)) => (name, true),
                    (None, None) => continue,
                };
            let found = self.sections.iter().enumerate().find(|(_, section)| section.name == name);
            if let Some((index, section)) = found {
                symbol.place = Place::Section { index, offset: if stop { section.size } else { 0 } };
            }
        }
    }
}

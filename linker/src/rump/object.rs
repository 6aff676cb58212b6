//! Reading an object of a library: its sections, symbols and section groups.

use std::borrow::Cow;
use std::collections::BTreeMap;

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader as _, SectionHeader as _, Sym as _};

use crate::kit::{Kind, Section, section_kind};

/// No section is larger: all lie in the low 2 GiB.
const SIZE_MAX: u64 = 1 << 31;
/// No section has a larger alignment.
const ALIGN_MAX: u64 = 1 << 20;

/// Where a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    Section {
        index: usize,
        offset: u64,
    },
    Absolute(u64),
    /// Zeroed memory that all objects share which name it.
    Common {
        align: u64,
    },
    Undefined,
}

/// How a symbol binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    Local,
    Weak,
    Strong,
}

/// A symbol of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct ObjectSymbol<'d> {
    pub name: &'d str,
    pub home: Home,
    pub size: u64,
    pub kind: elf::SymbolType,
    pub binding: Binding,
}

/// An object.
#[derive(Debug)]
pub(super) struct Object<'d> {
    pub sections: Vec<Section<'d>>,
    pub symbols: Vec<ObjectSymbol<'d>>,
    /// For each section of a group of which an image has one copy (COMDAT): the group's signature.
    pub groups: BTreeMap<usize, &'d str>,
}

/// Whether the section holds pointers to functions that are called before anything else.
pub(super) fn is_constructors(name: &str) -> bool {
    [".init_array", ".ctors"]
        .into_iter()
        .any(|prefix| name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// What a file that is no object for this machine is; `None` if it is one.
fn misfit(bytes: &[u8]) -> Option<String> {
    let half = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    if !bytes.starts_with(&elf::ELFMAG) {
        return Some("is not an ELF object".into());
    }
    let (class, order) = (bytes.get(4).copied(), bytes.get(5).copied());
    if class != Some(elf::ELFCLASS64.0) {
        return Some("is built for a machine with 32 bits, not for x86-64".into());
    }
    if order != Some(elf::ELFDATA2LSB.0) {
        return Some("is built for a big-endian machine, not for x86-64".into());
    }
    match (half(18), half(16)) {
        (Some(machine), _) if machine != elf::EM_X86_64.0 => {
            let name = match elf::Machine(machine) {
                elf::EM_AARCH64 => "AArch64".to_owned(),
                elf::EM_RISCV => "RISC-V".to_owned(),
                elf::EM_PPC64 => "PowerPC".to_owned(),
                elf::EM_MIPS => "MIPS".to_owned(),
                other => format!("machine {}", other.0),
            };
            Some(format!("is built for {name}, not for x86-64"))
        }
        (_, Some(kind)) if kind == elf::ET_REL.0 => None,
        _ => Some("is not a relocatable object".into()),
    }
}

/// Reads an object; what is wrong with it otherwise, as the end of a sentence that begins with its name.
pub(super) fn read(bytes: &[u8]) -> Result<Object<'_>, String> {
    if let Some(reason) = misfit(bytes) {
        return Err(reason);
    }
    parse(bytes).map_err(|error| format!("is damaged: {error}"))
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "a name in it is not text".to_owned())
}

fn parse(bytes: &[u8]) -> Result<Object<'_>, String> {
    let fault = |error: object::Error| error.to_string();
    let header = FileHeader64::<LE>::parse(bytes).map_err(fault)?;
    let table = header.sections(LE, bytes).map_err(fault)?;
    let symbol_table = table.symbols(LE, bytes, elf::SHT_SYMTAB).map_err(fault)?;
    let mut sections = Vec::with_capacity(table.len());
    let mut groups = BTreeMap::new();
    for header in table.iter() {
        let name = text(table.section_name(LE, header).map_err(fault)?)?;
        let kind = if is_constructors(name) { Kind::Rodata } else { section_kind(header, name) };
        let data = if kind == Kind::Dropped { &[][..] } else { header.data(LE, bytes).map_err(fault)? };
        let align = header.sh_addralign(LE).max(1);
        if !align.is_power_of_two() || align > ALIGN_MAX {
            return Err(format!("section {name} has alignment {align}"));
        }
        let size = header.sh_size(LE);
        if size > SIZE_MAX && kind != Kind::Dropped {
            return Err(format!("section {name} has {size} bytes"));
        }
        sections.push(Section {
            name,
            kind,
            align,
            size,
            data: Cow::Borrowed(data),
            relocs: Cow::Borrowed(&[]),
        });
        if let Some((flag, members)) = header.group(LE, bytes).map_err(fault)?
            && elf::GroupFlags(flag.0).contains(elf::GRP_COMDAT)
        {
            let signature = usize::try_from(header.sh_info(LE)).unwrap_or(usize::MAX);
            let symbol = symbol_table.symbol(object::SymbolIndex(signature)).map_err(fault)?;
            let signature = text(symbol.name(LE, symbol_table.strings()).map_err(fault)?)?;
            for member in members {
                groups.insert(member.get(LE) as usize, signature);
            }
        }
    }
    for header in table.iter() {
        if header.rel(LE, bytes).map_err(fault)?.is_some() {
            return Err("it has relocations without addends".into());
        }
        let Some((relocs, _)) = header.rela(LE, bytes).map_err(fault)? else { continue };
        let target = usize::try_from(header.sh_info(LE)).ok().and_then(|index| sections.get_mut(index));
        let target = target.ok_or("relocations of a section that does not exist")?;
        if target.kind != Kind::Dropped {
            target.relocs = Cow::Borrowed(relocs);
        }
    }
    let mut symbols = Vec::with_capacity(symbol_table.len());
    for (index, symbol) in symbol_table.enumerate() {
        let name = text(symbol.name(LE, symbol_table.strings()).map_err(fault)?)?;
        let value = symbol.st_value(LE);
        let home = match symbol.st_shndx(LE) {
            elf::SHN_UNDEF => Home::Undefined,
            elf::SHN_ABS => Home::Absolute(value),
            elf::SHN_COMMON if value > ALIGN_MAX || symbol.st_size(LE) > SIZE_MAX => {
                return Err(format!("{name} is too large"));
            }
            elf::SHN_COMMON => Home::Common { align: value.max(1).next_power_of_two() },
            _ => {
                let section = symbol_table.symbol_section(LE, symbol, index).map_err(fault)?;
                let section = section.map(|section| section.0).filter(|&section| section < sections.len());
                let index = section.ok_or_else(|| format!("{name} is in no section"))?;
                Home::Section { index, offset: value }
            }
        };
        if symbol.st_type() == elf::STT_GNU_IFUNC && home != Home::Undefined {
            return Err(format!("{name} chooses its code when the program starts (ifunc)"));
        }
        let binding = match symbol.st_bind() {
            elf::STB_LOCAL => Binding::Local,
            elf::STB_GLOBAL => Binding::Strong,
            _ => Binding::Weak,
        };
        symbols.push(ObjectSymbol { name, home, size: symbol.st_size(LE), kind: symbol.st_type(), binding });
    }
    Ok(Object { sections, symbols, groups })
}

//! The symbol file of an image: an ELF file with nothing but function symbols at their final addresses, for debuggers.

use object::elf::{self, FileHeader64};
use rump_image::KERNEL_BASE;

use crate::symbols::Functions;

/// Bytes of the ELF header.
const HEADER: u64 = size_of::<FileHeader64<object::LittleEndian>>() as u64;
/// Names of the sections: code of the kernel, code of the application, symbols, their names, these names.
const SECTION_NAMES: &[u8] = b"\0.kernel\0.app\0.symtab\0.strtab\0.shstrtab\0";

struct Section {
    name: u32,
    kind: elf::SectionType,
    flags: elf::SectionFlags,
    address: u64,
    offset: u64,
    len: u64,
    link: u32,
    info: u32,
    entry_len: u64,
}

/// The file's bytes.
pub(crate) fn file(functions: &Functions) -> Vec<u8> {
    let mut names = vec![0];
    let mut symbols = vec![0; 24];
    let mut spans = [(u64::MAX, 0_u64); 2];
    for (address, size, name) in functions.iter() {
        let home = usize::from(address < KERNEL_BASE);
        let number = |n: usize| u32::try_from(n).unwrap_or(0);
        symbols.extend(number(names.len()).to_le_bytes());
        symbols.extend([elf::STB_GLOBAL.0 << 4 | elf::STT_FUNC.0, 0]);
        symbols.extend(if home == 0 { [1, 0] } else { [2, 0] });
        symbols.extend(address.to_le_bytes());
        symbols.extend(size.to_le_bytes());
        names.extend(name.as_bytes());
        names.push(0);
        if let Some((start, end)) = spans.get_mut(home) {
            *start = address.min(*start);
            *end = (address + size.max(1)).max(*end);
        }
    }
    let code = |name, (start, end): (u64, u64)| Section {
        name,
        kind: elf::SHT_NOBITS,
        flags: elf::SHF_ALLOC | elf::SHF_EXECINSTR,
        address: if end == 0 { 0 } else { start },
        offset: 0,
        len: end.saturating_sub(start),
        link: 0,
        info: 0,
        entry_len: 0,
    };
    let table = |name, kind, offset, len: usize, link, info, entry_len| Section {
        name,
        kind,
        flags: elf::SectionFlags(0),
        address: 0,
        offset,
        len: len as u64,
        link,
        info,
        entry_len,
    };
    let names_at = HEADER + symbols.len() as u64;
    let section_names_at = names_at + names.len() as u64;
    let sections = [
        table(0, elf::SHT_NULL, 0, 0, 0, 0, 0),
        code(1, spans[0]),
        code(9, spans[1]),
        table(14, elf::SHT_SYMTAB, HEADER, symbols.len(), 4, 1, 24),
        table(22, elf::SHT_STRTAB, names_at, names.len(), 0, 0, 0),
        table(30, elf::SHT_STRTAB, section_names_at, SECTION_NAMES.len(), 0, 0, 0),
    ];
    let table_at = (section_names_at + SECTION_NAMES.len() as u64).next_multiple_of(8);
    let mut out = header(table_at, sections.len());
    out.extend(symbols);
    out.extend(names);
    out.extend(SECTION_NAMES);
    out.resize(usize::try_from(table_at).unwrap_or(0), 0);
    for section in &sections {
        out.extend(section.name.to_le_bytes());
        out.extend(section.kind.0.to_le_bytes());
        for word in [section.flags.0, section.address, section.offset, section.len] {
            out.extend(word.to_le_bytes());
        }
        out.extend(section.link.to_le_bytes());
        out.extend(section.info.to_le_bytes());
        out.extend(8_u64.to_le_bytes());
        out.extend(section.entry_len.to_le_bytes());
    }
    out
}

fn header(table_at: u64, sections: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.extend(elf::ELFMAG);
    out.extend([elf::ELFCLASS64.0, elf::ELFDATA2LSB.0, elf::EV_CURRENT.0]);
    out.resize(16, 0);
    out.extend(elf::ET_EXEC.0.to_le_bytes());
    out.extend(elf::EM_X86_64.0.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    for word in [0, 0, table_at] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0_u32.to_le_bytes());
    let count = u16::try_from(sections).unwrap_or(0);
    for half in [64, 56, 0, 64, count, count - 1] {
        out.extend(half.to_le_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use object::LittleEndian as LE;
    use object::elf::{self, FileHeader64};
    use object::read::elf::{FileHeader as _, Sym as _};

    use crate::symbols::Functions;

    #[test]
    fn debuggers_can_read_it() {
        let mut functions = Functions::default();
        functions.add(0xffff_ffff_8010_1000, 32, "sys_read");
        functions.add(0x100_1000, 16, "main");
        let bytes = super::file(&functions);
        let header = FileHeader64::<LE>::parse(bytes.as_slice()).unwrap();
        let sections = header.sections(LE, bytes.as_slice()).unwrap();
        let table = sections.symbols(LE, bytes.as_slice(), elf::SHT_SYMTAB).unwrap();
        let found: Vec<_> = table
            .symbols()
            .iter()
            .map(|s| (s.name(LE, table.strings()).unwrap().to_vec(), s.st_value(LE), s.st_shndx(LE).0))
            .collect();
        assert_eq!(
            found[1..],
            [(b"main".to_vec(), 0x100_1000, 2), (b"sys_read".to_vec(), 0xffff_ffff_8010_1000, 1)]
        );
    }
}

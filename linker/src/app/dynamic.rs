//! The dynamic section: what ld.elf_so(1) would read. Found through the program headers alone, so stripped files will do.

use object::LittleEndian as LE;
use object::elf::{self, Dyn64, Rela64, Relr64, Sym64};
use object::pod::slice_from_all_bytes;

use super::Refusal;
use super::headers::{FileSpan, Headers};

/// A symbol of the dynamic symbol table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DynSymbol {
    pub name: String,
    /// Address (biased), or for thread-local symbols the offset in the block.
    pub value: u64,
    pub size: u64,
    /// STT_*.
    pub kind: elf::SymbolType,
    pub weak: bool,
    /// Whether the program itself defines it for others to see.
    pub defined: bool,
    pub local: bool,
}

/// A relocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reloc {
    /// Address of the place (biased).
    pub place: u64,
    /// R_X86_64_*.
    pub kind: u32,
    /// Index of the symbol, 0 for none.
    pub symbol: u32,
    pub addend: i64,
}

/// The dynamic section's content.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dynamic {
    pub needed: Vec<String>,
    pub flags_1: u64,
    /// All of the table that relocations name or a hash table counts.
    pub symbols: Vec<DynSymbol>,
    pub relocs: Vec<Reloc>,
    /// Places to which the bias is added (DT_RELR).
    pub relative: Vec<u64>,
}

/// The tags' values that matter.
#[derive(Default)]
struct Tags {
    strtab: Option<u64>,
    strsz: u64,
    symtab: Option<u64>,
    hash: Option<u64>,
    gnu_hash: Option<u64>,
    rela: (u64, u64),
    jmprel: (u64, u64),
    relr: (u64, u64),
    needed: Vec<u64>,
    flags_1: u64,
}

fn tags(entries: &[Dyn64<LE>], bias: u64) -> Result<Tags, Refusal> {
    let mut tags = Tags::default();
    for entry in entries {
        let (tag, value) = (entry.d_tag.get(LE), entry.d_val.get(LE));
        let address = value.wrapping_add(bias);
        match tag {
            elf::DT_NULL => break,
            elf::DT_NEEDED => tags.needed.push(value),
            elf::DT_STRTAB => tags.strtab = Some(address),
            elf::DT_STRSZ => tags.strsz = value,
            elf::DT_SYMTAB => tags.symtab = Some(address),
            elf::DT_HASH => tags.hash = Some(address),
            elf::DT_GNU_HASH => tags.gnu_hash = Some(address),
            elf::DT_RELA => tags.rela.0 = address,
            elf::DT_RELASZ => tags.rela.1 = value,
            elf::DT_JMPREL => tags.jmprel.0 = address,
            elf::DT_PLTRELSZ => tags.jmprel.1 = value,
            elf::DT_RELR => tags.relr.0 = address,
            elf::DT_RELRSZ => tags.relr.1 = value,
            elf::DT_FLAGS_1 => tags.flags_1 = value,
            elf::DT_REL => {
                return Err(Refusal::absurd(
                    "its relocations are of the kind without addends, which amd64 does not use",
                ));
            }
            _ => {}
        }
    }
    Ok(tags)
}

impl Dynamic {
    pub(super) fn read(bytes: &[u8], headers: &Headers, span: FileSpan) -> Result<Self, Refusal> {
        let content = span.of(bytes);
        let whole = content.len() - content.len() % size_of::<Dyn64<LE>>();
        let entries = slice_from_all_bytes::<Dyn64<LE>>(content.get(..whole).unwrap_or(&[]))
            .map_err(|()| Refusal::absurd("the dynamic section is not aligned"))?;
        let tags = tags(entries, headers.bias)?;
        let memory = |va: u64, len: u64, what: &str| {
            let span = headers.file_offset(va, len);
            span.map(|span| span.of(bytes)).ok_or_else(|| Refusal::truncated(what))
        };
        let strings = match tags.strtab {
            Some(va) => memory(va, tags.strsz, "the dynamic string table")?,
            None => &[],
        };
        let needed = tags.needed.iter().map(|&at| string(strings, at)).collect::<Result<_, _>>()?;
        let mut relocs = Vec::new();
        for (va, len) in [tags.rela, tags.jmprel] {
            if len != 0 {
                read_relocs(memory(va, len, "the table of relocations")?, headers.bias, &mut relocs)?;
            }
        }
        let relative = match tags.relr {
            (_, 0) => Vec::new(),
            (va, len) => read_relr(memory(va, len, "the table of relative relocations")?, headers.bias)?,
        };
        let symbols = match tags.symtab {
            Some(symtab) => read_symbols(bytes, headers, &tags, symtab, strings, &relocs)?,
            None => Vec::new(),
        };
        for reloc in &relocs {
            if usize::try_from(reloc.symbol).is_ok_and(|symbol| symbol != 0 && symbol >= symbols.len()) {
                return Err(Refusal::absurd("a relocation names a symbol that does not exist"));
            }
        }
        Ok(Self { needed, flags_1: tags.flags_1, symbols, relocs, relative })
    }
}

fn string(strings: &[u8], at: u64) -> Result<String, Refusal> {
    let text = || {
        let rest = strings.get(usize::try_from(at).ok()?..)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        Some(String::from_utf8_lossy(rest.get(..end)?).into_owned())
    };
    text().ok_or_else(|| Refusal::absurd("a name lies outside the dynamic string table"))
}

fn read_relocs(table: &[u8], bias: u64, relocs: &mut Vec<Reloc>) -> Result<(), Refusal> {
    let table = slice_from_all_bytes::<Rela64<LE>>(table)
        .map_err(|()| Refusal::absurd("the table of relocations has a wrong size"))?;
    relocs.extend(table.iter().map(|rela| Reloc {
        place: rela.r_offset.get(LE).wrapping_add(bias),
        kind: rela.r_type(LE, false).0,
        symbol: rela.r_sym(LE, false),
        addend: rela.r_addend.get(LE),
    }));
    Ok(())
}

/// Unpacks DT_RELR: an even word is a place, an odd one a bitmap of the 63 words that follow the last place.
fn read_relr(table: &[u8], bias: u64) -> Result<Vec<u64>, Refusal> {
    let table = slice_from_all_bytes::<Relr64<LE>>(table)
        .map_err(|()| Refusal::absurd("the table of relative relocations has a wrong size"))?;
    let mut places = Vec::new();
    let mut next = 0_u64;
    for word in table {
        let word = word.0.get(LE);
        if word & 1 == 0 {
            let place = word.wrapping_add(bias);
            places.push(place);
            next = place.wrapping_add(8);
        } else {
            let set = (0..63_u64).filter(|bit| word >> (bit + 1) & 1 == 1);
            places.extend(set.map(|bit| next.wrapping_add(8 * bit)));
            next = next.wrapping_add(63 * 8);
        }
    }
    Ok(places)
}

/// How many symbols there are: what a hash table counts, at least those that relocations name.
fn symbol_count(bytes: &[u8], headers: &Headers, tags: &Tags, relocs: &[Reloc]) -> u64 {
    let word = |va: u64| {
        let span = headers.file_offset(va, 4)?;
        Some(u32::from_le_bytes(span.of(bytes).try_into().ok()?))
    };
    let named = relocs.iter().map(|reloc| u64::from(reloc.symbol) + 1).max().unwrap_or(0);
    let hashed = tags.hash.and_then(|hash| word(hash.checked_add(4)?)).map(u64::from);
    let gnu = || {
        let hash = tags.gnu_hash?;
        let (buckets, first, bloom) =
            (u64::from(word(hash)?), u64::from(word(hash + 4)?), u64::from(word(hash + 8)?));
        let table = hash.checked_add(16 + 8 * bloom)?;
        let chains = table.checked_add(4 * buckets)?;
        let mut last = first;
        for bucket in 0..buckets {
            last = last.max(u64::from(word(table + 4 * bucket)?));
        }
        if last < first || last == 0 {
            return Some(first);
        }
        // The chain's last element has its lowest bit set; a chain without end runs out of the file.
        while word(chains.checked_add(4 * (last - first))?)? & 1 == 0 {
            last += 1;
        }
        Some(last + 1)
    };
    named.max(hashed.or_else(gnu).unwrap_or(0))
}

fn read_symbols(
    bytes: &[u8],
    headers: &Headers,
    tags: &Tags,
    symtab: u64,
    strings: &[u8],
    relocs: &[Reloc],
) -> Result<Vec<DynSymbol>, Refusal> {
    let count = symbol_count(bytes, headers, tags, relocs);
    let table = count
        .checked_mul(24)
        .and_then(|len| headers.file_offset(symtab, len))
        .ok_or_else(|| Refusal::truncated("the dynamic symbol table"))?;
    let table = slice_from_all_bytes::<Sym64<LE>>(table.of(bytes))
        .map_err(|()| Refusal::absurd("the dynamic symbol table is not aligned"))?;
    let symbol = |symbol: &Sym64<LE>| {
        let kind = symbol.st_type();
        let value = symbol.st_value.get(LE);
        let absolute = kind == elf::STT_TLS || symbol.st_shndx.get(LE) == elf::SHN_ABS || value == 0;
        let local = symbol.st_bind() == elf::STB_LOCAL;
        Ok(DynSymbol {
            name: string(strings, u64::from(symbol.st_name.get(LE)))?,
            value: if absolute { value } else { value.wrapping_add(headers.bias) },
            size: symbol.st_size.get(LE),
            kind,
            weak: symbol.st_bind() == elf::STB_WEAK,
            defined: symbol.st_shndx.get(LE) != elf::SHN_UNDEF,
            local,
        })
    };
    table.iter().map(symbol).collect()
}

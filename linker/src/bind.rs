//! Dynamic binding at bake time: what ld.elf_so(1) does at run time.
//!
//! The rules are ELF's (gABI chapter 5, amd64 psABI chapters 4 and 5): a symbol that the program exports comes before layer 2's of the same name,
//! also for layer 2 itself; a datum for which the program has a copy relocation lives in the program; an undefined weak symbol is 0; thread-local storage is
//! variant II with one module. Symbol versions are accepted and ignored, since layer 2 has one version of each symbol. What cannot be
//! known before the start, the addresses that IRELATIVE resolvers choose, is left to layer 2 as a table.

use std::collections::{BTreeMap, BTreeSet};

use object::elf;

use crate::app::{App, DynSymbol, Dynamic, PAGE, Reloc};
use crate::error::{Error, MissingSymbol, Result};
use crate::kit::{Kind, Kit, Place};
use crate::libc::Libc;
use crate::libraries;
use crate::space::Space;

/// A datum of layer 2 whose home is the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    /// The kit's section.
    pub section: usize,
    /// Where the section's first byte is.
    pub address: u64,
}

/// What the program takes from layer 2.
#[derive(Clone, Debug, Default)]
pub(crate) struct Imports {
    /// Sections that it names.
    pub sections: BTreeSet<usize>,
    pub copies: Vec<Copy>,
    /// Second copies of the same datum under another name: they get the content only.
    pub more_copies: Vec<Copy>,
}

fn refused(app: &App, reason: String, hint: &str) -> Error {
    Error::Refused { path: app.path().into(), reason, hint: hint.into() }
}

fn symbol_of(dynamic: &Dynamic, reloc: Reloc) -> Option<&DynSymbol> {
    dynamic.symbols.get(usize::try_from(reloc.symbol).ok().filter(|&symbol| symbol != 0)?)
}

/// The symbols that relocations name and the program does not define itself, and those that it has copies of.
fn imported(dynamic: &Dynamic) -> BTreeMap<&str, &DynSymbol> {
    let named = dynamic.relocs.iter().filter_map(|&reloc| {
        let symbol = symbol_of(dynamic, reloc)?;
        (!symbol.defined || reloc.kind == elf::R_X86_64_COPY.0).then_some((symbol.name.as_str(), symbol))
    });
    named.collect()
}

/// All imported names with whether they may be absent.
pub(crate) fn import_names(app: &App) -> Vec<(&str, bool)> {
    let names = app.dynamic().map(imported).unwrap_or_default();
    names.into_iter().map(|(name, symbol)| (name, symbol.weak)).collect()
}

/// Binds the kit's symbols to the program where the program comes first, and finds what the program imports.
pub(crate) fn imports(kit: &mut Kit, app: &App) -> Result<Imports> {
    let mut imports = Imports::default();
    let Some(dynamic) = app.dynamic() else { return Ok(imports) };
    let mut missing = Vec::new();
    for (name, symbol) in imported(dynamic) {
        match kit.defined(name).map(|symbol| symbol.place) {
            Some(Place::Section { index, .. }) if symbol.kind != elf::STT_TLS => {
                imports.sections.insert(index);
            }
            Some(Place::Absolute(_)) => {}
            _ if symbol.weak => {}
            _ => {
                let library = libraries::home(name).map(str::to_owned);
                missing.push(MissingSymbol { name: name.to_owned(), library });
            }
        }
    }
    if !missing.is_empty() {
        return Err(Error::MissingSymbols { path: app.path().into(), symbols: missing });
    }
    for reloc in dynamic.relocs.iter().filter(|reloc| reloc.kind == elf::R_X86_64_COPY.0) {
        if let Some(symbol) = symbol_of(dynamic, *reloc) {
            copy(kit, app, &mut imports, *reloc, symbol)?;
        }
    }
    for symbol in dynamic.symbols.iter().filter(|symbol| symbol.defined && !symbol.local) {
        let copied = kit.location(&symbol.name).is_some_and(|(section, _)| {
            imports.copies.iter().chain(&imports.more_copies).any(|copy| copy.section == section)
        });
        if symbol.kind != elf::STT_TLS && !copied && !internal(kit, &symbol.name) {
            kit.bind(&symbol.name, Place::Absolute(symbol.value));
        }
    }
    Ok(imports)
}

/// Whether the name belongs to the contract between layer 2 and the linker or the kernel, so that a program's symbol of that
/// name means something else.
fn internal(kit: &Kit, name: &str) -> bool {
    name.starts_with("rb_") || (name.starts_with("sys_") && kit.defined(name).is_none())
}

/// Gives a datum of the kit its home in the program.
fn copy(kit: &Kit, app: &App, imports: &mut Imports, reloc: Reloc, symbol: &DynSymbol) -> Result<()> {
    let Some((section, offset)) = kit.location(&symbol.name) else { return Ok(()) };
    let (size, kind) =
        kit.sections.get(section).map_or((0, Kind::Dropped), |section| (section.size, section.kind));
    if kind == Kind::Text
        || offset.checked_add(symbol.size).is_none()
        || size - offset.min(size) > symbol.size
    {
        let name = &symbol.name;
        return Err(refused(
            app,
            format!("it has room for {} bytes of {name}, and libc's {name} has {size}", symbol.size),
            "build it again for NetBSD 10",
        ));
    }
    let copy = Copy { section, address: reloc.place.wrapping_sub(offset) };
    let list = if imports.copies.iter().any(|other| other.section == section) {
        &mut imports.more_copies
    } else {
        &mut imports.copies
    };
    list.push(copy);
    Ok(())
}

/// The table of places and resolvers that layer 2 runs through at start.
pub(crate) fn irelative_table(app: &App) -> Vec<u8> {
    let bias = app.headers().bias;
    let relocs = app.dynamic().map_or(&[][..], |dynamic| &dynamic.relocs);
    relocs
        .iter()
        .filter(|reloc| reloc.kind == elf::R_X86_64_IRELATIVE.0)
        .flat_map(|reloc| [reloc.place, bias.wrapping_add_signed(reloc.addend)])
        .flat_map(u64::to_le_bytes)
        .collect()
}

/// Applies the program's relocations to its content, and makes what is then constant read-only. Layer 2 is placed.
pub(crate) fn relocate(app: &App, libc: &Libc, space: &mut Space) -> Result<()> {
    let Some(dynamic) = app.dynamic() else { return Ok(()) };
    let headers = app.headers();
    let outside = || refused(app, "a relocation lies outside its segments".into(), "build the program again");
    for &place in &dynamic.relative {
        let word = space.word(place).ok_or_else(outside)?;
        space.write(place, &word.wrapping_add(headers.bias).to_le_bytes()).ok_or_else(outside)?;
    }
    for &reloc in &dynamic.relocs {
        let symbol = symbol_of(dynamic, reloc);
        let addend = |value: u64| value.wrapping_add_signed(reloc.addend);
        let target = || symbol.map_or(0, |symbol| resolve(symbol, libc, reloc.kind));
        let tls = |symbol: Option<&DynSymbol>| symbol.map_or(0, |symbol| symbol.value);
        let word = match elf::RelocationType(reloc.kind) {
            elf::R_X86_64_NONE | elf::R_X86_64_COPY => continue,
            elf::R_X86_64_64 => addend(target()),
            elf::R_X86_64_GLOB_DAT | elf::R_X86_64_JUMP_SLOT => target(),
            elf::R_X86_64_RELATIVE | elf::R_X86_64_IRELATIVE => addend(headers.bias),
            elf::R_X86_64_DTPMOD64 => 1,
            elf::R_X86_64_DTPOFF64 => addend(tls(symbol)),
            elf::R_X86_64_TPOFF64 => {
                let block = headers.tls.map_or(0, |tls| tls.mem_len.next_multiple_of(tls.align));
                addend(tls(symbol)).wrapping_sub(block)
            }
            elf::R_X86_64_SIZE64 => addend(symbol.map_or(0, |symbol| symbol.size)),
            other => {
                let hint = "build it without unusual linker options";
                return Err(refused(
                    app,
                    format!("it has relocations of type {}, which are not known", other.0),
                    hint,
                ));
            }
        };
        space.write(reloc.place, &word.to_le_bytes()).ok_or_else(outside)?;
    }
    protect(app, dynamic, space);
    Ok(())
}

/// The address that a reference of the program means.
fn resolve(symbol: &DynSymbol, libc: &Libc, kind: u32) -> u64 {
    // An undefined function with a value has its address in the program's linkage table, for all but the table itself.
    if symbol.defined || (symbol.value != 0 && kind != elf::R_X86_64_JUMP_SLOT.0) {
        return symbol.value;
    }
    libc.address(&symbol.name).unwrap_or(0)
}

/// Makes the program's PT_GNU_RELRO read-only, except where layer 2 has yet to write at start.
fn protect(app: &App, dynamic: &Dynamic, space: &mut Space) {
    let Some(relro) = app.headers().relro else { return };
    let end = relro.start + relro.len;
    let mut late: Vec<u64> = dynamic
        .relocs
        .iter()
        .filter(|reloc| reloc.kind == elf::R_X86_64_IRELATIVE.0 && (relro.start..end).contains(&reloc.place))
        .map(|reloc| reloc.place & !(PAGE - 1))
        .collect();
    late.sort_unstable();
    let mut start = relro.start;
    for page in late {
        space.protect(start, page);
        start = page + PAGE;
    }
    space.protect(start, end);
}

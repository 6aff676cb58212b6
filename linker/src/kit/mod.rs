//! A kit: one relocatable ELF object with a section per function and datum, read as a graph.
//!
//! Sections are the nodes, relocations the edges ([`graph`]). The linker adds sections of its own ([`Kit::define`]) for the tables
//! that it makes, binds symbols elsewhere ([`Kit::bind`]), and applies the relocations of what was reached ([`reloc`]).
//!
//! Kits are made by the build, not by users; what is wrong with one is a fault of rumpbake and reported as such.

mod graph;
mod parse;
mod reloc;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(crate) use graph::Reach;
use object::LittleEndian as LE;
use object::elf::{Rela64, SymbolType};
pub(crate) use parse::section_kind;
pub(crate) use reloc::{Got, Relocator};

use crate::error::{Error, Result};

/// What a section's bytes are, which says where they are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Text,
    Rodata,
    Data,
    Bss,
    /// The beginning of each thread's own storage, as it is at first.
    TlsData,
    /// The rest of it, which is zero at first.
    TlsBss,
    /// Not for memory: debug information, unwind tables, notes.
    Dropped,
}

/// A node of the graph.
#[derive(Clone, Debug)]
pub(crate) struct Section<'d> {
    pub name: &'d str,
    pub kind: Kind,
    pub align: u64,
    pub size: u64,
    /// Content; empty for [`Kind::Bss`].
    pub data: Cow<'d, [u8]>,
    pub relocs: Cow<'d, [Rela64<LE>]>,
}

/// Where a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a section of this kit.
    Section { index: usize, offset: u64 },
    /// At an address that is known already.
    Absolute(u64),
    /// Somewhere else.
    Undefined,
}

/// A symbol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symbol<'d> {
    pub name: &'d str,
    pub place: Place,
    pub size: u64,
    pub kind: SymbolType,
    pub weak: bool,
}

/// A kit.
#[derive(Clone, Debug)]
pub(crate) struct Kit<'d> {
    pub name: &'static str,
    pub sections: Vec<Section<'d>>,
    pub symbols: Vec<Symbol<'d>>,
    /// Global symbols by name, the defined and the undefined.
    globals: HashMap<&'d str, usize>,
}

impl<'d> Kit<'d> {
    /// The global symbol of this name that the kit defines.
    pub(crate) fn defined(&self, name: &str) -> Option<&Symbol<'d>> {
        self.symbols.get(*self.globals.get(name)?).filter(|symbol| symbol.place != Place::Undefined)
    }

    /// The section and offset of a global symbol that the kit defines.
    pub(crate) fn location(&self, name: &str) -> Option<(usize, u64)> {
        match self.defined(name)?.place {
            Place::Section { index, offset } => Some((index, offset)),
            Place::Absolute(_) | Place::Undefined => None,
        }
    }

    /// A kit to which everything is yet to be added.
    pub(crate) fn empty(name: &'static str) -> Self {
        Self { name, sections: Vec::new(), symbols: Vec::new(), globals: HashMap::new() }
    }

    /// The number of a global symbol, defined or not.
    pub(crate) fn global(&self, name: &str) -> Option<usize> {
        self.globals.get(name).copied()
    }

    /// Adds a symbol; returns its number.
    pub(crate) fn add_symbol(&mut self, symbol: Symbol<'d>, global: bool) -> usize {
        let number = self.symbols.len();
        if global {
            self.globals.insert(symbol.name, number);
        }
        self.symbols.push(symbol);
        number
    }

    /// Whether anything in the kit names this symbol.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.globals.contains_key(name)
    }

    /// Global symbols that the kit defines.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = &Symbol<'d>> {
        self.globals
            .values()
            .filter_map(|&index| self.symbols.get(index))
            .filter(|s| s.place != Place::Undefined)
    }

    /// Names of the global symbols that are named and not defined, sorted.
    pub(crate) fn undefined(&self) -> impl Iterator<Item = &'d str> {
        let symbols = self.globals.values().filter_map(|&index| self.symbols.get(index));
        let undefined = symbols.filter(|symbol| symbol.place == Place::Undefined).map(|symbol| symbol.name);
        undefined.collect::<std::collections::BTreeSet<_>>().into_iter()
    }

    /// Puts a global symbol at `place`, whatever it was before. Nothing happens if nobody mentions it.
    pub(crate) fn bind(&mut self, name: &str, place: Place) {
        if let Some(symbol) = self.globals.get(name).and_then(|&index| self.symbols.get_mut(index)) {
            symbol.place = place;
        }
    }

    /// Adds a section, and makes the global symbol `name` its start. Returns the section's index.
    pub(crate) fn define(&mut self, name: &'static str, kind: Kind, align: u64, data: Vec<u8>) -> usize {
        let index = self.sections.len();
        let size = data.len() as u64;
        self.sections.push(Section {
            name,
            kind,
            align,
            size,
            data: Cow::Owned(data),
            relocs: Cow::Borrowed(&[]),
        });
        self.bind(name, Place::Section { index, offset: 0 });
        index
    }

    /// Overwrites a section's content at `offset`; a zeroed section becomes data.
    pub(crate) fn patch(&mut self, index: usize, offset: u64, bytes: &[u8]) -> Result<()> {
        let name = self.name;
        let mut patched = || {
            let section = self.sections.get_mut(index)?;
            if section.kind == Kind::Bss {
                section.kind = Kind::Data;
                section.data = Cow::Owned(vec![0; usize::try_from(section.size).ok()?]);
            }
            let at = usize::try_from(offset).ok()?;
            section.data.to_mut().get_mut(at..at.checked_add(bytes.len())?)?.copy_from_slice(bytes);
            Some(())
        };
        patched()
            .ok_or_else(|| Error::Kit { kit: name, reason: "a table is too small for its content".into() })
    }

    /// Binds the symbols of `externals` that are not in `bound` yet to the addresses that `address` knows; weak ones may have none.
    pub(crate) fn bind_externals(
        &self,
        externals: &BTreeSet<usize>,
        bound: &mut BTreeMap<usize, u64>,
        address: impl Fn(&str) -> Option<u64>,
    ) -> Result<()> {
        let mut missing = Vec::new();
        for &index in externals {
            let Some(symbol) = self.symbols.get(index) else { continue };
            if bound.contains_key(&index) {
                continue;
            }
            match address(symbol.name) {
                Some(address) => {
                    bound.insert(index, address);
                }
                None if symbol.weak => {}
                None => missing.push(symbol.name),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_unstable();
        Err(self.fault(format!("it refers to {}, which nothing defines", missing.join(", "))))
    }

    /// A fault of this kit.
    pub(crate) fn fault(&self, reason: impl Into<String>) -> Error {
        Error::Kit { kit: self.name, reason: reason.into() }
    }
}

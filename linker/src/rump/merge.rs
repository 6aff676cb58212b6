//! Many objects become one graph of sections: symbols resolved among them, sections of one name that are an array put together.
//!
//! The rules are ELF's (gABI, chapters 4 and 5): of weak and strong definitions the strong one counts, of weak or common ones the first (of commons the
//! longest), of a section group the first copy. Sections whose names are C identifiers are arrays to which every object may add (link sets), and so are
//! `.init_array` and `.ctors`: those run by ascending priority.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use object::LittleEndian as LE;
use object::elf::Rela64;

use super::object::{Binding, Home, Object, is_constructors};
use super::tls::{self, reloc};
use crate::kit::{Kind, Kit, Place, Section, Symbol};

/// A section that is an array, by its object's section: where the object's part of it begins.
#[derive(Clone, Copy)]
struct Part {
    section: usize,
    base: u64,
}

/// The part of an array that one object's constructors are.
struct Constructors<'d> {
    /// Ascending: who comes first.
    priority: u32,
    /// In the order in which they are called.
    words: Vec<u8>,
    relocs: Vec<Rela64<LE>>,
    name: &'d str,
}

/// A definition that is there twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Duplicate {
    pub name: String,
    pub first: String,
    pub second: String,
}

/// The graph in the making.
pub(super) struct Merger<'d> {
    pub kit: Kit<'d>,
    /// Where each global symbol is defined.
    origins: BTreeMap<usize, usize>,
    /// Who names each global symbol first.
    users: BTreeMap<usize, usize>,
    /// Names of the objects.
    objects: Vec<String>,
    groups: BTreeSet<&'d str>,
    arrays: BTreeMap<&'d str, usize>,
    constructors: Vec<Constructors<'d>>,
    commons: BTreeMap<usize, u64>,
    /// Symbols that a relocation names.
    used: BTreeSet<usize>,
    pub duplicates: BTreeSet<Duplicate>,
}

/// Whether a section of this name is an array to which every object may add: its bounds are `__start_` and `__stop_` with this name.
fn is_array(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// The priority of a section of constructors; those without one come last.
fn priority(name: &str) -> u32 {
    const LAST: u32 = 65536;
    let number = name.rsplit('.').next().and_then(|digits| digits.parse::<u32>().ok());
    match number {
        None => LAST,
        Some(number) if name.starts_with(".ctors") => 65535_u32.saturating_sub(number),
        Some(number) => number,
    }
}

impl<'d> Merger<'d> {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            kit: Kit::empty(name),
            origins: BTreeMap::new(),
            users: BTreeMap::new(),
            objects: Vec::new(),
            groups: BTreeSet::new(),
            arrays: BTreeMap::new(),
            constructors: Vec::new(),
            commons: BTreeMap::new(),
            used: BTreeSet::new(),
            duplicates: BTreeSet::new(),
        }
    }

    /// The global symbols that must be defined elsewhere, by number.
    pub(super) fn undefined(&self) -> impl Iterator<Item = (usize, &'d str)> {
        let symbols = self.kit.symbols.iter().enumerate();
        let missing = symbols.filter(|(number, symbol)| {
            symbol.place == Place::Undefined
                && !symbol.weak
                && self.used.contains(number)
                && !symbol.name.is_empty()
                && !self.commons.contains_key(number)
        });
        missing.map(|(number, symbol)| (number, symbol.name))
    }

    /// The object that names an undefined symbol first.
    pub(super) fn user(&self, symbol: usize) -> &str {
        self.users.get(&symbol).and_then(|&object| self.objects.get(object)).map_or("?", String::as_str)
    }

    /// Adds an object. The error is the end of a sentence that begins with its name.
    pub(super) fn add(&mut self, name: String, object: Object<'d>) -> Result<(), String> {
        self.objects.push(name);
        let parts = self.add_sections(&object)?;
        let symbols = self.add_symbols(&object, &parts);
        for (index, section) in object.sections.into_iter().enumerate() {
            let constructors = is_constructors(section.name) && section.kind != Kind::Dropped;
            let part = parts.get(&index).copied();
            if section.relocs.is_empty() && !constructors {
                continue;
            }
            let mut code = section.data.into_owned();
            let relaxed = tls::relax(&mut code, &section.relocs)
                .ok_or("finds thread-local storage in a way that is not known")?;
            let mut used = Vec::new();
            let mapped = relaxed.iter().map(|entry| {
                let symbol = usize::try_from(entry.r_sym(LE, false)).ok();
                let symbol = symbol.and_then(|symbol| symbols.get(symbol)).copied();
                let symbol = symbol.and_then(|symbol| u32::try_from(symbol).ok());
                let symbol = symbol.ok_or("names a symbol that does not exist")?;
                let offset = entry.r_offset.get(LE).checked_add(part.map_or(0, |part| part.base));
                let offset = offset.ok_or("has a relocation outside its section")?;
                used.push(symbol as usize);
                Ok(reloc(offset, symbol, entry.r_type(LE, false), entry.r_addend.get(LE)))
            });
            let mapped = mapped.collect::<Result<Vec<_>, &str>>()?;
            self.used.extend(used);
            if constructors {
                self.constructors.push(in_calling_order(section.name, code, mapped));
            } else if let Some(part) = part
                && let Some(target) = self.kit.sections.get_mut(part.section)
            {
                let at = usize::try_from(part.base).unwrap_or(usize::MAX);
                if let Some(place) = target.data.to_mut().get_mut(at..at.saturating_add(code.len())) {
                    place.copy_from_slice(&code);
                }
                target.relocs.to_mut().extend(mapped);
            }
        }
        Ok(())
    }

    /// Adds an object's sections without their relocations; returns where they are.
    fn add_sections(&mut self, object: &Object<'d>) -> Result<BTreeMap<usize, Part>, String> {
        let mut parts = BTreeMap::new();
        let known: BTreeSet<&str> =
            object.groups.values().copied().filter(|s| self.groups.contains(s)).collect();
        for (index, section) in object.sections.iter().enumerate() {
            let group = object.groups.get(&index);
            if section.kind == Kind::Dropped
                || is_constructors(section.name)
                || group.is_some_and(|signature| known.contains(signature))
            {
                continue;
            }
            let fresh = Section { relocs: Cow::Borrowed(&[]), ..section.clone() };
            if !is_array(section.name) {
                parts.insert(index, Part { section: self.kit.sections.len(), base: 0 });
                self.kit.sections.push(fresh);
                continue;
            }
            let Some(&at) = self.arrays.get(section.name) else {
                self.arrays.insert(section.name, self.kit.sections.len());
                parts.insert(index, Part { section: self.kit.sections.len(), base: 0 });
                self.kit.sections.push(fresh);
                continue;
            };
            let Some(array) = self.kit.sections.get_mut(at) else { continue };
            let base = array.size.next_multiple_of(section.align);
            let end = base.checked_add(section.size).filter(|&end| end < 1 << 31);
            array.size = end.ok_or_else(|| format!("has a section {} that is too large", section.name))?;
            array.align = array.align.max(section.align);
            array.kind = array.kind.max(section.kind);
            if array.kind != Kind::Bss {
                let len = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
                let data = array.data.to_mut();
                data.resize(len(base), 0);
                data.extend_from_slice(&section.data);
                data.resize(len(array.size), 0);
            }
            parts.insert(index, Part { section: at, base });
        }
        self.groups.extend(object.groups.values());
        Ok(parts)
    }

    /// Adds an object's symbols; returns their numbers.
    fn add_symbols(&mut self, object: &Object<'d>, parts: &BTreeMap<usize, Part>) -> Vec<usize> {
        let mut numbers = Vec::with_capacity(object.symbols.len());
        let this = self.objects.len() - 1;
        for symbol in &object.symbols {
            let place = match symbol.home {
                Home::Section { index, offset } => parts.get(&index).map_or(Place::Undefined, |part| {
                    Place::Section { index: part.section, offset: part.base.wrapping_add(offset) }
                }),
                Home::Absolute(value) => Place::Absolute(value),
                Home::Common { .. } | Home::Undefined => Place::Undefined,
            };
            let new = Symbol {
                name: symbol.name,
                place,
                size: symbol.size,
                kind: symbol.kind,
                weak: symbol.binding == Binding::Weak,
            };
            let known = match symbol.binding {
                Binding::Local => None,
                Binding::Weak | Binding::Strong => self.kit.global(symbol.name),
            };
            let Some(known) = known else {
                let number = self.kit.add_symbol(new, symbol.binding != Binding::Local);
                if place == Place::Undefined {
                    self.users.insert(number, this);
                } else {
                    self.origins.insert(number, this);
                }
                if let Home::Common { align } = symbol.home {
                    self.commons.insert(number, align);
                    self.origins.insert(number, this);
                }
                numbers.push(number);
                continue;
            };
            numbers.push(known);
            self.resolve(known, new, symbol.home, this);
        }
        numbers
    }

    /// A global symbol that is known is named again.
    fn resolve(&mut self, known: usize, new: Symbol<'d>, home: Home, this: usize) {
        let Some(old) = self.kit.symbols.get_mut(known) else { return };
        if let Home::Common { align } = home {
            if old.place == Place::Undefined {
                let common = self.commons.entry(known).or_insert(align);
                *common = (*common).max(align);
                old.size = old.size.max(new.size);
                old.kind = new.kind;
                old.weak = false;
                self.origins.entry(known).or_insert(this);
            }
            return;
        }
        match (old.place, new.place) {
            (Place::Undefined, Place::Undefined) => {
                // One that must be there is enough.
                if !new.weak && !self.commons.contains_key(&known) {
                    if old.weak {
                        self.users.insert(known, this);
                    }
                    old.weak = false;
                }
            }
            (Place::Undefined, _) => {
                *old = new;
                self.commons.remove(&known);
                self.origins.insert(known, this);
            }
            (_, Place::Undefined) => {}
            (_, _) if old.weak && !new.weak => {
                *old = new;
                self.origins.insert(known, this);
            }
            (_, _) if new.weak => {}
            (_, _) => {
                let name =
                    |object: Option<&usize>| object.and_then(|&object| self.objects.get(object)).cloned();
                let (first, second) = (name(self.origins.get(&known)), name(Some(&this)));
                self.duplicates.insert(Duplicate {
                    name: new.name.to_owned(),
                    first: first.unwrap_or_default(),
                    second: second.unwrap_or_default(),
                });
            }
        }
    }

    /// The graph, with the common symbols in their places and the array of constructors, if there are any. To be called once.
    pub(super) fn finish(mut self) -> (Kit<'d>, Option<usize>) {
        for (symbol, align) in std::mem::take(&mut self.commons) {
            let index = self.kit.sections.len();
            let Some(symbol) = self.kit.symbols.get_mut(symbol) else { continue };
            symbol.place = Place::Section { index, offset: 0 };
            self.kit.sections.push(Section {
                name: symbol.name,
                kind: Kind::Bss,
                align,
                size: symbol.size,
                data: Cow::Borrowed(&[]),
                relocs: Cow::Borrowed(&[]),
            });
        }
        self.kit.bound_sections();
        let mut all = std::mem::take(&mut self.constructors);
        all.sort_by_key(|part| part.priority);
        let name = all.first().map(|part| part.name);
        let section = name.map(|name| {
            let (mut words, mut relocs) = (Vec::new(), Vec::new());
            for part in all {
                let base = words.len() as u64;
                relocs.extend(part.relocs.iter().map(|entry| {
                    let offset = base + entry.r_offset.get(LE);
                    reloc(offset, entry.r_sym(LE, false), entry.r_type(LE, false), entry.r_addend.get(LE))
                }));
                words.extend(part.words);
            }
            let size = words.len() as u64;
            let (data, relocs) = (Cow::Owned(words), Cow::Owned(relocs));
            self.kit.sections.push(Section { name, kind: Kind::Rodata, align: 8, size, data, relocs });
            self.kit.sections.len() - 1
        });
        (self.kit, section)
    }
}

/// Constructors of one object, whole words: `.ctors` is called from its end to its beginning.
fn in_calling_order(name: &str, mut words: Vec<u8>, mut relocs: Vec<Rela64<LE>>) -> Constructors<'_> {
    words.resize(words.len().next_multiple_of(8), 0);
    if name.starts_with(".ctors") {
        let len = words.len() as u64;
        for entry in &mut relocs {
            let offset = len.saturating_sub(8).saturating_sub(entry.r_offset.get(LE));
            *entry = reloc(offset, entry.r_sym(LE, false), entry.r_type(LE, false), entry.r_addend.get(LE));
        }
    }
    Constructors { priority: priority(name), words, relocs, name }
}

#[cfg(test)]
mod tests {
    use object::write::{Object, Symbol, SymbolSection};
    use object::{
        Architecture, BinaryFormat, ComdatKind, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
    };

    use super::{Merger, is_array, priority};
    use crate::kit::{Kind, Place};
    use crate::rump::object::read;

    /// How a symbol of an object is defined.
    #[derive(Clone, Copy, PartialEq)]
    enum How {
        Undefined,
        Weak,
        Strong,
        Common(u64),
        /// In a group of which there is one copy.
        Grouped,
    }

    /// An object with these symbols, each in a section of its own, and a link set of so many words.
    fn object(symbols: &[(&str, How)], set_words: usize) -> Vec<u8> {
        let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        for &(name, how) in symbols {
            let section = match how {
                How::Undefined => SymbolSection::Undefined,
                How::Common(_) => SymbolSection::Common,
                How::Weak | How::Strong | How::Grouped => {
                    let name = format!(".data.{name}").into_bytes();
                    let section = object.add_section(Vec::new(), name, SectionKind::Data);
                    object.append_section_data(section, &[1; 8], 8);
                    SymbolSection::Section(section)
                }
            };
            let symbol = object.add_symbol(Symbol {
                name: name.as_bytes().to_vec(),
                value: 0,
                size: if let How::Common(size) = how { size } else { 8 },
                kind: SymbolKind::Data,
                scope: SymbolScope::Linkage,
                weak: matches!(how, How::Weak | How::Grouped),
                section,
                flags: SymbolFlags::None,
            });
            if let (How::Grouped, SymbolSection::Section(section)) = (how, section) {
                let sections = vec![section];
                object.add_comdat(object::write::Comdat { kind: ComdatKind::Any, symbol, sections });
            }
        }
        if set_words != 0 {
            let set = object.add_section(Vec::new(), b"link_set_words".to_vec(), SectionKind::Data);
            object.append_section_data(set, &vec![2; 8 * set_words], 8);
        }
        object.write().unwrap()
    }

    /// Merges objects; `a` is the first, `b` the second.
    fn merged(objects: &[Vec<u8>]) -> Merger<'_> {
        let mut merger = Merger::new("test");
        for (object, name) in objects.iter().zip(["a", "b", "c"]) {
            merger.add(name.into(), read(object).unwrap()).unwrap();
        }
        merger
    }

    #[test]
    fn the_strong_definition_counts_and_two_are_an_error() {
        let objects = [
            object(&[("x", How::Weak), ("y", How::Strong), ("z", How::Weak)], 0),
            object(&[("x", How::Strong), ("y", How::Weak), ("z", How::Weak)], 0),
        ];
        let merger = merged(&objects);
        assert!(merger.duplicates.is_empty());
        let weak = ["x", "y", "z"].map(|name| merger.kit.defined(name).unwrap().weak);
        assert_eq!(weak, [false, false, true]);
        let objects = [object(&[("x", How::Strong)], 0), object(&[("x", How::Strong)], 0)];
        let merger = merged(&objects);
        let duplicate = merger.duplicates.first().unwrap();
        assert_eq!(
            (duplicate.name.as_str(), duplicate.first.as_str(), duplicate.second.as_str()),
            ("x", "a", "b")
        );
    }

    #[test]
    fn common_symbols_share_the_largest_room_unless_one_is_defined() {
        let objects = [
            object(&[("x", How::Common(16)), ("y", How::Common(4))], 0),
            object(&[("x", How::Common(64)), ("y", How::Strong)], 0),
            object(&[("x", How::Undefined), ("y", How::Common(4))], 0),
        ];
        let merger = merged(&objects);
        assert!(merger.duplicates.is_empty());
        let (kit, _) = merger.finish();
        let section = |name: &str| kit.sections.get(kit.location(name).unwrap().0).unwrap();
        assert_eq!((section("x").kind, section("x").size), (Kind::Bss, 64));
        assert_eq!((section("y").kind, section("y").size), (Kind::Data, 8));
    }

    #[test]
    fn there_is_one_copy_of_a_group() {
        let objects = [object(&[("x", How::Grouped)], 0), object(&[("x", How::Grouped)], 0)];
        let merger = merged(&objects);
        assert!(merger.duplicates.is_empty());
        let copies = merger.kit.sections.iter().filter(|section| section.name == ".data.x").count();
        assert_eq!(copies, 1);
        assert!(matches!(merger.kit.defined("x").unwrap().place, Place::Section { .. }));
    }

    #[test]
    fn link_sets_of_all_objects_are_one_array_with_bounds() {
        let bounds = [("__start_link_set_words", How::Undefined), ("__stop_link_set_words", How::Undefined)];
        let objects = [object(&bounds, 1), object(&[], 2), object(&[], 3)];
        let (kit, _) = merged(&objects).finish();
        let offsets = bounds.map(|(name, _)| kit.location(name).unwrap().1);
        assert_eq!(offsets, [0, 48]);
    }

    #[test]
    fn link_sets_are_arrays_and_ordinary_sections_are_not() {
        assert!(["link_set_modules", "rump_components", "_x1"].into_iter().all(is_array));
        assert!(![".text", ".data.rel.ro", "a-b", "1a", ""].into_iter().any(is_array));
    }

    #[test]
    fn constructors_with_a_priority_come_before_those_without() {
        let order = [".init_array.00100", ".ctors.65434", ".init_array.200", ".init_array"].map(priority);
        assert_eq!(order, [100, 101, 200, 65536]);
    }
}

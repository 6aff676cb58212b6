//! The table of function names for backtraces (`rump_image::SymbolTable`), from the kits and the application.

use std::collections::BTreeMap;

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader as _, Sym as _};

use crate::app::App;
use crate::kit::{Kit, Place, Reach};

/// Functions by address, with their size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Functions {
    by_address: BTreeMap<u64, (String, u64)>,
}

/// A name as a programmer wrote it; names of other compilers stay as they are.
pub(crate) fn demangle(name: &str) -> String {
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return format!("{rust:#}");
    }
    if name.starts_with("_Z")
        && let Ok(symbol) = cpp_demangle::Symbol::new(name)
    {
        // Without parameters: a backtrace is read by people, and templates make them long.
        let options = cpp_demangle::DemangleOptions::new().no_params().no_return_type();
        if let Ok(text) = symbol.demangle_with_options(&options) {
            return text;
        }
    }
    name.to_owned()
}

impl Functions {
    /// Adds a function; the first name of an address stays.
    pub(crate) fn add(&mut self, address: u64, size: u64, name: &str) {
        if address != 0 && !name.is_empty() {
            self.by_address.entry(address).or_insert_with(|| (demangle(name), size));
        }
    }

    /// Adds the functions of a kit that are in the image.
    pub(crate) fn add_kit(&mut self, kit: &Kit, reach: &Reach, addresses: &[u64]) {
        for symbol in &kit.symbols {
            if let Place::Section { index, offset } = symbol.place
                && matches!(symbol.kind, elf::STT_FUNC | elf::STT_NOTYPE)
                && reach.has(index)
                && kit.sections.get(index).is_some_and(|section| section.kind == crate::kit::Kind::Text)
                && !symbol.name.starts_with(".L")
                && let Some(address) = addresses.get(index)
            {
                self.add(address + offset, symbol.size, symbol.name);
            }
        }
    }

    /// Adds the program's own functions: from its symbol table if it has one, else those that it exports.
    pub(crate) fn add_app(&mut self, app: &App) {
        let bias = app.headers().bias;
        if self.add_symtab(app.bytes(), bias).is_none()
            && let Some(dynamic) = app.dynamic()
        {
            for symbol in
                dynamic.symbols.iter().filter(|symbol| symbol.defined && symbol.kind == elf::STT_FUNC)
            {
                self.add(symbol.value, symbol.size, &symbol.name);
            }
        }
    }

    /// `None` if there is no table or it is damaged; it serves backtraces only.
    fn add_symtab(&mut self, bytes: &[u8], bias: u64) -> Option<()> {
        let header = FileHeader64::<LE>::parse(bytes).ok()?;
        let sections = header.sections(LE, bytes).ok()?;
        let table = sections.symbols(LE, bytes, elf::SHT_SYMTAB).ok().filter(|table| !table.is_empty())?;
        for symbol in table.symbols() {
            if symbol.st_type() == elf::STT_FUNC && symbol.st_shndx(LE) != elf::SHN_UNDEF {
                let name =
                    symbol.name(LE, table.strings()).ok().and_then(|name| std::str::from_utf8(name).ok());
                self.add(symbol.st_value(LE).wrapping_add(bias), symbol.st_size(LE), name.unwrap_or(""));
            }
        }
        Some(())
    }

    /// The functions by ascending address: address, size, name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64, &str)> {
        self.by_address.iter().map(|(&address, (name, size))| (address, *size, name.as_str()))
    }

    /// The table as the kernel reads it.
    pub(crate) fn table(&self) -> Vec<u8> {
        let mut entries = Vec::with_capacity(8 + 12 * self.by_address.len());
        let mut names: Vec<u8> = Vec::new();
        let word = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        entries.extend(word(self.by_address.len()));
        entries.extend(word(0));
        for (address, (name, _)) in &self.by_address {
            entries.extend(address.to_le_bytes());
            entries.extend(word(names.len()));
            names.extend(name.as_bytes());
            names.push(0);
        }
        entries.extend(names);
        entries
    }
}

#[cfg(test)]
mod tests {
    use rump_image::SymbolTable;

    use super::{Functions, demangle};

    #[test]
    fn the_kernel_can_look_the_names_up() {
        let mut functions = Functions::default();
        functions.add(0xffff_ffff_8010_0000, 16, "_RNvCs1234_7mycrate3foo");
        functions.add(0x100_0000, 16, "main");
        let bytes = functions.table();
        let table = SymbolTable::new(&bytes).unwrap();
        assert_eq!(table.lookup(0x100_0004), Some(("main", 4)));
        assert_eq!(table.lookup(0xffff_ffff_8010_0001), Some(("mycrate::foo", 1)));
        assert_eq!(table.lookup(0x10), None);
    }

    #[test]
    fn names_of_three_languages() {
        assert_eq!(
            demangle("_ZNSt6vectorIiSaIiEE9push_backERKi"),
            "std::vector<int, std::allocator<int> >::push_back"
        );
        assert_eq!(demangle("_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
        assert_eq!(demangle("_start"), "_start");
    }
}

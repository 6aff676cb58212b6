//! What the kits cover of NetBSD's interfaces: the data behind the tables of `cargo xtask compat`.

use std::collections::{BTreeMap, BTreeSet};

use crate::bake::Kits;
use crate::components;
use crate::error::Result;
use crate::kit::{Kit, Place};
use crate::{libraries, syscalls};

/// The calls that the core makes out itself, without an entry: syscall(2) with another call's number.
const INDIRECT: [&str; 2] = ["syscall", "__syscall"];

/// A system call of NetBSD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyscallCoverage {
    /// Its number.
    pub number: usize,
    /// Its name.
    pub name: &'static str,
    /// The component that implements it; `None` if it returns ENOSYS.
    pub component: Option<String>,
}

/// A symbol of NetBSD's libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolCoverage {
    /// Its name.
    pub name: &'static str,
    /// The library that defines it.
    pub library: &'static str,
    /// Whether layer 2 defines it.
    pub present: bool,
    /// The system calls that it makes itself and that no component implements.
    pub lacks: Vec<String>,
}

/// What the kits cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Every system call, by number.
    pub syscalls: Vec<SyscallCoverage>,
    /// Every symbol of every library, sorted by both.
    pub symbols: Vec<SymbolCoverage>,
}

/// The system calls to which the section of a symbol refers.
fn calls<'d>(kit: &'d Kit, symbol: &str) -> BTreeSet<&'d str> {
    let section = kit.location(symbol).and_then(|(index, _)| kit.sections.get(index));
    let relocs = section.map_or(&[][..], |section| &section.relocs);
    let targets = relocs.iter().filter_map(|reloc| {
        let symbol = kit.symbols.get(reloc.r_sym(object::LittleEndian, false) as usize)?;
        (symbol.place == Place::Undefined).then_some(symbol.name)
    });
    targets.filter_map(|name| name.strip_prefix("sys_")).collect()
}

pub(crate) fn coverage(kits: &Kits) -> Result<Coverage> {
    let kernel = Kit::parse("kernel", kits.kernel)?;
    let libc = Kit::parse("libc", kits.libc)?;
    let owners: BTreeMap<&str, &str> = components::call_owners(&kernel)?;
    let syscalls = syscalls::all()
        .map(|(number, name)| {
            let defined = INDIRECT.contains(&name) || kernel.defined(&format!("sys_{name}")).is_some();
            let component = defined.then(|| owners.get(name).copied().unwrap_or(components::CORE).to_owned());
            SyscallCoverage { number, name, component }
        })
        .collect();
    let symbols = libraries::all()
        .map(|(name, library)| {
            let lacks = calls(&libc, name)
                .into_iter()
                .filter(|call| kernel.defined(&format!("sys_{call}")).is_none());
            let lacks = lacks.map(str::to_owned).collect();
            SymbolCoverage { name, library, present: libc.defined(name).is_some(), lacks }
        })
        .collect();
    Ok(Coverage { syscalls, symbols })
}

#[cfg(test)]
mod tests {
    use super::coverage;
    use crate::bake::Kits;
    use crate::testing::{kernel_kit, libc_kit};

    #[test]
    fn what_the_kits_define_is_covered() {
        let found =
            coverage(&Kits { target: crate::Target::Hw, kernel: &kernel_kit(), libc: &libc_kit() }).unwrap();
        let call = |name: &str| found.syscalls.iter().find(|call| call.name == name).unwrap();
        assert_eq!(call("read").component.as_deref(), Some("kern"));
        assert_eq!(call("mkdir").component.as_deref(), Some("vfs"));
        assert_eq!(call("close").component, None);
        let symbol = |name: &str| found.symbols.iter().find(|symbol| symbol.name == name).unwrap();
        assert!(symbol("read").present && symbol("read").lacks.is_empty());
        assert_eq!(symbol("reboot").lacks, ["reboot"]);
        assert!(!symbol("puts").present);
        assert_eq!(symbol("cosf").library, "libm.so.0");
    }
}

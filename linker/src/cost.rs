//! What each component costs: the image's bytes by the crate that they come from.
//!
//! A section belongs to the crate that its symbol's name tells. What has no such name (system call entries, string constants, code of
//! `core`) belongs to where it was reached from first.

use std::collections::BTreeMap;

use crate::components;
use crate::kernel::Kernel;
use crate::kit::{Kind, Kit, Place, Reach};
use crate::libc::Libc;
use crate::report::ComponentCost;
use crate::symbols::demangle;

/// The part of every image that is no component.
const PLATFORM: &str = "platform";

/// The project's own crate that a demangled name tells: `rump_kern`.
fn crate_of(name: &str) -> Option<&str> {
    let start = name.match_indices("rump").map(|(at, _)| at).find(|&at| {
        let before = name.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':')
    })?;
    let rest = name.get(start..)?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
    let ident = rest.get(..end)?;
    rest.get(end..)?.starts_with("::").then_some(ident)
}

/// The component's name for a crate of the project.
pub(crate) fn component_of(ident: &str) -> &str {
    if ident.starts_with("rumpbake_") {
        return PLATFORM;
    }
    let name = ident.strip_prefix("rump_").unwrap_or(ident);
    name.strip_prefix("dev_").or_else(|| name.strip_prefix("fs_")).unwrap_or(name)
}

/// For each section its owner's name.
fn owners(kernel: &Kernel) -> Vec<Option<String>> {
    let mut owners: Vec<Option<String>> = vec![None; kernel.kit.sections.len()];
    let calls = components::call_owners(&kernel.kit).unwrap_or_default();
    for symbol in &kernel.kit.symbols {
        let Place::Section { index, .. } = symbol.place else { continue };
        let Some(owner @ None) = owners.get_mut(index) else { continue };
        if !kernel.selection.reach.has(index) {
            continue;
        }
        *owner = if let Some(name) = symbol.name.strip_prefix("rb_component_") {
            Some(name.to_owned())
        } else if let Some(call) = symbol.name.strip_prefix("sys_") {
            calls.get(call).map(|&owner| owner.to_owned())
        } else if symbol.name.starts_with('_') {
            crate_of(&demangle(symbol.name)).map(|ident| component_of(ident).to_owned())
        } else {
            None
        };
    }
    owners
}

/// The owner of a section or of the nearest one from which it was reached.
fn inherited<'o>(owners: &'o [Option<String>], reach: &Reach, section: usize) -> &'o str {
    let mut at = section;
    loop {
        if let Some(Some(owner)) = owners.get(at) {
            return owner;
        }
        let parent = reach.parent(at);
        if parent == at {
            return PLATFORM;
        }
        at = parent;
    }
}

fn add(cost: &mut ComponentCost, kind: Kind, size: u64) {
    match kind {
        Kind::Text => cost.text_bytes += size,
        Kind::Rodata | Kind::TlsData => cost.rodata_bytes += size,
        Kind::Data => cost.data_bytes += size,
        Kind::Bss => cost.bss_bytes += size,
        Kind::TlsBss | Kind::Dropped => {}
    }
}

/// The cost of what is reached of a kit.
pub(crate) fn of_kit(kit: &Kit, reach: &Reach, name: &str, faction: &str, why: &str) -> ComponentCost {
    let mut cost = new(name, faction, why);
    for section in reach.iter().filter_map(|index| kit.sections.get(index)) {
        add(&mut cost, section.kind, section.size);
    }
    cost
}

fn new(name: &str, faction: &str, why: &str) -> ComponentCost {
    ComponentCost {
        name: name.into(),
        faction: faction.into(),
        text_bytes: 0,
        rodata_bytes: 0,
        data_bytes: 0,
        bss_bytes: 0,
        why: why.into(),
    }
}

fn sizes<'k>(kit: &'k Kit, reach: &'k Reach) -> impl Iterator<Item = (usize, Kind, u64)> + 'k {
    reach
        .iter()
        .filter_map(|index| kit.sections.get(index).map(|section| (index, section.kind, section.size)))
}

/// The owner of every reached section of the kernel, for the map.
pub(crate) fn kernel_owners(kernel: &Kernel) -> BTreeMap<usize, String> {
    let owners = owners(kernel);
    let reach = &kernel.selection.reach;
    reach.iter().map(|section| (section, inherited(&owners, reach, section).to_owned())).collect()
}

/// The costs: the components in their order, then the parts that are none.
pub(crate) fn table(kernel: &Kernel, libc: Option<&Libc>) -> Vec<ComponentCost> {
    let mut table: Vec<ComponentCost> = kernel
        .selection
        .taken
        .iter()
        .map(|taken| new(&taken.info.name, &taken.info.faction, &taken.why))
        .collect();
    let records = components::records(&kernel.kit).unwrap_or_default();
    let mut others: BTreeMap<String, ComponentCost> = BTreeMap::new();
    let owners = owners(kernel);
    let reach = &kernel.selection.reach;
    for (section, kind, size) in sizes(&kernel.kit, reach) {
        let owner = inherited(&owners, reach, section);
        match table.iter_mut().find(|cost| cost.name == owner) {
            Some(cost) => add(cost, kind, size),
            None => {
                let record = records.iter().find(|record| record.name == owner);
                let (faction, why) = match record {
                    Some(record) => (record.faction.as_str(), "used by others"),
                    None if owner == PLATFORM => (PLATFORM, "in every image"),
                    None => ("kern", "in every image"),
                };
                let cost = others.entry(owner.to_owned());
                add(cost.or_insert_with(|| new(owner, faction, why)), kind, size);
            }
        }
    }
    table.extend(others.into_values());
    if let Some(libc) = libc {
        let mut cost = new("libc", "libc", "what the program imports");
        sizes(&libc.kit, &libc.reach).for_each(|(_, kind, size)| add(&mut cost, kind, size));
        table.push(cost);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{component_of, crate_of};

    #[test]
    fn crates_are_found_in_names() {
        assert_eq!(crate_of("rump_kern::lwp::exit"), Some("rump_kern"));
        assert_eq!(crate_of("<rump_dev_cons::Cons as core::fmt::Debug>::fmt"), Some("rump_dev_cons"));
        assert_eq!(
            crate_of("core::ptr::drop_in_place::<alloc::vec::Vec<rump_vfs::Vnode>>"),
            Some("rump_vfs")
        );
        assert_eq!(crate_of("core::trumpet::x"), None);
        assert_eq!(crate_of("rumpelstilz"), None);
        assert_eq!(component_of("rump_dev_cons"), "cons");
        assert_eq!(component_of("rumpbake_hw"), "platform");
    }
}

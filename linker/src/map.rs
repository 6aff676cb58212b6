//! The map of an image: every section with its address, size, owner and names, as text for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cost;
use crate::kernel::Kernel;
use crate::kit::{Kit, Place, Reach};
use crate::libc::Libc;
use crate::rump::RumpKernel;
use crate::symbols::demangle;

/// A symbol per section that says best what it is: the longest-named defined one is the mangled path.
fn names<'k>(kit: &'k Kit) -> BTreeMap<usize, &'k str> {
    let mut names: BTreeMap<usize, &'k str> = BTreeMap::new();
    for symbol in kit.symbols.iter().filter(|symbol| !symbol.name.is_empty()) {
        if let Place::Section { index, offset: 0 } = symbol.place {
            names.entry(index).or_insert(symbol.name);
        }
    }
    names
}

fn add(text: &mut String, kit: &Kit, reach: &Reach, addresses: &[u64], owner: &dyn Fn(usize) -> String) {
    let names = names(kit);
    let mut lines: Vec<(u64, usize)> =
        reach.iter().filter_map(|index| addresses.get(index).map(|&address| (address, index))).collect();
    lines.sort_unstable();
    for (address, index) in lines {
        let Some(section) = kit.sections.get(index).filter(|section| section.size != 0) else { continue };
        let name = names.get(&index).map_or_else(|| section.name.to_owned(), |name| demangle(name));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{address:016x} {size:>8} {kind:<6} {owner:<12} {name}",
            size = section.size,
            kind = format!("{:?}", section.kind).to_lowercase(),
            owner = owner(index)
        );
    }
}

/// The map.
pub(crate) fn text(kernel: &Kernel, libc: Option<&Libc>, rump: Option<&RumpKernel>) -> String {
    let mut text = String::from("address          bytes    kind   owner        name\n");
    if let Some(libc) = libc {
        add(&mut text, &libc.kit, &libc.reach, &libc.addresses, &|_| "libc".into());
    }
    if let Some(rump) = rump {
        let (kit, reach, addresses) = rump.sections();
        add(&mut text, kit, reach, addresses, &|_| "rump".into());
    }
    let owners = cost::kernel_owners(kernel);
    let owner = |index| owners.get(&index).cloned().unwrap_or_default();
    add(&mut text, &kernel.kit, &kernel.selection.reach, &kernel.addresses, &owner);
    text
}

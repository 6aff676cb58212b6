//! Giving sections their addresses.

use crate::kit::{Kind, Kit, Reach};

/// A run of addresses that stays free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    pub start: u64,
    pub end: u64,
}

/// Places the reached sections of one kind from `start` on, in the kit's order, around the hole if there is one. Returns the
/// address after the last. What fits before the hole may be any section; the rest comes after it.
pub(crate) fn place(
    kit: &Kit,
    reach: &Reach,
    kind: Kind,
    start: u64,
    hole: Option<Hole>,
    addresses: &mut [u64],
) -> u64 {
    let mut before = start;
    let mut after = hole.map_or(start, |hole| hole.end);
    let mut used_after = false;
    for index in reach.iter() {
        let (Some(section), Some(address)) = (kit.sections.get(index), addresses.get_mut(index)) else {
            continue;
        };
        if section.kind != kind {
            continue;
        }
        let at = before.next_multiple_of(section.align);
        if hole.is_some_and(|hole| at + section.size <= hole.start) {
            *address = at;
            before = at + section.size;
        } else {
            *address = after.next_multiple_of(section.align);
            after = *address + section.size;
            used_after = true;
        }
    }
    if used_after || hole.is_none() { after } else { before }
}

#[cfg(test)]
mod tests {
    use super::{Hole, place};
    use crate::kit::{Kind, Reach};
    use crate::testing::KitBuilder;

    #[test]
    fn sections_flow_around_the_hole() {
        let mut builder = KitBuilder::new();
        for (name, size) in [("a", 0x100), ("b", 0x1000), ("c", 0x80)] {
            builder.data(name, Kind::Rodata, &vec![0; size], &[]);
        }
        let bytes = builder.finish();
        let kit = crate::kit::Kit::parse("test", &bytes).unwrap();
        let mut reach = Reach::default();
        for name in ["a", "b", "c"] {
            kit.walk_symbol(&mut reach, name).unwrap();
        }
        let mut addresses = vec![0; kit.sections.len()];
        let hole = Hole { start: 0x400, end: 0x420 };
        let end = place(&kit, &reach, Kind::Rodata, 0x200, Some(hole), &mut addresses);
        let at = |name: &str| addresses[kit.location(name).unwrap().0];
        assert_eq!((at("a"), at("b"), at("c"), end), (0x200, 0x420, 0x300, 0x1420));
    }
}

//! The resident private pages of an address space, by virtual page number.
//!
//! NetBSD hangs an amap on each map entry. Since no two entries of one space ever cover the same address, one index for
//! the whole space does the same and makes splitting and joining entries free. A leaf covers 64 pages (256 KiB): small enough for
//! sparse thread stacks, large enough that a fault that brings in several pages looks a leaf up once.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::ops::Range;

use super::page::OwnedPage;

/// Pages that a leaf covers.
pub const LEAF_PAGES: usize = 64;

/// 64 neighbouring pages.
pub struct Leaf {
    present: u64,
    pages: [Option<OwnedPage>; LEAF_PAGES],
}

impl Leaf {
    const fn new() -> Self {
        Self { present: 0, pages: [const { None }; LEAF_PAGES] }
    }

    /// The page in this slot.
    #[inline]
    #[must_use]
    pub fn get(&self, slot: usize) -> Option<&OwnedPage> {
        self.pages[slot].as_ref()
    }

    /// Whether the slot has a page.
    #[inline]
    #[must_use]
    pub fn has(&self, slot: usize) -> bool {
        self.present >> slot & 1 != 0
    }

    /// Puts a page into the slot, and gives back what was there.
    #[inline]
    pub fn put(&mut self, slot: usize, page: OwnedPage) -> Option<OwnedPage> {
        self.present |= 1 << slot;
        self.pages[slot].replace(page)
    }

    fn take(&mut self, slot: usize) -> Option<OwnedPage> {
        self.present &= !(1 << slot);
        self.pages[slot].take()
    }
}

/// The pages.
#[derive(Default)]
pub struct AnonPages {
    leaves: BTreeMap<usize, Box<Leaf>>,
    count: usize,
}

/// The bits of the slots in `start..end`, at most 64 of them.
fn slots(start: usize, end: usize) -> u64 {
    let upper = if end >= LEAF_PAGES { u64::MAX } else { (1 << end) - 1 };
    upper & (u64::MAX << start)
}

impl AnonPages {
    /// No pages.
    #[must_use]
    pub const fn new() -> Self {
        Self { leaves: BTreeMap::new(), count: 0 }
    }

    /// How many pages are resident.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The leaf of a page, made if there is none.
    #[inline]
    pub fn leaf_mut(&mut self, vpn: usize) -> LeafMut<'_> {
        let leaf = self.leaves.entry(vpn / LEAF_PAGES).or_insert_with(|| Box::new(Leaf::new()));
        LeafMut { leaf, count: &mut self.count }
    }

    /// The page at `vpn`.
    #[must_use]
    pub fn get(&self, vpn: usize) -> Option<&OwnedPage> {
        self.leaves.get(&(vpn / LEAF_PAGES))?.get(vpn % LEAF_PAGES)
    }

    /// Puts a page at `vpn`.
    pub fn insert(&mut self, vpn: usize, page: OwnedPage) {
        self.leaf_mut(vpn).put(vpn % LEAF_PAGES, page);
    }

    /// Calls `f` for each resident page in the range, in ascending order.
    pub fn for_each(&self, range: Range<usize>, mut f: impl FnMut(usize, &OwnedPage)) {
        if range.is_empty() {
            return;
        }
        for (&index, leaf) in self.leaves.range(range.start / LEAF_PAGES..=(range.end - 1) / LEAF_PAGES) {
            let base = index * LEAF_PAGES;
            let mut bits =
                leaf.present & slots(range.start.saturating_sub(base), (range.end - base).min(LEAF_PAGES));
            while bits != 0 {
                let slot = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if let Some(page) = leaf.get(slot) {
                    f(base + slot, page);
                }
            }
        }
    }

    /// Takes the resident pages of the range out, and hands each to `f`.
    pub fn take_range(&mut self, range: Range<usize>, mut f: impl FnMut(usize, OwnedPage)) {
        if range.is_empty() {
            return;
        }
        let mut next = range.start / LEAF_PAGES;
        let last = (range.end - 1) / LEAF_PAGES;
        while next <= last {
            let Some((&index, leaf)) = self.leaves.range_mut(next..=last).next() else { break };
            let base = index * LEAF_PAGES;
            let mut bits =
                leaf.present & slots(range.start.saturating_sub(base), (range.end - base).min(LEAF_PAGES));
            while bits != 0 {
                let slot = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if let Some(page) = leaf.take(slot) {
                    self.count -= 1;
                    f(base + slot, page);
                }
            }
            if leaf.present == 0 {
                self.leaves.remove(&index);
            }
            next = index + 1;
        }
    }

    /// Frees the resident pages of the range, which the caller has unmapped.
    pub fn free_range(&mut self, range: Range<usize>) {
        self.take_range(range, |_, page| drop(page));
    }
}

/// A leaf that can be filled.
pub struct LeafMut<'a> {
    leaf: &'a mut Leaf,
    count: &'a mut usize,
}

impl LeafMut<'_> {
    /// The page in this slot.
    #[inline]
    #[must_use]
    pub fn get(&self, slot: usize) -> Option<&OwnedPage> {
        self.leaf.get(slot)
    }

    /// Whether the slot has a page.
    #[inline]
    #[must_use]
    pub fn has(&self, slot: usize) -> bool {
        self.leaf.has(slot)
    }

    /// Puts a page into a slot.
    #[inline]
    pub fn put(&mut self, slot: usize, page: OwnedPage) {
        if self.leaf.put(slot, page).is_none() {
            *self.count += 1;
        }
    }
}

//! The map of an address space: which addresses are mapped, and how (vm_map of uvm(9)).
//!
//! Invariants: entries do not overlap, none is empty, addresses are page-aligned, and neighbours that could be one entry are one
//! (as far as operations touched them). The map knows nothing of pages; its callers keep the page tables in step.

use alloc::collections::BTreeMap;
use core::ops::Range;

use super::entry::Entry;
use super::gaps::Gaps;

/// The entries by their start address.
pub struct VmMap {
    entries: BTreeMap<usize, Entry>,
    /// The addresses that may be mapped.
    bounds: Range<usize>,
    /// Bytes that are mapped.
    size_bytes: usize,
    /// What is free in the bounds.
    gaps: Gaps,
}

impl VmMap {
    /// An empty map of the addresses in `bounds`.
    #[must_use]
    pub fn new(bounds: Range<usize>) -> Self {
        let gaps = Gaps::new(bounds.clone());
        Self { entries: BTreeMap::new(), bounds, size_bytes: 0, gaps }
    }

    /// Bytes that are mapped.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The addresses that may be mapped.
    #[must_use]
    pub fn bounds(&self) -> Range<usize> {
        self.bounds.clone()
    }

    /// Whether every address of the range may be mapped.
    #[must_use]
    pub fn in_bounds(&self, range: &Range<usize>) -> bool {
        range.start <= range.end && self.bounds.start <= range.start && range.end <= self.bounds.end
    }

    /// The entry at `va`, and its start.
    #[inline]
    #[must_use]
    pub fn lookup(&self, va: usize) -> Option<(usize, &Entry)> {
        let (&start, entry) = self.entries.range(..=va).next_back()?;
        (va < entry.end).then_some((start, entry))
    }

    /// The entry at `va`, and its start.
    #[inline]
    pub fn lookup_mut(&mut self, va: usize) -> Option<(usize, &mut Entry)> {
        let (&start, entry) = self.entries.range_mut(..=va).next_back()?;
        (va < entry.end).then_some((start, entry))
    }

    /// The entries that have an address in the range, in ascending order.
    pub fn overlapping(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &Entry)> {
        let first = self.lookup(range.start).map_or(range.start, |(start, _)| start);
        self.entries.range(first..range.end.max(first)).map(|(&start, entry)| (start, entry))
    }

    /// All entries, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().map(|(&start, entry)| (start, entry))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is mapped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether nothing of the range is mapped.
    #[must_use]
    pub fn is_free(&self, range: Range<usize>) -> bool {
        self.overlapping(range).next().is_none()
    }

    /// Whether all of the range is mapped.
    #[must_use]
    pub fn is_full(&self, range: Range<usize>) -> bool {
        let mut at = range.start;
        for (start, entry) in self.overlapping(range.clone()) {
            if start > at {
                return false;
            }
            at = entry.end;
        }
        at >= range.end
    }

    /// Makes `at` the boundary of two entries, if it is inside one.
    fn split(&mut self, at: usize) {
        let Some((start, entry)) = self.lookup_mut(at) else { return };
        if start == at {
            return;
        }
        let mut upper = entry.clone();
        upper.backing = entry.backing.advanced(at - start);
        entry.end = at;
        self.entries.insert(at, upper);
    }

    /// Joins the entries on both sides of `at`, if they could be one.
    fn join(&mut self, at: usize) {
        let Some((&start, lower)) = self.entries.range(..at).next_back() else { return };
        let Some(upper) = self.entries.get(&at) else { return };
        if lower.end != at || !lower.joins(start, upper) {
            return;
        }
        if let Some(upper) = self.entries.remove(&at)
            && let Some(lower) = self.entries.get_mut(&start)
        {
            lower.end = upper.end;
        }
    }

    /// Puts an entry in; its addresses are free.
    pub fn insert(&mut self, start: usize, entry: Entry) {
        debug_assert!(self.is_free(start..entry.end), "the caller has removed what was there");
        let end = entry.end;
        let gap = self.end_below(start)..self.start_above(end);
        self.gaps.resize(gap.start, gap.end, start);
        self.gaps.add(end..gap.end);
        self.size_bytes += end - start;
        self.entries.insert(start, entry);
        if gap.end == end {
            self.join(end);
        }
        if gap.start == start {
            self.join(start);
        }
    }

    /// Takes everything in the range out, and hands each entry to `f`. That takes hardly any memory, however many they are.
    pub fn remove(&mut self, range: Range<usize>, mut f: impl FnMut(usize, Entry)) {
        if range.is_empty() || self.is_free(range.clone()) {
            return;
        }
        self.split(range.start);
        self.split(range.end);
        let bottom = self.end_below(range.start);
        let mut at = bottom;
        let mut below = bottom;
        while let Some((&start, _)) = self.entries.range(range.clone()).next() {
            if at == bottom {
                below = start;
            } else {
                self.gaps.remove(at..start);
            }
            if let Some(entry) = self.entries.remove(&start) {
                self.size_bytes -= entry.end - start;
                at = entry.end;
                f(start, entry);
            }
        }
        let top = self.start_above(at);
        self.gaps.remove(at..top);
        self.gaps.resize(bottom, below, top);
    }

    /// Where the free addresses below `at`, which is free or the start of an entry, begin.
    fn end_below(&self, at: usize) -> usize {
        self.entries.range(..at).next_back().map_or(self.bounds.start, |(_, entry)| entry.end)
    }

    /// Where the free addresses from `at` on end.
    fn start_above(&self, at: usize) -> usize {
        self.entries.range(at..).next().map_or(self.bounds.end, |(&start, _)| start)
    }

    /// Takes the first entry in the range out, cut to it.
    pub fn remove_first(&mut self, range: Range<usize>) -> Option<(usize, Entry)> {
        let (start, end) = self.overlapping(range.clone()).next().map(|(start, entry)| (start, entry.end))?;
        let mut first = None;
        self.remove(start.max(range.start)..end.min(range.end), |start, entry| first = Some((start, entry)));
        first
    }

    /// The first entry that reaches beyond `va`.
    #[must_use]
    pub fn next_from(&self, va: usize) -> Option<(usize, &Entry)> {
        self.overlapping(va..self.bounds.end).next()
    }

    /// Changes every entry in the range by `f`, splitting those that reach over its ends.
    pub fn update(&mut self, range: Range<usize>, mut f: impl FnMut(usize, &mut Entry)) {
        if range.is_empty() {
            return;
        }
        self.split(range.start);
        self.split(range.end);
        for (&start, entry) in self.entries.range_mut(range.clone()) {
            f(start, entry);
        }
        let mut at = range.start;
        loop {
            self.join(at);
            match self.entries.range(at + 1..range.end + 1).next() {
                Some((&next, _)) => at = next,
                None => break,
            }
        }
    }

    /// A free run of `len` bytes that starts at a multiple of `align` (a power of two), near the top.
    #[must_use]
    pub fn find_gap(&self, len: usize, align: usize) -> Option<usize> {
        self.gaps.find(len, align, |start| self.start_above(start))
    }

    /// Whether the gaps are those between the entries, for tests.
    #[cfg(test)]
    pub fn gaps_are_right(&self) -> bool {
        let mut free = alloc::vec::Vec::new();
        let mut at = self.bounds.start;
        for (start, entry) in self.iter() {
            if start > at {
                free.push(at..start);
            }
            at = entry.end;
        }
        if self.bounds.end > at {
            free.push(at..self.bounds.end);
        }
        self.gaps.all() == Gaps::as_all(&free)
    }
}

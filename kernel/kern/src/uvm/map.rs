//! The map of an address space: which addresses are mapped, and how (vm_map of uvm(9)).
//!
//! Invariants: entries do not overlap, none is empty, addresses are page-aligned, and neighbours that could be one entry are one
//! (as far as operations touched them). The map knows nothing of pages; its callers keep the page tables in step.

use alloc::collections::BTreeMap;
use core::ops::Range;

use super::entry::Entry;

/// The entries by their start address.
pub struct VmMap {
    entries: BTreeMap<usize, Entry>,
    /// The addresses that may be mapped.
    bounds: Range<usize>,
    /// Bytes that are mapped.
    size_bytes: usize,
    /// No gap above this is as large as `skipped_bytes`: where the search for a gap starts.
    search_from: usize,
    /// The largest gap that searches have passed over above `search_from`.
    skipped_bytes: usize,
}

impl VmMap {
    /// An empty map of the addresses in `bounds`.
    #[must_use]
    pub fn new(bounds: Range<usize>) -> Self {
        let search_from = bounds.end;
        Self { entries: BTreeMap::new(), bounds, size_bytes: 0, search_from, skipped_bytes: 0 }
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
        self.size_bytes += end - start;
        self.entries.insert(start, entry);
        self.join(end);
        self.join(start);
    }

    /// Takes everything in the range out, and hands each entry to `f`. That takes no memory, however many they are.
    pub fn remove(&mut self, range: Range<usize>, mut f: impl FnMut(usize, Entry)) {
        if range.is_empty() || self.is_free(range.clone()) {
            return;
        }
        self.split(range.start);
        self.split(range.end);
        while let Some((&start, _)) = self.entries.range(range.clone()).next() {
            if let Some(entry) = self.entries.remove(&start) {
                self.size_bytes -= entry.end - start;
                f(start, entry);
            }
        }
        if range.end > self.search_from {
            self.search_from = self.bounds.end;
            self.skipped_bytes = 0;
        }
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

    /// The highest free run of `len` bytes that ends at or below `top` and starts at a multiple of `align` (a power of two).
    pub fn find_gap(&mut self, len: usize, align: usize, top: usize) -> Option<usize> {
        let top = top.min(self.bounds.end);
        let cached = top >= self.search_from && len > self.skipped_bytes;
        let mut gap_end = if cached { self.search_from } else { top };
        let from_top = cached || top == self.bounds.end;
        let mut skipped = if cached { self.skipped_bytes } else { 0 };
        let found = self.gap_below(len, align, &mut gap_end, &mut skipped)?;
        if from_top && align <= super::PAGE_SIZE {
            self.search_from = found;
            self.skipped_bytes = skipped;
        }
        Some(found)
    }

    fn gap_below(&self, len: usize, align: usize, gap_end: &mut usize, skipped: &mut usize) -> Option<usize> {
        // An entry that begins below the end of the search but reaches over it ends the first gap at its start.
        for (&start, entry) in self.entries.range(..*gap_end).rev() {
            let gap_start = entry.end.min(*gap_end);
            if let Some(found) = fit(gap_start..*gap_end, len, align) {
                return Some(found);
            }
            *skipped = (*skipped).max(*gap_end - gap_start);
            *gap_end = start;
        }
        fit(self.bounds.start..*gap_end, len, align)
    }

    /// The lowest free run of `len` bytes at or above `bottom` that starts at a multiple of `align` (a power of two).
    #[must_use]
    pub fn find_gap_above(&self, len: usize, align: usize, bottom: usize) -> Option<usize> {
        let mut at = bottom.max(self.bounds.start).checked_next_multiple_of(align)?;
        for (start, entry) in self.overlapping(at..self.bounds.end) {
            if at.checked_add(len)? <= start {
                return Some(at);
            }
            at = entry.end.max(at).checked_next_multiple_of(align)?;
        }
        (at.checked_add(len)? <= self.bounds.end).then_some(at)
    }
}

/// The highest aligned run of `len` bytes in a gap.
fn fit(gap: Range<usize>, len: usize, align: usize) -> Option<usize> {
    let start = gap.end.checked_sub(len)? & !(align - 1);
    (start >= gap.start).then_some(start)
}

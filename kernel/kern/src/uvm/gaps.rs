//! The free runs of addresses between the entries of a map, to find one of a size quickly however many there are.
//!
//! Gaps are kept by the power of two of their size, and in each class by their start. Their ends are those of the map: so a gap that
//! something is put to the top of mostly stays as it is, and that is what a map does all the time.
//! Invariant, the map's to keep: every run of free pages in its bounds is here, as large as it is, and nothing else.

use alloc::collections::BTreeSet;
use core::ops::Range;

use super::PAGE_SIZE;

/// As many powers of two as there are pages in half an address space.
const CLASSES: usize = 36;

/// How many gaps that may be too small are looked at in a class, before larger ones are taken.
const TRIES: usize = 8;

/// The free runs.
pub struct Gaps {
    starts: [BTreeSet<usize>; CLASSES],
    /// A bit for each class that has gaps.
    used: u64,
}

/// The class of a gap: the power of two that its pages reach.
fn class(len: usize) -> usize {
    ((len / PAGE_SIZE).max(1).ilog2() as usize).min(CLASSES - 1)
}

/// The highest aligned run of `len` bytes in a gap.
fn fit(gap: Range<usize>, len: usize, align: usize) -> Option<usize> {
    let start = gap.end.checked_sub(len)? & !(align - 1);
    (start >= gap.start).then_some(start)
}

impl Gaps {
    /// One gap, of all addresses.
    pub fn new(bounds: Range<usize>) -> Self {
        let mut gaps = Self { starts: [const { BTreeSet::new() }; CLASSES], used: 0 };
        gaps.add(bounds);
        gaps
    }

    /// Notes a gap, if it is one.
    pub fn add(&mut self, gap: Range<usize>) {
        if !gap.is_empty() {
            let class = class(gap.len());
            self.starts[class].insert(gap.start);
            self.used |= 1 << class;
        }
    }

    /// Forgets a gap, if it is one.
    pub fn remove(&mut self, gap: Range<usize>) {
        if !gap.is_empty() {
            let class = class(gap.len());
            self.starts[class].remove(&gap.start);
            if self.starts[class].is_empty() {
                self.used &= !(1 << class);
            }
        }
    }

    /// A gap, or none yet, has got another end.
    pub fn resize(&mut self, start: usize, old_end: usize, new_end: usize) {
        let kept = old_end > start && new_end > start && class(old_end - start) == class(new_end - start);
        if !kept {
            self.remove(start..old_end);
            self.add(start..new_end);
        }
    }

    /// The start of a free run of `len` bytes at a multiple of `align` (a power of two), as high as possible but for some gaps of hardly more
    /// than that size. `end_of` gives the end of the gap that starts at an address.
    pub fn find(&self, len: usize, align: usize, end_of: impl Fn(usize) -> usize) -> Option<usize> {
        self.find_among(TRIES, len, align, &end_of)
            .or_else(|| self.find_among(usize::MAX, len, align, &end_of))
    }

    fn find_among(
        &self,
        tries: usize,
        len: usize,
        align: usize,
        end_of: impl Fn(usize) -> usize,
    ) -> Option<usize> {
        let mut best = None;
        let mut classes = self.used & (u64::MAX << class(len));
        while classes != 0 {
            let starts = &self.starts[classes.trailing_zeros() as usize];
            classes &= classes - 1;
            let mut highest =
                starts.iter().rev().copied().take(tries).take_while(|&start| best < Some(start));
            best = best.max(highest.find_map(|start| fit(start..end_of(start), len, align)));
        }
        best
    }

    /// All gaps by their start, for tests.
    #[cfg(test)]
    pub fn all(&self) -> alloc::vec::Vec<(usize, usize)> {
        let mut all: alloc::vec::Vec<_> = self
            .starts
            .iter()
            .enumerate()
            .flat_map(|(class, starts)| starts.iter().map(move |&start| (start, class)))
            .collect();
        all.sort_unstable();
        all
    }

    /// What [`Gaps::all`] has for these gaps.
    #[cfg(test)]
    pub fn as_all(gaps: &[Range<usize>]) -> alloc::vec::Vec<(usize, usize)> {
        gaps.iter().map(|gap| (gap.start, class(gap.len()))).collect()
    }
}

//! A segment: 64 pages, of which the first describes the others.

use super::class::{self, PAGE};
use super::os::SEGMENT;

/// Pages in a segment.
pub const PAGES: usize = SEGMENT / PAGE;

/// An object that is free: in a thread's list or in its run's.
#[repr(C)]
pub struct Free {
    /// The next one.
    pub next: *mut Free,
    /// [`Free::mark`] while it lies in a thread's list.
    pub key: usize,
}

impl Free {
    /// What marks the object at `at` as free.
    #[inline]
    pub fn mark(at: *mut Free) -> usize {
        at.addr() ^ 0x9d1c_83f7_5a6b_e42d
    }
}

/// A run of pages.
#[repr(C)]
pub struct Run {
    /// Free objects that were used before.
    pub free: *mut Free,
    /// The next run of the class with free objects.
    pub next: *mut Run,
    /// The previous one.
    pub prev: *mut Run,
    /// Objects handed out.
    pub used: u16,
    /// Objects that were never handed out begin at this one.
    pub fresh: u16,
    /// Objects in all.
    pub capacity: u16,
    /// The class, or [`Run::PAGES`].
    pub class: u8,
    /// Pages.
    pub pages: u8,
}

impl Run {
    /// The class of a run that is one object of whole pages.
    pub const PAGES: u8 = 0xff;
}

/// The first page. Zeroed memory is an empty segment but for `magic` and `used`.
#[repr(C)]
pub struct Segment {
    /// [`Segment::magic`], so that a wild pointer is recognised.
    pub magic: usize,
    /// The next segment.
    pub next: *mut Segment,
    /// The previous one.
    pub prev: *mut Segment,
    /// A bit per page: in use. The first is this one.
    pub used: u64,
    /// The class per page; 0xff for whole pages.
    pub class: [u8; PAGES],
    /// The first page of the run per page.
    pub first: [u8; PAGES],
    /// The runs, by first page.
    pub runs: [Run; PAGES],
}

const _: () = assert!(size_of::<Segment>() <= PAGE);

impl Segment {
    /// The mark of the segment at `at`.
    #[inline]
    pub fn mark(at: *mut Segment) -> usize {
        at.addr() ^ 0x5e67_3e27_d00d_1e57
    }

    /// Where the segment of an object would be.
    #[inline]
    pub fn of(object: *mut u8) -> *mut Segment {
        object.wrapping_sub(object.addr() % SEGMENT).cast()
    }

    /// The page in which an object lies.
    #[inline]
    pub fn page_of(object: *mut u8) -> usize {
        object.addr() % SEGMENT / PAGE
    }

    /// Makes the zeroed memory at `at` a segment.
    ///
    /// # Safety
    /// `at` is such memory, aligned to its size.
    pub unsafe fn init(at: *mut Segment) {
        // SAFETY: this function's contract.
        unsafe {
            (*at).magic = Self::mark(at);
            (*at).used = 1;
        }
    }

    /// Finds `pages` free pages in a row; returns the first.
    pub fn find(used: u64, pages: usize) -> Option<usize> {
        // A bit of `fit` is set where a row of free pages begins that is long enough.
        let (mut fit, mut have) = (!used, 1);
        while have < pages && fit != 0 {
            let step = (pages - have).min(have);
            fit &= fit >> step;
            have += step;
        }
        (fit != 0).then(|| fit.trailing_zeros() as usize)
    }

    /// The bits of a row of pages.
    pub const fn bits(first: usize, pages: usize) -> u64 {
        (u64::MAX >> (64 - pages)) << first
    }

    /// The address of object `index` of the run at page `first`.
    pub fn object(segment: *mut Segment, first: usize, class: usize, index: usize) -> *mut Free {
        segment.cast::<u8>().wrapping_add(first * PAGE + index * class::size(class)).cast()
    }
}

#[cfg(test)]
mod tests {
    use super::Segment;

    #[test]
    fn finds_rows_of_free_pages() {
        assert_eq!(Segment::find(1, 63), Some(1));
        assert_eq!(Segment::find(1, 1), Some(1));
        assert_eq!(Segment::find(0b1011, 1), Some(2));
        assert_eq!(Segment::find(0b1011, 2), Some(4));
        assert_eq!(Segment::find(1 << 63 | 1, 62), Some(1));
        assert_eq!(Segment::find(1 << 63 | 1, 63), None);
        assert_eq!(Segment::find(u64::MAX, 1), None);
        for pages in 1..=63 {
            for used in [1_u64, 0x8421, 0xffff_0000_ffff_0001, 0x0f0f_0f0f_0f0f_0f0f] {
                let naive = (0..=64 - pages).find(|&i| used & Segment::bits(i, pages) == 0);
                assert_eq!(Segment::find(used, pages), naive, "{used:x} {pages}");
            }
        }
    }
}

//! Segments and runs: what the threads' lists are filled from. All under one lock.

use super::class;
use super::huge;
use super::os::{self, SEGMENT};
use super::segment::{Free, PAGES, Run, Segment};
use crate::lock::Lock;
use core::ptr::null_mut;

/// The shared state.
pub struct Central {
    segments: *mut Segment,
    /// Per class, the runs that have free objects.
    partial: [*mut Run; class::COUNT],
    /// Segments without a single used page.
    empty: usize,
}

// SAFETY: the pointers are to memory that only the holder of the lock touches.
unsafe impl Send for Central {}

/// The one instance.
pub static CENTRAL: Lock<Central> = Lock::new(Central::new());

impl Central {
    const fn new() -> Self {
        Self { segments: null_mut(), partial: [null_mut(); class::COUNT], empty: 0 }
    }

    /// Takes a run of pages; returns its segment and its first page.
    fn take_pages(&mut self, pages: usize) -> Option<(*mut Segment, usize)> {
        self.take_pages_before(pages, 0)
    }

    /// Takes a run of pages that has so many free ones behind it.
    fn take_pages_before(&mut self, pages: usize, room: usize) -> Option<(*mut Segment, usize)> {
        let mut segment = self.segments;
        while !segment.is_null() {
            // SAFETY: the list holds live segments.
            let used = unsafe { (*segment).used };
            if let Some(first) = Segment::find(used, pages + room) {
                return Some((segment, self.mark(segment, first, pages)));
            }
            // SAFETY: as above.
            segment = unsafe { (*segment).next };
        }
        let mut segment = os::map(SEGMENT).cast::<Segment>();
        if segment.is_null() && huge::give_back() {
            segment = os::map(SEGMENT).cast();
        }
        if segment.is_null() {
            return None;
        }
        // SAFETY: the memory is fresh, zero and aligned; the list's head is a live segment or null.
        unsafe {
            Segment::init(segment);
            (*segment).next = self.segments;
            if !self.segments.is_null() {
                (*self.segments).prev = segment;
            }
        }
        self.segments = segment;
        self.empty += 1;
        Some((segment, self.mark(segment, 1, pages)))
    }

    /// Marks pages as used; returns the first.
    fn mark(&mut self, segment: *mut Segment, first: usize, pages: usize) -> usize {
        // SAFETY: the caller names free pages of a live segment.
        unsafe {
            if (*segment).used == 1 {
                self.empty -= 1;
            }
            (*segment).used |= Segment::bits(first, pages);
        }
        first
    }

    /// Gives a run's pages back, and the segment if it was the last run.
    ///
    /// # Safety
    /// Nothing of the run is in use, and it is in no list.
    unsafe fn give_pages(&mut self, segment: *mut Segment, first: usize, pages: usize) {
        // SAFETY: the segment is live, as this function's contract implies; its neighbours are live or null.
        unsafe {
            (*segment).used &= !Segment::bits(first, pages);
            if (*segment).used != 1 {
                return;
            }
            if self.empty == 0 {
                self.empty = 1;
                return;
            }
            let (prev, next) = ((*segment).prev, (*segment).next);
            if prev.is_null() {
                self.segments = next;
            } else {
                (*prev).next = next;
            }
            if !next.is_null() {
                (*next).prev = prev;
            }
            os::unmap(segment.cast(), SEGMENT);
        }
    }

    /// Makes a run of objects of `class`.
    fn new_run(&mut self, class: usize) -> Option<*mut Run> {
        let pages = class::run_pages(class);
        let (segment, first) = self.take_pages(pages)?;
        // SAFETY: the pages were just taken, so they and their descriptors are nobody else's; `first + pages <= PAGES`.
        unsafe {
            for page in first..first + pages {
                *(&raw mut (*segment).class).cast::<u8>().add(page) = class as u8;
                *(&raw mut (*segment).first).cast::<u8>().add(page) = first as u8;
            }
            let run = (&raw mut (*segment).runs).cast::<Run>().add(first);
            run.write(Run {
                free: null_mut(),
                next: null_mut(),
                prev: null_mut(),
                used: 0,
                fresh: 0,
                capacity: (pages * class::PAGE / class::size(class)) as u16,
                class: class as u8,
                pages: pages as u8,
            });
            self.link(run, class);
            Some(run)
        }
    }

    /// Puts a run in front of its class's list.
    unsafe fn link(&mut self, run: *mut Run, class: usize) {
        // SAFETY: the caller names a run that is in no list, and its class.
        unsafe {
            let head = self.partial.get_unchecked_mut(class);
            (*run).prev = null_mut();
            (*run).next = *head;
            if !head.is_null() {
                (**head).prev = run;
            }
            *head = run;
        }
    }

    /// Takes a run out of its class's list.
    unsafe fn unlink(&mut self, run: *mut Run, class: usize) {
        // SAFETY: the caller names a run that is in the list of its class.
        unsafe {
            if (*run).prev.is_null() {
                *self.partial.get_unchecked_mut(class) = (*run).next;
            } else {
                (*(*run).prev).next = (*run).next;
            }
            if !(*run).next.is_null() {
                (*(*run).next).prev = (*run).prev;
            }
        }
    }

    /// Takes up to `count` objects of `class`, linked; returns the first and how many.
    pub fn take(&mut self, class: usize, count: usize) -> (*mut Free, usize) {
        let (mut list, mut have) = (null_mut::<Free>(), 0);
        while have < count {
            let mut run = self.partial.get(class).copied().unwrap_or(null_mut());
            if run.is_null() {
                // A new run is made for the first object only: what is there is enough to go on with.
                if have > 0 {
                    break;
                }
                let Some(new) = self.new_run(class) else { break };
                run = new;
            }
            // SAFETY: a run in the list is live and has a free object; its descriptor lies in its segment's first page.
            unsafe {
                let segment = Segment::of(run.cast());
                let first = run.offset_from_unsigned((&raw const (*segment).runs).cast::<Run>());
                while have < count {
                    let object = if !(*run).free.is_null() {
                        let object = (*run).free;
                        (*run).free = (*object).next;
                        object
                    } else if (*run).fresh < (*run).capacity {
                        (*run).fresh += 1;
                        Segment::object(segment, first, class, usize::from((*run).fresh) - 1)
                    } else {
                        break;
                    };
                    (*run).used += 1;
                    (*object).next = list;
                    list = object;
                    have += 1;
                }
                if (*run).used == (*run).capacity {
                    self.unlink(run, class);
                }
            }
        }
        (list, have)
    }

    /// Gives linked objects of `class` back.
    ///
    /// # Safety
    /// They are free objects of that class, and in no other list.
    pub unsafe fn give(&mut self, class: usize, mut list: *mut Free) {
        while !list.is_null() {
            let object = list;
            // SAFETY: the objects are this function's; each lies in a live run of a live segment.
            unsafe {
                list = (*object).next;
                let segment = Segment::of(object.cast());
                let page = Segment::page_of(object.cast());
                let first = usize::from(*(&raw const (*segment).first).cast::<u8>().add(page));
                let run = (&raw mut (*segment).runs).cast::<Run>().add(first);
                (*object).next = (*run).free;
                (*object).key = 0;
                (*run).free = object;
                if (*run).used == (*run).capacity {
                    self.link(run, class);
                }
                (*run).used -= 1;
                if (*run).used == 0 {
                    self.unlink(run, class);
                    self.give_pages(segment, first, usize::from((*run).pages));
                }
            }
        }
    }

    /// Takes `pages` pages (at most 63) as one object; null without memory.
    pub fn take_whole(&mut self, pages: usize) -> *mut u8 {
        let Some((segment, first)) = self.take_pages(pages) else { return null_mut() };
        self.whole(segment, first, pages)
    }

    /// As [`Self::take_whole`], where there are as many free pages behind them, if that can be without another segment.
    pub fn take_growing(&mut self, pages: usize) -> *mut u8 {
        let room = pages.min(PAGES - 1 - pages);
        let Some((segment, first)) = self.take_pages_before(pages, room) else { return null_mut() };
        self.whole(segment, first, pages)
    }

    /// Lets an object of whole pages have `pages` of them, more than it has, if those behind it are free.
    ///
    /// # Safety
    /// `at` is such an object.
    pub unsafe fn grow_whole(&mut self, at: *mut u8, pages: usize) -> bool {
        let (segment, first) = (Segment::of(at), Segment::page_of(at));
        // SAFETY: the segment is live.
        unsafe {
            let have = usize::from((*(&raw const (*segment).runs).cast::<Run>().add(first)).pages);
            if first + pages > PAGES || (*segment).used & Segment::bits(first + have, pages - have) != 0 {
                return false;
            }
            self.mark(segment, first + have, pages - have);
        }
        self.whole(segment, first, pages);
        true
    }

    /// Writes down that so many pages, which are taken, are one object; returns it.
    fn whole(&mut self, segment: *mut Segment, first: usize, pages: usize) -> *mut u8 {
        // SAFETY: the caller names pages of a live segment that were taken for this.
        unsafe {
            for page in first..first + pages {
                *(&raw mut (*segment).class).cast::<u8>().add(page) = Run::PAGES;
                *(&raw mut (*segment).first).cast::<u8>().add(page) = first as u8;
            }
            let run = (&raw mut (*segment).runs).cast::<Run>().add(first);
            (*run).pages = pages as u8;
            (*run).class = Run::PAGES;
        }
        segment.cast::<u8>().wrapping_add(first * class::PAGE)
    }

    /// Gives an object of whole pages back; false if there is none at `at`.
    ///
    /// # Safety
    /// `at` lies in a live segment, and if it is such an object, nobody uses it.
    pub unsafe fn give_whole(&mut self, at: *mut u8) -> bool {
        let (segment, first) = (Segment::of(at), Segment::page_of(at));
        // SAFETY: the segment is live.
        unsafe {
            let start = usize::from(*(&raw const (*segment).first).cast::<u8>().add(first));
            if start != first || (*segment).used & (1 << first) == 0 || !at.addr().is_multiple_of(class::PAGE)
            {
                return false;
            }
            let run = (&raw const (*segment).runs).cast::<Run>().add(first);
            self.give_pages(segment, first, usize::from((*run).pages));
        }
        true
    }

    /// Segments that are mapped.
    #[cfg(test)]
    pub fn segment_count(&self) -> usize {
        let (mut count, mut at) = (0, self.segments);
        while !at.is_null() {
            count += 1;
            // SAFETY: the list holds live segments.
            at = unsafe { (*at).next };
        }
        count
    }
}

/// The bytes of the object of whole pages at `at`.
///
/// # Safety
/// `at` is such an object.
pub unsafe fn whole_len(at: *mut u8) -> usize {
    let segment = Segment::of(at);
    let first = Segment::page_of(at);
    debug_assert!(first < PAGES);
    // SAFETY: this function's contract; the run does not change while the object lives.
    unsafe { usize::from((*(&raw const (*segment).runs).cast::<Run>().add(first)).pages) * class::PAGE }
}

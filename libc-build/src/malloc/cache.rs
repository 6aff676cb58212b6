//! A thread's lists of free objects.

use super::central::CENTRAL;
use super::class;
use super::die;
use super::segment::Free;
use core::ptr::null_mut;

/// One list.
#[derive(Clone, Copy)]
struct List {
    head: *mut Free,
    count: usize,
}

/// The lists of a thread, by class.
pub struct Cache {
    lists: [List; class::COUNT],
}

const EMPTY: Cache = Cache { lists: [List { head: null_mut(), count: 0 }; class::COUNT] };

impl Cache {
    /// Takes an object; null without memory. `class` is below [`class::COUNT`].
    #[inline]
    pub fn take(&mut self, class: usize) -> *mut u8 {
        let Some(list) = self.lists.get_mut(class) else { return null_mut() };
        let object = list.head;
        if object.is_null() {
            return self.fill(class);
        }
        // SAFETY: the list holds free objects of this thread's.
        unsafe {
            list.head = (*object).next;
            (*object).key = 0;
        }
        list.count -= 1;
        object.cast()
    }

    #[cold]
    fn fill(&mut self, class: usize) -> *mut u8 {
        let (object, count) = CENTRAL.lock().take(class, class::batch(class));
        if object.is_null() {
            return null_mut();
        }
        if let Some(list) = self.lists.get_mut(class) {
            // SAFETY: the objects are linked and this thread's alone; a signal handler does not allocate.
            unsafe {
                list.head = (*object).next;
                let mut at = list.head;
                while !at.is_null() {
                    (*at).key = Free::mark(at);
                    at = (*at).next;
                }
            }
            list.count = count - 1;
        }
        object.cast()
    }

    /// Puts an object back.
    ///
    /// # Safety
    /// It is an object of `class` that nobody uses.
    #[inline]
    pub unsafe fn give(&mut self, class: usize, object: *mut u8) {
        let object = object.cast::<Free>();
        let Some(list) = self.lists.get_mut(class) else { return };
        // SAFETY: the object is the caller's to give, at least 16 bytes large.
        unsafe {
            if (*object).key == Free::mark(object) {
                Self::check(list.head, object);
            }
            (*object).next = list.head;
            (*object).key = Free::mark(object);
        }
        list.head = object;
        list.count += 1;
        if list.count > 2 * class::batch(class) {
            // SAFETY: the list holds free objects.
            unsafe { self.drain(class, class::batch(class)) };
        }
    }

    /// The object looks free: dies if it is in the list.
    #[cold]
    unsafe fn check(mut list: *mut Free, object: *mut Free) {
        while !list.is_null() {
            if list == object {
                die("free: the object is free already\n");
            }
            // SAFETY: the list holds free objects.
            list = unsafe { (*list).next };
        }
    }

    /// Gives all but `keep` objects of a class back to the runs.
    #[cold]
    unsafe fn drain(&mut self, class: usize, keep: usize) {
        let Some(list) = self.lists.get_mut(class) else { return };
        let rest = if keep == 0 {
            core::mem::replace(&mut list.head, null_mut())
        } else {
            let mut last = list.head;
            // SAFETY: the list holds more than `keep` objects.
            unsafe {
                for _ in 1..keep {
                    last = (*last).next;
                }
                core::mem::replace(&mut (*last).next, null_mut())
            }
        };
        list.count = keep;
        // SAFETY: the objects were just taken out of this thread's list.
        unsafe { CENTRAL.lock().give(class, rest) };
    }

    /// Gives everything back.
    pub fn clear(&mut self) {
        for class in 0..class::COUNT {
            if self.lists.get(class).is_some_and(|list| !list.head.is_null()) {
                // SAFETY: draining everything has no condition on the count.
                unsafe { self.drain(class, 0) };
            }
        }
    }
}

pub use place::{cache, thread_exit};

#[cfg(not(test))]
mod place {
    use super::{CENTRAL, Cache, EMPTY, class};
    use crate::thread;
    use core::sync::atomic::{AtomicBool, Ordering};

    /// The first thread's.
    static mut FIRST: Cache = EMPTY;
    static FIRST_TAKEN: AtomicBool = AtomicBool::new(false);

    /// The calling thread's cache; `None` without memory for one.
    #[inline]
    pub fn cache() -> Option<&'static mut Cache> {
        // SAFETY: the block is the calling thread's; the cache that it names is its alone until the thread ends.
        unsafe {
            let cache = (*thread::current()).heap.load(Ordering::Relaxed);
            if cache == 0 {
                make()
            } else {
                Some(&mut *core::ptr::with_exposed_provenance_mut::<Cache>(cache))
            }
        }
    }

    #[cold]
    fn make() -> Option<&'static mut Cache> {
        let cache = if FIRST_TAKEN.swap(true, Ordering::Relaxed) {
            CENTRAL.lock().take(class::of(size_of::<Cache>()), 1).0.cast::<Cache>()
        } else {
            &raw mut FIRST
        };
        if cache.is_null() {
            return None;
        }
        // SAFETY: the memory is this thread's alone.
        unsafe {
            cache.write(EMPTY);
            (*thread::current()).heap.store(cache.expose_provenance(), Ordering::Relaxed);
            Some(&mut *cache)
        }
    }

    /// The calling thread ends: its free objects go back.
    pub fn thread_exit() {
        // SAFETY: the block is the calling thread's.
        let cache = unsafe { (*thread::current()).heap.swap(0, Ordering::Relaxed) };
        if cache == 0 {
            return;
        }
        let cache = core::ptr::with_exposed_provenance_mut::<Cache>(cache);
        // SAFETY: no other thread uses this cache, and this one does not any more.
        unsafe { (*cache).clear() };
        if core::ptr::eq(cache, &raw const FIRST) {
            FIRST_TAKEN.store(false, Ordering::Relaxed);
        } else {
            // SAFETY: it was taken as an object of this class, and holds nothing any more.
            unsafe {
                (*cache.cast::<super::Free>()).next = core::ptr::null_mut();
                CENTRAL.lock().give(class::of(size_of::<Cache>()), cache.cast());
            }
        }
    }
}

#[cfg(test)]
mod place {
    use super::{Cache, EMPTY};
    use std::cell::UnsafeCell;

    struct Own(UnsafeCell<Cache>);
    impl Drop for Own {
        fn drop(&mut self) {
            self.0.get_mut().clear();
        }
    }
    std::thread_local!(static CACHE: Own = const { Own(UnsafeCell::new(EMPTY)) });

    /// The calling thread's cache.
    pub fn cache() -> Option<&'static mut Cache> {
        // SAFETY: one thread at a time uses its cache, in one place at a time.
        CACHE.with(|own| Some(unsafe { &mut *own.0.get() }))
    }

    /// Gives everything back.
    pub fn thread_exit() {
        if let Some(cache) = cache() {
            cache.clear();
        }
    }
}

//! malloc under stress, with threads that free what others allocated.

use super::central::CENTRAL;
use super::*;
use core::ffi::c_void;
use core::ptr::null_mut;
use std::sync::mpsc;

struct Random(u64);
impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
    fn size(&mut self) -> usize {
        match self.next(10) {
            0..=6 => self.next(200),
            7 => self.next(5000),
            8 => self.next(100_000),
            _ => self.next(400_000),
        }
    }
}

/// An object filled with one byte.
struct Filled(*mut u8, usize, u8);
// SAFETY: plain memory with one owner.
unsafe impl Send for Filled {}

impl Filled {
    fn new(at: *mut c_void, len: usize, byte: u8) -> Self {
        assert!(!at.is_null());
        assert_eq!(at.addr() % 16, 0);
        // SAFETY: the object holds `len` bytes.
        unsafe {
            assert!(malloc_usable_size(at) >= len);
            at.cast::<u8>().write_bytes(byte, len);
        }
        Self(at.cast(), len, byte)
    }
    fn check(&self) {
        // SAFETY: as above.
        let bytes = unsafe { core::slice::from_raw_parts(self.0, self.1) };
        assert!(bytes.iter().all(|&b| b == self.2), "overwritten");
    }
    fn free(self) {
        self.check();
        // SAFETY: it is live and used no more.
        unsafe { free(self.0.cast()) };
    }
}

#[test]
fn stress_with_threads() {
    let (send, receive) = mpsc::channel::<Filled>();
    std::thread::scope(|scope| {
        for seed in 0..3 {
            let send = send.clone();
            scope.spawn(move || {
                let mut random = Random(seed);
                let mut live = Vec::new();
                for i in 0..6000 {
                    let byte = (i % 251) as u8;
                    let size = random.size();
                    // SAFETY: plain allocation; realloc takes over the old object.
                    let object = unsafe {
                        match random.next(8) {
                            0 => {
                                let at = calloc(size, 1);
                                assert!((0..size).all(|i| *at.cast::<u8>().add(i) == 0));
                                Filled::new(at, size, byte)
                            }
                            1 if !live.is_empty() => {
                                let old: Filled = live.swap_remove(random.next(live.len()));
                                let at = realloc(old.0.cast(), size).cast::<u8>();
                                assert!((0..size.min(old.1)).all(|i| *at.add(i) == old.2));
                                Filled::new(at.cast(), size, byte)
                            }
                            2 => {
                                let align = 16 << random.next(16);
                                let at = aligned_alloc(align, size);
                                assert_eq!(at.addr() % align, 0);
                                Filled::new(at, size, byte)
                            }
                            _ => Filled::new(malloc(size), size, byte),
                        }
                    };
                    live.push(object);
                    if live.len() > 100 {
                        live.swap_remove(random.next(live.len())).free();
                    }
                    if random.next(4) == 0 {
                        send.send(live.swap_remove(random.next(live.len()))).unwrap();
                    }
                }
                live.into_iter().for_each(Filled::free);
                thread_exit();
            });
        }
        drop(send);
        receive.into_iter().for_each(Filled::free);
    });
    thread_exit();
    assert!(CENTRAL.lock().segment_count() <= 20, "memory is returned");
}

#[test]
fn without_memory_there_is_null() {
    os::limit(0);
    // SAFETY: nothing is allocated.
    unsafe {
        assert!(malloc(64 << 20).is_null());
        assert_eq!(crate::errno::get(), crate::errno::ENOMEM);
        assert!(malloc(usize::MAX).is_null());
        assert!(calloc(usize::MAX, 16).is_null());
        assert!(aligned_alloc(1 << 20, 1).is_null());
    }
    os::limit(usize::MAX);
}

#[test]
fn a_kept_mapping_is_zero_for_calloc() {
    // SAFETY: plain allocation.
    unsafe {
        for size in [200_000, 250_000, 1 << 20] {
            let object = malloc(size).cast::<u8>();
            object.write_bytes(7, malloc_usable_size(object.cast()));
            free(object.cast());
            let object = calloc(1, size - 5000).cast::<u8>();
            assert!((0..size - 5000).all(|i| *object.add(i) == 0));
            free(object.cast());
        }
    }
}

#[test]
fn objects_that_grow_keep_what_they_hold() {
    // SAFETY: plain allocation; realloc takes over the old object.
    unsafe {
        let mut object = null_mut::<u8>();
        let mut held = 0;
        let mut others = Vec::new();
        let mut size = 16;
        while size < 3_000_000 {
            object = realloc(object.cast(), size).cast();
            assert!(malloc_usable_size(object.cast()) >= size);
            assert!((0..held).all(|i| *object.add(i) == (i % 249) as u8));
            (held..size).for_each(|i| *object.add(i) = (i % 249) as u8);
            held = size;
            // Something that may lie behind it.
            others.push(Filled::new(malloc(9000), 9000, 5));
            size += size / 3 + 1;
        }
        free(object.cast());
        others.into_iter().for_each(Filled::free);
    }
}

#[test]
fn whole_pages_grow_where_they_are() {
    // SAFETY: plain allocation; nobody else uses the lock's data.
    unsafe {
        let mut central = CENTRAL.lock();
        let object = central.take_growing(10);
        assert!(central.grow_whole(object, 20));
        assert_eq!(central::whole_len(object), 20 * class::PAGE);
        assert!(!central.grow_whole(object, 64));
        assert!(central.give_whole(object));
    }
}

#[test]
fn reallocarr_and_sizes() {
    // SAFETY: one pointer, used as the functions want it.
    unsafe {
        let mut p: *mut u8 = null_mut();
        assert_eq!(reallocarr((&raw mut p).cast(), 10, 10), 0);
        p.write_bytes(1, 100);
        assert_eq!(reallocarr((&raw mut p).cast(), usize::MAX, 10), crate::errno::EOVERFLOW);
        assert_eq!(reallocarr((&raw mut p).cast(), 0, 10), 0);
        assert!(p.is_null());
        let q = malloc(0);
        assert!(!q.is_null());
        free(q);
        let big = malloc(1 << 20).cast::<u8>();
        big.write_bytes(3, 1 << 20);
        let small = realloc(big.cast(), 300_000).cast::<u8>();
        assert_eq!(small, big);
        assert_eq!(*small.add(299_999), 3);
        free(small.cast());
        let mut r = null_mut();
        assert_eq!(posix_memalign(&raw mut r, 3, 1), crate::errno::EINVAL);
        assert_eq!(posix_memalign(&raw mut r, 1 << 19, 1), 0);
        assert_eq!(r.addr() % (1 << 19), 0);
        free(r);
    }
}

#[test]
#[should_panic(expected = "free already")]
fn a_double_free_is_noticed() {
    let cache = cache::cache().unwrap();
    let class = class::of(40);
    let object = cache.take(class);
    // SAFETY: the error under test. (A panic cannot leave `free` itself, which is a C function.)
    unsafe {
        cache.give(class, object);
        cache.give(class, object);
    }
}

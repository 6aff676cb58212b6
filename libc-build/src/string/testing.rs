//! What the unit tests of several modules need: a random number generator, and memory that ends where a page does.

use core::ffi::{c_int, c_void};

/// xorshift64*: the same numbers in every run.
pub(crate) struct Random(u64);

impl Random {
    /// A generator with `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

unsafe extern "C" {
    fn mmap(
        at: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: i64,
    ) -> *mut c_void;
    fn mprotect(at: *mut c_void, length: usize, protection: c_int) -> c_int;
}

/// A page followed by one that cannot be read.
pub(crate) struct AtPageEnd(*mut u8);

impl AtPageEnd {
    /// Maps it (of the host, Linux).
    pub(crate) fn new() -> Self {
        // SAFETY: new memory, of which the second page is closed.
        unsafe {
            let at = mmap(core::ptr::null_mut(), 8192, 3, 0x22, -1, 0);
            assert_ne!(at.addr(), usize::MAX);
            assert_eq!(mprotect(at.cast::<u8>().add(4096).cast(), 4096, 0), 0);
            Self(at.cast())
        }
    }

    /// Puts `bytes` at the very end of the page.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> *mut u8 {
        // SAFETY: at most a page, and it ends with the page.
        unsafe {
            let at = self.0.add(4096 - bytes.len());
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len());
            at
        }
    }
}

//! Bytes through a page that two domains share: a ring in each direction, with free-running counters (Xen's public headers io/console.h and
//! io/xs_wire.h have the same form).
//!
//! The other end is not trusted: counters that cannot be are an empty or a full ring, and nothing outside of the page is touched.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering, fence};

/// One direction.
#[derive(Clone, Copy)]
pub struct Ring {
    bytes: &'static [AtomicU8],
    /// Bytes taken out since the beginning.
    taken: &'static AtomicU32,
    /// Bytes put in since the beginning.
    put: &'static AtomicU32,
}

/// Where a ring lies in its page.
#[derive(Clone, Copy)]
pub struct Layout {
    /// Offset of the bytes.
    pub bytes: usize,
    /// How many; a power of two.
    pub size: usize,
    /// Offset of the consumer's counter.
    pub taken: usize,
    /// Offset of the producer's counter.
    pub put: usize,
}

impl Ring {
    /// The ring of this layout in a page.
    ///
    /// # Safety
    /// The page is mapped for good, readable and writable, and everything that touches it here does so through rings.
    #[must_use]
    pub unsafe fn new(page: *mut u8, layout: Layout) -> Self {
        assert!(
            layout.size.is_power_of_two()
                && layout.bytes + layout.size <= 4096
                && layout.taken.max(layout.put) + 4 <= 4096
                && (layout.taken | layout.put).is_multiple_of(4)
        );
        // SAFETY: the caller's promise; the offsets lie in the page and the counters are aligned.
        unsafe {
            Self {
                bytes: core::slice::from_raw_parts(page.add(layout.bytes).cast(), layout.size),
                taken: &*page.add(layout.taken).cast(),
                put: &*page.add(layout.put).cast(),
            }
        }
    }

    fn slot(&self, counter: u32) -> &AtomicU8 {
        &self.bytes[counter as usize & (self.bytes.len() - 1)]
    }

    /// Puts in as many of the bytes as there is room for; returns how many.
    #[must_use]
    pub fn put(&self, bytes: &[u8]) -> usize {
        let put = self.put.load(Ordering::Relaxed);
        let used = put.wrapping_sub(self.taken.load(Ordering::Acquire)) as usize;
        let count = self.bytes.len().saturating_sub(used).min(bytes.len());
        for (index, &byte) in bytes[..count].iter().enumerate() {
            self.slot(put.wrapping_add(index as u32)).store(byte, Ordering::Relaxed);
        }
        self.put.store(put.wrapping_add(count as u32), Ordering::Release);
        // The other end looks at the counter and then waits to be told; whoever tells it has to see what it saw.
        fence(Ordering::SeqCst);
        count
    }

    /// Takes out as many bytes as there are and fit; returns how many.
    #[must_use]
    pub fn take(&self, buf: &mut [u8]) -> usize {
        let taken = self.taken.load(Ordering::Relaxed);
        let used = self.put.load(Ordering::Acquire).wrapping_sub(taken) as usize;
        if used > self.bytes.len() {
            return 0;
        }
        let count = used.min(buf.len());
        for (index, byte) in buf[..count].iter_mut().enumerate() {
            *byte = self.slot(taken.wrapping_add(index as u32)).load(Ordering::Relaxed);
        }
        self.taken.store(taken.wrapping_add(count as u32), Ordering::Release);
        fence(Ordering::SeqCst);
        count
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.put.load(Ordering::Acquire) == self.taken.load(Ordering::Acquire)
    }
}

/// The rings of a console (`struct xencons_interface`): from the keyboard, and to the screen.
///
/// # Safety
/// As [`Ring::new`].
#[must_use]
pub unsafe fn console(page: *mut u8) -> (Ring, Ring) {
    // SAFETY: the caller's promise.
    unsafe {
        (
            Ring::new(page, Layout { bytes: 0, size: 1024, taken: 3072, put: 3076 }),
            Ring::new(page, Layout { bytes: 1024, size: 2048, taken: 3080, put: 3084 }),
        )
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::{Layout, Ring};
    use crate::xen::test_page;
    use std::vec::Vec;

    const LAYOUT: Layout = Layout { bytes: 16, size: 64, taken: 0, put: 4 };

    fn ring() -> (Ring, *mut u8) {
        let page = test_page();
        // SAFETY: the page stays, and the tests touch it through rings and atomics.
        (unsafe { Ring::new(page, LAYOUT) }, page)
    }

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let (ring, _) = ring();
        let (mut sent, mut received) = (0_u32, 0_u32);
        for step in 1..200 {
            let bytes: Vec<u8> = (0..step % 50).map(|n| (sent + n) as u8).collect();
            sent += ring.put(&bytes) as u32;
            let mut buf = [0; 37];
            let count = ring.take(&mut buf);
            for &byte in &buf[..count] {
                assert_eq!(byte, received as u8);
                received += 1;
            }
        }
        assert!(received > 1000 && sent - received <= 64);
    }

    #[test]
    fn a_full_ring_takes_no_more() {
        let (ring, _) = ring();
        assert_eq!(ring.put(&[7; 100]), 64);
        assert_eq!(ring.put(&[7; 100]), 0);
        assert_eq!(ring.take(&mut [0; 10]), 10);
        assert_eq!(ring.put(&[7; 100]), 10);
    }

    #[test]
    fn counters_that_lie_give_nothing() {
        let (ring, page) = ring();
        for put in [65, 1000, u32::MAX] {
            // SAFETY: the counter's place.
            unsafe { page.add(4).cast::<u32>().write_volatile(put) };
            assert_eq!(ring.take(&mut [0; 100]), 0);
        }
        // SAFETY: the other counter's.
        unsafe { page.cast::<u32>().write_volatile(5000) };
        let _ = ring.put(&[1; 100]);
    }
}

//! The front end's side of a ring of requests and answers in a shared page (Xen's public header io/ring.h).
//!
//! Counters run freely. Answers come in the order of the requests' places, though not of the requests. The other end is not trusted: it can claim no
//! more answers than there are requests, and what it writes is read once.

use core::sync::atomic::{AtomicU32, Ordering, fence};

use rump_hypercall::memory::{self, PAGE_SIZE, Page};

use super::{Broken, Port};
use crate::xen::grant::GrantRef;

/// Places of a ring: what fits into a page behind the counters, as a power of two; the same for both of a network device's rings.
pub const PLACES: u32 = 256;
/// Offset of the first place.
const FIRST: usize = 64;

/// A ring whose places have `WORDS` words of 32 bits.
pub struct Ring<const WORDS: usize> {
    page: Page,
    /// `None` once that was taken back, and the page with it.
    grant: Option<GrantRef>,
    /// Requests made, published or not.
    requested: u32,
    /// Requests that the other end knows of.
    published: u32,
    /// Answers taken.
    answered: u32,
}

impl<const WORDS: usize> Ring<WORDS> {
    /// An empty ring that the other end may reach; `None` without memory or grants.
    pub fn new(port: &mut dyn Port) -> Option<Self> {
        const { assert!(FIRST + PLACES as usize * WORDS * 4 <= PAGE_SIZE) };
        let page = memory::page_alloc().ok()?;
        let Some(grant) = port.grant(page.0 * PAGE_SIZE as u64, false) else {
            // SAFETY: just allocated, and nobody knows of it.
            unsafe { memory::page_free(page) };
            return None;
        };
        let ring = Self { page, grant: Some(grant), requested: 0, published: 0, answered: 0 };
        ring.word(1).store(1, Ordering::Relaxed);
        ring.silence();
        Some(ring)
    }

    /// What the other end knows it by.
    pub fn grant(&self) -> Option<GrantRef> {
        self.grant
    }

    /// Takes the page back, after which the ring is not used any more. False while the other end keeps it.
    pub fn close(&mut self, port: &mut dyn Port) -> bool {
        if self.grant.is_some_and(|grant| port.end(grant)) {
            self.grant = None;
            // SAFETY: from the allocator, and neither end uses it any more.
            unsafe { memory::page_free(self.page) };
        }
        self.grant.is_none()
    }

    /// A word of the page: 0 requests published, 1 the request to be told of, 2 answers published, 3 the answer to be told of.
    fn word(&self, index: usize) -> &AtomicU32 {
        debug_assert!(self.grant.is_some(), "the page is not the ring's any more");
        assert!(index < PAGE_SIZE / 4);
        // SAFETY: in the page, which is the ring's own, aligned, and touched by atomics only, here and at the other end.
        unsafe { &*memory::page_ptr(self.page).cast::<AtomicU32>().add(index) }
    }

    fn place(&self, counter: u32) -> usize {
        FIRST / 4 + (counter % PLACES) as usize * WORDS
    }

    /// Requests that there is room for.
    pub fn room(&self) -> u32 {
        PLACES - self.requested.wrapping_sub(self.answered)
    }

    /// The counter of the next request.
    pub fn requested(&self) -> u32 {
        self.requested
    }

    /// The counter of the next answer.
    pub fn answered(&self) -> u32 {
        self.answered
    }

    /// Makes a request, to be published. There is [`Ring::room`].
    pub fn request(&mut self, words: [u32; WORDS]) {
        let place = self.place(self.requested);
        for (index, word) in words.into_iter().enumerate() {
            self.word(place + index).store(word, Ordering::Relaxed);
        }
        self.requested = self.requested.wrapping_add(1);
    }

    /// Shows the other end what was requested. True if it wants to be told.
    pub fn publish(&mut self) -> bool {
        let new = self.requested.wrapping_sub(self.published);
        if new == 0 {
            return false;
        }
        self.published = self.requested;
        self.word(0).store(self.requested, Ordering::Release);
        fence(Ordering::SeqCst);
        self.requested.wrapping_sub(self.word(1).load(Ordering::Relaxed)) < new
    }

    /// How many answers there are to take.
    pub fn available(&self) -> Result<u32, Broken> {
        let count = self.word(2).load(Ordering::Acquire).wrapping_sub(self.answered);
        if count > self.published.wrapping_sub(self.answered) { Err(Broken::Counter) } else { Ok(count) }
    }

    /// One of the answers that are [`Ring::available`].
    pub fn answer(&self, nth: u32) -> [u32; WORDS] {
        let place = self.place(self.answered.wrapping_add(nth));
        core::array::from_fn(|index| self.word(place + index).load(Ordering::Relaxed))
    }

    /// Has taken that many of them.
    pub fn take(&mut self, count: u32) {
        self.answered = self.answered.wrapping_add(count);
    }

    /// Whether there is an answer, or something that cannot be.
    pub fn has_answer(&self) -> bool {
        self.available() != Ok(0)
    }

    /// Asks to be told of the next answer. True if there is one already.
    pub fn ask(&self) -> bool {
        self.word(3).store(self.answered.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.has_answer()
    }

    /// Asks not to be told: the answer asked for has been given.
    pub fn silence(&self) {
        self.word(3).store(self.answered, Ordering::Relaxed);
    }
}

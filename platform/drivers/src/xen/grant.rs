//! The grant table: pages that the domain lets another one map (Xen's public header grant_table.h, version 1 of the table).

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// The page may be mapped (GTF_permit_access).
const PERMIT_ACCESS: u16 = 1;
/// Only for reading (GTF_readonly).
const READONLY: u16 = 1 << 2;
/// It is mapped for reading or for writing (GTF_reading, GTF_writing).
const IN_USE: u16 = 1 << 3 | 1 << 4;
/// Entries that Xen keeps for itself (GNTTAB_NR_RESERVED_ENTRIES).
const RESERVED: u32 = 8;

/// `struct grant_entry_v1`.
#[repr(C)]
struct Entry {
    flags: AtomicU16,
    domain: AtomicU16,
    frame: AtomicU32,
}

/// What the other domain names a page by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantRef(pub u32);

/// The table.
pub struct GrantTable {
    entries: &'static [Entry],
    free: Vec<u32>,
}

impl GrantTable {
    /// The table in `pages` neighbouring pages that Xen has set up for it (GNTTABOP_setup_table).
    ///
    /// # Safety
    /// The pages are the grant table's, mapped for good, and touched by nobody else here.
    #[must_use]
    pub unsafe fn new(pages: *mut u8, count: usize) -> Self {
        let len = count * 4096 / size_of::<Entry>();
        // SAFETY: the caller's promise; an entry of zeros is one that grants nothing.
        let entries = unsafe { core::slice::from_raw_parts(pages.cast(), len) };
        // The lowest are given out first.
        Self { entries, free: (RESERVED..len as u32).rev().collect() }
    }

    fn entry(&self, grant: GrantRef) -> &Entry {
        &self.entries[grant.0 as usize]
    }

    /// Lets a domain map the page with this machine frame; `None` if the table is full.
    pub fn grant(&mut self, domain: u16, frame: u32, readonly: bool) -> Option<GrantRef> {
        let grant = GrantRef(self.free.pop()?);
        let entry = self.entry(grant);
        entry.domain.store(domain, Ordering::Relaxed);
        entry.frame.store(frame, Ordering::Relaxed);
        // The flags make it valid, so they come last.
        entry.flags.store(PERMIT_ACCESS | if readonly { READONLY } else { 0 }, Ordering::Release);
        Some(grant)
    }

    /// Takes a grant back. False if the other domain has the page mapped still: then it stays granted, and must not be used for anything else.
    pub fn end(&mut self, grant: GrantRef) -> bool {
        let entry = self.entry(grant);
        let mut flags = entry.flags.load(Ordering::Relaxed);
        loop {
            if flags & IN_USE != 0 {
                return false;
            }
            match entry.flags.compare_exchange_weak(flags, 0, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => flags = now,
            }
        }
        self.free.push(grant.0);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{GrantRef, GrantTable};
    use crate::xen::test_page;

    #[test]
    fn grants_are_given_and_taken_back() {
        let pages = test_page();
        // SAFETY: the page stays, and is touched by the table and by this test in turn.
        let mut table = unsafe { GrantTable::new(pages, 1) };
        let first = table.grant(3, 0x1234, true).unwrap();
        assert_eq!(first, GrantRef(8));
        // SAFETY: the entry's words.
        let word = |index: usize| unsafe { pages.add(64).cast::<u16>().add(index).read_volatile() };
        assert_eq!((word(0), word(1), word(2)), (0b101, 3, 0x1234));
        // The other domain maps it.
        // SAFETY: as above.
        unsafe { pages.add(64).cast::<u16>().write_volatile(0b1101) };
        assert!(!table.end(first));
        // SAFETY: as above.
        unsafe { pages.add(64).cast::<u16>().write_volatile(0b101) };
        assert!(table.end(first));
        assert_eq!(word(0), 0);

        let mut given = 0;
        while table.grant(1, given, false).is_some() {
            given += 1;
        }
        assert_eq!(given, 512 - 8);
    }
}

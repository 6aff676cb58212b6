//! An address space: the map, the private pages and the page tables, kept in step (vmspace of uvm(9)).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use rump_hypercall::memory::{self, Prot, USER_MIN};

use super::anon::{AnonPages, LEAF_PAGES};
use super::entry::{Backing, Entry};
use super::map::VmMap;
use super::object::UvmObject;
use super::{PAGE_SIZE, VM_MAXUSER_ADDRESS};
use crate::errno::Errno;

/// Most map entries that a program may make: mappings cost kernel memory.
const ENTRIES_MAX: usize = 1 << 18;

/// An address space.
pub struct VmSpace {
    /// What is mapped.
    pub map: VmMap,
    /// The resident private pages.
    pub anon: AnonPages,
    /// Where the heap of brk(2) starts.
    pub brk_start: usize,
    /// Where it ends.
    pub brk_end: usize,
    /// mlockall(MCL_FUTURE): new mappings are brought in at once.
    pub wire_future: bool,
}

/// What an unmapping took out of the map. Dropping it may release files, which may wait: the address space must not be borrowed then.
#[must_use = "dropped after the borrow of the address space has ended"]
pub struct Removed(Vec<Arc<dyn UvmObject>>);

impl Removed {
    /// Keeps what has to be dropped later. Neighbours mostly map the same object.
    fn keep(&mut self, entry: &Entry) {
        let (Backing::Shared { object, .. } | Backing::Private { object, .. }) = &entry.backing else {
            return;
        };
        if !self.0.last().is_some_and(|last| Arc::ptr_eq(last, object)) {
            self.0.push(Arc::clone(object));
        }
    }
}

impl VmSpace {
    /// An empty space.
    #[must_use]
    pub fn new() -> Self {
        Self {
            map: VmMap::new(USER_MIN..VM_MAXUSER_ADDRESS),
            anon: AnonPages::new(),
            brk_start: 0,
            brk_end: 0,
            wire_future: false,
        }
    }

    /// Checks that there is room for another mapping's bookkeeping.
    ///
    /// # Errors
    /// ENOMEM if there is not.
    pub fn check_room(&self) -> Result<(), Errno> {
        if self.map.len() >= ENTRIES_MAX || super::fault::memory_is_short() {
            return Err(Errno::ENOMEM);
        }
        Ok(())
    }

    /// Maps `range` (page-aligned, in bounds), replacing what was there.
    pub fn map(&mut self, range: Range<usize>, entry: Entry) -> Removed {
        let removed = self.unmap(range.clone());
        self.map.insert(range.start, entry);
        removed
    }

    /// Unmaps `range` and frees its private pages.
    pub fn unmap(&mut self, range: Range<usize>) -> Removed {
        let mut removed = Removed(Vec::new());
        let anon = &mut self.anon;
        self.map.remove(range, |start, entry| {
            memory::pmap_remove(start, entry.end);
            if !matches!(entry.backing, Backing::Shared { .. }) {
                anon.free_range(start / PAGE_SIZE..entry.end / PAGE_SIZE);
            }
            removed.keep(&entry);
        });
        removed
    }

    /// Changes the protection of `range`, all of which is mapped.
    ///
    /// # Errors
    /// ENOMEM if it is not all mapped, EACCES if a part may not have this protection.
    pub fn protect(&mut self, range: Range<usize>, prot: Prot) -> Result<(), Errno> {
        if range.is_empty() {
            return Ok(());
        }
        if !self.map.is_full(range.clone()) {
            return Err(Errno::ENOMEM);
        }
        if self.map.overlapping(range.clone()).any(|(_, entry)| !entry.max_prot.contains(prot)) {
            return Err(Errno::EACCES);
        }
        self.map.update(range, |start, entry| {
            if entry.prot == prot {
                return;
            }
            let mapped = match &entry.backing {
                // Pages of the object are in the page tables beside private copies: a store must come to the fault handler.
                Backing::Private { .. } => prot - Prot::WRITE,
                Backing::Shared { object, .. } if object.notices_writes() => prot - Prot::WRITE,
                Backing::Anon | Backing::Shared { .. } => prot,
            };
            if mapped.is_empty() {
                memory::pmap_remove(start, entry.end);
            } else {
                memory::pmap_protect(start, entry.end, mapped);
            }
            entry.prot = prot;
        });
        Ok(())
    }

    /// Frees the private pages of `range`: where the memory is anonymous, it is zero again.
    pub fn discard(&mut self, range: Range<usize>) {
        for (start, entry) in self.map.overlapping(range.clone()) {
            if matches!(entry.backing, Backing::Anon) {
                let (start, end) = (start.max(range.start), entry.end.min(range.end));
                memory::pmap_remove(start, end);
                self.anon.free_range(start / PAGE_SIZE..end / PAGE_SIZE);
            }
        }
    }

    /// Moves the mapping of `from` to the free addresses from `to` on; the pages go along.
    pub fn relocate(&mut self, from: Range<usize>, to: usize) {
        memory::pmap_remove(from.start, from.end);
        let mut chunk = from.start / PAGE_SIZE;
        let end = from.end / PAGE_SIZE;
        while chunk < end {
            // Some pages at a time: a mapping may be as large as the memory.
            let next = (chunk + LEAF_PAGES).min(end);
            let mut pages = [const { None }; LEAF_PAGES];
            self.anon.take_range(chunk..next, |vpn, page| pages[vpn - chunk] = Some(page));
            for (index, page) in pages.into_iter().enumerate() {
                if let Some(page) = page {
                    self.anon.insert(chunk + index - from.start / PAGE_SIZE + to / PAGE_SIZE, page);
                }
            }
            chunk = next;
        }
        while let Some((start, mut entry)) = self.map.remove_first(from.clone()) {
            entry.end = entry.end - from.start + to;
            entry.next_fault = 0;
            self.map.insert(start - from.start + to, entry);
        }
    }

    /// See [`super::unmap_object`].
    pub fn unmap_object(&self, object: &Arc<dyn UvmObject>, range: Range<u64>) {
        for (start, entry) in self.map.iter() {
            let (Backing::Shared { object: mapped, offset } | Backing::Private { object: mapped, offset }) =
                &entry.backing
            else {
                continue;
            };
            if !Arc::ptr_eq(mapped, object) {
                continue;
            }
            let len = (entry.end - start) as u64;
            let first = range.start.max(*offset);
            let last = range.end.min(offset.saturating_add(len));
            if first < last {
                // Both are at most `len` beyond `offset`, so they fit the address space.
                memory::pmap_remove(start + (first - offset) as usize, start + (last - offset) as usize);
            }
        }
    }

    /// Bytes of memory that the space has in core, private ones.
    #[must_use]
    pub fn resident_bytes(&self) -> usize {
        self.anon.count() * PAGE_SIZE
    }
}

impl Default for VmSpace {
    fn default() -> Self {
        Self::new()
    }
}

//! Map entries: runs of addresses with the same attributes (vm_map_entry of uvm(9)).

use alloc::sync::Arc;

use bitflags::bitflags;
use rump_hypercall::memory::Prot;

use super::object::UvmObject;

/// What lies under a mapping.
#[derive(Clone)]
pub enum Backing {
    /// Private memory, zero at first.
    Anon,
    /// An object from `offset` on; stores go to the object.
    Shared {
        /// The object.
        object: Arc<dyn UvmObject>,
        /// Offset in the object of the entry's first byte.
        offset: u64,
    },
    /// An object from `offset` on; stores go to private copies.
    Private {
        /// The object.
        object: Arc<dyn UvmObject>,
        /// Offset in the object of the entry's first byte.
        offset: u64,
    },
}

impl Backing {
    /// The backing of what lies `bytes` further on.
    #[must_use]
    pub fn advanced(&self, bytes: usize) -> Self {
        let mut backing = self.clone();
        match &mut backing {
            Self::Anon => {}
            Self::Shared { offset, .. } | Self::Private { offset, .. } => {
                *offset = offset.wrapping_add(bytes as u64)
            }
        }
        backing
    }

    /// Whether `next`, which begins `bytes` further on, goes on where this ends.
    fn continues(&self, next: &Self, bytes: usize) -> bool {
        match (self, next) {
            (Self::Anon, Self::Anon) => true,
            (Self::Shared { object: a, offset: from }, Self::Shared { object: b, offset: to })
            | (Self::Private { object: a, offset: from }, Self::Private { object: b, offset: to }) => {
                Arc::ptr_eq(a, b) && from.checked_add(bytes as u64) == Some(*to)
            }
            _ => false,
        }
    }
}

bitflags! {
    /// Further attributes.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flags: u8 {
        /// mlock(2): to stay in memory. (Everything does; the attribute is for mincore(2)'s sake and madvise(2)'s.)
        const WIRED = 1;
    }
}

/// An entry. Its start is its key in the map.
#[derive(Clone)]
pub struct Entry {
    /// First address after it.
    pub end: usize,
    /// What may be done with it.
    pub prot: Prot,
    /// What mprotect(2) may make of it.
    pub max_prot: Prot,
    /// minherit(2)'s value.
    pub inherit: u8,
    /// Further attributes.
    pub flags: Flags,
    /// What lies under it.
    pub backing: Backing,
    /// Where the next fault would be if the application went through the memory in order.
    pub next_fault: usize,
    /// How many pages the last fault brought in.
    pub window_pages: u8,
}

impl Entry {
    /// Private memory up to `end`.
    #[must_use]
    pub fn new(end: usize, prot: Prot, max_prot: Prot, backing: Backing) -> Self {
        Self {
            end,
            prot,
            max_prot,
            inherit: super::INHERIT_COPY,
            flags: Flags::empty(),
            backing,
            next_fault: 0,
            window_pages: 0,
        }
    }

    /// Whether the entry (from `start`) and the one that follows it could be one.
    #[must_use]
    pub fn joins(&self, start: usize, next: &Self) -> bool {
        self.prot == next.prot
            && self.max_prot == next.max_prot
            && self.inherit == next.inherit
            && self.flags == next.flags
            && self.backing.continues(&next.backing, self.end - start)
    }
}

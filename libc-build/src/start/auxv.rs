//! The auxiliary vector (elf(5), sys/exec_elf.h) that the kernel puts above the environment.

use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, Ordering};

/// An entry.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Auxv {
    /// What it is: one of the constants here.
    pub kind: u64,
    /// The value.
    pub value: u64,
}

impl Auxv {
    /// The end of the vector.
    pub const NULL: u64 = 0;
    /// Where the program headers are.
    pub const PHDR: u64 = 3;
    /// How many program headers there are.
    pub const PHNUM: u64 = 5;
    /// The size of a page.
    pub const PAGESZ: u64 = 6;
    /// Where the dynamic linker is.
    pub const BASE: u64 = 7;
    /// The program's entry.
    pub const ENTRY: u64 = 9;
    /// The effective user.
    pub const EUID: u64 = 2000;
    /// The real user.
    pub const RUID: u64 = 2001;
    /// The effective group.
    pub const EGID: u64 = 2002;
    /// The real group.
    pub const RGID: u64 = 2003;
    /// The path of the program.
    pub const SUN_EXECNAME: u64 = 2014;
}

static VECTOR: AtomicPtr<Auxv> = AtomicPtr::new(core::ptr::null_mut());

/// Remembers the vector; the start-up code calls it once.
pub(super) fn set(vector: *mut Auxv) {
    VECTOR.store(vector, Ordering::Relaxed);
}

/// An address near the upper end of the first thread's stack: above its frames, below the program's arguments' strings.
#[must_use]
pub fn stack_end() -> usize {
    VECTOR.load(Ordering::Relaxed).addr()
}

/// The vector's entries.
pub fn auxv() -> impl Iterator<Item = Auxv> {
    let mut at = VECTOR.load(Ordering::Relaxed);
    core::iter::from_fn(move || {
        if at.is_null() {
            return None;
        }
        // SAFETY: the vector ends with a NULL entry, and the iterator does not go past it.
        let entry = unsafe { at.read() };
        at = at.wrapping_add(1);
        (entry.kind != Auxv::NULL).then_some(entry)
    })
}

/// The value of the first entry of a kind.
#[must_use]
pub fn auxv_value(kind: u64) -> Option<u64> {
    auxv().find(|entry| entry.kind == kind).map(|entry| entry.value)
}

/// _dlauxinfo(3): the vector.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn _dlauxinfo() -> *mut c_void {
    VECTOR.load(Ordering::Relaxed).cast()
}

#[cfg(test)]
mod tests {
    use super::{Auxv, auxv_value, set};

    #[test]
    fn looks_values_up() {
        let vector = Box::leak(Box::new([
            Auxv { kind: Auxv::PHNUM, value: 8 },
            Auxv { kind: Auxv::ENTRY, value: 0x100_0000 },
            Auxv { kind: Auxv::NULL, value: 0 },
        ]));
        set(vector.as_mut_ptr());
        assert_eq!(auxv_value(Auxv::ENTRY), Some(0x100_0000));
        assert_eq!(auxv_value(Auxv::PHDR), None);
    }
}

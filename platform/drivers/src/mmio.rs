//! Device registers in memory.

/// A window onto a device's registers.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    base: *mut u8,
    len: usize,
}

// SAFETY: drivers run on the one virtual CPU.
unsafe impl Send for Registers {}

impl Registers {
    /// A window of `len` bytes at `base`.
    ///
    /// # Safety
    /// The bytes are mapped uncached for as long as the window is used, and belong to a device that its driver may do anything with.
    #[must_use]
    pub const unsafe fn new(base: *mut u8, len: usize) -> Self {
        Self { base, len }
    }

    /// Where it begins.
    #[must_use]
    pub const fn base(&self) -> *mut u8 {
        self.base
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A part of it, if it has that.
    #[must_use]
    pub fn part(&self, offset: usize, len: usize) -> Option<Self> {
        let end = offset.checked_add(len)?;
        // SAFETY: within the window.
        (end <= self.len).then(|| Self { base: unsafe { self.base.add(offset) }, len })
    }

    #[inline]
    fn at<T>(&self, offset: usize) -> *mut T {
        assert!(
            offset + size_of::<T>() <= self.len && offset.is_multiple_of(size_of::<T>()),
            "a register outside its window"
        );
        // SAFETY: within the window.
        unsafe { self.base.add(offset).cast() }
    }

    /// Reads 8 bits.
    #[must_use]
    pub fn read8(&self, offset: usize) -> u8 {
        // SAFETY: `at` has checked the place; the window's promise.
        unsafe { self.at::<u8>(offset).read_volatile() }
    }

    /// Reads 16 bits.
    #[must_use]
    pub fn read16(&self, offset: usize) -> u16 {
        // SAFETY: as above.
        unsafe { self.at::<u16>(offset).read_volatile() }
    }

    /// Reads 32 bits.
    #[must_use]
    #[inline]
    pub fn read32(&self, offset: usize) -> u32 {
        // SAFETY: as above.
        unsafe { self.at::<u32>(offset).read_volatile() }
    }

    /// Writes 8 bits.
    pub fn write8(&self, offset: usize, value: u8) {
        // SAFETY: as above.
        unsafe { self.at::<u8>(offset).write_volatile(value) };
    }

    /// Writes 16 bits.
    #[inline]
    pub fn write16(&self, offset: usize, value: u16) {
        // SAFETY: as above.
        unsafe { self.at::<u16>(offset).write_volatile(value) };
    }

    /// Writes 32 bits.
    #[inline]
    pub fn write32(&self, offset: usize, value: u32) {
        // SAFETY: as above.
        unsafe { self.at::<u32>(offset).write_volatile(value) };
    }

    /// Writes 64 bits as two halves, the low one first: not every device takes them at once.
    pub fn write64(&self, offset: usize, value: u64) {
        self.write32(offset, value as u32);
        self.write32(offset + 4, (value >> 32) as u32);
    }
}

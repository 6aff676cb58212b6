//! A growing array on malloc(3): the kit has no global allocator, and running out of memory is an error here, not a panic.

use super::heap::{free, realloc};
use core::ops::{Deref, DerefMut};
use core::ptr;

/// There was no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// Elements that need no destructor, one behind the other.
#[derive(Debug)]
pub struct Array<T: Copy> {
    start: *mut T,
    length: usize,
    capacity: usize,
}

impl<T: Copy> Array<T> {
    /// No elements, no memory.
    #[must_use]
    pub const fn new() -> Self {
        Self { start: ptr::null_mut(), length: 0, capacity: 0 }
    }

    /// `length` times `value`.
    ///
    /// # Errors
    /// No memory.
    pub fn filled(value: T, length: usize) -> Result<Self, NoMemory> {
        let mut array = Self::new();
        array.reserve(length)?;
        for _ in 0..length {
            array.push(value)?;
        }
        Ok(array)
    }

    /// A copy of `values`.
    ///
    /// # Errors
    /// No memory.
    pub fn copied(values: &[T]) -> Result<Self, NoMemory> {
        let mut array = Self::new();
        array.extend(values)?;
        Ok(array)
    }

    fn reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        let wanted = self.length.checked_add(more).ok_or(NoMemory)?;
        if wanted <= self.capacity {
            return Ok(());
        }
        let capacity = wanted.max(self.capacity * 2).max(8);
        let bytes = capacity.checked_mul(size_of::<T>()).ok_or(NoMemory)?;
        // SAFETY: the block is null or from realloc(3), which aligns for any type used here.
        let start = unsafe { realloc(self.start.cast(), bytes) }.cast::<T>();
        if start.is_null() {
            return Err(NoMemory);
        }
        (self.start, self.capacity) = (start, capacity);
        Ok(())
    }

    /// Appends an element.
    ///
    /// # Errors
    /// No memory.
    pub fn push(&mut self, value: T) -> Result<(), NoMemory> {
        self.reserve(1)?;
        // SAFETY: there is room for one more.
        unsafe { self.start.add(self.length).write(value) };
        self.length += 1;
        Ok(())
    }

    /// Appends a copy of `values`.
    ///
    /// # Errors
    /// No memory.
    pub fn extend(&mut self, values: &[T]) -> Result<(), NoMemory> {
        self.reserve(values.len())?;
        for &value in values {
            self.push(value)?;
        }
        Ok(())
    }

    /// Puts an element before the one at `index`, which is at most the length.
    ///
    /// # Errors
    /// No memory.
    pub fn insert(&mut self, index: usize, value: T) -> Result<(), NoMemory> {
        self.push(value)?;
        if let Some(tail) = self.get_mut(index..) {
            tail.rotate_right(1);
        }
        Ok(())
    }

    /// Leaves the first `length` elements.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Gives the block to the caller, who frees it. Null where nothing was ever put in.
    #[must_use]
    pub fn into_raw(self) -> *mut T {
        let start = self.start;
        core::mem::forget(self);
        start
    }
}

impl<T: Copy> Default for Array<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Copy> Deref for Array<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        if self.start.is_null() {
            return &[];
        }
        // SAFETY: `length` elements were written.
        unsafe { core::slice::from_raw_parts(self.start, self.length) }
    }
}

impl<T: Copy> DerefMut for Array<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        if self.start.is_null() {
            return &mut [];
        }
        // SAFETY: as above, borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl<T: Copy> Drop for Array<T> {
    fn drop(&mut self) {
        // SAFETY: the block is null or this array's own.
        unsafe { free(self.start.cast()) };
    }
}

//! A cell for kernel state that is guarded by the virtual CPU.

use core::cell::{Ref, RefCell, RefMut};

/// State that only component code touches, and therefore only the holder of the virtual CPU.
///
/// It is a `RefCell` that may stand in a `static`. A borrow must not be held over a call that waits
/// ([`crate::sync`], [`crate::thread`]): the next component to run would find it borrowed, and the kernel would panic.
pub struct Giant<T>(RefCell<T>);

// SAFETY: component code runs only while it holds the one virtual CPU (crate documentation), so no two
// threads ever reach the cell at the same time, and handing the CPU over is a full memory barrier.
unsafe impl<T> Sync for Giant<T> {}
// SAFETY: as above; a value moves between threads only by handing the virtual CPU over.
unsafe impl<T> Send for Giant<T> {}

impl<T> Giant<T> {
    /// A cell that holds `value`.
    pub const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// Reads the state.
    ///
    /// # Panics
    /// If it is borrowed mutably, which means that a borrow was held over a wait.
    #[inline]
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.0.borrow()
    }

    /// Changes the state.
    ///
    /// # Panics
    /// If it is borrowed, which means that a borrow was held over a wait.
    #[inline]
    #[track_caller]
    pub fn borrow_mut(&self) -> RefMut<'_, T> {
        self.0.borrow_mut()
    }

    /// The state, without a check, for an owner.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T: Copy> Giant<T> {
    /// A copy of the state.
    #[inline]
    pub fn get(&self) -> T {
        *self.0.borrow()
    }

    /// Replaces the state.
    #[inline]
    pub fn set(&self, value: T) {
        *self.0.borrow_mut() = value;
    }
}

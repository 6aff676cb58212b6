//! Who waits for an object to become ready (selinfo(9), and the klist of kqueue(9)).
//!
//! One list serves select(2), poll(2) and kqueue(2): whoever is on it is told when the object's state changes, and looks for itself.
//! Telling costs one test when nobody listens. A watcher must not change the list from inside its notification.

use alloc::rc::Rc;
use alloc::vec::Vec;

use rump_hypercall::Giant;

use crate::errno::Errno;

/// Someone who is told of changes.
pub trait Watcher {
    /// The object changed. `hint` holds NOTE_ bits for those who watch what happens to a file (EVFILT_VNODE), and is 0 for a change
    /// of readiness. Must not wait. The object's own state must not be borrowed by the caller: a watcher asks the object.
    fn notify(&self, hint: u32);
}

/// The list.
pub struct SelInfo {
    watchers: Giant<Vec<Rc<dyn Watcher>>>,
}

impl Default for SelInfo {
    fn default() -> Self {
        Self::new()
    }
}

impl SelInfo {
    /// Nobody listens.
    #[must_use]
    pub const fn new() -> Self {
        Self { watchers: Giant::new(Vec::new()) }
    }

    /// selrecord(9): puts a watcher on the list.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn record(&self, watcher: Rc<dyn Watcher>) -> Result<(), Errno> {
        let mut watchers = self.watchers.borrow_mut();
        watchers.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        watchers.push(watcher);
        Ok(())
    }

    /// Takes a watcher off the list.
    pub fn remove(&self, watcher: &Rc<dyn Watcher>) {
        let mut watchers = self.watchers.borrow_mut();
        // The addresses of the objects say who is who; the addresses of their tables of methods need not be unique.
        let address = Rc::as_ptr(watcher).cast::<()>();
        // From the end: a watcher that waits comes and goes, one that stays was there before.
        if let Some(at) = watchers.iter().rposition(|other| Rc::as_ptr(other).cast::<()>() == address) {
            watchers.swap_remove(at);
        }
    }

    /// selnotify(9): tells the watchers.
    #[inline]
    pub fn notify(&self, hint: u32) {
        let watchers = self.watchers.borrow();
        for watcher in &*watchers {
            watcher.notify(hint);
        }
    }

    /// Whether anybody listens.
    #[inline]
    #[must_use]
    pub fn is_watched(&self) -> bool {
        !self.watchers.borrow().is_empty()
    }
}

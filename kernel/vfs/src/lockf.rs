//! Advisory locks of whole files (flock(2)): they belong to open files.

use alloc::vec::Vec;
use core::cell::RefCell;

use rump_hypercall::sync::CondVar;
use rump_hypercall::time::NEVER;
use rump_kern::errno::Errno;
use rump_kern::file::{LockKind, Wait};
use rump_kern::sleep_sig;

/// The locks of one file.
#[derive(Default)]
pub struct Locks {
    /// Which open file holds which kind: one exclusive, or any number of shared ones.
    holders: RefCell<Vec<(usize, LockKind)>>,
    /// Who waits for a lock.
    cv: CondVar,
}

impl Locks {
    /// Takes a lock for open file `id`, or changes its kind.
    ///
    /// # Errors
    /// EWOULDBLOCK, EINTR, ERESTART, ENOMEM. A lock whose kind was to be changed has been given up then.
    pub fn lock(&self, id: usize, kind: LockKind, wait: Wait) -> Result<(), Errno> {
        // Changing the kind gives the old lock up first, as flock(2) says.
        self.unlock(id);
        loop {
            let mut holders = self.holders.borrow_mut();
            let blocked = match kind {
                LockKind::Exclusive => !holders.is_empty(),
                LockKind::Shared => holders.iter().any(|&(_, held)| held == LockKind::Exclusive),
            };
            if !blocked {
                holders.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                holders.push((id, kind));
                return Ok(());
            }
            drop(holders);
            if wait == Wait::No {
                return Err(Errno::EWOULDBLOCK);
            }
            sleep_sig(&self.cv, NEVER)?;
        }
    }

    /// Gives the lock of open file `id` up, if it has one.
    pub fn unlock(&self, id: usize) {
        let mut holders = self.holders.borrow_mut();
        let before = holders.len();
        holders.retain(|&(holder, _)| holder != id);
        if holders.len() != before {
            self.cv.broadcast();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LockKind, Locks, Wait};
    use rump_kern::errno::Errno;
    use rumpbake_posix as _;

    #[test]
    fn exclusive_excludes() {
        let locks = Locks::default();
        locks.lock(1, LockKind::Shared, Wait::No).unwrap();
        locks.lock(2, LockKind::Shared, Wait::No).unwrap();
        assert_eq!(locks.lock(3, LockKind::Exclusive, Wait::No), Err(Errno::EWOULDBLOCK));
        locks.unlock(1);
        locks.lock(2, LockKind::Exclusive, Wait::No).unwrap();
        assert_eq!(locks.lock(1, LockKind::Shared, Wait::No), Err(Errno::EWOULDBLOCK));
        locks.unlock(2);
        locks.lock(1, LockKind::Shared, Wait::No).unwrap();
    }
}

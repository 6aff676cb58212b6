//! kqueue(2): events that are remembered until they are asked for.
//!
//! - [`knote`] is one registration: what is watched, and what it has seen; [`timer`] is the filter that watches the clock;
//! - [`calls`] are the system calls.
//!
//! A knote is told when what it watches changes ([`crate::selinfo`]); if that is an event, it goes on its kqueue's list of active
//! ones. So taking events costs in proportion to those that are there, however many knotes there are. A knote on the list is
//! asked once more before it is handed out, since what made it active may be over.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use core::any::Any;
use core::cell::RefCell;

use rump_abi::types::Kevent;
use rump_hypercall::Giant;
use rump_hypercall::sync::CondVar;

use crate::errno::{ERESTART, Errno};
use crate::file::poll::READABLE;
use crate::file::{Attr, File, FileHead, FileOps, FileRef, Filter, FilterState, flag};
use crate::ioctl::answer_int;
use crate::selinfo::SelInfo;
use crate::sleep::sleep_sig;
use crate::uio::Uio;
use crate::uvm::fault::memory_is_short;

pub mod calls;
pub mod knote;
pub mod timer;

use knote::{Handed, Knote};

pub use rump_abi::event::*;

/// S_IFIFO: what fstat(2) says of a kqueue.
const S_IFIFO: u32 = 0o010_000;

/// The queues whose watchers have to be told, while somebody tells.
static ANNOUNCING: Giant<Option<VecDeque<Rc<KQueue>>>> = Giant::new(None);

/// A queue of events.
#[derive(Default)]
pub struct KQueue {
    /// The registrations, by filter and identifier.
    knotes: RefCell<BTreeMap<(u32, u64), Rc<Knote>>>,
    /// Those that are active and enabled, the longest active first.
    active: RefCell<VecDeque<Rc<Knote>>>,
    /// Who waits for events.
    cv: CondVar,
    /// Who watches the queue itself.
    sel: SelInfo,
}

impl KQueue {
    fn find(&self, filter: u32, ident: u64) -> Option<Rc<Knote>> {
        self.knotes.borrow().get(&(filter, ident)).cloned()
    }

    /// Puts a knote on the list of active ones.
    fn enqueue(self: &Rc<Self>, knote: Rc<Knote>) {
        self.active.borrow_mut().push_back(knote);
        if self.cv.has_waiters() {
            self.cv.broadcast();
        }
        if self.sel.is_watched() {
            self.announce();
        }
    }

    /// Tells those who watch the queue. They may be queues that are watched in turn, to any depth: so who comes here while somebody is telling
    /// leaves it to that one.
    fn announce(self: &Rc<Self>) {
        if let Some(waiting) = &mut *ANNOUNCING.borrow_mut() {
            waiting.push_back(Rc::clone(self));
            return;
        }
        *ANNOUNCING.borrow_mut() = Some(VecDeque::new());
        self.sel.notify(0);
        loop {
            let next = ANNOUNCING.borrow_mut().as_mut().and_then(VecDeque::pop_front);
            let Some(kq) = next else { break };
            kq.sel.notify(0);
        }
        *ANNOUNCING.borrow_mut() = None;
    }

    fn dequeue(&self, knote: &Knote) {
        self.active.borrow_mut().retain(|other| !core::ptr::eq(Rc::as_ptr(other), knote));
    }

    /// Takes a registration away.
    fn remove(&self, knote: &Knote) {
        let removed = self.knotes.borrow_mut().remove(&(knote.filter(), knote.ident()));
        self.dequeue(knote);
        if let Some(knote) = removed {
            knote.detach();
        }
    }

    /// kqueue_register of NetBSD: makes one change.
    fn register(self: &Rc<Self>, change: &Kevent) -> Result<(), Errno> {
        let existing = self.find(change.filter, change.ident);
        let knote = match existing {
            Some(knote) => {
                if change.flags & EV_DELETE != 0 {
                    self.remove(&knote);
                    return Ok(());
                }
                if change.flags & EV_ADD != 0 || change.filter == EVFILT_USER {
                    knote.touch(change)?;
                }
                knote
            }
            None if change.flags & EV_ADD == 0 => return Err(Errno::ENOENT),
            None => {
                if memory_is_short() {
                    return Err(Errno::ENOMEM);
                }
                // All may be active at one time, and becoming so must not take memory.
                let wanted = self.knotes.borrow().len() + 1;
                let mut active = self.active.borrow_mut();
                let missing = wanted.saturating_sub(active.len());
                active.try_reserve(missing).map_err(|_| Errno::ENOMEM)?;
                drop(active);
                let knote = Knote::new(self, change)?;
                knote.attach()?;
                self.knotes.borrow_mut().insert((change.filter, change.ident), Rc::clone(&knote));
                knote
            }
        };
        if change.flags & EV_DISABLE != 0 {
            knote.disable();
            self.dequeue(&knote);
        }
        if change.flags & EV_ENABLE != 0 {
            knote.enable();
        }
        knote.poke(0);
        Ok(())
    }

    /// kqueue_scan of NetBSD: waits for an event, and hands out up to `room` of them.
    fn scan(
        &self,
        room: usize,
        deadline_ns: u64,
        sink: &mut dyn FnMut(&Kevent) -> Result<(), Errno>,
    ) -> Result<usize, Errno> {
        let mut count = 0;
        loop {
            // Those that stay active go to the end of the list, and are not looked at twice.
            let mut left = self.active.borrow().len();
            while left > 0 && count < room {
                left -= 1;
                let Some(knote) = self.active.borrow_mut().pop_front() else { break };
                let Some((event, handed)) = knote.hand_out() else { continue };
                match handed {
                    Handed::Stays => self.active.borrow_mut().push_back(knote),
                    Handed::Waits => {}
                    Handed::Ends => self.remove(&knote),
                }
                sink(&event)?;
                count += 1;
            }
            if count > 0 || deadline_ns == 0 {
                return Ok(count);
            }
            match sleep_sig(&self.cv, deadline_ns) {
                Ok(()) => {}
                Err(Errno::EWOULDBLOCK) => return Ok(0),
                Err(ERESTART) => return Err(Errno::EINTR),
                Err(errno) => return Err(errno),
            }
        }
    }
}

/// An open kqueue.
pub struct KQueueFile(Rc<KQueue>);

/// Makes a kqueue. `flags` are those of [`flag`] that it gets besides.
#[must_use]
pub fn open(flags: u32) -> FileRef {
    File::new(flag::FREAD | flag::FWRITE | flags, KQueueFile(Rc::default())) as Rc<File<dyn FileOps>>
}

impl FileOps for KQueueFile {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, _head: &FileHead, _uio: &mut Uio<'_>) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    fn write(&self, _head: &FileHead, _uio: &mut Uio<'_>) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    fn ioctl(&self, _head: &FileHead, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        if cmd == rump_abi::ioctl::FIONREAD {
            let count = self.0.active.borrow().len();
            return answer_int(data, i32::try_from(count).unwrap_or(i32::MAX));
        }
        Err(Errno::ENOTTY)
    }

    fn poll(&self, _head: &FileHead, events: u32) -> u32 {
        if self.0.active.borrow().is_empty() { 0 } else { events & READABLE }
    }

    fn selinfo(&self, filter: Filter) -> Option<&SelInfo> {
        (filter == Filter::Read).then_some(&self.0.sel)
    }

    fn filter(&self, _head: &FileHead, filter: Filter) -> Result<FilterState, Errno> {
        if filter != Filter::Read {
            return Err(Errno::EINVAL);
        }
        let count = self.0.active.borrow().len();
        Ok(FilterState { data: count as i64, eof: false, ready: count > 0 })
    }

    fn stat(&self, _head: &FileHead) -> Result<Attr, Errno> {
        let count = self.0.active.borrow().len();
        Ok(Attr { mode: S_IFIFO, size: count as i64, blksize: size_of::<Kevent>() as u32, ..Attr::default() })
    }

    fn close(&self, _head: &FileHead) {
        let knotes = core::mem::take(&mut *self.0.knotes.borrow_mut());
        self.0.active.borrow_mut().clear();
        for knote in knotes.into_values() {
            knote.detach();
        }
    }
}

#[cfg(test)]
mod tests;

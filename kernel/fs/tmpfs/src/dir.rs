//! The entries of a directory: by name, and in the order in which they were made.
//!
//! Every entry has a number that is never used again (its cookie), so that a listing which goes on after others have changed the
//! directory neither repeats nor skips what stayed.

use alloc::collections::BTreeMap;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;

use rump_kern::errno::Errno;

use crate::node::Node;

/// The cookies of `.` and `..`; entries begin after them.
pub const FIRST_COOKIE: u64 = 2;

/// By name: the cookie and the file.
pub type Entries = BTreeMap<Rc<[u8]>, (u64, Rc<Node>)>;

/// A directory's entries.
pub struct Dir {
    names: Entries,
    /// By cookie: the name and the file. A listing goes through these alone.
    order: BTreeMap<u64, (Rc<[u8]>, Rc<Node>)>,
    next_cookie: u64,
    /// The directory above; nothing at the root, and when this one has been removed.
    pub parent: Weak<Node>,
    /// It has been removed: nothing can be made in it.
    pub removed: bool,
}

impl Dir {
    /// An empty directory below `parent`.
    #[must_use]
    pub const fn new(parent: Weak<Node>) -> Self {
        Self {
            names: BTreeMap::new(),
            order: BTreeMap::new(),
            next_cookie: FIRST_COOKIE,
            parent,
            removed: false,
        }
    }

    /// The file of this name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Rc<Node>> {
        self.names.get(name).map(|(_, node)| node)
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// EEXIST, ENOENT if the directory has been removed.
    pub fn insert(&mut self, name: &[u8], node: Rc<Node>) -> Result<(), Errno> {
        if self.removed {
            return Err(Errno::ENOENT);
        }
        if self.names.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        let name: Rc<[u8]> = Rc::from(name);
        self.order.insert(self.next_cookie, (Rc::clone(&name), Rc::clone(&node)));
        self.names.insert(name, (self.next_cookie, node));
        self.next_cookie += 1;
        Ok(())
    }

    /// Takes an entry out.
    pub fn remove(&mut self, name: &[u8]) -> Option<Rc<Node>> {
        let (cookie, node) = self.names.remove(name)?;
        self.order.remove(&cookie);
        Some(node)
    }

    /// Takes all entries out; `None` if there are none.
    pub fn take_all(&mut self) -> Option<Entries> {
        self.order.clear();
        let names = core::mem::take(&mut self.names);
        (!names.is_empty()).then_some(names)
    }

    /// The entries from `cookie` on: their cookies, names and files.
    pub fn from(&self, cookie: u64) -> impl Iterator<Item = (u64, &[u8], &Rc<Node>)> {
        self.order.range(cookie..).map(|(&cookie, (name, node))| (cookie, &**name, node))
    }

    /// The name of a file in this directory.
    #[must_use]
    pub fn name_of(&self, node: &Node) -> Option<Vec<u8>> {
        self.names
            .iter()
            .find(|(_, (_, other))| core::ptr::eq(Rc::as_ptr(other), node))
            .map(|(name, _)| name.to_vec())
    }
}

//! The root file system's files that came with the image: a cpio archive, whose contents are used where they lie.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::{Rc, Weak};
use core::cell::RefCell;

use rump_kern::clock::Timespec;
use rump_kern::devsw::makedev;
use rump_kern::errno::Errno;
use rump_kern::log;
use rump_kern::pagestore::PageStore;
use rump_kern::uvm::fault::memory_is_short;
use rump_vfs::namei::NAME_LEN_MAX;
use rump_vfs::vnode::{Kind, NewAttr, SetAttr, Vnode};

use crate::cpio::{Entry, Reader};
use crate::dir::Dir;
use crate::node::{Body, Node};

/// Files with several names that have been seen, by number.
type Linked = BTreeMap<u32, Rc<Node>>;

/// Makes the archive's files below `root`. What is wrong is said on the console, and the rest is made all the same where that is possible.
pub fn unpack(root: &Rc<Node>, archive: &'static [u8]) {
    let mut linked = Linked::new();
    for entry in Reader::new(archive) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                log!("rumpbake: the root file system is damaged: {error}; files may be missing");
                return;
            }
        };
        if memory_is_short() {
            log!("rumpbake: the machine has too little memory for the root file system; files are missing");
            return;
        }
        if let Err(errno) = add(root, &entry, &mut linked) {
            log!(
                "rumpbake: the root file system has a file that cannot be made: {}: error {}",
                entry.name.escape_ascii(),
                errno.0
            );
        }
    }
}

fn directory() -> Body {
    Body::Directory(RefCell::new(Dir::new(Weak::new())))
}

/// The directory of this name, made if there is none.
fn subdir(dir: &Rc<Node>, name: &[u8]) -> Result<Rc<Node>, Errno> {
    match dir.entry(name) {
        Some(node) if node.kind() == Kind::Directory => Ok(node),
        Some(_) => Err(Errno::ENOTDIR),
        None => dir.make(name, directory(), NewAttr { mode: 0o755, uid: 0, gid: 0 }),
    }
}

fn add(root: &Rc<Node>, entry: &Entry<'static>, linked: &mut Linked) -> Result<(), Errno> {
    let kind = Kind::of_mode(entry.mode).ok_or(Errno::EFTYPE)?;
    let attr = NewAttr { mode: entry.mode & 0o7777, uid: entry.uid, gid: entry.gid };
    let names = || entry.name.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    if names().any(|name| name == b".." || name.len() > NAME_LEN_MAX) {
        return Err(Errno::EINVAL);
    }
    let mut names = names().peekable();
    let mut dir = Rc::clone(root);
    while let Some(name) = names.next() {
        if names.peek().is_some() {
            dir = subdir(&dir, name)?;
            continue;
        }
        if kind == Kind::Directory {
            dir = subdir(&dir, name)?;
            break;
        }
        return add_file(&dir, name, entry, kind, attr, linked);
    }
    // A directory, the root itself perhaps: it may have been made for what is in it.
    if kind != Kind::Directory {
        return Err(Errno::EINVAL);
    }
    settle(&dir, entry, attr)
}

/// Sets owner, permissions and times.
fn settle(node: &Node, entry: &Entry<'_>, attr: NewAttr) -> Result<(), Errno> {
    node.set_attr(&SetAttr {
        mode: Some(attr.mode),
        uid: Some(attr.uid),
        gid: Some(attr.gid),
        ..SetAttr::default()
    })?;
    node.set_times(Timespec { sec: i64::from(entry.mtime_s), nsec: 0 });
    Ok(())
}

fn add_file(
    dir: &Rc<Node>,
    name: &[u8],
    entry: &Entry<'static>,
    kind: Kind,
    attr: NewAttr,
    linked: &mut Linked,
) -> Result<(), Errno> {
    if kind == Kind::Regular
        && entry.nlink > 1
        && let Some(node) = linked.get(&entry.ino)
    {
        // The content comes with one of the names, often the last.
        if let Some(store) = node.store()
            && !entry.content.is_empty()
        {
            store.set_image(entry.content);
        }
        return dir.insert(name, Rc::clone(node));
    }
    let body = match kind {
        Kind::Regular => Body::Regular(PageStore::of_image(entry.content)),
        Kind::Link => Body::Link(Box::from(entry.content)),
        Kind::Char => Body::Char(makedev(entry.rdev.0, entry.rdev.1)),
        Kind::Fifo => Body::Fifo,
        Kind::Directory | Kind::Block | Kind::Socket => return Err(Errno::EOPNOTSUPP),
    };
    let node = dir.make(name, body, attr)?;
    if kind == Kind::Regular && entry.nlink > 1 {
        linked.insert(entry.ino, Rc::clone(&node));
    }
    settle(&node, entry, attr)
}

//! Files whose content the kernel knows ([`rump_kern::etc`]), written into the root file system.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

use rump_hypercall::Giant;
use rump_kern::clock::nanotime;
use rump_kern::errno::Errno;
use rump_kern::log;
use rump_kern::pagestore::PageStore;
use rump_vfs::vnode::{NewAttr, Vnode};

use crate::node::{Body, Node};

struct Root {
    node: Option<Rc<Node>>,
    /// Files that were written from here; others are the image's or the program's.
    ours: Vec<(&'static str, Rc<Node>)>,
}

static ROOT: Giant<Root> = Giant::new(Root { node: None, ours: Vec::new() });

/// Files are written below `root` from now on.
pub fn init(root: &Rc<Node>) {
    ROOT.borrow_mut().node = Some(Rc::clone(root));
    rump_kern::etc::set_writer(write);
}

fn write(path: &'static str, content: &[u8]) {
    if let Err(errno) = try_write(path, content) {
        log!("rumpbake: {path} cannot be written: error {}", errno.0);
    }
}

fn try_write(path: &'static str, content: &[u8]) -> Result<(), Errno> {
    let mut at = ROOT.borrow().node.clone().ok_or(Errno::ENOENT)?;
    let (dirs, name) = path.rsplit_once('/').ok_or(Errno::EINVAL)?;
    for dir in dirs.split('/').filter(|dir| !dir.is_empty()) {
        at = at.entry(dir.as_bytes()).ok_or(Errno::ENOENT)?;
    }
    if let Some(there) = at.entry(name.as_bytes()) {
        if !ROOT.borrow().ours.iter().any(|(_, ours)| Rc::ptr_eq(ours, &there)) {
            return Ok(());
        }
        at.remove(name.as_bytes())?;
    }
    // The bytes stay for good: whoever has the file open or mapped may read them after it was replaced. They are few, and they seldom change.
    let image: &'static [u8] = Box::leak(Box::from(content));
    let attr = NewAttr { mode: 0o644, uid: 0, gid: 0 };
    let node = at.make(name.as_bytes(), Body::Regular(PageStore::of_image(image)), attr)?;
    node.set_times(nanotime());
    let mut root = ROOT.borrow_mut();
    root.ours.retain(|(known, _)| *known != path);
    root.ours.push((path, node));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tmpfs;
    use rumpbake_posix as _;

    fn content(root: &Rc<Node>, name: &[u8]) -> u64 {
        root.entry(b"etc").unwrap().entry(name).unwrap().store().unwrap().size()
    }

    #[test]
    fn writes_what_is_its_own() {
        let fs = crate::root_of(1, &[]);
        let root = Tmpfs::root_node(&fs);
        let etc = root.entry(b"etc").unwrap();
        let theirs = Body::Regular(PageStore::of_image(b"theirs"));
        etc.make(b"hosts", theirs, NewAttr { mode: 0o644, uid: 0, gid: 0 }).unwrap();
        rump_kern::etc::provide("/etc/resolv.conf", b"early");
        init(root);
        assert_eq!(content(root, b"resolv.conf"), 5);
        rump_kern::etc::provide("/etc/resolv.conf", b"later on");
        rump_kern::etc::provide("/etc/hosts", b"ours instead");
        assert_eq!((content(root, b"resolv.conf"), content(root, b"hosts")), (8, 6));
    }
}

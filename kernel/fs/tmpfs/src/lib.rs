//! Component tmpfs: files in memory (tmpfs of NetBSD, mount_tmpfs(8)), and the root file system of every image.
//!
//! The root begins with the archive that was baked in: its files' contents are used where they lie in the image, and only what is written
//! takes memory. Directories that programs expect are made where the archive has none.
//!
//! - [`node`] is a file, [`dir`](mod@dir) a directory's entries; a regular file's content is a [`rump_kern::pagestore::PageStore`];
//! - [`cpio`] reads the archive, [`unpack`] makes files of it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod cpio;
pub mod dir;
mod etc;
pub mod node;
pub mod unpack;

use alloc::rc::{Rc, Weak};
use core::cell::{Cell, RefCell};

use rump_hypercall::{boot, memory};
use rump_kern::errno::Errno;
use rump_kern::log;
use rump_vfs::mount::{self, FileSystem, FsType, Mount, Usage};
use rump_vfs::namei::NAME_LEN_MAX;
use rump_vfs::vnode::{NewAttr, VnodeRef};

use dir::Dir;
use node::{Body, Node, Shared};

rump_kern::component! {
    name: "tmpfs",
    faction: "vfs",
    needs: "vfs",
    when: "open openat __stat50 __lstat50 fstatat access mkdir chdir __getcwd",
    about: "in-memory file system, the root",
    init: init
}

static TYPE: FsType =
    FsType { name: "tmpfs", make: |_args, _args_len| Ok(Tmpfs::new(mount::next_dev(), 0o755)) };

/// A file system in memory.
pub struct Tmpfs {
    shared: Rc<Shared>,
    root: Rc<Node>,
}

impl Tmpfs {
    /// An empty one, whose root has these permissions.
    #[must_use]
    pub fn new(dev: u64, mode: u32) -> Rc<Self> {
        /// NetBSD's number of a root directory.
        const ROOT_INO: u64 = 2;
        let shared = Rc::new(Shared {
            dev,
            next_ino: Cell::new(ROOT_INO),
            mount: RefCell::new(Weak::new()),
            nodes: Cell::new(0),
        });
        let body = Body::Directory(RefCell::new(Dir::new(Weak::new())));
        let root = Node::new(&shared, body, NewAttr { mode, uid: 0, gid: 0 });
        root.keep();
        Rc::new(Self { shared, root })
    }

    /// Its uppermost directory.
    #[must_use]
    pub fn root_node(&self) -> &Rc<Node> {
        &self.root
    }
}

impl FileSystem for Tmpfs {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn root(&self) -> VnodeRef {
        Rc::<Node>::clone(&self.root)
    }

    fn usage(&self) -> Usage {
        /// Bytes that a file without content takes, roughly.
        const NODE_BYTES: u64 = 512;
        const PAGE: u64 = memory::PAGE_SIZE as u64;
        let counts = memory::page_counts();
        let free_files = counts.free * (PAGE / NODE_BYTES);
        Usage {
            block_bytes: PAGE,
            blocks: counts.total,
            free_blocks: counts.free,
            files: self.shared.nodes.get() + free_files,
            free_files,
            name_max: NAME_LEN_MAX as u64,
        }
    }

    fn set_mount(&self, mount: &Rc<Mount>) {
        *self.shared.mount.borrow_mut() = Rc::downgrade(mount);
    }
}

/// Directories that programs expect, with their permissions, each after the one that it is in.
const DIRECTORIES: [(&[u8], u32); 5] =
    [(b"dev", 0o755), (b"etc", 0o755), (b"tmp", 0o1777), (b"var", 0o755), (b"var/tmp", 0o1777)];

/// Makes a root file system of an archive.
#[must_use]
pub fn root_of(dev: u64, archive: &'static [u8]) -> Rc<Tmpfs> {
    let fs = Tmpfs::new(dev, 0o755);
    if !archive.is_empty() {
        unpack::unpack(&fs.root, archive);
    }
    for (path, mode) in DIRECTORIES {
        if let Err(errno) = make_directory(&fs.root, path, mode) {
            log!("rumpbake: /{} cannot be made: error {}", path.escape_ascii(), errno.0);
        }
    }
    fs
}

fn make_directory(root: &Rc<Node>, path: &[u8], mode: u32) -> Result<(), Errno> {
    let mut at = Rc::clone(root);
    for name in path.split(|&byte| byte == b'/') {
        at = match at.entry(name) {
            Some(node) => node,
            None => {
                let body = Body::Directory(RefCell::new(Dir::new(Weak::new())));
                at.make(name, body, NewAttr { mode, uid: 0, gid: 0 })?
            }
        };
    }
    Ok(())
}

fn init() {
    mount::attach(&TYPE);
    let dev = mount::next_dev();
    let fs = root_of(dev, boot::info().root);
    let root = Rc::clone(fs.root_node());
    if let Err(errno) = mount::mount(fs, dev, None, b"/".to_vec(), b"root".to_vec(), 0) {
        log!("rumpbake: the root file system cannot be mounted: error {}", errno.0);
        return;
    }
    rump_vfs::populate();
    etc::init(&root);
}

#[cfg(test)]
mod tests;

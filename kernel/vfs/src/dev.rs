//! Nodes in /dev for the devices that components offer.

use rump_kern::devsw::{self, Device};
use rump_kern::errno::Errno;

use crate::cwd;
use crate::namei::{self, Follow};
use crate::vnode::{Kind, New, NewAttr};

/// Makes the nodes of the devices that there are, and of those that will come. The root file system has been mounted.
pub fn populate() {
    devsw::observe(|device| {
        if let Err(errno) = make_node(device) {
            rump_kern::log!("rumpbake: /dev/{} cannot be made: error {}", device.name, errno.0);
        }
    });
}

/// Makes a node, and the directories above it. What is there already stays as it is.
fn make_node(device: &'static Device) -> Result<(), Errno> {
    let mut at = cwd::root()?;
    let mut names = core::iter::once("dev").chain(device.name.split('/')).peekable();
    while let Some(name) = names.next() {
        let is_last = names.peek().is_none();
        let (new, mode) =
            if is_last { (New::Char(device.rdev), device.mode) } else { (New::Directory, 0o755) };
        let found = namei::namei(at, name.into(), Follow::Yes)?;
        at = match found.node {
            Some(node) => node,
            None => found.dir.create(&found.name, &new, NewAttr { mode, uid: 0, gid: 0 })?,
        };
    }
    if at.kind() == Kind::Char {
        let attr = at.attr();
        device.set_node(attr.dev, attr.ino);
    }
    Ok(())
}

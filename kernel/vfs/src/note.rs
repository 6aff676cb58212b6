//! What happened to a file, for those who watch it (EVFILT_VNODE of kqueue(2)).

pub use rump_abi::event::{
    NOTE_ATTRIB, NOTE_CLOSE, NOTE_CLOSE_WRITE, NOTE_DELETE, NOTE_EXTEND, NOTE_LINK, NOTE_OPEN, NOTE_READ,
    NOTE_RENAME, NOTE_WRITE,
};

use crate::vnode::Vnode;

/// Tells the watchers of `vnode`.
#[inline]
pub fn note(vnode: &dyn Vnode, what: u32) {
    vnode.state().sel.notify(what);
}

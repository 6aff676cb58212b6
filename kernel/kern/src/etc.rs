//! Files below /etc whose content the kernel knows: what a system's start-up would have written there from DHCP and the like.
//!
//! A component says what a file holds ([`provide`]); whoever has the root file system writes it ([`set_writer`]), whichever comes first. Images
//! without a file system have none of this. A program that opens such a file before its content is known is kept waiting for a while by whoever
//! provides it ([`set_awaiter`]).

use alloc::vec::Vec;

use rump_hypercall::Giant;

use crate::component::hook;

/// Writes a file: its absolute path and its content. A file that is not the kernel's own is left alone.
pub type Writer = fn(path: &'static str, content: &[u8]);

/// Waits until the content of the file at an absolute path is known, if that is to be expected soon. Called by an LWP without any borrow.
pub type Awaiter = fn(path: &[u8]);

struct Etc {
    writer: Option<Writer>,
    awaiter: Option<Awaiter>,
    /// What nobody could write yet.
    waiting: Vec<(&'static str, Vec<u8>)>,
}

static ETC: Giant<Etc> = Giant::new(Etc { writer: None, awaiter: None, waiting: Vec::new() });

/// The file at `path` holds `content` from now on.
pub fn provide(path: &'static str, content: &[u8]) {
    let writer = ETC.borrow().writer;
    if let Some(write) = writer {
        return write(path, content);
    }
    let mut etc = ETC.borrow_mut();
    etc.waiting.retain(|(known, _)| *known != path);
    etc.waiting.push((path, content.to_vec()));
}

/// The root file system's: who writes the files.
pub fn set_writer(write: Writer) {
    let waiting = {
        let mut etc = ETC.borrow_mut();
        etc.writer = Some(hook(write));
        core::mem::take(&mut etc.waiting)
    };
    for (path, content) in waiting {
        write(path, &content);
    }
}

/// Who makes programs wait for a file's content.
pub fn set_awaiter(wait: Awaiter) {
    ETC.borrow_mut().awaiter = Some(hook(wait));
}

/// A file is about to be opened by this path.
#[inline]
pub fn before_open(path: &[u8]) {
    if path.starts_with(b"/etc/") {
        let awaiter = ETC.borrow().awaiter;
        if let Some(wait) = awaiter {
            wait(path);
        }
    }
}

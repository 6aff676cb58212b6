//! Who is on the other side: SCM_CREDS with LOCAL_CREDS, and LOCAL_PEEREID (unix(4), getpeereid(3)).

use alloc::vec::Vec;

use rump_abi::socket::{SCM_CREDS, SOL_SOCKET};
use rump_kern::errno::Errno;
use rump_kern::{curproc, prot};
use rump_net::Control;

/// `struct unpcbid`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerId {
    pid: i32,
    euid: u32,
    egid: u32,
}

impl PeerId {
    /// The calling process.
    pub(crate) fn current() -> Self {
        let (euid, egid) = prot::effective();
        Self { pid: curproc().pid, euid, egid }
    }

    /// As the application sees it.
    pub(crate) fn write(self, value: &mut Vec<u8>) {
        value.extend_from_slice(&self.pid.to_le_bytes());
        value.extend_from_slice(&self.euid.to_le_bytes());
        value.extend_from_slice(&self.egid.to_le_bytes());
    }
}

/// Adds the calling process's `struct sockcred`.
///
/// # Errors
/// ENOBUFS.
pub(crate) fn add(control: Option<Control>) -> Result<Control, Errno> {
    let mut control = control.unwrap_or_default();
    let (uid, gid) = prot::real();
    let (euid, egid) = prot::effective();
    let (groups, count) = prot::groups();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(4 * (6 + count)).map_err(|_| Errno::ENOBUFS)?;
    bytes.extend_from_slice(&curproc().pid.to_le_bytes());
    for word in [uid, euid, gid, egid, count as u32].iter().chain(&groups[..count]) {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    control.push(SOL_SOCKET, SCM_CREDS, &bytes)?;
    Ok(control)
}

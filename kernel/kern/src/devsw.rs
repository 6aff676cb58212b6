//! Devices: what components offer as files, with a node in /dev or without (devsw(9)).
//!
//! A component attaches its [`Device`]s at init. Faction vfs, where the image holds it, is told of each and makes the nodes; opening a node
//! comes back here by device number.

use alloc::vec::Vec;

use rump_hypercall::Giant;

use crate::clock::Timespec;
use crate::errno::Errno;
use crate::file::{Attr, FileRef};

/// S_IFCHR.
const S_IFCHR: u32 = 0o020_000;

/// NetBSD's device numbers (makedev(3)).
#[must_use]
pub const fn makedev(major: u32, minor: u32) -> u64 {
    ((major << 8) & 0x000f_ff00 | (minor << 12) & 0xfff0_0000 | minor & 0xff) as u64
}

/// A device.
pub struct Device {
    /// The node's name below /dev.
    pub name: &'static str,
    /// Its number.
    pub rdev: u64,
    /// The node's permissions.
    pub mode: u32,
    /// Opens it with these flags ([`crate::file::flag`]).
    pub open: fn(device: &'static Device, flags: u32) -> Result<FileRef, Errno>,
    /// File system and number of the node.
    node: Giant<(u64, u64)>,
}

impl Device {
    /// A device of this name, number and permissions.
    #[must_use]
    pub const fn new(
        name: &'static str,
        rdev: u64,
        mode: u32,
        open: fn(&'static Device, u32) -> Result<FileRef, Errno>,
    ) -> Self {
        Self { name, rdev, mode, open, node: Giant::new((0, 0)) }
    }

    /// Says where the node is: its file system, its number.
    pub fn set_node(&self, dev: u64, ino: u64) {
        self.node.set((dev, ino));
    }

    /// What fstat(2) says of a file that opened the device.
    #[must_use]
    pub fn attr(&self) -> Attr {
        let (dev, ino) = self.node.get();
        let boot = Timespec::from_ns(rump_hypercall::time::boot_wall_ns());
        Attr {
            dev,
            ino,
            mode: S_IFCHR | self.mode,
            nlink: 1,
            rdev: self.rdev,
            blksize: 4096,
            atime: boot,
            mtime: boot,
            ctime: boot,
            birthtime: boot,
            ..Attr::default()
        }
    }
}

type Observer = fn(&'static Device);

static DEVICES: Giant<Vec<&'static Device>> = Giant::new(Vec::new());
static OBSERVER: Giant<Option<Observer>> = Giant::new(None);

/// Offers a device.
pub fn attach(device: &'static Device) {
    DEVICES.borrow_mut().push(device);
    if let Some(observer) = OBSERVER.get() {
        observer(device);
    }
}

/// Calls `observer` for each device that is there, and for each that comes.
pub fn observe(observer: Observer) {
    OBSERVER.set(Some(crate::component::hook(observer)));
    let devices = DEVICES.borrow().clone();
    for device in devices {
        observer(device);
    }
}

/// The device of this number.
#[must_use]
pub fn find(rdev: u64) -> Option<&'static Device> {
    DEVICES.borrow().iter().copied().find(|device| device.rdev == rdev)
}

#[cfg(test)]
mod tests {
    use super::makedev;

    #[test]
    fn device_numbers() {
        assert_eq!(makedev(2, 2), 0x202);
        assert_eq!(makedev(0x123, 0x4_5678), 0x4561_2378);
    }
}

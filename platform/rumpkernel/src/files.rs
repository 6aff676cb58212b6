//! Files of the rump kernel's that are there before the program: block devices and parts of the root archive by rump_etfs(3), file systems by mount(2).
//!
//! | parameter | example | what it does |
//! |---|---|---|
//! | `RUMP_ETFS` | `/dev/disk=/images/ffs.img /dev/other=/dev/md0:64m` | makes files of the root archive, or memory disks, block devices |
//! | `RUMP_FILES` | `/www /etc/app.conf` | has files and directories of the root archive under the same names |
//! | `RUMP_MOUNT` | `/mnt=ffs:/dev/disk /tmp=tmpfs` | mounts file systems, in this order |

use alloc::ffi::CString;
use core::arch::global_asm;
use core::ffi::{c_char, c_int};

use rump_abi::errno::{EEXIST, EINVAL, ENODEV, ENOENT, ENOSYS, ENXIO};
use rump_abi::fcntl::{O_CREAT, O_EXCL, O_WRONLY};
use rump_abi::syscall::{SYS___mount50, SYS_close, SYS_mkdir, SYS_open, SYS_write};
use rump_hypercall::boot::{self, Exit};
use rumpbake_rumpuser::file::is_directory;
use rumpbake_rumpuser::host;

use crate::call::own;

// What not every rump kernel has: its address, or 0.
global_asm!(
    ".section .rodata.rb_rump_etfs, \"a\"",
    ".balign 8",
    ".weak rump_pub_etfs_register",
    ".globl rb_rump_etfs",
    "rb_rump_etfs: .quad rump_pub_etfs_register",
    ".previous",
);

unsafe extern "C" {
    /// Makes a host's file a file of the rump kernel (rump_etfs(3)); 0 or an error number.
    static rb_rump_etfs: Option<extern "C" fn(key: *const c_char, path: *const c_char, kind: c_int) -> c_int>;
}

const ETFS: &str = "RUMP_ETFS";
const FILES: &str = "RUMP_FILES";
const MOUNT: &str = "RUMP_MOUNT";
/// A file, a block device, a directory with all below it (`RUMP_ETFS_REG`, `_BLK`, `_DIR_SUBDIRS`).
const ETFS_REG: c_int = 0;
const ETFS_BLK: c_int = 1;
const ETFS_TREE: c_int = 4;
/// Permissions of directories and files that are made.
const DIRECTORY_MODE: u64 = 0o755;
const FILE_MODE: u64 = 0o644;
/// Bytes of mount(2)'s arguments: as many as any file system asks for.
const ARGS_LEN: usize = 256;

/// The entries `KEY=VALUE` of a parameter, or `KEY` alone, each given to `act`; what fails ends the image.
fn each(parameter: &str, act: impl Fn(&str, Option<&str>) -> Result<(), c_int>) {
    let Ok(list) = host::param(parameter) else { return };
    for entry in list.split_ascii_whitespace() {
        let (key, value) = entry.split_once('=').map_or((entry, None), |(key, value)| (key, Some(value)));
        if let Err(error) = act(key, value) {
            rump_kern::log!("rumpbake: {parameter}: {entry}: {} (error {error})", meaning(error));
            boot::exit(Exit::Exited(127));
        }
    }
}

/// What an error means here, as far as there is a usual reason.
fn meaning(error: c_int) -> &'static str {
    match error {
        ENOENT => "there is no such file",
        ENODEV => "the rump kernel has no such file system; name its component",
        ENXIO | ENOSYS => "the rump kernel has no component for it",
        EINVAL => "it does not have the form, or the content, that it should",
        _ => "the rump kernel refuses it",
    }
}

fn string(text: &str) -> Result<CString, c_int> {
    CString::new(text).map_err(|_| EINVAL)
}

fn at(text: &CString) -> u64 {
    text.as_ptr().expose_provenance() as u64
}

fn register(key: &str, path: &str, kind: c_int) -> Result<(), c_int> {
    // SAFETY: the linker has put the function's address there, or 0.
    let register = unsafe { rb_rump_etfs }.ok_or(ENXIO)?;
    match register(string(key)?.as_ptr(), string(path)?.as_ptr(), kind) {
        0 => Ok(()),
        error => Err(error),
    }
}

/// Gives the rump kernel the devices and files of the host's that the image's environment names.
pub fn register_all() {
    each(ETFS, |key, path| register(key, path.ok_or(EINVAL)?, ETFS_BLK));
    each(FILES, |name, path| {
        let path = path.unwrap_or(name);
        register(name, path, if is_directory(path.as_bytes())? { ETFS_TREE } else { ETFS_REG })
    });
}

/// Makes a directory, unless it is there.
fn make_directory(path: &str) -> Result<(), c_int> {
    match own(SYS_mkdir, [at(&string(path)?), DIRECTORY_MODE, 0, 0, 0, 0]) {
        Err(error) if error != EEXIST => Err(error),
        _ => Ok(()),
    }
}

/// mount(2)'s arguments: for tmpfs the version and the root's permissions, for all that lie on a device the pointer to its name, which comes first.
fn args(kind: &str, device: &CString) -> [u64; ARGS_LEN / 8] {
    const TMPFS_VERSION: u64 = 1;
    const TMPFS_ROOT_MODE: u64 = 0o1777;
    let mut args = [0; ARGS_LEN / 8];
    if kind == "tmpfs" {
        args[0] = TMPFS_VERSION;
        args[4] = TMPFS_ROOT_MODE;
    } else if !device.is_empty() {
        args[0] = at(device);
    }
    args
}

/// Mounts what the image's environment names.
pub fn mount() {
    each(MOUNT, |directory, what| {
        let what = what.ok_or(EINVAL)?;
        let (kind, device) = what.split_once(':').unwrap_or((what, ""));
        make_directory(directory)?;
        let (name, device, directory) = (string(kind)?, string(device)?, string(directory)?);
        let args = args(kind, &device);
        let address = args.as_ptr().expose_provenance() as u64;
        own(SYS___mount50, [at(&name), at(&directory), 0, address, ARGS_LEN as u64, 0]).map(|_| ())
    });
}

/// Makes a file with this content, and its directory, unless they are there. Who has no files does without.
pub fn provide(directory: &str, path: &str, content: &[u8]) {
    let Ok(path) = string(path) else { return };
    let _ = make_directory(directory);
    let flags = (O_WRONLY | O_CREAT | O_EXCL) as u64;
    let Ok(fd) = own(SYS_open, [at(&path), flags, FILE_MODE, 0, 0, 0]) else { return };
    let from = content.as_ptr().expose_provenance() as u64;
    let _ = own(SYS_write, [fd, from, content.len() as u64, 0, 0, 0]);
    let _ = own(SYS_close, [fd, 0, 0, 0, 0, 0]);
}

//! Calls that are younger than the rump kernel: the older one is made, with the structures of its time.
//!
//! A program that was built for NetBSD 10 or 11 asks for events and file systems by calls that the rump kernel of NetBSD 7 or 8 does not have. What became longer
//! since then is `struct kevent` (by `ext`) and `struct statvfs` (by wider spare fields and a disk's label); the numbers are those of `sys/syscall.h`.

use alloc::vec::Vec;

use rump_abi::errno::{ENOMEM, ENOSYS};
use rump_abi::syscall as nr;
use rump_abi::types::{Kevent, Statvfs};
use rump_kern::copy::{copyin_bytes, copyout_bytes};
use rump_kern::{Errno, Ret};

use crate::call::{Args, rump};

/// Bytes of `struct kevent100`, of `struct kevent`, of `struct statvfs90`, of `struct statvfs`.
const OLD_EVENT: usize = 40;
const EVENT: usize = size_of::<Kevent>();
const OLD_STAT: usize = 2256;
const STAT: usize = size_of::<Statvfs>();
const _: () = assert!(EVENT == 72 && STAT == 3296);

/// Events that one call takes or gives; whoever asks for more gets the rest by the next.
const EVENTS_MAX: usize = 1024;
/// File systems of which one call tells.
const MOUNTS_MAX: usize = 256;

/// Makes the older call; ENOSYS if there is none.
pub fn call(number: usize, args: Args) -> Ret {
    let made = match number {
        nr::SYS___kevent100 => kevent(args),
        nr::SYS___statvfs190 => stat(nr::SYS_compat_90_statvfs1, args),
        nr::SYS___fstatvfs190 => stat(nr::SYS_compat_90_fstatvfs1, args),
        nr::SYS___getvfsstat90 => stat_all(args),
        nr::SYS___dup3100 => return rump(nr::SYS_compat_100_dup3, args),
        _ => Err(Errno(ENOSYS)),
    };
    made.unwrap_or_else(|error| Ret::err(error.0))
}

fn buffer(len: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| Errno(ENOMEM))?;
    bytes.resize(len, 0);
    Ok(bytes)
}

fn at(bytes: &mut [u8]) -> u64 {
    bytes.as_mut_ptr().expose_provenance() as u64
}

/// `kevent(queue, changes, count, events, count, timeout)`.
fn kevent([queue, changes, change_count, events, event_count, timeout]: Args) -> Result<Ret, Errno> {
    let [change_count, event_count] =
        [change_count, event_count].map(|count| (count as usize).min(EVENTS_MAX));
    let mut young = buffer(change_count * EVENT)?;
    copyin_bytes(changes as usize, &mut young)?;
    let mut old = Vec::new();
    young.chunks_exact(EVENT).for_each(|event| old.extend_from_slice(&event[..OLD_EVENT]));
    let mut found = buffer(event_count * OLD_EVENT)?;
    let args = [queue, at(&mut old), change_count as u64, at(&mut found), event_count as u64, timeout];
    let ret = rump(nr::SYS_compat_100___kevent50, args);
    let count = if ret.errno == 0 { usize::try_from(ret.value).unwrap_or(0) } else { 0 };
    for (nth, event) in found.chunks_exact(OLD_EVENT).take(count).enumerate() {
        let mut young = [0; EVENT];
        young[..OLD_EVENT].copy_from_slice(event);
        copyout_bytes(&young, events as usize + nth * EVENT)?;
    }
    Ok(ret)
}

/// A `struct statvfs` from the older one.
fn young(old: &[u8]) -> [u8; STAT] {
    const OWNER_END: usize = 156;
    const NAMES_LEN: usize = 32 + 1024 + 1024;
    let mut young = [0; STAT];
    young[..OWNER_END].copy_from_slice(&old[..OWNER_END]);
    young[192..192 + NAMES_LEN].copy_from_slice(&old[172..172 + NAMES_LEN]);
    young
}

/// `statvfs1(path, buffer, flags)`, and fstatvfs1(2).
fn stat(number: usize, [what, to, flags, ..]: Args) -> Result<Ret, Errno> {
    let mut old = buffer(OLD_STAT)?;
    let ret = rump(number, [what, at(&mut old), flags, 0, 0, 0]);
    if ret.errno == 0 {
        copyout_bytes(&young(&old), to as usize)?;
    }
    Ok(ret)
}

/// `getvfsstat(buffer, bytes, flags)`; without a buffer it only counts.
fn stat_all([to, len, flags, ..]: Args) -> Result<Ret, Errno> {
    if to == 0 {
        return Ok(rump(nr::SYS_compat_90_getvfsstat, [0, 0, flags, 0, 0, 0]));
    }
    let mut old = buffer((len as usize / STAT).min(MOUNTS_MAX) * OLD_STAT)?;
    let ret = rump(nr::SYS_compat_90_getvfsstat, [at(&mut old), old.len() as u64, flags, 0, 0, 0]);
    let count = if ret.errno == 0 { usize::try_from(ret.value).unwrap_or(0) } else { 0 };
    for (nth, one) in old.chunks_exact(OLD_STAT).take(count).enumerate() {
        copyout_bytes(&young(one), to as usize + nth * STAT)?;
    }
    Ok(ret)
}

//! ioctl(2): the argument's way in and out, and the requests that every open file knows (sys/ioccom.h, sys/filio.h).

use alloc::vec::Vec;

use rump_abi::ioctl::{FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, IOC_IN, IOC_OUT, IOC_VOID};

use crate::copy::{copyin_bytes, copyout_bytes};
use crate::curproc;
use crate::errno::Errno;
use crate::file::{File, FileOps, flag};
use crate::filedesc::fcntl::set_status_flags;
use crate::filedesc::{FD_CLOEXEC, getfile};
use crate::syscall;

/// Arguments up to this size need no memory of the kernel's heap.
const SMALL_ARG: usize = 128;

/// Bytes of a request's argument.
const fn parm_len(cmd: u64) -> usize {
    (cmd >> 16 & 0x1fff) as usize
}

/// The argument as an int; 0 if it is too short for one.
#[must_use]
pub fn int_arg(data: &[u8]) -> i32 {
    data.first_chunk().map_or(0, |&bytes| i32::from_le_bytes(bytes))
}

/// Answers with an int.
///
/// # Errors
/// ENOTTY if the answer has no room for one.
pub fn answer_int(data: &mut [u8], value: i32) -> Result<i32, Errno> {
    *data.first_chunk_mut().ok_or(Errno::ENOTTY)? = value.to_le_bytes();
    Ok(0)
}

fn dispatch(fd: i32, file: &File<dyn FileOps>, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
    let set = |bit: u32, on: bool| {
        let rest = file.head.flags.get() & !bit;
        set_status_flags(file, if on { rest | bit } else { rest }).map(|()| 0)
    };
    match cmd {
        FIOCLEX => curproc().fd.set_flags(fd, curproc().fd.flags(fd)? | FD_CLOEXEC).map(|()| 0),
        FIONCLEX => curproc().fd.set_flags(fd, curproc().fd.flags(fd)? & !FD_CLOEXEC).map(|()| 0),
        FIONBIO => set(flag::FNONBLOCK, int_arg(data) != 0),
        FIOASYNC => set(flag::FASYNC, int_arg(data) != 0),
        _ => file.ops.ioctl(&file.head, cmd, data),
    }
}

syscall! {
    /// ioctl(2).
    fn sys_ioctl(fd: i32, cmd: u32, arg: usize) -> Result<i32, Errno> {
        let cmd = u64::from(cmd);
        let file = getfile(fd)?;
        if !file.head.has(flag::FREAD) && !file.head.has(flag::FWRITE) {
            return Err(Errno::EBADF);
        }
        let len = parm_len(cmd);
        if cmd & (IOC_VOID | IOC_IN | IOC_OUT) == IOC_VOID || len == 0 {
            return dispatch(fd, &file, cmd, &mut arg.to_le_bytes());
        }
        let mut small = [0; SMALL_ARG];
        let mut large = Vec::new();
        let data = if len <= SMALL_ARG {
            &mut small[..len]
        } else {
            large.try_reserve_exact(len).map_err(|_| Errno::ENOMEM)?;
            large.resize(len, 0);
            &mut large[..]
        };
        if cmd & IOC_IN != 0 {
            copyin_bytes(arg, data)?;
        }
        let value = dispatch(fd, &file, cmd, data)?;
        if cmd & IOC_OUT != 0 {
            copyout_bytes(data, arg)?;
        }
        Ok(value)
    }
}

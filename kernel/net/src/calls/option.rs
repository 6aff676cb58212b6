//! setsockopt(2), getsockopt(2), getsockopt2(2).

use alloc::vec::Vec;

use rump_abi::socket::{SO_NOSIGPIPE, SOL_SOCKET};
use rump_kern::copy::{copyin, copyin_slice, copyout, copyout_bytes};
use rump_kern::errno::Errno;
use rump_kern::file::flag::FNOSIGPIPE;
use rump_kern::syscall;

use crate::file::{getsock, socket_of};
use crate::options;

/// Longest value, bytes (MCLBYTES).
const VALUE_MAX: usize = 2048;

syscall! {
    /// setsockopt(2).
    fn sys_setsockopt(fd: i32, level: i32, name: i32, addr: usize, len: u32) -> Result<(), Errno> {
        if addr == 0 && len > 0 {
            return Err(Errno::EINVAL);
        }
        let value: Vec<u8> = copyin_slice(addr, len as usize, VALUE_MAX)?;
        let file = getsock(fd)?;
        options::set(socket_of(&file)?, level, name, &value)?;
        if (level, name) == (SOL_SOCKET, SO_NOSIGPIPE) {
            let rest = file.head.flags.get() & !FNOSIGPIPE;
            let on = options::int(&value)? != 0;
            file.head.flags.set(if on { rest | FNOSIGPIPE } else { rest });
        }
        Ok(())
    }
}

/// Asks for an option; `given` says whether the value that is there counts.
fn get(fd: i32, level: i32, name: i32, addr: usize, len_addr: usize, given: bool) -> Result<(), Errno> {
    let room = if addr == 0 { 0 } else { copyin::<u32>(len_addr)? } as usize;
    let mut value = Vec::new();
    if given && addr != 0 {
        value = copyin_slice(addr, room, VALUE_MAX)?;
    }
    let file = getsock(fd)?;
    options::get(socket_of(&file)?, level, name, &mut value)?;
    if addr == 0 {
        return Ok(());
    }
    let len = value.len().min(room);
    copyout_bytes(&value[..len], addr)?;
    // At most the room that was given as a u32.
    copyout(&(len as u32), len_addr)
}

syscall! {
    /// getsockopt(2).
    fn sys_getsockopt(fd: i32, level: i32, name: i32, addr: usize, len: usize) -> Result<(), Errno> {
        get(fd, level, name, addr, len, false)
    }
}

syscall! {
    /// getsockopt2(2): the value is an argument, too.
    fn sys_getsockopt2(fd: i32, level: i32, name: i32, addr: usize, len: usize) -> Result<(), Errno> {
        get(fd, level, name, addr, len, true)
    }
}

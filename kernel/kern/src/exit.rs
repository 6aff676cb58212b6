//! The end of the program (exit(2)), and waiting for children that there are none of (wait(2)).

use rump_hypercall::boot::{self, Exit};

use crate::errno::Errno;
use crate::syscall;

/// Ends the program.
pub fn exit1(status: i32) -> ! {
    boot::exit(Exit::Exited((status & 0xff) as u8))
}

syscall! {
    /// exit(2).
    fn sys_exit(status: i32) -> Result<(), Errno> {
        exit1(status)
    }
}

syscall! {
    /// wait4(2).
    fn sys___wait450(_pid: i32, _status: usize, _options: i32, _usage: usize) -> Result<i32, Errno> {
        Err(Errno::ECHILD)
    }
}

syscall! {
    /// wait6(2).
    fn sys_wait6(_kind: i32, _id: i64, _status: usize, _options: i32, _usage: usize, _info: usize) -> Result<i32, Errno> {
        Err(Errno::ECHILD)
    }
}

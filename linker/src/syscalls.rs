//! NetBSD's system calls by number.

use rump_abi::syscall::SYSCALLS;

/// Number and name of every system call.
pub(crate) fn all() -> impl Iterator<Item = (usize, &'static str)> {
    SYSCALLS.iter().map(|call| (call.number, call.name))
}

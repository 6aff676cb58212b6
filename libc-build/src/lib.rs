//! NetBSD's libc ABI on the rump kernel's system calls: the libc kit.
#![cfg_attr(not(test), no_std)]

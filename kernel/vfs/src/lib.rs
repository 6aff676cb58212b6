//! Faction vfs: namei, vnodes, file system calls.
#![no_std]

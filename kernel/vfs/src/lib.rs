//! Faction vfs: paths, vnodes, mounts, and the system calls that take a path (vnode(9), namei(9), vfsops(9)).
//!
//! | module | what |
//! |---|---|
//! | [`vnode`] | a file of whatever file system |
//! | [`mount`] | file systems, and where they are |
//! | [`namei`] | from a path to a file |
//! | [`cwd`], [`access`] | where the process is, what it may do |
//! | [`file`](mod@file), [`fifo`] | open files |
//! | [`calls`] | the system calls |
//!
//! A file system is a component of its own; this one mounts nothing. Everything in memory is reference-counted: a file lives as long as a
//! directory entry, a descriptor or a mapping refers to it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod access;
pub mod calls;
pub mod cwd;
mod dev;
pub mod fifo;
pub mod file;
pub mod lockf;
pub mod mount;
pub mod namei;
pub mod note;
pub mod vnode;

pub use dev::populate;

rump_kern::component! {
    name: "vfs",
    faction: "vfs",
    needs: "kern",
    when: "open openat __stat50 __lstat50 fstatat access mkdir chdir __getcwd",
    about: "paths, vnodes and mounts",
    init: init
}

fn init() {
    rump_kern::init_main::set_chdir_hook(cwd::chdir);
}

//! pwd.h and grp.h: users and groups from /etc/passwd and /etc/group; without those files there is root, with the group wheel.
//!
//! A lookup reads the file from its start: it is short, and may change. The functions without `_r` keep their result in memory of their own.

pub mod database;
pub mod group;
pub mod passwd;

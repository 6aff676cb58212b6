//! pwd.h and grp.h: users and groups from /etc/passwd and /etc/group; without those files there is root, with the group wheel.
//!
//! The functions without `_r` keep their result in memory of their own.

pub mod group;
pub mod passwd;

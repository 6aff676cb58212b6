//! tmpfs: an in-memory file system, filled from the image's archive.
#![no_std]

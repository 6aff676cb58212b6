//! NetBSD 10's interface for amd64: numbers, constants and structures, generated from its headers.
#![no_std]

//! The boot-time configuration, JSON.
#![no_std]

//! Bare metal x86-64: the hw kit.
#![no_std]

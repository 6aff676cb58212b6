//! NetBSD's libc ABI on the rump kernel's system calls: the libc kit.
//!
//! One folder per C header or family. This crate is built twice: as the kit (a `no_std` static library, one section per function
//! and datum, of which the linker takes what an application reaches) and on the host by `cargo test`, where `std` is there.
//!
//! # Conventions
//! * An exported function is `#[cfg_attr(not(test), unsafe(no_mangle))] pub unsafe extern "C" fn name(…)`, exported data likewise:
//!   in a unit test the names then do not clash with the host's libc. Assembly that defines names stands in modules under `cfg(not(test))`.
//! * errno: [`errno::set`] and [`errno::get`], the numbers are constants of [`errno`]. Another function of this crate is called by its Rust path.
//! * A function that ends in `...` is made with [`variadic!`] from one that takes a `*mut `[`va::VaList`]; the arguments are read with
//!   [`va::VaList::arg`]. A `va_list` parameter in C is `*mut VaList` here.
//! * Only what is reached costs bytes: no table of functions that most programs never call, and no path to panic formatting in
//!   what small programs use (`get`, `checked_*`, `wrapping_*`).
//! * State that several threads use is guarded by [`lock::Lock`], which costs no system call where nobody waits.
//! * The kit is `cargo rustc -p rump-libc --crate-type staticlib` with `-C panic=abort -C relocation-model=static -C code-model=small`.
//! * The program defines `environ`, `__progname` and `__ps_strings` (its crt0 does); layer 2 refers to them.
#![cfg_attr(not(test), no_std)]

#[macro_use]
mod macros;

pub mod accounts;
#[cfg(not(test))]
mod atomic;
pub mod clock;
pub mod ctype;
pub mod database;
pub mod dirent;
#[cfg(not(test))]
mod dl;
pub mod env;
pub mod errno;
pub mod gate;
pub mod hash;
pub mod iconv;
#[cfg(not(test))]
mod kit;
pub mod locale;
pub mod lock;
pub mod malloc;
pub mod math;
pub mod net;
pub mod number;
pub mod park;
pub mod path;
pub mod process;
pub mod program;
pub mod pthread;
pub mod regex;
pub mod search;
pub mod signal;
pub mod spawn;
pub mod start;
pub mod stdio;
pub mod stdlib;
pub mod string;
pub mod sys;
#[cfg(not(test))]
mod sysctl;
pub mod thread;
pub mod time;
#[cfg(not(test))]
mod unistd;
pub mod va;
pub mod vis;
pub mod wchar;

//! Reads an application, chooses components, binds, lays out, writes the image.
//!
//! ```no_run
//! # fn main() -> rumpbake_linker::Result<()> {
//! use rumpbake_linker::{App, BakeOptions, Target, bake};
//! let app = App::read("hello.elf".as_ref())?;
//! let image = bake(&app, Target::Hw, &BakeOptions::default())?;
//! image.write("hello.img".as_ref())?;
//! # Ok(()) }
//! ```
//!
//! The application is refused with one sentence if it is not a program for NetBSD/amd64 ([`Error`]); no size that its
//! headers claim is trusted. The kernel and layer 2 are embedded as *kits*: one relocatable ELF object each, a
//! section per function and datum, walked as a graph from what the application reaches. The same inputs give the
//! same bytes.
#![forbid(unsafe_code)]

mod app;
mod assemble;
mod bake;
mod bind;
mod components;
mod cost;
mod coverage;
mod debug;
mod error;
mod header;
mod info;
mod inspect;
mod kernel;
mod kit;
mod kit_data;
mod libc;
mod libraries;
mod map;
mod output;
mod place;
mod report;
mod root;
mod routes;
mod rump;
mod space;
mod symbols;
mod syscalls;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use app::{App, AppKind};
pub use bake::{BakeOptions, Image, Multiboot, Target, bake, components, coverage, inspect};
pub use coverage::{Coverage, SymbolCoverage, SyscallCoverage};
pub use error::{Error, MissingRumpSymbol, MissingSymbol, Result};
pub use output::write as write_file;
pub use report::{
    ComponentCost, ComponentInfo, FileKind, LibraryImports, Part, Report, SegmentReport, SystemCalls,
};
pub use rump::RumpOptions;

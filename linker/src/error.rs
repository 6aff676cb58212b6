//! What can go wrong when baking: one sentence each, with the file, what is wrong, and the way out.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// An imported symbol that nothing in the image defines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingSymbol {
    /// The symbol's name as the program imports it.
    pub name: String,
    /// The NetBSD library that has it, such as `libc.so.12`; `None` if no library of NetBSD 10 does.
    pub library: Option<String>,
}

/// A symbol that a rump kernel's libraries name and nobody defines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingRumpSymbol {
    /// The symbol's name.
    pub name: String,
    /// The object that names it first: `librumpvfs.a(vfs_bio.o)`.
    pub user: String,
}

/// Why a file was refused or an image could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a program that can be baked.
    #[error("{}: {reason}; {hint}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What it is.
        reason: String,
        /// How to make the right one.
        hint: String,
    },
    /// The program needs symbols that layer 2 does not have.
    #[error("{}: needs {} that rumpbake's libc does not have:{}\n{}", path.display(), count(symbols.len()), list(symbols), hint(symbols))]
    MissingSymbols {
        /// The file.
        path: PathBuf,
        /// All of them, sorted.
        symbols: Vec<MissingSymbol>,
    },
    /// A library of a rump kernel, or a directory of such libraries, does not serve.
    #[error("{}: {reason}; {hint}", path.display())]
    RumpLibrary {
        /// The library or directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The way out.
        hint: String,
    },
    /// A rump kernel's libraries ask for symbols that neither they nor the platform have.
    #[error("{}: its libraries need {} that nothing there defines:{}\nadd the libraries that define them to the directory, or leave out the components that need them", path.display(), count(symbols.len()), rump_list(symbols))]
    MissingRumpSymbols {
        /// The directory.
        path: PathBuf,
        /// All of them, sorted.
        symbols: Vec<MissingRumpSymbol>,
    },
    /// A component was named that no kit has.
    #[error("there is no component \"{name}\"; the components are: {}", known.join(", "))]
    UnknownComponent {
        /// The name that was asked for.
        name: String,
        /// Those that exist.
        known: Vec<String>,
    },
    /// The configuration is not one.
    #[error("the configuration: {reason}")]
    Config {
        /// What is wrong with it.
        reason: String,
    },
    /// The directory for the root file system cannot be packed.
    #[error("{}: {reason}; {hint}", path.display())]
    Root {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The way out.
        hint: String,
    },
    /// The image cannot be laid out.
    #[error("{}: {reason}; {hint}", path.display())]
    Layout {
        /// The program.
        path: PathBuf,
        /// What does not fit.
        reason: String,
        /// The way out.
        hint: String,
    },
    /// The embedded kit does not fit the program or itself: a fault of rumpbake.
    #[error("the embedded {kit} kit is at fault: {reason}; this is a bug in rumpbake, please report it")]
    Kit {
        /// Which kit.
        kit: &'static str,
        /// What is wrong.
        reason: String,
    },
}

fn count(n: usize) -> String {
    if n == 1 { "a symbol".into() } else { format!("{n} symbols") }
}

fn list(symbols: &[MissingSymbol]) -> String {
    let mut text = String::new();
    for symbol in symbols {
        let library = symbol.library.as_deref().unwrap_or("not in NetBSD 10");
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {} ({library})", symbol.name);
    }
    text
}

fn rump_list(symbols: &[MissingRumpSymbol]) -> String {
    let mut text = String::new();
    for symbol in symbols {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {} (for {})", symbol.name, symbol.user);
    }
    text
}

fn hint(symbols: &[MissingSymbol]) -> &'static str {
    if symbols.iter().all(|symbol| symbol.library.is_some()) {
        "build the program without what uses them"
    } else {
        "link the libraries that are not NetBSD's own statically, or build the program without what uses them"
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, MissingSymbol};

    #[test]
    fn all_missing_symbols_are_listed_with_their_library() {
        let symbols = vec![
            MissingSymbol { name: "crypt".into(), library: Some("libcrypt.so.1".into()) },
            MissingSymbol { name: "frob".into(), library: None },
        ];
        let text = Error::MissingSymbols { path: "a.elf".into(), symbols }.to_string();
        assert_eq!(
            text,
            "a.elf: needs 2 symbols that rumpbake's libc does not have:\n  crypt (libcrypt.so.1)\n  frob (not in NetBSD 10)\n\
             link the libraries that are not NetBSD's own statically, or build the program without what uses them"
        );
    }
}

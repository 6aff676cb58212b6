//! What is known about a program or an image: the data behind `rumpbake inspect`, which images carry in a note.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::app::{App, AppKind};
use crate::bake::Target;
use crate::kernel::Kernel;
use crate::libc::Libc;
use crate::{bind, cost, libraries};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A static NetBSD executable.
    StaticExecutable,
    /// A dynamic NetBSD executable.
    DynamicExecutable,
    /// An image that rumpbake made.
    Image,
}

/// How a program enters the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SystemCalls {
    /// Through layer 2, which calls the kernel's functions. Under Xen, too: it need not know of such a call.
    FunctionCalls,
    /// By the `syscall` instruction, in code of its own; under Xen each one goes through the hypervisor twice.
    Instructions,
}

/// A program or an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What the file is.
    pub kind: FileKind,
    /// For an image: what the program in it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub program: Option<FileKind>,
    /// For an image: the platform that it is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<Target>,
    /// How the program enters the kernel; images of earlier versions do not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub system_calls: Option<SystemCalls>,
    /// The file's length.
    pub file_bytes: u64,
    /// Memory that the image takes at boot; of a program, what its segments take.
    pub memory_bytes: u64,
    /// Where the program starts.
    pub entry: u64,
    /// The program's segments, in an image those of layer 2 too.
    pub segments: Vec<SegmentReport>,
    /// What the program imports, by library.
    pub imports: Vec<LibraryImports>,
    /// The kernel components that are in the image, or would be.
    pub components: Vec<ComponentCost>,
    /// A rump kernel from elsewhere drives the machine's network cards.
    #[serde(default)]
    pub virtif: bool,
    /// What the image's bytes are, in their order.
    pub parts: Vec<Part>,
}

impl Report {
    /// Whether the image drives network cards. Sockets between its own threads (`net_local`) do not.
    #[must_use]
    pub fn has_network(&self) -> bool {
        self.virtif || self.components.iter().any(|component| component.name.starts_with("net_inet"))
    }
}

/// A segment of the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentReport {
    /// Application address.
    pub address: u64,
    /// Bytes of content.
    pub file_bytes: u64,
    /// Bytes in memory.
    pub memory_bytes: u64,
    /// As `ls` would show it: `r-x`.
    pub prot: String,
    /// `program` or `libc`.
    pub layer: String,
}

/// The symbols that a program imports from one library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryImports {
    /// The NetBSD library, such as `libc.so.12`, or `unknown`.
    pub library: String,
    /// Imported symbols, sorted.
    pub symbols: Vec<String>,
    /// Those of them that rumpbake's libc does not have.
    pub missing: Vec<String>,
}

/// A component in an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentCost {
    /// The component, or a part that is always there (`platform`, `libc`).
    pub name: String,
    /// Its faction (`kern`, `vfs`, `net`, `dev`, `platform`), or `libc`.
    pub faction: String,
    /// Code, bytes.
    pub text_bytes: u64,
    /// Constants, bytes.
    pub rodata_bytes: u64,
    /// Variables with content, bytes.
    pub data_bytes: u64,
    /// Zeroed variables, bytes.
    pub bss_bytes: u64,
    /// Why it is there.
    pub why: String,
}

/// A run of the image's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is: `kernel text`, `root`, `symbols`, …
    pub name: String,
    /// Where it lies, physical address.
    pub address: u64,
    /// Its length in memory.
    pub bytes: u64,
}

/// A component that the kernel kit offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentInfo {
    /// Its name.
    pub name: String,
    /// Its faction.
    pub faction: String,
    /// The components that it needs.
    pub needs: Vec<String>,
    /// The system calls that bring it into an image.
    pub when: Vec<String>,
    /// What it is, a few words.
    pub about: String,
}

/// What is known of an image before it is laid out.
pub(crate) fn of(target: Target, app: &App, kernel: &Kernel, libc: Option<&Libc>) -> Report {
    Report {
        kind: FileKind::Image,
        program: Some(kind(app)),
        target: Some(target),
        system_calls: Some(system_calls(app)),
        file_bytes: 0,
        memory_bytes: 0,
        entry: 0,
        segments: Vec::new(),
        imports: imports(app, &|_| false),
        components: cost::table(kernel, libc),
        virtif: false,
        parts: Vec::new(),
    }
}

pub(crate) fn kind(app: &App) -> FileKind {
    match app.kind() {
        AppKind::Static => FileKind::StaticExecutable,
        AppKind::Dynamic => FileKind::DynamicExecutable,
    }
}

pub(crate) fn system_calls(app: &App) -> SystemCalls {
    match app.kind() {
        AppKind::Static => SystemCalls::Instructions,
        AppKind::Dynamic => SystemCalls::FunctionCalls,
    }
}

/// What the program imports, by library; `missing` says of a symbol that it must and cannot be bound.
pub(crate) fn imports(app: &App, missing: &dyn Fn(&str) -> bool) -> Vec<LibraryImports> {
    let mut by_library: BTreeMap<&str, LibraryImports> = BTreeMap::new();
    for (name, weak) in bind::import_names(app) {
        let library = libraries::home(name).unwrap_or("unknown");
        let entry = by_library.entry(library).or_insert_with(|| LibraryImports {
            library: library.into(),
            symbols: Vec::new(),
            missing: Vec::new(),
        });
        entry.symbols.push(name.into());
        if !weak && missing(name) {
            entry.missing.push(name.into());
        }
    }
    by_library.into_values().collect()
}

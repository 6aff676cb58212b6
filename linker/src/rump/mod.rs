//! A rump kernel that somebody else built, from its static libraries: chosen, merged, placed, relocated.
//!
//! `librump.a` and the libraries of the named components are taken whole, since their parts register themselves (constructors, link sets); a
//! library that these need and nobody named comes along. The result is a graph of sections as the kits are ([`merge`]), of which the
//! image gets what is reached from the calls that the platform makes, the constructors and the link sets.
//!
//! It lies in the low 2 GiB behind the program and layer 2, since it is compiled for the small code model. The kernel is in the top 2 GiB, out of
//! reach of a call: so the hypercalls are made anew beside it ([`hypercalls`]).

mod ar;
mod guard;
mod hypercalls;
mod libraries;
mod merge;
mod object;
mod tls;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hypercalls::Hypercalls;
pub(crate) use libraries::Libraries;
use libraries::Offers;
use merge::Merger;

use crate::app::{App, PAGE};
use crate::error::{Error, MissingRumpSymbol, Result};
use crate::kernel::Kernel;
use crate::kit::{Got, Kind, Kit, Place, Reach, Relocator, Section};
use crate::place::place;
use crate::report::ComponentCost;
use crate::space::{Layer, Pages, Prot, Space};

/// The component of the kernel kit that starts a rump kernel.
pub(crate) const COMPONENT: &str = "rumpkernel";
/// The name of the graph.
const NAME: &str = "rump kernel";
/// Compiled for the small code model.
const LIMIT: u64 = 1 << 31;
/// What the kernel kit offers beside hypercalls: what compilers call of their own accord.
const BUILTINS: [&str; 7] = ["memcpy", "memmove", "memset", "memcmp", "bcmp", "strlen", STACK_CHECK];
/// What code that looks after its stack calls when it finds it overrun. What it compares is a word behind the thread pointer, or [`STACK_GUARD`].
const STACK_CHECK: &str = "__stack_chk_fail";
const STACK_GUARD: &str = "__stack_chk_guard";
/// Its value: no string can be written over it and leave it as it is.
const STACK_GUARD_VALUE: u64 = 0xff0a_0d00_5bd1_e995;
/// Link sets that libraries refer to although none may contribute.
const LINK_SET: &str = "link_set_";
/// The link set of components, in kernels that are built without constructors.
const COMPONENTS: &str = "rump_components";
/// Link sets that rumpuser_dl_bootstrap hands the rump kernel: what its components are, under either name, and its modules.
const COMPONENT_SETS: [&str; 2] = ["link_set_rump_components", COMPONENTS];
const MODULE_SETS: [&str; 1] = ["link_set_modules"];

/// The hypercalls of `rump/rumpuser.h`, version 17, and of what is built with it (`rump-sys/rumpuser_component.h`).
const VERSION_17: &str = include_str!("../../data/rumpuser-17.txt");

/// What the user asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RumpOptions {
    /// The directory with `librump.a`.
    pub libraries: std::path::PathBuf,
    /// Components by the names of their libraries: `vfs` for `librumpvfs.a`.
    pub components: Vec<String>,
}

/// Something is wrong with a library or a directory of libraries.
fn fault(path: &Path, reason: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::RumpLibrary { path: path.into(), reason: reason.into(), hint: hint.into() }
}

/// A rump kernel in the making.
pub(crate) struct RumpKernel<'d> {
    directory: &'d Path,
    kit: Kit<'d>,
    reach: Reach,
    addresses: Vec<u64>,
    got: Got,
    constructors: Option<usize>,
    components: Option<usize>,
    modules: Option<usize>,
    hypercalls: Hypercalls,
    tls: Tls,
    /// The first address after it, page-aligned.
    pub end: u64,
    /// The libraries that are in it.
    libraries: BTreeSet<&'d str>,
}

/// The rump kernel's thread-local storage.
#[derive(Clone, Copy, Debug, Default)]
struct Tls {
    start: u64,
    content: u64,
    len: u64,
    align: u64,
}

impl Tls {
    /// Variant II: the block ends at the thread pointer.
    fn thread_pointer(self) -> u64 {
        self.start + self.len.next_multiple_of(self.align.max(1))
    }
}

/// Whether the kernel kit gives rump kernels this symbol.
fn is_given(kernel: &Kit, name: &str) -> bool {
    let public = ["rumpuser_", "rumpcomp_"].iter().any(|prefix| name.starts_with(prefix))
        || BUILTINS.contains(&name)
        || name == guard::ROUTINE;
    public && kernel.location(name).is_some()
}

/// Libraries to the end that nothing is missing, or all that is.
fn collect<'d>(
    libraries: &'d Libraries,
    named: &BTreeSet<usize>,
    kernel: &Kit,
) -> Result<(Merger<'d>, BTreeSet<usize>)> {
    let mut merger = Merger::new(NAME);
    let mut taken = named.clone();
    let add = |merger: &mut Merger<'d>, objects: Vec<(String, object::Object<'d>)>, path: &Path| {
        for (name, object) in objects {
            let member = name.clone();
            merger.add(name, object).map_err(|reason| {
                fault(
                    path,
                    format!("{member} {reason}"),
                    "build the rump kernel's libraries with other options",
                )
            })?;
        }
        Ok::<_, Error>(())
    };
    for library in named.iter().filter_map(|&index| libraries.all.get(index)) {
        add(&mut merger, library.objects()?, &library.path)?;
    }
    let mut offers = None;
    loop {
        let missing = merger.undefined().filter(|(_, name)| !is_given(kernel, name) && !is_linkers(name));
        let missing: Vec<(usize, &str)> = missing.collect();
        if missing.is_empty() {
            break;
        }
        let offers = match &mut offers {
            Some(offers) => offers,
            None => offers.insert(Offers::beside(libraries, named)?),
        };
        let found = missing.iter().find_map(|(_, name)| offers.take(libraries, name));
        let Some((index, objects)) = found else {
            let missing =
                missing.iter().map(|&(symbol, name)| (name.to_owned(), merger.user(symbol).to_owned()));
            return Err(lacking(libraries, missing.collect()));
        };
        if let Some(library) = libraries.all.get(index) {
            add(&mut merger, objects, &library.path)?;
            taken.insert(index);
        }
    }
    if let Some(first) = merger.duplicates.first() {
        let more = merger.duplicates.len() - 1;
        let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
        let reason = format!("both {} and {} define {}{more}", first.first, first.second, first.name);
        return Err(fault(&libraries.directory, reason, "leave one of the components out"));
    }
    Ok((merger, taken))
}

/// Whether the linker itself defines this symbol.
fn is_linkers(name: &str) -> bool {
    ["_GLOBAL_OFFSET_TABLE_", "__dso_handle", STACK_GUARD].contains(&name) || bound_of(name).is_some()
}

/// The link set whose bound this symbol is, if it is one that may be empty.
fn bound_of(name: &str) -> Option<&str> {
    let set = name.strip_prefix("__start_").or_else(|| name.strip_prefix("__stop_"))?;
    (set.starts_with(LINK_SET) || set == COMPONENTS).then_some(set)
}

/// The error that lists what is missing. Hypercalls that version 17 does not have tell that another version is asked for.
fn lacking(libraries: &Libraries, missing: Vec<(String, String)>) -> Error {
    let known: BTreeSet<&str> = VERSION_17.lines().collect();
    let foreign =
        missing.iter().filter(|(name, _)| name.starts_with("rumpuser_") && !known.contains(name.as_str()));
    let foreign: Vec<&str> = foreign.map(|(name, _)| name.as_str()).collect();
    if !foreign.is_empty() {
        let calls = foreign.join(", ");
        let reason = format!(
            "its rump kernel asks for hypercalls that version 17 of rumpuser(3) does not have: {calls}"
        );
        return fault(&libraries.directory, reason, "take the libraries of NetBSD 7 or later");
    }
    let symbols = missing.into_iter().map(|(name, user)| MissingRumpSymbol { name, user }).collect();
    Error::MissingRumpSymbols { path: libraries.directory.clone(), symbols }
}

impl<'d> RumpKernel<'d> {
    /// Chooses what to take from the libraries, for a kernel from this kit.
    pub(crate) fn choose(libraries: &'d Libraries, components: &[String], kernel: &Kit) -> Result<Self> {
        let mut named = BTreeSet::from([libraries.component("kern")?]);
        for component in components {
            named.insert(libraries.component(component)?);
        }
        let (merger, taken) = collect(libraries, &named, kernel)?;
        let (mut kit, constructors) = merger.finish();
        for name in ["_GLOBAL_OFFSET_TABLE_", "__dso_handle"] {
            kit.bind(name, Place::Absolute(0));
        }
        if kit.defined(STACK_GUARD).is_none() {
            kit.define(STACK_GUARD, Kind::Rodata, 8, STACK_GUARD_VALUE.to_le_bytes().to_vec());
        }
        empty_sets(&mut kit);
        guard::put(&mut kit);
        let directory = libraries.directory.as_path();
        let own = |error: Error| own(directory, error);
        let mut reach = Reach::default();
        for name in kernel.undefined().filter(|name| name.starts_with("rump_")) {
            if kit.defined(name).is_some() {
                kit.walk_symbol(&mut reach, name).map_err(own)?;
            }
        }
        let set = |names: &[&str]| kit.sections.iter().position(|section| names.contains(&section.name));
        let [components, modules] = [&COMPONENT_SETS[..], &MODULE_SETS].map(set);
        for section in [constructors, components, modules].into_iter().flatten() {
            kit.walk(&mut reach, section).map_err(own)?;
        }
        let hypercalls = Hypercalls::define(&mut kit, &mut reach, kernel);
        let got = Got::make(&mut kit, &mut reach);
        let addresses = vec![0; kit.sections.len()];
        let names = taken.iter().filter_map(|&index| Some(libraries.all.get(index)?.name.as_str()));
        Ok(Self {
            directory,
            libraries: names.collect(),
            kit,
            reach,
            addresses,
            got,
            constructors,
            components,
            modules,
            hypercalls,
            tls: Tls::default(),
            end: 0,
        })
    }

    /// The symbols of the kernel to which it refers.
    pub(crate) fn kernel_symbols(&self, kernel: &Kit) -> BTreeSet<String> {
        let symbols = self.reach.externals.iter().filter_map(|&index| self.kit.symbols.get(index));
        symbols.map(|symbol| symbol.name).filter(|name| is_given(kernel, name)).map(str::to_owned).collect()
    }

    /// Whether it asks for network interfaces.
    pub(crate) fn drives_cards(&self) -> bool {
        let symbols = self.reach.externals.iter().filter_map(|&index| self.kit.symbols.get(index));
        symbols.map(|symbol| symbol.name).any(|name| name == "rumpcomp_virt_create")
    }

    /// Whether its code looks after its stack: then each thread has thread-local storage, with the word that is compared.
    fn checks_stacks(&self) -> bool {
        let symbols = self.reach.externals.iter().filter_map(|&index| self.kit.symbols.get(index));
        symbols.map(|symbol| symbol.name).any(|name| name == STACK_CHECK)
    }

    /// Gives every section its address behind `start`, and adds the segments to the application's space.
    pub(crate) fn place(&mut self, app: &App, start: u64, space: &mut Space) -> Result<()> {
        let mut at = start.next_multiple_of(PAGE);
        let tls = |kit: &Kit, reach: &Reach| {
            let sections = reach.iter().filter_map(|index| kit.sections.get(index));
            let of_tls = sections.filter(|section| matches!(section.kind, Kind::TlsData | Kind::TlsBss));
            of_tls.map(|section| section.align).max()
        };
        let align = tls(&self.kit, &self.reach);
        for (kinds, prot) in [
            (&[Kind::Text][..], Prot::READ_EXEC),
            (&[Kind::TlsData, Kind::Rodata], Prot::READ),
            (&[Kind::Data, Kind::Bss], Prot::READ_WRITE),
        ] {
            let first = at;
            for &kind in kinds {
                let Some(align) = align.filter(|_| kind == Kind::TlsData) else {
                    at = place(&self.kit, &self.reach, kind, at, None, &mut self.addresses);
                    continue;
                };
                let from = at.next_multiple_of(align);
                at = place(&self.kit, &self.reach, kind, from, None, &mut self.addresses);
                // What is zero at first has places in each thread's block, but none here.
                let end = place(&self.kit, &self.reach, Kind::TlsBss, at, None, &mut self.addresses);
                self.tls = Tls { start: from, content: at - from, len: end - from, align };
            }
            at = at.next_multiple_of(PAGE);
            if at > first {
                let (len, data) = (at - first, Vec::new());
                space.pages.push(Pages { va: first, len, prot, layer: Layer::Rump, data });
            }
        }
        if self.tls.len == 0 && self.checks_stacks() {
            self.tls = Tls { len: 8, align: 8, ..Tls::default() };
        }
        self.end = at;
        if at > LIMIT {
            return Err(Error::Layout {
                path: app.path().into(),
                reason: format!(
                    "it ends at {:#x}, and the rump kernel has to lie behind it below 2 GiB",
                    app.headers().end()
                ),
                hint: "link it at the linker's default address".into(),
            });
        }
        Ok(())
    }

    /// The address of a global symbol that is in the image.
    pub(crate) fn address(&self, name: &str) -> Option<u64> {
        let (index, offset) = self.kit.location(name)?;
        self.reach.has(index).then(|| self.addresses.get(index).map(|at| at + offset))?
    }

    /// Writes the hypercalls into the application's space, once the whole kernel is placed.
    pub(crate) fn write_hypercalls(&self, kernel: &Kernel, space: &mut Space) -> Result<()> {
        self.hypercalls.write(kernel, &self.addresses, space)
    }

    /// The error for what the platform calls of a rump kernel, and it does not have.
    pub(crate) fn lacks(&self, symbols: &BTreeSet<&str>) -> Error {
        let names: Vec<&str> = symbols.iter().copied().collect();
        let reason = format!("its rump kernel does not define {}", names.join(", "));
        fault(self.directory, reason, "take the libraries of NetBSD 7 or later")
    }

    /// What the kernel has to know of it.
    pub(crate) fn info(&self) -> rump_image::RumpInfo {
        let span = |start, len| rump_image::Span { start, len };
        let array = |section: Option<usize>| {
            section.map_or(span(0, 0), |index| {
                let size = self.kit.sections.get(index).map_or(0, |section| section.size);
                span(self.addresses.get(index).copied().unwrap_or(0), size)
            })
        };
        rump_image::RumpInfo {
            constructors: array(self.constructors),
            components: array(self.components),
            modules: array(self.modules),
            tls_image: span(self.tls.start, self.tls.content),
            tls_len: self.tls.len,
            tls_align: self.tls.align.max(1),
        }
    }

    /// Writes the relocated sections into the application's space.
    pub(crate) fn write(&self, space: &mut Space) -> Result<()> {
        let relocator = Relocator {
            kit: &self.kit,
            addresses: &self.addresses,
            // What is still absent is weak, and stays 0: `choose` has seen to that.
            externals: &BTreeMap::new(),
            got: &self.got,
            thread_pointer: self.tls.thread_pointer(),
        };
        for index in self.reach.iter() {
            let (Some(section), Some(&address)) = (self.kit.sections.get(index), self.addresses.get(index))
            else {
                continue;
            };
            if matches!(section.kind, Kind::Bss | Kind::TlsBss) || section.size == 0 {
                continue;
            }
            let content = relocator.content(index).map_err(|error| own(self.directory, error))?;
            let written = space.write(address, &content);
            written.ok_or_else(|| {
                own(self.directory, self.kit.fault(format!("{} was not placed", section.name)))
            })?;
        }
        Ok(())
    }

    /// The graph, what of it is in the image, and where.
    pub(crate) fn sections(&self) -> (&Kit<'d>, &Reach, &[u64]) {
        (&self.kit, &self.reach, &self.addresses)
    }

    /// What it costs.
    pub(crate) fn cost(&self) -> ComponentCost {
        let names: Vec<String> = self.libraries.iter().map(|name| format!("lib{name}")).collect();
        crate::cost::of_kit(
            &self.kit,
            &self.reach,
            NAME,
            "rump",
            &format!("--rump-libs: {}", names.join(", ")),
        )
    }
}

/// An error of the graph is one of the libraries, not of rumpbake.
fn own(directory: &Path, error: Error) -> Error {
    match error {
        Error::Kit { reason, .. } => {
            fault(directory, reason, "build the rump kernel's libraries with other options")
        }
        other => other,
    }
}

/// Gives link sets to which nobody contributes their bounds.
fn empty_sets(kit: &mut Kit) {
    let empty: BTreeSet<String> = kit.undefined().filter_map(bound_of).map(str::to_owned).collect();
    for set in empty {
        let index = kit.sections.len();
        kit.sections.push(Section {
            name: "",
            kind: Kind::Rodata,
            align: 8,
            size: 0,
            data: Cow::Borrowed(&[]),
            relocs: Cow::Borrowed(&[]),
        });
        for bound in ["__start_", "__stop_"] {
            kit.bind(&format!("{bound}{set}"), Place::Section { index, offset: 0 });
        }
    }
}

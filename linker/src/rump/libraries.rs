//! The directory with a rump kernel's libraries: which there are, and what is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::object::{self, Binding, Home, Object, ObjectSymbol};
use super::{ar, fault};
use crate::error::{Error, Result};

/// Libraries for programs on a host with an operating system; what they do, the platform does here.
const HOSTED: [&str; 4] = ["rumpuser", "rumpclient", "rumphijack", "rumpres"];

/// A library, by its name without `lib` and ending.
#[derive(Debug)]
pub(super) struct Library {
    pub name: String,
    pub path: PathBuf,
    bytes: Vec<u8>,
}

impl Library {
    /// Whether it belongs to the rump kernel and is taken whole, since its parts register themselves; other libraries give what is asked for.
    pub(super) fn is_component(&self) -> bool {
        self.name.starts_with("rump")
    }

    /// Its objects with their names.
    pub(super) fn objects(&self) -> Result<Vec<(String, Object<'_>)>> {
        let file = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let members = ar::members(&self.bytes)
            .map_err(|reason| fault(&self.path, reason, "build the rump kernel's libraries anew"))?;
        let mut objects = Vec::with_capacity(members.len());
        for member in members {
            let found = object::read(member.data).map_err(|reason| {
                let hint =
                    "build the rump kernel's libraries for NetBSD/amd64 or another x86-64 system with ELF";
                fault(&self.path, format!("its member {} {reason}", member.name), hint)
            })?;
            if !is_host_part(&found) {
                objects.push((format!("{file}({})", member.name), found));
            }
        }
        Ok(objects)
    }
}

/// The libraries of a directory.
#[derive(Debug)]
pub(crate) struct Libraries {
    pub(super) directory: PathBuf,
    pub(super) all: Vec<Library>,
}

/// The library's name that a file's name tells: position-independent ones come second.
fn library_name(file: &str) -> Option<(&str, bool)> {
    let name = file.strip_prefix("lib")?.strip_suffix(".a")?;
    // Profiled copies and those of static analysis are of no use.
    (!name.ends_with("_p") && !name.ends_with("_g"))
        .then(|| name.strip_suffix("_pic").map_or((name, false), |name| (name, true)))
}

impl Libraries {
    /// Reads a directory.
    ///
    /// # Errors
    /// If it cannot be read, or has no librump.a.
    pub(crate) fn read(directory: &Path) -> Result<Self> {
        let cannot = |source| Error::Read { path: directory.into(), source };
        let mut files: BTreeMap<String, (bool, PathBuf)> = BTreeMap::new();
        for entry in std::fs::read_dir(directory).map_err(cannot)? {
            let path = entry.map_err(cannot)?.path();
            let Some((name, pic)) = path.file_name().and_then(|name| name.to_str()).and_then(library_name)
            else {
                continue;
            };
            let other = files.get(name).is_some_and(|(other_pic, _)| !other_pic);
            if !(HOSTED.contains(&name) || pic && other) {
                files.insert(name.to_owned(), (pic, path.clone()));
            }
        }
        if !files.contains_key("rump") {
            let hint = "name the directory in which a build of NetBSD's rump kernel put its static libraries";
            return Err(fault(directory, "it has no librump.a", hint));
        }
        let read = |(name, (_, path)): (String, (bool, PathBuf))| {
            let bytes = std::fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
            Ok(Library { name, path, bytes })
        };
        Ok(Self { directory: directory.into(), all: files.into_iter().map(read).collect::<Result<_>>()? })
    }

    /// The number of the library of a component: `vfs` for `librumpvfs.a`.
    pub(super) fn component(&self, component: &str) -> Result<usize> {
        // However the library is called: vfs, rumpvfs, librumpvfs or librumpvfs.a.
        let component = component.trim();
        let plain = component.strip_suffix(".a").unwrap_or(component);
        let plain = plain.strip_prefix("lib").filter(|rest| rest.starts_with("rump")).unwrap_or(plain);
        let plain = plain.strip_prefix("rump").unwrap_or(plain);
        let name = if plain == "kern" { "rump".to_owned() } else { format!("rump{plain}") };
        if HOSTED.contains(&name.as_str()) {
            let reason = format!("lib{name}.a is for programs on another host, and no component");
            return Err(fault(&self.directory, reason, "leave it out: what it does, the platform does here"));
        }
        self.all.iter().position(|library| library.name == name).ok_or_else(|| {
            let known: Vec<&str> = self
                .all
                .iter()
                .filter_map(|library| library.name.strip_prefix("rump"))
                .filter(|n| !n.is_empty())
                .collect();
            let reason = format!("it has no lib{name}.a, which the component {component} is");
            let hint = if known.is_empty() {
                "it has no component but kern".to_owned()
            } else {
                format!("its components are kern, {}", known.join(", "))
            };
            fault(&self.directory, reason, hint)
        })
    }
}

/// What libraries that were not named would define.
pub(super) struct Offers<'d> {
    /// By library: its objects.
    libraries: Vec<(usize, Vec<(String, Object<'d>)>)>,
}

/// The global symbols that an object defines.
fn definitions<'o, 'd>(object: &'o Object<'d>) -> impl Iterator<Item = &'o ObjectSymbol<'d>> {
    let symbols = object.symbols.iter();
    symbols.filter(|symbol| symbol.binding != Binding::Local && symbol.home != Home::Undefined)
}

/// Whether it is a component's part for a host with an operating system and a libc: it defines hypercalls and nothing else. Libraries that were built for such a
/// host have it beside the component's own objects; here the platform does what it is to do.
fn is_host_part(object: &Object) -> bool {
    let own = |symbol: &&ObjectSymbol| {
        symbol.binding == Binding::Strong && !matches!(symbol.home, Home::Common { .. })
    };
    let mut names = definitions(object).filter(own).map(|symbol| symbol.name).peekable();
    names.peek().is_some() && names.all(|name| name.starts_with("rumpcomp_"))
}

/// How an object defines a symbol.
fn binding_of(object: &Object, name: &str) -> Option<Binding> {
    definitions(object).find(|symbol| symbol.name == name).map(|symbol| symbol.binding)
}

impl<'d> Offers<'d> {
    /// Those of all libraries but the ones in `named`.
    pub(super) fn beside(libraries: &'d Libraries, named: &BTreeSet<usize>) -> Result<Self> {
        let rest = libraries.all.iter().enumerate().filter(|(index, _)| !named.contains(index));
        let read = |(index, library): (usize, &'d Library)| Ok((index, library.objects()?));
        Ok(Self { libraries: rest.map(read).collect::<Result<_>>()? })
    }

    /// Takes what defines `symbol`: a component's library whole, the one object of another. Who defines it weakly has a stand-in for where the
    /// real one is absent, so others come first. Returns the library's number.
    pub(super) fn take(
        &mut self,
        all: &Libraries,
        symbol: &str,
    ) -> Option<(usize, Vec<(String, Object<'d>)>)> {
        for wanted in [Binding::Strong, Binding::Weak] {
            for (index, objects) in &mut self.libraries {
                let at = objects.iter().position(|(_, object)| binding_of(object, symbol) == Some(wanted));
                let Some(at) = at else { continue };
                let whole = all.all.get(*index).is_some_and(Library::is_component);
                let given = if whole { std::mem::take(objects) } else { vec![objects.remove(at)] };
                return Some((*index, given));
            }
        }
        None
    }
}

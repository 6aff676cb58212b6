//! docs/rumpuser.md: each hypercall of rumpuser(3), its state, where it lives. Part of `cargo xtask compat`.
//!
//! The names are those of NetBSD's `rump/rumpuser.h`, and of the headers that it keeps to itself; the rest is what the sources of
//! platform/rumpuser say: a function's documentation begins with its name.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const SOURCES: &str = "platform/rumpuser";
/// Where those are that only a host process serves.
const POSIX: &str = "platform/rumpuser/posix/";
/// Hypercalls that no published header declares: rumpuser_component.h, and those of components to their host's part.
const PRIVATE: [(&str, &str); 5] = [
    (
        "Components",
        "rumpuser_component_unschedule rumpuser_component_schedule rumpuser_component_kthread rumpuser_component_kthread_release \
         rumpuser_component_curlwp rumpuser_component_switchlwp rumpuser_component_errtrans",
    ),
    ("virt(4)", "rumpcomp_virt_create rumpcomp_virt_dying rumpcomp_virt_destroy rumpcomp_virt_send"),
    (
        "PCI",
        "rumpcomp_pci_map rumpcomp_pci_confread rumpcomp_pci_confwrite rumpcomp_pci_irq_map rumpcomp_pci_irq_establish \
         rumpcomp_pci_dmalloc rumpcomp_pci_dmafree rumpcomp_pci_dmamem_map rumpcomp_pci_virt_to_mach rumpcomp_pci_iospace_init",
    ),
    ("shmif(4)", "rumpcomp_shmif_mmap rumpcomp_shmif_watchsetup rumpcomp_shmif_watchwait"),
    (
        "sockin",
        "rumpcomp_sockin_socket rumpcomp_sockin_sendmsg rumpcomp_sockin_recvmsg rumpcomp_sockin_connect rumpcomp_sockin_bind \
         rumpcomp_sockin_accept rumpcomp_sockin_listen rumpcomp_sockin_getname rumpcomp_sockin_setsockopt rumpcomp_sockin_poll",
    ),
];

/// A hypercall that there is.
struct Found {
    /// Relative to the project's folder.
    file: String,
    /// What its documentation says, without its name.
    about: String,
}

/// The hypercalls that a header declares, in its order.
fn declared(header: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in header.match_indices("rumpuser_") {
        let name =
            header[at..].split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or("");
        let is_call = header[at + name.len()..].starts_with('(');
        let is_whole = !header[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if is_call && is_whole && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The first sentence or two: up to the first full stop behind which something else begins.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    text[..end].trim_end_matches('.').replace('|', "\\|")
}

/// The hypercalls that a source file defines.
fn defined(file: &str, text: &str, found: &mut BTreeMap<String, Found>) {
    let mut documentation = String::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(more) = line.strip_prefix("///") {
            documentation.push_str(more);
            continue;
        }
        let function =
            line.strip_prefix("pub unsafe extern \"C\" fn ").or(line.strip_prefix("pub extern \"C\" fn "));
        if let Some((name, _)) = function.and_then(|function| function.split_once('(')) {
            let own = documentation.split("# Safety").next().unwrap_or("").trim();
            let about = own.strip_prefix(name).unwrap_or(own).trim_start_matches([':', '.', ',']);
            found.insert(name.to_owned(), Found { file: file.to_owned(), about: sentence(about) });
        }
        if !line.starts_with("#[") {
            documentation.clear();
        }
    }
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, into)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
    into.sort();
    Ok(())
}

fn section(out: &mut String, title: &str, names: &[&str], found: &BTreeMap<String, Found>) -> Result<()> {
    writeln!(out, "\n## {title}\n\n| hypercall | state | where | |\n|---|---|---|---|")?;
    for name in names {
        match found.get(*name) {
            Some(Found { file, about }) => {
                let state = match about {
                    about if about.starts_with("ENOSYS") => "ENOSYS",
                    _ if file.starts_with(POSIX) => "in a host process",
                    _ => "implemented",
                };
                let short = file.strip_prefix(SOURCES).unwrap_or(file).trim_start_matches("/src/");
                let short = short.trim_start_matches('/');
                writeln!(out, "| {name} | {state} | [{short}](../{file}) | {about} |")?;
            }
            None => writeln!(out, "| {name} | absent | | |")?,
        }
    }
    Ok(())
}

/// The document.
pub fn document(root: &Path, headers: &Path) -> Result<String> {
    let header = headers.join("rump/rumpuser.h");
    let header =
        std::fs::read_to_string(&header).with_context(|| format!("cannot read {}", header.display()))?;
    let mut paths = Vec::new();
    sources(&root.join(SOURCES), &mut paths)?;
    let mut found = BTreeMap::new();
    for path in paths {
        let text = std::fs::read_to_string(&path)?;
        defined(&path.strip_prefix(root)?.to_string_lossy(), &text, &mut found);
    }
    let names = declared(&header);
    let private = PRIVATE.map(|(title, names)| (title, names.split_whitespace().collect::<Vec<_>>()));
    let total = names.len() + private.iter().map(|(_, names)| names.len()).sum::<usize>();
    let mut out = String::from("# The hypercalls of rumpuser(3), version 17\n\n");
    writeln!(out, "Generated by `cargo xtask compat`; do not edit.\n")?;
    writeln!(
        out,
        "{} of {total} are there: the same on bare metal, under Xen and in a host process, those of shmif(4) and sockin in a host process alone. One that is absent is no symbol: `rumpbake` names it when a rump \
         kernel wants it. What each has to do is asked by [tests/programs/rumpuser](../tests/programs/rumpuser).",
        found.len()
    )?;
    section(&mut out, "rump/rumpuser.h", &names, &found)?;
    for (title, names) in &private {
        section(&mut out, title, names, &found)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{declared, defined};
    use std::collections::BTreeMap;

    #[test]
    fn a_headers_functions_are_found() {
        let header = "/* rumpuser_a() */\nint rumpuser_b(int);\nvoid  rumpuser_c(\nstruct rumpuser_d { };\nint rumpuser_b(int);";
        assert_eq!(declared(header), ["rumpuser_a", "rumpuser_b", "rumpuser_c"]);
    }

    #[test]
    fn documentation_goes_with_its_function() {
        let text = "/// Other.\nconst A: i32 = 1;\n\n/// rumpuser_b: does it. More.\n///\n/// # Safety\n/// None.\n#[x]\npub unsafe extern \"C\" fn rumpuser_b(";
        let mut found = BTreeMap::new();
        defined("f.rs", text, &mut found);
        assert_eq!((found["rumpuser_b"].about.as_str(), found.len()), ("does it", 1));
    }
}

//! Which kernel components an image gets.
//!
//! The kernel kit carries a record per component in the section `.rb.components` (see `rump_kern::component`). A component is taken if
//! a system call that it asks for is in the image, if a taken component needs it, or if it is named; taking it may reach more system
//! calls, so this goes on until nothing changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::cost::component_of;
use crate::error::{Error, Result};
use crate::kit::{Kit, Reach};
use crate::report::ComponentInfo;

/// The section with the records.
const RECORDS: &str = ".rb.components";
/// The section that says of each system call in which module it is defined.
const CALLS: &str = ".rb.syscalls";
/// Where loaders enter.
const ENTRIES: [&str; 3] = ["rb_pvh_entry", "rb_multiboot_entry", "rb_xen_entry"];
/// What system calls that are not in the image do.
pub(crate) const NOSYS: &str = "sys_nosys";
/// The gate through which layer 2 calls.
pub(crate) const GATE: &str = "rb_gate";
/// The core of layer 1: every image has it, and it has no descriptor.
pub(crate) const CORE: &str = "kern";
/// In `when`: every image has the component.
const ALWAYS: &str = "*";
/// In `when`, between the names of components: they are all in the image.
const TOGETHER: char = '+';

/// Which system calls an application may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    /// Any, by number; or where components are named, those that these and the core define.
    Any,
    /// Only those that it names as symbols.
    Named,
}

/// What the application asks of the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Demand<'a> {
    pub calls: Calls,
    /// Symbols of the kernel to which layer 2 refers.
    pub symbols: BTreeSet<String>,
    /// Components that the user named.
    pub components: Option<&'a [String]>,
    /// Components that the options ask for without naming them.
    pub wanted: &'a [Wanted],
}

/// A component that something other than a system call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub component: &'static str,
    pub why: &'static str,
}

/// A component that is taken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub info: ComponentInfo,
    pub why: String,
}

/// What is taken from the kernel kit.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub reach: Reach,
    /// In the order of their initialisation: what a component needs comes before it.
    pub taken: Vec<Taken>,
}

/// The records of the kernel kit, sorted by name.
pub(crate) fn records(kit: &Kit) -> Result<Vec<ComponentInfo>> {
    let mut found = BTreeMap::new();
    for section in kit.sections.iter().filter(|section| section.name == RECORDS) {
        let text = std::str::from_utf8(&section.data)
            .map_err(|_| kit.fault(format!("section {RECORDS} is not text")))?;
        for line in text.lines().map(|line| line.trim_start_matches('\0')).filter(|line| !line.is_empty()) {
            let mut fields = line.split('\0');
            let (Some(name), Some(faction), Some(needs), Some(when), Some(about), None) =
                (fields.next(), fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
            else {
                return Err(kit.fault(format!("the component record {line:?} does not have five fields")));
            };
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let info = ComponentInfo {
                name: name.into(),
                faction: faction.into(),
                needs: words(needs),
                when: words(when),
                about: about.into(),
            };
            found.insert(info.name.clone(), info);
        }
    }
    Ok(found.into_values().collect())
}

/// The component that defines each system call, or `kern`, by the call's name.
pub(crate) fn call_owners<'k>(kit: &'k Kit) -> Result<BTreeMap<&'k str, &'k str>> {
    let mut owners = BTreeMap::new();
    for section in kit.sections.iter().filter(|section| section.name == CALLS) {
        let text = std::str::from_utf8(&section.data)
            .map_err(|_| kit.fault(format!("section {CALLS} is not text")))?;
        for line in text.lines().map(|line| line.trim_start_matches('\0')).filter(|line| !line.is_empty()) {
            let fields = line.split_once('\0').and_then(|(name, module)| {
                Some((name.strip_prefix("sys_")?, module.split("::").next().unwrap_or(module)))
            });
            let (name, ident) =
                fields.ok_or_else(|| kit.fault(format!("the system call's record {line:?} is not one")))?;
            owners.insert(name, component_of(ident));
        }
    }
    Ok(owners)
}

fn check_names(names: &[String], records: &[ComponentInfo]) -> Result<()> {
    match names.iter().find(|name| !records.iter().any(|record| record.name == **name)) {
        None => Ok(()),
        Some(name) => Err(Error::UnknownComponent {
            name: name.clone(),
            known: records.iter().map(|record| record.name.clone()).collect(),
        }),
    }
}

/// The named components and all that they need.
fn closure(names: &[String], records: &[ComponentInfo]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut work: Vec<String> = names.to_vec();
    while let Some(name) = work.pop() {
        if let Some(record) = records.iter().find(|record| record.name == name)
            && all.insert(name)
        {
            work.extend(record.needs.iter().cloned());
        }
    }
    all
}

/// The kernel symbols that an unknown system call may mean: all, or those that the named components do not leave out.
fn any_call(
    kit: &Kit,
    records: &[ComponentInfo],
    named: Option<&[String]>,
    calls: &BTreeSet<&str>,
) -> Result<Vec<String>> {
    let taken = named.map(|named| closure(named, records));
    let owners = call_owners(kit)?;
    let allowed = |call: &str| match (&taken, owners.get(call)) {
        (None, _) | (_, None | Some(&CORE)) => true,
        (Some(taken), Some(&owner)) => taken.contains(owner),
    };
    let mut symbols: Vec<String> = kit
        .definitions()
        .filter_map(|symbol| symbol.name.strip_prefix("sys_"))
        .filter(|name| calls.contains(name) && allowed(name))
        .map(|name| format!("sys_{name}"))
        .collect();
    symbols.sort();
    Ok(symbols)
}

/// Chooses what to take. `calls` are the names of NetBSD's system calls.
pub(crate) fn select(kit: &Kit, demand: &Demand, calls: &BTreeSet<&str>) -> Result<Selection> {
    let records = records(kit)?;
    let mut reach = Reach::default();
    for entry in ENTRIES.into_iter().filter(|entry| kit.mentions(entry)).chain([NOSYS]) {
        kit.walk_symbol(&mut reach, entry)?;
    }
    let named = demand.components.unwrap_or_default();
    check_names(named, &records)?;
    if demand.calls == Calls::Any {
        // What the options ask for is not narrowed away.
        let named = demand.components.map(|named| {
            let wanted = demand.wanted.iter().map(|wanted| wanted.component.to_owned());
            named.iter().cloned().chain(wanted).collect::<Vec<_>>()
        });
        for symbol in any_call(kit, &records, named.as_deref(), calls)? {
            kit.walk_symbol(&mut reach, &symbol)?;
        }
    }
    for symbol in &demand.symbols {
        kit.walk_symbol(&mut reach, symbol)?;
    }
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let mut grown = false;
        for record in &records {
            if reasons.contains_key(&record.name) {
                continue;
            }
            let reason = if named.contains(&record.name) {
                Some("named".to_owned())
            } else if record.when.iter().any(|when| when == ALWAYS) {
                Some("in every image".to_owned())
            } else if let Some(wanted) = demand.wanted.iter().find(|wanted| wanted.component == record.name) {
                Some(wanted.why.to_owned())
            } else {
                let called = |call: &&String| {
                    kit.location(&format!("sys_{call}")).is_some_and(|(section, _)| reach.has(section))
                };
                let by_call = record.when.iter().find(called).map(|call| format!("system call {call}"));
                // Components that are there together.
                let met = |when: &&String| {
                    when.contains(TOGETHER) && when.split(TOGETHER).all(|name| reasons.contains_key(name))
                };
                let by_others = || record.when.iter().find(met).map(|when| format!("for {when}"));
                by_call.or_else(by_others).or_else(|| {
                    let needs = |other: &&ComponentInfo| {
                        reasons.contains_key(&other.name) && other.needs.contains(&record.name)
                    };
                    records.iter().find(needs).map(|other| format!("needed by {}", other.name))
                })
            };
            if let Some(reason) = reason {
                kit.walk_symbol(&mut reach, &format!("rb_component_{}", record.name))?;
                reasons.insert(record.name.clone(), reason);
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    let taken = order(kit, &records, reasons)?;
    Ok(Selection { reach, taken })
}

/// Sorts the taken components so that each comes after those that it needs, otherwise by name.
fn order(kit: &Kit, records: &[ComponentInfo], mut reasons: BTreeMap<String, String>) -> Result<Vec<Taken>> {
    let mut taken: Vec<Taken> = Vec::new();
    let mut waiting: Vec<&ComponentInfo> =
        records.iter().filter(|record| reasons.contains_key(&record.name)).collect();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|record| {
            record.needs.iter().all(|need| need == CORE || taken.iter().any(|taken| taken.info.name == *need))
        });
        let Some(ready) = ready else {
            let names: Vec<&str> = waiting.iter().map(|record| record.name.as_str()).collect();
            return Err(
                kit.fault(format!("the components {} need each other or an unknown one", names.join(", ")))
            );
        };
        let info = waiting.remove(ready).clone();
        let why = reasons.remove(&info.name).unwrap_or_default();
        taken.push(Taken { info, why });
    }
    Ok(taken)
}

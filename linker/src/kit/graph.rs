//! What is reached from where: the walk over sections and relocations.

use std::collections::BTreeSet;

use object::LittleEndian as LE;

use super::{Kind, Kit, Place};
use crate::error::Result;

/// The part of a kit that is reached. It grows with each walk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    /// For each section whether it is reached.
    sections: Vec<bool>,
    /// For each reached section the one from which it was reached first, itself for a root.
    parents: Vec<usize>,
    /// Undefined symbols that are named by what is reached, by index.
    pub externals: BTreeSet<usize>,
}

impl Reach {
    /// Whether a section is reached.
    pub(crate) fn has(&self, section: usize) -> bool {
        self.sections.get(section).copied().unwrap_or(false)
    }

    /// The reached sections in the kit's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.sections.iter().enumerate().filter_map(|(index, &reached)| reached.then_some(index))
    }

    /// From which section this one was reached first; itself for a root.
    pub(crate) fn parent(&self, section: usize) -> usize {
        self.parents.get(section).copied().unwrap_or(section)
    }

    /// Takes a section that the linker made.
    pub(crate) fn take(&mut self, section: usize) {
        self.mark(section, section);
    }

    /// True if the section was not yet reached.
    fn mark(&mut self, section: usize, parent: usize) -> bool {
        while self.sections.len() <= section {
            self.parents.push(self.sections.len());
            self.sections.push(false);
        }
        let (Some(reached), Some(of)) = (self.sections.get_mut(section), self.parents.get_mut(section))
        else {
            return false;
        };
        if *reached {
            return false;
        }
        *reached = true;
        *of = parent;
        true
    }
}

impl Kit<'_> {
    /// Extends `reach` by everything that can be reached from the section `root`.
    pub(crate) fn walk(&self, reach: &mut Reach, root: usize) -> Result<()> {
        let mut work = Vec::new();
        if reach.mark(root, root) {
            work.push(root);
        }
        while let Some(from) = work.pop() {
            let Some(section) = self.sections.get(from) else { continue };
            for reloc in section.relocs.iter() {
                let symbol_index = usize::try_from(reloc.r_sym(LE, false)).unwrap_or(usize::MAX);
                let Some(symbol) = self.symbols.get(symbol_index) else {
                    return Err(self.fault(format!("{} names a symbol that does not exist", section.name)));
                };
                match symbol.place {
                    Place::Section { index, .. } => {
                        if self.sections.get(index).is_none_or(|target| target.kind == Kind::Dropped) {
                            return Err(self.fault(format!("{} refers to {}", section.name, symbol.name)));
                        }
                        if reach.mark(index, from) {
                            work.push(index);
                        }
                    }
                    Place::Undefined if symbol_index != 0 => {
                        reach.externals.insert(symbol_index);
                    }
                    Place::Absolute(_) | Place::Undefined => {}
                }
            }
        }
        Ok(())
    }

    /// Extends `reach` from a global symbol that the kit must define.
    pub(crate) fn walk_symbol(&self, reach: &mut Reach, name: &str) -> Result<()> {
        match self.defined(name).map(|symbol| symbol.place) {
            Some(Place::Section { index, .. }) => self.walk(reach, index),
            Some(Place::Absolute(_)) => Ok(()),
            Some(Place::Undefined) | None => Err(self.fault(format!("it does not define {name}"))),
        }
    }
}

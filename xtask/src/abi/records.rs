//! Reads what the compiler says about the layout of records (`-fdump-record-layouts-canonical`).

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// A field, or a record at the top of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Bytes from the beginning of the outermost record.
    pub offset: usize,
    /// Its type in C, without qualifiers.
    pub ty: String,
    /// Its name; empty for a record at the top and for an anonymous member.
    pub name: String,
    /// It is a bit field.
    pub bits: bool,
    /// What it consists of, if it is a structure or union.
    pub members: Vec<Node>,
}

/// A record's extent, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// `sizeof`.
    pub size: usize,
    /// `_Alignof`.
    pub align: usize,
}

/// A record as dumped.
#[derive(Clone, Debug)]
pub struct Record {
    /// The record and its members.
    pub node: Node,
    /// Its extent.
    pub extent: Extent,
}

/// All records of a dump by their types' names.
pub fn parse(text: &str) -> Result<BTreeMap<String, Record>> {
    let mut records = BTreeMap::new();
    for part in text.split("*** Dumping AST Record Layout").skip(1) {
        let part = part.split("*** Dumping").next().unwrap_or(part);
        let mut lines = Vec::new();
        let mut extent = None;
        for line in part.lines() {
            let Some((position, rest)) = line.split_once('|') else { continue };
            let position = position.trim();
            if position.is_empty() {
                extent = extent.or(read_extent(rest));
                continue;
            }
            let depth = (rest.len() - rest.trim_start().len()) / 2;
            let (offset, bits) = match position.split_once(':') {
                Some((bytes, _)) => (bytes, true),
                None => (position, false),
            };
            let offset = offset.parse().with_context(|| format!("cannot read the offset in: {line}"))?;
            lines.push((depth, offset, bits, rest.trim_start()));
        }
        let Some(extent) = extent else { continue };
        let mut at = 0;
        let Some(node) = tree(&lines, &mut at).into_iter().next() else { bail!("a record without a name") };
        records.insert(node.ty.clone(), Record { node, extent });
    }
    Ok(records)
}

fn read_extent(text: &str) -> Option<Extent> {
    let number = |key: &str| -> Option<usize> {
        let rest = &text[text.find(key)? + key.len()..];
        rest[..rest.find(|c: char| !c.is_ascii_digit())?].parse().ok()
    };
    Some(Extent { size: number("sizeof=")?, align: number("align=")? })
}

/// Nodes from line `at` on that are as deep as it or deeper.
fn tree(lines: &[(usize, usize, bool, &str)], at: &mut usize) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let Some(&(level, ..)) = lines.get(*at) else { return nodes };
    while let Some(&(depth, offset, bits, text)) = lines.get(*at) {
        if depth < level {
            break;
        }
        if depth > level {
            let members = tree(lines, at);
            if let Some(last) = nodes.last_mut() {
                last.members = members;
            }
            continue;
        }
        let (ty, name) = if level == 0 { (text, "") } else { text.rsplit_once(' ').unwrap_or((text, "")) };
        nodes.push(Node { offset, ty: plain(ty), name: name.to_owned(), bits, members: Vec::new() });
        *at += 1;
    }
    nodes
}

/// A type without qualifiers. An unnamed record goes by its place in the header: what it lies in is spelled in more than one way.
fn plain(ty: &str) -> String {
    let ty = ty
        .split(' ')
        .filter(|word| !matches!(*word, "const" | "volatile" | ""))
        .collect::<Vec<_>>()
        .join(" ");
    for place in ["(unnamed at ", "(anonymous at "] {
        if let (Some(at), Some((kind, _))) = (ty.rfind(place), ty.split_once(' ')) {
            return format!("{kind} (at {}", &ty[at + place.len()..]);
        }
    }
    ty
}

#[cfg(test)]
mod tests {
    use super::{Extent, parse};

    #[test]
    fn nested_records_become_a_tree() {
        let text = "\n*** Dumping AST Record Layout\n         0 | struct a\n         0 |   volatile int x\n         8 |   struct b y\n         8 |     char[3] z\n        16 |   void (*)(int) f\n           | [sizeof=24, align=8]\n\n*** Dumping IRgen Record Layout\nRecord: junk | more\n";
        let records = parse(text).expect("well formed");
        let record = &records["struct a"];
        assert_eq!(record.extent, Extent { size: 24, align: 8 });
        let fields: Vec<_> =
            record.node.members.iter().map(|f| (f.offset, f.ty.as_str(), f.name.as_str())).collect();
        assert_eq!(fields, [(0, "int", "x"), (8, "struct b", "y"), (16, "void (*)(int)", "f")]);
        assert_eq!(record.node.members[1].members[0].name, "z");
    }
}

//! Structures: Rust declarations from the compiler's record layouts, and the check of the declarations against the headers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::cc;
use super::records::{self, Extent, Node, Record};
use super::tables::{STRUCTURE_HEADERS, STRUCTURES};

/// What is generated from the structures.
pub struct Output {
    /// The module `types`.
    pub types: String,
    /// The list of their layouts for the check.
    pub layouts: String,
}

/// One field as Rust has it.
struct Field {
    name: String,
    ty: String,
    zero: String,
    offset: usize,
    extent: Extent,
    /// How C reaches it; `None` for holes.
    c_path: Option<String>,
}

struct Generator {
    records: BTreeMap<String, Record>,
    /// Rust names by C types.
    names: BTreeMap<String, String>,
    done: BTreeSet<String>,
    types: String,
    layouts: String,
    order: Vec<String>,
}

/// Generates the structures.
pub fn generate(work: &Path) -> Result<Output> {
    let mut source: String =
        STRUCTURE_HEADERS.iter().map(|header| format!("#include <{header}>\n")).collect();
    for (index, (c, _)) in STRUCTURES.iter().enumerate() {
        let _ = writeln!(source, "struct rb_{index} {{ {c} v; }} rbv_{index};");
    }
    let records = records::parse(&cc::record_layouts(work, &source)?)?;
    let mut generator = Generator {
        records,
        names: BTreeMap::new(),
        done: BTreeSet::new(),
        types: String::new(),
        layouts: String::new(),
        order: Vec::new(),
    };
    let mut unknown = Vec::new();
    let mut found = Vec::new();
    for (index, (c, rust)) in STRUCTURES.iter().enumerate() {
        // The wrapper's member has the type that the typedef, if it is one, stands for.
        let ty = generator
            .records
            .get(&format!("struct rb_{index}"))
            .and_then(|record| Some(record.node.members.first()?.ty.clone()));
        match ty.and_then(|ty| generator.records.get(&ty)).cloned() {
            Some(record) => {
                generator.names.insert(record.node.ty.clone(), (*rust).to_owned());
                found.push((record, *c, *rust));
            }
            None => unknown.push(*c),
        }
    }
    if !unknown.is_empty() {
        bail!("the compiler says nothing about {}", unknown.join(", "));
    }
    for (record, c, rust) in found {
        generator.structure(&record.node, record.extent, rust, c)?;
    }
    let mut macro_text = String::from(
        "\n/// Calls the macro `$callback` with the list of all structures, for instance to implement a trait for them.\n\
         #[macro_export]\nmacro_rules! for_each_type {\n    ($callback:ident) => {\n        $callback! {\n",
    );
    for name in &generator.order {
        let _ = writeln!(macro_text, "            $crate::types::{name},");
    }
    macro_text += "        }\n    };\n}\n";
    generator.types += &macro_text;
    Ok(Output { types: generator.types, layouts: generator.layouts })
}

impl Generator {
    /// Emits a structure unless it was before.
    fn structure(&mut self, node: &Node, extent: Extent, rust: &str, c: &str) -> Result<()> {
        if !self.done.insert(rust.to_owned()) {
            return Ok(());
        }
        let members = if is_union(node) {
            self.union_fields(node, extent, rust)?
        } else {
            let mut fields = Vec::new();
            for member in &node.members {
                fields.push(self.field(member, node.offset, rust, "")?);
            }
            fields
        };
        let fields = with_holes(members, extent, c)?;
        let natural = fields.iter().map(|field| field.extent.align).max().unwrap_or(1);
        let repr =
            if natural == extent.align { "C".to_owned() } else { format!("C, align({})", extent.align) };
        let _ = writeln!(
            self.types,
            "\n/// `{c}`, {} bytes.\n#[derive(Clone, Copy, Debug, PartialEq)]\n#[repr({repr})]\npub struct {rust} {{",
            extent.size
        );
        for field in &fields {
            let _ = writeln!(self.types, "pub {}: {},", field.name, field.ty);
        }
        let _ =
            writeln!(self.types, "}}\n\nimpl {rust} {{\n/// All bytes zero.\npub const ZERO: Self = Self {{");
        for field in &fields {
            let _ = writeln!(self.types, "{}: {},", field.name, field.zero);
        }
        let _ = writeln!(
            self.types,
            "}};\n}}\n\nimpl Default for {rust} {{\nfn default() -> Self {{\nSelf::ZERO\n}}\n}}"
        );
        self.order.push(rust.to_owned());
        if let Some((c, _)) = STRUCTURES.iter().find(|(_, name)| *name == rust) {
            let _ = write!(self.layouts, "check(layout!({rust}, {c:?}");
            for field in &fields {
                if let Some(path) = &field.c_path {
                    let _ = write!(self.layouts, ", {} = {path:?}", field.name);
                }
            }
            self.layouts += "));\n";
        }
        Ok(())
    }

    /// A union's single field: the member that covers it, or its bytes as words.
    fn union_fields(&mut self, node: &Node, extent: Extent, rust: &str) -> Result<Vec<Field>> {
        let mut covering = None;
        for member in &node.members {
            let field = self.field(member, node.offset, rust, "")?;
            // Records were emitted on the way: layer 1 fills them in by themselves. A plain member stands for the union.
            if member.members.is_empty()
                && field.extent.size == extent.size
                && field.extent.align == extent.align
            {
                covering = Some(field);
            }
        }
        Ok(vec![covering.unwrap_or_else(|| words("words", 0, extent))])
    }

    fn field(&mut self, member: &Node, base: usize, parent: &str, prefix: &str) -> Result<Field> {
        if member.bits {
            bail!("{parent}.{}: bit fields have no place here", member.name);
        }
        let offset = member.offset - base;
        let name = if member.name.is_empty() { "u".to_owned() } else { rust_name(&member.name) };
        let c_path = (!member.name.is_empty()).then(|| format!("{prefix}{}", member.name));
        let (ty, zero, extent) = self.type_of(member, parent)?;
        Ok(Field { name, ty, zero, offset, extent, c_path })
    }

    fn type_of(&mut self, member: &Node, parent: &str) -> Result<(String, String, Extent)> {
        let ty = member.ty.as_str();
        let (element, dimensions) = dimensions(ty)?;
        let (mut rust, mut zero, mut extent) = if element.contains('*') {
            ("usize".to_owned(), "0".to_owned(), Extent { size: 8, align: 8 })
        } else if element.starts_with("struct ")
            || element.starts_with("union ")
            || self.records.contains_key(element)
        {
            self.nested(member, element, parent)?
        } else {
            let (rust, size) = scalar(element).with_context(|| format!("{parent}.{}", member.name))?;
            (
                rust.to_owned(),
                if rust.starts_with('f') { "0.0" } else { "0" }.to_owned(),
                Extent { size, align: size },
            )
        };
        for count in dimensions.into_iter().rev() {
            rust = format!("[{rust}; {count}]");
            zero = format!("[{zero}; {count}]");
            extent.size *= count;
        }
        Ok((rust, zero, extent))
    }

    /// A structure or union inside another.
    fn nested(&mut self, member: &Node, element: &str, parent: &str) -> Result<(String, String, Extent)> {
        let record = self
            .records
            .get(element)
            .cloned()
            .with_context(|| format!("{parent}.{}: nothing about `{element}`", member.name))?;
        // A union of the list is a type; others are the member that covers them, or words.
        if is_union(&record.node) && !self.names.contains_key(element) {
            let base = format!("{parent}{}", camel(&member.name));
            let field = self.union_fields(&record.node, record.extent, &base)?.remove(0);
            return Ok((field.ty, field.zero, record.extent));
        }
        let name = match self.names.get(element) {
            Some(name) => name.clone(),
            None if element.contains('(') => format!("{parent}{}", camel(&member.name)),
            None => camel(element.split(' ').next_back().unwrap_or(element)),
        };
        let c = if element.contains('(') { format!("{parent}.{}", member.name) } else { element.to_owned() };
        self.structure(&record.node, record.extent, &name, &c)?;
        Ok((name.clone(), format!("{name}::ZERO"), record.extent))
    }
}

/// Unions that are known by a typedef alone do not say what they are: their members lie on one another.
fn is_union(node: &Node) -> bool {
    node.ty.starts_with("union ")
        || node.members.iter().skip(1).any(|member| member.offset == node.members[0].offset)
}

/// The fields with the holes between them filled.
fn with_holes(members: Vec<Field>, extent: Extent, c: &str) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    let mut at = 0;
    let mut holes = 0;
    let mut hole = |fields: &mut Vec<Field>, from: usize, to: usize| {
        if from < to {
            let size = to - from;
            fields.push(Field {
                name: format!("_pad{holes}"),
                ty: format!("[u8; {size}]"),
                zero: format!("[0; {size}]"),
                offset: from,
                extent: Extent { size, align: 1 },
                c_path: None,
            });
            holes += 1;
        }
    };
    for member in members {
        if member.offset < at {
            bail!("`{c}`: fields overlap at {}", member.name);
        }
        hole(&mut fields, at, member.offset);
        at = member.offset + member.extent.size;
        fields.push(member);
    }
    hole(&mut fields, at, extent.size);
    Ok(fields)
}

/// An extent as an array of words of its alignment.
fn words(name: &str, offset: usize, extent: Extent) -> Field {
    let count = extent.size / extent.align;
    Field {
        name: name.to_owned(),
        ty: format!("[u{}; {count}]", extent.align * 8),
        zero: format!("[0; {count}]"),
        offset,
        extent,
        c_path: None,
    }
}

/// The element of an array type and the array's dimensions, outermost first.
fn dimensions(ty: &str) -> Result<(&str, Vec<usize>)> {
    let Some(open) = ty.find('[').filter(|_| ty.ends_with(']')) else { return Ok((ty, Vec::new())) };
    let counts = ty[open..]
        .split(['[', ']'])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().with_context(|| format!("cannot read the array type `{ty}`")))
        .collect::<Result<_>>()?;
    Ok((ty[..open].trim(), counts))
}

fn scalar(ty: &str) -> Result<(&'static str, usize)> {
    Ok(match ty {
        "char" | "unsigned char" | "_Bool" => ("u8", 1),
        "signed char" => ("i8", 1),
        "short" => ("i16", 2),
        "unsigned short" => ("u16", 2),
        "int" => ("i32", 4),
        "unsigned int" => ("u32", 4),
        "long" | "long long" => ("i64", 8),
        "unsigned long" | "unsigned long long" => ("u64", 8),
        "float" => ("f32", 4),
        "double" => ("f64", 8),
        _ if ty.starts_with("enum ") => ("u32", 4),
        _ => bail!("no Rust type for `{ty}`"),
    })
}

/// A C name in the spelling of Rust types.
fn camel(name: &str) -> String {
    name.split('_')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let mut chars = part.chars();
            chars
                .next()
                .map(|first| first.to_ascii_uppercase().to_string() + chars.as_str())
                .unwrap_or_default()
        })
        .collect()
}

fn rust_name(name: &str) -> String {
    if matches!(name, "type" | "in" | "ref" | "match" | "loop" | "mod" | "fn") {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

//! Constants: which macros a header defines, and what each is worth, asked of the compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, bail};

use super::cc;
use super::tables::Module;

/// A constant: its value and its type in Rust.
pub struct Constant {
    ty: &'static str,
    value: i128,
}

impl Constant {
    /// The value as Rust writes it.
    fn literal(&self) -> String {
        let value = match self.ty {
            "u32" => i128::from(self.value as u32),
            "u64" | "usize" => i128::from(self.value as u64),
            _ => self.value,
        };
        if value > 0xffff { format!("{value:#x}") } else { value.to_string() }
    }
}

/// Object-like macros of the module's files, in the preprocessor's order.
fn names(work: &Path, module: &Module) -> Result<Vec<String>> {
    let text = cc::macros(work, &includes(module))?;
    let mut wanted_file = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(marker) = line.strip_prefix("# ") {
            wanted_file = marker.split('"').nth(1).is_some_and(|path| {
                // Some headers exist twice, at the top and in sys/.
                module.files.iter().any(|file| Path::new(path).file_name() == Path::new(file).file_name())
            });
        } else if let Some(definition) = line.strip_prefix("#define ") {
            let name: String =
                definition.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let rest = &definition[name.len()..];
            let by_name =
                module.prefixes.is_empty() || module.prefixes.iter().any(|prefix| name.starts_with(prefix));
            if wanted_file && by_name && !rest.starts_with('(') && !rest.trim().is_empty() && wanted(&name) {
                found.push(name);
            }
        }
    }
    found.extend(module.names.iter().map(|name| (*name).to_owned()));
    let mut seen = BTreeSet::new();
    found.retain(|name| seen.insert(name.clone()));
    Ok(found)
}

/// Names of constants are in capitals (system call names keep their own spelling).
fn wanted(name: &str) -> bool {
    name.starts_with("SYS_") || !name.contains(|c: char| c.is_ascii_lowercase())
}

fn includes(module: &Module) -> String {
    module.headers.iter().map(|header| format!("#include <{header}>\n")).collect()
}

/// The constants of a module by name; macros that are no integer constants are left out.
pub fn evaluate(work: &Path, module: &Module) -> Result<Vec<(String, Constant)>> {
    let names = names(work, module)?;
    let head = includes(module);
    let first_line = head.lines().count() + 1;
    let mut left: Vec<&String> = names.iter().collect();
    let assembly = loop {
        let mut source = head.clone();
        for name in &left {
            // One line per name: the compiler's complaints name the line.
            let _ = writeln!(
                source,
                "const int rbt_{name} = _Generic(({name}), char: 1, unsigned char: 1, short: 1, unsigned short: 1, int: 1, unsigned: 2, \
                 long: 3, unsigned long: 4, long long: 3, unsigned long long: 4, float: 0, double: 0, long double: 0, default: 5); \
                 const long long rbv_{name} = (long long)({name});"
            );
        }
        match cc::assemble(work, &source)? {
            Ok(assembly) => break assembly,
            Err(lines) => {
                let refused: BTreeSet<usize> = lines.into_iter().collect();
                let before = left.len();
                let mut line = first_line;
                left.retain(|_| {
                    line += 1;
                    !refused.contains(&(line - 1))
                });
                if left.len() == before {
                    bail!("module {}: the compiler refuses the headers themselves", module.name);
                }
            }
        }
    };
    let values = values(&assembly);
    let mut constants = Vec::new();
    for name in left {
        let (Some(&ty), Some(&value)) =
            (values.get(&format!("rbt_{name}")), values.get(&format!("rbv_{name}")))
        else {
            // A string: its value is an address.
            continue;
        };
        let ty = match ty {
            1 => "i32",
            2 => "u32",
            3 => "i64",
            4 => "u64",
            5 => "usize",
            _ => continue,
        };
        let ty = module.ty.unwrap_or(ty);
        constants.push((name.clone(), Constant { ty, value }));
    }
    Ok(constants)
}

/// Data labels of an assembly file and the number behind each.
fn values(assembly: &str) -> BTreeMap<String, i128> {
    let mut values = BTreeMap::new();
    let mut label = None;
    for line in assembly.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|name| name.starts_with("rb")) {
            label = Some(name.to_owned());
        } else if let Some(name) = label.take() {
            let mut words = line.split_whitespace();
            if let (Some(".quad" | ".long"), Some(Ok(value))) =
                (words.next(), words.next().map(str::parse::<i128>))
            {
                let value = if value > i128::from(i64::MAX) { value - (1 << 64) } else { value };
                values.insert(name, value);
            }
        }
    }
    values
}

/// A module's source text, without its head.
pub fn source(constants: &[(String, Constant)]) -> String {
    let mut text = String::new();
    for (name, constant) in constants {
        let _ = writeln!(text, "pub const {name}: {} = {};", constant.ty, constant.literal());
    }
    text
}

/// errno's newtype, with the same names as associated constants.
pub fn errno_type(constants: &[(String, Constant)]) -> String {
    let mut text = String::from(
        "\n/// An error number.\n#[derive(Clone, Copy, PartialEq, Eq, Hash)]\npub struct Errno(pub i32);\n\nimpl Errno {\n",
    );
    for (name, _) in constants.iter().filter(|(name, _)| name != "ELAST") {
        let _ = writeln!(text, "pub const {name}: Self = Self({name});");
    }
    text += "\n/// The header's name of the number, if it has one.\n#[must_use]\npub const fn name(self) -> Option<&'static str> {\nSome(match self.0 {\n";
    let mut seen = BTreeSet::new();
    for (name, constant) in constants.iter().filter(|(name, _)| name != "ELAST") {
        if seen.insert(constant.value) {
            let _ = writeln!(text, "{name} => \"{name}\",");
        }
    }
    text += "_ => return None,\n})\n}\n}\n\nimpl core::fmt::Debug for Errno {\nfn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {\n\
             match self.name() {\nSome(name) => f.write_str(name),\nNone => write!(f, \"Errno({})\", self.0),\n}\n}\n}\n";
    text
}

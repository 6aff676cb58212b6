//! The system calls, from the comments that sys/syscall.h carries for programs to read.

use std::fmt::Write;

use anyhow::{Context, Result, bail};

use crate::tools;

/// One call as the header describes it.
struct Call {
    number: u32,
    name: String,
    ret: String,
    args: Vec<String>,
}

/// The text of the generated module, without its head.
pub fn source() -> Result<String> {
    let path = tools::headers().join("sys/syscall.h");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let calls = parse(&text)?;
    let mut out = String::new();
    for call in &calls {
        let _ = writeln!(out, "pub const SYS_{}: usize = {};", call.name, call.number);
    }
    out += "\n/// A system call as the header describes it.\n#[derive(Clone, Copy, Debug)]\npub struct Syscall {\n\
            /// Its number.\npub number: usize,\n/// Its name, with the version that the header gives it.\npub name: &'static str,\n\
            /// What it returns, in C.\npub ret: &'static str,\n/// Its arguments' types, in C; `...` ends a list that is open.\npub args: &'static [&'static str],\n}\n\n\
            /// All calls, by number.\npub const SYSCALLS: &[Syscall] = &[\n";
    for call in &calls {
        let _ = writeln!(
            out,
            "Syscall {{ number: {}, name: {:?}, ret: {:?}, args: &{:?} }},",
            call.number, call.name, call.ret, call.args
        );
    }
    out += "];\n";
    Ok(out)
}

fn parse(text: &str) -> Result<Vec<Call>> {
    let mut calls: Vec<Call> = Vec::new();
    let mut described: Option<(String, String, Vec<String>)> = None;
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("/* syscall: ") {
            let words: Vec<&str> = comment.split('"').collect();
            let (Some(name), Some(ret)) = (words.get(1), words.get(3)) else {
                bail!("cannot read this description of a system call: {line}");
            };
            let args = words.iter().skip(5).step_by(2).map(|word| (*word).to_owned()).collect();
            described = Some(((*name).to_owned(), (*ret).to_owned(), args));
        } else if let Some(definition) = line.strip_prefix("#define\tSYS_")
            && let Some((name, ret, args)) = described.take()
        {
            let mut words = definition.split_whitespace();
            if words.next() != Some(name.as_str()) {
                bail!("{name}: its description is not followed by its number");
            }
            let number = words
                .next()
                .and_then(|word| word.parse().ok())
                .with_context(|| format!("{name} has no number"))?;
            calls.push(Call { number, name, ret, args });
        }
    }
    calls.sort_by_key(|call| call.number);
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_description_and_its_number_make_a_call() {
        let calls = parse(
            "/* syscall: \"fork\" ret: \"int\" args: */\n#define\tSYS_fork\t2\n\n/* syscall: \"read\" ret: \"ssize_t\" args: \"int\" \"void *\" */\n#define\tSYS_read\t3\n",
        )
        .expect("well formed");
        assert_eq!(calls.len(), 2);
        assert_eq!((calls[0].number, calls[0].name.as_str(), calls[0].args.len()), (2, "fork", 0));
        assert_eq!(calls[1].args, ["int", "void *"]);
    }

    #[test]
    fn a_description_without_its_number_is_refused() {
        assert!(parse("/* syscall: \"fork\" ret: \"int\" args: */\n#define\tSYS_read\t2\n").is_err());
    }
}

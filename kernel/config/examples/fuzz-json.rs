//! Fuzzes the configuration's reader: `cargo run --release --example fuzz-json -p rump-config -- --seconds 600`.
//!
//! A seeded mutator works on the files in `corpus/`, on what it generates, and on every input that brought an outcome not seen before. For
//! each input it is checked that
//! 1. nothing panics (the release profile aborts; the hook prints the input first),
//! 2. what is accepted, serde_json accepts with the same content, and what serde_json accepts is refused only for a rule that serde does not
//!    know (a NUL, a name twice, …),
//! 3. what is accepted comes back from `to_json`, and laid over itself stays the same,
//! 4. quoting a word and splitting it gives the word back.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rump_config::{Config, ConfigError, Problem, Stdio, Trace, quote, split_words};
use serde::Deserialize;

/// The input at work, for the panic hook.
static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Words that mutation puts in.
const DICTIONARY: &[&str] = &[
    "\"args\":",
    "\"argv0\":",
    "\"env\":",
    "\"hostname\":",
    "\"cwd\":",
    "\"stdio\":",
    "\"trace\":",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u",
    "\\ud83d\\ude00",
    "\\u0000",
    "\\n",
    "true",
    "false",
    "null",
    "-1",
    "1e9",
    "\"/\"",
    "\"x\"",
    "--",
    " ",
    "env.",
    "=",
    "trace=",
    "'",
    "\n",
    "\0",
    "\u{e9}",
    "\u{1f600}",
    "\u{feff}",
    "{\"args\":[\"a\"]}",
    "{\"env\":{\"A\":\"b\"}}",
];

/// Most inputs that are kept.
const POOL_MAX: usize = 4096;

/// xorshift64*: seeded, so that a run can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`; 0 if there is none.
    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() >> 11) as usize % end }
    }

    fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// A random value, mostly of a kind that some key takes.
fn generate(random: &mut Random, depth: usize, out: &mut String) {
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 | 1 => out.push_str(random.pick(&[
            "\"a b\"",
            "\"\"",
            "\"/x\"",
            "\"\\u00e9\\n\"",
            "\"open\"",
            "\"pipe\"",
            "\"terminal\"",
        ])),
        2 => out.push_str(random.pick(&["true", "false"])),
        3 => out.push_str(random.pick(&["null", "0", "-1.5e3", "tru", "\"", "01"])),
        4 | 5 => {
            out.push_str(random.pick(&["[]", "{}", "[\"a\",\"b\"]", "{\"A\":\"1\"}", "[ \"x\" , \"y\" ]"]))
        }
        6 => {
            out.push('[');
            for index in 0..random.below(4) {
                out.push_str(if index > 0 { "," } else { "" });
                generate(random, depth - 1, out);
            }
            out.push(']');
        }
        _ => {
            out.push('{');
            for index in 0..random.below(5) {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(random.pick(&[
                    "\"args\"",
                    "\"argv0\"",
                    "\"env\"",
                    "\"hostname\"",
                    "\"cwd\"",
                    "\"stdio\"",
                    "\"trace\"",
                    "\"A\"",
                    "\"\\u0041\"",
                ]));
                out.push(':');
                generate(random, depth - 1, out);
            }
            out.push('}');
        }
    }
}

/// Changes `input` in one to eight places.
fn mutate(random: &mut Random, input: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=random.below(8) {
        let at = random.below(input.len() + 1);
        let span = random.below(16).min(input.len() - at);
        match random.below(8) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 if at < input.len() => input[at] = (random.next() >> 32) as u8,
            2 => drop(input.drain(at..at + span)),
            3 => {
                let copy = input[at..at + span].to_vec();
                let to = random.below(input.len() + 1);
                input.splice(to..to, copy);
            }
            4 => input.truncate(at),
            5 => {
                let from = random.below(other.len() + 1);
                input.splice(at.., other[from..].iter().copied());
            }
            _ => {
                let word = random.pick(DICTIONARY).bytes();
                input.splice(at..at, word);
            }
        }
        input.truncate(4096);
    }
}

/// The same file as serde reads it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Oracle {
    #[serde(default)]
    args: Option<Args>,
    #[serde(default)]
    argv0: Option<String>,
    #[serde(default)]
    cwd: Option<String>,
    #[serde(default)]
    env: Option<BTreeMap<String, String>>,
    #[serde(default)]
    hostname: Option<String>,
    #[serde(default)]
    stdio: Option<String>,
    #[serde(default)]
    trace: Option<TraceOracle>,
    #[serde(rename = "net")]
    _net: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Args {
    Words(Vec<String>),
    Line(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TraceOracle {
    All(bool),
    Calls(Vec<String>),
}

fn same(ours: &Config, oracle: &Oracle) -> bool {
    let args = match &oracle.args {
        None => None,
        Some(Args::Words(words)) => Some(words.clone()),
        Some(Args::Line(line)) => split_words(line).ok(),
    };
    let trace = oracle.trace.as_ref().map(|trace| match trace {
        TraceOracle::All(true) => Trace::All,
        TraceOracle::All(false) => Trace::Off,
        TraceOracle::Calls(names) => Trace::Calls(names.clone()),
    });
    let stdio = ours.stdio.map(|stdio| match stdio {
        Stdio::Terminal => "terminal",
        Stdio::Pipe => "pipe",
    });
    let env: BTreeMap<_, _> = ours.env.iter().cloned().collect();
    ours.args == args
        && ours.argv0 == oracle.argv0
        && ours.cwd == oracle.cwd
        && ours.hostname == oracle.hostname
        && stdio == oracle.stdio.as_deref()
        && ours.trace == trace
        && env.len() == ours.env.len()
        && oracle.env.as_ref().map_or(env.is_empty(), |theirs| env == *theirs)
}

/// Whether the refusal follows a rule that serde does not know.
fn is_own_rule(error: &ConfigError) -> bool {
    // What is inside is compared by the crate's tests.
    error.key.starts_with("net")
        || match &error.problem {
            Problem::Twice | Problem::Value(_) => true,
            // To serde, null is an absent value.
            Problem::Kind { found, .. } => *found == "null",
            Problem::Syntax(_) | Problem::UnknownKey | Problem::UnknownKeyOf(_) => false,
        }
}

/// Checks one input; returns what makes its outcome different from others.
fn check(input: &[u8]) -> Result<String, String> {
    let mut outcome = String::new();
    let ours = Config::parse(input);
    // serde takes an array for a structure, too.
    let is_array = input.trim_ascii_start().starts_with(b"[");
    let theirs = serde_json::from_slice::<Oracle>(if is_array { b"[" } else { input });
    match (&ours, theirs) {
        (Ok(_), _) if input.is_empty() => {}
        (Ok(config), Ok(oracle)) if same(config, &oracle) => {
            check_config(config)?;
            outcome = format!("{} {} {:?}", config.args.is_some(), config.env.len(), config.trace.is_some());
        }
        (Ok(_), Ok(_)) => return Err("serde_json reads another content".into()),
        (Ok(_), Err(error)) => return Err(format!("serde_json refuses: {error}")),
        (Err(error), Ok(_)) if !is_own_rule(error) => return Err(format!("only we refuse: {error}")),
        (Err(error), _) => {
            if error.position.is_none_or(|(line, column)| line == 0 || column == 0) {
                return Err("an error without a position".into());
            }
            // The sentence must come out; the problem alone tells outcomes apart, since it holds nothing of the input.
            if error.to_string().is_empty() {
                return Err("an error without a sentence".into());
            }
            outcome.push_str(&format!("{:?}", error.problem));
        }
    }
    let text = String::from_utf8_lossy(input);
    match Config::from_command_line(&text) {
        Ok(line) => {
            check_config(&line.config)?;
            outcome.push_str(&format!("|{}", line.ignored.len().min(3)));
        }
        Err(error) => outcome.push_str(&format!("|{:?}", error.problem)),
    }
    if split_words(&quote(&text)).as_deref() != Ok(&[text.into_owned()]) {
        return Err("a quoted word does not come back".into());
    }
    Ok(outcome)
}

fn check_config(config: &Config) -> Result<(), String> {
    if Config::parse(config.to_json().as_bytes()).as_ref() != Ok(config) {
        return Err(format!("does not come back from {}", config.to_json()));
    }
    if config.clone().overlay(config.clone()) != *config {
        return Err("laid over itself it changes".into());
    }
    Ok(())
}

/// The number after `name` among the arguments.
fn option(name: &str) -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)?.parse().ok()
}

fn corpus() -> std::io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    paths.iter().map(std::fs::read).collect()
}

fn main() -> ExitCode {
    let seconds = option("--seconds").unwrap_or(10);
    let seed = option("--seed").unwrap_or(1);
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        default_hook(info);
        if let Ok(input) = INPUT.try_lock() {
            eprintln!("input: {}", input.escape_ascii());
        }
    }));
    let mut pool = match corpus() {
        Ok(pool) => pool,
        Err(error) => {
            eprintln!("fuzz-json: the corpus cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Zero is the one state that xorshift never leaves.
    let mut random = Random(seed.max(1));
    let mut seen = HashSet::new();
    let mut runs = 0_u64;
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        for _ in 0..1000 {
            let mut input = if random.below(4) == 0 {
                let mut text = String::new();
                generate(&mut random, 3, &mut text);
                text.into_bytes()
            } else {
                pool[random.below(pool.len())].clone()
            };
            if random.below(8) != 0 {
                let other = pool[random.below(pool.len())].clone();
                mutate(&mut random, &mut input, &other);
            }
            if let Ok(mut current) = INPUT.lock() {
                current.clone_from(&input);
            }
            match check(&input) {
                Ok(outcome) => {
                    if pool.len() < POOL_MAX && seen.insert(outcome) {
                        pool.push(input);
                    }
                }
                Err(what) => {
                    eprintln!("fuzz-json: {what}\nseed {seed}, run {runs}\ninput: {}", input.escape_ascii());
                    return ExitCode::FAILURE;
                }
            }
            runs += 1;
        }
    }
    println!(
        "fuzz-json: {runs} inputs in {seconds} s, {} outcomes, seed {seed}: no panic, no disagreement",
        seen.len()
    );
    ExitCode::SUCCESS
}

//! Fuzzes the reader and the binder with changed programs: `cargo run --release --example fuzz-elf -- --seconds 600 [--seed N] [FILE…]`.
//!
//! An own loop rather than libFuzzer, which needs nightly. See `fuzz/README.md`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rumpbake_linker::{App, BakeOptions, Target, bake};

/// Longer than any file here may take.
const SLOW: Duration = Duration::from_secs(2);
/// Where a failure's input goes.
const FAILURE: &str = "fuzz-failure.elf";
/// Values at which arithmetic goes wrong.
const EDGES: [u64; 16] = [
    0,
    1,
    7,
    8,
    0xfff,
    0x1000,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_f000,
    1 << 40,
    1 << 63,
    u64::MAX - 7,
    u64::MAX,
];

/// The input that is being tried, for the panic hook.
static CURRENT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// A xorshift generator: the same seed gives the same run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap_or(0) % n.max(1)
    }
}

fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(6) {
        // Most of what matters lies at the front.
        let reach = if random.below(4) == 0 { bytes.len() } else { bytes.len().min(2048) };
        let at = random.below(reach);
        match random.below(8) {
            0 => bytes.truncate(at.max(1)),
            1 | 2 => {
                let edge = EDGES[random.below(EDGES.len())].to_le_bytes();
                let width = 1 << random.below(4);
                let at = at & !(width - 1);
                if let Some(place) = bytes.get_mut(at..at + width) {
                    place.copy_from_slice(&edge[..width]);
                }
            }
            3 => {
                let from = random.below(reach);
                let len = (1 + random.below(64)).min(bytes.len() - at.max(from));
                bytes.copy_within(from..from + len, at);
            }
            4 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = byte.wrapping_add(if random.below(2) == 0 { 1 } else { 0xff });
                }
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}

fn arguments() -> Result<(u64, u64, Vec<String>), String> {
    let (mut seconds, mut seed, mut files) = (60, 0x9e37_79b9_7f4a_7c15, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let value = arguments.next().ok_or_else(|| format!("{argument} wants a number"))?;
            value.parse::<u64>().map_err(|error| format!("{argument} {value}: {error}"))
        };
        match argument.as_str() {
            "--seconds" => seconds = number()?,
            "--seed" => seed = number()?.max(1),
            _ => files.push(argument),
        }
    }
    Ok((seconds, seed, files))
}

fn corpus(files: &[String]) -> std::io::Result<Vec<Vec<u8>>> {
    if !files.is_empty() {
        return files.iter().map(std::fs::read).collect();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut paths =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    paths.iter().map(std::fs::read).collect()
}

fn keep_input() {
    let input = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    match std::fs::write(FAILURE, &*input) {
        Ok(()) => eprintln!("the input is in {FAILURE}"),
        Err(error) => eprintln!("the input cannot be written to {FAILURE}: {error}"),
    }
}

fn main() -> ExitCode {
    let (seconds, seed, files) = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let seeds = match corpus(&files) {
        Ok(seeds) if !seeds.is_empty() => seeds,
        Ok(_) => {
            eprintln!("there is nothing to start from");
            return ExitCode::FAILURE;
        }
        Err(error) => {
            eprintln!("the corpus cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        default(info);
        keep_input();
    }));
    println!("seed {seed}, {} programs, {seconds} s", seeds.len());
    let mut random = Random(seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut runs, mut read, mut baked) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < end {
        let mut input = seeds[random.below(seeds.len())].clone();
        mutate(&mut random, &mut input);
        CURRENT.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&input);
        let start = Instant::now();
        runs += 1;
        if let Ok(app) = App::parse(Path::new("fuzz"), input) {
            read += 1;
            // Baking is slower than reading by far, so only some are baked.
            if read.is_multiple_of(8) && bake(&app, Target::Hw, &BakeOptions::default()).is_ok() {
                baked += 1;
            }
        }
        if start.elapsed() > SLOW {
            eprintln!("an input took {:?}", start.elapsed());
            keep_input();
            return ExitCode::FAILURE;
        }
    }
    println!("{runs} inputs, {read} accepted, {baked} baked, no failure");
    ExitCode::SUCCESS
}

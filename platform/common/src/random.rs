//! Entropy: RDSEED, RDRAND, or, with a word on the console, what little the clock gives.
//!
//! Bytes come from ChaCha20 (RFC 8439, 2.3) under a key from the processor's generator; after each request the key is replaced, so
//! that what was given out cannot be computed from what is in memory later.

use core::arch::asm;

use rump_hypercall::Giant;
use rump_hypercall::{console, time};

use crate::cpu::Local;
use crate::io::rdtsc;

/// The processor's generators.
#[derive(Clone, Copy)]
pub struct Source {
    /// It has RDSEED.
    pub rdseed: bool,
    /// It has RDRAND.
    pub rdrand: bool,
}

static SOURCE: Local<Source> = Local::new(Source { rdseed: false, rdrand: false });

/// Says what the processor has.
pub fn init(source: Source) {
    // SAFETY: boot, one processor; nobody has asked for random bytes yet.
    unsafe { *SOURCE.get() = source };
}

struct Generator {
    key: [u32; 8],
    seeded: bool,
}

static GENERATOR: Giant<Generator> = Giant::new(Generator { key: [0; 8], seeded: false });

/// A word from the processor, if it has one to give (SDM volume 1, 7.3.17: retry ten times).
fn hardware() -> Option<u64> {
    // SAFETY: written at boot only.
    let source = unsafe { *SOURCE.get() };
    for _ in 0..10 {
        let (value, ok): (u64, u8);
        if source.rdseed {
            // SAFETY: CPUID has the instruction.
            unsafe {
                asm!("rdseed {v}", "setc {ok}", v = out(reg) value, ok = out(reg_byte) ok, options(nomem, nostack))
            };
            if ok != 0 {
                return Some(value);
            }
        }
        if source.rdrand {
            let (value, ok): (u64, u8);
            // SAFETY: CPUID has the instruction.
            unsafe {
                asm!("rdrand {v}", "setc {ok}", v = out(reg) value, ok = out(reg_byte) ok, options(nomem, nostack))
            };
            if ok != 0 {
                return Some(value);
            }
        }
    }
    None
}

fn quarter(s: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    for (x, y, z, r) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
        s[x] = s[x].wrapping_add(s[y]);
        s[z] = (s[z] ^ s[x]).rotate_left(r);
    }
}

/// The ChaCha20 block function with a nonce of zero.
fn block(key: &[u32; 8], counter: u32) -> [u8; 64] {
    let mut state =
        [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574, 0, 0, 0, 0, 0, 0, 0, 0, counter, 0, 0, 0];
    state[4..12].copy_from_slice(key);
    let start = state;
    for _ in 0..10 {
        for column in 0..4 {
            quarter(&mut state, column, column + 4, column + 8, column + 12);
        }
        for column in 0..4 {
            quarter(&mut state, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4);
        }
    }
    let mut bytes = [0; 64];
    for ((slot, word), first) in bytes.chunks_exact_mut(4).zip(state).zip(start) {
        slot.copy_from_slice(&word.wrapping_add(first).to_le_bytes());
    }
    bytes
}

impl Generator {
    fn seed(&mut self) {
        self.seeded = true;
        let mut weak = false;
        for pair in self.key.chunks_exact_mut(2) {
            let word = hardware().unwrap_or_else(|| {
                weak = true;
                rdtsc().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ time::boot_wall_ns()
            });
            pair[0] ^= word as u32;
            pair[1] ^= (word >> 32) as u32;
        }
        if weak {
            console::write(
                b"rumpbake: this processor has no random number generator (RDRAND); keys made here are guessable. Use another CPU model.\n",
            );
        }
    }

    fn fill(&mut self, buf: &mut [u8]) {
        if !self.seeded {
            self.seed();
        }
        let first = block(&self.key, 0);
        let (next_key, rest) = first.split_at(32);
        let (head, tail) = buf.split_at_mut(buf.len().min(rest.len()));
        head.copy_from_slice(&rest[..head.len()]);
        for (counter, chunk) in (1..).zip(tail.chunks_mut(64)) {
            chunk.copy_from_slice(&block(&self.key, counter)[..chunk.len()]);
        }
        for (word, bytes) in self.key.iter_mut().zip(next_key.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    }
}

#[unsafe(export_name = "rb_random")]
fn random(buf: &mut [u8]) {
    GENERATOR.borrow_mut().fill(buf);
}

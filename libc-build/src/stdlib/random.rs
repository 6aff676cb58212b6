//! Pseudo-random numbers: rand(3), random(3), drand48(3); and real ones: arc4random(3).
//!
//! random(3) is the additive feedback generator x[i] = x[i-deg] + x[i-sep] of 4.2BSD over five sizes of state, seeded by
//! Park and Miller's 16807·x mod 2³¹-1, so that a seed gives the numbers that it always gave. drand48(3) is the 48-bit linear
//! congruential generator of POSIX. arc4random(3) asks the kernel each time: that is a function call here, and needs no care about fork.

use crate::lock::Lock;
use core::ffi::{c_char, c_double, c_int, c_long, c_uint, c_ushort, c_void};

/// rand(3)'s state.
static RAND: Lock<u32> = Lock::new(1);

fn step(state: &mut u32) -> c_int {
    *state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
    (*state & 0x7fff_ffff).cast_signed()
}

/// The next number from 0 to RAND_MAX.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn rand() -> c_int {
    step(&mut RAND.lock())
}

/// Seeds rand(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn srand(seed: c_uint) {
    *RAND.lock() = seed;
}

/// rand(3) with the caller's state.
///
/// # Safety
/// `state` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rand_r(state: *mut c_uint) -> c_int {
    // SAFETY: as this function's own.
    unsafe { step(&mut *state) }
}

/// The generators of random(3): least bytes of state, degree, separation.
const TYPES: [(usize, usize, usize); 5] = [(8, 0, 0), (32, 7, 3), (64, 15, 1), (128, 31, 3), (256, 63, 1)];

/// random(3)'s generator. The state proper starts with a word that says its type and where the rear pointer stood.
struct Generator {
    /// The caller's array or the built-in one; null stands for the built-in one before its first use.
    words: *mut u32,
    kind: usize,
    front: usize,
    rear: usize,
    built_in: [u32; 32],
}

// SAFETY: the array that `words` names is used under the lock only.
unsafe impl Send for Generator {}

static GENERATOR: Lock<Generator> =
    Lock::new(Generator { words: core::ptr::null_mut(), kind: 3, front: 3, rear: 0, built_in: [0; 32] });

impl Generator {
    fn word(&mut self, index: usize) -> &mut u32 {
        // SAFETY: `words` has one word more than the degree, and indices stay below the degree.
        unsafe { &mut *self.words.add(1 + index) }
    }

    fn degree(&self) -> usize {
        TYPES.get(self.kind).map_or(0, |kind| kind.1)
    }

    fn separation(&self) -> usize {
        TYPES.get(self.kind).map_or(0, |kind| kind.2)
    }

    fn ready(&mut self) {
        if self.words.is_null() {
            self.words = self.built_in.as_mut_ptr();
            self.seed(1);
        }
    }

    fn seed(&mut self, seed: u32) {
        let mut value = seed;
        *self.word(0) = value;
        for index in 1..self.degree() {
            let signed = i64::from(value.cast_signed());
            let next = 16_807 * (signed % 127_773) - 2_836 * (signed / 127_773);
            value = (if next < 0 { next + 0x7fff_ffff } else { next }) as u32;
            *self.word(index) = value;
        }
        self.front = self.separation();
        self.rear = 0;
        for _ in 0..10 * self.degree() {
            self.next();
        }
    }

    fn next(&mut self) -> u32 {
        let degree = self.degree();
        if degree == 0 {
            let value = self.word(0).wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
            *self.word(0) = value;
            return value;
        }
        let (front, rear) = (self.front, self.rear);
        let added = *self.word(rear);
        let word = self.word(front);
        *word = word.wrapping_add(added);
        let value = *word >> 1;
        self.front = if front + 1 == degree { 0 } else { front + 1 };
        self.rear = if rear + 1 == degree { 0 } else { rear + 1 };
        value
    }

    /// Notes type and position in the state, and returns it.
    fn leave(&mut self) -> *mut c_char {
        self.ready();
        // SAFETY: the word before the state proper.
        unsafe { *self.words = (5 * self.rear + self.kind) as u32 };
        self.words.cast()
    }
}

/// The next number from 0 to 2³¹-1.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn random() -> c_long {
    let mut generator = GENERATOR.lock();
    generator.ready();
    c_long::from(generator.next())
}

/// Seeds random(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __srandom60(seed: c_uint) {
    let mut generator = GENERATOR.lock();
    generator.ready();
    generator.seed(seed);
}

/// Gives random(3) an array of `size` bytes to work in; returns the one before.
///
/// # Safety
/// `state` has `size` bytes, is aligned for ints, and lives until another one is given.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __initstate60(seed: c_uint, state: *mut c_char, size: usize) -> *mut c_char {
    let Some(kind) = TYPES.iter().rposition(|kind| size >= kind.0) else {
        return core::ptr::null_mut();
    };
    let mut generator = GENERATOR.lock();
    let before = generator.leave();
    generator.words = state.cast();
    generator.kind = kind;
    generator.seed(seed);
    generator.leave();
    before
}

/// Goes back to an array that was given before; returns the present one.
///
/// # Safety
/// `state` was given to initstate(3) and is still there.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn setstate(state: *mut c_char) -> *mut c_char {
    let mut generator = GENERATOR.lock();
    let before = generator.leave();
    // SAFETY: the word that `leave` wrote.
    let noted = unsafe { *state.cast::<u32>() } as usize;
    generator.kind = noted % 5;
    generator.words = state.cast();
    generator.rear = noted / 5;
    let degree = generator.degree();
    generator.front = if degree == 0 { 0 } else { (generator.rear + generator.separation()) % degree };
    before
}

/// drand48(3)'s state: X, a and c of X' = aX + c mod 2⁴⁸.
struct Congruence {
    value: u64,
    factor: u64,
    addend: u64,
}

const FACTOR: u64 = 0x5_deec_e66d;
const ADDEND: u64 = 0xb;
const MASK_48: u64 = (1 << 48) - 1;

static CONGRUENCE: Lock<Congruence> =
    Lock::new(Congruence { value: 0x1234_abcd_330e, factor: FACTOR, addend: ADDEND });

fn join(words: [c_ushort; 3]) -> u64 {
    u64::from(words[0]) | u64::from(words[1]) << 16 | u64::from(words[2]) << 32
}

fn split(value: u64) -> [c_ushort; 3] {
    [value as u16, (value >> 16) as u16, (value >> 32) as u16]
}

impl Congruence {
    fn after(&self, value: u64) -> u64 {
        value.wrapping_mul(self.factor).wrapping_add(self.addend) & MASK_48
    }

    fn next(&mut self) -> u64 {
        self.value = self.after(self.value);
        self.value
    }
}

/// The next state of the caller's generator.
///
/// # Safety
/// `state` is valid.
unsafe fn next_of(state: *mut [c_ushort; 3]) -> u64 {
    // SAFETY: as this function's own.
    unsafe {
        let value = CONGRUENCE.lock().after(join(*state));
        *state = split(value);
        value
    }
}

fn as_double(value: u64) -> c_double {
    // 48 bits fit the mantissa, so both steps are exact.
    value as f64 / (1_u64 << 48) as f64
}

fn as_long(value: u64) -> c_long {
    (value >> 17).cast_signed()
}

fn as_signed(value: u64) -> c_long {
    c_long::from((value >> 16) as u32 as i32)
}

/// A number in [0, 1).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn drand48() -> c_double {
    as_double(CONGRUENCE.lock().next())
}

/// A number in [0, 2³¹).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn lrand48() -> c_long {
    as_long(CONGRUENCE.lock().next())
}

/// A number in [-2³¹, 2³¹).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn mrand48() -> c_long {
    as_signed(CONGRUENCE.lock().next())
}

/// drand48(3) with the caller's state.
///
/// # Safety
/// `state` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn erand48(state: *mut [c_ushort; 3]) -> c_double {
    // SAFETY: as this function's own.
    as_double(unsafe { next_of(state) })
}

/// lrand48(3) with the caller's state.
///
/// # Safety
/// `state` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn nrand48(state: *mut [c_ushort; 3]) -> c_long {
    // SAFETY: as this function's own.
    as_long(unsafe { next_of(state) })
}

/// mrand48(3) with the caller's state.
///
/// # Safety
/// `state` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn jrand48(state: *mut [c_ushort; 3]) -> c_long {
    // SAFETY: as this function's own.
    as_signed(unsafe { next_of(state) })
}

/// Seeds the family with 32 bits.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn srand48(seed: c_long) {
    *CONGRUENCE.lock() =
        Congruence { value: u64::from(seed as u32) << 16 | 0x330e, factor: FACTOR, addend: ADDEND };
}

/// What seed48(3) returns.
struct Before(core::cell::UnsafeCell<[c_ushort; 3]>);
// SAFETY: POSIX gives seed48(3)'s result no protection against other threads.
unsafe impl Sync for Before {}
static BEFORE: Before = Before(core::cell::UnsafeCell::new([0; 3]));

/// Seeds the family with 48 bits; returns the state before.
///
/// # Safety
/// `seed` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn seed48(seed: *const [c_ushort; 3]) -> *mut c_ushort {
    let mut state = CONGRUENCE.lock();
    // SAFETY: as this function's own; the cell is guarded by the lock.
    unsafe {
        *BEFORE.0.get() = split(state.value);
        *state = Congruence { value: join(*seed), factor: FACTOR, addend: ADDEND };
    }
    BEFORE.0.get().cast()
}

/// Sets state, factor and addend.
///
/// # Safety
/// `parameters` has seven words.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn lcong48(parameters: *const [c_ushort; 7]) {
    // SAFETY: as this function's own.
    let [x0, x1, x2, a0, a1, a2, c] = unsafe { *parameters };
    *CONGRUENCE.lock() =
        Congruence { value: join([x0, x1, x2]), factor: join([a0, a1, a2]), addend: u64::from(c) };
}

unsafe extern "C" {
    fn getentropy(buffer: *mut c_void, size: usize) -> c_int;
    fn abort() -> !;
}

/// Fills `size` bytes with random ones.
///
/// # Safety
/// `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn arc4random_buf(buffer: *mut c_void, size: usize) {
    let mut done = 0;
    while done < size {
        // getentropy(3) gives at most 256 bytes.
        let part = (size - done).min(256);
        // SAFETY: the part lies in the buffer. Without randomness nobody may go on: the callers are promised that this does not fail.
        unsafe {
            if getentropy(buffer.byte_add(done), part) != 0 {
                abort();
            }
        }
        done += part;
    }
}

/// 32 random bits.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn arc4random() -> u32 {
    let mut value = 0_u32;
    // SAFETY: the value has four bytes.
    unsafe { arc4random_buf((&raw mut value).cast(), 4) };
    value
}

/// A random number below `bound`, each as likely as the others.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn arc4random_uniform(bound: u32) -> u32 {
    if bound < 2 {
        return 0;
    }
    let unfair = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
    loop {
        let value = arc4random();
        if value >= unfair {
            return value.checked_rem(bound).unwrap_or(0);
        }
    }
}

/// The kernel's generator needs no stirring.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn arc4random_stir() {}

/// The kernel's generator takes nothing from programs.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn arc4random_addrandom(_bytes: *mut u8, _count: c_int) {}

#[cfg(test)]
mod tests {
    use super::*;

    mod host {
        use core::ffi::{c_double, c_long, c_uint};
        unsafe extern "C" {
            pub fn srand48(seed: c_long);
            pub fn drand48() -> c_double;
            pub fn mrand48() -> c_long;
            pub fn lrand48() -> c_long;
            pub fn srandom(seed: c_uint);
            pub fn random() -> c_long;
        }
    }

    #[test]
    fn the_48_bit_family_and_random_give_the_numbers_of_other_systems() {
        for seed in [0, 1, 42, -7] {
            srand48(seed);
            // SAFETY: the host's generators; no other test uses them.
            unsafe {
                host::srand48(seed);
                for _ in 0..100 {
                    assert_eq!(drand48(), host::drand48());
                    assert_eq!(mrand48(), host::mrand48());
                    assert_eq!(lrand48(), host::lrand48());
                }
            }
        }
        let mut own = [0_u32; 32];
        for seed in [1, 5, 77_777, 0x7fff_0000] {
            __srandom60(seed);
            // SAFETY: as above.
            unsafe {
                host::srandom(seed);
                for _ in 0..100 {
                    assert_eq!(random(), host::random());
                }
            }
        }
        // SAFETY: the array lives to the end of the test and is left before it.
        unsafe {
            let built_in = __initstate60(9, own.as_mut_ptr().cast(), 64);
            let first: Vec<_> = (0..5).map(|_| random()).collect();
            let own_state = setstate(built_in);
            let between = random();
            setstate(own_state);
            let second: Vec<_> = (0..5).map(|_| random()).collect();
            __initstate60(9, own.as_mut_ptr().cast(), 64);
            assert_eq!(first, (0..5).map(|_| random()).collect::<Vec<_>>());
            assert_eq!(second, (0..5).map(|_| random()).collect::<Vec<_>>());
            assert!(between >= 0);
            setstate(built_in);
        }
    }

    #[test]
    fn uniform_stays_below_its_bound() {
        assert!((0..200).all(|_| arc4random_uniform(7) < 7));
        assert_eq!(arc4random_uniform(1), 0);
    }
}

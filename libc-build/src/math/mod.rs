//! math.h, complex.h, fenv.h and ieeefp.h: what NetBSD has in libm.so.0 and, of classification, in libc.
//!
//! Double and float come from crate `libm` (below one unit in the last place for the elementary functions), rounding that follows the
//! dynamic mode from SSE conversions. Long double is the x87's 80-bit format: [`x87`] makes it a Rust type of which each operation is a few
//! instructions, [`long`] holds the functions, [`abi`] what C's calling convention wants (arguments in memory, results in st(0)). Complex
//! functions are written once over [`real::Real`]. Errors are told by exceptions and special values, never by errno (`math_errhandling` of math.h).

#[macro_use]
pub mod abi;
pub mod classify;
pub mod complex;
pub mod double;
pub mod environment;
pub mod internal;
pub mod long;
pub mod long_power;
#[cfg(test)]
mod long_tests;
pub mod parts;
pub mod real;
pub mod reduce;
pub mod round;
pub mod x87;

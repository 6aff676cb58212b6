//! Signals: signal.h, setjmp.h and ucontext.h.

#[cfg(not(test))]
mod action;
#[cfg(not(test))]
mod context;
#[cfg(not(test))]
mod jump;
mod set;
#[cfg(not(test))]
mod wait;

pub use set::*;

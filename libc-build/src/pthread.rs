//! POSIX threads (pthread(3), libpthread.so.1, and the names under which libc.so.12 offers them to other libraries).
//!
//! The structures have NetBSD's size and static initialisers (pthread_types.h); what their fields hold is layer 2's own. Everything is built
//! on user-level atomics: where nobody waits, nothing here makes a system call. Who has to wait stands in a queue of [`crate::park`].
//!
//! Functions return error numbers and leave errno alone.

#[cfg(not(test))]
mod attr;
#[cfg(not(test))]
mod barrier;
#[cfg(not(test))]
mod cancel;
#[cfg(not(test))]
mod cond;
#[cfg(not(test))]
mod life;
#[cfg(not(test))]
mod misc;
#[cfg(not(test))]
mod mutex;
#[cfg(not(test))]
mod once;
#[cfg(not(test))]
mod rwlock;
#[cfg(not(test))]
mod semaphore;
mod specific;
#[cfg(not(test))]
mod spin;
#[cfg(not(test))]
mod stack;
#[cfg(not(test))]
mod threads;

pub use specific::Value;

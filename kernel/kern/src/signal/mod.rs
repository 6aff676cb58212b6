//! Signals (sigaction(2), signal(7)): sets, queues, delivery.
//!
//! - [`set`] is a signal set, [`info`] what is told of a signal (siginfo(2)), [`action`] what a process does with it;
//! - [`pending`] queues them; [`post`] sends them and wakes who has to see them;
//! - [`deliver`] runs before an LWP goes back to the application: it calls handlers ([`frame`]) and carries out default actions;
//! - [`trap`] turns exceptions into signals; [`calls`] and [`wait`] are the system calls.
//!
//! A signal is pending for the process or for one LWP; ignored ones are dropped when sent, unless blocked or waited for. Numbers run from 1 to 63.

pub mod action;
pub mod calls;
pub mod deliver;
pub mod frame;
pub mod info;
pub mod pending;
pub mod post;
pub mod set;
pub mod state;
pub mod trap;
pub mod ucontext;
pub mod wait;

pub use info::KsigInfo;
pub use post::{kpsignal, lwp_signal, psignal};
pub use set::SigSet;
pub use state::{sigsuspend_setup, sigsuspend_teardown};

/// The numbers (sys/signal.h).
#[expect(missing_docs, reason = "the signals' own names")]
pub mod number {
    pub const SIGHUP: i32 = 1;
    pub const SIGINT: i32 = 2;
    pub const SIGQUIT: i32 = 3;
    pub const SIGILL: i32 = 4;
    pub const SIGTRAP: i32 = 5;
    pub const SIGABRT: i32 = 6;
    pub const SIGEMT: i32 = 7;
    pub const SIGFPE: i32 = 8;
    pub const SIGKILL: i32 = 9;
    pub const SIGBUS: i32 = 10;
    pub const SIGSEGV: i32 = 11;
    pub const SIGSYS: i32 = 12;
    pub const SIGPIPE: i32 = 13;
    pub const SIGALRM: i32 = 14;
    pub const SIGTERM: i32 = 15;
    pub const SIGURG: i32 = 16;
    pub const SIGSTOP: i32 = 17;
    pub const SIGTSTP: i32 = 18;
    pub const SIGCONT: i32 = 19;
    pub const SIGCHLD: i32 = 20;
    pub const SIGTTIN: i32 = 21;
    pub const SIGTTOU: i32 = 22;
    pub const SIGIO: i32 = 23;
    pub const SIGXCPU: i32 = 24;
    pub const SIGXFSZ: i32 = 25;
    pub const SIGVTALRM: i32 = 26;
    pub const SIGPROF: i32 = 27;
    pub const SIGWINCH: i32 = 28;
    pub const SIGINFO: i32 = 29;
    pub const SIGUSR1: i32 = 30;
    pub const SIGUSR2: i32 = 31;
    pub const SIGPWR: i32 = 32;
    pub const SIGRTMIN: i32 = 33;
    pub const SIGRTMAX: i32 = 63;
}

/// One more than the highest signal number.
pub const NSIG: i32 = 64;

/// Whether this is a signal's number.
#[inline]
#[must_use]
pub fn is_signal(signo: i32) -> bool {
    (1..NSIG).contains(&signo)
}

const NAMES: [&str; 33] = [
    "0",
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGEMT",
    "SIGFPE",
    "SIGKILL",
    "SIGBUS",
    "SIGSEGV",
    "SIGSYS",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGURG",
    "SIGSTOP",
    "SIGTSTP",
    "SIGCONT",
    "SIGCHLD",
    "SIGTTIN",
    "SIGTTOU",
    "SIGIO",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGINFO",
    "SIGUSR1",
    "SIGUSR2",
    "SIGPWR",
];

/// A signal's name.
#[must_use]
pub fn name(signo: i32) -> &'static str {
    usize::try_from(signo).ok().and_then(|number| NAMES.get(number).copied()).unwrap_or("a real-time signal")
}

#[cfg(test)]
mod tests;

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
pub mod number {
    pub use rump_abi::signal::{
        SIGABRT, SIGALRM, SIGBUS, SIGCHLD, SIGCONT, SIGEMT, SIGFPE, SIGHUP, SIGILL, SIGINFO, SIGINT, SIGIO,
        SIGKILL, SIGPIPE, SIGPROF, SIGPWR, SIGQUIT, SIGRTMAX, SIGRTMIN, SIGSEGV, SIGSTOP, SIGSYS, SIGTERM,
        SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ,
    };
}

pub use rump_abi::signal::NSIG;

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

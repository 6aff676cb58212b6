//! What a process does with a signal (sigaction(2)).

use bitflags::bitflags;

use super::number::*;
use super::set::SigSet;

bitflags! {
    /// `sa_flags`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct SaFlags: i32 {
        /// SA_ONSTACK.
        const ONSTACK = 0x01;
        /// SA_RESTART.
        const RESTART = 0x02;
        /// SA_RESETHAND.
        const RESETHAND = 0x04;
        /// SA_NOCLDSTOP.
        const NOCLDSTOP = 0x08;
        /// SA_NODEFER.
        const NODEFER = 0x10;
        /// SA_NOCLDWAIT.
        const NOCLDWAIT = 0x20;
        /// SA_SIGINFO.
        const SIGINFO = 0x40;
        /// SA_NOKERNINFO.
        const NOKERNINFO = 0x80;
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disposition {
    /// SIG_DFL.
    #[default]
    Default,
    /// SIG_IGN.
    Ignore,
    /// A function of the application's.
    Handler(usize),
}

impl Disposition {
    /// From `sa_handler`.
    #[must_use]
    pub const fn from_word(word: u64) -> Self {
        match word {
            0 => Self::Default,
            1 => Self::Ignore,
            address => Self::Handler(address as usize),
        }
    }

    /// As `sa_handler`.
    #[must_use]
    pub const fn to_word(self) -> u64 {
        match self {
            Self::Default => 0,
            Self::Ignore => 1,
            Self::Handler(address) => address as u64,
        }
    }
}

/// An action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SigAction {
    /// What to do.
    pub disposition: Disposition,
    /// Which signals are blocked besides while the handler runs.
    pub mask: SigSet,
    /// How.
    pub flags: SaFlags,
    /// Where the handler returns to: code of the application's that calls setcontext(2).
    pub trampoline: usize,
}

/// What a signal does by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultAction {
    /// Ends the process.
    Terminate,
    /// Ends the process, which left a core file if there were a place for it.
    Core,
    /// Nothing.
    Ignore,
    /// Stops the process.
    Stop,
    /// Lets a stopped process go on.
    Continue,
}

/// What a signal does by default (signal(7)). The process has no parent in its session, so its process group is an orphaned one,
/// and the terminal's stop signals do nothing (POSIX.1, "Signal Actions").
#[must_use]
pub const fn default_action(signo: i32) -> DefaultAction {
    match signo {
        SIGQUIT | SIGILL | SIGTRAP | SIGABRT | SIGEMT | SIGFPE | SIGBUS | SIGSEGV | SIGSYS => {
            DefaultAction::Core
        }
        SIGURG | SIGCHLD | SIGIO | SIGWINCH | SIGINFO | SIGPWR | SIGTSTP | SIGTTIN | SIGTTOU => {
            DefaultAction::Ignore
        }
        SIGSTOP => DefaultAction::Stop,
        SIGCONT => DefaultAction::Continue,
        _ => DefaultAction::Terminate,
    }
}

impl SigAction {
    /// Whether the signal has no effect with this action.
    #[must_use]
    pub fn ignores(&self, signo: i32) -> bool {
        match self.disposition {
            Disposition::Ignore => true,
            Disposition::Default => default_action(signo) == DefaultAction::Ignore,
            Disposition::Handler(_) => false,
        }
    }
}

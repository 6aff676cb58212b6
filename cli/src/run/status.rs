//! How the guest says that it ended.
//!
//! The guest writes one line to port 0xe9 and powers off: `exited N`, `signaled N` or `panicked`.

/// Exit status for a kernel panic.
pub const PANICKED: u8 = 125;

/// Exit status where the guest said nothing.
pub const NO_STATUS: u8 = 124;

/// What the guest said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The program exited with this status.
    Exited(u8),
    /// A signal (1 to 127) killed the program.
    Signaled(u8),
    /// The kernel panicked.
    Panicked,
}

impl Ending {
    /// Reads the first line that says how the guest ended.
    pub fn parse(text: &str) -> Option<Self> {
        text.lines().find_map(|line| match line.split_once(' ') {
            None if line == "panicked" => Some(Self::Panicked),
            Some(("exited", number)) => number.parse().ok().map(Self::Exited),
            Some(("signaled", number)) => {
                number.parse().ok().filter(|number| (1..128).contains(number)).map(Self::Signaled)
            }
            _ => None,
        })
    }
}

/// `signal 11 (SIGSEGV)`, as NetBSD's sys/signal.h numbers them.
pub fn signal_name(number: u8) -> String {
    const NAMES: [&str; 32] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS", "PIPE",
        "ALRM", "TERM", "URG", "STOP", "TSTP", "CONT", "CHLD", "TTIN", "TTOU", "IO", "XCPU", "XFSZ",
        "VTALRM", "PROF", "WINCH", "INFO", "USR1", "USR2", "PWR",
    ];
    match usize::from(number).checked_sub(1).and_then(|index| NAMES.get(index)) {
        Some(name) => format!("signal {number} (SIG{name})"),
        None => format!("signal {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ending, signal_name};

    #[test]
    fn endings() {
        assert_eq!(Ending::parse("exited 3\n"), Some(Ending::Exited(3)));
        assert_eq!(Ending::parse("noise\nsignaled 11\nexited 0\n"), Some(Ending::Signaled(11)));
        assert_eq!(Ending::parse("panicked"), Some(Ending::Panicked));
        for nothing in ["", "exited", "exited 256", "signaled 0", "signaled 200", "panicked 1"] {
            assert_eq!(Ending::parse(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn signals() {
        assert_eq!(signal_name(11), "signal 11 (SIGSEGV)");
        assert_eq!(signal_name(32), "signal 32 (SIGPWR)");
        assert_eq!(signal_name(33), "signal 33");
        assert_eq!(signal_name(0), "signal 0");
    }
}

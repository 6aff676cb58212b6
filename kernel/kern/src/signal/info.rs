//! What is told of a signal (siginfo(2), sys/siginfo.h).

/// `si_code` (sys/siginfo.h).
pub mod code {
    pub use rump_abi::signal::{
        BUS_ADRALN, BUS_ADRERR, BUS_OBJERR, FPE_FLTDIV, FPE_FLTINV, FPE_FLTOVF, FPE_FLTRES, FPE_FLTSUB,
        FPE_FLTUND, FPE_INTDIV, FPE_INTOVF, ILL_ILLOPC, ILL_PRVOPC, SEGV_ACCERR, SEGV_MAPERR, SI_ASYNCIO,
        SI_LWP, SI_MESGQ, SI_NOINFO, SI_QUEUE, SI_TIMER, SI_USER, TRAP_BRKPT, TRAP_TRACE,
    };
}

/// Bytes of a `siginfo_t`.
pub const SIGINFO_SIZE: usize = size_of::<rump_abi::types::Siginfo>();

/// A signal with what is told of it (ksiginfo_t).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KsigInfo {
    /// The signal.
    pub signo: i32,
    /// Why it was sent: see [`code`].
    pub code: i32,
    /// An error number, or 0.
    pub errno: i32,
    /// What else is told.
    pub reason: Reason,
}

/// What else is told of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing.
    None,
    /// Sent by a process, or by a timer or message queue on a process's behalf.
    Sender {
        /// Process number of the sender.
        pid: i32,
        /// User of the sender.
        uid: u32,
        /// The value sent along (`union sigval`).
        value: u64,
    },
    /// An exception.
    Fault {
        /// The address: of the access, or of the instruction.
        addr: u64,
        /// The exception's number.
        trap: i32,
        /// Its error code.
        error: i32,
    },
    /// A descriptor is ready (SIGIO).
    Poll {
        /// What happened to it: POLLIN and so on.
        band: i64,
        /// The descriptor.
        fd: i32,
    },
}

impl KsigInfo {
    /// A signal of which nothing else is known.
    #[must_use]
    pub const fn empty(signo: i32) -> Self {
        Self { signo, code: code::SI_NOINFO, errno: 0, reason: Reason::None }
    }

    /// A signal sent by a process.
    #[must_use]
    pub const fn sent(signo: i32, code: i32, value: u64) -> Self {
        Self { signo, code, errno: 0, reason: Reason::Sender { pid: crate::proc::PID, uid: 0, value } }
    }

    /// The application's `siginfo_t`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SIGINFO_SIZE] {
        let mut bytes = [0; SIGINFO_SIZE];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &self.signo.to_le_bytes());
        put(4, &self.code.to_le_bytes());
        put(8, &self.errno.to_le_bytes());
        match self.reason {
            Reason::None => {}
            Reason::Sender { pid, uid, value } => {
                put(16, &pid.to_le_bytes());
                put(20, &uid.to_le_bytes());
                put(24, &value.to_le_bytes());
            }
            Reason::Fault { addr, trap, error } => {
                put(16, &addr.to_le_bytes());
                put(24, &trap.to_le_bytes());
                put(28, &error.to_le_bytes());
            }
            Reason::Poll { band, fd } => {
                put(16, &band.to_le_bytes());
                put(24, &fd.to_le_bytes());
            }
        }
        bytes
    }

    /// From the application's `siginfo_t`, as sigqueueinfo(2) takes it.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SIGINFO_SIZE]) -> Self {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Self {
            signo: word(0).cast_signed(),
            code: word(4).cast_signed(),
            errno: word(8).cast_signed(),
            reason: Reason::Sender {
                pid: word(16).cast_signed(),
                uid: word(20),
                value: u64::from(word(24)) | u64::from(word(28)) << 32,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KsigInfo, Reason, code};

    #[test]
    fn survives_the_way_through_the_application() {
        let info = KsigInfo {
            signo: 40,
            code: code::SI_QUEUE,
            errno: 0,
            reason: Reason::Sender { pid: 1, uid: 0, value: 0x1122_3344_5566_7788 },
        };
        assert_eq!(KsigInfo::from_bytes(&info.to_bytes()), info);
    }

    #[test]
    fn a_fault_has_its_address_at_16() {
        let info = KsigInfo {
            signo: 11,
            code: 1,
            errno: 0,
            reason: Reason::Fault { addr: 0xdead, trap: 6, error: 4 },
        };
        let bytes = info.to_bytes();
        assert_eq!(bytes[16..24], 0xdead_u64.to_le_bytes());
        assert_eq!(bytes[24..28], 6_i32.to_le_bytes());
    }
}

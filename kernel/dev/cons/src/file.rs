//! What an open descriptor of the terminal does: reading with VMIN and VTIME, writing, ioctl(2), readiness.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::any::Any;

use rump_abi::ioctl::{
    FIONREAD, FIONWRITE, TIOCDRAIN, TIOCEXCL, TIOCFLUSH, TIOCGETD, TIOCGLINED, TIOCGPGRP, TIOCGSID,
    TIOCGWINSZ, TIOCNXCL, TIOCOUTQ, TIOCSCTTY, TIOCSETD, TIOCSPGRP, TIOCSTART, TIOCSTI, TIOCSTOP, TIOCSWINSZ,
};
use rump_abi::limits::{MAX_CANON, MAX_INPUT};
use rump_abi::termios::{_POSIX_VDISABLE, TCIFLUSH, VMIN, VTIME};
use rump_abi::unistd::{_PC_MAX_CANON, _PC_MAX_INPUT, _PC_VDISABLE};
use rump_hypercall::sync::CondVar;
use rump_hypercall::time::{self, NEVER};
use rump_hypercall::{Giant, console};
use rump_kern::devsw::Device;
use rump_kern::errno::Errno;
use rump_kern::file::poll::{READABLE, WRITABLE};
use rump_kern::file::{Attr, File, FileHead, FileOps, FileRef, Filter, FilterState, Wait};
use rump_kern::ioctl::{answer_int, int_arg};
use rump_kern::proc::{PID, proc0};
use rump_kern::selinfo::SelInfo;
use rump_kern::signal::{number, psignal};
use rump_kern::sleep_sig;
use rump_kern::uio::Uio;

use crate::termios::{TIOCGETA, TIOCSETA, TIOCSETAF, TIOCSETAW, Termios, WINSIZE_SIZE};
use crate::tty::{Signals, Tty};

/// Bytes that are taken from the application at a time.
const CHUNK: usize = 4096;

/// A tenth of a second, the unit of VTIME.
const DECISECOND_NS: u64 = 100_000_000;

static TTY: Giant<Tty> = Giant::new(Tty::new());
static WINSIZE: Giant<[u8; WINSIZE_SIZE]> = Giant::new([0; WINSIZE_SIZE]);
/// Readers wait here.
static READ_CV: CondVar = CondVar::new();
/// Writers wait here while output is held back.
static WRITE_CV: CondVar = CondVar::new();
static READ_SEL: SelInfo = SelInfo::new();
static WRITE_SEL: SelInfo = SelInfo::new();
/// Where written bytes become what goes to the console; kept for its memory.
static OUT: Giant<Vec<u8>> = Giant::new(Vec::new());

/// An open terminal.
pub struct TtyFile {
    device: &'static Device,
}

/// Opens the terminal.
#[must_use]
pub fn open(device: &'static Device, flags: u32) -> FileRef {
    File::new(flags, TtyFile { device }) as Rc<File<dyn FileOps>>
}

/// Takes typed bytes and wakes who waits for them; what is to be shown is added to `echo`.
pub fn typed(bytes: &[u8], echo: &mut Vec<u8>) -> Signals {
    let (signals, readable, was_stopped, is_stopped) = {
        let mut tty = TTY.borrow_mut();
        let was_stopped = tty.is_stopped();
        let signals = tty.input(bytes, echo);
        (signals, tty.is_readable(), was_stopped, tty.is_stopped())
    };
    if readable {
        READ_CV.broadcast();
        READ_SEL.notify(0);
    }
    if was_stopped && !is_stopped {
        resume();
    }
    signals
}

/// Output goes on.
fn resume() {
    WRITE_CV.broadcast();
    WRITE_SEL.notify(0);
}

/// Bytes that a read in non-canonical mode waits for, and for how long at most.
struct Patience {
    least: usize,
    /// The time limit begins with the first byte.
    between_bytes: bool,
    limit_ns: u64,
}

fn patience(termios: &Termios, asked: usize) -> Patience {
    let least = usize::from(termios.char(VMIN));
    let limit = u64::from(termios.char(VTIME)) * DECISECOND_NS;
    Patience { least: least.min(asked), between_bytes: least > 0 && limit > 0, limit_ns: limit }
}

/// Waits until a read may take what there is.
fn wait_for_input(wait: Wait, asked: usize) -> Result<(), Errno> {
    let start = time::monotonic_ns();
    let mut seen = 0;
    let mut last_byte = start;
    loop {
        let (canonical, readable, available, patience) = {
            let tty = TTY.borrow();
            (tty.is_canonical(), tty.is_readable(), tty.readable_bytes(), patience(tty.termios(), asked))
        };
        let satisfied = if canonical { readable } else { available >= patience.least.max(1) };
        if satisfied {
            return Ok(());
        }
        if wait == Wait::No {
            return if !canonical && available > 0 { Ok(()) } else { Err(Errno::EWOULDBLOCK) };
        }
        let deadline = if canonical {
            NEVER
        } else if patience.between_bytes {
            if available > seen {
                (seen, last_byte) = (available, time::monotonic_ns());
            }
            if available > 0 { last_byte.saturating_add(patience.limit_ns) } else { NEVER }
        } else if patience.least == 0 {
            start.saturating_add(patience.limit_ns)
        } else {
            NEVER
        };
        match sleep_sig(&READ_CV, deadline) {
            Ok(()) => {}
            Err(Errno::EWOULDBLOCK) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}

fn set_termios(data: &[u8]) -> Result<i32, Errno> {
    let termios = Termios::from_bytes(data).ok_or(Errno::EINVAL)?;
    TTY.borrow_mut().set_termios(termios);
    // What was incomplete may be readable now, and output may go on.
    READ_CV.broadcast();
    READ_SEL.notify(0);
    resume();
    Ok(0)
}

fn set_winsize(data: &[u8]) -> Result<i32, Errno> {
    let new: [u8; WINSIZE_SIZE] = *data.first_chunk().ok_or(Errno::EINVAL)?;
    if WINSIZE.get() != new {
        WINSIZE.set(new);
        if let Some(proc) = proc0() {
            psignal(proc, number::SIGWINCH);
        }
    }
    Ok(0)
}

fn answer(data: &mut [u8], bytes: &[u8]) -> Result<i32, Errno> {
    data.get_mut(..bytes.len()).ok_or(Errno::ENOTTY)?.copy_from_slice(bytes);
    Ok(0)
}

impl FileOps for TtyFile {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        if uio.resid() == 0 {
            return Ok(());
        }
        wait_for_input(head.wait(), uio.resid())?;
        let mut tty = TTY.borrow_mut();
        let taken = uio.copy_out(tty.peek())?;
        tty.consume(taken);
        Ok(())
    }

    fn write(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        let mut chunk = [0; CHUNK];
        while uio.resid() > 0 {
            while TTY.borrow().is_stopped() {
                if head.wait() == Wait::No {
                    return Err(Errno::EWOULDBLOCK);
                }
                sleep_sig(&WRITE_CV, NEVER)?;
            }
            let len = uio.copy_in(&mut chunk)?;
            let mut out = OUT.borrow_mut();
            out.clear();
            TTY.borrow_mut().output(&chunk[..len], &mut out);
            console::write(&out);
        }
        Ok(())
    }

    fn ioctl(&self, _head: &FileHead, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        match cmd {
            TIOCGETA => answer(data, &TTY.borrow().termios().to_bytes()),
            // Output is written at once: there is none to wait for.
            TIOCSETA | TIOCSETAW => set_termios(data),
            TIOCSETAF => {
                TTY.borrow_mut().flush_input();
                set_termios(data)
            }
            TIOCGWINSZ => answer(data, &WINSIZE.get()),
            TIOCSWINSZ => set_winsize(data),
            FIONREAD => {
                let bytes = TTY.borrow().readable_bytes();
                answer_int(data, i32::try_from(bytes).unwrap_or(i32::MAX))
            }
            TIOCOUTQ | FIONWRITE | TIOCGETD => answer_int(data, 0),
            TIOCFLUSH => {
                // Without an argument both directions are meant; FREAD is TCIFLUSH's bit.
                let which = int_arg(data);
                if which == 0 || which & TCIFLUSH != 0 {
                    TTY.borrow_mut().flush_input();
                }
                Ok(0)
            }
            TIOCSTOP => {
                TTY.borrow_mut().set_stopped(true);
                Ok(0)
            }
            TIOCSTART => {
                TTY.borrow_mut().set_stopped(false);
                resume();
                Ok(0)
            }
            TIOCSTI => {
                let mut echo = Vec::new();
                typed(data.get(..1).ok_or(Errno::EINVAL)?, &mut echo);
                console::write(&echo);
                Ok(0)
            }
            TIOCSETD if int_arg(data) == 0 => Ok(0),
            TIOCGLINED => answer(data, b"termios\0"),
            // The program is the terminal's session, and its only process group.
            TIOCGPGRP | TIOCGSID => answer_int(data, PID),
            TIOCSPGRP if int_arg(data) == PID => Ok(0),
            TIOCSPGRP => Err(Errno::EPERM),
            TIOCSCTTY | TIOCEXCL | TIOCNXCL | TIOCDRAIN => Ok(0),
            _ => Err(Errno::ENOTTY),
        }
    }

    fn poll(&self, _head: &FileHead, events: u32) -> u32 {
        let tty = TTY.borrow();
        (if tty.is_readable() { events & READABLE } else { 0 })
            | (if tty.is_stopped() { 0 } else { events & WRITABLE })
    }

    fn selinfo(&self, filter: Filter) -> Option<&SelInfo> {
        match filter {
            Filter::Read => Some(&READ_SEL),
            Filter::Write => Some(&WRITE_SEL),
            Filter::Vnode | Filter::Empty => None,
        }
    }

    fn filter(&self, _head: &FileHead, filter: Filter) -> Result<FilterState, Errno> {
        let tty = TTY.borrow();
        match filter {
            Filter::Read => {
                Ok(FilterState { data: tty.readable_bytes() as i64, eof: false, ready: tty.is_readable() })
            }
            Filter::Write => Ok(FilterState { data: CHUNK as i64, eof: false, ready: !tty.is_stopped() }),
            Filter::Vnode | Filter::Empty => Err(Errno::EINVAL),
        }
    }

    fn sync(&self, _head: &FileHead) -> Result<(), Errno> {
        // Everything has been written.
        Ok(())
    }

    fn stat(&self, _head: &FileHead) -> Result<Attr, Errno> {
        Ok(self.device.attr())
    }

    fn pathconf(&self, _head: &FileHead, name: i32) -> Result<i64, Errno> {
        match name {
            _PC_MAX_CANON => Ok(i64::from(MAX_CANON)),
            _PC_MAX_INPUT => Ok(i64::from(MAX_INPUT)),
            _PC_VDISABLE => Ok(i64::from(_POSIX_VDISABLE)),
            _ => Err(Errno::EINVAL),
        }
    }
}

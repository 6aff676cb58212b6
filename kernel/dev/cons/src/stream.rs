//! Descriptors 0 to 2 as a stream of bytes over the console (`stdio=pipe`): nothing is echoed, added or interpreted.
//!
//! Output goes out as it is. Input comes with the escapes of [`Stdio::Pipe`], which say where it ends. What the program has not read waits here up to
//! [`PENDING_MAX`] bytes, then in the platform and at last with the sender.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::any::Any;

use rump_abi::ioctl::{FIONREAD, FIONWRITE};
use rump_abi::stat::{S_IFIFO, S_IFMT};
use rump_config::Stdio;
use rump_hypercall::sync::CondVar;
use rump_hypercall::time::NEVER;
use rump_hypercall::{Giant, console};
use rump_kern::devsw::Device;
use rump_kern::errno::Errno;
use rump_kern::file::poll::{READABLE, WRITABLE};
use rump_kern::file::{Attr, File, FileHead, FileOps, FileRef, Filter, FilterState, Wait};
use rump_kern::ioctl::answer_int;
use rump_kern::selinfo::SelInfo;
use rump_kern::sleep_sig;
use rump_kern::uio::Uio;

/// Bytes that wait for the program at most.
const PENDING_MAX: usize = 64 << 10;

/// Bytes that are moved at a time.
const CHUNK: usize = 4096;

struct Input {
    pending: VecDeque<u8>,
    /// The last byte was the escape.
    escaped: bool,
    ended: bool,
}

impl Input {
    /// Takes bytes as they came over the console.
    fn decode(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match (self.escaped, byte) {
                (false, Stdio::ESCAPE) => self.escaped = true,
                (true, Stdio::END) => (self.escaped, self.ended) = (false, true),
                _ => {
                    self.escaped = false;
                    self.pending.push_back(byte);
                }
            }
        }
    }

    /// Fills up from the console.
    fn fill(&mut self) {
        let mut chunk = [0; CHUNK];
        while self.pending.len() < PENDING_MAX {
            let len = console::read(&mut chunk);
            if len == 0 {
                break;
            }
            self.decode(&chunk[..len]);
        }
    }

    fn is_readable(&self) -> bool {
        self.ended || !self.pending.is_empty()
    }
}

static INPUT: Giant<Input> = Giant::new(Input { pending: VecDeque::new(), escaped: false, ended: false });
/// Readers wait here.
static READ_CV: CondVar = CondVar::new();
static READ_SEL: SelInfo = SelInfo::new();

/// The open stream.
pub struct StreamFile {
    device: &'static Device,
}

/// Opens the stream.
#[must_use]
pub fn open(device: &'static Device, flags: u32) -> FileRef {
    File::new(flags, StreamFile { device }) as Rc<File<dyn FileOps>>
}

/// There is console input.
pub fn input() {
    let readable = {
        let mut input = INPUT.borrow_mut();
        input.fill();
        input.is_readable()
    };
    if readable {
        READ_CV.broadcast();
        READ_SEL.notify(0);
    }
}

impl FileOps for StreamFile {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        if uio.resid() == 0 {
            return Ok(());
        }
        while !INPUT.borrow().is_readable() {
            if head.wait() == Wait::No {
                return Err(Errno::EWOULDBLOCK);
            }
            sleep_sig(&READ_CV, NEVER)?;
        }
        let mut input = INPUT.borrow_mut();
        let taken = uio.copy_out(input.pending.make_contiguous())?;
        input.pending.drain(..taken);
        input.fill();
        Ok(())
    }

    fn write(&self, _head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        let mut chunk = [0; CHUNK];
        while uio.resid() > 0 {
            let len = uio.copy_in(&mut chunk)?;
            console::write(&chunk[..len]);
        }
        Ok(())
    }

    fn ioctl(&self, _head: &FileHead, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        match cmd {
            FIONREAD => {
                let bytes = INPUT.borrow().pending.len();
                answer_int(data, i32::try_from(bytes).unwrap_or(i32::MAX))
            }
            FIONWRITE => answer_int(data, 0),
            _ => Err(Errno::ENOTTY),
        }
    }

    fn poll(&self, _head: &FileHead, events: u32) -> u32 {
        (if INPUT.borrow().is_readable() { events & READABLE } else { 0 }) | events & WRITABLE
    }

    fn selinfo(&self, filter: Filter) -> Option<&SelInfo> {
        match filter {
            Filter::Read => Some(&READ_SEL),
            Filter::Write | Filter::Vnode | Filter::Empty => None,
        }
    }

    fn filter(&self, _head: &FileHead, filter: Filter) -> Result<FilterState, Errno> {
        match filter {
            Filter::Read => {
                let input = INPUT.borrow();
                let bytes = i64::try_from(input.pending.len()).unwrap_or(i64::MAX);
                Ok(FilterState {
                    data: bytes,
                    eof: input.ended && input.pending.is_empty(),
                    ready: input.is_readable(),
                })
            }
            Filter::Write => Ok(FilterState { data: CHUNK as i64, eof: false, ready: true }),
            Filter::Vnode | Filter::Empty => Err(Errno::EINVAL),
        }
    }

    fn stat(&self, _head: &FileHead) -> Result<Attr, Errno> {
        let mut attr = self.device.attr();
        // What a pipe is to fstat(2): programs choose buffering and interactivity by it.
        attr.mode = attr.mode & !(S_IFMT as u32) | S_IFIFO as u32;
        Ok(attr)
    }

    fn pathconf(&self, _head: &FileHead, _name: i32) -> Result<i64, Errno> {
        Err(Errno::EINVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::{Input, VecDeque};

    #[test]
    fn escapes_say_where_it_ends() {
        let mut input = Input { pending: VecDeque::new(), escaped: false, ended: false };
        input.decode(b"a\x10");
        input.decode(b"\x10E");
        assert_eq!(input.pending, b"a\x10E");
        assert!(!input.ended);
        input.decode(b"\x10E");
        assert!(input.ended && input.pending.len() == 3);
    }
}

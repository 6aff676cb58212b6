//! Block transfers: rumpuser_bio.
//!
//! A transfer is queued, and rumpuser_bio returns. A thread with an lwp of the rump kernel does one after the other, in the order in which they came, and tells the
//! rump kernel, with its CPU, that it is done.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

use rump_abi::errno::EINVAL;
use rump_hypercall::Giant;
use rump_hypercall::sync::CondVar;

use super::descriptor::{self, Direction};
use super::store::File;
use crate::component::rumpuser_component_kthread;
use crate::thread::rumpuser_thread_create;
use crate::upcall::hyperup;

/// `RUMPUSER_BIO_READ`.
pub const READ: c_int = 1;
/// `RUMPUSER_BIO_WRITE`.
pub const WRITE: c_int = 2;
/// `RUMPUSER_BIO_SYNC`: makes no difference, since there is no cache.
pub const SYNC: c_int = 4;

/// The unit of transfers, bytes.
const SECTOR: usize = 512;

/// `rump_biodone_fn`: argument, bytes transferred, error number.
pub type Done = extern "C" fn(*mut c_void, usize, c_int);

struct Request {
    /// What the descriptor named when the transfer was asked for, and the direction.
    file: Result<(Arc<File>, Direction), c_int>,
    data: *mut u8,
    len: usize,
    offset: i64,
    done: Done,
    arg: *mut c_void,
}

struct Queue {
    requests: VecDeque<Request>,
    has_thread: bool,
}

static QUEUE: Giant<Queue> = Giant::new(Queue { requests: VecDeque::new(), has_thread: false });
static ARRIVED: CondVar = CondVar::new();

impl Request {
    fn transfer(&self) -> Result<usize, c_int> {
        let (file, direction) = self.file.as_ref().map_err(|&error| error)?;
        let offset = u64::try_from(self.offset).map_err(|_| EINVAL)?;
        if !self.len.is_multiple_of(SECTOR) {
            return Err(EINVAL);
        }
        if self.len == 0 {
            return Ok(0);
        }
        // SAFETY: the memory is the transfer's from rumpuser_bio until `done` (that function's contract).
        unsafe {
            match direction {
                Direction::Read => file.read(offset, core::slice::from_raw_parts_mut(self.data, self.len)),
                Direction::Write => file.write(offset, core::slice::from_raw_parts(self.data, self.len)),
            }
        }
    }

    /// Does the transfer and tells the rump kernel, whose CPU the caller holds.
    fn finish(&self, result: Result<usize, c_int>) {
        let (count, error) = result.map_or_else(|error| (0, error), |count| (count, 0));
        (self.done)(self.arg, count, error);
    }
}

extern "C" fn serve(_: *mut c_void) -> *mut c_void {
    rumpuser_component_kthread();
    loop {
        let Some(request) = QUEUE.borrow_mut().requests.pop_front() else {
            ARRIVED.wait();
            continue;
        };
        let result = request.transfer();
        match hyperup() {
            Some(hyperup) => {
                (hyperup.schedule)();
                request.finish(result);
                (hyperup.unschedule)();
            }
            None => request.finish(result),
        }
    }
}

/// Makes room for a request, and sees to it that somebody serves it.
fn is_ready() -> bool {
    if QUEUE.borrow_mut().requests.try_reserve(1).is_err() {
        return false;
    }
    if QUEUE.borrow().has_thread {
        return true;
    }
    // SAFETY: the function takes no argument, and nobody joins.
    let made =
        unsafe { rumpuser_thread_create(serve, null_mut(), c"rumpbio".as_ptr(), 0, 0, -1, null_mut()) };
    QUEUE.borrow_mut().has_thread = made == 0;
    made == 0
}

/// rumpuser_bio: queues a transfer of `len` bytes (a multiple of 512) at `offset`; `done(arg, bytes, error)` is called when it is over. EBADF there if the
/// descriptor is not open for it, EINVAL for an operation, offset or length that there is not, and what rumpuser_iovread and rumpuser_iovwrite have.
///
/// # Safety
/// The memory is not touched until `done` is called, which may be called with `arg` on another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_bio(
    fd: c_int,
    operation: c_int,
    data: *mut c_void,
    len: usize,
    offset: i64,
    done: Done,
    arg: *mut c_void,
) {
    let direction = match operation & !SYNC {
        READ => Ok(Direction::Read),
        WRITE => Ok(Direction::Write),
        _ => Err(EINVAL),
    };
    let file = direction.and_then(|direction| Ok((descriptor::file(fd, direction)?.0, direction)));
    let request = Request { file, data: data.cast(), len, offset, done, arg };
    if is_ready() {
        QUEUE.borrow_mut().requests.push_back(request);
        ARRIVED.signal();
    } else {
        // Without memory for a queue or a thread it is done here, with the CPU that the caller holds.
        let result = request.transfer();
        request.finish(result);
    }
}

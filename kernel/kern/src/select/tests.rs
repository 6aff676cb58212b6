use rump_hypercall::time;

use super::*;
use crate::Ret;
use crate::copy::copyout;
use crate::file::poll::READABLE;
use crate::filedesc::{dup, rw};
use crate::pipe::sys_pipe;
use crate::testing::{SCRATCH, kernel};

const FDS: usize = SCRATCH;
const LIMIT: usize = SCRATCH + 0x1000;

fn result(ret: Ret) -> Result<i64, Errno> {
    if ret.errno == 0 { Ok(ret.value) } else { Err(Errno(ret.errno)) }
}

fn pipe() -> (u64, u64) {
    let ret = sys_pipe(0, 0, 0, 0, 0, 0);
    (ret.value as u64, ret.value2 as u64)
}

fn close(fd: u64) {
    result(dup::sys_close(fd, 0, 0, 0, 0, 0)).unwrap();
}

fn poll_once(fds: &[(i32, u32)], timeout_ms: i32) -> (i64, Vec<u32>) {
    let list: Vec<Pollfd> =
        fds.iter().map(|&(fd, events)| Pollfd { fd, events: events as i16, revents: -1 }).collect();
    copyout_slice(&list, FDS).unwrap();
    let ret = sys_poll(FDS as u64, fds.len() as u64, timeout_ms as u64, 0, 0, 0);
    let list: Vec<Pollfd> = copyin_slice(FDS, fds.len(), 100).unwrap();
    (result(ret).unwrap(), list.iter().map(|fd| u32::from(fd.revents as u16)).collect())
}

#[test]
fn poll_says_what_is_ready() {
    kernel(|_| {
        let (reader, writer) = pipe();
        let (read_fd, write_fd) = (reader as i32, writer as i32);
        let start = time::monotonic_ns();
        assert_eq!(poll_once(&[(read_fd, READABLE), (-1, READABLE)], 20), (0, alloc::vec![0, 0]));
        assert!(time::monotonic_ns() - start >= 20_000_000);
        assert_eq!(poll_once(&[(read_fd, READABLE), (write_fd, POLLOUT)], -1), (1, alloc::vec![0, POLLOUT]));
        assert_eq!(poll_once(&[(99, READABLE)], -1), (1, alloc::vec![POLLNVAL]));
        rw::sys_write(writer, FDS as u64, 1, 0, 0, 0);
        assert_eq!(poll_once(&[(read_fd, READABLE)], -1).1, [READABLE]);
        close(writer);
        assert_eq!(poll_once(&[(read_fd, 0)], -1).1, [POLLHUP]);
        close(reader);
        assert_eq!(result(sys_poll(8, 1, 0, 0, 0, 0)), Err(Errno::EFAULT));
        assert_eq!(result(sys_poll(FDS as u64, 1 << 30, 0, 0, 0, 0)), Err(Errno::EINVAL));
    });
}

#[test]
fn select_counts_bits() {
    kernel(|_| {
        let (reader, writer) = pipe();
        rw::sys_write(writer, FDS as u64, 1, 0, 0, 0);
        let both: u64 = 1 << reader | 1 << writer;
        copyout(&[both, both], FDS).unwrap();
        let ret = sys___select50(64, FDS as u64, FDS as u64 + 8, 0, 0, 0);
        assert_eq!(result(ret), Ok(2));
        assert_eq!(copyin::<[u64; 2]>(FDS), Ok([1 << reader, 1 << writer]));
        close(writer);
        copyout(&both, FDS).unwrap();
        assert_eq!(result(sys___select50(64, FDS as u64, 0, 0, 0, 0)), Err(Errno::EBADF));
        copyout(&[0_u64, 2_000_000], LIMIT).unwrap();
        assert_eq!(result(sys___select50(0, 0, 0, 0, LIMIT as u64, 0)), Err(Errno::EINVAL));
        assert_eq!(result(sys___select50(u64::MAX, 0, 0, 0, 0, 0)), Err(Errno::EINVAL));
        copyout(&[0_u64, 1000], LIMIT).unwrap();
        assert_eq!(result(sys___select50(1 << 30, 0, 0, 0, LIMIT as u64, 0)), Ok(0));
        close(reader);
    });
}

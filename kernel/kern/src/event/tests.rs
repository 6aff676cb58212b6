use alloc::vec::Vec;

use rump_abi::types::Kevent;
use rump_hypercall::thread;

use super::*;
use crate::copy::{bytes_of, copyin, copyout};
use crate::filedesc::{dup, rw};
use crate::pipe::sys_pipe;
use crate::testing::{SCRATCH, kernel};
use crate::{Errno, Ret};

const CHANGE: usize = SCRATCH;
const EVENTS: usize = SCRATCH + 0x1000;
const DATA: usize = SCRATCH + 0x2000;
const LIMIT: usize = SCRATCH + 0x3000;

fn result(ret: Ret) -> Result<i64, Errno> {
    if ret.errno == 0 { Ok(ret.value) } else { Err(Errno(ret.errno)) }
}

fn pipe() -> (u64, u64) {
    let ret = sys_pipe(0, 0, 0, 0, 0, 0);
    assert_eq!(ret.errno, 0);
    (ret.value as u64, ret.value2 as u64)
}

fn change(kq: u64, ident: u64, filter: u32, flags: u32, fflags: u32, data: i64) -> Result<i64, Errno> {
    let event = Kevent { ident, filter, flags, fflags, data, udata: 77, ..Kevent::ZERO };
    copyout(&event, CHANGE).unwrap();
    result(calls::sys___kevent100(kq, CHANGE as u64, 1, 0, 0, 0))
}

/// The events that there are, waiting at most `limit_ms`.
fn events(kq: u64, limit_ms: i64) -> Vec<Kevent> {
    copyout(&[limit_ms / 1000, limit_ms % 1000 * 1_000_000], LIMIT).unwrap();
    let count = result(calls::sys___kevent100(kq, 0, 0, EVENTS as u64, 8, LIMIT as u64)).unwrap();
    (0..count as usize).map(|index| copyin(EVENTS + index * size_of::<Kevent>()).unwrap()).collect()
}

fn write(fd: u64, len: u64) {
    assert_eq!(result(rw::sys_write(fd, DATA as u64, len, 0, 0, 0)), Ok(len as i64));
}

fn read(fd: u64, len: u64) {
    assert_eq!(result(rw::sys_read(fd, DATA as u64, len, 0, 0, 0)), Ok(len as i64));
}

fn close(fd: u64) {
    result(dup::sys_close(fd, 0, 0, 0, 0, 0)).unwrap();
}

fn kqueue() -> u64 {
    result(calls::sys_kqueue(0, 0, 0, 0, 0, 0)).unwrap() as u64
}

#[test]
fn readiness_lasts_until_it_is_used_up() {
    kernel(|_| {
        let (kq, (reader, writer)) = (kqueue(), pipe());
        change(kq, reader, EVFILT_READ, EV_ADD, 0, 0).unwrap();
        assert!(events(kq, 0).is_empty());
        write(writer, 3);
        for _ in 0..2 {
            let seen = events(kq, 0);
            assert_eq!((seen.len(), seen[0].ident, seen[0].data, seen[0].udata), (1, reader, 3, 77));
        }
        read(reader, 3);
        assert!(events(kq, 0).is_empty());
        close(writer);
        assert_eq!(events(kq, 0)[0].flags & EV_EOF, EV_EOF);
        close(reader);
        assert!(events(kq, 0).is_empty(), "the knote went with its descriptor");
        close(kq);
    });
}

#[test]
fn clear_oneshot_dispatch() {
    kernel(|_| {
        let (kq, (reader, writer)) = (kqueue(), pipe());
        change(kq, reader, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0).unwrap();
        write(writer, 1);
        assert_eq!((events(kq, 0).len(), events(kq, 0).len()), (1, 0));
        write(writer, 1);
        assert_eq!((events(kq, 0).len(), events(kq, 0).len()), (1, 0));
        change(kq, reader, EVFILT_READ, EV_DELETE, 0, 0).unwrap();
        assert_eq!(change(kq, reader, EVFILT_READ, EV_DELETE, 0, 0), Err(Errno::ENOENT));

        change(kq, reader, EVFILT_READ, EV_ADD | EV_ONESHOT, 0, 0).unwrap();
        assert_eq!((events(kq, 0).len(), events(kq, 0).len()), (1, 0));
        assert_eq!(change(kq, reader, EVFILT_READ, EV_ENABLE, 0, 0), Err(Errno::ENOENT));

        change(kq, reader, EVFILT_READ, EV_ADD | EV_DISPATCH, 0, 0).unwrap();
        assert_eq!((events(kq, 0).len(), events(kq, 0).len()), (1, 0));
        change(kq, reader, EVFILT_READ, EV_ENABLE, 0, 0).unwrap();
        assert_eq!(events(kq, 0).len(), 1);
        change(kq, writer, EVFILT_WRITE, EV_ADD | EV_DISABLE, 0, 0).unwrap();
        assert!(events(kq, 0).is_empty());
        [reader, writer, kq].into_iter().for_each(close);
    });
}

#[test]
fn both_ends_of_a_pipe_take_both_filters() {
    kernel(|_| {
        for writer_goes_first in [true, false] {
            let (kq, (reader, writer)) = (kqueue(), pipe());
            for fd in [reader, writer] {
                change(kq, fd, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0).unwrap();
                change(kq, fd, EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, 0).unwrap();
            }
            let seen = |kq| events(kq, 0).iter().map(|event| (event.ident, event.filter)).collect::<Vec<_>>();
            assert_eq!(seen(kq), [(writer, EVFILT_WRITE)]);
            write(writer, 1);
            assert_eq!(seen(kq), [(reader, EVFILT_READ)]);
            let (first, second) = if writer_goes_first { (writer, reader) } else { (reader, writer) };
            close(first);
            let mut ends = seen(kq);
            ends.sort_unstable();
            assert_eq!(ends, [(second, EVFILT_READ), (second, EVFILT_WRITE)]);
            [second, kq].into_iter().for_each(close);
        }
    });
}

#[test]
fn errors_are_events_where_there_is_room() {
    kernel(|_| {
        let kq = kqueue();
        assert_eq!(change(kq, 99, EVFILT_READ, EV_ADD, 0, 0), Err(Errno::EBADF));
        assert_eq!(change(kq, 0, 77, EV_ADD, 0, 0), Err(Errno::EINVAL));
        assert_eq!(change(kq, kq, EVFILT_READ, EV_ADD, 0, 0), Err(Errno::EINVAL));
        let event = Kevent { ident: 99, filter: EVFILT_READ, flags: EV_ADD, ..Kevent::ZERO };
        copyout(&event, CHANGE).unwrap();
        let ret = calls::sys___kevent100(kq, CHANGE as u64, 1, EVENTS as u64, 1, 0);
        assert_eq!(result(ret), Ok(1));
        let seen: Kevent = copyin(EVENTS).unwrap();
        assert_eq!((seen.flags, seen.data), (EV_ERROR, i64::from(Errno::EBADF.0)));
        let wild = [(8, 1, 0, 0), (0, 0, 8, 1), (u64::MAX - 7, 2, 0, 0), (CHANGE as u64, u64::MAX, 0, 0)];
        for (changes, nchanges, out, nevents) in wild {
            change(kq, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0).unwrap();
            let ret = calls::sys___kevent100(kq, changes, nchanges, out, nevents, 0);
            assert!(matches!(result(ret), Err(Errno::EFAULT | Errno::EINVAL)), "{ret:?}");
        }
        close(kq);
    });
}

#[test]
fn user_events() {
    kernel(|_| {
        let kq = kqueue();
        change(kq, 5, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_FFCOPY | 3, 0).unwrap();
        assert!(events(kq, 0).is_empty());
        change(kq, 5, EVFILT_USER, 0, NOTE_TRIGGER | NOTE_FFOR | 4, 9).unwrap();
        let seen = events(kq, 0);
        assert_eq!((seen.len(), seen[0].fflags, seen[0].data), (1, 7, 9));
        assert!(events(kq, 0).is_empty());
        close(kq);
    });
}

#[test]
fn timers() {
    kernel(|_| {
        let kq = kqueue();
        change(kq, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 5).unwrap();
        let seen = events(kq, 1000);
        assert_eq!((seen.len(), seen[0].data), (1, 1));
        assert!(events(kq, 10).is_empty());
        change(kq, 2, EVFILT_TIMER, EV_ADD, NOTE_USECONDS, 1000).unwrap();
        assert!(events(kq, 1000)[0].data >= 1);
        assert!(events(kq, 1000)[0].data >= 1);
        assert_eq!(change(kq, 3, EVFILT_TIMER, EV_ADD, 0, -1), Err(Errno::EINVAL));
        close(kq);
    });
}

#[test]
fn signals_count() {
    kernel(|lwp| {
        let kq = kqueue();
        change(kq, 20, EVFILT_SIGNAL, EV_ADD, 0, 0).unwrap();
        // SIGCHLD, which is ignored: it is counted all the same.
        crate::signal::psignal(lwp.proc, 20);
        crate::signal::psignal(lwp.proc, 20);
        crate::signal::lwp_signal(lwp, crate::signal::KsigInfo::empty(20)).unwrap();
        let seen = events(kq, 0);
        assert_eq!((seen.len(), seen[0].ident, seen[0].data), (1, 20, 3));
        assert!(events(kq, 0).is_empty());
        close(kq);
    });
}

#[test]
fn a_kqueue_is_a_file_that_can_be_watched() {
    kernel(|_| {
        let (inner, outer, (reader, writer)) = (kqueue(), kqueue(), pipe());
        change(inner, reader, EVFILT_READ, EV_ADD, 0, 0).unwrap();
        change(outer, inner, EVFILT_READ, EV_ADD, 0, 0).unwrap();
        assert!(events(outer, 0).is_empty());
        write(writer, 1);
        assert_eq!(events(outer, 0)[0].ident, inner);
        read(reader, 1);
        assert!(events(inner, 0).is_empty());
        assert!(events(outer, 0).is_empty());
        [inner, outer, reader, writer].into_iter().for_each(close);
    });
}

#[test]
fn the_old_structure_is_shorter() {
    kernel(|_| {
        let kq = kqueue();
        let event =
            Kevent { ident: 1, filter: EVFILT_USER, flags: EV_ADD, fflags: NOTE_TRIGGER, ..Kevent::ZERO };
        crate::copy::copyout_bytes(&bytes_of(&event)[..40], CHANGE).unwrap();
        let ret = calls::sys_compat_100___kevent50(kq, CHANGE as u64, 1, EVENTS as u64, 1, 0);
        assert_eq!(result(ret), Ok(1));
        assert_eq!(copyin::<u64>(EVENTS), Ok(1));
        close(kq);
    });
}

#[test]
fn who_waits_is_woken() {
    static WRITER: rump_hypercall::Giant<Option<crate::file::FileRef>> = rump_hypercall::Giant::new(None);
    fn write_one(_: usize) -> ! {
        // A thread of the kernel's own: what it closes wakes the reader.
        let file = WRITER.borrow_mut().take();
        drop(file);
        thread::exit()
    }
    kernel(|lwp| {
        let (kq, (reader, writer)) = (kqueue(), pipe());
        change(kq, reader, EVFILT_READ, EV_ADD, 0, 0).unwrap();
        *WRITER.borrow_mut() = Some(lwp.proc.fd.get(writer as i32).unwrap());
        close(writer);
        thread::create(write_one, 0).unwrap();
        let seen = events(kq, 5000);
        assert_eq!((seen.len(), seen[0].flags & EV_EOF), (1, EV_EOF));
        [reader, kq].into_iter().for_each(close);
    });
}

#[test]
fn a_long_chain_of_queues_takes_no_deep_stack() {
    kernel(|_| {
        let queues: Vec<u64> = (0..1000).map(|_| kqueue()).collect();
        for pair in queues.windows(2) {
            change(pair[1], pair[0], EVFILT_READ, EV_ADD, 0, 0).unwrap();
        }
        let &[first, .., last] = &queues[..] else { unreachable!() };
        assert!(events(last, 0).is_empty());
        change(first, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0).unwrap();
        assert_eq!(events(last, 0).len(), 1);
        for kq in queues {
            close(kq);
        }
    });
}

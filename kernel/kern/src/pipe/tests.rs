use alloc::vec::Vec;

use rump_hypercall::{Giant, thread};

use super::*;
use crate::Ret;
use crate::copy::{copyin, copyin_bytes, copyout_bytes};
use crate::filedesc::{dup, fcntl, rw};
use crate::ioctl::sys_ioctl;
use crate::testing::{SCRATCH, kernel};

const DATA: usize = SCRATCH;

fn result(ret: Ret) -> Result<i64, Errno> {
    if ret.errno == 0 { Ok(ret.value) } else { Err(Errno(ret.errno)) }
}

fn two(flags: i32) -> (u64, u64) {
    let (reader, writer) = make(flags).unwrap();
    (reader as u64, writer as u64)
}

fn write(fd: u64, len: usize) -> Result<i64, Errno> {
    result(rw::sys_write(fd, DATA as u64, len as u64, 0, 0, 0))
}

fn read(fd: u64, len: usize) -> Result<i64, Errno> {
    result(rw::sys_read(fd, DATA as u64, len as u64, 0, 0, 0))
}

fn close(fd: u64) {
    result(dup::sys_close(fd, 0, 0, 0, 0, 0)).unwrap();
}

#[test]
fn bytes_come_out_in_order() {
    kernel(|_| {
        let (reader, writer) = two(flag::FNONBLOCK as i32);
        let mut sent: u8 = 0;
        let mut received: u8 = 0;
        for round in 0..200_usize {
            let len = 1 + round * 37 % 4000;
            let bytes: Vec<u8> = (0..len).map(|index| sent.wrapping_add(index as u8)).collect();
            copyout_bytes(&bytes, DATA).unwrap();
            sent = sent.wrapping_add(write(writer, len).unwrap_or(0) as u8);
            let taken = read(reader, 1 + round * 53 % 3900).unwrap() as usize;
            let mut got = alloc::vec![0; taken];
            copyin_bytes(DATA, &mut got).unwrap();
            for byte in got {
                assert_eq!(byte, received);
                received = received.wrapping_add(1);
            }
        }
        [reader, writer].into_iter().for_each(close);
    });
}

#[test]
fn short_writes_are_whole_or_not_there() {
    kernel(|_| {
        let (reader, writer) = two(flag::FNONBLOCK as i32);
        assert_eq!(read(reader, 1), Err(Errno::EAGAIN));
        assert_eq!(write(writer, 0x8000), Ok(0x8000));
        assert_eq!(write(writer, 0x8000 - 100), Ok(0x8000 - 100));
        assert_eq!(write(writer, 200), Err(Errno::EAGAIN));
        // A long one goes as far as there is room.
        assert_eq!(write(writer, 1000), Ok(100));
        assert_eq!(result(sys_ioctl(reader, FIONREAD, DATA as u64 + 8, 0, 0, 0)), Ok(0));
        assert_eq!(copyin::<u32>(DATA + 8), Ok(65536));
        assert_eq!(read(reader, 0x8000), Ok(0x8000));
        assert_eq!(read(reader, 0x8000), Ok(0x8000));
        assert_eq!(write(writer, PIPE_BUF), Ok(PIPE_BUF as i64));
        // Half of it is not the application's memory: nothing stays.
        read(reader, PIPE_BUF).unwrap();
        let ret = rw::sys_write(writer, SCRATCH as u64 + 0x1_0000 - 100, 200, 0, 0, 0);
        assert_eq!(result(ret), Err(Errno::EFAULT));
        assert_eq!(read(reader, 1), Err(Errno::EAGAIN));
        [reader, writer].into_iter().for_each(close);
    });
}

#[test]
fn the_other_side_is_gone() {
    kernel(|lwp| {
        let (reader, writer) = two(flag::FNOSIGPIPE as i32);
        write(writer, 3).unwrap();
        close(writer);
        assert_eq!((read(reader, 10), read(reader, 10)), (Ok(3), Ok(0)));
        close(reader);
        let (reader, writer) = two(flag::FNOSIGPIPE as i32);
        close(reader);
        assert_eq!(write(writer, 1), Err(Errno::EPIPE));
        assert!(lwp.interruption().is_none(), "no signal was asked for");
        assert_eq!(result(fcntl::sys_fcntl(writer, 14, 0, 0, 0, 0)), Ok(0));
        assert_eq!(write(writer, 1), Err(Errno::EPIPE));
        assert!(lwp.interruption().is_some());
        crate::signal::post::discard(lwp.proc, crate::signal::SigSet(u64::MAX));
        close(writer);
    });
}

#[test]
fn a_long_write_waits_for_the_reader() {
    static PIPE: Giant<Option<FileRef>> = Giant::new(None);
    static TAKEN: Giant<usize> = Giant::new(0);
    const TOTAL: usize = 200_000;
    fn drain(_: usize) -> ! {
        let Some(file) = PIPE.borrow_mut().take() else { thread::exit() };
        while TAKEN.get() < TOTAL {
            let mut uio = Uio::new(DATA + 0x8000, 0x4000).unwrap();
            if file.ops.read(&file.head, &mut uio) == Err(Errno::EWOULDBLOCK) {
                thread::yield_now();
            }
            TAKEN.set(TAKEN.get() + 0x4000 - uio.resid());
        }
        drop(file);
        thread::exit()
    }
    kernel(|_| {
        TAKEN.set(0);
        let (reader, writer) = ends(0);
        reader.head.flags.set(reader.head.flags.get() | flag::FNONBLOCK);
        *PIPE.borrow_mut() = Some(reader);
        thread::create(drain, 0).unwrap();
        let mut left = TOTAL;
        while left > 0 {
            let len = left.min(0x8000);
            let mut uio = Uio::new(DATA, len).unwrap();
            writer.ops.write(&writer.head, &mut uio).unwrap();
            left -= len;
        }
        while TAKEN.get() < TOTAL {
            thread::yield_now();
        }
    });
}

#[test]
fn wild_arguments() {
    kernel(|lwp| {
        let before = lwp.proc.fd.count();
        assert_eq!(result(sys_pipe2(8, 0, 0, 0, 0, 0)), Err(Errno::EFAULT));
        assert_eq!(result(sys_pipe2(DATA as u64, 0x4000_0000, 0, 0, 0, 0)), Err(Errno::EINVAL));
        assert_eq!(lwp.proc.fd.count(), before);
        let (reader, writer) = two(0);
        assert_eq!(write(writer, usize::MAX), Err(Errno::EINVAL));
        for (count, addr, expected) in [
            (0, DATA as u64, Errno::EINVAL),
            (u64::MAX, DATA as u64, Errno::EINVAL),
            (1 << 31, DATA as u64, Errno::EINVAL),
            (3, 8, Errno::EFAULT),
            (1000, u64::MAX - 100, Errno::EFAULT),
        ] {
            assert_eq!(result(rw::sys_writev(writer, addr, count, 0, 0, 0)), Err(expected));
        }
        assert_eq!(result(rw::sys_pread(reader, DATA as u64, 1, 0, 0, 0)), Err(Errno::ESPIPE));
        assert_eq!(result(rw::sys_lseek(reader, 0, 0, 0, 0, 0)), Err(Errno::ESPIPE));
        [reader, writer].into_iter().for_each(close);
    });
}

//! Sockets through the system calls, as a program sees them.

extern crate std;

use alloc::vec;
use alloc::vec::Vec;
use std::sync::Mutex;

use rump_abi::ioctl::{FIONREAD, FIONWRITE};
use rump_abi::socket::*;
use rump_abi::types::{Cmsghdr, Kevent, Mmsghdr, Msghdr, Pollfd};
use rump_hypercall::memory::{self, PAGE_SIZE, Prot};
use rump_hypercall::{Giant, thread, upcall, user};
use rump_kern::copy::{bytes_of, copyin, copyout};
use rump_kern::errno::Errno;
use rump_kern::event::calls::{sys___kevent100, sys_kqueue1};
use rump_kern::event::{EV_ADD, EV_CLEAR, EV_EOF, EVFILT_READ, EVFILT_WRITE};
use rump_kern::filedesc::{attr, dup, fcntl, rw};
use rump_kern::ioctl::sys_ioctl;
use rump_kern::select::sys_poll;
use rump_kern::signal::{SigSet, post};
use rump_kern::{Ret, curlwp, curproc, pipe, proc};
use rump_net::calls::{accept, message, multi, name, open, option};
use rump_net::rights;

/// Where the tests' application memory is.
const USER: usize = 0x31_0000_0000;
const USER_PAGES: usize = 64;
const NAME: usize = USER;
const LEN: usize = USER + 0x200;
const WORDS: usize = USER + 0x400;
const HEADER: usize = USER + 0x800;
const IOV: usize = USER + 0xa00;
const CONTROL: usize = USER + 0x1000;
const CONTROL_LEN: usize = 0x800;
const DATA: usize = USER + 0x2000;
const BAD: u64 = 8;

const NONBLOCK: i32 = SOCK_NONBLOCK;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

static UPCALLS: upcall::Upcalls = upcall::Upcalls {
    fault: |_, _| false,
    trap: |_, _| {},
    ast: |_| {},
    syscall: rump_kern::syscall::syscall,
    console_input: || {},
    shutdown: || {},
};

/// Runs `body` as the program's first LWP, with an empty directory as working directory, and looks that nothing stays open.
fn program(body: impl FnOnce() + Send) {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    rumpbake_posix::run(move || {
        upcall::register(&UPCALLS);
        let proc = proc::init();
        proc.lwps.alloc(proc).unwrap().attach();
        for page in 0..USER_PAGES {
            let va = USER + page * PAGE_SIZE;
            if memory::pmap_extract(va).is_none() {
                memory::pmap_enter(va, memory::page_alloc().unwrap(), Prot::READ | Prot::WRITE).unwrap();
            }
        }
        super::init();
        if rump_vfs::mount::root().is_none() {
            (rump_tmpfs::COMPONENT.init)();
        }
        static COUNT: Giant<u32> = Giant::new(0);
        COUNT.set(COUNT.get() + 1);
        let dir = alloc::format!("/tmp/{}\0", COUNT.get());
        user::copyout(dir.as_bytes(), DATA).unwrap();
        ok(rump_vfs::calls::dirs::sys_mkdir(DATA as u64, 0o755, 0, 0, 0, 0));
        ok(rump_vfs::calls::dirs::sys_chdir(DATA as u64, 0, 0, 0, 0, 0));
        let (open, flying) = (proc.fd.count(), rights::in_flight());
        let pages = rump_hypercall::net::pool_counts();
        let used = |counts: rump_hypercall::net::PoolCounts| {
            2 * (counts.pages - counts.free_pages) - counts.free_halves
        };
        body();
        assert_eq!((proc.fd.count(), rights::in_flight()), (open, flying), "descriptors that stay");
        assert_eq!(used(rump_hypercall::net::pool_counts()), used(pages), "clusters that stay");
    });
}

fn result(ret: Ret) -> Result<i64, Errno> {
    if ret.errno == 0 { Ok(ret.value) } else { Err(Errno(ret.errno)) }
}

#[track_caller]
fn ok(ret: Ret) -> u64 {
    result(ret).unwrap() as u64
}

fn word(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}

fn socket(kind: i32) -> u64 {
    ok(open::sys___socket30(1, word(kind), 0, 0, 0, 0))
}

fn pair(kind: i32) -> (u64, u64) {
    ok(open::sys_socketpair(1, word(kind), 0, WORDS as u64, 0, 0));
    let [a, b]: [i32; 2] = copyin(WORDS).unwrap();
    (word(a), word(b))
}

fn close(fd: u64) {
    ok(dup::sys_close(fd, 0, 0, 0, 0, 0));
}

fn close_all<const N: usize>(fds: [u64; N]) {
    fds.into_iter().for_each(close);
}

/// Puts an address with this path; returns its length.
fn address(path: &str) -> u64 {
    let mut bytes = vec![0, 1];
    bytes.extend_from_slice(path.as_bytes());
    bytes[0] = bytes.len() as u8;
    user::copyout(&bytes, NAME).unwrap();
    bytes.len() as u64
}

fn bind(fd: u64, path: &str) -> Result<i64, Errno> {
    let len = address(path);
    result(name::sys_bind(fd, NAME as u64, len, 0, 0, 0))
}

fn connect(fd: u64, path: &str) -> Result<i64, Errno> {
    let len = address(path);
    result(name::sys_connect(fd, NAME as u64, len, 0, 0, 0))
}

fn listener(path: &str, backlog: u64) -> u64 {
    let fd = socket(SOCK_STREAM | NONBLOCK);
    bind(fd, path).unwrap();
    ok(open::sys_listen(fd, backlog, 0, 0, 0, 0));
    fd
}

fn accept_one(fd: u64) -> Result<i64, Errno> {
    result(accept::sys_accept(fd, 0, 0, 0, 0, 0))
}

fn send(fd: u64, bytes: &[u8], flags: i32) -> Result<i64, Errno> {
    user::copyout(bytes, DATA).unwrap();
    result(message::sys_sendto(fd, DATA as u64, bytes.len() as u64, word(flags), 0, 0))
}

fn receive(fd: u64, room: usize, flags: i32) -> Result<Vec<u8>, Errno> {
    let count = result(message::sys_recvfrom(fd, DATA as u64, room as u64, word(flags), 0, 0))?;
    let mut bytes = vec![0; count as usize];
    user::copyin(DATA, &mut bytes).unwrap();
    Ok(bytes)
}

/// The address that a call wrote to `NAME`: its bytes.
fn named(call: extern "C" fn(u64, u64, u64, u64, u64, u64) -> Ret, fd: u64) -> Result<Vec<u8>, Errno> {
    copyout(&128_u32, LEN).unwrap();
    result(call(fd, NAME as u64, LEN as u64, 0, 0, 0))?;
    let mut bytes = vec![0; copyin::<u32>(LEN).unwrap() as usize];
    user::copyin(NAME, &mut bytes).unwrap();
    Ok(bytes)
}

/// An address of this path as it is stored.
fn stored(path: &str) -> Vec<u8> {
    let mut bytes = vec![path.len() as u8 + 2, 1];
    bytes.extend_from_slice(path.as_bytes());
    bytes
}

/// sendmsg(2) of one byte, or as many as given, with these descriptors.
fn send_fds(fd: u64, bytes: &[u8], fds: &[u64]) -> Result<i64, Errno> {
    let mut control = Vec::new();
    let header =
        Cmsghdr { cmsg_len: 16 + 4 * fds.len() as u32, cmsg_level: SOL_SOCKET, cmsg_type: SCM_RIGHTS };
    control.extend_from_slice(bytes_of(&header));
    control.resize(16, 0);
    fds.iter().for_each(|&fd| control.extend_from_slice(&(fd as i32).to_le_bytes()));
    user::copyout(&control, CONTROL).unwrap();
    user::copyout(bytes, DATA).unwrap();
    copyout(&[DATA, bytes.len()], IOV).unwrap();
    let message = Msghdr {
        msg_iov: IOV,
        msg_iovlen: 1,
        msg_control: CONTROL,
        msg_controllen: control.len() as u32,
        ..Msghdr::ZERO
    };
    copyout(&message, HEADER).unwrap();
    result(message::sys_sendmsg(fd, HEADER as u64, 0, 0, 0, 0))
}

/// recvmsg(2): the data, the control messages' bytes, and `msg_flags`.
fn receive_message(
    fd: u64,
    room: usize,
    control: usize,
    flags: i32,
) -> Result<(Vec<u8>, Vec<u8>, i32), Errno> {
    copyout(&[DATA, room], IOV).unwrap();
    let message = Msghdr {
        msg_iov: IOV,
        msg_iovlen: 1,
        msg_control: CONTROL,
        msg_controllen: control as u32,
        ..Msghdr::ZERO
    };
    copyout(&message, HEADER).unwrap();
    let count = result(message::sys_recvmsg(fd, HEADER as u64, word(flags), 0, 0, 0))?;
    let message: Msghdr = copyin(HEADER).unwrap();
    let mut bytes = vec![0; count as usize];
    user::copyin(DATA, &mut bytes).unwrap();
    let mut control = vec![0; message.msg_controllen as usize];
    user::copyin(CONTROL, &mut control).unwrap();
    Ok((bytes, control, message.msg_flags))
}

/// The words of a control message after its header.
fn words(control: &[u8]) -> Vec<u64> {
    let len = u32::from_le_bytes(control[..4].try_into().unwrap()) as usize;
    control[16..len].as_chunks::<4>().0.iter().map(|&four| u64::from(u32::from_le_bytes(four))).collect()
}

fn poll(fd: u64, events: i16) -> i16 {
    copyout(&Pollfd { fd: fd as i32, events, revents: 0 }, WORDS).unwrap();
    ok(sys_poll(WORDS as u64, 1, 0, 0, 0, 0));
    copyin::<Pollfd>(WORDS).unwrap().revents
}

fn set_option(fd: u64, level: i32, name: i32, value: &[u8]) -> Result<i64, Errno> {
    user::copyout(value, WORDS).unwrap();
    result(option::sys_setsockopt(fd, word(level), word(name), WORDS as u64, value.len() as u64, 0))
}

fn option(fd: u64, level: i32, name: i32) -> Result<i32, Errno> {
    copyout(&4_u32, LEN).unwrap();
    result(option::sys_getsockopt(fd, word(level), word(name), WORDS as u64, LEN as u64, 0))?;
    copyin(WORDS)
}

const POLLIN: i16 = 1;
const POLLOUT: i16 = 4;

#[test]
fn a_stream_carries_bytes_both_ways() {
    program(|| {
        let (a, b) = pair(SOCK_STREAM | NONBLOCK);
        assert_eq!(receive(a, 10, 0), Err(Errno::EAGAIN));
        assert_eq!((poll(a, POLLIN | POLLOUT), send(a, b"hello", 0)), (POLLOUT, Ok(5)));
        assert_eq!(send(b, b"back", 0), Ok(4));
        assert_eq!(send(a, b" you", 0), Ok(4));
        assert_eq!(
            (poll(b, POLLIN | POLLOUT), receive(b, 7, MSG_PEEK)),
            (POLLIN | POLLOUT, Ok(b"hello y".to_vec()))
        );
        ok(sys_ioctl(b, FIONREAD, WORDS as u64, 0, 0, 0));
        assert_eq!(copyin::<i32>(WORDS), Ok(9));
        assert_eq!((receive(b, 6, 0), receive(b, 99, 0)), (Ok(b"hello ".to_vec()), Ok(b"you".to_vec())));
        assert_eq!((receive(a, 99, 0), receive(b, 99, 0)), (Ok(b"back".to_vec()), Err(Errno::EAGAIN)));
        assert_eq!(receive(b, 0, 0), Ok(vec![]));
        ok(sys_ioctl(b, FIONWRITE, WORDS as u64, 0, 0, 0));
        close(a);
        assert_eq!((poll(b, POLLIN), receive(b, 1, 0)), (POLLIN, Ok(vec![])));
        close(b);
    });
}

#[test]
fn much_data_in_odd_pieces() {
    program(|| {
        let (a, b) = pair(SOCK_STREAM | NONBLOCK);
        let (mut sent, mut received) = (0_usize, 0_usize);
        let mut full = 0;
        for round in 0..2000_usize {
            let len = 1 + round * 7919 % 20_000;
            let bytes: Vec<u8> = (0..len).map(|index| ((sent + index) % 251) as u8).collect();
            match send(a, &bytes, 0) {
                Ok(count) => sent += count as usize,
                Err(errno) => {
                    assert_eq!(errno, Errno::EAGAIN);
                    assert!(sent - received > 60_000);
                    full += 1;
                }
            }
            if let Ok(bytes) = receive(b, 1 + round * 104_729 % 18_000, 0) {
                for byte in bytes {
                    assert_eq!(usize::from(byte), received % 251);
                    received += 1;
                }
            }
        }
        assert!(full > 0 && received > 1 << 20);
        close_all([a, b]);
    });
}

#[test]
fn the_other_side_is_gone() {
    program(|| {
        let (a, b) = pair(SOCK_STREAM);
        send(a, b"last", 0).unwrap();
        close(a);
        assert_eq!(send(b, b"x", MSG_NOSIGNAL), Err(Errno::EPIPE));
        assert!(curlwp().interruption().is_none());
        assert_eq!(send(b, b"x", 0), Err(Errno::EPIPE));
        assert!(curlwp().interruption().is_some(), "SIGPIPE");
        post::discard(curproc(), SigSet(u64::MAX));
        set_option(b, SOL_SOCKET, SO_NOSIGPIPE, &1_i32.to_le_bytes()).unwrap();
        assert_eq!(result(rw::sys_write(b, DATA as u64, 1, 0, 0, 0)), Err(Errno::EPIPE));
        assert!(curlwp().interruption().is_none());
        assert_eq!((receive(b, 9, 0), receive(b, 9, 0)), (Ok(b"last".to_vec()), Ok(vec![])));
        assert_eq!(named(name::sys_getpeername, b), Err(Errno::ENOTCONN));
        close(b);
    });
}

#[test]
fn half_closed() {
    program(|| {
        let (a, b) = pair(SOCK_STREAM | NONBLOCK);
        send(a, b"request", 0).unwrap();
        ok(open::sys_shutdown(a, 1, 0, 0, 0, 0));
        assert_eq!(send(a, b"x", MSG_NOSIGNAL), Err(Errno::EPIPE));
        assert_eq!((receive(b, 99, 0), receive(b, 99, 0)), (Ok(b"request".to_vec()), Ok(vec![])));
        assert_eq!((send(b, b"answer", 0), receive(a, 99, 0)), (Ok(6), Ok(b"answer".to_vec())));
        ok(open::sys_shutdown(a, 0, 0, 0, 0, 0));
        assert_eq!((receive(a, 9, 0), send(b, b"x", MSG_NOSIGNAL)), (Ok(vec![]), Err(Errno::EPIPE)));
        assert_eq!(result(open::sys_shutdown(a, 3, 0, 0, 0, 0)), Err(Errno::EINVAL));
        let lone = socket(SOCK_STREAM);
        assert_eq!(result(open::sys_shutdown(lone, 2, 0, 0, 0, 0)), Err(Errno::ENOTCONN));
        assert_eq!(
            (send(lone, b"x", MSG_NOSIGNAL), receive(lone, 1, 0)),
            (Err(Errno::ENOTCONN), Err(Errno::ENOTCONN))
        );
        close_all([a, b, lone]);
    });
}

#[test]
fn records_stay_apart() {
    program(|| {
        for kind in [SOCK_DGRAM, SOCK_SEQPACKET] {
            let (a, b) = pair(kind | NONBLOCK);
            for bytes in [&b"one"[..], b"", b"three", &[7; 5000], b"x"] {
                assert_eq!(send(a, bytes, 0), Ok(bytes.len() as i64));
            }
            assert_eq!((poll(b, POLLIN), receive(b, 9, MSG_PEEK)), (POLLIN, Ok(b"one".to_vec())));
            assert_eq!((receive(b, 9, 0), poll(b, POLLIN)), (Ok(b"one".to_vec()), POLLIN));
            assert_eq!(receive(b, 9, 0), Ok(vec![]));
            let (bytes, _, flags) = receive_message(b, 2, 0, 0).unwrap();
            assert_eq!((&bytes[..], flags & MSG_TRUNC), (&b"th"[..], MSG_TRUNC));
            assert_eq!((receive(b, 8000, 0), receive(b, 9, 0)), (Ok(vec![7; 5000]), Ok(b"x".to_vec())));
            assert_eq!(receive(b, 9, 0), Err(Errno::EAGAIN));
            assert_eq!(send(a, &vec![0; 70_000], 0), Err(Errno::EMSGSIZE));
            // Very many small ones: the buffer says no at last, and takes more when it was emptied.
            let mut count = 0;
            let refusal = loop {
                match send(a, &[count as u8], 0) {
                    Ok(_) => count += 1,
                    Err(errno) => break errno,
                }
            };
            assert!(count > 500 && rump_hypercall::net::pool_counts().pages < 100, "{count}");
            assert_eq!(refusal, if kind == SOCK_DGRAM { Errno::ENOBUFS } else { Errno::EAGAIN });
            for index in 0..count {
                assert_eq!(receive(b, 9, 0), Ok(vec![index as u8]));
            }
            assert_eq!((send(a, b"again", 0), receive(b, 9, 0)), (Ok(5), Ok(b"again".to_vec())));
            close_all([a, b]);
        }
    });
}

#[test]
fn names_in_the_file_system() {
    program(|| {
        let server = listener("sock", 5);
        let second = socket(SOCK_STREAM);
        assert_eq!(bind(second, "sock"), Err(Errno::EADDRINUSE));
        assert_eq!(bind(second, "none/sock"), Err(Errno::ENOENT));
        assert_eq!(bind(server, "other"), Err(Errno::EINVAL));
        assert_eq!(connect(second, "missing"), Err(Errno::ENOENT));
        assert_eq!(connect(second, "/tmp"), Err(Errno::ENOTSOCK));
        assert_eq!(named(name::sys_getsockname, server), Ok(stored("sock")));
        assert_eq!(named(name::sys_getsockname, second), Ok(stored("")));
        assert_eq!(accept_one(server), Err(Errno::EAGAIN));
        assert_eq!((connect(second, "sock"), poll(server, POLLIN)), (Ok(0), POLLIN));
        assert_eq!(connect(second, "sock"), Err(Errno::EISCONN));
        assert_eq!(named(name::sys_getpeername, second), Ok(stored("sock")));
        let served = named(accept::sys_accept, server);
        assert_eq!(served, Ok(stored("")));
        let served = second + 1;
        assert_eq!(named(name::sys_getsockname, served), Ok(stored("sock")));
        assert_eq!((send(second, b"hi", 0), receive(served, 9, 0)), (Ok(2), Ok(b"hi".to_vec())));
        let datagram = socket(SOCK_DGRAM);
        assert_eq!(connect(datagram, "sock"), Err(Errno::EPROTOTYPE));
        close(server);
        // The name stays behind.
        let third = socket(SOCK_STREAM);
        assert_eq!(connect(third, "sock"), Err(Errno::ECONNREFUSED));
        assert_eq!(bind(third, "sock"), Err(Errno::EADDRINUSE));
        close_all([second, served, datagram, third]);
    });
}

#[test]
fn a_queue_of_connections() {
    program(|| {
        let server = listener("q", 2);
        assert_eq!(option(server, SOL_SOCKET, SO_ACCEPTCONN), Ok(1));
        let clients: Vec<u64> = (0..4).map(|_| socket(SOCK_STREAM | NONBLOCK)).collect();
        for &client in &clients {
            assert_eq!(connect(client, "q"), Ok(0));
        }
        let refused = socket(SOCK_STREAM);
        assert_eq!(connect(refused, "q"), Err(Errno::ECONNREFUSED));
        send(clients[0], b"early", 0).unwrap();
        let served = accept_one(server).unwrap() as u64;
        assert_eq!(receive(served, 9, 0), Ok(b"early".to_vec()));
        assert_eq!(connect(refused, "q"), Ok(0));
        // One that hung up before it was accepted is still there to be seen.
        close(clients[1]);
        let gone = accept_one(server).unwrap() as u64;
        assert_eq!(receive(gone, 9, 0), Ok(vec![]));
        // Nobody accepts the others any more.
        close(server);
        assert_eq!(option(clients[2], SOL_SOCKET, SO_ERROR), Ok(Errno::ECONNRESET.0));
        assert_eq!(receive(clients[2], 9, 0), Ok(vec![]));
        close_all([clients[0], clients[2], clients[3], served, gone, refused]);
        let unbound = socket(SOCK_STREAM);
        assert_eq!(result(open::sys_listen(unbound, 1, 0, 0, 0, 0)), Err(Errno::EINVAL));
        assert_eq!(accept_one(unbound), Err(Errno::EINVAL));
        let datagram = socket(SOCK_DGRAM);
        assert_eq!(result(open::sys_listen(datagram, 1, 0, 0, 0, 0)), Err(Errno::EOPNOTSUPP));
        assert_eq!(accept_one(datagram), Err(Errno::EOPNOTSUPP));
        close_all([unbound, datagram]);
    });
}

#[test]
fn datagrams_by_name() {
    program(|| {
        let (a, b) = (socket(SOCK_DGRAM | NONBLOCK), socket(SOCK_DGRAM | NONBLOCK));
        bind(a, "a").unwrap();
        let to = |fd: u64, path: &str| {
            user::copyout(b"data", DATA).unwrap();
            let len = address(path);
            result(message::sys_sendto(fd, DATA as u64, 4, 0, NAME as u64, len))
        };
        assert_eq!(
            (to(b, "a"), to(b, "none"), send(b, b"x", 0)),
            (Ok(4), Err(Errno::ENOENT), Err(Errno::EDESTADDRREQ))
        );
        let from = |fd: u64| {
            copyout(&100_u32, LEN).unwrap();
            let count = result(message::sys_recvfrom(fd, DATA as u64, 9, 0, NAME as u64, LEN as u64))?;
            let mut bytes = vec![0; copyin::<u32>(LEN)? as usize];
            user::copyin(NAME, &mut bytes).unwrap();
            Ok((count, bytes))
        };
        assert_eq!(from(a), Ok((4, stored(""))));
        bind(b, "b").unwrap();
        assert_eq!((connect(b, "a"), to(b, "a"), send(b, b"x", 0)), (Ok(0), Err(Errno::EISCONN), Ok(1)));
        assert_eq!((from(a), from(a)), (Ok((1, stored("b"))), Err(Errno::EAGAIN)));
        assert_eq!((to(a, "b"), from(b)), (Ok(4), Ok((4, stored("a")))));
        // The peer's end is told once.
        close(a);
        assert_eq!((send(b, b"x", 0), send(b, b"x", 0)), (Err(Errno::ECONNRESET), Err(Errno::EDESTADDRREQ)));
        assert_eq!(connect(b, "a"), Err(Errno::ECONNREFUSED));
        assert_eq!(
            (connect(b, "b"), send(b, b"me", 0), receive(b, 9, 0)),
            (Ok(0), Ok(2), Ok(b"me".to_vec()))
        );
        close(b);
    });
}

#[test]
fn descriptors_travel() {
    program(|| {
        let (a, b) = pair(SOCK_STREAM | NONBLOCK);
        ok(pipe::sys_pipe2(WORDS as u64, 0, 0, 0, 0, 0));
        let [reader, writer]: [i32; 2] = copyin(WORDS).unwrap();
        let (reader, writer) = (word(reader), word(writer));
        assert_eq!(send(a, b"before", 0), Ok(6));
        assert_eq!(send_fds(a, b"fd", &[reader, writer]), Ok(2));
        assert_eq!(send(a, b"after", 0), Ok(5));
        close_all([reader, writer]);
        assert_eq!(rights::in_flight(), 2);
        assert_eq!(receive_message(b, 99, CONTROL_LEN, 0).unwrap(), (b"before".to_vec(), vec![], 0));
        let (bytes, control, flags) = receive_message(b, 99, CONTROL_LEN, MSG_CMSG_CLOEXEC).unwrap();
        assert_eq!((&bytes[..], flags & MSG_CTRUNC), (&b"fdafter"[..], 0));
        let fds = words(&control);
        assert_eq!((fds.len(), rights::in_flight()), (2, 0));
        assert_eq!(ok(fcntl::sys_fcntl(fds[0], 1, 0, 0, 0, 0)), 1);
        assert_eq!(ok(rw::sys_write(fds[1], DATA as u64, 3, 0, 0, 0)), 3);
        assert_eq!(ok(rw::sys_read(fds[0], DATA as u64, 9, 0, 0, 0)), 3);
        // Room for one of two; read(2) and no room at all drop them.
        send_fds(a, b"x", &[fds[0], fds[1]]).unwrap();
        let (_, control, flags) = receive_message(b, 9, 20, 0).unwrap();
        assert_eq!((words(&control).len(), flags & MSG_CTRUNC), (1, MSG_CTRUNC));
        close(words(&control)[0]);
        send_fds(a, b"y", &[fds[0]]).unwrap();
        assert_eq!((receive(b, 9, 0), rights::in_flight()), (Ok(b"y".to_vec()), 0));
        send_fds(a, b"z", &[fds[0]]).unwrap();
        assert_eq!(receive_message(b, 9, 0, 0).unwrap().2 & MSG_CTRUNC, MSG_CTRUNC);
        // Errors leave nothing behind.
        assert_eq!(send_fds(a, b"n", &[fds[0], 99]), Err(Errno::EBADF));
        let kq = ok(sys_kqueue1(0, 0, 0, 0, 0, 0));
        assert_eq!(send_fds(a, b"n", &[kq]), Err(Errno::EINVAL));
        send_fds(a, b"n", &[fds[0]]).unwrap();
        let message =
            Msghdr { msg_iov: IOV, msg_iovlen: 1, msg_control: 8, msg_controllen: 64, ..Msghdr::ZERO };
        copyout(&message, HEADER).unwrap();
        assert_eq!(result(message::sys_recvmsg(b, HEADER as u64, 0, 0, 0, 0)), Err(Errno::EFAULT));
        // What was never received goes with the socket.
        send_fds(a, b"n", &[fds[0]]).unwrap();
        close_all([kq, fds[0], fds[1], a, b]);
    });
}

#[test]
fn rings_of_descriptors_in_flight_are_found() {
    program(|| {
        // A socket in its own queue.
        let (a, b) = pair(SOCK_STREAM);
        send_fds(b, b"x", &[a]).unwrap();
        close_all([a, b]);
        assert_eq!(rights::in_flight(), 0);
        // Two in each other's, where the closing order hides them from counting.
        for kind in [SOCK_STREAM, SOCK_DGRAM] {
            let (a, b) = pair(kind);
            let (c, d) = pair(kind);
            send_fds(c, b"x", &[a]).unwrap();
            send_fds(b, b"x", &[d]).unwrap();
            close_all([b, c, a, d]);
            assert_eq!(rights::in_flight(), 2);
            rights::collect();
            assert_eq!(rights::in_flight(), 0);
        }
        // One that can still be reached is left alone, and what hangs on it.
        let (a, b) = pair(SOCK_STREAM | NONBLOCK);
        let (c, d) = pair(SOCK_STREAM | NONBLOCK);
        send_fds(c, b"inner", &[b]).unwrap();
        send_fds(a, b"outer", &[d]).unwrap();
        close(d);
        rights::collect();
        assert_eq!(rights::in_flight(), 2);
        let d = words(&receive_message(b, 9, CONTROL_LEN, 0).unwrap().1)[0];
        let b2 = words(&receive_message(d, 9, CONTROL_LEN, 0).unwrap().1)[0];
        close_all([a, b, b2, c, d]);
        // A long chain: each in the queue of the next. The kernel's stack is short.
        let (mut last, mut keep) = pair(SOCK_STREAM);
        for _ in 0..2000 {
            let (a, b) = pair(SOCK_STREAM);
            send_fds(a, b"x", &[last, keep]).unwrap();
            close_all([last, keep]);
            (last, keep) = (a, b);
        }
        assert_eq!(rights::in_flight(), 4000);
        close_all([last, keep]);
        // Rings that nobody ever looked for are bounded by those that send.
        for _ in 0..200 {
            let (a, b) = pair(SOCK_STREAM);
            let (c, d) = pair(SOCK_STREAM);
            send_fds(c, b"x", &[a]).unwrap();
            send_fds(b, b"x", &[d]).unwrap();
            close_all([b, c, a, d]);
            assert!(rights::in_flight() < 100);
        }
        rights::collect();
    });
}

#[test]
fn credentials() {
    program(|| {
        let server = listener("c", 1);
        let client = socket(SOCK_STREAM | NONBLOCK);
        assert_eq!(option(client, 0, LOCAL_PEEREID), Err(Errno::ENOTCONN));
        connect(client, "c").unwrap();
        let served = accept_one(server).unwrap() as u64;
        for fd in [client, served] {
            copyout(&12_u32, LEN).unwrap();
            ok(option::sys_getsockopt(fd, 0, word(LOCAL_PEEREID), WORDS as u64, LEN as u64, 0));
            assert_eq!(copyin::<[i32; 3]>(WORDS), Ok([1, 0, 0]));
        }
        set_option(client, 0, LOCAL_CREDS, &1_i32.to_le_bytes()).unwrap();
        send(served, b"one", 0).unwrap();
        send(served, b"two", 0).unwrap();
        let (bytes, control, _) = receive_message(client, 3, CONTROL_LEN, 0).unwrap();
        assert_eq!((&bytes[..], &words(&control)[..6]), (&b"one"[..], &[1, 0, 0, 0, 0, 1][..]));
        assert!(receive_message(client, 3, CONTROL_LEN, 0).unwrap().1.is_empty(), "once per connection");
        close_all([server, client, served]);
        let (a, b) = pair(SOCK_DGRAM);
        set_option(b, 0, LOCAL_CREDS, &1_i32.to_le_bytes()).unwrap();
        for _ in 0..2 {
            send(a, b"x", 0).unwrap();
            assert_eq!(words(&receive_message(b, 9, CONTROL_LEN, 0).unwrap().1).len(), 7);
        }
        assert_eq!(set_option(a, 0, 77, &[0; 4]), Err(Errno::ENOPROTOOPT));
        close_all([a, b]);
    });
}

#[test]
fn options_of_the_socket() {
    program(|| {
        let fd = socket(SOCK_STREAM);
        let int = |value: i32| value.to_le_bytes();
        assert_eq!(
            (option(fd, SOL_SOCKET, SO_TYPE), option(fd, SOL_SOCKET, SO_ERROR)),
            (Ok(SOCK_STREAM), Ok(0))
        );
        for name in [SO_KEEPALIVE, SO_REUSEADDR, SO_BROADCAST, SO_REUSEPORT, SO_TIMESTAMP, SO_OOBINLINE] {
            assert_eq!(
                (option(fd, SOL_SOCKET, name), set_option(fd, SOL_SOCKET, name, &int(7))),
                (Ok(0), Ok(0))
            );
            assert_eq!(
                (option(fd, SOL_SOCKET, name), set_option(fd, SOL_SOCKET, name, &int(0))),
                (Ok(1), Ok(0))
            );
        }
        assert_eq!(set_option(fd, SOL_SOCKET, SO_RCVBUF, &int(10_000)), Ok(0));
        assert_eq!(option(fd, SOL_SOCKET, SO_RCVBUF), Ok(10_000));
        assert_eq!(set_option(fd, SOL_SOCKET, SO_RCVBUF, &int(0)), Err(Errno::EINVAL));
        assert_eq!(set_option(fd, SOL_SOCKET, SO_SNDBUF, &int(1 << 30)), Err(Errno::ENOBUFS));
        assert_eq!(set_option(fd, SOL_SOCKET, SO_REUSEADDR, &[1]), Err(Errno::EINVAL));
        for name in [SO_TYPE, SO_ERROR, SO_ACCEPTCONN, 0x7777, 0, -1] {
            assert_eq!(set_option(fd, SOL_SOCKET, name, &int(1)), Err(Errno::ENOPROTOOPT));
        }
        assert_eq!(set_option(fd, SOL_SOCKET, SO_LINGER, &[1, 0, 0, 0, 5, 0, 0, 0]), Ok(0));
        copyout(&8_u32, LEN).unwrap();
        ok(option::sys_getsockopt(fd, word(SOL_SOCKET), word(SO_LINGER), WORDS as u64, LEN as u64, 0));
        assert_eq!((copyin::<[i32; 2]>(WORDS), copyin::<u32>(LEN)), (Ok([1, 5]), Ok(8)));
        assert_eq!(set_option(fd, SOL_SOCKET, SO_LINGER, &[1, 0, 0, 0, 0, 0, 0, 5]), Err(Errno::EDOM));
        let bad = |len| result(option::sys_setsockopt(fd, word(SOL_SOCKET), word(SO_REUSEADDR), BAD, len, 0));
        assert_eq!((bad(4), bad(1 << 20)), (Err(Errno::EFAULT), Err(Errno::EINVAL)));
        let room_of = |len_addr: u64| {
            result(option::sys_getsockopt(fd, word(SOL_SOCKET), word(SO_TYPE), WORDS as u64, len_addr, 0))
        };
        copyout(&2_u32, LEN).unwrap();
        assert_eq!(
            (room_of(LEN as u64), copyin::<u32>(LEN), room_of(BAD)),
            (Ok(0), Ok(2), Err(Errno::EFAULT))
        );
        close(fd);
    });
}

#[test]
fn time_limits() {
    program(|| {
        let (a, b) = pair(SOCK_STREAM);
        let ten_ms = [0_i64, 10_000].map(i64::to_le_bytes).concat();
        set_option(a, SOL_SOCKET, SO_RCVTIMEO, &ten_ms).unwrap();
        set_option(a, SOL_SOCKET, SO_SNDTIMEO, &ten_ms).unwrap();
        let start = rump_hypercall::time::monotonic_ns();
        assert_eq!(receive(a, 1, 0), Err(Errno::EAGAIN));
        assert!(rump_hypercall::time::monotonic_ns() - start >= 10_000_000);
        send(b, b"part", 0).unwrap();
        assert_eq!(receive(a, 9, MSG_WAITALL), Ok(b"part".to_vec()));
        let mut total = 0;
        while let Ok(count) = send(a, &[0; 50_000], 0) {
            total += count;
        }
        assert!((60_000..70_000).contains(&total), "{total}");
        assert_eq!(set_option(a, SOL_SOCKET, SO_RCVTIMEO, &[0xff; 16]), Err(Errno::EDOM));
        close_all([a, b]);
    });
}

#[test]
fn events() {
    program(|| {
        let (a, b) = pair(SOCK_STREAM | NONBLOCK);
        let kq = ok(sys_kqueue1(0, 0, 0, 0, 0, 0));
        let add = |filter: u32| {
            let change = Kevent { ident: b, filter, flags: EV_ADD | EV_CLEAR, ..Kevent::ZERO };
            copyout(&change, WORDS).unwrap();
            ok(sys___kevent100(kq, WORDS as u64, 1, 0, 0, 0));
        };
        let taken = || {
            copyout(&[0_i64; 2], WORDS).unwrap();
            let count = ok(sys___kevent100(kq, 0, 0, DATA as u64, 8, WORDS as u64)) as usize;
            let mut seen: Vec<(u32, bool, i64, u32)> = (0..count)
                .map(|index| copyin::<Kevent>(DATA + index * size_of::<Kevent>()).unwrap())
                .map(|event| (event.filter, event.flags & EV_EOF != 0, event.data, event.fflags))
                .collect();
            seen.sort_unstable();
            seen
        };
        add(EVFILT_READ);
        add(EVFILT_WRITE);
        assert_eq!(taken(), [(EVFILT_WRITE, false, 65_536, 0)]);
        assert_eq!(taken(), []);
        send(a, b"four", 0).unwrap();
        send(a, b"more", 0).unwrap();
        assert_eq!(taken(), [(EVFILT_READ, false, 8, 0)]);
        // Filled up and emptied by the other side: it may go on.
        while send(b, &[0; 30_000], 0).is_ok() {}
        assert_eq!(taken(), []);
        receive(a, 1000, 0).unwrap();
        assert_eq!(taken(), [], "too little room to be told of");
        while receive(a, 30_000, 0).is_ok() {}
        assert_eq!(taken().len(), 1);
        close(a);
        assert_eq!(taken(), [(EVFILT_READ, true, 8, 0), (EVFILT_WRITE, true, 65_536, 0)]);
        close_all([b, kq]);
        let server = listener("e", 4);
        let kq = ok(sys_kqueue1(0, 0, 0, 0, 0, 0));
        let change = Kevent { ident: server, filter: EVFILT_READ, flags: EV_ADD, ..Kevent::ZERO };
        copyout(&change, WORDS).unwrap();
        ok(sys___kevent100(kq, WORDS as u64, 1, 0, 0, 0));
        let clients = [socket(SOCK_STREAM), socket(SOCK_STREAM)];
        for client in clients {
            connect(client, "e").unwrap();
        }
        copyout(&[0_i64; 2], WORDS).unwrap();
        assert_eq!(ok(sys___kevent100(kq, 0, 0, DATA as u64, 8, WORDS as u64)), 1);
        assert_eq!(copyin::<Kevent>(DATA).unwrap().data, 2);
        close_all([server, kq]);
        close_all(clients);
    });
}

#[test]
fn several_messages_in_one_call() {
    program(|| {
        let (a, b) = pair(SOCK_DGRAM | NONBLOCK);
        let vector = |index: usize, len: usize| {
            copyout(&[DATA + index * 100, len], IOV + 16 * index).unwrap();
            let msg_hdr = Msghdr { msg_iov: IOV + 16 * index, msg_iovlen: 1, ..Msghdr::ZERO };
            copyout(&Mmsghdr { msg_hdr, ..Mmsghdr::ZERO }, CONTROL + index * size_of::<Mmsghdr>()).unwrap();
        };
        let lengths = || {
            [0, 1, 2].map(|index| copyin::<Mmsghdr>(CONTROL + index * size_of::<Mmsghdr>()).unwrap().msg_len)
        };
        for index in 0..3 {
            vector(index, 10 + index);
        }
        assert_eq!(ok(multi::sys_sendmmsg(a, CONTROL as u64, 3, 0, 0, 0)), 3);
        assert_eq!(lengths(), [10, 11, 12]);
        for index in 0..3 {
            vector(index, 100);
        }
        assert_eq!(ok(multi::sys_recvmmsg(b, CONTROL as u64, 2, 0, 0, 0)), 2);
        assert_eq!(lengths(), [10, 11, 0]);
        assert_eq!(ok(multi::sys_recvmmsg(b, CONTROL as u64, 3, word(MSG_WAITFORONE), 0, 0)), 1);
        assert_eq!(result(multi::sys_recvmmsg(b, CONTROL as u64, 3, 0, 0, 0)), Err(Errno::EAGAIN));
        assert_eq!(result(multi::sys_sendmmsg(a, BAD, 3, 0, 0, 0)), Err(Errno::EFAULT));
        close_all([a, b]);
    });
}

#[test]
fn a_long_write_waits_for_the_reader() {
    static READER: Giant<u64> = Giant::new(0);
    static TAKEN: Giant<usize> = Giant::new(0);
    const TOTAL: usize = 400_000;
    fn drain(_: usize) -> ! {
        let proc = proc::init();
        proc.lwps.alloc(proc).unwrap().attach();
        while TAKEN.get() < TOTAL {
            let ret =
                message::sys_recvfrom(READER.get(), DATA as u64 + 0x1_0000, 0x8000, word(MSG_WAITALL), 0, 0);
            TAKEN.set(TAKEN.get() + ok(ret) as usize);
        }
        thread::exit()
    }
    program(|| {
        TAKEN.set(0);
        let (a, b) = pair(SOCK_STREAM);
        READER.set(b);
        thread::create(drain, 0).unwrap();
        let mut left = TOTAL;
        while left > 0 {
            left -= ok(rw::sys_write(a, DATA as u64, left.min(100_000) as u64, 0, 0, 0)) as usize;
        }
        close(a);
        while TAKEN.get() < TOTAL {
            thread::yield_now();
        }
        close(b);
    });
}

#[test]
fn a_thread_waits_for_a_connection() {
    static SERVER: Giant<u64> = Giant::new(0);
    static DONE: Giant<bool> = Giant::new(false);
    fn serve(_: usize) -> ! {
        let proc = proc::init();
        proc.lwps.alloc(proc).unwrap().attach();
        let fd = ok(accept::sys_paccept(SERVER.get(), 0, 0, 0, word(SOCK_CLOEXEC), 0));
        let count = ok(message::sys_recvfrom(fd, DATA as u64 + 0x1_0000, 99, 0, 0, 0));
        ok(message::sys_sendto(fd, DATA as u64 + 0x1_0000, count, 0, 0, 0));
        close(fd);
        DONE.set(true);
        thread::exit()
    }
    program(|| {
        DONE.set(false);
        let server = socket(SOCK_STREAM);
        bind(server, "w").unwrap();
        ok(open::sys_listen(server, 1, 0, 0, 0, 0));
        SERVER.set(server);
        thread::create(serve, 0).unwrap();
        thread::yield_now();
        let client = socket(SOCK_STREAM);
        set_option(client, 0, LOCAL_CONNWAIT, &1_i32.to_le_bytes()).unwrap();
        connect(client, "w").unwrap();
        send(client, b"echo", 0).unwrap();
        assert_eq!(receive(client, 99, 0), Ok(b"echo".to_vec()));
        while !DONE.get() {
            thread::yield_now();
        }
        close_all([server, client]);
    });
}

#[test]
fn wild_arguments() {
    program(|| {
        let before = curproc().fd.count();
        assert_eq!(result(open::sys_socketpair(1, 1, 0, BAD, 0, 0)), Err(Errno::EFAULT));
        assert_eq!(result(open::sys_socketpair(1, 77, 0, WORDS as u64, 0, 0)), Err(Errno::EPROTOTYPE));
        assert_eq!(result(open::sys___socket30(36, 1, 0, 0, 0, 0)), Err(Errno::EAFNOSUPPORT));
        assert_eq!(result(open::sys___socket30(1, 1, 99, 0, 0, 0)), Err(Errno::EPROTONOSUPPORT));
        assert_eq!(curproc().fd.count(), before);
        let (a, b) = pair(SOCK_STREAM | NONBLOCK);
        let transfer =
            |call: extern "C" fn(u64, u64, u64, u64, u64, u64) -> Ret| result(call(a, BAD, 10, 0, 0, 0));
        assert_eq!(transfer(message::sys_sendto), Err(Errno::EFAULT));
        assert_eq!((receive(b, 9, 0), send(b, b"abc", 0)), (Err(Errno::EAGAIN), Ok(3)));
        assert_eq!(
            (transfer(message::sys_recvfrom), receive(a, 9, 0)),
            (Err(Errno::EFAULT), Ok(b"abc".to_vec()))
        );
        assert_eq!(transfer(message::sys_sendmsg), Err(Errno::EFAULT));
        assert_eq!(transfer(message::sys_recvmsg), Err(Errno::EFAULT));
        assert_eq!(result(message::sys_sendto(a, DATA as u64, u64::MAX, 0, 0, 0)), Err(Errno::EINVAL));
        for (len, expected) in
            [(0, Errno::EINVAL), (2, Errno::EINVAL), (300, Errno::EINVAL), (50, Errno::EFAULT)]
        {
            assert_eq!(result(name::sys_bind(a, BAD, len, 0, 0, 0)), Err(expected));
            assert_eq!(result(name::sys_connect(a, BAD, len, 0, 0, 0)), Err(expected));
        }
        for count in [-1_i32, 2000] {
            copyout(&Msghdr { msg_iov: IOV, msg_iovlen: count, ..Msghdr::ZERO }, HEADER).unwrap();
            assert_eq!(result(message::sys_sendmsg(a, HEADER as u64, 0, 0, 0, 0)), Err(Errno::EMSGSIZE));
            assert_eq!(result(message::sys_recvmsg(a, HEADER as u64, 0, 0, 0, 0)), Err(Errno::EMSGSIZE));
        }
        for (control, expected) in [
            ([4_u32, 0xffff, 1, 0], Errno::EINVAL),
            ([u32::MAX, 0xffff, 1, 0], Errno::EINVAL),
            ([16, 0, 99, 0], Errno::EINVAL),
        ] {
            copyout(&control, CONTROL).unwrap();
            copyout(&[DATA, 1], IOV).unwrap();
            let header = Msghdr {
                msg_iov: IOV,
                msg_iovlen: 1,
                msg_control: CONTROL,
                msg_controllen: 16,
                ..Msghdr::ZERO
            };
            copyout(&header, HEADER).unwrap();
            assert_eq!(result(message::sys_sendmsg(a, HEADER as u64, 0, 0, 0, 0)), Err(expected));
        }
        let server = listener("x", 4);
        let client = socket(SOCK_STREAM);
        connect(client, "x").unwrap();
        let before = curproc().fd.count();
        assert_eq!(result(accept::sys_accept(server, BAD, LEN as u64, 0, 0, 0)), Err(Errno::EFAULT));
        assert_eq!(curproc().fd.count(), before);
        assert_eq!(result(name::sys_getsockname(server, BAD, BAD, 0, 0, 0)), Err(Errno::EFAULT));
        let not_a_socket = ok(sys_kqueue1(0, 0, 0, 0, 0, 0));
        assert_eq!(accept_one(not_a_socket), Err(Errno::ENOTSOCK));
        assert_eq!((accept_one(99), send(not_a_socket, b"x", 0)), (Err(Errno::EBADF), Err(Errno::ENOTSOCK)));
        ok(attr::sys___fstat50(a, DATA as u64, 0, 0, 0, 0));
        assert_eq!(result(rw::sys_pread(a, DATA as u64, 1, 0, 0, 0)), Err(Errno::ESPIPE));
        assert_eq!(send(a, b"x", MSG_OOB), Err(Errno::EOPNOTSUPP));
        assert_eq!(receive(a, 1, MSG_OOB), Err(Errno::EOPNOTSUPP));
        close_all([a, b, server, client, not_a_socket]);
    });
}

/// Anything that can be done with sockets, in any order: nothing may panic, and nothing may be left afterwards.
#[test]
fn random_calls() {
    program(|| {
        let mut seed = 0x1234_5678_9abc_def1_u64;
        let mut next = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 20) as usize % below
        };
        let kq = ok(sys_kqueue1(0, 0, 0, 0, 0, 0));
        let mut fds: Vec<u64> = Vec::new();
        let kinds = [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET];
        for _ in 0..20_000 {
            if fds.len() < 4 || fds.len() < 24 && next(6) == 0 {
                let kind = kinds[next(3)] | NONBLOCK | SOCK_NOSIGPIPE;
                if next(3) == 0 {
                    fds.push(socket(kind));
                } else {
                    let (a, b) = pair(kind);
                    fds.extend([a, b]);
                }
            }
            let fd = fds[next(fds.len())];
            let path = ["r0", "r1", "r2", "r3"][next(4)];
            let len = if next(4) == 0 { next(30_000) } else { next(300) };
            let _ = match next(14) {
                0 => bind(fd, path),
                1 => {
                    user::copyout(path.as_bytes(), DATA).unwrap();
                    user::copyout(&[0], DATA + path.len()).unwrap();
                    result(rump_vfs::calls::links::sys_unlink(DATA as u64, 0, 0, 0, 0, 0))
                }
                2 => connect(fd, path),
                3 => result(open::sys_listen(fd, next(4) as u64, 0, 0, 0, 0)),
                4 => accept_one(fd).inspect(|&new| fds.push(new as u64)),
                5 | 6 => send(fd, &vec![7; len], 0),
                7 => receive(fd, len, [0, MSG_PEEK, MSG_WAITALL][next(3)]).map(|_| 0),
                8 | 9 => {
                    let passed: Vec<u64> = (0..1 + next(3)).map(|_| fds[next(fds.len())]).collect();
                    send_fds(fd, b"fds", &passed)
                }
                10 => {
                    let room = [0, 20, CONTROL_LEN][next(3)];
                    let got = receive_message(fd, 100, room, [0, MSG_PEEK][next(2)]);
                    if let Ok((_, control, _)) = got
                        && control.len() >= 16
                        && control[8] == SCM_RIGHTS as u8
                    {
                        fds.extend(words(&control));
                    }
                    Ok(0)
                }
                11 => result(open::sys_shutdown(fd, next(3) as u64, 0, 0, 0, 0)),
                12 => {
                    let filter = [EVFILT_READ, EVFILT_WRITE][next(2)];
                    let change = Kevent { ident: fd, filter, flags: EV_ADD | EV_CLEAR, ..Kevent::ZERO };
                    copyout(&change, WORDS).unwrap();
                    copyout(&[0_i64; 2], WORDS + 128).unwrap();
                    result(sys___kevent100(kq, WORDS as u64, 1, DATA as u64, 4, WORDS as u64 + 128))
                }
                _ => {
                    let at = next(fds.len());
                    close(fds.swap_remove(at));
                    Ok(0)
                }
            };
        }
        fds.into_iter().for_each(close);
        close(kq);
        rights::collect();
        post::discard(curproc(), SigSet(u64::MAX));
    });
}

//! Prototypes of the system calls that layer 2 itself makes, as sys/syscallargs.h and the manual pages have them.
//!
//! In unit tests the names that the host has too are the host's.

use crate::clock::Timespec;
use core::ffi::{c_char, c_int, c_long, c_uint, c_ulong, c_void};

unsafe extern "C" {
    /// _exit(2).
    pub safe fn _exit(status: c_int) -> !;
    /// read(2).
    pub fn read(fd: c_int, buf: *mut c_void, len: usize) -> isize;
    /// write(2).
    pub fn write(fd: c_int, buf: *const c_void, len: usize) -> isize;
    /// writev(2).
    pub fn writev(fd: c_int, iov: *const c_void, count: c_int) -> isize;
    /// open(2); the mode is looked at with O_CREAT only.
    pub fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    /// openat(2).
    pub fn openat(dir: c_int, path: *const c_char, flags: c_int, ...) -> c_int;
    /// close(2).
    pub safe fn close(fd: c_int) -> c_int;
    /// lseek(2).
    pub safe fn lseek(fd: c_int, offset: i64, whence: c_int) -> i64;
    /// fcntl(2).
    pub fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    /// ioctl(2).
    pub fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    /// mmap(2).
    pub fn mmap(
        addr: *mut c_void,
        len: usize,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: i64,
    ) -> *mut c_void;
    /// munmap(2).
    pub fn munmap(addr: *mut c_void, len: usize) -> c_int;
    /// mprotect(2).
    pub fn mprotect(addr: *mut c_void, len: usize, prot: c_int) -> c_int;
    /// madvise(2).
    pub fn madvise(addr: *mut c_void, len: usize, behavior: c_int) -> c_int;
    /// getpid(2).
    pub safe fn getpid() -> c_int;
    /// getuid(2).
    pub safe fn getuid() -> u32;
    /// kill(2).
    pub safe fn kill(pid: c_int, signal: c_int) -> c_int;
    /// dup2(2).
    pub safe fn dup2(from: c_int, to: c_int) -> c_int;
    /// unlink(2).
    pub fn unlink(path: *const c_char) -> c_int;
    /// rmdir(2).
    pub fn rmdir(path: *const c_char) -> c_int;
    /// sched_yield(2).
    pub safe fn sched_yield() -> c_int;
    /// __sysctl(2).
    pub fn __sysctl(
        name: *const c_int,
        name_len: c_uint,
        old: *mut c_void,
        old_len: *mut usize,
        new: *const c_void,
        new_len: usize,
    ) -> c_int;
    /// clock_gettime(2).
    pub fn __clock_gettime50(clock: c_int, now: *mut Timespec) -> c_int;
    /// clock_getres(2).
    pub fn __clock_getres50(clock: c_int, resolution: *mut Timespec) -> c_int;
    /// nanosleep(2).
    pub fn __nanosleep50(request: *const Timespec, remaining: *mut Timespec) -> c_int;
    /// gettimeofday(2).
    pub fn __gettimeofday50(now: *mut c_void, zone: *mut c_void) -> c_int;
    /// __getcwd(2): the length of the path with its NUL, or -1.
    pub fn __getcwd(buf: *mut c_char, len: usize) -> c_int;
    /// stat(2).
    pub fn __stat50(path: *const c_char, buf: *mut c_void) -> c_int;
    /// lstat(2).
    pub fn __lstat50(path: *const c_char, buf: *mut c_void) -> c_int;
    /// fstat(2).
    pub fn __fstat50(fd: c_int, buf: *mut c_void) -> c_int;
    /// getdents(2).
    pub fn __getdents30(fd: c_int, buf: *mut c_char, len: usize) -> c_int;
    /// readlink(2).
    pub fn readlink(path: *const c_char, buf: *mut c_char, len: usize) -> isize;
    /// getrandom(2).
    pub fn getrandom(buf: *mut c_void, len: usize, flags: c_uint) -> isize;
    /// sigaction(2) with the trampoline through which the handler returns.
    pub fn __sigaction_sigtramp(
        signal: c_int,
        new: *const c_void,
        old: *mut c_void,
        trampoline: *const c_void,
        version: c_int,
    ) -> c_int;
    /// sigprocmask(2).
    pub fn __sigprocmask14(how: c_int, new: *const [u32; 4], old: *mut [u32; 4]) -> c_int;
    /// sigsuspend(2).
    pub fn __sigsuspend14(mask: *const [u32; 4]) -> c_int;
    /// sigtimedwait(2): the timeout is updated.
    pub fn ____sigtimedwait50(set: *const [u32; 4], info: *mut c_void, timeout: *mut Timespec) -> c_int;
    /// setcontext(2).
    pub fn setcontext(context: *const c_void) -> c_int;
    /// wait4(2).
    pub fn __wait450(pid: c_int, status: *mut c_int, options: c_int, usage: *mut c_void) -> c_int;
    /// setitimer(2).
    pub fn __setitimer50(which: c_int, new: *const c_void, old: *mut c_void) -> c_int;
    /// mremap(2).
    pub fn mremap(
        old: *mut c_void,
        old_len: usize,
        new: *mut c_void,
        new_len: usize,
        flags: c_int,
    ) -> *mut c_void;
    /// getrlimit(2).
    pub fn getrlimit(resource: c_int, limit: *mut [u64; 2]) -> c_int;
    /// execve(2).
    pub fn execve(path: *const c_char, argv: *const *const c_char, env: *const *const c_char) -> c_int;
    /// pathconf(2).
    pub fn pathconf(path: *const c_char, name: c_int) -> c_long;
    /// socket(2).
    pub safe fn __socket30(family: c_int, kind: c_int, protocol: c_int) -> c_int;
    /// connect(2).
    pub fn connect(fd: c_int, address: *const c_void, len: c_uint) -> c_int;
    /// getsockname(2).
    pub fn getsockname(fd: c_int, address: *mut c_void, len: *mut c_uint) -> c_int;
    /// getsockopt(2).
    pub fn getsockopt(fd: c_int, level: c_int, name: c_int, value: *mut c_void, len: *mut c_uint) -> c_int;
    /// sendto(2).
    pub fn sendto(
        fd: c_int,
        buf: *const c_void,
        len: usize,
        flags: c_int,
        to: *const c_void,
        to_len: c_uint,
    ) -> isize;
    /// recvfrom(2).
    pub fn recvfrom(
        fd: c_int,
        buf: *mut c_void,
        len: usize,
        flags: c_int,
        from: *mut c_void,
        from_len: *mut c_uint,
    ) -> isize;
    /// paccept(2).
    pub fn paccept(
        fd: c_int,
        address: *mut c_void,
        len: *mut c_uint,
        mask: *const [u32; 4],
        flags: c_int,
    ) -> c_int;
    /// poll(2).
    pub fn poll(fds: *mut c_void, count: c_uint, timeout_ms: c_int) -> c_int;
    /// _lwp_self(2).
    pub safe fn _lwp_self() -> c_int;
    /// _lwp_setprivate(2).
    pub fn _lwp_setprivate(base: *mut c_void);
    /// _lwp_create(2).
    pub fn _lwp_create(context: *const c_void, flags: c_ulong, lwp: *mut c_int) -> c_int;
    /// _lwp_exit(2).
    pub safe fn _lwp_exit() -> !;
    /// _lwp_wait(2).
    pub fn _lwp_wait(lwp: c_int, departed: *mut c_int) -> c_int;
    /// _lwp_detach(2).
    pub safe fn _lwp_detach(lwp: c_int) -> c_int;
    /// _lwp_kill(2).
    pub safe fn _lwp_kill(lwp: c_int, signal: c_int) -> c_int;
    /// _lwp_wakeup(2).
    pub safe fn _lwp_wakeup(lwp: c_int) -> c_int;
    /// _lwp_suspend(2).
    pub safe fn _lwp_suspend(lwp: c_int) -> c_int;
    /// _lwp_continue(2).
    pub safe fn _lwp_continue(lwp: c_int) -> c_int;
    /// _lwp_setname(2).
    pub fn _lwp_setname(lwp: c_int, name: *const c_char) -> c_int;
    /// _lwp_getname(2).
    pub fn _lwp_getname(lwp: c_int, name: *mut c_char, len: usize) -> c_int;
    /// _lwp_park(2): unparks `unpark` if it is not 0, then sleeps until unparked or timed out. A relative timeout is updated.
    pub fn ___lwp_park60(
        clock: c_int,
        flags: c_int,
        timeout: *mut Timespec,
        unpark: c_int,
        hint: *const c_void,
        unpark_hint: *const c_void,
    ) -> c_int;
    /// _lwp_unpark(2).
    pub fn _lwp_unpark(lwp: c_int, hint: *const c_void) -> c_int;
    /// _lwp_unpark_all(2).
    pub fn _lwp_unpark_all(lwps: *const c_int, count: usize, hint: *const c_void) -> isize;
    /// _sched_setparam(2).
    pub fn _sched_setparam(pid: c_int, lwp: c_int, policy: c_int, param: *const c_void) -> c_int;
    /// _sched_getparam(2).
    pub fn _sched_getparam(pid: c_int, lwp: c_int, policy: *mut c_int, param: *mut c_void) -> c_int;
    /// _sched_setaffinity(2).
    pub fn _sched_setaffinity(pid: c_int, lwp: c_int, size: usize, set: *const c_void) -> c_int;
    /// _sched_getaffinity(2).
    pub fn _sched_getaffinity(pid: c_int, lwp: c_int, size: usize, set: *mut c_void) -> c_int;
}

/// What mmap(2) returns where it fails.
pub const MAP_FAILED: *mut c_void = core::ptr::without_provenance_mut(usize::MAX);
/// MAP_PRIVATE | MAP_ANON of sys/mman.h.
pub const MAP_PRIVATE_ANON: c_int = 0x0002 | 0x1000;
/// PROT_NONE.
pub const PROT_NONE: c_int = 0;
/// PROT_READ | PROT_WRITE.
pub const PROT_READ_WRITE: c_int = 1 | 2;

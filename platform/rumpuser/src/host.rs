//! The rest: rumpuser_getparam, getrandom, seterrno, exit, kill, dl_bootstrap, daemonize_*.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::ffi::{c_char, c_int, c_void};

use rump_abi::errno::{E2BIG, EINVAL, ENOENT, ENOSYS};
use rump_config::Config;
use rump_hypercall::boot::{self, Exit};
use rump_hypercall::memory::{PAGE_SIZE, page_counts};
use rump_hypercall::thread::{self, Foreign};
use rump_hypercall::{Giant, time, user};

use crate::bytes;

/// `RUMPUSER_PARAM_NCPU`.
const NCPU: &str = "_RUMPUSER_NCPU";
/// `RUMPUSER_PARAM_HOSTNAME`.
const HOSTNAME: &str = "_RUMPUSER_HOSTNAME";
/// How much memory the rump kernel may use, bytes.
const MEMLIMIT: &str = "RUMP_MEMLIMIT";
/// The name of an image whose configuration has none.
const HOSTNAME_DEFAULT: &str = "rump";
/// `RUMPUSER_PANIC`.
pub const PANIC: c_int = -1;
/// The signal of a program that gave up on itself: SIGABRT.
const SIGABRT: u8 = 6;

/// The configuration: what was baked in, and over it the kernel command line. What cannot be read counts as absent.
fn config() -> Config {
    let info = boot::info();
    let baked = Config::parse(info.config).unwrap_or_default();
    match Config::from_command_line(info.cmdline) {
        Ok(line) => baked.overlay(line.config),
        Err(_) => baked,
    }
}

/// A parameter's value. What this host does not know, the image's environment may: `--env RUMP_VERBOSE=1`.
///
/// # Errors
/// ENOENT if it has none, EINVAL if its name says that it must.
pub fn param(name: &str) -> Result<String, c_int> {
    match name {
        // The platform has one virtual CPU; a second one above it would only wait for the first.
        NCPU => Ok("1".to_owned()),
        HOSTNAME => Ok(config().hostname.unwrap_or_else(|| HOSTNAME_DEFAULT.to_owned())),
        // The manual: such a name is a parameter that must be there, and there are no more.
        _ if name.starts_with('_') => Err(EINVAL),
        _ => match config().env.into_iter().find(|(known, _)| known == name) {
            Some((_, value)) => Ok(value),
            // The rest is the program's.
            None if name == MEMLIMIT => Ok(format!("{}", page_counts().free / 4 * 3 * PAGE_SIZE as u64)),
            None => Err(ENOENT),
        },
    }
}

/// rumpuser_getparam: a parameter's value as a string. ENOENT if it has none, EINVAL if its name says that it must exist and it does not, E2BIG if
/// the value does not fit.
///
/// # Safety
/// `name` is a string; `buffer` has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_getparam(name: *const c_char, buffer: *mut c_void, len: usize) -> c_int {
    // SAFETY: the caller's promise.
    let name = unsafe { bytes(name) };
    let value = match core::str::from_utf8(name).map_err(|_| ENOENT).and_then(param) {
        Ok(value) => value,
        Err(error) => return error,
    };
    if value.len() >= len {
        return E2BIG;
    }
    // SAFETY: value and NUL fit (the caller's promise).
    unsafe {
        buffer.cast::<u8>().copy_from_nonoverlapping(value.as_ptr(), value.len());
        buffer.cast::<u8>().add(value.len()).write(0);
    }
    0
}

/// rumpuser_getrandom: random bytes, always as many as were asked for and without waiting: whether HARD or NOWAIT makes no difference.
///
/// # Safety
/// `buffer` has room for `len` bytes, and `got` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_getrandom(
    buffer: *mut c_void,
    len: usize,
    _flags: c_int,
    got: *mut usize,
) -> c_int {
    if len > 0 {
        // SAFETY: the caller's promise; zeroed first, since a slice's bytes are initialised.
        let buffer = unsafe {
            buffer.cast::<u8>().write_bytes(0, len);
            core::slice::from_raw_parts_mut(buffer.cast(), len)
        };
        time::random(buffer);
    }
    // SAFETY: the caller's promise.
    unsafe { got.write(len) };
    0
}

/// rumpuser_seterrno: the calling thread's errno, for whoever makes rump system calls on it ([`errno`]).
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_seterrno(errno: c_int) {
    thread::set_foreign(Foreign { errno, ..thread::foreign() });
}

/// The calling thread's errno.
#[must_use]
pub fn errno() -> c_int {
    thread::foreign().errno
}

/// rumpuser_exit: ends the image with this status. PANIC is a crash: registers, a backtrace, and the end that SIGABRT makes.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_exit(value: c_int) -> ! {
    if value == PANIC {
        user::crash_report("the rump kernel has panicked", &here());
        boot::exit(Exit::Signaled(SIGABRT));
    }
    boot::exit(Exit::Exited(value as u8))
}

/// The calling function's registers, as far as a backtrace needs them.
#[inline(always)]
fn here() -> user::Trapframe {
    let (rip, rsp, rbp): (u64, u64, u64);
    // SAFETY: reads registers.
    unsafe {
        core::arch::asm!("lea {}, [rip]", "mov {}, rsp", "mov {}, rbp", out(reg) rip, out(reg) rsp, out(reg) rbp, options(nomem, nostack, preserves_flags));
    }
    user::Trapframe { rip, rsp, rbp, ..user::Trapframe::default() }
}

/// __stack_chk_fail: what a compiler lets code call that finds its stack overrun (`-fstack-protector`).
#[cfg(not(test))]
#[unsafe(no_mangle)]
pub extern "C" fn __stack_chk_fail() -> ! {
    user::crash_report("the rump kernel has overrun its stack", &here());
    boot::exit(Exit::Signaled(SIGABRT))
}

/// Raises a signal for a process of the rump kernel (-1: the program); returns an error number.
pub type Kill = fn(pid: i64, signal: c_int) -> c_int;

static KILL: Giant<Option<Kill>> = Giant::new(None);

/// Says who raises signals for rumpuser_kill: whoever has the program.
pub fn set_kill(kill: Kill) {
    KILL.set(Some(kill));
}

/// rumpuser_kill: raises a signal in the program; ENOSYS where nobody does that.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_kill(pid: i64, signal: c_int) -> c_int {
    KILL.get().map_or(ENOSYS, |kill| kill(pid, signal))
}

/// What the rump kernel's libraries register by link sets: addresses of its structures.
#[derive(Clone, Copy, Debug)]
pub struct Linked {
    /// `struct rump_component`.
    pub components: &'static [usize],
    /// `struct modinfo`.
    pub modules: &'static [usize],
}

static LINKED: Giant<Linked> = Giant::new(Linked { components: &[], modules: &[] });

/// Says what rumpuser_dl_bootstrap finds.
pub fn set_linked(linked: Linked) {
    LINKED.set(linked);
}

/// rumpuser_dl_bootstrap: tells the rump kernel of the components and modules that its libraries have in link sets, as a host's does that looks through what is loaded. A
/// rump kernel that has found them itself takes none of them a second time. Its symbols are not told, since nothing is loaded later; event counters it finds itself.
///
/// # Safety
/// The functions are those of the rump kernel; null ones are not called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_dl_bootstrap(
    modinit: Option<unsafe extern "C" fn(*const usize, usize)>,
    _symload: *const c_void,
    compload: Option<unsafe extern "C" fn(usize)>,
    _evcntattach: *const c_void,
) {
    let Linked { components, modules } = LINKED.get();
    if let Some(compload) = compload {
        // SAFETY: the caller's promise; the addresses are those of the rump kernel's components.
        components.iter().for_each(|&component| unsafe { compload(component) });
    }
    if let Some(modinit) = modinit {
        // One by one, since a rump kernel takes all or none, and may know some. SAFETY: likewise, of its modules.
        modules.iter().for_each(|module| unsafe { modinit(module, 1) });
    }
}

/// rumpuser_daemonize_begin: ENOSYS: there is no terminal to leave.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_daemonize_begin() -> c_int {
    ENOSYS
}

/// rumpuser_daemonize_done: ENOSYS, likewise.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_daemonize_done(_error: c_int) -> c_int {
    ENOSYS
}

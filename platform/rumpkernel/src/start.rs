//! Starting the rump kernel: thread-local storage, constructors, rump_init, and a process of its own for the program.

use alloc::ffi::CString;
use core::arch::global_asm;
use core::ffi::{c_int, c_void};
use core::slice;

use rump_abi::errno::EINVAL;
use rump_abi::signal::NSIG;
use rump_abi::syscall::SYS_chdir;
use rump_hypercall::boot::{self, Exit};
use rump_image::{RumpInfo, Span};
use rump_kern::Errno;
use rump_kern::proc::{Proc, proc0};
use rump_kern::signal::psignal;
use rumpbake_rumpuser::host::{self, Linked};
use rumpbake_rumpuser::tls::{self, Template};
use rumpbake_rumpuser::upcall::hyperup;

use crate::{call, console, files, guard, leave, lwp, map, memory};

unsafe extern "C" {
    /// The linker's table.
    static rb_rump: RumpInfo;
    /// Starts the rump kernel; 0 or an error number (rump(3)).
    fn rump_init() -> c_int;
    /// Makes a process and its lwp, and has that be the calling thread's (`rump/rumpkern_if_pub.h`).
    fn rump_pub_lwproc_rfork(flags: c_int) -> c_int;
}

// What not every rump kernel has: its address, or 0.
global_asm!(
    ".section .rodata.rb_rump_setsigmodel, \"a\"",
    ".balign 8",
    ".weak rump_boot_setsigmodel",
    ".globl rb_rump_setsigmodel",
    "rb_rump_setsigmodel: .quad rump_boot_setsigmodel",
    ".previous",
);

unsafe extern "C" {
    /// Says what becomes of signals, before rump_init (rump(3)).
    static rb_rump_setsigmodel: Option<extern "C" fn(model: c_int)>;
}

/// Signals go to the host, by rumpuser_kill (`RUMP_SIGMODEL_RAISE`).
const SIGMODEL_RAISE: c_int = 3;

/// The new process has no descriptors (`RUMP_RFFD_CLEAR`).
const RFFD_CLEAR: c_int = 2;

/// What the linker tells.
pub fn info() -> &'static RumpInfo {
    // SAFETY: the linker defines it, and nobody writes it.
    unsafe { &rb_rump }
}

fn fail(what: &str, error: i32) -> ! {
    rump_kern::log!("rumpbake: the rump kernel {what}: error {error}");
    boot::exit(Exit::Exited(127))
}

/// The bytes of a run of the rump kernel's memory.
fn bytes(span: Span) -> &'static [u8] {
    if span.len == 0 {
        return &[];
    }
    let start = core::ptr::with_exposed_provenance(span.start as usize);
    // SAFETY: the linker says that these are constants of the rump kernel, whose memory is mapped for good.
    unsafe { slice::from_raw_parts(start, span.len as usize) }
}

/// The addresses in a run of the rump kernel's memory.
fn addresses(span: Span) -> &'static [usize] {
    if span.len == 0 {
        return &[];
    }
    let start = core::ptr::with_exposed_provenance(span.start as usize);
    // SAFETY: as in `bytes`; the linker aligns arrays of addresses.
    unsafe { slice::from_raw_parts(start, span.len as usize / size_of::<usize>()) }
}

/// The component's start, in the first LWP.
pub fn init() {
    if memory::map().is_err() {
        rump_kern::log!("rumpbake: no memory for the rump kernel");
        boot::exit(Exit::Exited(127));
    }
    guard::init();
    let info = info();
    if info.tls_len != 0 {
        tls::set_template(Template {
            image: bytes(info.tls_image),
            len: info.tls_len as usize,
            align: info.tls_align as usize,
        });
    }
    host::set_linked(Linked { components: addresses(info.components), modules: addresses(info.modules) });
    let pid = lwp::inside_first(|| {
        for &address in addresses(info.constructors) {
            // Some compilers end their lists with 0 or -1.
            if address != 0 && address != usize::MAX {
                let function = core::ptr::with_exposed_provenance::<c_void>(address);
                // SAFETY: an address in the list of constructors is that of a function without arguments.
                unsafe { core::mem::transmute::<*const c_void, extern "C" fn()>(function)() };
            }
        }
        host::set_kill(kill);
        // SAFETY: the linker has put the function's address there, or 0.
        if let Some(set_model) = unsafe { rb_rump_setsigmodel } {
            set_model(SIGMODEL_RAISE);
        }
        // SAFETY: called once, after the constructors.
        let error = unsafe { rump_init() };
        if error != 0 {
            fail("does not start", error);
        }
        // SAFETY: the rump kernel runs.
        let error = unsafe { rump_pub_lwproc_rfork(RFFD_CLEAR) };
        if error != 0 {
            fail("cannot make a process for the program", error);
        }
        files::register_all();
        current_process()
    });
    lwp::set_process(pid);
    console::init();
    map::init();
    leave::init();
    files::mount();
    rump_kern::init_main::set_chdir_hook(chdir);
}

/// Makes a directory of the rump kernel's the program's working directory.
fn chdir(_proc: &'static Proc, path: &str) -> Result<(), Errno> {
    let path = CString::new(path).map_err(|_| Errno(EINVAL))?;
    let args = [path.as_ptr().expose_provenance() as u64, 0, 0, 0, 0, 0];
    call::own(SYS_chdir, args).map(|_| ()).map_err(Errno)
}

/// A signal that the rump kernel has for one of its processes: the program is the only one with a host (SIGPIPE, for example).
fn kill(_pid: i64, signal: c_int) -> c_int {
    match proc0() {
        Some(proc) if (1..NSIG).contains(&signal) => {
            psignal(proc, signal);
            0
        }
        _ => EINVAL,
    }
}

/// The process to which the calling thread's lwp belongs.
fn current_process() -> i32 {
    let Some(hyperup) = hyperup() else { fail("has not called rumpuser_init", 0) };
    (hyperup.schedule)();
    let pid = (hyperup.getpid)();
    (hyperup.unschedule)();
    pid
}

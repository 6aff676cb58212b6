//! The kernel's start (init_main.c of NetBSD): from the first kernel thread to the program's first instruction.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rump_config::{Config, Trace};
use rump_hypercall::Giant;
use rump_hypercall::boot::{self, Exit};
use rump_hypercall::upcall::{self, SysEntry, Upcalls};
use rump_hypercall::{time, user};

use crate::component::{Component, hook};
use crate::errno::Errno;
use crate::proc::Proc;
use crate::signal::number::{SIGKILL, SIGTERM};

/// `argv[0]` where the configuration has none.
const ARGV0_DEFAULT: &str = "app";

static UPCALLS: Upcalls = Upcalls {
    fault: crate::uvm::fault::fault,
    trap: crate::signal::trap::trap,
    ast: crate::signal::deliver::ast,
    syscall: crate::syscall::syscall,
    console_input,
    shutdown,
};

/// Opens descriptors 0 to 2 of a process on the console.
pub type OpenConsole = fn(&'static Proc) -> Result<(), Errno>;

/// Makes a path a process's working directory.
pub type Chdir = fn(&'static Proc, &str) -> Result<(), Errno>;

/// What components add to the kernel's start and to its upcalls.
#[derive(Clone, Copy)]
struct Hooks {
    console_input: Option<fn()>,
    open_console: Option<OpenConsole>,
    chdir: Option<Chdir>,
}

static HOOKS: Giant<Hooks> = Giant::new(Hooks { console_input: None, open_console: None, chdir: None });

static CONFIG: Giant<Option<&'static Config>> = Giant::new(None);

/// The console component's: `input` is called when there is console input and must not wait; `open` opens descriptors 0 to 2 of the
/// program on the console.
pub fn set_console_hooks(input: fn(), open: OpenConsole) {
    let mut hooks = HOOKS.borrow_mut();
    hooks.console_input = Some(hook(input));
    hooks.open_console = Some(hook(open));
}

/// The file system's: makes a path the program's working directory.
pub fn set_chdir_hook(chdir: Chdir) {
    HOOKS.borrow_mut().chdir = Some(hook(chdir));
}

fn console_input() {
    if let Some(input) = HOOKS.get().console_input {
        input();
    }
}

/// How long a program may take to end that was asked to, nanoseconds.
const SHUTDOWN_NS: u64 = 10_000_000_000;

/// Asks the program to end, by SIGTERM; ends it when it has had its time.
fn shutdown() {
    let Some(proc) = crate::proc::proc0() else { boot::exit(Exit::Signaled(SIGTERM as u8)) };
    let time_is_up = |_| crate::exit::end(Exit::Signaled(SIGKILL as u8));
    time::callout(time::monotonic_ns().saturating_add(SHUTDOWN_NS), time_is_up, 0);
    crate::signal::psignal(proc, SIGTERM);
}

/// The configuration; `None` before [`main`] has read it.
#[must_use]
pub fn config() -> Option<&'static Config> {
    CONFIG.get()
}

fn fail(what: &str) -> ! {
    crate::log!("rumpbake: {what}");
    boot::exit(Exit::Exited(127))
}

/// Baked-in configuration and kernel command line, the latter first in rank.
fn read_config() -> Config {
    let info = boot::info();
    let baked = Config::parse(info.config).unwrap_or_else(|error| {
        crate::log!("rumpbake: baked-in configuration: {error}");
        boot::exit(Exit::Exited(127))
    });
    match Config::from_command_line(info.cmdline) {
        Ok(line) => baked.overlay(line.config),
        Err(error) => {
            crate::log!("rumpbake: kernel command line: {error}");
            boot::exit(Exit::Exited(127))
        }
    }
}

fn set_args(proc: &Proc, config: &Config) {
    let argv0 = config.argv0.as_deref().unwrap_or(ARGV0_DEFAULT);
    let comm = argv0.rsplit('/').next().unwrap_or(argv0);
    *proc.comm.borrow_mut() = comm.to_string();
    let mut args: Vec<Vec<u8>> = Vec::new();
    args.push(argv0.as_bytes().to_vec());
    args.extend(config.args.iter().flatten().map(|arg| arg.as_bytes().to_vec()));
    *proc.args.borrow_mut() = args;
    let env = config.env.iter().map(|(name, value)| {
        let mut variable = String::with_capacity(name.len() + 1 + value.len());
        variable.push_str(name);
        variable.push('=');
        variable.push_str(value);
        variable.into_bytes()
    });
    *proc.env.borrow_mut() = env.collect();
}

/// Runs the image: the platform calls it on the first kernel thread, with the image's components in the order in which they are to be
/// initialised, and the table of system calls by number.
pub fn main(components: &[&'static Component], sysent: &'static [SysEntry]) -> ! {
    let frame = start(components, sysent);
    user::enter(&frame)
}

/// All of the start but its last step. What it keeps on the stack is gone when it returns, as nothing is dropped after that.
fn start(components: &[&'static Component], sysent: &'static [SysEntry]) -> user::Trapframe {
    upcall::register(&UPCALLS);
    crate::syscall::init(sysent);
    let config: &'static Config = alloc::boxed::Box::leak(alloc::boxed::Box::new(read_config()));
    CONFIG.set(Some(config));
    let proc = crate::proc::init();
    let Ok(lwp) = proc.lwps.alloc(proc) else { fail("no memory for the first LWP") };
    lwp.attach();
    set_args(proc, config);
    for component in components {
        (component.init)();
    }
    let can_trace = components.iter().any(|component| component.name == "ktrace");
    if !can_trace && !matches!(config.trace, None | Some(Trace::Off)) {
        crate::log!(
            "rumpbake: system calls cannot be traced: the image was baked without the component ktrace"
        );
    }
    let hooks = HOOKS.get();
    if let Some(open) = hooks.open_console
        && let Err(error) = open(proc)
    {
        crate::log!("rumpbake: the console cannot be opened: error {}", error.0);
    }
    if let Some(cwd) = &config.cwd {
        match hooks.chdir {
            None => fail("cwd is configured, but the image has no file system"),
            Some(chdir) => {
                if let Err(error) = chdir(proc, cwd) {
                    crate::log!("rumpbake: cannot change to the directory {cwd}: error {}", error.0);
                    boot::exit(Exit::Exited(127));
                }
            }
        }
    }
    match crate::exec::exec(proc) {
        Ok(frame) => frame,
        Err(Errno::E2BIG) => fail("the arguments and the environment are too long"),
        Err(_) => fail("the program does not fit into the machine's memory"),
    }
}

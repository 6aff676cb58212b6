//! Component cons: the console as a terminal (console(4), tty(4)), and descriptors 0, 1 and 2.
//!
//! There is one terminal, and the program is its session: [`tty`] is its line discipline, [`termios`] its settings, [`file`] what an
//! open descriptor of it does. Where the configuration says `stdio=pipe`, the descriptors are a [`stream`] instead. /dev/stdin, /dev/stdout, /dev/stderr and /dev/fd/0 to 2 give a descriptor once more.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod file;
pub mod stream;
pub mod termios;
pub mod tty;

use alloc::vec::Vec;

use rump_config::Stdio;
use rump_hypercall::console;
use rump_kern::devsw::{self, Device, makedev};
use rump_kern::errno::Errno;
use rump_kern::file::FileRef;
use rump_kern::filedesc;
use rump_kern::proc::{Proc, proc0};
use rump_kern::signal::{number, psignal};

rump_kern::component! {
    name: "cons",
    faction: "dev",
    needs: "kern",
    when: "read readv write writev ioctl fcntl poll open",
    about: "console as a terminal",
    init: init
}

/// The major number of descriptors as devices.
const FILEDESC: u32 = 22;

static CONSOLE: Device = Device::new("console", makedev(0, 0), 0o600, open_tty);
static TTY: Device = Device::new("tty", makedev(1, 0), 0o666, open_tty);
static DESCRIPTORS: [Device; 6] = [
    Device::new("stdin", makedev(FILEDESC, 0), 0o666, open_descriptor),
    Device::new("stdout", makedev(FILEDESC, 1), 0o666, open_descriptor),
    Device::new("stderr", makedev(FILEDESC, 2), 0o666, open_descriptor),
    Device::new("fd/0", makedev(FILEDESC, 0), 0o666, open_descriptor),
    Device::new("fd/1", makedev(FILEDESC, 1), 0o666, open_descriptor),
    Device::new("fd/2", makedev(FILEDESC, 2), 0o666, open_descriptor),
];

fn init() {
    rump_kern::init_main::set_console_hooks(input, open_stdio);
    devsw::attach(&CONSOLE);
    devsw::attach(&TTY);
    for device in &DESCRIPTORS {
        devsw::attach(device);
    }
}

fn open_tty(device: &'static Device, flags: u32) -> Result<FileRef, Errno> {
    Ok(file::open(device, flags))
}

/// The descriptor that the device's minor number says, once more, if it is open for what is asked.
fn open_descriptor(device: &'static Device, flags: u32) -> Result<FileRef, Errno> {
    use rump_kern::file::flag::{FREAD, FWRITE};
    // makedev left the minor number in the low byte.
    let file = filedesc::getfile((device.rdev & 0xff) as i32)?;
    if file.head.has(flags & (FREAD | FWRITE)) { Ok(file) } else { Err(Errno::EACCES) }
}

fn open_stdio(proc: &'static Proc) -> Result<(), Errno> {
    use rump_kern::file::flag::{FREAD, FWRITE};
    let open = if is_stream() { stream::open } else { file::open };
    filedesc::install_stdio(&proc.fd, &open(&CONSOLE, FREAD | FWRITE))?;
    // What was typed ahead.
    input();
    Ok(())
}

/// Whether the configuration asks for a stream instead of a terminal.
fn is_stream() -> bool {
    rump_kern::init_main::config().is_some_and(|config| config.stdio == Some(Stdio::Pipe))
}

/// The upcall: takes what has been typed.
fn input() {
    if is_stream() {
        return stream::input();
    }
    const CHUNK: usize = 256;
    let mut buf = [0; CHUNK];
    loop {
        let len = console::read(&mut buf);
        if len == 0 {
            return;
        }
        let mut echo = Vec::new();
        let signals = file::typed(&buf[..len], &mut echo);
        if !echo.is_empty() {
            console::write(&echo);
        }
        let Some(proc) = proc0() else { continue };
        for (wanted, signo) in [
            (signals.interrupt, number::SIGINT),
            (signals.quit, number::SIGQUIT),
            (signals.suspend, number::SIGTSTP),
            (signals.status, number::SIGINFO),
        ] {
            if wanted {
                psignal(proc, signo);
            }
        }
    }
}

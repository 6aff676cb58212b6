//! The rump kernel of the tests on `platform/posix`: started as the component `rumpkernel` starts one, its system calls made directly.

use std::ffi::{CStr, c_int, c_long};

use rump_hypercall::boot::Exit;
use rumpbake_posix::{Outcome, run_to_end, take_console};
use rumpbake_rumpuser::host::{Linked, rumpuser_exit, set_linked};

unsafe extern "C" {
    fn rump_boot_setsigmodel(model: c_int);
    fn rump_init() -> c_int;
    fn rump_pub_lwproc_rfork(flags: c_int) -> c_int;
    fn rump_pub_lwproc_releaselwp();
    fn rump_syscall(number: c_int, args: *mut c_long, len: usize, values: *mut c_long) -> c_int;
    /// Link sets, as addresses.
    static __start_link_set_rump_components: usize;
    static __stop_link_set_rump_components: usize;
    static __start_link_set_modules: usize;
    static __stop_link_set_modules: usize;
}

const SYS_READ: c_int = 3;
const SYS_WRITE: c_int = 4;
const SYS_OPEN: c_int = 5;
const SYS_PIPE: c_int = 42;
const SYS_LSEEK: c_int = 199;

/// A system call: its values or the error number.
fn call(number: c_int, args: [c_long; 4]) -> Result<[c_long; 2], c_int> {
    let mut words = [args[0], args[1], args[2], args[3], 0, 0];
    let mut values = [0; 2];
    // SAFETY: the arguments are what the call asks for.
    let error = unsafe { rump_syscall(number, words.as_mut_ptr(), size_of_val(&words), values.as_mut_ptr()) };
    if error == 0 { Ok(values) } else { Err(error) }
}

/// A link set from its bounds.
fn set(start: *const usize, stop: *const usize) -> &'static [usize] {
    // SAFETY: the bounds are those of one array, which nobody writes.
    unsafe { std::slice::from_raw_parts(start, stop.addr().wrapping_sub(start.addr()) / size_of::<usize>()) }
}

fn open(name: &CStr) -> Result<c_long, c_int> {
    call(SYS_OPEN, [name.as_ptr().expose_provenance() as c_long, 2, 0, 0]).map(|[fd, _]| fd)
}

fn read(fd: c_long, bytes: &mut [u8]) -> Result<c_long, c_int> {
    call(SYS_READ, [fd, bytes.as_mut_ptr().expose_provenance() as c_long, bytes.len() as c_long, 0])
        .map(|[len, _]| len)
}

fn write(fd: c_long, bytes: &[u8]) -> Result<c_long, c_int> {
    call(SYS_WRITE, [fd, bytes.as_ptr().expose_provenance() as c_long, bytes.len() as c_long, 0])
        .map(|[len, _]| len)
}

fn uses() {
    let disk = open(c"/dev/disk").unwrap();
    let text = [b'x'; 1500];
    let mut back = [0; 1500];
    assert_eq!(call(SYS_LSEEK, [disk, 0, 700, 0]), Ok([700, 0]));
    assert_eq!(write(disk, &text), Ok(1500));
    assert_eq!(call(SYS_LSEEK, [disk, 0, 700, 0]), Ok([700, 0]));
    assert_eq!(read(disk, &mut back), Ok(1500));
    assert_eq!(back, text);
    assert_eq!(open(c"/absent"), Err(2));
    let [from, to] = call(SYS_PIPE, [0; 4]).unwrap();
    assert_eq!(write(to, b"through a pipe"), Ok(14));
    assert_eq!(read(from, &mut back), Ok(14));
    assert_eq!(&back[..14], b"through a pipe");
    let tick = open(c"/dev/tick").unwrap();
    let mut ticks = [[0; 4]; 3];
    for number in &mut ticks {
        assert_eq!(read(tick, number), Ok(4));
    }
    let [first, second, third] = ticks.map(i32::from_ne_bytes);
    assert!(first < second && second < third, "{ticks:?}");
}

#[test]
fn a_rump_kernel_runs_in_a_host_process() {
    take_console();
    set_linked(Linked {
        components: set(
            &raw const __start_link_set_rump_components,
            &raw const __stop_link_set_rump_components,
        ),
        modules: set(&raw const __start_link_set_modules, &raw const __stop_link_set_modules),
    });
    let ended = run_to_end(|| {
        // SAFETY: started once, in the order that rump(3) asks for.
        unsafe {
            rump_boot_setsigmodel(3);
            assert_eq!(rump_init(), 0);
            assert_eq!(rump_pub_lwproc_rfork(2), 0);
        }
        uses();
        // SAFETY: the thread has an lwp.
        unsafe { rump_pub_lwproc_releaselwp() };
        rumpuser_exit(9)
    });
    assert_eq!(ended, Outcome::Ended(Exit::Exited(9)));
    let console = String::from_utf8_lossy(&take_console()).into_owned();
    assert!(console.contains("rump kernel: modules of weight 111, processors 1\n"), "{console}");
}

//! What nodes hold besides constants.

use alloc::vec;
use alloc::vec::Vec;

use rump_abi::param::FSCALE;
use rump_abi::types::{Clockinfo, Loadavg, UvmexpSysctl};
use rump_hypercall::memory::{self, PAGE_SIZE};
use rump_hypercall::{Giant, boot, time};

use crate::clock::{NS_PER_S, Timespec, proc_cpu_ns, realtime_ns};
use crate::copy::bytes_of;
use crate::proc::proc0;

/// `__NetBSD_Version__` of 10.1.
pub const OSREVISION: i32 = 1_001_000_000;

/// kern.version: the first words are uname(3)'s.
pub const VERSION: &str = concat!("NetBSD 10.1 (RUMPBAKE) rumpbake ", env!("CARGO_PKG_VERSION"), "\n");

/// Ticks of a second, for those who count in ticks.
const HZ: i32 = 100;

/// Most random bytes that kern.arandom gives at a time.
const ARANDOM_MAX: usize = 256;

/// The host's name where the configuration has none.
const HOSTNAME_DEFAULT: &str = "rumpbake";

static HOSTNAME: Giant<Option<Vec<u8>>> = Giant::new(None);
static DOMAINNAME: Giant<Vec<u8>> = Giant::new(Vec::new());

/// A text with its NUL.
#[must_use]
pub fn c_string(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    bytes.push(0);
    bytes
}

/// The host's name.
#[must_use]
pub fn hostname() -> Vec<u8> {
    if let Some(name) = &*HOSTNAME.borrow() {
        return name.clone();
    }
    let configured = crate::init_main::config().and_then(|config| config.hostname.as_deref());
    configured.unwrap_or(HOSTNAME_DEFAULT).as_bytes().to_vec()
}

/// Changes the host's name.
pub fn set_hostname(name: Vec<u8>) {
    *HOSTNAME.borrow_mut() = Some(name);
}

/// The domain's name.
#[must_use]
pub fn domainname() -> Vec<u8> {
    DOMAINNAME.borrow().clone()
}

/// Changes the domain's name.
pub fn set_domainname(name: Vec<u8>) {
    *DOMAINNAME.borrow_mut() = name;
}

/// A number that may not fit into an int.
#[must_use]
pub fn clamped(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Bytes of memory.
#[must_use]
pub fn physmem() -> u64 {
    boot::info().memory_bytes
}

/// Bytes of memory that a program can have.
#[must_use]
pub fn usermem() -> u64 {
    memory::page_counts().total * PAGE_SIZE as u64
}

/// A random number.
#[must_use]
pub fn urandom() -> i32 {
    let mut bytes = [0; 4];
    time::random(&mut bytes);
    i32::from_le_bytes(bytes)
}

/// Random bytes.
#[must_use]
pub fn arandom(room: usize) -> Vec<u8> {
    let mut bytes = vec![0; room.min(ARANDOM_MAX)];
    time::random(&mut bytes);
    bytes
}

/// Ticks since boot.
#[must_use]
pub fn hardclock_ticks() -> i32 {
    // It wraps, as a counter of 32 bits does.
    (time::monotonic_ns() / (NS_PER_S / HZ as u64)) as i32
}

/// `struct clockinfo`.
#[must_use]
pub fn clockrate(_room: usize) -> Vec<u8> {
    let info = Clockinfo { hz: HZ, tick: 1_000_000 / HZ, tickadj: 40, stathz: HZ, profhz: HZ };
    bytes_of(&info).to_vec()
}

/// `struct timespec`: when the machine started.
#[must_use]
pub fn boottime(_room: usize) -> Vec<u8> {
    let ns = realtime_ns().saturating_sub(time::monotonic_ns());
    bytes_of(&Timespec::from_ns(ns)).to_vec()
}

/// Ticks spent in the program, at lower priority, in the kernel, in interrupts, and idle.
#[must_use]
pub fn cp_time(_room: usize) -> Vec<u8> {
    let tick_ns = NS_PER_S / HZ as u64;
    let busy = proc0().map_or(0, proc_cpu_ns) / tick_ns;
    let idle = (time::monotonic_ns() / tick_ns).saturating_sub(busy);
    bytes_of(&[busy, 0, 0, 0, idle]).to_vec()
}

/// `struct loadavg`: nothing keeps a load average here, and a program alone on its machine is at most one that wants to run.
#[must_use]
pub fn loadavg(_room: usize) -> Vec<u8> {
    bytes_of(&Loadavg { fscale: i64::from(FSCALE), ..Loadavg::ZERO }).to_vec()
}

/// `struct uvmexp_sysctl`.
#[must_use]
pub fn uvmexp2(_room: usize) -> Vec<u8> {
    let counts = memory::page_counts();
    let used = counts.total.saturating_sub(counts.free);
    let info = UvmexpSysctl {
        pagesize: PAGE_SIZE as i64,
        pagemask: PAGE_SIZE as i64 - 1,
        pageshift: i64::from(PAGE_SIZE.trailing_zeros()),
        npages: counts.total.cast_signed(),
        free: counts.free.cast_signed(),
        active: used.cast_signed(),
        anonpages: used.cast_signed(),
        ncolors: 1,
        ..UvmexpSysctl::ZERO
    };
    bytes_of(&info).to_vec()
}

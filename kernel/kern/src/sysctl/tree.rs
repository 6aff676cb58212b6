//! The table of nodes (sysctl(7)).

use alloc::vec::Vec;

use rump_abi::limits::{ARG_MAX, IOV_MAX, LOGIN_NAME_MAX, NGROUPS_MAX};
use rump_abi::param::FSCALE;
use rump_abi::sysctl::*;
use rump_hypercall::Giant;

use super::{procs, values};
use crate::component::hook;
use crate::errno::Errno;
use crate::filedesc::FD_MAX;

/// What a node holds.
#[derive(Clone, Copy)]
pub enum Value {
    /// Other nodes.
    Children(&'static [Node]),
    /// A number.
    Int(fn() -> i32),
    /// A 64-bit number.
    Quad(fn() -> u64),
    /// A text that does not change.
    Text(fn() -> &'static str),
    /// The host's name, which can be set.
    Hostname,
    /// The domain's name, which can be set.
    Domainname,
    /// A structure; the argument is how many bytes the caller has room for.
    Struct(fn(room: usize) -> Vec<u8>),
    /// A structure that depends on further numbers of the name.
    Query(fn(rest: &[i32]) -> Result<Vec<u8>, Errno>),
}

/// A node.
pub struct Node {
    /// Its number.
    pub number: i32,
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub value: Value,
}

impl Node {
    /// Whether it can be set.
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        matches!(self.value, Value::Hostname | Value::Domainname)
    }
}

const fn node(number: i32, name: &'static str, value: Value) -> Node {
    Node { number, name, value }
}

/// A number that does not change.
macro_rules! int {
    ($number:expr, $name:literal, $value:expr) => {
        node($number, $name, Value::Int(|| $value))
    };
}

/// A text that does not change.
macro_rules! text {
    ($number:expr, $name:literal, $value:expr) => {
        node($number, $name, Value::Text(|| $value))
    };
}

/// The tree.
pub static ROOT: Node = node(0, "", Value::Children(TOP));

static TOP: &[Node] = &[
    node(CTL_KERN, "kern", Value::Children(KERN)),
    node(CTL_VM, "vm", Value::Children(VM)),
    node(CTL_NET, "net", Value::Query(network)),
    node(CTL_HW, "hw", Value::Children(HW)),
    node(CTL_MACHDEP, "machdep", Value::Children(MACHDEP)),
];

/// What the network answers below CTL_NET, given the rest of the name.
type Network = fn(rest: &[i32]) -> Result<Vec<u8>, Errno>;

static NETWORK: Giant<Option<Network>> = Giant::new(None);

/// The network's: answers below CTL_NET.
pub fn set_network(query: Network) {
    NETWORK.set(Some(hook(query)));
}

fn network(rest: &[i32]) -> Result<Vec<u8>, Errno> {
    let query = NETWORK.get().ok_or(Errno::ENOENT)?;
    query(rest)
}

/// Largest buffer that a socket may be given, bytes.
pub const SB_MAX: usize = 4 << 20;

/// The version of POSIX.1 that the options follow.
const POSIX_2001: i32 = 200_112;

static KERN: &[Node] = &[
    text!(KERN_OSTYPE, "ostype", "NetBSD"),
    text!(KERN_OSRELEASE, "osrelease", "10.1"),
    int!(KERN_OSREV, "osrevision", values::OSREVISION),
    text!(KERN_VERSION, "version", values::VERSION),
    int!(KERN_MAXVNODES, "maxvnodes", FD_MAX as i32),
    int!(KERN_MAXPROC, "maxproc", 1),
    int!(KERN_MAXFILES, "maxfiles", FD_MAX as i32),
    int!(KERN_ARGMAX, "argmax", ARG_MAX),
    int!(KERN_SECURELVL, "securelevel", -1),
    node(KERN_HOSTNAME, "hostname", Value::Hostname),
    int!(KERN_HOSTID, "hostid", 0),
    node(KERN_CLOCKRATE, "clockrate", Value::Struct(values::clockrate)),
    int!(KERN_POSIX1, "posix1version", 200_809),
    int!(KERN_NGROUPS, "ngroups", NGROUPS_MAX),
    int!(KERN_JOB_CONTROL, "job_control", 1),
    int!(KERN_SAVED_IDS, "saved_ids", 1),
    node(KERN_DOMAINNAME, "domainname", Value::Domainname),
    int!(KERN_MAXPARTITIONS, "maxpartitions", 16),
    int!(KERN_RAWPARTITION, "rawpartition", 3),
    int!(KERN_RTC_OFFSET, "rtc_offset", 0),
    int!(KERN_FSYNC, "fsync", 1),
    int!(KERN_SYNCHRONIZED_IO, "synchronized_io", 1),
    int!(KERN_IOV_MAX, "iov_max", IOV_MAX),
    int!(KERN_MAPPED_FILES, "mapped_files", 1),
    int!(KERN_MEMLOCK, "memlock", 1),
    int!(KERN_MEMLOCK_RANGE, "memlock_range", 1),
    int!(KERN_MEMORY_PROTECTION, "memory_protection", 1),
    int!(KERN_LOGIN_NAME_MAX, "login_name_max", LOGIN_NAME_MAX),
    node(KERN_PROC2, "proc2", Value::Query(procs::proc2)),
    node(KERN_PROC_ARGS, "proc_args", Value::Query(procs::proc_args)),
    int!(KERN_FSCALE, "fscale", FSCALE),
    int!(KERN_SBMAX, "sbmax", SB_MAX as i32),
    node(KERN_CP_TIME, "cp_time", Value::Struct(values::cp_time)),
    int!(KERN_MAXPHYS, "maxphys", 65536),
    int!(KERN_MONOTONIC_CLOCK, "monotonic_clock", POSIX_2001),
    node(KERN_URND, "urandom", Value::Int(values::urandom)),
    int!(KERN_POSIX_THREADS, "posix_threads", POSIX_2001),
    int!(KERN_POSIX_SEMAPHORES, "posix_semaphores", POSIX_2001),
    int!(KERN_POSIX_BARRIERS, "posix_barriers", POSIX_2001),
    int!(KERN_POSIX_TIMERS, "posix_timers", POSIX_2001),
    int!(KERN_POSIX_SPIN_LOCKS, "posix_spin_locks", POSIX_2001),
    int!(KERN_POSIX_READER_WRITER_LOCKS, "posix_reader_writer_locks", POSIX_2001),
    node(KERN_CP_ID, "cp_id", Value::Struct(|_| 0_u64.to_le_bytes().to_vec())),
    node(KERN_HARDCLOCK_TICKS, "hardclock_ticks", Value::Int(values::hardclock_ticks)),
    node(KERN_ARND, "arandom", Value::Struct(values::arandom)),
    node(KERN_BOOTTIME, "boottime", Value::Struct(values::boottime)),
];

static VM: &[Node] = &[
    node(VM_LOADAVG, "loadavg", Value::Struct(values::loadavg)),
    node(VM_UVMEXP2, "uvmexp2", Value::Struct(values::uvmexp2)),
    node(VM_MINADDRESS, "minaddress", Value::Quad(|| rump_hypercall::memory::USER_MIN as u64)),
    node(VM_MAXADDRESS, "maxaddress", Value::Quad(|| crate::uvm::VM_MAXUSER_ADDRESS as u64)),
    int!(VM_GUARD_SIZE, "guard_size", 4096),
    int!(VM_THREAD_GUARD_SIZE, "thread_guard_size", 65536),
];

static HW: &[Node] = &[
    text!(HW_MACHINE, "machine", "amd64"),
    text!(HW_MODEL, "model", "x86-64 processor"),
    int!(HW_NCPU, "ncpu", 1),
    int!(HW_BYTEORDER, "byteorder", 1234),
    node(HW_PHYSMEM, "physmem", Value::Int(|| values::clamped(values::physmem()))),
    node(HW_USERMEM, "usermem", Value::Int(|| values::clamped(values::usermem()))),
    int!(HW_PAGESIZE, "pagesize", rump_hypercall::memory::PAGE_SIZE as i32),
    text!(HW_DISKNAMES, "disknames", ""),
    text!(HW_MACHINE_ARCH, "machine_arch", "x86_64"),
    int!(HW_ALIGNBYTES, "alignbytes", 7),
    node(HW_PHYSMEM64, "physmem64", Value::Quad(values::physmem)),
    node(HW_USERMEM64, "usermem64", Value::Quad(values::usermem)),
    text!(HW_IOSTATNAMES, "iostatnames", ""),
    int!(HW_NCPUONLINE, "ncpuonline", 1),
];

/// The first number of nodes that have none in the headers (CREATE_BASE).
const CREATE_BASE: i32 = 1024;

static MACHDEP: &[Node] = &[
    int!(CREATE_BASE, "fpu_present", 1),
    int!(CREATE_BASE + 1, "osfxsr", 1),
    int!(CREATE_BASE + 2, "sse", 1),
    int!(CREATE_BASE + 3, "sse2", 1),
];

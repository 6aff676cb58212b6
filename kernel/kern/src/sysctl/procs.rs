//! What nodes say of the process: kern.proc2, kern.proc_args.

use alloc::vec::Vec;

use rump_abi::sysctl::*;
use rump_abi::types::KinfoProc2;
use rump_hypercall::memory::PAGE_SIZE;

use super::values::{c_string, clamped};
use crate::clock::{NS_PER_S, proc_cpu_ns, realtime_ns};
use crate::copy::bytes_of;
use crate::errno::Errno;
use crate::proc::{Proc, proc0};
use crate::prot;

/// The process that a number means; -1 is the caller.
fn process(pid: i32) -> Result<&'static Proc, Errno> {
    let proc = proc0().ok_or(Errno::ESRCH)?;
    if pid == proc.pid || pid == -1 { Ok(proc) } else { Err(Errno::ESRCH) }
}

/// kern.proc_args.pid.what
///
/// # Errors
/// EINVAL, ESRCH, ENOENT.
pub fn proc_args(rest: &[i32]) -> Result<Vec<u8>, Errno> {
    let &[pid, what] = rest else { return Err(Errno::EINVAL) };
    let proc = process(pid)?;
    let joined = |words: &[Vec<u8>]| words.iter().flat_map(|word| c_string(word)).collect::<Vec<u8>>();
    let count = |words: &[Vec<u8>]| clamped(words.len() as u64).to_le_bytes().to_vec();
    match what {
        KERN_PROC_ARGV => Ok(joined(&proc.args.borrow())),
        KERN_PROC_NARGV => Ok(count(&proc.args.borrow())),
        KERN_PROC_ENV => Ok(joined(&proc.env.borrow())),
        KERN_PROC_NENV => Ok(count(&proc.env.borrow())),
        KERN_PROC_PATHNAME => Ok(pathname(proc)),
        _ => Err(Errno::EINVAL),
    }
}

/// The program's path: `argv[0]`, as a path from the root.
fn pathname(proc: &Proc) -> Vec<u8> {
    let args = proc.args.borrow();
    let argv0 = args.first().map_or(&b"app"[..], |arg| arg);
    let mut path = Vec::new();
    if argv0.first() != Some(&b'/') {
        path.push(b'/');
    }
    path.extend_from_slice(argv0);
    c_string(&path)
}

fn matches(proc: &Proc, which: i32, argument: i32) -> bool {
    let ids = |(uid, gid): (u32, u32)| (uid.cast_signed(), gid.cast_signed());
    match which {
        KERN_PROC_ALL => true,
        KERN_PROC_PID | KERN_PROC_PGRP | KERN_PROC_SESSION => argument == proc.pid,
        KERN_PROC_UID => ids(prot::effective()).0 == argument,
        KERN_PROC_RUID => ids(prot::real()).0 == argument,
        KERN_PROC_GID => ids(prot::effective()).1 == argument,
        KERN_PROC_RGID => ids(prot::real()).1 == argument,
        _ => false,
    }
}

/// kern.proc2.which.argument.size.count
///
/// # Errors
/// EINVAL.
pub fn proc2(rest: &[i32]) -> Result<Vec<u8>, Errno> {
    let &[which, argument, size, count] = rest else { return Err(Errno::EINVAL) };
    let size = usize::try_from(size).map_err(|_| Errno::EINVAL)?;
    if size == 0 || count < 0 {
        return Err(Errno::EINVAL);
    }
    let Some(proc) = proc0().filter(|proc| matches(proc, which, argument)) else { return Ok(Vec::new()) };
    if count == 0 {
        return Ok(Vec::new());
    }
    let info = info(proc);
    let bytes = bytes_of(&info);
    Ok(bytes[..bytes.len().min(size)].to_vec())
}

fn info(proc: &'static Proc) -> KinfoProc2 {
    /// LSRUN of sys/lwp.h: SRUN's number in `p_stat`.
    const RUNNING: i8 = 2;
    let cpu_ns = proc_cpu_ns(proc);
    let start_ns = realtime_ns().saturating_sub(rump_hypercall::time::monotonic_ns());
    // Both fit: seconds of processor time, and of the time of day until 2106.
    let seconds = |ns: u64| (ns / NS_PER_S) as u32;
    let micros = |ns: u64| (ns % NS_PER_S / 1000) as u32;
    let ((ruid, rgid), (uid, gid)) = (prot::real(), prot::effective());
    let pages = proc.vm.borrow().resident_bytes() / PAGE_SIZE;
    let mut info = KinfoProc2 {
        p_pid: proc.pid,
        p_ppid: proc.ppid,
        p_sid: proc.pid,
        p__pgid: proc.pid,
        p_tpgid: proc.pid,
        p_uid: uid,
        p_ruid: ruid,
        p_svuid: uid,
        p_gid: gid,
        p_rgid: rgid,
        p_svgid: gid,
        p_rtime_sec: seconds(cpu_ns),
        p_rtime_usec: micros(cpu_ns),
        p_stat: RUNNING,
        p_nice: 20,
        p_vm_rssize: clamped(pages as u64),
        p_uvalid: 1,
        p_ustart_sec: seconds(start_ns),
        p_ustart_usec: micros(start_ns),
        p_uutime_sec: seconds(cpu_ns),
        p_uutime_usec: micros(cpu_ns),
        p_nlwps: proc.lwps.live_count() as u64,
        p_nrlwps: 1,
        p_realstat: RUNNING as u64,
        p_vm_vsize: pages as i64,
        p_vm_msize: pages as i64,
        ..KinfoProc2::ZERO
    };
    let fill = |field: &mut [u8], text: &[u8]| {
        let len = text.len().min(field.len() - 1);
        field[..len].copy_from_slice(&text[..len]);
    };
    fill(&mut info.p_comm, proc.comm.borrow().as_bytes());
    fill(&mut info.p_login, b"root");
    fill(&mut info.p_ename, b"netbsd");
    info
}

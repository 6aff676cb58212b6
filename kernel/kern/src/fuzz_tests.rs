//! System calls with arguments that make no sense: they have to answer, whatever it is.

use rump_hypercall::upcall::{Ret, SysEntry};

use crate::clock::*;
use crate::futex::*;
use crate::lwp_park::*;
use crate::lwpctl::*;
use crate::prot::*;
use crate::resource::*;
use crate::signal::calls::*;
use crate::sys_lwp::*;
use crate::testing::{SCRATCH, kernel};
use crate::timer::*;
use crate::uvm::advice::*;
use crate::uvm::mmap::*;

/// Calls that come back at once, whatever they are asked.
const CALLS: [SysEntry; 67] = [
    sys___clock_gettime50,
    sys___clock_getres50,
    sys___gettimeofday50,
    sys___adjtime50,
    sys_clock_getcpuclockid2,
    sys___futex_get_robust_list,
    sys__lwp_unpark,
    sys__lwp_unpark_all,
    sys__lwp_ctl,
    sys_getpid,
    sys_getppid,
    sys_getuid,
    sys_geteuid,
    sys_getgid,
    sys_getegid,
    sys_setuid,
    sys_seteuid,
    sys_setreuid,
    sys_setgid,
    sys_setegid,
    sys_setregid,
    sys_issetugid,
    sys_getgroups,
    sys_setgroups,
    sys_getpgrp,
    sys_getpgid,
    sys_setpgid,
    sys_getsid,
    sys_setsid,
    sys___getlogin,
    sys___setlogin,
    sys_getpriority,
    sys_setpriority,
    sys_sched_yield,
    sys___getrusage50,
    sys__sched_getparam,
    sys__sched_setparam,
    sys__sched_getaffinity,
    sys__sched_setaffinity,
    sys___sigaction_sigtramp,
    sys___sigpending14,
    sys___sigaltstack14,
    sys_getcontext,
    sys__lwp_self,
    sys__lwp_detach,
    sys__lwp_setprivate,
    sys__lwp_getprivate,
    sys__lwp_setname,
    sys__lwp_getname,
    sys__lwp_wakeup,
    sys__lwp_continue,
    sys_timer_create,
    sys_timer_delete,
    sys___timer_gettime50,
    sys_timer_getoverrun,
    sys___getitimer50,
    sys_madvise,
    sys_minherit,
    sys_mincore,
    sys___msync13,
    sys_munlock,
    sys_munlockall,
    sys_mprotect,
    sys_mremap,
    sys_break,
    sys_munmap,
    sys_mmap,
];

/// Words that are more interesting than most.
const WORDS: [u64; 20] = [
    0,
    1,
    2,
    3,
    7,
    8,
    16,
    63,
    64,
    4095,
    4096,
    0x1000,
    SCRATCH as u64,
    SCRATCH as u64 + 1,
    SCRATCH as u64 + 0xfff8,
    0x7f7f_ffff_e000,
    0x7fff_ffff_f000,
    i64::MAX as u64,
    0xffff_ffff_8000_0000,
    u64::MAX,
];

#[test]
fn nonsense_is_answered() {
    let mut seed = 0x853c_49e6_748f_ea9b_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..20 {
        let mut args = [[0_u64; 6]; 400];
        for words in &mut args {
            for word in words {
                let choice = random();
                *word = match choice % 8 {
                    0 => random(),
                    1 => random() % 256,
                    2 => SCRATCH as u64 + random() % 0x1_0000,
                    _ => WORDS[(choice >> 8) as usize % WORDS.len()],
                };
            }
        }
        let first = random() as usize;
        kernel(|_| {
            for (index, a) in args.iter().enumerate() {
                let call = CALLS[(first.wrapping_add(index.wrapping_mul(7))) % CALLS.len()];
                let Ret { errno, .. } = call(a[0], a[1], a[2], a[3], a[4], a[5]);
                assert!((0..=98).contains(&errno) || errno == Ret::RESTART, "error {errno}");
            }
        });
    }
}

#[test]
fn futexes_of_nowhere_are_refused() {
    kernel(|_| {
        for op in 0..16 {
            let ret = sys___futex(0xffff_8000_0000_0000, op, 1, 0, 8, 1);
            // Waking nobody succeeds; whatever looks at the word fails.
            assert!(ret.errno != 0 || matches!(op, 1 | 3 | 10), "operation {op}: {ret:?}");
        }
    });
}

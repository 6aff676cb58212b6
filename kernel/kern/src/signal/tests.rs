//! Signals from sending to the handler's frame.

use rump_hypercall::boot::Exit;
use rump_hypercall::user::Trapframe;

use super::action::{Disposition, SaFlags, SigAction};
use super::calls::*;
use super::deliver::ast;
use super::info::KsigInfo;
use super::number::*;
use super::set::SigSet;
use super::state::{deliverable, set_mask, sigsuspend_setup};
use super::ucontext::{UC_CPU, UC_FPU, UC_SIGMASK, UContext};
use super::wait::*;
use super::{kpsignal, lwp_signal, psignal};
use crate::copy::{copyin, copyout};
use crate::curproc;
use crate::errno::{ERESTART, Errno};
use crate::testing::{SCRATCH, kernel, outcome};

const HANDLER: usize = 0x40_1000;
const TRAMPOLINE: usize = 0x40_2000;

fn handle(signo: i32, flags: SaFlags, mask: SigSet) {
    curproc().sig.actions.borrow_mut()[signo as usize] =
        SigAction { disposition: Disposition::Handler(HANDLER), mask, flags, trampoline: TRAMPOLINE };
}

fn running() -> Trapframe {
    Trapframe { rip: 0x40_0000, rsp: SCRATCH as u64 + 0x8000, rax: 42, rflags: 0x602, ..Trapframe::default() }
}

#[test]
fn a_handler_is_called_with_netbsds_frame() {
    kernel(|lwp| {
        handle(SIGUSR1, SaFlags::SIGINFO, SigSet::of(SIGUSR2));
        set_mask(lwp, SigSet::of(SIGHUP));
        kpsignal(curproc(), KsigInfo::sent(SIGUSR1, -1, 77)).unwrap();
        let before = running();
        let mut frame = before;
        ast(&mut frame);
        assert_eq!((frame.rip, frame.rdi), (HANDLER as u64, SIGUSR1 as u64));
        assert_eq!(frame.rsp % 16, 8, "as after a call");
        assert!(frame.rsp < before.rsp - 128, "the red zone is left alone");
        assert_eq!(frame.rflags & 0x400, 0, "the direction flag is clear");
        assert_eq!(copyin::<u64>(frame.rsp as usize), Ok(TRAMPOLINE as u64));
        assert_eq!(frame.r15, frame.rdx);
        let info: [u8; 128] = copyin(frame.rsi as usize).unwrap();
        assert_eq!(KsigInfo::from_bytes(&info), KsigInfo::sent(SIGUSR1, -1, 77));
        let uc: UContext = copyin(frame.rdx as usize).unwrap();
        assert_eq!(uc.flags & (UC_SIGMASK | UC_CPU | UC_FPU), UC_SIGMASK | UC_CPU | UC_FPU);
        assert_eq!((uc.gregs[21], uc.gregs[24], uc.gregs[14]), (before.rip, before.rsp, 42));
        assert_eq!(SigSet::from_words(uc.sigmask), SigSet::of(SIGHUP));
        let blocked = SigSet::of(SIGHUP).union(SigSet::of(SIGUSR1)).union(SigSet::of(SIGUSR2));
        assert_eq!(lwp.sig.mask.get(), blocked);
    });
}

#[test]
fn setcontext_goes_back_to_where_the_signal_came() {
    let before = running();
    let ended = outcome(|lwp| {
        handle(SIGUSR1, SaFlags::empty(), SigSet::EMPTY);
        psignal(curproc(), SIGUSR1);
        let mut frame = before;
        ast(&mut frame);
        assert!(lwp.sig.mask.get().has(SIGUSR1));
        let ret = setcontext(frame.r15 as usize);
        panic!("it came back: {ret:?}");
    });
    let rumpbake_posix::Outcome::Entered(frame) = ended else { panic!("{ended:?}") };
    assert_eq!((frame.rip, frame.rsp, frame.rax, frame.rflags), (before.rip, before.rsp, 42, 0x602));
}

#[test]
fn what_is_blocked_waits() {
    kernel(|lwp| {
        handle(SIGUSR1, SaFlags::empty(), SigSet::EMPTY);
        set_mask(lwp, SigSet::of(SIGUSR1));
        psignal(curproc(), SIGUSR1);
        let mut frame = running();
        ast(&mut frame);
        assert_eq!(frame, running());
        assert_eq!(sys___sigpending14(SCRATCH as u64, 0, 0, 0, 0, 0).errno, 0);
        assert_eq!(SigSet::copyin(SCRATCH), Ok(SigSet::of(SIGUSR1)));
        set_mask(lwp, SigSet::EMPTY);
        ast(&mut frame);
        assert_eq!(frame.rip, HANDLER as u64);
    });
}

#[test]
fn ignored_signals_are_dropped() {
    kernel(|lwp| {
        psignal(curproc(), SIGCHLD);
        psignal(curproc(), SIGTSTP);
        assert!(deliverable(lwp).is_empty());
        set_mask(lwp, SigSet::of(SIGCHLD));
        psignal(curproc(), SIGCHLD);
        assert!(curproc().sig.pending.borrow().set().has(SIGCHLD), "a blocked one may be waited for");
    });
}

#[test]
fn the_alternate_stack_is_used_once() {
    kernel(|lwp| {
        handle(SIGUSR1, SaFlags::ONSTACK | SaFlags::NODEFER, SigSet::EMPTY);
        let stack = super::ucontext::Stack { sp: SCRATCH as u64, size: 0x4000, flags: 0, pad: 0 };
        copyout(&stack, SCRATCH + 0xf000).unwrap();
        assert_eq!(sys___sigaltstack14(SCRATCH as u64 + 0xf000, 0, 0, 0, 0, 0).errno, 0);
        let mut frame = running();
        psignal(curproc(), SIGUSR1);
        ast(&mut frame);
        let first = frame.rsp as usize;
        assert!((SCRATCH..SCRATCH + 0x4000).contains(&first));
        psignal(curproc(), SIGUSR1);
        ast(&mut frame);
        assert!((SCRATCH..first).contains(&(frame.rsp as usize)), "the second goes below the first");
        assert!(!lwp.sig.mask.get().has(SIGUSR1));
    });
}

#[test]
fn no_stack_for_the_handler_ends_the_program() {
    let ended = outcome(|_| {
        handle(SIGUSR1, SaFlags::empty(), SigSet::EMPTY);
        psignal(curproc(), SIGUSR1);
        ast(&mut Trapframe { rsp: 0x10, ..running() });
    });
    assert_eq!(ended, rumpbake_posix::Outcome::Ended(Exit::Signaled(SIGILL as u8)));
}

#[test]
fn default_actions_end_the_program() {
    let ended = outcome(|_| {
        assert_eq!(sys_kill(0, SIGTERM as u64, 0, 0, 0, 0).errno, 0);
        ast(&mut running());
    });
    assert_eq!(ended, rumpbake_posix::Outcome::Ended(Exit::Signaled(SIGTERM as u8)));
}

#[test]
fn sa_restart_says_how_a_sleep_ends() {
    kernel(|lwp| {
        handle(SIGUSR1, SaFlags::RESTART, SigSet::EMPTY);
        handle(SIGUSR2, SaFlags::empty(), SigSet::EMPTY);
        assert_eq!(lwp.interruption(), None);
        lwp_signal(lwp, KsigInfo::empty(SIGUSR1)).unwrap();
        assert_eq!(lwp.interruption(), Some(ERESTART));
        ast(&mut running());
        lwp_signal(lwp, KsigInfo::empty(SIGUSR2)).unwrap();
        assert_eq!(lwp.interruption(), Some(Errno::EINTR));
    });
}

#[test]
fn sigsuspend_takes_its_mask_back_after_the_handler() {
    kernel(|lwp| {
        handle(SIGUSR1, SaFlags::empty(), SigSet::EMPTY);
        set_mask(lwp, SigSet::of(SIGUSR1));
        sigsuspend_setup(lwp, SigSet::of(SIGHUP));
        psignal(curproc(), SIGUSR1);
        let mut frame = running();
        ast(&mut frame);
        assert_eq!(frame.rip, HANDLER as u64);
        let uc: UContext = copyin(frame.rdx as usize).unwrap();
        assert_eq!(
            SigSet::from_words(uc.sigmask),
            SigSet::of(SIGUSR1),
            "the handler returns to the old mask"
        );
        assert_eq!(lwp.sig.mask.get(), SigSet::of(SIGHUP).union(SigSet::of(SIGUSR1)));
    });
}

#[test]
fn sigtimedwait_takes_or_times_out() {
    kernel(|lwp| {
        set_mask(lwp, SigSet::of(40));
        SigSet::of(40).copyout(SCRATCH).unwrap();
        copyout(&[0_u64, 1_000_000], SCRATCH + 64).unwrap();
        let wait =
            || sys_____sigtimedwait50(SCRATCH as u64, SCRATCH as u64 + 128, SCRATCH as u64 + 64, 0, 0, 0);
        assert_eq!(wait().errno, Errno::EAGAIN.0);
        kpsignal(curproc(), KsigInfo::sent(40, -1, 5)).unwrap();
        assert_eq!(wait().value, 40);
        let info: [u8; 128] = copyin(SCRATCH + 128).unwrap();
        assert_eq!(KsigInfo::from_bytes(&info), KsigInfo::sent(40, -1, 5));
    });
}

#[test]
fn hostile_arguments_are_refused() {
    kernel(|_| {
        for signo in [0, -1, 64, i32::MIN, i32::MAX] {
            let word = signo as u64;
            assert_eq!(sys___sigaction_sigtramp(word, 0, 0, 0, 2, 0).errno, Errno::EINVAL.0);
            if signo != 0 {
                assert_eq!(sys_kill(0, word, 0, 0, 0, 0).errno, Errno::EINVAL.0);
            }
        }
        for addr in [8, usize::MAX as u64, 0xffff_8000_0000_0000] {
            assert_eq!(sys___sigaction_sigtramp(10, addr, 0, 0, 2, 0).errno, Errno::EFAULT.0);
            assert_eq!(sys_setcontext(addr, 0, 0, 0, 0, 0).errno, Errno::EFAULT.0);
            assert_eq!(sys___sigprocmask14(1, addr, 0, 0, 0, 0).errno, Errno::EFAULT.0);
            assert_eq!(sys___sigsuspend14(addr, 0, 0, 0, 0, 0).errno, Errno::EFAULT.0);
        }
        let mut uc: UContext = crate::copy::zeroed();
        uc.flags = UC_CPU;
        uc.gregs[21] = 0xffff_ffff_8000_0000;
        copyout(&uc, SCRATCH).unwrap();
        assert_eq!(sys_setcontext(SCRATCH as u64, 0, 0, 0, 0, 0).errno, Errno::EINVAL.0);
    });
}

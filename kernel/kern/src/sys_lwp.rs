//! LWP system calls (_lwp_create(2) and its like; parking is in [`crate::lwp_park`]).

use alloc::boxed::Box;

use rump_hypercall::user::{self, Trapframe};
use rump_hypercall::{Giant, thread};

use crate::copy::{copyout, copyout_bytes, copyout_opt};
use crate::errno::Errno;
use crate::lwp::{Lwp, NAME_MAX_BYTES, State, curlwp};
use crate::signal::info::code::SI_LWP;
use crate::signal::ucontext::{
    FXSAVE_SIZE, FpuArea, UC_CPU, UC_FPU, UC_SIGMASK, UC_TLSBASE, copyin_ucontext, frame_of, validate,
};
use crate::signal::{KsigInfo, SigSet, is_signal, lwp_signal};
use crate::sleep::sleep_sig;
use crate::syscall;

/// `LWP_DETACHED`.
const LWP_DETACHED: u64 = 0x40;
/// `LWP_SUSPENDED`.
const LWP_SUSPENDED: u64 = 0x80;

/// Pages that a new LWP takes: its kernel stack, and what it touches first of its own.
const START_PAGES: u64 = 10;

/// LWPs that were made and have not run yet.
static UNSTARTED: Giant<u64> = Giant::new(0);

/// With what an LWP starts.
pub struct Start {
    frame: Trapframe,
    fsbase: usize,
    fpregs: [u8; FXSAVE_SIZE],
}

/// The creator's floating-point environment, with empty registers: what an LWP begins with whose context says nothing else.
fn inherited_fpregs() -> [u8; FXSAVE_SIZE] {
    let mut area = FpuArea::new();
    user::fpu_save(&mut area.0);
    let mut fpregs = [0; FXSAVE_SIZE];
    // The x87 control word; MXCSR.
    fpregs[..2].copy_from_slice(&area.0[..2]);
    fpregs[24..28].copy_from_slice(&area.0[24..28]);
    fpregs
}

syscall! {
    /// _lwp_create(2).
    fn sys__lwp_create(context: usize, flags: u64, new_lwp: usize) -> Result<(), Errno> {
        let uc = copyin_ucontext(context)?;
        validate(&uc)?;
        if flags & !(LWP_DETACHED | LWP_SUSPENDED) != 0 || uc.flags & UC_CPU == 0 {
            return Err(Errno::EINVAL);
        }
        // A stack for it must not come from the kernel's reserve, and nobody could refuse it the first pages that it touches.
        let waiting = UNSTARTED.get();
        if crate::uvm::fault::available_pages() <= (waiting + 1) * START_PAGES {
            return Err(Errno::EAGAIN);
        }
        let creator = curlwp();
        let proc = creator.proc;
        let lwp = proc.lwps.alloc(proc)?;
        lwp.detached.set(flags & LWP_DETACHED != 0);
        lwp.suspended.set(flags & LWP_SUSPENDED != 0);
        let mask = if uc.flags & UC_SIGMASK != 0 { SigSet::from_words(uc.sigmask) } else { creator.sig.mask.get() };
        lwp.sig.mask.set(mask.as_mask());
        lwp.start.set(Some(Box::new(Start {
            frame: frame_of(&uc.gregs),
            fsbase: if uc.flags & UC_TLSBASE != 0 { uc.tlsbase as usize } else { user::fsbase() },
            fpregs: if uc.flags & UC_FPU != 0 { uc.fpregs } else { inherited_fpregs() },
        })));
        if let Err(errno) = copyout(&lwp.lid, new_lwp) {
            lwp.start.set(None);
            proc.lwps.free(lwp);
            return Err(errno);
        }
        let Ok(thread) = thread::create(start_lwp, core::ptr::from_ref(lwp).expose_provenance()) else {
            lwp.start.set(None);
            proc.lwps.free(lwp);
            return Err(Errno::EAGAIN);
        };
        UNSTARTED.set(waiting + 1);
        lwp.thread.set(Some(thread));
        if lwp.suspended.get() {
            lwp.need_ast();
        }
        Ok(())
    }
}

/// The first thing that the new thread runs.
fn start_lwp(arg: usize) -> ! {
    // SAFETY: the argument is the address of an `Lwp` (sys__lwp_create), which is never freed.
    let lwp: &'static Lwp = unsafe { &*core::ptr::with_exposed_provenance::<Lwp>(arg) };
    UNSTARTED.set(UNSTARTED.get() - 1);
    lwp.attach();
    let frame = prepare(lwp);
    user::enter(&frame)
}

/// Sets the thread's registers up but for the general ones; those it returns. Nothing stays behind to be dropped.
fn prepare(lwp: &'static Lwp) -> Trapframe {
    let Some(start) = lwp.start.take() else { exit_lwp(lwp) };
    user::set_fsbase(start.fsbase);
    user::fpu_restore(&start.fpregs);
    start.frame
}

/// What is to be done by an LWP that ends.
static EXIT_HOOK: Giant<Option<fn()>> = Giant::new(None);

/// Has `f` called by each LWP that ends while others go on. It must not wait.
pub fn set_exit_hook(f: fn()) {
    // If the compiler saw that there is only one such function, it would call that by name, and every image with threads would refer to it.
    EXIT_HOOK.set(Some(core::hint::black_box(f)));
}

/// Ends the calling LWP, which is `lwp`.
pub fn exit_lwp(lwp: &'static Lwp) -> ! {
    let proc = lwp.proc;
    if proc.lwps.live_count() == 1 {
        crate::exit::exit1(0);
    }
    if let Some(hook) = EXIT_HOOK.get() {
        hook();
    }
    crate::lwpctl::exited(lwp);
    crate::clock::lwp_exits(lwp);
    crate::futex::lwp_exits(lwp);
    // Signals that this LWP was to take go to another.
    proc.lwps.bury(lwp);
    crate::signal::post::pass_on(proc);
    if lwp.detached.get() {
        proc.lwps.free(lwp);
    }
    lwp.thread.set(None);
    proc.lwps.exit_cv.broadcast();
    thread::set_word(0);
    thread::exit()
}

syscall! {
    /// _lwp_exit(2).
    fn sys__lwp_exit() -> Result<(), Errno> {
        exit_lwp(curlwp())
    }
}

syscall! {
    /// _lwp_self(2).
    fn sys__lwp_self() -> Result<i32, Errno> {
        Ok(curlwp().lid)
    }
}

syscall! {
    /// _lwp_wait(2).
    fn sys__lwp_wait(wait_for: i32, departed: usize) -> Result<(), Errno> {
        let lid = lwp_wait(wait_for)?;
        copyout_opt(&lid, departed)
    }
}

fn lwp_wait(wait_for: i32) -> Result<i32, Errno> {
    let me = curlwp();
    let table = &me.proc.lwps;
    if wait_for == me.lid {
        return Err(Errno::EDEADLK);
    }
    loop {
        let zombie = if wait_for == 0 {
            let others = table.find_by(|lwp| lwp.lid != me.lid && !lwp.detached.get());
            if others.is_none() {
                return Err(Errno::ESRCH);
            }
            table.find_by(|lwp| lwp.state.get() == State::Zombie && !lwp.detached.get())
        } else {
            let lwp = table.find(wait_for).ok_or(Errno::ESRCH)?;
            if lwp.detached.get() {
                return Err(Errno::EINVAL);
            }
            (lwp.state.get() == State::Zombie).then_some(lwp)
        };
        if let Some(zombie) = zombie {
            let lid = zombie.lid;
            table.free(zombie);
            return Ok(lid);
        }
        sleep_sig(&table.exit_cv, rump_hypercall::time::NEVER)?;
    }
}

syscall! {
    /// _lwp_detach(2).
    fn sys__lwp_detach(lid: i32) -> Result<(), Errno> {
        let table = &curlwp().proc.lwps;
        let lwp = table.find(lid).ok_or(Errno::ESRCH)?;
        if lwp.detached.replace(true) {
            return Err(Errno::EINVAL);
        }
        if lwp.state.get() == State::Zombie {
            table.free(lwp);
        }
        // Those who wait for it have to learn that they cannot any more.
        table.exit_cv.broadcast();
        Ok(())
    }
}

fn find(lid: i32) -> Result<&'static Lwp, Errno> {
    curlwp().proc.lwps.find_live(lid).ok_or(Errno::ESRCH)
}

syscall! {
    /// _lwp_kill(2).
    fn sys__lwp_kill(lid: i32, signo: i32) -> Result<(), Errno> {
        let lwp = find(lid)?;
        if signo == 0 {
            return Ok(());
        }
        if !is_signal(signo) {
            return Err(Errno::EINVAL);
        }
        lwp_signal(lwp, KsigInfo::sent(signo, SI_LWP, 0))
    }
}

syscall! {
    /// _lwp_suspend(2).
    fn sys__lwp_suspend(lid: i32) -> Result<(), Errno> {
        let lwp = find(lid)?;
        let table = &curlwp().proc.lwps;
        let another_runs = table.find_by(|other| {
            other.state.get() == State::Live && other.lid != lid && !other.suspended.get()
        });
        if another_runs.is_none() {
            return Err(Errno::EDEADLK);
        }
        lwp.suspended.set(true);
        lwp.interrupt();
        Ok(())
    }
}

syscall! {
    /// _lwp_continue(2).
    fn sys__lwp_continue(lid: i32) -> Result<(), Errno> {
        let lwp = find(lid)?;
        if lwp.suspended.replace(false) {
            lwp.suspend_cv.broadcast();
        }
        Ok(())
    }
}

syscall! {
    /// _lwp_wakeup(2).
    fn sys__lwp_wakeup(lid: i32) -> Result<(), Errno> {
        let lwp = find(lid)?;
        let Some(thread) = lwp.thread.get() else { return Err(Errno::ESRCH) };
        lwp.awakened.set(true);
        if !thread::interrupt(thread) {
            lwp.awakened.set(false);
            return Err(Errno::EBUSY);
        }
        Ok(())
    }
}

syscall! {
    /// _lwp_setprivate(2).
    fn sys__lwp_setprivate(private: usize) -> Result<(), Errno> {
        user::set_fsbase(private);
        Ok(())
    }
}

syscall! {
    /// _lwp_getprivate(2).
    fn sys__lwp_getprivate() -> Result<usize, Errno> {
        Ok(user::fsbase())
    }
}

syscall! {
    /// _lwp_setname(2).
    fn sys__lwp_setname(lid: i32, name: usize) -> Result<(), Errno> {
        let name = crate::copy::copyinstr(name, NAME_MAX_BYTES)?;
        let me = curlwp();
        let lwp = if lid == 0 { me } else { find(lid)? };
        let mut bytes = [0; NAME_MAX_BYTES];
        bytes[..name.len()].copy_from_slice(&name);
        lwp.name.set(bytes);
        Ok(())
    }
}

syscall! {
    /// _lwp_getname(2).
    fn sys__lwp_getname(lid: i32, buf: usize, len: usize) -> Result<(), Errno> {
        let me = curlwp();
        let lwp = if lid == 0 { me } else { find(lid)? };
        let mut bytes = lwp.name.get();
        let len = len.min(NAME_MAX_BYTES);
        if let Some(last) = len.checked_sub(1) {
            bytes[last] = 0;
        }
        copyout_bytes(&bytes[..len], buf)
    }
}

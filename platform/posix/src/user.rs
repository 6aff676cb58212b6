//! The application's registers (hypercall `user`), as far as there is an application, and the upcalls.

use std::sync::{Mutex, OnceLock, PoisonError};

use rump_hypercall::Upcalls;
use rump_hypercall::upcall::{Ret, SysEntry};
use rump_hypercall::user::Trapframe;

use crate::run::{Outcome, stop};
use crate::thread::state;

static UPCALLS: OnceLock<&'static Upcalls> = OnceLock::new();

type TraceHook = fn(entry: SysEntry, args: &[u64; 6]) -> Ret;

static TRACE: Mutex<Option<TraceHook>> = Mutex::new(None);

pub(crate) fn upcalls() -> Option<&'static Upcalls> {
    UPCALLS.get().copied()
}

/// Makes the calling thread look as if it had entered the kernel by an instruction with this frame.
pub fn set_frame(frame: Trapframe) {
    state().frame.set(Box::leak(Box::new(frame)));
}

/// Makes a system call as layer 2 does through the gate: past the trace hook, if there is one.
pub fn gate(entry: SysEntry, args: [u64; 6]) -> Ret {
    let hook = *TRACE.lock().unwrap_or_else(PoisonError::into_inner);
    let [a0, a1, a2, a3, a4, a5] = args;
    hook.map_or_else(|| entry(a0, a1, a2, a3, a4, a5), |hook| hook(entry, &args))
}

#[unsafe(export_name = "rb_register_upcalls")]
fn register(upcalls: &'static Upcalls) {
    // The first stays: a test process starts one kernel.
    let _ = UPCALLS.set(upcalls);
}

#[unsafe(export_name = "rb_trace_gate")]
fn trace_gate(hook: Option<TraceHook>) {
    *TRACE.lock().unwrap_or_else(PoisonError::into_inner) = hook;
}

#[unsafe(export_name = "rb_on_foreign_fault")]
fn on_foreign_fault(_hook: fn(&mut Trapframe, usize) -> bool) {
    // Faults are the host's, and end its process.
}

#[unsafe(export_name = "rb_user_enter")]
fn enter(frame: &Trapframe) -> ! {
    let mut frame = Box::new(*frame);
    while state().ast.replace(false) {
        if let Some(upcalls) = upcalls() {
            (upcalls.ast)(&mut frame);
        }
    }
    stop(Outcome::Entered(frame))
}

#[unsafe(export_name = "rb_user_frame")]
fn frame() -> Option<&'static mut Trapframe> {
    // SAFETY: frames are leaked and belong to one thread.
    unsafe { state().frame.get().as_mut() }
}

#[unsafe(export_name = "rb_user_sp")]
fn sp() -> usize {
    frame().map_or(0, |frame| frame.rsp as usize)
}

#[unsafe(export_name = "rb_set_fsbase")]
fn set_fsbase(base: usize) {
    state().fsbase.set(base);
}

#[unsafe(export_name = "rb_fsbase")]
fn fsbase() -> usize {
    state().fsbase.get()
}

/// An FXSAVE image.
pub(crate) const FPU_SIZE: usize = 512;

/// Where MXCSR stands in it (Intel SDM volume 1, 10.5.1).
const MXCSR: std::ops::Range<usize> = 24..28;

/// What a new program finds: x87 control word 0x37f, MXCSR 0x1f80, the rest zero (System V ABI for AMD64, 3.4.1).
pub(crate) const FPU_INITIAL: [u8; FPU_SIZE] = {
    let mut image = [0; FPU_SIZE];
    image[0] = 0x7f;
    image[1] = 0x03;
    image[MXCSR.start] = 0x80;
    image[MXCSR.start + 1] = 0x1f;
    image
};

#[unsafe(export_name = "rb_fpu_size")]
fn fpu_size() -> usize {
    FPU_SIZE
}

#[unsafe(export_name = "rb_fpu_save")]
fn fpu_save(area: &mut [u8]) {
    area[..FPU_SIZE].copy_from_slice(&*state().fpu.borrow());
}

#[unsafe(export_name = "rb_fpu_restore")]
fn fpu_restore(area: &[u8]) {
    let mut image = state().fpu.borrow_mut();
    image.copy_from_slice(&area[..FPU_SIZE]);
    // Bits 16 and up of MXCSR are reserved.
    image[MXCSR][2..].fill(0);
}

#[unsafe(export_name = "rb_fpu_reset")]
fn fpu_reset() {
    *state().fpu.borrow_mut() = FPU_INITIAL;
}

#[unsafe(export_name = "rb_crash_report")]
fn crash_report(reason: &str, frame: &Trapframe) {
    rump_hypercall::console::write(format!("{reason}\n{frame:x?}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use rump_hypercall::user::{self, Trapframe};
    use rump_hypercall::{boot, thread};

    use crate::{Outcome, run, run_to_end};

    #[test]
    fn entering_the_application_ends_the_thread_with_its_frame() {
        struct Loud;
        impl Drop for Loud {
            fn drop(&mut self) {
                panic!("dropped, though the thread ended");
            }
        }
        let frame = Trapframe { rip: 0x1000, ..Trapframe::default() };
        let ended = run_to_end(|| {
            let _loud = Loud;
            user::enter(&frame)
        });
        assert_eq!(ended, Outcome::Entered(Box::new(frame)));
    }

    #[test]
    fn a_system_call_may_end_the_thread() {
        extern "C" fn sys_exit() {
            thread::exit()
        }
        run(|| sys_exit());
    }

    #[test]
    fn the_image_ends_whichever_thread_ends_it() {
        fn end(_: usize) -> ! {
            boot::exit(boot::Exit::Exited(3))
        }
        let ended = run_to_end(|| {
            thread::create(end, 0).unwrap();
            loop {
                thread::yield_now();
            }
        });
        assert_eq!(ended, Outcome::Ended(boot::Exit::Exited(3)));
        run(|| {});
    }

    #[test]
    #[should_panic(expected = "in another thread")]
    fn a_panic_in_another_thread_is_the_tests() {
        fn fail(_: usize) -> ! {
            panic!("in another thread")
        }
        run(|| {
            thread::create(fail, 0).unwrap();
            thread::yield_now();
        });
    }

    #[test]
    fn vector_state_belongs_to_the_thread() {
        run(|| {
            let mut area = vec![0; user::fpu_size()];
            user::fpu_save(&mut area);
            assert_eq!(area[..2], [0x7f, 3]);
            area[24..28].fill(0xff);
            area[160] = 9;
            user::fpu_restore(&area);
            user::fpu_save(&mut area);
            assert_eq!((area[160], &area[24..28]), (9, [0xff, 0xff, 0, 0].as_slice()));
            user::fpu_reset();
            user::fpu_save(&mut area);
            assert_eq!(area[160], 0);
        });
    }
}

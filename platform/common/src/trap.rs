//! From the machine's entry code to layer 1: system calls, exceptions, and the hypercalls about application code.

use rump_hypercall::Upcalls;
use rump_hypercall::memory::USER_MAX;
use rump_hypercall::upcall::{Access, Ret, SysEntry};
use rump_hypercall::user::Trapframe;

use crate::cpu::{Local, cpu};
use crate::{backtrace, copy, fpu, machine, sched, start};

/// Vector of a page fault (Intel SDM volume 3A, 6.15).
const PAGE_FAULT: u64 = 14;

/// Carry, in the flags register.
const CARRY: u64 = 1;

/// A tracing hook: the entry and its six arguments.
pub type GateHook = fn(entry: SysEntry, args: &[u64; 6]) -> Ret;

static UPCALLS: Local<Option<&'static Upcalls>> = Local::new(None);
static GATE_HOOK: Local<Option<GateHook>> = Local::new(None);

/// Layer 1's functions.
pub(crate) fn upcalls() -> &'static Upcalls {
    // SAFETY: written once, before application code runs.
    match unsafe { *UPCALLS.get() } {
        Some(upcalls) => upcalls,
        None => panic!("the kernel has not registered its upcalls"),
    }
}

#[unsafe(export_name = "rb_register_upcalls")]
fn register(upcalls: &'static Upcalls) {
    // SAFETY: one virtual CPU; nothing holds a reference to the word.
    unsafe { *UPCALLS.get() = Some(upcalls) };
}

/// Tells layer 1 that there is console input, once it has registered.
pub fn console_input() {
    // SAFETY: one virtual CPU.
    if let Some(upcalls) = unsafe { *UPCALLS.get() } {
        (upcalls.console_input)();
    }
}

/// Tells layer 1, once it has registered, that whoever runs the machine wants it to end.
pub fn shutdown() {
    // SAFETY: one virtual CPU.
    if let Some(upcalls) = unsafe { *UPCALLS.get() } {
        (upcalls.shutdown)();
    }
}

#[unsafe(export_name = "rb_trace_gate")]
fn trace_gate(hook: Option<GateHook>) {
    // SAFETY: as above.
    unsafe { *GATE_HOOK.get() = hook };
    start::set_gate_traced(hook.is_some());
}

/// A call through the gate while it is traced.
///
/// # Safety
/// Called by the gate's code only, with `entry` and `args` as the application passed them.
#[unsafe(export_name = "rb_traced_call")]
unsafe extern "C" fn traced_call(entry: SysEntry, args: &[u64; 6]) -> Ret {
    // SAFETY: one virtual CPU.
    match unsafe { *GATE_HOOK.get() } {
        Some(hook) => hook(entry, args),
        None => entry(args[0], args[1], args[2], args[3], args[4], args[5]),
    }
}

/// A system call by instruction: runs it and puts its outcome where NetBSD's amd64 port has it.
#[unsafe(export_name = "rb_syscall_by_number")]
extern "C" fn syscall(frame: &mut Trapframe) {
    let ret = (upcalls().syscall)(frame);
    match ret.errno {
        0 => {
            frame.rax = ret.value as u64;
            frame.rdx = i64::from(ret.value2) as u64;
            frame.rflags &= !CARRY;
        }
        // The instruction `syscall` is two bytes long.
        Ret::RESTART => frame.rip -= 2,
        errno => {
            frame.rax = errno as u64;
            frame.rflags |= CARRY;
        }
    }
}

/// The kind of access that a page fault's error code tells.
fn access(error_code: u64) -> Access {
    if error_code & 0x10 != 0 {
        Access::Exec
    } else if error_code & 2 != 0 {
        Access::Write
    } else {
        Access::Read
    }
}

/// A page fault at `va`: true if layer 1 has mapped the page.
pub fn page_fault(va: usize, error_code: u64) -> bool {
    va < USER_MAX && (upcalls().fault)(va, access(error_code))
}

/// Asked when code of a rump kernel faults on memory that is not there.
type ForeignHook = fn(&mut Trapframe, usize) -> bool;

static FOREIGN_HOOK: Local<Option<ForeignHook>> = Local::new(None);

#[unsafe(export_name = "rb_on_foreign_fault")]
fn on_foreign_fault(hook: ForeignHook) {
    // SAFETY: one virtual CPU; nothing holds a reference to the word.
    unsafe { *FOREIGN_HOOK.get() = Some(hook) };
}

/// An exception in kernel code that may be a rump kernel's, which reads and writes the application's memory as its own: true if layer 1 has mapped the page, or
/// whoever started the rump kernel knows how to go on.
fn foreign_fault(frame: &mut Trapframe, va: usize) -> bool {
    /// What an address brings about that no page can have.
    const PROTECTION: u64 = 13;
    if !start::has_rump_kernel() || ![PAGE_FAULT, PROTECTION].contains(&frame.trapno) {
        return false;
    }
    if frame.trapno == PAGE_FAULT && page_fault(va, frame.err) {
        return true;
    }
    // SAFETY: as above.
    let hook = unsafe { *FOREIGN_HOOK.get() };
    (frame.rip as usize) < USER_MAX && hook.is_some_and(|hook| hook(frame, va))
}

/// A flag of the application's made the kernel's code trap, which the gate enters with the application's flags: single steps, alignment checks. Takes the flag
/// away, so that the kernel can go on; false if it was no such trap.
pub fn shed_flag(frame: &mut Trapframe) -> bool {
    const DEBUG: u64 = 1;
    const ALIGNMENT: u64 = 17;
    let flag = match frame.trapno {
        DEBUG => 1 << 8,
        ALIGNMENT => 1 << 18,
        _ => return false,
    };
    let was_set = frame.rflags & flag != 0;
    frame.rflags &= !flag;
    was_set
}

/// An exception in kernel code: goes on where it can. `gate_load` is where the gate reads the application's stack, and where it goes on if that cannot be read.
pub fn kernel_exception(frame: &mut Trapframe, fault_va: usize, gate_load: [u64; 2]) {
    if frame.trapno == PAGE_FAULT {
        let [load, load_failed] = gate_load;
        let resume = if frame.rip == load { Some(load_failed) } else { copy::recover(frame.rip) };
        if let Some(resume) = resume {
            if !page_fault(fault_va, frame.err) {
                frame.rip = resume;
            }
            return;
        }
    }
    if !shed_flag(frame) && !foreign_fault(frame, fault_va) {
        backtrace::kernel_fault(frame, fault_va)
    }
}

/// An exception that application code caused.
pub fn exception(frame: &mut Trapframe, fault_va: usize) {
    if frame.trapno == PAGE_FAULT {
        if page_fault(fault_va, frame.err) {
            return;
        }
        (upcalls().trap)(frame, fault_va);
    } else {
        (upcalls().trap)(frame, 0);
    }
}

#[unsafe(export_name = "rb_user_enter")]
fn enter(frame: &Trapframe) -> ! {
    let mut clean = *frame;
    machine::sanitize(&mut clean);
    clean.trapno = Trapframe::INTERRUPT;
    let (own, _, _) = sched::user_state();
    cpu().by_instruction = 1;
    // SAFETY: the frame at the top of the running thread's stack is its own, and nothing below it is needed any more: this function
    // does not return, and it runs below the frame.
    unsafe {
        own.write(clean);
        machine::return_to_user(own)
    }
}

#[unsafe(export_name = "rb_user_frame")]
fn frame() -> Option<&'static mut Trapframe> {
    let (frame, _, by_instruction) = sched::user_state();
    // SAFETY: a thread that entered by an instruction has a complete frame at the top of its stack until it leaves.
    by_instruction.then(|| unsafe { &mut *frame })
}

#[unsafe(export_name = "rb_user_sp")]
fn sp() -> usize {
    match frame() {
        Some(frame) => frame.rsp as usize,
        None => cpu().user_sp,
    }
}

#[unsafe(export_name = "rb_fpu_size")]
fn fpu_size() -> usize {
    fpu::size()
}

#[unsafe(export_name = "rb_fpu_save")]
fn fpu_save(area: &mut [u8]) {
    let (_, xmm, by_instruction) = sched::user_state();
    // SAFETY: entry code wrote the area when the thread entered by an instruction.
    fpu::save_user(area, by_instruction.then(|| unsafe { &*xmm }));
}

#[unsafe(export_name = "rb_fpu_restore")]
fn fpu_restore(area: &[u8]) {
    if let Some(registers) = fpu::restore_user(area) {
        let (_, xmm, _) = sched::user_state();
        // SAFETY: the area below the running thread's frame is its own.
        unsafe { xmm.write(registers) };
    }
}

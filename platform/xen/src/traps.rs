//! Traps and callbacks: where Xen enters, and what happens then (Xen's public headers arch-x86/xen.h, `struct trap_info`, and callback.h).

use core::sync::atomic::Ordering::Relaxed;

use rump_hypercall::user::{self, Trapframe};
use rumpbake_platform::{entry, sched, trap};
use rumpbake_xenguest::{events, shared};

use crate::hypercall::{self, Number};

/// Trap number of an event, for entry code.
const EVENT: u64 = 0x20;
/// Traps with an entry: the processor's exceptions.
const TRAPS: usize = 32;
/// Bytes between two entries.
const ENTRY_SIZE: u64 = 16;
/// Guest code, 64 bits (FLAT_RING3_CS64): what both kernel and application run with.
const CS: u64 = 0xe033;
/// Guest stack and data (FLAT_RING3_SS64).
const SS: u64 = 0xe02b;

unsafe extern "C" {
    static rb_xen_traps: u8;
    static rb_xen_entry_stack_top: u8;
    fn rb_xen_event();
    fn rb_xen_failsafe();
    fn rb_xen_syscall();
    fn rb_gate();
    fn rb_gate_traced();
    fn rb_gate_left();
    fn rb_gate_return();
    fn rb_gate_load();
    fn rb_gate_load_failed();
    fn rb_return_to_user();
}

/// `struct trap_info`.
#[derive(Clone, Copy)]
#[repr(C)]
struct TrapInfo {
    vector: u8,
    /// The least privilege that may cause it by an instruction, and 4: event delivery is masked on entry.
    flags: u8,
    cs: u16,
    address: u64,
}

/// `struct callback_register`.
#[repr(C)]
struct CallbackRegister {
    kind: u16,
    flags: u16,
    address: u64,
}

/// Makes Xen enter here, and names the stack on which it does.
pub fn init() {
    const MASK_EVENTS: u8 = 4;
    const USER: u8 = 3;
    /// CALLBACKOP_register
    const REGISTER: u64 = 0;
    /// CALLBACKF_mask_events
    const CALLBACK_MASK_EVENTS: u16 = 1;
    const BREAKPOINT: usize = 3;
    const OVERFLOW: usize = 4;

    let first = (&raw const rb_xen_traps) as u64;
    // The last one, of zeros, ends the table.
    let mut table = [TrapInfo { vector: 0, flags: 0, cs: 0, address: 0 }; TRAPS + 1];
    for (vector, trap) in table.iter_mut().take(TRAPS).enumerate() {
        let by_instruction = if matches!(vector, BREAKPOINT | OVERFLOW) { USER } else { 0 };
        *trap = TrapInfo {
            vector: vector as u8,
            flags: by_instruction | MASK_EVENTS,
            cs: CS as u16,
            address: first + vector as u64 * ENTRY_SIZE,
        };
    }
    let callbacks = [
        (0, rb_xen_event as *const () as u64),
        (1, rb_xen_failsafe as *const () as u64),
        (2, rb_xen_syscall as *const () as u64),
    ];
    // SAFETY: Xen copies the tables; the entries are code that expects its frames, and the stack is used by them alone.
    let refused = unsafe {
        let mut refused = hypercall::call(Number::SetTrapTable, [table.as_ptr() as u64, 0, 0, 0]) != 0;
        for (kind, address) in callbacks {
            let mut callback = CallbackRegister { kind, flags: CALLBACK_MASK_EVENTS, address };
            refused |= hypercall::command(Number::CallbackOp, REGISTER, &mut callback) != 0;
        }
        refused
            | (hypercall::call(Number::StackSwitch, [SS, (&raw const rb_xen_entry_stack_top) as u64, 0, 0])
                != 0)
    };
    assert!(!refused, "Xen refused the trap table");
}

fn fault_address() -> usize {
    shared::vcpu().cr2.load(Relaxed) as usize
}

#[unsafe(no_mangle)]
extern "C" fn rb_xen_user_trap(frame: &mut Trapframe) {
    if frame.trapno == EVENT {
        leave_gate(frame);
        sched::interrupt(events::deliver);
    } else if in_gate(frame.rip) == InGate::No || !trap::shed_flag(frame) {
        trap::exception(frame, fault_address());
    }
}

/// Where in the gate application code is; what lies between is masked and the kernel's.
#[derive(PartialEq, Eq)]
enum InGate {
    No,
    /// The call is not made yet.
    Before,
    /// It is made; what is left is to return from it.
    After,
}

fn in_gate(rip: u64) -> InGate {
    let left = rb_gate_left as *const () as u64..=rb_gate_return as *const () as u64;
    if [rb_gate as *const () as u64, rb_gate_traced as *const () as u64].contains(&rip) {
        InGate::Before
    } else if left.contains(&rip) {
        InGate::After
    } else {
        InGate::No
    }
}

/// Carries the gate's last instructions out, so that the frame is one of the application's own code.
fn leave_gate(frame: &mut Trapframe) {
    let mut caller = [0; 8];
    if in_gate(frame.rip) == InGate::After && user::copyin(frame.rsp as usize, &mut caller).is_ok() {
        frame.rip = u64::from_le_bytes(caller);
        frame.rsp += 8;
    }
}

#[unsafe(no_mangle)]
extern "C" fn rb_xen_user_return(frame: *mut Trapframe) {
    // SAFETY: entry code passes the running thread's own frame.
    let rip = unsafe { (*frame).rip };
    if in_gate(rip) == InGate::Before {
        // A handler could not go back there: it is no address of the application's. The call's end comes soon.
        sched::give_way();
        return;
    }
    // SAFETY: as above.
    unsafe { sched::user_return(frame) };
}

#[unsafe(no_mangle)]
extern "C" fn rb_xen_kernel_trap(frame: &mut Trapframe) {
    if frame.trapno == EVENT {
        sched::interrupt(events::deliver);
    } else {
        let gate_load = [rb_gate_load, rb_gate_load_failed].map(|at| at as *const () as u64);
        trap::kernel_exception(frame, fault_address(), gate_load);
    }
}

#[unsafe(no_mangle)]
extern "C" fn rb_xen_failed_return() -> ! {
    panic!("Xen could not load the segments of a frame")
}

#[unsafe(export_name = "rbm_return_to_user")]
unsafe fn return_to_user(frame: *mut Trapframe) -> ! {
    // SAFETY: the frame and the xmm registers below it are the running thread's own (caller's promise), and `rb_return_to_user` expects
    // the stack pointer at the latter.
    unsafe {
        core::arch::asm!("mov rsp, {}", "jmp {}", in(reg) frame.addr() - 256, sym rb_return_to_user, options(noreturn));
    }
}

#[unsafe(export_name = "rbm_gate")]
fn gate(traced: bool) -> usize {
    if traced { rb_gate_traced as *const () as usize } else { rb_gate as *const () as usize }
}

#[unsafe(export_name = "rbm_sanitize")]
fn sanitize(frame: &mut Trapframe) {
    frame.cs = CS;
    frame.ss = SS;
    frame.rflags = entry::choosable_flags(frame.rflags);
    // Page zero faults in the application.
    if frame.rip >= 1 << 47 {
        frame.rip = 0;
    }
}

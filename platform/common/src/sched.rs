//! The scheduler: threads that take turns on the one virtual CPU.
//!
//! A thread runs until it waits, ends, or, while it runs application code, until its time slice is over or a timer or device woke another one.
//! Run queue and wait queues are first in, first out; all are doubly linked through the threads themselves.
//! A thread that an interrupt wakes goes to the front and runs at once (it has waited for the outside world); one that another thread wakes goes to
//! the back, and the waker runs on: most wake-ups are followed by the waker's own wait, and then a switch too early would be one too many.

use core::arch::naked_asm;
use core::mem::offset_of;
use core::ptr::{NonNull, null_mut};

use rump_hypercall::sync::{CondVar, Interruptible, Wake};
use rump_hypercall::thread::{Foreign, OutOfMemory, Thread};
use rump_hypercall::time::NEVER;
use rump_hypercall::user::Trapframe;
use rumpbake_far::far;

use crate::cpu::{CPU, Local, PENDING_AST, PENDING_RESCHED, cpu};
use crate::fpu::{self, Control, XMM_AREA};
use crate::{callout, machine, stack};

/// How long a thread may run application code while others are ready.
const SLICE_NS: u64 = 10_000_000;

/// Room for the vector state at the very top of a stack block.
const FPU_ROOM: usize = rump_hypercall::user::FPU_AREA_MAX.next_multiple_of(64);

/// What a thread's vector state is, while it does not run.
enum Vector {
    /// In its area, whole.
    Full,
    /// It is inside a C call, so only these.
    Light(Control),
}

/// A thread's control block; lies at the top of its kernel stack.
#[repr(C, align(64))]
pub struct Tcb {
    sp: usize,
    kstack_top: usize,
    user_sp: usize,
    fsbase: usize,
    word: usize,
    foreign: Foreign,
    next: *mut Tcb,
    prev: *mut Tcb,
    /// The queue in which it waits; null if it runs or is ready.
    waits_on: *const CondVar,
    /// The deadline of its wait and the handle of the timeout.
    timeout: (u64, u64),
    cpu_ns: u64,
    vector: Vector,
    interruptible: Interruptible,
    wake: Wake,
    ast: bool,
    by_instruction: bool,
    start: fn(usize) -> !,
    arg: usize,
}

struct Queue {
    head: *mut Tcb,
    tail: *mut Tcb,
}

impl Queue {
    /// # Safety
    /// `thread` is valid and in no queue.
    unsafe fn push_back(&mut self, thread: *mut Tcb) {
        // SAFETY: the caller's promise; members of a queue are valid.
        unsafe {
            (*thread).next = null_mut();
            (*thread).prev = self.tail;
            if self.tail.is_null() {
                self.head = thread;
            } else {
                (*self.tail).next = thread;
            }
        }
        self.tail = thread;
    }

    /// # Safety
    /// As [`Queue::push_back`].
    unsafe fn push_front(&mut self, thread: *mut Tcb) {
        // SAFETY: the caller's promise; members of a queue are valid.
        unsafe {
            (*thread).prev = null_mut();
            (*thread).next = self.head;
            if self.head.is_null() {
                self.tail = thread;
            } else {
                (*self.head).prev = thread;
            }
        }
        self.head = thread;
    }

    /// # Safety
    /// `thread` is in this queue.
    unsafe fn remove(&mut self, thread: *mut Tcb) {
        // SAFETY: the caller's promise; members of a queue are valid.
        unsafe {
            let (next, prev) = ((*thread).next, (*thread).prev);
            if prev.is_null() {
                self.head = next;
            } else {
                (*prev).next = next;
            }
            if next.is_null() {
                self.tail = prev;
            } else {
                (*next).prev = prev;
            }
        }
    }

    fn pop(&mut self) -> Option<*mut Tcb> {
        let head = self.head;
        if head.is_null() {
            return None;
        }
        // SAFETY: the head is in this queue.
        unsafe { self.remove(head) };
        Some(head)
    }
}

struct Sched {
    ready: Queue,
    /// An interrupt handler is at work: wake-ups are urgent.
    in_interrupt: bool,
    /// When the running thread got the processor.
    since_ns: u64,
}

static SCHED: Local<Sched> = Local::new(Sched {
    ready: Queue { head: null_mut(), tail: null_mut() },
    in_interrupt: false,
    since_ns: 0,
});

fn sched() -> &'static mut Sched {
    // SAFETY: one virtual CPU with interrupts masked; the reference lives for a statement or a function that calls nothing which takes it again.
    unsafe { &mut *SCHED.get() }
}

#[expect(
    clippy::mut_from_ref,
    reason = "the words of a condition variable are the scheduler's, behind a pointer"
)]
fn queue_of(cv: &CondVar) -> &mut Queue {
    // SAFETY: the two words are head and tail, as `Queue` lays them out; only the scheduler touches them, on the virtual CPU.
    unsafe { &mut *cv.raw().cast::<Queue>() }
}

const _: () = assert!(size_of::<Queue>() == size_of::<CondVar>() && offset_of!(Queue, head) == 0);

fn current() -> *mut Tcb {
    cpu().current
}

fn tcb(thread: Thread) -> *mut Tcb {
    thread.0.as_ptr().cast()
}

/// Where a thread's vector state is kept.
fn fpu_area(thread: *mut Tcb) -> *mut u8 {
    // SAFETY: the control block is followed by the area, in the same stack block.
    unsafe { thread.add(1).cast() }
}

/// The full frame at the top of a thread's kernel stack.
fn frame_of(kstack_top: usize) -> *mut Trapframe {
    core::ptr::with_exposed_provenance_mut(kstack_top - size_of::<Trapframe>())
}

/// The xmm registers that entry code saved, below the frame.
fn xmm_of(kstack_top: usize) -> *mut [u8; XMM_AREA] {
    core::ptr::with_exposed_provenance_mut(kstack_top - size_of::<Trapframe>() - XMM_AREA)
}

/// Makes a control block in a fresh stack.
fn new_tcb(start: fn(usize) -> !, arg: usize) -> Result<*mut Tcb, OutOfMemory> {
    let top = stack::alloc()?;
    let thread: *mut Tcb = core::ptr::with_exposed_provenance_mut(top - FPU_ROOM - size_of::<Tcb>());
    let kstack_top = thread.addr();
    // SAFETY: the stack block is ours; the control block and the area behind it fit between `thread` and `top`, and are aligned to 64.
    unsafe {
        thread.write(Tcb {
            sp: 0,
            kstack_top,
            user_sp: 0,
            fsbase: 0,
            word: 0,
            foreign: Foreign { lwp: 0, record: 0, errno: 0 },
            next: null_mut(),
            prev: null_mut(),
            waits_on: core::ptr::null(),
            timeout: (NEVER, 0),
            cpu_ns: 0,
            vector: Vector::Full,
            interruptible: Interruptible::No,
            wake: Wake::Signaled,
            ast: false,
            by_instruction: true,
            start,
            arg,
        });
        fpu::reset_image(fpu_area(thread));
        xmm_of(kstack_top).write([0; XMM_AREA]);
        // What `switch_stack` pops: six registers and the address to return to, below the frame and its xmm registers.
        let frame = core::ptr::with_exposed_provenance_mut::<usize>(kstack_top - 1024);
        frame.sub(1).write(0);
        frame.sub(2).write(begin as *const () as usize);
        frame.sub(8).write_bytes(0, 6);
        (*thread).sp = frame.sub(8).addr();
    }
    Ok(thread)
}

/// Where a new thread's first switch returns to.
extern "C" fn begin() -> ! {
    let thread = current();
    // SAFETY: the running thread's block is valid.
    let (start, arg) = unsafe { ((*thread).start, (*thread).arg) };
    start(arg)
}

/// Saves the callee-saved registers and the stack pointer to `*save`, and goes on where `load` was saved.
#[unsafe(naked)]
unsafe extern "C" fn switch_stack(save: *mut usize, load: usize) {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
    )
}

/// Gives the processor to the next ready thread; halts until there is one.
fn switch(save_state: bool) {
    let next = loop {
        if let Some(next) = sched().ready.pop() {
            break next;
        }
        machine::idle();
    };
    let previous = current();
    let more = !sched().ready.head.is_null();
    let now = machine::monotonic_ns();
    callout::set_slice(if more { now + SLICE_NS } else { u64::MAX });
    let since = core::mem::replace(&mut sched().since_ns, now);
    let cpu = cpu();
    // SAFETY: both blocks are valid: `previous` runs, `next` was ready.
    unsafe {
        (*previous).cpu_ns += now - since;
        if next == previous {
            return;
        }
        if save_state {
            (*previous).user_sp = cpu.user_sp;
            (*previous).by_instruction = cpu.by_instruction != 0;
            (*previous).ast = cpu.pending & PENDING_AST != 0;
            if (*previous).by_instruction {
                fpu::save(fpu_area(previous));
                (*previous).vector = Vector::Full;
            } else {
                (*previous).vector = Vector::Light(fpu::control());
            }
        }
        cpu.current = next;
        cpu.kstack_top = (*next).kstack_top;
        cpu.user_sp = (*next).user_sp;
        cpu.by_instruction = u32::from((*next).by_instruction);
        cpu.pending = if (*next).ast { PENDING_AST } else { 0 };
        match (*next).vector {
            Vector::Full => fpu::load(fpu_area(next)),
            Vector::Light(words) => fpu::set_control(words),
        }
        if (*next).fsbase != (*previous).fsbase {
            machine::set_fsbase((*next).fsbase);
        }
        switch_stack(&raw mut (*previous).sp, (*next).sp);
    }
}

/// Queues a thread that was made or woken.
fn make_ready(thread: *mut Tcb) {
    let state = sched();
    // SAFETY: the thread is valid and in no queue.
    unsafe {
        if state.in_interrupt {
            state.ready.push_front(thread);
            cpu().pending |= PENDING_RESCHED;
        } else {
            if state.ready.head.is_null() {
                callout::set_slice(machine::monotonic_ns() + SLICE_NS);
            }
            state.ready.push_back(thread);
        }
    }
}

/// Takes a waiting thread off its queue and queues it to run.
fn wake_thread(thread: *mut Tcb, why: Wake) {
    // SAFETY: the thread is valid and waits on a condition variable, which is alive while somebody waits on it.
    unsafe {
        let cv = core::mem::replace(&mut (*thread).waits_on, core::ptr::null());
        queue_of(&*cv).remove(thread);
        (*thread).wake = why;
        let (deadline, handle) = core::mem::replace(&mut (*thread).timeout, (NEVER, 0));
        if deadline != NEVER && why != Wake::TimedOut {
            callout::timeout_cancel(deadline, handle);
        }
    }
    make_ready(thread);
}

/// A thread's wait has reached its deadline.
pub(crate) fn timed_out(thread: *mut Tcb) {
    wake_thread(thread, Wake::TimedOut);
}

/// The running thread's slice is over.
pub(crate) fn slice_ended() {
    if !sched().ready.head.is_null() {
        cpu().pending |= PENDING_RESCHED;
    }
}

/// Whether a thread waits for the processor.
#[must_use]
pub fn has_ready() -> bool {
    !sched().ready.head.is_null()
}

/// Runs `handler` as an interrupt's: threads that it wakes run at once.
pub fn interrupt(handler: impl FnOnce()) {
    sched().in_interrupt = true;
    handler();
    sched().in_interrupt = false;
}

/// The running thread is about to go on with application code and `cpu.pending` is not 0: gives way, runs ASTs.
///
/// # Safety
/// `frame` is the running thread's own, complete.
pub unsafe fn user_return(frame: *mut Trapframe) {
    loop {
        let pending = cpu().pending;
        if pending & PENDING_RESCHED != 0 {
            cpu().pending &= !PENDING_RESCHED;
            yield_now();
        } else if pending & PENDING_AST != 0 {
            cpu().pending &= !PENDING_AST;
            // SAFETY: the caller's promise; nobody else holds the frame while the upcall runs.
            (crate::trap::upcalls().ast)(unsafe { &mut *frame });
        } else {
            return;
        }
    }
}

/// The running thread is about to go on with application code at a place at which no signal can be delivered: only gives way.
pub fn give_way() {
    while cpu().pending & PENDING_RESCHED != 0 {
        cpu().pending &= !PENDING_RESCHED;
        yield_now();
    }
}

/// Runs `start` as the first thread, on a kernel stack of its own, and leaves boot's stack for good.
///
/// # Errors
/// No memory for the stack.
pub fn run(start: fn(usize) -> !, arg: usize) -> Result<core::convert::Infallible, OutOfMemory> {
    let thread = new_tcb(start, arg)?;
    sched().since_ns = machine::monotonic_ns();
    let cpu = cpu();
    cpu.current = thread;
    let mut boot_sp = 0;
    // SAFETY: the block is valid and fresh; boot's stack is not returned to.
    unsafe {
        cpu.kstack_top = (*thread).kstack_top;
        cpu.by_instruction = 1;
        fpu::load(fpu_area(thread));
        switch_stack(&raw mut boot_sp, (*thread).sp);
    }
    unreachable!("boot's stack was switched to")
}

/// The running thread's frame, xmm registers, whether it entered by an instruction.
pub(crate) fn user_state() -> (*mut Trapframe, *mut [u8; XMM_AREA], bool) {
    let cpu = cpu();
    (frame_of(cpu.kstack_top), xmm_of(cpu.kstack_top), cpu.by_instruction != 0)
}

#[unsafe(export_name = "rb_thread_create")]
fn create(start: fn(usize) -> !, arg: usize) -> Result<Thread, OutOfMemory> {
    stack::trim();
    let thread = new_tcb(start, arg)?;
    make_ready(thread);
    NonNull::new(thread.cast()).map(Thread).ok_or(OutOfMemory)
}

#[unsafe(export_name = "rb_thread_exit")]
fn exit() -> ! {
    let thread = current();
    stack::trim();
    stack::free(thread.addr() + size_of::<Tcb>() + FPU_ROOM);
    switch(false);
    unreachable!("a thread that ended was switched to")
}

#[unsafe(export_name = "rb_thread_current")]
fn thread_current() -> Thread {
    // SAFETY: a thread runs, so the pointer is not null.
    Thread(unsafe { NonNull::new_unchecked(current().cast()) })
}

#[unsafe(export_name = "rb_thread_word")]
fn word() -> usize {
    // SAFETY: the running thread's block is valid.
    unsafe { (*current()).word }
}

#[unsafe(export_name = "rb_thread_set_word")]
fn set_word(word: usize) {
    // SAFETY: the running thread's block is valid.
    unsafe { (*current()).word = word };
}

#[unsafe(export_name = "rb_thread_foreign")]
fn foreign() -> Foreign {
    // SAFETY: the running thread's block is valid. The address is asked for by itself since the shortest hypercalls are copied.
    unsafe { (*(*far(&CPU).get()).current).foreign }
}

#[unsafe(export_name = "rb_thread_set_foreign")]
fn set_foreign(foreign: Foreign) {
    // SAFETY: the running thread's block is valid.
    unsafe { (*current()).foreign = foreign };
}

#[unsafe(export_name = "rb_thread_yield")]
fn yield_now() {
    let state = sched();
    if state.ready.head.is_null() {
        return;
    }
    // SAFETY: the running thread is in no queue.
    unsafe { state.ready.push_back(current()) };
    switch(true);
}

#[unsafe(export_name = "rb_thread_interrupt")]
fn thread_interrupt(thread: Thread) -> bool {
    let thread = tcb(thread);
    // SAFETY: handles are valid until their thread ends.
    let (waits, interruptible) = unsafe { (!(*thread).waits_on.is_null(), (*thread).interruptible) };
    let ends = waits && interruptible == Interruptible::Yes;
    if ends {
        wake_thread(thread, Wake::Interrupted);
    }
    ends
}

#[unsafe(export_name = "rb_thread_set_ast")]
fn set_ast(thread: Thread) {
    let thread = tcb(thread);
    if thread == current() {
        cpu().pending |= PENDING_AST;
    } else {
        // SAFETY: handles are valid until their thread ends.
        unsafe { (*thread).ast = true };
    }
}

#[unsafe(export_name = "rb_thread_cpu_ns")]
fn cpu_ns(thread: Thread) -> u64 {
    let thread = tcb(thread);
    let running = if thread == current() { machine::monotonic_ns() - sched().since_ns } else { 0 };
    // SAFETY: handles are valid until their thread ends.
    running + unsafe { (*thread).cpu_ns }
}

#[unsafe(export_name = "rb_wait")]
fn wait(cv: &CondVar, deadline_ns: u64, interruptible: Interruptible) -> Wake {
    if deadline_ns != NEVER && deadline_ns <= machine::monotonic_ns() {
        return Wake::TimedOut;
    }
    let thread = current();
    // SAFETY: the running thread's block is valid, and it is in no queue.
    unsafe {
        (*thread).waits_on = cv;
        (*thread).interruptible = interruptible;
        queue_of(cv).push_back(thread);
        if deadline_ns != NEVER {
            (*thread).timeout = (deadline_ns, callout::timeout(deadline_ns, thread));
        }
    }
    switch(true);
    // SAFETY: as above; whoever woke the thread wrote this.
    unsafe { (*thread).wake }
}

#[unsafe(export_name = "rb_wake")]
fn wake(cv: &CondVar, at_most: usize) -> usize {
    let mut woken = 0;
    while woken < at_most {
        let head = queue_of(cv).head;
        if head.is_null() {
            break;
        }
        wake_thread(head, Wake::Signaled);
        woken += 1;
    }
    woken
}

#[unsafe(export_name = "rb_set_fsbase")]
fn set_fsbase(base: usize) {
    // SAFETY: the running thread's block is valid.
    unsafe { (*current()).fsbase = base };
    machine::set_fsbase(base);
}

#[unsafe(export_name = "rb_fsbase")]
fn fsbase() -> usize {
    // SAFETY: the running thread's block is valid.
    unsafe { (*current()).fsbase }
}

#[unsafe(export_name = "rb_fpu_reset")]
fn fpu_reset() {
    let area = fpu_area(current());
    // SAFETY: the running thread's own area, which is used only while it does not run.
    unsafe {
        fpu::reset_image(area);
        fpu::load(area);
        user_state().1.write([0; XMM_AREA]);
    }
}

//! Segment, task-state and interrupt descriptor tables (Intel SDM volume 3A, chapters 3, 6 and 7).

use core::arch::asm;

use rumpbake_platform::cpu::Local;

use crate::interrupts::{ENTRY_SIZE, IRQ_BASE, VECTORS};

/// Bytes of an IST stack: enough for the page-fault upcall and for callouts.
const IST_SIZE: usize = 16384;

#[repr(C, align(16))]
struct Stack([u8; IST_SIZE]);

/// IST 1 for interrupts, 2 for exceptions, 3 for those that can strike anywhere (double fault, NMI, machine check).
static STACKS: Local<[Stack; 3]> = Local::new([const { Stack([0; IST_SIZE]) }; 3]);

#[repr(C, packed)]
struct TaskState {
    reserved0: u32,
    rsp: [u64; 3],
    reserved1: u64,
    ist: [u64; 7],
    reserved2: u64,
    reserved3: u16,
    io_map: u16,
}

static TSS: Local<TaskState> = Local::new(TaskState {
    reserved0: 0,
    rsp: [0; 3],
    reserved1: 0,
    ist: [0; 7],
    reserved2: 0,
    reserved3: 0,
    io_map: size_of::<TaskState>() as u16,
});

/// Null, code, data, task state (two words).
static GDT: Local<[u64; 5]> = Local::new([0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0, 0]);

static IDT: Local<[[u64; 2]; 256]> = Local::new([[0; 2]; 256]);

#[repr(C, packed)]
struct Pointer {
    limit: u16,
    base: u64,
}

unsafe extern "C" {
    static rb_vectors: u8;
    fn rb_spurious();
}

/// An interrupt gate for `handler` on IST stack `ist`.
fn gate(handler: u64, ist: u64) -> [u64; 2] {
    const PRESENT_INTERRUPT_GATE: u64 = 0x8e00 << 32;
    let low =
        handler & 0xffff | 8 << 16 | ist << 32 | PRESENT_INTERRUPT_GATE | (handler >> 16 & 0xffff) << 48;
    [low, handler >> 32]
}

/// Loads all tables.
pub fn init() {
    // SAFETY: boot, one processor, interrupts masked; the tables are static and stay where they are.
    unsafe {
        let stacks: *mut Stack = STACKS.get().cast();
        for index in 0..3 {
            let top = stacks.add(index + 1) as u64;
            (&raw mut (*TSS.get()).ist).cast::<u64>().add(index).write_unaligned(top);
        }
        let base = TSS.get() as u64;
        let limit = size_of::<TaskState>() as u64 - 1;
        let gdt = &mut *GDT.get();
        gdt[3] = limit | (base & 0xff_ffff) << 16 | 0x89 << 40 | (base >> 24 & 0xff) << 56;
        gdt[4] = base >> 32;
        let idt = &mut *IDT.get();
        for (vector, entry) in idt.iter_mut().enumerate() {
            let ist = match vector {
                2 | 8 | 18 => 3,
                _ if vector < usize::from(IRQ_BASE) => 2,
                _ => 1,
            };
            let handler = if vector < VECTORS {
                (&raw const rb_vectors) as u64 + (vector * ENTRY_SIZE) as u64
            } else {
                rb_spurious as *const () as u64
            };
            *entry = gate(handler, ist);
        }
        let gdtr = Pointer { limit: size_of::<[u64; 5]>() as u16 - 1, base: GDT.get() as u64 };
        let idtr = Pointer { limit: size_of::<[[u64; 2]; 256]>() as u16 - 1, base: IDT.get() as u64 };
        asm!(
            "lgdt [{gdtr}]",
            "lidt [{idtr}]",
            "mov {ax:e}, 0x18",
            "ltr {ax:x}",
            gdtr = in(reg) &raw const gdtr,
            idtr = in(reg) &raw const idtr,
            ax = out(reg) _,
        );
    }
}

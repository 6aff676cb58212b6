//! Starting the program (execve(2) and setregs of amd64): its memory, its stack, its first registers.
//!
//! The program's pages are already in memory, as part of the image; they become its private pages where they are, without a copy.
//! The stack begins as NetBSD's execve leaves it: `argc`, the pointers to the arguments, those to the environment, the auxiliary
//! vector, the strings, and at the top a `struct ps_strings`.

use alloc::vec::Vec;

use rump_abi::{limits, param};
use rump_hypercall::boot;
use rump_hypercall::memory::{PAGE_SIZE, Prot};
use rump_hypercall::user::Trapframe;
use rump_image::{AppInfo, LAYER_RUMP, Segment};

use crate::copy::copyout_bytes;
use crate::errno::Errno;
use crate::proc::Proc;
use crate::uvm::anon::LEAF_PAGES;
use crate::uvm::entry::{Backing, Entry};
use crate::uvm::page::OwnedPage;
use crate::uvm::{VM_MAXUSER_ADDRESS, round_page};

/// The stack's size where the program asks for none.
const STACK_DEFAULT_BYTES: usize = 8 << 20;

/// The largest stack that a program may ask for (MAXSSIZ of amd64/vmparam.h).
const STACK_MAX_BYTES: usize = param::MAXSSIZ as usize;

/// What stays unmapped below the stack.
const STACK_GUARD_BYTES: usize = 1 << 20;

/// The longest that arguments and environment together may be (ARG_MAX).
const ARG_MAX_BYTES: usize = limits::ARG_MAX as usize;

/// Bytes of `struct ps_strings`.
const PS_STRINGS_SIZE: usize = size_of::<rump_abi::types::PsStrings>();

/// Auxiliary vector entries (sys/exec_elf.h).
mod at {
    use rump_abi::exec;

    pub const NULL: u64 = exec::AT_NULL as u64;
    pub const PHDR: u64 = exec::AT_PHDR as u64;
    pub const PHENT: u64 = exec::AT_PHENT as u64;
    pub const PHNUM: u64 = exec::AT_PHNUM as u64;
    pub const PAGESZ: u64 = exec::AT_PAGESZ as u64;
    pub const BASE: u64 = exec::AT_BASE as u64;
    pub const FLAGS: u64 = exec::AT_FLAGS as u64;
    pub const ENTRY: u64 = exec::AT_ENTRY as u64;
    pub const STACKBASE: u64 = exec::AT_STACKBASE as u64;
    pub const EUID: u64 = exec::AT_EUID as u64;
    pub const RUID: u64 = exec::AT_RUID as u64;
    pub const EGID: u64 = exec::AT_EGID as u64;
    pub const RGID: u64 = exec::AT_RGID as u64;
    pub const SUN_EXECNAME: u64 = exec::AT_SUN_EXECNAME as u64;
}

/// Where the stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Lowest address.
    pub base: usize,
    /// First address after it.
    pub top: usize,
}

fn prot_of(segment: &Segment) -> Prot {
    Prot::from_bits_truncate(segment.prot as u8)
}

/// Maps the program.
///
/// # Errors
/// ENOMEM if a segment is not where a program may be.
pub fn map_segments(proc: &Proc, app: &AppInfo) -> Result<(), Errno> {
    let mut vm = proc.vm.borrow_mut();
    for segment in app.segments.iter().take(app.segment_count as usize) {
        let start = segment.va as usize;
        let end = start.checked_add(segment.len as usize).ok_or(Errno::ENOMEM)?;
        if !(start | end).is_multiple_of(PAGE_SIZE) || start >= end || !vm.map.in_bounds(&(start..end)) {
            return Err(Errno::ENOMEM);
        }
        if segment.layer == LAYER_RUMP {
            // Mapped before, for good; not the program's to touch.
            vm.map.insert(start, Entry::new(end, Prot::empty(), Prot::empty(), Backing::Anon));
            continue;
        }
        let pages = segment.file_len.min(segment.len) as usize / PAGE_SIZE;
        let mut index = 0;
        while index < pages {
            let vpn = start / PAGE_SIZE + index;
            let in_leaf = (LEAF_PAGES - vpn % LEAF_PAGES).min(pages - index);
            let mut leaf = vm.anon.leaf_mut(vpn);
            for ahead in 0..in_leaf {
                let physical = segment.phys + ((index + ahead) * PAGE_SIZE) as u64;
                // SAFETY: the linker gave each page of a segment to the application (rump_image), and this is the only place
                // that takes them over, once.
                if let Some(page) = unsafe { OwnedPage::from_image(physical) } {
                    leaf.put(vpn % LEAF_PAGES + ahead, page);
                }
            }
            index += in_leaf;
        }
        if !vm.map.is_free(start..end) {
            return Err(Errno::ENOMEM);
        }
        vm.map.insert(start, Entry::new(end, prot_of(segment), Prot::all(), Backing::Anon));
    }
    vm.brk_start = app.brk_start as usize;
    vm.brk_end = vm.brk_start;
    Ok(())
}

/// Maps the stack.
pub fn map_stack(proc: &Proc, size_bytes: u64) -> Stack {
    let wanted = usize::try_from(size_bytes).unwrap_or(STACK_MAX_BYTES).min(STACK_MAX_BYTES);
    let size = round_page(wanted.max(PAGE_SIZE)).filter(|_| wanted != 0).unwrap_or(STACK_DEFAULT_BYTES);
    let top = VM_MAXUSER_ADDRESS;
    let base = top - size;
    let mut vm = proc.vm.borrow_mut();
    vm.map.insert(base, Entry::new(top, Prot::READ | Prot::WRITE, Prot::all(), Backing::Anon));
    vm.map.insert(base - STACK_GUARD_BYTES, Entry::new(base, Prot::empty(), Prot::empty(), Backing::Anon));
    Stack { base, top }
}

/// Writes the stack's first content; returns the stack pointer and the address of `struct ps_strings`.
///
/// # Errors
/// E2BIG if there are too many arguments, EFAULT if the stack cannot be written.
pub fn copyargs(
    stack: Stack,
    app: &AppInfo,
    args: &[Vec<u8>],
    env: &[Vec<u8>],
) -> Result<(usize, usize), Errno> {
    let strings_len = args.iter().chain(env).map(|string| string.len() + 1).sum::<usize>();
    if strings_len + (args.len() + env.len()) * 8 > ARG_MAX_BYTES {
        return Err(Errno::E2BIG);
    }
    let ps_strings = stack.top - PS_STRINGS_SIZE;
    let strings = (ps_strings - strings_len) & !15;

    let mut bytes = Vec::with_capacity(strings_len);
    let mut pointers = |list: &[Vec<u8>]| -> Vec<u64> {
        list.iter()
            .map(|string| {
                let address = (strings + bytes.len()) as u64;
                bytes.extend_from_slice(string);
                bytes.push(0);
                address
            })
            .collect()
    };
    let argv = pointers(args);
    let envp = pointers(env);
    let auxv = auxv(stack, app, argv.first().copied().unwrap_or(0));

    // argc, argv and its end, envp and its end, auxv.
    let words_len = 1 + argv.len() + 1 + envp.len() + 1 + auxv.len() * 2;
    let sp = (strings - words_len * 8) & !15;
    let mut words = Vec::with_capacity(words_len);
    words.push(argv.len() as u64);
    words.extend_from_slice(&argv);
    words.push(0);
    words.extend_from_slice(&envp);
    words.push(0);
    for (kind, value) in auxv {
        words.extend_from_slice(&[kind, value]);
    }
    let argv_addr = sp + 8;
    let envp_addr = argv_addr + (argv.len() + 1) * 8;
    // struct ps_strings, with its holes.
    let ps = [argv_addr as u64, argv.len() as u64, envp_addr as u64, envp.len() as u64];
    crate::copy::copyout_slice(&words, sp)?;
    copyout_bytes(&bytes, strings)?;
    crate::copy::copyout(&ps, ps_strings)?;
    Ok((sp, ps_strings))
}

/// Where the program's interpreter lies, 0 without one. For a dynamic program that is layer 2: a program that finds 0 takes itself
/// for a static one that has to relocate itself (its start-up code does), and here nothing is left to relocate.
fn interpreter_base(app: &AppInfo) -> u64 {
    app.segments.iter().find(|segment| segment.layer == 1).map_or(0, |segment| segment.va)
}

fn auxv(stack: Stack, app: &AppInfo, execname: u64) -> Vec<(u64, u64)> {
    let mut auxv = Vec::with_capacity(14);
    if app.phdr != 0 {
        auxv.push((at::PHDR, app.phdr));
        auxv.push((at::PHENT, 56));
        auxv.push((at::PHNUM, u64::from(app.phnum)));
    }
    auxv.extend_from_slice(&[
        (at::PAGESZ, PAGE_SIZE as u64),
        (at::BASE, interpreter_base(app)),
        (at::FLAGS, 0),
        (at::ENTRY, app.elf_entry),
        (at::EUID, 0),
        (at::RUID, 0),
        (at::EGID, 0),
        (at::RGID, 0),
        (at::STACKBASE, stack.base as u64),
        (at::SUN_EXECNAME, execname),
        (at::NULL, 0),
    ]);
    auxv
}

/// The registers with which the program starts: `%rbx` points at `struct ps_strings`, `%rdx` at no clean-up function.
#[must_use]
pub fn first_frame(app: &AppInfo, sp: usize, ps_strings: usize) -> Trapframe {
    Trapframe {
        rip: app.entry,
        rsp: sp as u64,
        rbx: ps_strings as u64,
        trapno: Trapframe::INTERRUPT,
        rflags: 0x202,
        ..Trapframe::default()
    }
}

/// Prepares the program in `proc`; returns its first registers.
///
/// # Errors
/// As of the parts.
pub fn exec(proc: &Proc) -> Result<Trapframe, Errno> {
    let app = boot::info().app;
    map_segments(proc, app)?;
    let stack = map_stack(proc, app.stack_size);
    let (sp, ps_strings) = copyargs(stack, app, &proc.args.borrow(), &proc.env.borrow())?;
    Ok(first_frame(app, sp, ps_strings))
}

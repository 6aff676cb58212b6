//! Component ktrace: a line on the console for each system call (ktrace(1) and kdump(1) in one).
//!
//! Every image has it, so that any can be looked into without baking it again; the configuration's `trace` says which calls are told of. What a call's arguments are is
//! known from sys/syscall.h: numbers are printed as numbers, `const char *` as a string, other pointers in hexadecimal.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::Write;

use rump_abi::syscall::{SYSCALLS, Syscall};
use rump_config::Trace;
use rump_hypercall::upcall::{Ret, SysEntry};
use rump_hypercall::{Giant, user};

use crate::copy::copyin_bytes;
use crate::errno::Errno;

crate::component! {
    name: "ktrace", faction: "kern", needs: "", when: "*", about: "system calls on the console, with trace=1", init: init
}

/// Longest string that is printed whole, bytes.
const STRING_MAX_BYTES: usize = 64;

/// Calls that do not come back when they succeed: told of before they are made.
const LEAVING: [&str; 3] = ["exit", "_lwp_exit", "setcontext"];

static WANTED: Giant<Option<&'static Trace>> = Giant::new(None);

fn init() {
    let Some(config) = crate::init_main::config() else { return };
    let Some(trace) = config.trace.clone() else { return };
    if trace != Trace::Off {
        WANTED.set(Some(Box::leak(Box::new(trace))));
        crate::syscall::set_trace(Some(hook));
    }
}

/// Which call an entry is.
fn find(entry: SysEntry) -> Option<&'static Syscall> {
    let sysent = crate::syscall::sysent();
    let is = |number: usize| sysent.get(number).is_some_and(|&other| core::ptr::fn_addr_eq(other, entry));
    let by_instruction = user::frame().map(|frame| frame.rax as usize).filter(|&number| is(number));
    let number = by_instruction.or_else(|| (0..sysent.len()).find(|&number| is(number)))?;
    let at = SYSCALLS.binary_search_by_key(&number, |call| call.number).ok()?;
    SYSCALLS.get(at)
}

fn put_string(line: &mut String, addr: u64) {
    let mut bytes = [0; STRING_MAX_BYTES];
    let mut len = 0;
    while len < bytes.len()
        && copyin_bytes(addr as usize + len, &mut bytes[len..=len]).is_ok()
        && bytes[len] != 0
    {
        len += 1;
    }
    if len == 0 && copyin_bytes(addr as usize, &mut [0]).is_err() {
        let _ = write!(line, "{addr:#x}");
        return;
    }
    let _ = write!(line, "\"{}\"", bytes[..len].escape_ascii());
    if len == bytes.len() {
        line.push_str("...");
    }
}

fn put_arg(line: &mut String, kind: &str, word: u64) {
    // Writing into a string does not fail.
    let _ = match kind {
        "const char *" if word != 0 => {
            put_string(line, word);
            Ok(())
        }
        _ if kind.ends_with('*') && word == 0 => write!(line, "NULL"),
        _ if kind.ends_with('*') => write!(line, "{word:#x}"),
        "mode_t" => write!(line, "{:#o}", word as u32),
        "int" | "pid_t" | "lwpid_t" | "clockid_t" | "timer_t" => write!(line, "{}", word as i32),
        "long" | "off_t" | "ssize_t" => write!(line, "{}", word.cast_signed()),
        "u_int" | "unsigned int" | "unsigned" | "uid_t" | "gid_t" | "socklen_t" => {
            write!(line, "{}", word as u32)
        }
        _ => write!(line, "{word}"),
    };
}

fn put_call(line: &mut String, call: &Syscall, args: &[u64; 6]) {
    let lid = crate::lwp::curlwp_opt().map_or(0, |lwp| lwp.lid);
    let _ = write!(line, "[{lid}] {}(", call.name);
    for (index, (kind, &word)) in call.args.iter().take_while(|&&kind| kind != "...").zip(args).enumerate() {
        if index != 0 {
            line.push_str(", ");
        }
        put_arg(line, kind, word);
    }
    line.push(')');
}

fn put_ret(line: &mut String, call: &Syscall, ret: Ret) {
    let _ = match ret.errno {
        0 if call.ret.ends_with('*') => write!(line, " = {:#x}", ret.value),
        0 => write!(line, " = {}", ret.value),
        Ret::RESTART => write!(line, " = again, after a signal"),
        errno => match Errno(errno).name() {
            Some(name) => write!(line, " = -1 {name}"),
            None => write!(line, " = -1 error {errno}"),
        },
    };
}

fn hook(entry: SysEntry, args: &[u64; 6]) -> Ret {
    let make = || entry(args[0], args[1], args[2], args[3], args[4], args[5]);
    let Some(call) = find(entry) else {
        let ret = make();
        crate::log!("a system call that is not in the table = {} error {}", ret.value, ret.errno);
        return ret;
    };
    if !WANTED.get().is_some_and(|trace| trace.wants(call.name)) {
        return make();
    }
    if LEAVING.contains(&call.name) {
        {
            let mut line = String::new();
            put_call(&mut line, call, args);
            crate::log!("{line}");
        }
        return make();
    }
    // The strings as they were before the call.
    let mut line = String::new();
    put_call(&mut line, call, args);
    let ret = make();
    put_ret(&mut line, call, ret);
    crate::log!("{line}");
    ret
}

#[cfg(test)]
mod tests {
    use super::{put_arg, put_ret};
    use alloc::string::String;
    use rump_abi::syscall::SYSCALLS;
    use rump_hypercall::upcall::Ret;

    #[test]
    fn arguments_are_printed_by_their_kind() {
        let mut line = String::new();
        for (kind, word) in
            [("int", u64::MAX), ("void *", 0), ("void *", 0x1000), ("mode_t", 0o644), ("size_t", 7)]
        {
            put_arg(&mut line, kind, word);
            line.push(' ');
        }
        assert_eq!(line, "-1 NULL 0x1000 0o644 7 ");
    }

    #[test]
    fn results_have_names() {
        let close = SYSCALLS.iter().find(|call| call.name == "close").unwrap();
        let mut line = String::new();
        put_ret(&mut line, close, Ret::err(9));
        put_ret(&mut line, close, Ret::ok(0));
        assert_eq!(line, " = -1 EBADF = 0");
    }
}

//! getopt(3) and getopt_long(3).
//!
//! getopt stops at the first argument that is no option, as POSIX wants. getopt_long goes on and moves such arguments behind the
//! options, unless POSIXLY_CORRECT is set or the option string begins with `+`; with `-` it returns them as arguments of option 1.

use super::name::getprogname;
use crate::string::compare::strncmp;
use crate::string::scan::{strcspn, strlen};
use crate::sys::write;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int};
use core::ptr;

/// Whether errors are told.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static mut opterr: c_int = 1;
/// The index of the next argument.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static mut optind: c_int = 1;
/// The option that was read last.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static mut optopt: c_int = b'?' as c_int;
/// Set to start again.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static mut optreset: c_int = 0;
/// The option's argument.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static mut optarg: *mut c_char = ptr::null_mut();

/// `struct option`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct LongOption {
    name: *const c_char,
    has_arg: c_int,
    flag: *mut c_int,
    val: c_int,
}

/// What is remembered between calls.
struct State {
    /// What is left of a cluster of short options; null for none.
    rest: *mut c_char,
    /// The arguments that were passed over: those from `first` to before `last`.
    first: usize,
    last: usize,
}

struct Shared(UnsafeCell<State>);
// SAFETY: options are read by one thread at a time (POSIX).
unsafe impl Sync for Shared {}
static STATE: Shared = Shared(UnsafeCell::new(State { rest: ptr::null_mut(), first: 1, last: 1 }));

/// What to do with arguments that are no options.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Stop,
    Permute,
    Return,
}

/// The arguments and what is asked of them.
struct Request {
    argc: usize,
    argv: *mut *mut c_char,
    options: *const c_char,
    others: Others,
    /// A missing argument is told by `:` and no message.
    quiet: bool,
}

/// Writes a message about an option, if messages are wanted.
///
/// # Safety
/// `option` has `length` bytes.
unsafe fn complain(request: &Request, text: &CStr, option: *const c_char, length: usize) {
    // SAFETY: C strings, and the option with its length.
    unsafe {
        if opterr == 0 || request.quiet {
            return;
        }
        let name = getprogname();
        write(2, name.cast(), strlen(name));
        write(2, c": ".as_ptr().cast(), 2);
        write(2, text.as_ptr().cast(), text.count_bytes());
        write(2, c" -- ".as_ptr().cast(), 4);
        write(2, option.cast(), length);
        write(2, c"\n".as_ptr().cast(), 1);
    }
}

impl Request {
    /// The argument at `index`.
    ///
    /// # Safety
    /// `index` is below `argc`.
    unsafe fn argument(&self, index: usize) -> *mut c_char {
        // SAFETY: as this function's own.
        unsafe { *self.argv.add(index) }
    }

    /// Whether the argument at `index` begins like an option.
    ///
    /// # Safety
    /// `index` is below `argc`.
    unsafe fn is_option(&self, index: usize) -> bool {
        // SAFETY: a C string.
        unsafe {
            let argument = self.argument(index);
            *argument == b'-' as c_char && *argument.add(1) != 0
        }
    }

    /// Brings the options read since in front of the arguments passed over.
    ///
    /// # Safety
    /// The indices lie in the arguments.
    unsafe fn settle(&self, state: &mut State, now: usize) {
        if state.first != state.last && state.last != now {
            // SAFETY: the range lies in the array.
            let part =
                unsafe { core::slice::from_raw_parts_mut(self.argv.add(state.first), now - state.first) };
            part.rotate_left(state.last - state.first);
            state.first += now - state.last;
        } else if state.first == state.last {
            state.first = now;
        }
        state.last = now;
    }
}

/// Goes to the next argument with options; what to return at once, otherwise.
///
/// # Safety
/// As getopt(3).
unsafe fn advance(request: &Request, state: &mut State) -> Option<c_int> {
    // SAFETY: indices stay below `argc`; the globals belong to the one thread that reads options.
    unsafe {
        let mut now = (optind as usize).min(request.argc);
        request.settle(state, now);
        if request.others == Others::Permute {
            while now < request.argc && !request.is_option(now) {
                now += 1;
            }
            state.last = now;
        }
        if now < request.argc && CStr::from_ptr(request.argument(now)) == c"--" {
            now += 1;
            request.settle(state, now);
            optind = if request.others == Others::Permute { state.first } else { now } as c_int;
            (state.first, state.last) = (1, 1);
            // Everything behind is an argument: the next call comes here again, with nothing to read.
            return Some(-1);
        }
        if now == request.argc {
            optind = if state.first != state.last { state.first } else { now } as c_int;
            return Some(-1);
        }
        optind = now as c_int;
        if !request.is_option(now) {
            if request.others == Others::Return {
                optarg = request.argument(now);
                optind += 1;
                return Some(1);
            }
            return Some(-1);
        }
        state.rest = request.argument(now).add(1);
        optind += 1;
        None
    }
}

/// The next short option of the cluster.
///
/// # Safety
/// As getopt(3); `state.rest` is not empty.
unsafe fn short_option(request: &Request, state: &mut State) -> c_int {
    // SAFETY: positions stay in their strings; arguments are taken below `argc`.
    unsafe {
        let letter = state.rest;
        let option = *letter;
        state.rest = letter.add(1);
        optopt = c_int::from(option as u8);
        let mut found = request.options;
        while *found != 0 && (*found != option || option == b':' as c_char) {
            found = found.add(1);
        }
        if *found == 0 {
            complain(request, c"unknown option", letter, 1);
            return b'?'.into();
        }
        if *found.add(1) == b':' as c_char {
            if *state.rest != 0 {
                optarg = state.rest;
            } else if *found.add(2) == b':' as c_char {
                optarg = ptr::null_mut();
            } else if (optind as usize) < request.argc {
                optarg = request.argument(optind as usize);
                optind += 1;
            } else {
                state.rest = ptr::null_mut();
                complain(request, c"option requires an argument", letter, 1);
                return if *request.options == b':' as c_char { b':' } else { b'?' }.into();
            }
            state.rest = ptr::null_mut();
        }
        optopt
    }
}

/// The long option at `state.rest`.
///
/// # Safety
/// As getopt_long(3).
unsafe fn long_option(
    request: &Request,
    state: &mut State,
    table: *const LongOption,
    place: *mut c_int,
) -> c_int {
    // SAFETY: the table is read up to its end, strings up to theirs.
    unsafe {
        let text = state.rest;
        state.rest = ptr::null_mut();
        let length = strcspn(text, c"=".as_ptr());
        let (mut found, mut ambiguous): (Option<usize>, bool) = (None, false);
        let mut index = 0;
        while !(*table.add(index)).name.is_null() {
            let name = (*table.add(index)).name;
            if strncmp(text, name, length) == 0 {
                if strlen(name) == length {
                    (found, ambiguous) = (Some(index), false);
                    break;
                }
                ambiguous |= found.is_some();
                found = found.or(Some(index));
            }
            index += 1;
        }
        if ambiguous {
            complain(request, c"ambiguous option", text, length);
            optopt = 0;
            return b'?'.into();
        }
        let Some(index) = found else {
            complain(request, c"unknown option", text, length);
            optopt = 0;
            return b'?'.into();
        };
        let option = &*table.add(index);
        let attached = *text.add(length) == b'=' as c_char;
        optopt = if option.flag.is_null() { option.val } else { 0 };
        optarg = if attached { text.add(length + 1) } else { ptr::null_mut() };
        if attached && option.has_arg == 0 {
            complain(request, c"option doesn't take an argument", text, length);
            return if *request.options == b':' as c_char { b':' } else { b'?' }.into();
        }
        if !attached && option.has_arg == 1 {
            if optind as usize >= request.argc {
                complain(request, c"option requires an argument", text, length);
                return if *request.options == b':' as c_char { b':' } else { b'?' }.into();
            }
            optarg = request.argument(optind as usize);
            optind += 1;
        }
        if !place.is_null() {
            *place = index as c_int;
        }
        if option.flag.is_null() {
            option.val
        } else {
            *option.flag = option.val;
            0
        }
    }
}

/// The next option.
///
/// # Safety
/// As getopt_long(3), `table` may be null.
unsafe fn next(
    argc: c_int,
    argv: *const *mut c_char,
    options: *const c_char,
    table: *const LongOption,
    place: *mut c_int,
) -> c_int {
    let mut request = Request {
        argc: usize::try_from(argc).unwrap_or(0),
        argv: argv.cast_mut(),
        options,
        others: Others::Stop,
        quiet: false,
    };
    // SAFETY: the globals and the state belong to the one thread that reads options (documentation of the state).
    unsafe {
        let state = &mut *STATE.0.get();
        if !table.is_null() && crate::env::get(c"POSIXLY_CORRECT").is_none() {
            request.others = Others::Permute;
        }
        match *request.options as u8 {
            b'+' => {
                request.others = Others::Stop;
                request.options = request.options.add(1);
            }
            b'-' => {
                request.others = Others::Return;
                request.options = request.options.add(1);
            }
            _ => {}
        }
        request.quiet = *request.options == b':' as c_char;
        if optreset != 0 || optind == 0 {
            optreset = 0;
            optind = optind.max(1);
            *state = State { rest: ptr::null_mut(), first: optind as usize, last: optind as usize };
        }
        optarg = ptr::null_mut();
        if state.rest.is_null() || *state.rest == 0 {
            if let Some(result) = advance(&request, state) {
                return result;
            }
            if !table.is_null() && *state.rest == b'-' as c_char {
                state.rest = state.rest.add(1);
                return long_option(&request, state, table, place);
            }
        }
        short_option(&request, state)
    }
}

/// The next short option, -1 after the last.
///
/// # Safety
/// The arguments as main() has them, an option string, and one thread.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getopt(argc: c_int, argv: *const *mut c_char, options: *const c_char) -> c_int {
    // SAFETY: as this function's own.
    unsafe { next(argc, argv, options, ptr::null(), ptr::null_mut()) }
}

/// The next short or long option, -1 after the last.
///
/// # Safety
/// As getopt(3); `table` ends with a null name, `place` is null or writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getopt_long(
    argc: c_int,
    argv: *const *mut c_char,
    options: *const c_char,
    table: *const LongOption,
    place: *mut c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { next(argc, argv, options, table, place) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a whole command line reads as: options with arguments, then what is left.
    fn all(
        words: &[&CStr],
        options: &CStr,
        table: Option<&[LongOption]>,
    ) -> (Vec<(c_int, Option<String>)>, Vec<String>) {
        let mut argv: Vec<*mut c_char> = words.iter().map(|word| word.as_ptr().cast_mut()).collect();
        let mut found = Vec::new();
        let text = |at: *mut c_char| {
            // SAFETY: null or a C string.
            (!at.is_null()).then(|| unsafe { CStr::from_ptr(at) }.to_str().expect("ASCII").to_owned())
        };
        // SAFETY: this is the only test that reads options.
        unsafe {
            optreset = 1;
            optind = 1;
            opterr = 0;
            loop {
                let argc = argv.len() as c_int;
                let option = next(
                    argc,
                    argv.as_mut_ptr(),
                    options.as_ptr(),
                    table.map_or(ptr::null(), <[_]>::as_ptr),
                    ptr::null_mut(),
                );
                if option == -1 {
                    break;
                }
                found.push((option, text(optarg)));
            }
            (found, argv[optind as usize..].iter().filter_map(|&at| text(at)).collect())
        }
    }

    #[test]
    fn short_long_and_permuted() {
        let (found, rest) = all(&[c"p", c"-ab", c"-cfile", c"-c", c"x", c"y", c"-a"], c"abc:", None);
        let names: Vec<_> =
            found.iter().map(|(option, argument)| (*option as u8, argument.as_deref())).collect();
        assert_eq!(names, [(b'a', None), (b'b', None), (b'c', Some("file")), (b'c', Some("x"))]);
        assert_eq!(rest, ["y", "-a"]);
        let (found, rest) = all(&[c"p", c"-z", c"-c"], c":abc:", None);
        assert_eq!((found[0].0 as u8, found[1].0 as u8, rest.len()), (b'?', b':', 0));
        let (found, rest) = all(&[c"p", c"-a", c"--", c"-b"], c"ab", None);
        assert_eq!((found.len(), rest), (1, vec!["-b".to_owned()]));

        let entry = |name: &'static CStr, has_arg, val| LongOption {
            name: name.as_ptr(),
            has_arg,
            flag: ptr::null_mut(),
            val,
        };
        let table = [
            entry(c"verbose", 0, 1000),
            entry(c"output", 1, 1001),
            entry(c"colour", 2, 1002),
            LongOption { name: ptr::null(), has_arg: 0, flag: ptr::null_mut(), val: 0 },
        ];
        let words = [
            c"p",
            c"one",
            c"--verb",
            c"--output",
            c"f",
            c"two",
            c"--output=g",
            c"-a",
            c"--colour",
            c"three",
            c"--",
            c"-a",
        ];
        let (found, rest) = all(&words, c"a", Some(&table));
        let values: Vec<_> = found.iter().map(|(option, argument)| (*option, argument.as_deref())).collect();
        assert_eq!(values, [(1000, None), (1001, Some("f")), (1001, Some("g")), (97, None), (1002, None)]);
        assert_eq!(rest, ["one", "two", "three", "-a"]);
        let (found, rest) = all(&[c"p", c"x", c"-a"], c"-a", Some(&table));
        assert_eq!((found.len(), found[0].0, rest.len()), (2, 1, 0));
        let (found, _) = all(&[c"p", c"--nothing", c"--verbose=1"], c"a", Some(&table));
        assert!(found.iter().all(|(option, _)| *option == c_int::from(b'?')));
    }
}

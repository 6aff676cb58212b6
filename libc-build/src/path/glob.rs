//! glob(3): the files that a pattern names.
//!
//! A pattern is taken apart at its slashes; a part without wildcards is only looked up, one with them is matched against its directory.
//! `{a,b}` is expanded before (GLOB_BRACE), `~` and `~user` too (GLOB_TILDE). GLOB_STAR is not there: `**` is a star.

use super::fnmatch::{NOESCAPE, PERIOD, matches};
use crate::accounts::passwd;
use crate::dirent::kernel;
use crate::dirent::walk::{DIRECTORY, KIND_BITS, Stat};
use crate::dirent::{__opendir30, __readdir30, Dir, Dirent, closedir};
use crate::stdlib::array::{Array, NoMemory};
use crate::stdlib::heap::{free, realloc};
use crate::stdlib::sort::qsort;
use crate::string::compare::strcmp;
use crate::{env, errno};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;

const APPEND: c_int = 0x1;
const OFFSETS: c_int = 0x2;
const STOP_ON_ERROR: c_int = 0x4;
const MARK: c_int = 0x8;
const NO_CHECK: c_int = 0x10;
const NO_SORT: c_int = 0x20;
const OWN_FUNCTIONS: c_int = 0x40;
const BRACE: c_int = 0x80;
const HAD_WILDCARD: c_int = 0x100;
const NO_MAGIC: c_int = 0x200;
const TILDE: c_int = 0x800;
const NO_ESCAPE: c_int = 0x1000;
const MATCH_PERIODS: c_int = 0x2000;
const NO_DOT_DIRECTORIES: c_int = 0x4000;

const NO_SPACE: c_int = -1;
const ABORTED: c_int = -2;
const NO_MATCH: c_int = -3;

/// The longest path.
const PATH_LIMIT_BYTES: usize = 1024;
/// How many patterns braces may make.
const BRACES_LIMIT: usize = 4096;

/// `glob_t`.
#[derive(Debug)]
#[repr(C)]
pub struct Glob {
    count: usize,
    matched: usize,
    offset: usize,
    flags: c_int,
    paths: *mut *mut c_char,
    on_error: Option<unsafe extern "C" fn(*const c_char, c_int) -> c_int>,
    closedir: Option<unsafe extern "C" fn(*mut c_void)>,
    readdir: Option<unsafe extern "C" fn(*mut c_void) -> *mut Dirent>,
    opendir: Option<unsafe extern "C" fn(*const c_char) -> *mut c_void>,
    lstat: Option<unsafe extern "C" fn(*const c_char, *mut Stat) -> c_int>,
    stat: Option<unsafe extern "C" fn(*const c_char, *mut Stat) -> c_int>,
}

/// Why a search ended early.
enum Stop {
    NoSpace,
    Aborted,
}

impl From<NoMemory> for Stop {
    fn from(_: NoMemory) -> Self {
        Self::NoSpace
    }
}

impl Glob {
    /// lstat(2) or the caller's function.
    ///
    /// # Safety
    /// `path` is a C string.
    unsafe fn look(&self, path: *const c_char, follow: bool) -> Option<Stat> {
        let mut stat = Stat::ZERO;
        let place = &raw mut stat;
        // SAFETY: as this function's own; the structure is as large as NetBSD's.
        let status = unsafe {
            match (if follow { self.stat } else { self.lstat }).filter(|_| self.flags & OWN_FUNCTIONS != 0) {
                Some(function) => function(path, place),
                None if follow => kernel::__stat50(path, place.cast()),
                None => kernel::__lstat50(path, place.cast()),
            }
        };
        (status == 0).then_some(stat)
    }

    /// Takes a path into the list.
    fn add(&mut self, path: &[u8]) -> Result<(), Stop> {
        let mut copy = Array::copied(path)?;
        copy.push(0)?;
        let length = self.offset + self.count + 2;
        // SAFETY: the list is null or a block of realloc(3); all its elements up to the end are set.
        unsafe {
            let list = realloc(self.paths.cast(), length * size_of::<*mut c_char>()).cast::<*mut c_char>();
            if list.is_null() {
                return Err(Stop::NoSpace);
            }
            if self.paths.is_null() {
                for index in 0..self.offset {
                    *list.add(index) = ptr::null_mut();
                }
            }
            self.paths = list;
            *list.add(self.offset + self.count) = copy.into_raw().cast();
            *list.add(self.offset + self.count + 1) = ptr::null_mut();
        }
        self.count += 1;
        Ok(())
    }

    /// Goes on with `pattern` below `path`, which exists or is empty.
    fn expand(&mut self, path: &mut Array<u8>, pattern: &[u8]) -> Result<(), Stop> {
        let slashes = pattern.iter().take_while(|&&byte| byte == b'/').count();
        let (separators, rest) = pattern.split_at_checked(slashes).unwrap_or((b"", pattern));
        let before = path.len();
        path.extend(separators)?;
        let result = if rest.is_empty() { self.finish(path) } else { self.part(path, rest) };
        path.truncate(before);
        result
    }

    /// Takes `path` if there is such a file.
    fn finish(&mut self, path: &mut Array<u8>) -> Result<(), Stop> {
        path.push(0)?;
        // SAFETY: the path has its end.
        let (found, leads_to) = unsafe {
            let path = path.as_ptr().cast();
            (self.look(path, false), if self.flags & MARK != 0 { self.look(path, true) } else { None })
        };
        let length = path.len() - 1;
        path.truncate(length);
        if found.is_none() {
            return Ok(());
        }
        let marked = leads_to.is_some_and(|stat| stat.mode & KIND_BITS == DIRECTORY) && !path.ends_with(b"/");
        if marked {
            path.push(b'/')?;
        }
        self.matched += 1;
        self.add(path)?;
        path.truncate(length);
        Ok(())
    }

    /// The first part of `pattern`, then the rest.
    fn part(&mut self, path: &mut Array<u8>, pattern: &[u8]) -> Result<(), Stop> {
        let length = pattern.iter().position(|&byte| byte == b'/').unwrap_or(pattern.len());
        let (part, rest) = pattern.split_at_checked(length).unwrap_or((pattern, b""));
        if has_wildcard(part, self.flags) {
            self.flags |= HAD_WILDCARD;
            return self.directory(path, part, rest);
        }
        let before = path.len();
        let mut bytes = part.iter().copied();
        while let Some(byte) = bytes.next() {
            let escaped = if byte == b'\\' && self.flags & NO_ESCAPE == 0 { bytes.next() } else { None };
            path.push(escaped.unwrap_or(byte))?;
        }
        let result = if path.len() >= PATH_LIMIT_BYTES { Ok(()) } else { self.expand(path, rest) };
        path.truncate(before);
        result
    }

    /// The entries of `path` that match `part`, each with the rest of the pattern.
    fn directory(&mut self, path: &mut Array<u8>, part: &[u8], rest: &[u8]) -> Result<(), Stop> {
        let mut name = Array::copied(if path.is_empty() { b"." } else { path })?;
        name.push(0)?;
        let own = self.flags & OWN_FUNCTIONS != 0;
        // SAFETY: the name has its end; the caller's functions keep the contract of those that they replace.
        unsafe {
            let name = name.as_ptr().cast();
            let dir = match self.opendir.filter(|_| own) {
                Some(open) => open(name),
                None => __opendir30(name).cast(),
            };
            if dir.is_null() {
                let stop = self.on_error.is_some_and(|tell| tell(name, errno::get()) != 0)
                    || self.flags & STOP_ON_ERROR != 0;
                return if stop { Err(Stop::Aborted) } else { Ok(()) };
            }
            let mut result = Ok(());
            while result.is_ok() {
                let entry = match self.readdir.filter(|_| own) {
                    Some(read) => read(dir),
                    None => __readdir30(dir.cast::<Dir>()),
                };
                if entry.is_null() {
                    break;
                }
                let found = CStr::from_ptr((&raw const (*entry).name).cast()).to_bytes();
                let flags = if self.flags & MATCH_PERIODS == 0 { PERIOD } else { 0 }
                    | if self.flags & NO_ESCAPE != 0 { NOESCAPE } else { 0 };
                let dots = self.flags & NO_DOT_DIRECTORIES != 0 && matches!(found, b"." | b"..");
                if dots || !matches(part, found, flags) || path.len() + found.len() >= PATH_LIMIT_BYTES {
                    continue;
                }
                let before = path.len();
                result = path.extend(found).map_err(Stop::from).and_then(|()| self.expand(path, rest));
                path.truncate(before);
            }
            match self.closedir.filter(|_| own) {
                Some(close) => close(dir),
                None => {
                    closedir(dir.cast::<Dir>());
                }
            }
            result
        }
    }

    /// One pattern without braces: its matches, sorted.
    fn plain(&mut self, pattern: &[u8]) -> Result<(), Stop> {
        let first = self.count;
        let pattern = if self.flags & TILDE != 0 { home(pattern)? } else { Array::copied(pattern)? };
        self.expand(&mut Array::new(), &pattern)?;
        if self.flags & NO_SORT == 0 && self.count > first {
            // SAFETY: the elements that were added.
            unsafe {
                let start = self.paths.add(self.offset + first);
                qsort(start.cast(), self.count - first, size_of::<*mut c_char>(), by_name);
            }
        }
        Ok(())
    }

    /// A pattern with its braces expanded, from the left.
    fn braces(&mut self, pattern: &[u8], budget: &mut usize) -> Result<(), Stop> {
        *budget = budget.checked_sub(1).ok_or(Stop::NoSpace)?;
        let Some((open, close)) = brace(pattern) else { return self.plain(pattern) };
        let inside = pattern.get(open + 1..close).unwrap_or_default();
        let (mut depth, mut start) = (0, 0);
        for at in 0..=inside.len() {
            match inside.get(at) {
                Some(b'{') => depth += 1,
                Some(b'}') => depth -= 1,
                None | Some(b',') if depth == 0 => {
                    let mut one = Array::copied(pattern.get(..open).unwrap_or_default())?;
                    one.extend(inside.get(start..at).unwrap_or_default())?;
                    one.extend(pattern.get(close + 1..).unwrap_or_default())?;
                    self.braces(&one, budget)?;
                    start = at + 1;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The first brace that is closed; `{}` stands for itself.
fn brace(pattern: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let open = from + pattern.get(from..)?.iter().position(|&byte| byte == b'{')?;
        let mut depth = 0;
        let close = pattern.iter().enumerate().skip(open).find_map(|(at, byte)| {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(at)
        })?;
        if close > open + 1 {
            return Some((open, close));
        }
        from = close + 1;
    }
}

unsafe extern "C" fn by_name(left: *const c_void, right: *const c_void) -> c_int {
    // SAFETY: elements of the list of paths.
    unsafe { strcmp(*left.cast(), *right.cast()) }
}

/// Whether a part of a pattern is more than a name.
fn has_wildcard(part: &[u8], flags: c_int) -> bool {
    let mut bytes = part.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' | b'[' => return true,
            b'\\' if flags & NO_ESCAPE == 0 => {
                bytes.next();
            }
            _ => {}
        }
    }
    false
}

/// The pattern with its tilde replaced by a home directory, where there is one.
fn home(pattern: &[u8]) -> Result<Array<u8>, NoMemory> {
    let Some(rest) = pattern.strip_prefix(b"~") else { return Array::copied(pattern) };
    let length = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
    let (user, behind) = rest.split_at_checked(length).unwrap_or((rest, b""));
    let directory = if user.is_empty() {
        env::get(c"HOME")
    } else {
        let mut name = Array::copied(user)?;
        name.push(0)?;
        // SAFETY: the name has its end; the entry stays until the next lookup.
        unsafe { passwd::home_of(name.as_ptr().cast()) }
    };
    let Some(directory) = directory else { return Array::copied(pattern) };
    let mut result = Array::copied(directory.to_bytes())?;
    result.extend(behind)?;
    Ok(result)
}

/// The files that `pattern` names.
///
/// # Safety
/// `pattern` is a C string; `result` is writable, and filled by glob(3) under GLOB_APPEND.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __glob30(
    pattern: *const c_char,
    flags: c_int,
    on_error: Option<unsafe extern "C" fn(*const c_char, c_int) -> c_int>,
    result: *mut Glob,
) -> c_int {
    // SAFETY: as this function's own.
    let (pattern, result) = unsafe { (CStr::from_ptr(pattern).to_bytes(), &mut *result) };
    if flags & APPEND == 0 {
        (result.count, result.paths) = (0, ptr::null_mut());
        if flags & OFFSETS == 0 {
            result.offset = 0;
        }
    }
    (result.flags, result.on_error, result.matched) = (flags & !HAD_WILDCARD, on_error, 0);
    let done = if flags & BRACE != 0 {
        result.braces(pattern, &mut { BRACES_LIMIT })
    } else {
        result.plain(pattern)
    };
    let done = done.and_then(|()| {
        let keep = flags & NO_CHECK != 0 || flags & NO_MAGIC != 0 && result.flags & HAD_WILDCARD == 0;
        if result.matched == 0 && keep {
            // The pattern itself, as its escapes have it.
            return result.add(pattern).map(|()| true);
        }
        Ok(result.matched > 0)
    });
    match done {
        Ok(true) => 0,
        Ok(false) => NO_MATCH,
        Err(Stop::NoSpace) => NO_SPACE,
        Err(Stop::Aborted) => ABORTED,
    }
}

/// Gives the list back.
///
/// # Safety
/// `result` was filled by glob(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __globfree30(result: *mut Glob) {
    // SAFETY: as this function's own; every path is a block of its own.
    unsafe {
        let result = &mut *result;
        if !result.paths.is_null() {
            for index in 0..result.count {
                free((*result.paths.add(result.offset + index)).cast());
            }
            free(result.paths.cast());
        }
        (result.paths, result.count) = (ptr::null_mut(), 0);
    }
}

/// Whether `pattern` has wildcards; with `quote` not 0, backslashes take their meaning away.
///
/// # Safety
/// `pattern` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn glob_pattern_p(pattern: *const c_char, quote: c_int) -> c_int {
    // SAFETY: as this function's own.
    has_wildcard(unsafe { CStr::from_ptr(pattern) }.to_bytes(), if quote == 0 { NO_ESCAPE } else { 0 }).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Directories of the tests: path, then entries; those that end with a slash are directories.
    const TREE: [(&str, &[&str]); 3] =
        [(".", &["a.c", "b.c", ".hidden", "d", "x*y"]), ("d", &["e.c", "f.h"]), ("./d", &["e.c", "f.h"])];

    static OPEN: Mutex<(usize, usize)> = Mutex::new((0, 0));

    unsafe extern "C" fn open(path: *const c_char) -> *mut c_void {
        // SAFETY: a C string.
        let path = unsafe { CStr::from_ptr(path) }.to_str().expect("ASCII").trim_end_matches('/');
        let Some(index) = TREE.iter().position(|(name, _)| *name == path) else { return ptr::null_mut() };
        let block = Box::into_raw(Box::new((index, 0_usize, core::mem::MaybeUninit::<Dirent>::zeroed())));
        OPEN.lock().expect("whole").0 += 1;
        block.cast()
    }

    unsafe extern "C" fn read(dir: *mut c_void) -> *mut Dirent {
        // SAFETY: a block of `open`.
        let (index, at, entry) =
            unsafe { &mut *dir.cast::<(usize, usize, core::mem::MaybeUninit<Dirent>)>() };
        let Some(name) = TREE[*index].1.get(*at) else { return ptr::null_mut() };
        *at += 1;
        // SAFETY: zeros are an entry.
        let entry = unsafe { entry.assume_init_mut() };
        entry.name = [0; 512];
        for (place, byte) in entry.name.iter_mut().zip(name.bytes()) {
            *place = byte as c_char;
        }
        entry
    }

    unsafe extern "C" fn close(dir: *mut c_void) {
        // SAFETY: a block of `open`.
        drop(unsafe { Box::from_raw(dir.cast::<(usize, usize, core::mem::MaybeUninit<Dirent>)>()) });
        OPEN.lock().expect("whole").1 += 1;
    }

    unsafe extern "C" fn stat(path: *const c_char, stat: *mut Stat) -> c_int {
        // SAFETY: a C string and a writable structure.
        let path = unsafe { CStr::from_ptr(path) }.to_str().expect("ASCII").trim_end_matches('/');
        let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
        let known = TREE.iter().any(|(tree, names)| *tree == directory && names.contains(&name));
        // SAFETY: as above.
        unsafe { (*stat).mode = if name == "d" { DIRECTORY } else { 0o100_000 } };
        if known { 0 } else { -1 }
    }

    fn all(pattern: &CStr, flags: c_int) -> Result<Vec<String>, c_int> {
        let mut result = Glob {
            count: 0,
            matched: 0,
            offset: 0,
            flags: 0,
            paths: ptr::null_mut(),
            on_error: None,
            closedir: Some(close),
            readdir: Some(read),
            opendir: Some(open),
            lstat: Some(stat),
            stat: Some(stat),
        };
        // SAFETY: a C string, and the list is read up to its length.
        unsafe {
            let status = __glob30(pattern.as_ptr(), flags | OWN_FUNCTIONS, None, &raw mut result);
            let paths = (0..result.count)
                .map(|index| CStr::from_ptr(*result.paths.add(index)).to_str().expect("ASCII").to_owned())
                .collect();
            __globfree30(&raw mut result);
            if status == 0 { Ok(paths) } else { Err(status) }
        }
    }

    #[test]
    fn patterns_over_a_small_tree() {
        let of =
            |paths: &[&str]| Ok::<_, c_int>(paths.iter().map(|&path| path.to_owned()).collect::<Vec<_>>());
        assert_eq!(all(c"*.c", 0), of(&["a.c", "b.c"]));
        assert_eq!(all(c"*/*.c", 0), of(&["d/e.c"]));
        assert_eq!(all(c"*", MARK), of(&["a.c", "b.c", "d/", "x*y"]));
        assert_eq!(all(c".*", 0), of(&[".hidden"]));
        assert_eq!(all(c"x\\*y", 0), of(&["x*y"]));
        assert_eq!(all(c"{b,a}.c", BRACE), of(&["b.c", "a.c"]));
        assert_eq!(all(c"d/{e.{c,h},f.h}", BRACE), of(&["d/e.c", "d/f.h"]));
        assert_eq!(all(c"none*", 0), Err(NO_MATCH));
        assert_eq!(all(c"none*", NO_CHECK), of(&["none*"]));
        assert_eq!(all(c"plain", NO_MAGIC), of(&["plain"]));
        let open = OPEN.lock().expect("whole");
        assert_eq!(open.0, open.1);
    }
}

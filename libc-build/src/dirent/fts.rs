//! fts(3): walking trees step by step.
//!
//! Every node owns its whole path, and files are reached by it: the directory is never changed (FTS_NOCHDIR is always on), so `fts_accpath` is
//! `fts_path`. A node stays valid until fts_read(3) leaves it, a directory until it was returned again after its contents.

use super::walk::{DIRECTORY, KIND_BITS, LINK, Links, REGULAR, Stat, stat_at};
use super::{__opendir30, __readdir30, closedir};
use crate::errno;
use crate::stdlib::array::Array;
use crate::stdlib::heap::{calloc, free};
use crate::stdlib::sort::{Comparison, qsort};
use crate::string::copy::memcpy;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;

const COMMAND_LINE_FOLLOW: c_int = 0x001;
const LOGICAL: c_int = 0x002;
const NO_STAT: c_int = 0x008;
const PHYSICAL: c_int = 0x010;
const SEE_DOT: c_int = 0x020;
const ONE_DEVICE: c_int = 0x040;
const OPTIONS: c_int = 0x0ff;

const BEFORE: u16 = 1;
const CYCLE: u16 = 2;
const OTHER: u16 = 3;
const UNREADABLE: u16 = 4;
const DOT: u16 = 5;
const AFTER: u16 = 6;
const ERROR: u16 = 7;
const FILE: u16 = 8;
const NO_STAT_INFO: u16 = 10;
const NOT_ASKED: u16 = 11;
const SYMLINK: u16 = 12;
const DANGLING: u16 = 13;

const AGAIN: u16 = 1;
const FOLLOW: u16 = 2;
const NO_INSTRUCTION: u16 = 3;
const SKIP: u16 = 4;

/// The level above that of the paths that were given.
const PARENT_LEVEL: c_int = -1;

/// `FTSENT`; the name goes on behind the structure.
#[derive(Debug)]
#[repr(C)]
pub struct Node {
    cycle: *mut Node,
    parent: *mut Node,
    link: *mut Node,
    number: i64,
    pointer: *mut c_void,
    access_path: *mut c_char,
    path: *mut c_char,
    error: c_int,
    symlink_fd: c_int,
    path_length: u32,
    name_length: u32,
    inode: u64,
    device: u64,
    links: u32,
    level: c_int,
    info: u16,
    flags: u16,
    instruction: u16,
    stat: *mut Stat,
    name: [c_char; 1],
}

/// `FTS`.
#[derive(Debug)]
#[repr(C)]
pub struct Walk {
    current: *mut Node,
    children: *mut Node,
    array: *mut *mut Node,
    device: u64,
    path: *mut c_char,
    root_fd: c_int,
    path_length: u32,
    items: u32,
    compare: Option<Comparison>,
    options: c_int,
}

const _: () =
    assert!(size_of::<Node>() == 120 && core::mem::offset_of!(Node, name) == 112 && size_of::<Walk>() == 72);

/// Makes a node; its stat, its name and its path lie in the same block.
///
/// # Safety
/// `parent` is null or a node.
unsafe fn node(parent: *mut Node, directory: &[u8], name: &[u8], level: c_int) -> *mut Node {
    let slash = usize::from(!directory.is_empty() && !directory.ends_with(b"/"));
    let path_length = directory.len() + slash + name.len();
    let stat_at = (size_of::<Node>() + name.len() + 1).next_multiple_of(8);
    let path_at = stat_at + size_of::<Stat>();
    // SAFETY: the block has room for all four, one behind the other.
    unsafe {
        let block = calloc(1, path_at + path_length + 1).cast::<u8>();
        if block.is_null() {
            errno::set(errno::ENOMEM);
            return ptr::null_mut();
        }
        let new = block.cast::<Node>();
        let path = block.add(path_at);
        memcpy(path.cast(), directory.as_ptr().cast(), directory.len());
        if slash != 0 {
            *path.add(directory.len()) = b'/';
        }
        memcpy(path.add(directory.len() + slash).cast(), name.as_ptr().cast(), name.len());
        memcpy((&raw mut (*new).name).cast(), name.as_ptr().cast(), name.len());
        (*new).parent = parent;
        (*new).path = path.cast();
        (*new).access_path = path.cast();
        (*new).path_length = path_length as u32;
        (*new).name_length = name.len() as u32;
        (*new).level = level;
        (*new).symlink_fd = -1;
        (*new).instruction = NO_INSTRUCTION;
        (*new).stat = block.add(stat_at).cast();
        new
    }
}

/// Frees a list of nodes.
///
/// # Safety
/// Nobody uses them any more.
unsafe fn free_list(mut list: *mut Node) {
    while !list.is_null() {
        // SAFETY: a node of its own block.
        unsafe {
            let next = (*list).link;
            free(list.cast());
            list = next;
        }
    }
}

impl Walk {
    /// Fills in what a node is.
    ///
    /// # Safety
    /// `node` is one of this walk.
    unsafe fn look(&self, node: *mut Node, links: Links) -> u16 {
        // SAFETY: the node's path is a C string; its ancestors are nodes.
        unsafe {
            let node = &mut *node;
            let Some(found) = stat_at(node.path, links) else {
                let error = errno::get();
                // A link that leads nowhere is there all the same.
                if links == Links::Follow
                    && let Some(stat) = stat_at(node.path, Links::Keep)
                {
                    *node.stat = stat;
                    errno::set(0);
                    return DANGLING;
                }
                node.error = error;
                return NO_STAT_INFO;
            };
            *node.stat = found;
            (node.device, node.inode, node.links) = (found.device, found.number, found.links);
            match found.mode & KIND_BITS {
                DIRECTORY => {
                    let name = CStr::from_ptr((&raw const node.name).cast()).to_bytes();
                    if node.level > 0 && matches!(name, b"." | b"..") {
                        return DOT;
                    }
                    let mut above = node.parent;
                    while !above.is_null() && (*above).level >= 0 {
                        if ((*above).device, (*above).inode) == (node.device, node.inode) {
                            node.cycle = above;
                            return CYCLE;
                        }
                        above = (*above).parent;
                    }
                    BEFORE
                }
                LINK => SYMLINK,
                REGULAR => FILE,
                _ => OTHER,
            }
        }
    }

    /// Sorts a list as the caller wants it.
    ///
    /// # Safety
    /// The list's nodes are of this walk.
    unsafe fn sorted(&self, list: *mut Node) -> *mut Node {
        let Some(compare) = self.compare else { return list };
        let mut nodes: Array<*mut Node> = Array::new();
        // SAFETY: nodes of a list.
        unsafe {
            let mut at = list;
            while !at.is_null() {
                if nodes.push(at).is_err() {
                    return list;
                }
                at = (*at).link;
            }
            qsort(nodes.as_mut_ptr().cast(), nodes.len(), size_of::<*mut Node>(), compare);
            let mut first = ptr::null_mut();
            for &node in nodes.iter().rev() {
                (*node).link = first;
                first = node;
            }
            first
        }
    }

    /// The entries of a directory, looked at and sorted. Null where there are none or it cannot be read, which `info` then says.
    ///
    /// # Safety
    /// `directory` is a node of this walk.
    unsafe fn entries(&self, directory: *mut Node) -> *mut Node {
        // SAFETY: as this function's own; names are C strings.
        unsafe {
            let dir = __opendir30((*directory).path);
            if dir.is_null() {
                (*directory).error = errno::get();
                (*directory).info = UNREADABLE;
                return ptr::null_mut();
            }
            let path = CStr::from_ptr((*directory).path).to_bytes();
            let (mut first, mut last): (*mut Node, *mut Node) = (ptr::null_mut(), ptr::null_mut());
            loop {
                let entry = __readdir30(dir);
                if entry.is_null() {
                    break;
                }
                let name = CStr::from_ptr((&raw const (*entry).name).cast()).to_bytes();
                if self.options & SEE_DOT == 0 && matches!(name, b"." | b"..") {
                    continue;
                }
                let new = node(directory, path, name, (*directory).level + 1);
                if new.is_null() {
                    (*directory).error = errno::ENOMEM;
                    break;
                }
                // DT_DIR and DT_UNKNOWN have to be looked at, whatever else was asked.
                let kind = (*entry).kind;
                (*new).info = if self.options & NO_STAT != 0
                    && self.options & PHYSICAL != 0
                    && kind != 4
                    && kind != 0
                {
                    NOT_ASKED
                } else {
                    self.look(new, if self.options & LOGICAL != 0 { Links::Follow } else { Links::Keep })
                };
                if last.is_null() {
                    first = new;
                } else {
                    (*last).link = new;
                }
                last = new;
            }
            closedir(dir);
            self.sorted(first)
        }
    }

    /// Goes to `node`.
    ///
    /// # Safety
    /// `node` is one of this walk.
    unsafe fn visit(&mut self, node: *mut Node) -> *mut Node {
        self.current = node;
        // SAFETY: as this function's own.
        unsafe { self.path = (*node).path };
        node
    }
}

/// Starts a walk over the trees at `paths`.
///
/// # Safety
/// `paths` ends with a null; the comparison gets pointers to pointers to nodes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __fts_open60(
    paths: *const *mut c_char,
    options: c_int,
    compare: Option<Comparison>,
) -> *mut Walk {
    let logical = options & LOGICAL != 0;
    if options & !OPTIONS != 0 || logical == (options & PHYSICAL != 0) {
        errno::set(errno::EINVAL);
        return ptr::null_mut();
    }
    // SAFETY: as this function's own.
    unsafe {
        let walk = calloc(1, size_of::<Walk>()).cast::<Walk>();
        let above = node(ptr::null_mut(), b"", b"", PARENT_LEVEL);
        if walk.is_null() || above.is_null() {
            free(walk.cast());
            free(above.cast());
            errno::set(errno::ENOMEM);
            return ptr::null_mut();
        }
        let state = &mut *walk;
        (state.compare, state.options, state.root_fd) = (compare, options, -1);
        let (mut first, mut last): (*mut Node, *mut Node) = (ptr::null_mut(), ptr::null_mut());
        let mut index = 0;
        while !(*paths.add(index)).is_null() {
            let new = node(above, b"", CStr::from_ptr(*paths.add(index)).to_bytes(), 0);
            if new.is_null() {
                break;
            }
            let follow = logical || options & COMMAND_LINE_FOLLOW != 0;
            (*new).info = state.look(new, if follow { Links::Follow } else { Links::Keep });
            if last.is_null() {
                first = new;
            } else {
                (*last).link = new;
            }
            last = new;
            index += 1;
        }
        // The first step goes from here to the first path.
        (*above).link = state.sorted(first);
        (*above).info = FILE;
        state.current = above;
        walk
    }
}

/// The next node; null after the last, with errno 0.
///
/// # Safety
/// `walk` is open.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __fts_read60(walk: *mut Walk) -> *mut Node {
    // SAFETY: nodes of the walk; one that is left is freed once.
    unsafe {
        let walk = &mut *walk;
        let mut at = walk.current;
        if at.is_null() {
            errno::set(0);
            return at;
        }
        let instruction = core::mem::replace(&mut (*at).instruction, NO_INSTRUCTION);
        if (*at).level == PARENT_LEVEL {
            let first = (*at).link;
            (*at).link = ptr::null_mut();
            if first.is_null() {
                free(at.cast());
                walk.current = first;
                errno::set(0);
                return first;
            }
            walk.device = (*first).device;
            return walk.visit(first);
        }
        if instruction == AGAIN {
            (*at).info = walk.look(at, if walk.options & LOGICAL != 0 { Links::Follow } else { Links::Keep });
            return at;
        }
        if instruction == FOLLOW && matches!((*at).info, SYMLINK | DANGLING) {
            (*at).info = walk.look(at, Links::Follow);
            return at;
        }
        if (*at).info == BEFORE {
            if instruction == SKIP || walk.options & ONE_DEVICE != 0 && (*at).device != walk.device {
                free_list(core::mem::replace(&mut walk.children, ptr::null_mut()));
                (*at).info = AFTER;
                return at;
            }
            let first = match core::mem::replace(&mut walk.children, ptr::null_mut()) {
                none if none.is_null() => walk.entries(at),
                listed => listed,
            };
            if first.is_null() {
                if (*at).info == BEFORE {
                    (*at).info = if (*at).error != 0 { ERROR } else { AFTER };
                }
                return at;
            }
            return walk.visit(first);
        }
        // On to the next one beside it, or back to the directory above.
        loop {
            let (next, above) = ((*at).link, (*at).parent);
            free(at.cast());
            if next.is_null() {
                if (*above).level == PARENT_LEVEL {
                    free(above.cast());
                    walk.current = ptr::null_mut();
                    errno::set(0);
                    return ptr::null_mut();
                }
                (*above).info = if (*above).error != 0 { ERROR } else { AFTER };
                return walk.visit(above);
            }
            at = next;
            if (*at).level == 0 {
                walk.device = (*at).device;
            }
            match (*at).instruction {
                SKIP => continue,
                FOLLOW => {
                    (*at).info = walk.look(at, Links::Follow);
                    (*at).instruction = NO_INSTRUCTION;
                }
                _ => {}
            }
            return walk.visit(at);
        }
    }
}

/// The nodes in the directory that was just returned; before the first fts_read(3), those of the paths.
///
/// # Safety
/// `walk` is open.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __fts_children60(walk: *mut Walk, options: c_int) -> *mut Node {
    // SAFETY: nodes of the walk.
    unsafe {
        let walk = &mut *walk;
        let at = walk.current;
        // FTS_NAMEONLY is the only option; the nodes have everything anyway.
        if options & !0x100 != 0 {
            errno::set(errno::EINVAL);
            return ptr::null_mut();
        }
        errno::set(0);
        if at.is_null() {
            return at;
        }
        if (*at).level == PARENT_LEVEL {
            return (*at).link;
        }
        if (*at).info != BEFORE {
            return ptr::null_mut();
        }
        free_list(core::mem::replace(&mut walk.children, ptr::null_mut()));
        walk.children = walk.entries(at);
        walk.children
    }
}

/// Says what is to be done with a node when it comes to it.
///
/// # Safety
/// `node` is one of the walk.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __fts_set60(_walk: *mut Walk, node: *mut Node, instruction: c_int) -> c_int {
    let Some(instruction) = u16::try_from(instruction).ok().filter(|&known| known <= SKIP) else {
        return errno::fail(errno::EINVAL);
    };
    // SAFETY: as this function's own.
    unsafe { (*node).instruction = instruction };
    0
}

/// Ends a walk.
///
/// # Safety
/// `walk` is open; its nodes are not used any more.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __fts_close60(walk: *mut Walk) -> c_int {
    // SAFETY: every node is in one list, or above one.
    unsafe {
        free_list((*walk).children);
        let mut at = (*walk).current;
        while !at.is_null() {
            let above = (*at).parent;
            free_list(at);
            at = above;
        }
        free(walk.cast());
    }
    0
}

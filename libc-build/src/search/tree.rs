//! tsearch(3): binary search trees. The nodes are those of search.h: a key and two links.
//!
//! Keys are put in by random descent (a treap whose priorities are a hash of the node's address), so that keys that come sorted do not make a list.

use crate::stdlib::heap::{free, malloc};
use crate::stdlib::sort::Comparison;
use core::ffi::{c_int, c_void};
use core::ptr;

/// `node_t`.
#[derive(Debug)]
#[repr(C)]
pub struct Node {
    key: *const c_void,
    left: *mut Node,
    right: *mut Node,
}

/// The node's rank in the heap order of the treap.
fn priority(node: *const Node) -> u64 {
    (node.addr() as u64 >> 4)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(29)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// The node with a key that equals `key`, or null.
///
/// # Safety
/// `root` is null or the place of a tree.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn tfind(key: *const c_void, root: *const *mut Node, compare: Comparison) -> *mut Node {
    if root.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: nodes of the tree.
    unsafe {
        let mut at = *root;
        while !at.is_null() {
            let order = compare(key, (*at).key);
            if order == 0 {
                return at;
            }
            at = if order < 0 { (*at).left } else { (*at).right };
        }
        at
    }
}

/// [`tfind`] that puts `key` in where it was not found.
///
/// # Safety
/// `root` is null or the place of a tree.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn tsearch(key: *const c_void, root: *mut *mut Node, compare: Comparison) -> *mut Node {
    if root.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: nodes of the tree and links between them.
    unsafe {
        let found = tfind(key, root, compare);
        if !found.is_null() {
            return found;
        }
        let new = malloc(size_of::<Node>()).cast::<Node>();
        if new.is_null() {
            return new;
        }
        let mut place = root;
        while !(*place).is_null() && priority(*place) >= priority(new) {
            place = if compare(key, (**place).key) < 0 {
                &raw mut (**place).left
            } else {
                &raw mut (**place).right
            };
        }
        // The subtree here is split by the key into the new node's two.
        let mut rest = *place;
        new.write(Node { key, left: ptr::null_mut(), right: ptr::null_mut() });
        *place = new;
        let (mut smaller, mut greater) = (&raw mut (*new).left, &raw mut (*new).right);
        while !rest.is_null() {
            if compare(key, (*rest).key) < 0 {
                *greater = rest;
                greater = &raw mut (*rest).left;
                rest = (*rest).left;
            } else {
                *smaller = rest;
                smaller = &raw mut (*rest).right;
                rest = (*rest).right;
            }
        }
        *smaller = ptr::null_mut();
        *greater = ptr::null_mut();
        new
    }
}

/// Takes the node that equals `key` out; returns its parent (the root has itself as one that may not be used), or null.
///
/// # Safety
/// `root` is null or the place of a tree.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn tdelete(key: *const c_void, root: *mut *mut Node, compare: Comparison) -> *mut Node {
    if root.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: nodes of the tree and links between them.
    unsafe {
        let (mut place, mut parent) = (root, *root);
        loop {
            let at = *place;
            if at.is_null() {
                return at;
            }
            let order = compare(key, (*at).key);
            if order == 0 {
                break;
            }
            parent = at;
            place = if order < 0 { &raw mut (*at).left } else { &raw mut (*at).right };
        }
        let gone = *place;
        // Its two subtrees are merged by priority.
        let (mut left, mut right) = ((*gone).left, (*gone).right);
        while !left.is_null() && !right.is_null() {
            if priority(left) >= priority(right) {
                *place = left;
                place = &raw mut (*left).right;
                left = (*left).right;
            } else {
                *place = right;
                place = &raw mut (*right).left;
                right = (*right).left;
            }
        }
        *place = if left.is_null() { right } else { left };
        free(gone.cast());
        parent
    }
}

/// What twalk(3) calls: the node, when (0 before its children, 1 between, 2 after, 3 for a leaf), and its depth.
pub type Visitor = unsafe extern "C" fn(*const Node, c_int, c_int);

/// Visits the nodes in order.
///
/// # Safety
/// `root` is null or a tree.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn twalk(root: *const Node, visit: Option<Visitor>) {
    /// One subtree.
    unsafe fn walk(node: *const Node, visit: Visitor, depth: c_int) {
        // SAFETY: nodes of the tree.
        unsafe {
            let (left, right) = ((*node).left, (*node).right);
            if left.is_null() && right.is_null() {
                visit(node, 3, depth);
                return;
            }
            visit(node, 0, depth);
            if !left.is_null() {
                walk(left, visit, depth + 1);
            }
            visit(node, 1, depth);
            if !right.is_null() {
                walk(right, visit, depth + 1);
            }
            visit(node, 2, depth);
        }
    }
    if let Some(visit) = visit.filter(|_| !root.is_null()) {
        // SAFETY: as this function's own.
        unsafe { walk(root, visit, 0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    unsafe extern "C" fn compare(left: *const c_void, right: *const c_void) -> c_int {
        left.addr().cmp(&right.addr()) as c_int
    }

    std::thread_local!(static SEEN: RefCell<Vec<(usize, i32)>> = const { RefCell::new(Vec::new()) });

    unsafe extern "C" fn note(node: *const Node, when: c_int, depth: c_int) {
        if when == 1 || when == 3 {
            // SAFETY: a node of the walk.
            SEEN.with(|seen| seen.borrow_mut().push((unsafe { (*node).key }.addr(), depth)));
        }
    }

    #[test]
    fn sorted_keys_make_a_flat_tree_that_shrinks_again() {
        let mut root = ptr::null_mut();
        let key = |value: usize| ptr::without_provenance::<c_void>(value);
        // SAFETY: keys that are never followed.
        unsafe {
            for value in 1..=2000 {
                assert!(!tsearch(key(value), &raw mut root, compare).is_null());
                tsearch(key(value), &raw mut root, compare);
            }
            twalk(root, Some(note));
            let seen = SEEN.with(RefCell::take);
            assert!(seen.iter().map(|&(value, _)| value).eq(1..=2000));
            assert!(seen.iter().all(|&(_, depth)| depth < 100));
            for value in (1..=2000).filter(|value| value % 3 != 0) {
                assert!(!tdelete(key(value), &raw mut root, compare).is_null());
                assert!(tfind(key(value), &raw const root, compare).is_null());
            }
            twalk(root, Some(note));
            assert!(SEEN.with(RefCell::take).iter().map(|&(value, _)| value).eq((3..=2000).step_by(3)));
            while !root.is_null() {
                tdelete((*root).key, &raw mut root, compare);
            }
        }
    }
}

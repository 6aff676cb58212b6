//! rb_tree(3): red-black trees whose nodes lie in the program's own objects (sys/rbtree.h).
//!
//! A node keeps its parent, its colour and on which side of the parent it hangs in one word; the parent of the root is the tree's own field, taken for a node.
//! Colours follow the usual rules: no red node has a red child, and every way down has as many black nodes.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr::null_mut;

/// The node hangs on the right.
const RIGHT: usize = 2;
/// The node is red.
const RED: usize = 1;

/// `struct rb_node`.
#[derive(Debug)]
#[repr(C)]
pub struct Node {
    /// Left and right.
    children: [*mut Self; 2],
    /// The parent's address, with [`RIGHT`] and [`RED`].
    info: *mut Self,
}

/// Compares two objects: positive where the first is greater.
type CompareNodes = unsafe extern "C" fn(*mut c_void, *const c_void, *const c_void) -> c_int;
/// Compares an object with a key: positive where the object is greater.
type CompareKey = unsafe extern "C" fn(*mut c_void, *const c_void, *const c_void) -> c_int;

/// `rb_tree_ops_t`.
#[derive(Debug)]
#[repr(C)]
pub struct Operations {
    compare_nodes: CompareNodes,
    compare_key: CompareKey,
    /// Where the node is in the objects.
    offset: usize,
    context: *mut c_void,
}

/// `struct rb_tree`.
#[derive(Debug)]
#[repr(C)]
pub struct Tree {
    root: *mut Node,
    operations: *const Operations,
    /// The first and the last node: not kept, for they are found as fast as anything else.
    ends: [*mut Node; 2],
}

impl Node {
    fn parent(&self) -> *mut Self {
        self.info.map_addr(|info| info & !(RIGHT | RED))
    }

    fn side(&self) -> usize {
        usize::from(self.info.addr() & RIGHT != 0)
    }

    fn is_red(&self) -> bool {
        self.info.addr() & RED != 0
    }

    fn set_red(&mut self, is_red: bool) {
        self.info = self.info.map_addr(|info| info & !RED | if is_red { RED } else { 0 });
    }

    /// Hangs the node under another parent; its colour stays.
    fn hang(&mut self, parent: *mut Self, side: usize) {
        let colour = self.info.addr() & RED;
        self.info = parent.map_addr(|parent| parent | colour | if side == 1 { RIGHT } else { 0 });
    }
}

/// Whether a node, which may be null, is red.
///
/// # Safety
/// `node` is null or a node.
unsafe fn is_red(node: *const Node) -> bool {
    // SAFETY: as this function's own.
    unsafe { node.as_ref() }.is_some_and(Node::is_red)
}

impl Tree {
    /// Whether a node has no parent.
    fn is_root(&self, node: *const Node) -> bool {
        core::ptr::eq(self.root, node)
    }

    fn operations(&self) -> &Operations {
        // SAFETY: rb_tree_init(3) or the initialiser set it, and the program keeps it.
        unsafe { &*self.operations }
    }

    fn node(&self, object: *mut c_void) -> *mut Node {
        object.wrapping_byte_add(self.operations().offset).cast()
    }

    fn object(&self, node: *mut Node) -> *mut c_void {
        if node.is_null() { null_mut() } else { node.wrapping_byte_sub(self.operations().offset).cast() }
    }

    /// Puts `new`, which may be null, in the place of `old` below its parent.
    ///
    /// # Safety
    /// Both are nodes, `old` of this tree.
    unsafe fn replace(&mut self, old: *mut Node, new: *mut Node) {
        // SAFETY: as this function's own.
        unsafe {
            let (parent, side) = ((*old).parent(), (*old).side());
            if self.is_root(old) {
                self.root = new;
            } else {
                (*parent).children[side] = new;
            }
            if let Some(new) = new.as_mut() {
                new.hang(parent, side);
            }
        }
    }

    /// Brings the child on a node's other side above it, which then hangs on `side`.
    ///
    /// # Safety
    /// `node` is of this tree and has that child.
    unsafe fn rotate(&mut self, node: *mut Node, side: usize) {
        // SAFETY: as this function's own.
        unsafe {
            let child = (*node).children[1 - side];
            let inner = (*child).children[side];
            self.replace(node, child);
            (*node).children[1 - side] = inner;
            if let Some(inner) = inner.as_mut() {
                inner.hang(node, 1 - side);
            }
            (*child).children[side] = node;
            (*node).hang(child, side);
        }
    }

    /// Restores the colours' rules above a new red node.
    ///
    /// # Safety
    /// `node` is of this tree.
    unsafe fn settle(&mut self, mut node: *mut Node) {
        // SAFETY: as this function's own; a red node has a parent, because the root is black.
        unsafe {
            while !self.is_root(node) && (*(*node).parent()).is_red() {
                let parent = (*node).parent();
                let (grandparent, side) = ((*parent).parent(), (*parent).side());
                let uncle = (*grandparent).children[1 - side];
                if is_red(uncle) {
                    (*parent).set_red(false);
                    (*uncle).set_red(false);
                    (*grandparent).set_red(true);
                    node = grandparent;
                    continue;
                }
                if (*node).side() != side {
                    node = parent;
                    self.rotate(node, side);
                }
                let parent = (*node).parent();
                (*parent).set_red(false);
                (*grandparent).set_red(true);
                self.rotate(grandparent, 1 - side);
            }
            (*self.root).set_red(false);
        }
    }

    /// Restores the colours' rules where the way on one side of `parent` has a black node too few.
    ///
    /// # Safety
    /// `parent` is null or of this tree.
    unsafe fn refill(&mut self, mut parent: *mut Node, mut side: usize) {
        // SAFETY: as this function's own; the other side has a black node more, so there is a sibling.
        unsafe {
            while !parent.is_null() {
                let child = (*parent).children[side];
                if is_red(child) {
                    (*child).set_red(false);
                    return;
                }
                let mut sibling = (*parent).children[1 - side];
                if (*sibling).is_red() {
                    (*sibling).set_red(false);
                    (*parent).set_red(true);
                    self.rotate(parent, side);
                    sibling = (*parent).children[1 - side];
                }
                let (near, far) = ((*sibling).children[side], (*sibling).children[1 - side]);
                if !is_red(near) && !is_red(far) {
                    (*sibling).set_red(true);
                    if (*parent).is_red() || self.is_root(parent) {
                        (*parent).set_red(false);
                        return;
                    }
                    (parent, side) = ((*parent).parent(), (*parent).side());
                    continue;
                }
                if !is_red(far) {
                    (*near).set_red(false);
                    (*sibling).set_red(true);
                    self.rotate(sibling, 1 - side);
                    sibling = (*parent).children[1 - side];
                }
                (*sibling).set_red((*parent).is_red());
                (*parent).set_red(false);
                if let Some(far) = (*sibling).children[1 - side].as_mut() {
                    far.set_red(false);
                }
                self.rotate(parent, side);
                return;
            }
        }
    }

    /// The node that is farthest on a side below `node`.
    ///
    /// # Safety
    /// `node` is null or of this tree.
    unsafe fn farthest(mut node: *mut Node, side: usize) -> *mut Node {
        // SAFETY: as this function's own.
        unsafe {
            while let Some(next) =
                node.as_ref().map(|node| node.children[side]).filter(|next| !next.is_null())
            {
                node = next;
            }
        }
        node
    }

    /// The last object that `key` is not before (`side` 0), or the first that it is not behind (`side` 1); `exact` wants the same.
    ///
    /// # Safety
    /// The tree's functions take `key`.
    unsafe fn find(&self, key: *const c_void, side: Option<usize>) -> *mut c_void {
        let (mut node, mut best) = (self.root, null_mut());
        let operations = self.operations();
        // SAFETY: as this function's own; nodes of this tree.
        unsafe {
            while !node.is_null() {
                let order = (operations.compare_key)(operations.context, self.object(node), key);
                if order == 0 {
                    return self.object(node);
                }
                let went = usize::from(order < 0);
                if side == Some(1 - went) {
                    best = node;
                }
                node = (*node).children[went];
            }
        }
        self.object(best)
    }
}

/// An empty tree.
///
/// # Safety
/// `tree` is writable; `operations` stays.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rb_tree_init(tree: *mut Tree, operations: *const Operations) {
    // SAFETY: as this function's own.
    unsafe { tree.write(Tree { root: null_mut(), operations, ends: [null_mut(); 2] }) };
}

/// Puts an object in; the one that is there already where one compares equal.
///
/// # Safety
/// `tree` is a tree; `object` has a node, and stays until it is taken out.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rb_tree_insert_node(tree: *mut Tree, object: *mut c_void) -> *mut c_void {
    // SAFETY: as this function's own; nodes of this tree.
    unsafe {
        let tree = &mut *tree;
        let new = tree.node(object);
        let (mut parent, mut side, mut node) = (null_mut::<Node>(), 0, tree.root);
        while !node.is_null() {
            let operations = tree.operations();
            let order = (operations.compare_nodes)(operations.context, tree.object(node), object);
            if order == 0 {
                return tree.object(node);
            }
            (parent, side) = (node, usize::from(order < 0));
            node = (*node).children[side];
        }
        new.write(Node { children: [null_mut(); 2], info: null_mut() });
        (*new).hang(parent, side);
        (*new).set_red(true);
        match parent.as_mut() {
            None => tree.root = new,
            Some(parent) => parent.children[side] = new,
        }
        tree.settle(new);
    }
    object
}

/// The object that compares equal to a key; null where there is none.
///
/// # Safety
/// `tree` is a tree, whose functions take `key`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rb_tree_find_node(tree: *mut Tree, key: *const c_void) -> *mut c_void {
    // SAFETY: as this function's own.
    unsafe { (*tree).find(key, None) }
}

/// The first object that is equal to a key or greater; null where there is none.
///
/// # Safety
/// `tree` is a tree, whose functions take `key`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rb_tree_find_node_geq(tree: *mut Tree, key: *const c_void) -> *mut c_void {
    // SAFETY: as this function's own.
    unsafe { (*tree).find(key, Some(1)) }
}

/// The last object that is equal to a key or less; null where there is none.
///
/// # Safety
/// `tree` is a tree, whose functions take `key`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rb_tree_find_node_leq(tree: *mut Tree, key: *const c_void) -> *mut c_void {
    // SAFETY: as this function's own.
    unsafe { (*tree).find(key, Some(0)) }
}

/// Takes an object out.
///
/// # Safety
/// `object` is in `tree`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rb_tree_remove_node(tree: *mut Tree, object: *mut c_void) {
    // SAFETY: as this function's own; nodes of this tree.
    unsafe {
        let tree = &mut *tree;
        let node = tree.node(object);
        let [left, right] = (*node).children;
        let (mut parent, side, was_red);
        if !left.is_null() && !right.is_null() {
            // The next object's node takes this one's place, links and colour.
            let next = Tree::farthest(right, 0);
            was_red = (*next).is_red();
            (parent, side) = ((*next).parent(), (*next).side());
            let below = (*next).children[1];
            if parent == node {
                parent = next;
            } else {
                tree.replace(next, below);
                (*next).children[1] = right;
                (*right).hang(next, 1);
            }
            tree.replace(node, next);
            (*next).children[0] = left;
            (*left).hang(next, 0);
            (*next).set_red((*node).is_red());
        } else {
            was_red = (*node).is_red();
            (parent, side) =
                if tree.is_root(node) { (null_mut(), 0) } else { ((*node).parent(), (*node).side()) };
            tree.replace(node, if left.is_null() { right } else { left });
        }
        if tree.root.is_null() {
            return;
        }
        if !was_red {
            tree.refill(parent, side);
        }
        (*tree.root).set_red(false);
    }
}

/// The object before (`direction` 0) or behind (1) another one; the first (0) or the last (1) where that is null.
///
/// # Safety
/// `object` is null or in `tree`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rb_tree_iterate(
    tree: *mut Tree,
    object: *mut c_void,
    direction: c_uint,
) -> *mut c_void {
    let side = usize::from(direction != 0);
    // SAFETY: as this function's own; nodes of this tree.
    unsafe {
        let tree = &*tree;
        if object.is_null() {
            return tree.object(Tree::farthest(tree.root, side));
        }
        let mut node = tree.node(object);
        let below = (*node).children[side];
        if !below.is_null() {
            return tree.object(Tree::farthest(below, 1 - side));
        }
        // Up, for as long as it was on the wrong side.
        while !tree.is_root(node) {
            let from = (*node).side();
            node = (*node).parent();
            if from != side {
                return tree.object(node);
            }
        }
    }
    null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[repr(C)]
    struct Object {
        value: u32,
        node: Node,
    }

    unsafe extern "C" fn compare_nodes(_: *mut c_void, left: *const c_void, right: *const c_void) -> c_int {
        // SAFETY: the tree's objects.
        unsafe { (*left.cast::<Object>()).value.cmp(&(*right.cast::<Object>()).value) as c_int }
    }

    unsafe extern "C" fn compare_key(_: *mut c_void, object: *const c_void, key: *const c_void) -> c_int {
        // SAFETY: the tree's objects, and numbers as keys.
        unsafe { (*object.cast::<Object>()).value.cmp(&*key.cast::<u32>()) as c_int }
    }

    /// Black nodes on every way down; checks colours and links.
    unsafe fn height(node: *mut Node) -> usize {
        // SAFETY: nodes of the tree.
        unsafe {
            let Some(it) = node.as_ref() else { return 1 };
            for (side, child) in it.children.into_iter().enumerate() {
                if let Some(child) = child.as_ref() {
                    assert_eq!((child.parent(), child.side()), (node, side));
                    assert!(!(it.is_red() && child.is_red()));
                }
            }
            let [left, right] = it.children.map(|child| height(child));
            assert_eq!(left, right);
            left + usize::from(!it.is_red())
        }
    }

    fn value(object: *mut c_void) -> Option<u32> {
        // SAFETY: null or an object of the tree.
        unsafe { object.cast::<Object>().as_ref().map(|object| object.value) }
    }

    proptest! {
        #[test]
        fn it_behaves_as_a_set(steps in proptest::collection::vec((any::<bool>(), 0..60_u32), 0..200)) {
            let operations =
                Operations { compare_nodes, compare_key, offset: core::mem::offset_of!(Object, node), context: null_mut() };
            let mut objects: Vec<Object> =
                (0..60).map(|value| Object { value, node: Node { children: [null_mut(); 2], info: null_mut() } }).collect();
            let objects = objects.as_mut_ptr();
            let mut tree = Tree { root: null_mut(), operations: &raw const operations, ends: [null_mut(); 2] };
            let tree = &raw mut tree;
            let mut set = BTreeSet::new();
            // SAFETY: the objects outlive the tree, and are taken out only while they are in it.
            unsafe {
                rb_tree_init(tree, &raw const operations);
                for (is_insert, number) in steps {
                    let object = objects.add(number as usize).cast();
                    if is_insert && set.insert(number) {
                        prop_assert_eq!(rb_tree_insert_node(tree, object), object);
                    } else if set.remove(&number) {
                        rb_tree_remove_node(tree, object);
                    }
                    height((*tree).root);
                    prop_assert!(!is_red((*tree).root));
                    let key = (&raw const number).cast();
                    prop_assert_eq!(value(rb_tree_find_node(tree, key)), set.get(&number).copied());
                    prop_assert_eq!(value(rb_tree_find_node_geq(tree, key)), set.range(number..).next().copied());
                    prop_assert_eq!(value(rb_tree_find_node_leq(tree, key)), set.range(..=number).next_back().copied());
                }
                for (direction, first) in [(1, 0), (0, 1)] {
                    let mut found = vec![];
                    let mut at = rb_tree_iterate(tree, null_mut(), first);
                    while let Some(value) = value(at) {
                        found.push(value);
                        at = rb_tree_iterate(tree, at, direction);
                    }
                    if direction == 0 {
                        found.reverse();
                    }
                    prop_assert_eq!(found, set.iter().copied().collect::<Vec<_>>());
                }
            }
        }
    }
}

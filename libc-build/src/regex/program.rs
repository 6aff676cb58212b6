//! The machine's program. Jumps are relative, so that a piece of program can be copied and moved as it is.

use super::compile::Flags;
use crate::stdlib::array::Array;
use crate::string::scan::ByteSet;

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// This byte.
    Byte(u8),
    /// Any byte.
    Any,
    /// A byte of the set with this index.
    Set(u32),
    /// Go on at both; the first is preferred.
    Split(i32, i32),
    /// Go on there.
    Jump(i32),
    /// Note the position.
    Save(u32),
    /// At a line's start.
    LineStart,
    /// At a line's end.
    LineEnd,
    /// Where a word begins.
    WordStart,
    /// Where a word ends.
    WordEnd,
    /// Where a word begins or ends.
    WordEdge,
    /// Where no word begins or ends.
    NoWordEdge,
    /// What the group with this number matched.
    Same(u32),
    /// The end.
    Match,
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Program {
    /// The instructions.
    pub ops: Array<Op>,
    /// The sets of bytes.
    pub sets: Array<ByteSet>,
    /// The number of groups.
    pub groups: usize,
    /// What the pattern was compiled with.
    pub flags: Flags,
    /// Whether a back-reference is among the instructions.
    pub has_references: bool,
}

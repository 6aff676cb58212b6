//! Running a program over a text.

use super::Match;
use super::compile::NEWLINE;
use super::program::{Op, Program};
use crate::stdlib::array::{Array, NoMemory};

/// Whether the text's ends are ends of lines.
#[derive(Clone, Copy, Debug)]
pub struct Edges {
    /// Its start is a line's.
    pub line_start: bool,
    /// Its end is a line's.
    pub line_end: bool,
}

/// What a thread has not noted.
const UNSET: usize = usize::MAX;

/// The text and what can be asked about a position in it.
#[derive(Clone, Copy)]
struct Text<'a> {
    program: &'a Program,
    bytes: &'a [u8],
    edges: Edges,
}

fn is_word(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Text<'_> {
    fn before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).and_then(|index| self.bytes.get(index)).copied()
    }

    fn at(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn line_start(&self, at: usize) -> bool {
        if at == 0 {
            self.edges.line_start
        } else {
            self.program.flags.has(NEWLINE) && self.before(at) == Some(b'\n')
        }
    }

    fn line_end(&self, at: usize) -> bool {
        if at == self.bytes.len() {
            self.edges.line_end
        } else {
            self.program.flags.has(NEWLINE) && self.at(at) == Some(b'\n')
        }
    }

    /// Whether the position is what an instruction without width wants; None for other instructions.
    fn holds(&self, op: Op, at: usize) -> Option<bool> {
        let (left, right) = (is_word(self.before(at)), is_word(self.at(at)));
        Some(match op {
            Op::LineStart => self.line_start(at),
            Op::LineEnd => self.line_end(at),
            Op::WordStart => !left && right,
            Op::WordEnd => left && !right,
            Op::WordEdge => left != right,
            Op::NoWordEdge => left == right,
            _ => return None,
        })
    }

    /// Whether an instruction takes `byte`.
    fn takes(&self, op: Op, byte: u8) -> bool {
        match op {
            Op::Byte(wanted) => wanted == byte,
            Op::Any => true,
            Op::Set(index) => self.program.sets.get(index as usize).is_some_and(|set| set.contains(byte)),
            _ => false,
        }
    }

    fn op(&self, pc: usize) -> Op {
        self.program.ops.get(pc).copied().unwrap_or(Op::Match)
    }
}

fn jump(pc: usize, by: i32) -> usize {
    pc.wrapping_add_signed(by as isize)
}

/// Threads in the order of their preference, each at an instruction that takes a byte (or at the end), with its notes.
struct Threads {
    pcs: Array<usize>,
    notes: Array<usize>,
    /// For each instruction, the step in which it was last reached.
    reached: Array<u32>,
    step: u32,
}

impl Threads {
    fn new(ops: usize) -> Result<Self, NoMemory> {
        Ok(Self { pcs: Array::new(), notes: Array::new(), reached: Array::filled(0, ops)?, step: 0 })
    }

    fn clear(&mut self) {
        self.pcs.truncate(0);
        self.notes.truncate(0);
        self.step += 1;
        if self.step == u32::MAX {
            self.reached.fill(0);
            self.step = 1;
        }
    }

    /// Adds the threads that `pc` leads to without taking a byte. `stack` and `notes` are scratch memory; `notes` is left as it was.
    fn add(
        &mut self,
        text: &Text<'_>,
        pc: usize,
        at: usize,
        notes: &mut Array<usize>,
        stack: &mut Array<Todo>,
    ) -> Result<(), NoMemory> {
        stack.truncate(0);
        stack.push(Todo::Go(pc))?;
        while let Some(&todo) = stack.last() {
            stack.truncate(stack.len() - 1);
            let pc = match todo {
                Todo::Go(pc) => pc,
                Todo::Restore(slot, value) => {
                    if let Some(note) = notes.get_mut(slot) {
                        *note = value;
                    }
                    continue;
                }
            };
            let step = self.step;
            match self.reached.get_mut(pc) {
                Some(reached) if *reached != step => *reached = step,
                _ => continue,
            }
            let op = text.op(pc);
            match op {
                Op::Jump(by) => stack.push(Todo::Go(jump(pc, by)))?,
                Op::Split(first, second) => {
                    stack.push(Todo::Go(jump(pc, second)))?;
                    stack.push(Todo::Go(jump(pc, first)))?;
                }
                Op::Save(slot) => {
                    if let Some(note) = notes.get_mut(slot as usize) {
                        stack.push(Todo::Restore(slot as usize, *note))?;
                        *note = at;
                    }
                    stack.push(Todo::Go(pc + 1))?;
                }
                _ => match text.holds(op, at) {
                    Some(true) => stack.push(Todo::Go(pc + 1))?,
                    Some(false) => {}
                    None => {
                        self.pcs.push(pc)?;
                        self.notes.extend(notes)?;
                    }
                },
            }
        }
        Ok(())
    }
}

/// What is left to do while threads are added.
#[derive(Clone, Copy)]
enum Todo {
    Go(usize),
    Restore(usize, usize),
}

/// Looks for the leftmost longest match and fills `out` with it and its groups.
///
/// # Errors
/// No memory.
pub fn execute(program: &Program, bytes: &[u8], edges: Edges, out: &mut [Match]) -> Result<bool, NoMemory> {
    let text = Text { program, bytes, edges };
    // The whole match is always noted; groups only as far as they are asked for.
    let groups =
        if program.has_references { program.groups + 1 } else { out.len().clamp(1, program.groups + 1) };
    let slots = 2 * groups;
    let best = if program.has_references { backtrack(&text, slots)? } else { run(&text, slots)? };
    let Some(best) = best else { return Ok(false) };
    for (index, found) in out.iter_mut().enumerate() {
        *found = match (best.get(2 * index), best.get(2 * index + 1)) {
            (Some(&start), Some(&end)) if start != UNSET && end != UNSET => {
                Match { start: start as i64, end: end as i64 }
            }
            _ => Match::NONE,
        };
    }
    Ok(true)
}

/// All threads in step.
fn run(text: &Text<'_>, slots: usize) -> Result<Option<Array<usize>>, NoMemory> {
    let ops = text.program.ops.len();
    let (mut now, mut next) = (Threads::new(ops)?, Threads::new(ops)?);
    let mut notes = Array::filled(UNSET, slots)?;
    let mut stack = Array::new();
    let mut best: Option<Array<usize>> = None;
    now.clear();
    // A pattern that begins with a literal byte starts only where that stands.
    let first_byte = match text.op(1) {
        Op::Byte(byte) => Some(byte),
        _ => None,
    };
    let mut at = 0;
    loop {
        if best.is_none() {
            if now.pcs.is_empty()
                && let Some(byte) = first_byte
            {
                let Some(skip) =
                    text.bytes.get(at..).and_then(|rest| rest.iter().position(|&found| found == byte))
                else {
                    return Ok(None);
                };
                at += skip;
            }
            notes.fill(UNSET);
            now.add(text, 0, at, &mut notes, &mut stack)?;
        }
        if now.pcs.is_empty() && (best.is_some() || at >= text.bytes.len()) {
            return Ok(best);
        }
        next.clear();
        let byte = text.at(at);
        for (index, &pc) in now.pcs.iter().enumerate() {
            let thread = now.notes.get(index * slots..(index + 1) * slots).unwrap_or_default();
            let start = thread.first().copied().unwrap_or(UNSET);
            if let Some(best) = &best
                && best.first().is_some_and(|&found| start > found)
            {
                continue;
            }
            let op = text.op(pc);
            if op == Op::Match {
                let better = best.as_ref().is_none_or(|best| {
                    let (found, end) =
                        (best.first().copied().unwrap_or(UNSET), best.get(1).copied().unwrap_or(0));
                    start < found || end < at
                });
                if better {
                    let mut copy = Array::copied(thread)?;
                    if let Some(end) = copy.get_mut(1) {
                        *end = at;
                    }
                    best = Some(copy);
                }
            } else if byte.is_some_and(|byte| text.takes(op, byte)) {
                notes.copy_from_slice(thread);
                next.add(text, pc + 1, at + 1, &mut notes, &mut stack)?;
            }
        }
        if byte.is_none() {
            return Ok(best);
        }
        core::mem::swap(&mut now, &mut next);
        at += 1;
    }
}

/// A place to go back to.
#[derive(Clone, Copy)]
struct Choice {
    pc: usize,
    at: usize,
    /// How many undo records there were.
    undo: usize,
}

/// Tries every way, for patterns with back-references; the longest match at the leftmost start wins.
fn backtrack(text: &Text<'_>, slots: usize) -> Result<Option<Array<usize>>, NoMemory> {
    let mut best: Option<Array<usize>> = None;
    let mut choices: Array<Choice> = Array::new();
    let mut undo: Array<(usize, usize)> = Array::new();
    let mut notes = Array::filled(UNSET, slots)?;
    // Where each split was last taken, so that an empty loop ends.
    let mut taken = Array::filled(UNSET, text.program.ops.len())?;
    for start in 0..=text.bytes.len() {
        notes.fill(UNSET);
        taken.fill(UNSET);
        choices.truncate(0);
        undo.truncate(0);
        choices.push(Choice { pc: 0, at: start, undo: 0 })?;
        while let Some(&choice) = choices.last() {
            choices.truncate(choices.len() - 1);
            while undo.len() > choice.undo {
                if let Some(&(slot, value)) = undo.last()
                    && let Some(note) =
                        if slot < slots { notes.get_mut(slot) } else { taken.get_mut(slot - slots) }
                {
                    *note = value;
                }
                undo.truncate(undo.len() - 1);
            }
            let (mut pc, mut at) = (choice.pc, choice.at);
            loop {
                let op = text.op(pc);
                match op {
                    Op::Match => {
                        if best.as_ref().is_none_or(|best| best.get(1).is_some_and(|&end| end < at)) {
                            best = Some(Array::copied(&notes)?);
                        }
                        break;
                    }
                    Op::Jump(by) => pc = jump(pc, by),
                    Op::Split(first, second) => {
                        let before = taken.get(pc).copied().unwrap_or(UNSET);
                        if before == at {
                            // Nothing was taken since the last time: go on behind the loop.
                            pc = jump(pc, if first < 0 || second > first { second } else { first });
                            continue;
                        }
                        choices.push(Choice { pc: jump(pc, second), at, undo: undo.len() })?;
                        undo.push((slots + pc, before))?;
                        if let Some(place) = taken.get_mut(pc) {
                            *place = at;
                        }
                        pc = jump(pc, first);
                    }
                    Op::Save(slot) => {
                        if let Some(note) = notes.get_mut(slot as usize) {
                            undo.push((slot as usize, *note))?;
                            *note = at;
                        }
                        pc += 1;
                    }
                    Op::Same(group) => {
                        let (from, to) = (notes.get(2 * group as usize), notes.get(2 * group as usize + 1));
                        let part = from.zip(to).and_then(|(&from, &to)| text.bytes.get(from..to));
                        let Some(part) = part
                            .filter(|part| text.bytes.get(at..).is_some_and(|rest| rest.starts_with(part)))
                        else {
                            break;
                        };
                        at += part.len();
                        pc += 1;
                    }
                    _ => {
                        match text.holds(op, at) {
                            Some(true) => {}
                            None if text.at(at).is_some_and(|byte| text.takes(op, byte)) => at += 1,
                            Some(false) | None => break,
                        }
                        pc += 1;
                    }
                }
            }
        }
        if best.is_some() {
            break;
        }
    }
    Ok(best)
}

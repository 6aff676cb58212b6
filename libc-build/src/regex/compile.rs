//! Patterns to programs: basic and extended regular expressions (POSIX, base definitions 9.3 to 9.5), by recursive descent that emits code.

use super::program::{Op, Program};
use crate::stdlib::array::{Array, NoMemory};
use crate::string::scan::ByteSet;
use core::ffi::c_int;

/// What may be wrong, by regex.h's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Error {
    /// Nothing was found.
    NoMatch = 1,
    /// Invalid pattern.
    Pattern = 2,
    /// Invalid collating element.
    Collate = 3,
    /// Unknown character class.
    Class = 4,
    /// Trailing backslash.
    Escape = 5,
    /// Back-reference to a group that there is not.
    Reference = 6,
    /// Unbalanced bracket.
    Bracket = 7,
    /// Unbalanced parenthesis.
    Parenthesis = 8,
    /// Unbalanced brace.
    Brace = 9,
    /// Bad repetition count.
    Count = 10,
    /// Bad range.
    Range = 11,
    /// No memory.
    Space = 12,
    /// Nothing to repeat.
    Repeat = 13,
    /// Empty expression.
    Empty = 14,
}

impl From<NoMemory> for Error {
    fn from(_: NoMemory) -> Self {
        Self::Space
    }
}

/// regcomp(3)'s flags.
#[derive(Clone, Copy, Debug)]
pub struct Flags(c_int);

/// REG_EXTENDED.
const EXTENDED: c_int = 0o1;
/// REG_ICASE.
const ICASE: c_int = 0o2;
/// REG_NEWLINE.
pub(super) const NEWLINE: c_int = 0o10;
/// REG_NOSPEC.
const NOSPEC: c_int = 0o20;

/// The most that a count may be (RE_DUP_MAX).
const COUNT_LIMIT: usize = 255;
/// The longest program: nested counts would otherwise fill the memory.
const OPS_LIMIT: usize = 1 << 18;
/// How deep groups may be nested.
const DEPTH_LIMIT: usize = 200;

impl Flags {
    /// The flags of a call.
    #[must_use]
    pub const fn new(flags: c_int) -> Self {
        Self(flags)
    }

    /// Whether one is set.
    #[must_use]
    pub const fn has(self, flag: c_int) -> bool {
        self.0 & flag != 0
    }
}

/// The pattern that is left, and the program so far.
struct Compiler<'a> {
    text: &'a [u8],
    at: usize,
    program: Program,
    depth: usize,
    /// Groups that are complete: only they can be referred to.
    closed: [bool; 10],
}

/// Compiles a pattern.
///
/// # Errors
/// What regcomp(3) returns.
pub fn compile(text: &[u8], flags: Flags) -> Result<Program, Error> {
    let program = Program { ops: Array::new(), sets: Array::new(), groups: 0, flags, has_references: false };
    let mut compiler = Compiler { text, at: 0, program, depth: 0, closed: [false; 10] };
    compiler.emit(Op::Save(0))?;
    if flags.has(NOSPEC) {
        for &byte in text {
            compiler.literal(byte)?;
        }
    } else {
        compiler.alternatives()?;
        if compiler.at < text.len() {
            return Err(Error::Parenthesis);
        }
    }
    compiler.emit(Op::Save(1))?;
    compiler.emit(Op::Match)?;
    Ok(compiler.program)
}

impl Compiler<'_> {
    fn extended(&self) -> bool {
        self.program.flags.has(EXTENDED)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn starts_with(&self, text: &[u8]) -> bool {
        self.text.get(self.at..).is_some_and(|rest| rest.starts_with(text))
    }

    fn take(&mut self, text: &[u8]) -> bool {
        let found = self.starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn emit(&mut self, op: Op) -> Result<(), Error> {
        if self.program.ops.len() >= OPS_LIMIT {
            return Err(Error::Space);
        }
        Ok(self.program.ops.push(op)?)
    }

    fn insert(&mut self, index: usize, op: Op) -> Result<(), Error> {
        Ok(self.program.ops.insert(index, op)?)
    }

    fn here(&self) -> usize {
        self.program.ops.len()
    }

    fn patch(&mut self, index: usize, op: Op) {
        if let Some(place) = self.program.ops.get_mut(index) {
            *place = op;
        }
    }

    /// One byte, in both cases where that is wanted.
    fn literal(&mut self, byte: u8) -> Result<(), Error> {
        if self.program.flags.has(ICASE) && byte.is_ascii_alphabetic() {
            let mut set = ByteSet::empty();
            set.insert(byte.to_ascii_lowercase());
            set.insert(byte.to_ascii_uppercase());
            return self.set(set);
        }
        self.emit(Op::Byte(byte))
    }

    fn set(&mut self, set: ByteSet) -> Result<(), Error> {
        let index = self.program.sets.len() as u32;
        self.program.sets.push(set)?;
        self.emit(Op::Set(index))
    }

    /// Branches with bars between them.
    fn alternatives(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(Error::Space);
        }
        let bar: &[u8] = if self.extended() { b"|" } else { b"\\|" };
        let mut jumps: Array<usize> = Array::new();
        loop {
            let start = self.here();
            let from = self.at;
            self.branch()?;
            if self.extended() && self.at == from && (self.peek() == Some(b'|') || !jumps.is_empty()) {
                return Err(Error::Empty);
            }
            if !self.take(bar) {
                break;
            }
            let length = (self.here() - start) as i32;
            self.insert(start, Op::Split(1, length + 2))?;
            jumps.push(self.here())?;
            self.emit(Op::Jump(0))?;
        }
        let end = self.here();
        for &jump in jumps.iter() {
            self.patch(jump, Op::Jump((end - jump) as i32));
        }
        self.depth -= 1;
        Ok(())
    }

    /// Pieces one behind the other.
    fn branch(&mut self) -> Result<(), Error> {
        let mut first = true;
        while let Some(byte) = self.peek() {
            if self.extended() {
                if byte == b'|' || byte == b')' && self.depth > 1 {
                    return Ok(());
                }
            } else if self.starts_with(b"\\|") || self.starts_with(b"\\)") && self.depth > 1 {
                return Ok(());
            }
            let start = self.here();
            let anchor = self.atom(first)?;
            self.repetitions(start, anchor)?;
            first = first && anchor == Anchor::Start;
        }
        Ok(())
    }

    /// Counts, stars and the like behind what was emitted from `start` on.
    fn repetitions(&mut self, start: usize, anchor: Anchor) -> Result<(), Error> {
        loop {
            let extended = self.extended();
            if !extended && anchor == Anchor::Start {
                // A star behind the anchor that begins a basic expression is a star.
                return Ok(());
            }
            let length = (self.here() - start) as i32;
            if self.take(b"*") {
                self.star(start, length)?;
            } else if extended && self.take(b"+") {
                self.emit(Op::Split(-length, 1))?;
            } else if extended && self.take(b"?") {
                self.insert(start, Op::Split(1, length + 1))?;
            } else if extended
                && self.peek() == Some(b'{')
                && self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit)
            {
                self.at += 1;
                self.counted(start, b"}")?;
            } else if !extended && self.take(b"\\{") {
                self.counted(start, b"\\}")?;
            } else {
                return Ok(());
            }
        }
    }

    fn star(&mut self, start: usize, length: i32) -> Result<(), Error> {
        self.insert(start, Op::Split(1, length + 2))?;
        self.emit(Op::Jump(-(length + 1)))
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        let mut value = 0_usize;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            value = value.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
            self.at += 1;
        }
        (self.at > start).then_some(value)
    }

    /// `low}`, `low,}` or `low,high}`.
    fn counted(&mut self, start: usize, close: &[u8]) -> Result<(), Error> {
        let low = self.number().ok_or(Error::Count)?;
        let high = if self.take(b",") { self.number() } else { Some(low) };
        if !self.take(close) {
            return Err(if self.at >= self.text.len() { Error::Brace } else { Error::Count });
        }
        if low > COUNT_LIMIT || high.is_some_and(|high| high > COUNT_LIMIT || high < low) {
            return Err(Error::Count);
        }
        let end = self.here();
        let length = (end - start) as i32;
        let copy = |compiler: &mut Self| {
            for index in start..end {
                let op = compiler.program.ops.get(index).copied().unwrap_or(Op::Match);
                compiler.emit(op)?;
            }
            Ok::<(), Error>(())
        };
        for _ in 1..low {
            copy(self)?;
        }
        match high {
            None if low == 0 => self.star(start, length)?,
            None => self.emit(Op::Split(-length, 1))?,
            Some(0) => self.program.ops.truncate(start),
            Some(high) => {
                // What may be left out comes behind splits that leave to the end.
                let piece = Array::copied(self.program.ops.get(start..end).unwrap_or_default())?;
                let first = if low == 0 { start } else { self.here() };
                self.program.ops.truncate(first);
                for _ in 0..high - low {
                    self.emit(Op::Split(1, 0))?;
                    for &op in piece.iter() {
                        self.emit(op)?;
                    }
                }
                self.close_options(first, piece.len() + 1, high - low);
            }
        }
        Ok(())
    }

    /// Makes the `count` splits from `first` on, `step` apart, leave to the end.
    fn close_options(&mut self, first: usize, step: usize, count: usize) {
        let end = self.here();
        for index in 0..count {
            let at = first + index * step;
            self.patch(at, Op::Split(1, (end - at) as i32));
        }
    }

    /// The smallest piece. `first` says whether nothing stands before it in its branch.
    fn atom(&mut self, first: bool) -> Result<Anchor, Error> {
        let Some(byte) = self.peek() else { return Ok(Anchor::None) };
        let extended = self.extended();
        self.at += 1;
        match byte {
            b'\\' => return self.escaped(),
            b'[' => self.bracket()?,
            b'.' => {
                if self.program.flags.has(NEWLINE) {
                    let mut set = ByteSet::empty();
                    set.insert(b'\n');
                    set.invert();
                    self.set(set)?;
                } else {
                    self.emit(Op::Any)?;
                }
            }
            b'^' if extended || first => {
                self.emit(Op::LineStart)?;
                return Ok(Anchor::Start);
            }
            b'$' if extended
                || self.at == self.text.len()
                || self.starts_with(b"\\)")
                || self.starts_with(b"\\|") =>
            {
                self.emit(Op::LineEnd)?;
                return Ok(Anchor::End);
            }
            b'(' if extended => self.group(b")")?,
            b')' if extended => return Err(Error::Parenthesis),
            b'*' | b'+' | b'?' if extended => return Err(Error::Repeat),
            b'{' if extended && self.peek().is_some_and(|byte| byte.is_ascii_digit()) => {
                return Err(Error::Repeat);
            }
            other => self.literal(other)?,
        }
        Ok(Anchor::None)
    }

    /// What a backslash makes of the byte behind it.
    fn escaped(&mut self) -> Result<Anchor, Error> {
        let byte = self.peek().ok_or(Error::Escape)?;
        let extended = self.extended();
        self.at += 1;
        match byte {
            b'(' if !extended => self.group(b"\\)")?,
            b')' if !extended => return Err(Error::Parenthesis),
            b'{' if !extended => return Err(Error::Repeat),
            b'<' => self.emit(Op::WordStart)?,
            b'>' => self.emit(Op::WordEnd)?,
            b'b' => self.emit(Op::WordEdge)?,
            b'B' => self.emit(Op::NoWordEdge)?,
            b'w' | b'W' | b's' | b'S' => {
                let mut set = ByteSet::empty();
                let class: &[u8] = if byte.eq_ignore_ascii_case(&b'w') { b"alnum" } else { b"space" };
                add_class(&mut set, class)?;
                if class == b"alnum" {
                    set.insert(b'_');
                }
                if byte.is_ascii_uppercase() {
                    set.invert();
                }
                self.set(set)?;
            }
            b'1'..=b'9' => {
                let group = byte - b'0';
                if !self.closed.get(usize::from(group)).copied().unwrap_or(false) {
                    return Err(Error::Reference);
                }
                self.program.has_references = true;
                self.emit(Op::Same(group.into()))?;
            }
            other => self.literal(other)?,
        }
        Ok(Anchor::None)
    }

    fn group(&mut self, close: &[u8]) -> Result<(), Error> {
        self.program.groups += 1;
        let number = self.program.groups;
        self.emit(Op::Save(2 * number as u32))?;
        self.alternatives()?;
        if !self.take(close) {
            return Err(Error::Parenthesis);
        }
        if let Some(closed) = self.closed.get_mut(number) {
            *closed = true;
        }
        self.emit(Op::Save(2 * number as u32 + 1))
    }

    /// A bracket expression; the bracket was read.
    fn bracket(&mut self) -> Result<(), Error> {
        // The old way to write word boundaries.
        for (text, op) in [(b"[:<:]]", Op::WordStart), (b"[:>:]]", Op::WordEnd)] {
            if self.take(text) {
                return self.emit(op);
            }
        }
        let negated = self.take(b"^");
        let mut set = ByteSet::empty();
        let mut first = true;
        loop {
            let byte = self.peek().ok_or(Error::Bracket)?;
            if byte == b']' && !first {
                self.at += 1;
                break;
            }
            first = false;
            if self.take(b"[:") {
                let name = self.until(b":]")?;
                add_class(&mut set, name)?;
                continue;
            }
            if self.take(b"[=") {
                let name = self.until(b"=]")?;
                set.insert(single(name)?);
                continue;
            }
            let low = self.element()?;
            if self.peek() == Some(b'-') && self.text.get(self.at + 1).is_some_and(|&next| next != b']') {
                self.at += 1;
                let high = self.element()?;
                if low > high {
                    return Err(Error::Range);
                }
                (low..=high).for_each(|byte| set.insert(byte));
            } else {
                set.insert(low);
            }
        }
        if self.program.flags.has(ICASE) {
            for letter in b'a'..=b'z' {
                let upper = letter.to_ascii_uppercase();
                if set.contains(letter) || set.contains(upper) {
                    set.insert(letter);
                    set.insert(upper);
                }
            }
        }
        if negated {
            if self.program.flags.has(NEWLINE) {
                set.insert(b'\n');
            }
            set.invert();
        }
        self.set(set)
    }

    /// The text up to `close`, which is passed over.
    fn until(&mut self, close: &[u8]) -> Result<&[u8], Error> {
        let start = self.at;
        while self.at < self.text.len() {
            let end = self.at;
            if self.take(close) {
                return self.text.get(start..end).ok_or(Error::Bracket);
            }
            self.at += 1;
        }
        Err(Error::Bracket)
    }

    /// An end of a range.
    fn element(&mut self) -> Result<u8, Error> {
        if self.take(b"[.") {
            let name = self.until(b".]")?;
            return single(name);
        }
        let byte = self.peek().ok_or(Error::Bracket)?;
        self.at += 1;
        Ok(byte)
    }
}

/// The collating element `name`: a byte, or one of those that have names because they mean something in brackets.
fn single(name: &[u8]) -> Result<u8, Error> {
    match name {
        [byte] => Ok(*byte),
        b"hyphen" | b"hyphen-minus" => Ok(b'-'),
        b"left-square-bracket" => Ok(b'['),
        b"right-square-bracket" => Ok(b']'),
        b"circumflex" => Ok(b'^'),
        b"space" => Ok(b' '),
        b"period" | b"full-stop" => Ok(b'.'),
        b"slash" | b"solidus" => Ok(b'/'),
        b"newline" => Ok(b'\n'),
        b"tab" => Ok(b'\t'),
        b"NUL" => Ok(0),
        _ => Err(Error::Collate),
    }
}

/// Puts a class into a set.
pub(crate) fn add_class(set: &mut ByteSet, name: &[u8]) -> Result<(), Error> {
    let test: fn(u8) -> bool = match name {
        b"alnum" => |byte| byte.is_ascii_alphanumeric(),
        b"alpha" => |byte| byte.is_ascii_alphabetic(),
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => |byte| byte.is_ascii_control(),
        b"digit" => |byte| byte.is_ascii_digit(),
        b"graph" => |byte| byte.is_ascii_graphic(),
        b"lower" => |byte| byte.is_ascii_lowercase(),
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => |byte| byte.is_ascii_punctuation(),
        b"space" => |byte| matches!(byte, b' ' | b'\t'..=b'\r'),
        b"upper" => |byte| byte.is_ascii_uppercase(),
        b"xdigit" => |byte| byte.is_ascii_hexdigit(),
        _ => return Err(Error::Class),
    };
    (0..=u8::MAX).filter(|&byte| test(byte)).for_each(|byte| set.insert(byte));
    Ok(())
}

/// Whether an atom was an anchor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchor {
    None,
    Start,
    End,
}

//! The arguments of a format: one after the other, or by their numbers (`%2$s`).
//!
//! Numbered arguments can be read only when the type of each one before is known: the format is read once to learn the types, then all
//! arguments are read into a table (POSIX, fprintf: "all of the previous arguments shall be specified").

use super::spec::{Count, Length, Spec, parse};
use crate::va::{LongDouble, VaList};

/// The greatest argument number (limits.h's NL_ARGMAX is 9).
const MOST: usize = 64;

/// What type an argument has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    /// An integer or a pointer: a word.
    Word,
    /// A double.
    Double,
    /// A long double.
    LongDouble,
}

/// An argument in the table.
#[derive(Clone, Copy)]
union Value {
    word: u64,
    double: f64,
    long_double: LongDouble,
}

/// The values of numbered arguments.
pub(crate) struct Table([Value; MOST]);

/// The arguments of a format.
pub(crate) struct Args<'a> {
    /// The arguments in their order.
    pub list: &'a mut VaList,
    /// Those of a format that numbers them.
    pub table: Option<&'a Table>,
}

/// The type that a conversion takes; `None` if it takes no argument.
fn type_of(spec: &Spec) -> Option<Type> {
    match spec.conversion {
        b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' if spec.length == Length::LongDouble => {
            Some(Type::LongDouble)
        }
        b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => Some(Type::Double),
        0 | b'%' => None,
        _ => Some(Type::Word),
    }
}

impl Table {
    /// Reads all arguments that `format` numbers.
    ///
    /// # Safety
    /// `format` is a string whose arguments `list` holds.
    pub unsafe fn read(format: *const u8, list: &mut VaList) -> Option<Self> {
        let mut types = [None; MOST];
        let mut at = format;
        let mut most = 0;
        let mut note = |position: usize, kind: Type| -> Option<()> {
            let slot = types.get_mut(position.checked_sub(1)?)?;
            *slot = Some(kind);
            most = most.max(position);
            Some(())
        };
        // SAFETY: the string is read up to its zero.
        unsafe {
            while *at != 0 {
                let byte = *at;
                at = at.wrapping_add(1);
                if byte != b'%' {
                    continue;
                }
                let spec = parse(&mut at);
                for count in [spec.width, spec.precision] {
                    if let Count::At(position) = count {
                        note(position, Type::Word)?;
                    }
                }
                if let Some(kind) = type_of(&spec) {
                    note(spec.position, kind)?;
                }
            }
        }
        let mut table = Self([Value { word: 0 }; MOST]);
        for (slot, kind) in table.0.iter_mut().zip(types).take(most) {
            // SAFETY: the format says that the argument has this type; one that it skips is taken for a word.
            unsafe {
                *slot = match kind {
                    Some(Type::Double) => Value { double: list.arg() },
                    Some(Type::LongDouble) => Value { long_double: list.arg() },
                    Some(Type::Word) | None => Value { word: list.arg() },
                };
            }
        }
        Some(table)
    }

    /// The argument of a number.
    fn get(&self, position: usize) -> Value {
        self.0.get(position.wrapping_sub(1)).copied().unwrap_or(Value { word: 0 })
    }
}

impl Args<'_> {
    /// The next word, or the numbered one.
    ///
    /// # Safety
    /// The argument is an integer or a pointer.
    #[inline]
    pub unsafe fn word(&mut self, position: usize) -> u64 {
        // SAFETY: as this function's own; a table's entry has the type that the format gave it.
        unsafe {
            match self.table {
                None => self.list.arg(),
                Some(table) => table.get(position).word,
            }
        }
    }

    /// The next pointer, or the numbered one.
    ///
    /// # Safety
    /// The argument is a pointer.
    #[inline]
    pub unsafe fn pointer<T>(&mut self, position: usize) -> *mut T {
        // SAFETY: as this function's own.
        core::ptr::with_exposed_provenance_mut(unsafe { self.word(position) } as usize)
    }

    /// The next double, or the numbered one.
    ///
    /// # Safety
    /// The argument is a double.
    pub unsafe fn double(&mut self, position: usize) -> f64 {
        // SAFETY: as for `word`.
        unsafe {
            match self.table {
                None => self.list.arg(),
                Some(table) => table.get(position).double,
            }
        }
    }

    /// The next long double, or the numbered one.
    ///
    /// # Safety
    /// The argument is a long double.
    pub unsafe fn long_double(&mut self, position: usize) -> LongDouble {
        // SAFETY: as for `word`.
        unsafe {
            match self.table {
                None => self.list.arg(),
                Some(table) => table.get(position).long_double,
            }
        }
    }

    /// The value of a width or precision; `None` where none is given.
    ///
    /// # Safety
    /// An argument that it names is an int.
    pub unsafe fn count(&mut self, count: Count) -> Option<i32> {
        // SAFETY: as this function's own.
        match count {
            Count::None => None,
            Count::Is(value) => Some(value as i32),
            // SAFETY: as this function's own.
            Count::Next => Some(unsafe { self.word(0) } as i32),
            // SAFETY: as this function's own.
            Count::At(position) => Some(unsafe { self.word(position) } as i32),
        }
    }
}

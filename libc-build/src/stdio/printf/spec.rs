//! One conversion specification: flags, width, precision, length modifier, conversion (printf(3)).

/// `-`: to the left.
pub(crate) const LEFT: u8 = 1;
/// `+`: a sign always.
pub(crate) const PLUS: u8 = 2;
/// ` `: a space where no sign is.
pub(crate) const SPACE: u8 = 4;
/// `#`: the alternative form.
pub(crate) const ALTERNATIVE: u8 = 8;
/// `0`: zeros in front.
pub(crate) const ZERO: u8 = 16;
/// `'`: digits in groups.
pub(crate) const GROUPED: u8 = 32;

/// How long an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// Nothing given.
    Int,
    /// `hh`.
    Char,
    /// `h`.
    Short,
    /// `l`, `ll`, `q`, `j`, `z`, `t`: all 64 bits here; with `c` and `s`, wide characters.
    Long,
    /// `L`.
    LongDouble,
}

/// A number that stands in the format or in an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// Not given.
    None,
    /// Given.
    Is(usize),
    /// `*`: the next argument.
    Next,
    /// `*n$`: the `n`th argument.
    At(usize),
}

/// A conversion specification.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    /// The flags.
    pub flags: u8,
    /// The field's least width.
    pub width: Count,
    /// The precision.
    pub precision: Count,
    /// The length modifier.
    pub length: Length,
    /// The letter; 0 at the format's end.
    pub conversion: u8,
    /// `n$`: the argument's number; 0 for the next one.
    pub position: usize,
}

/// The greatest width or precision: a result longer than an `int` counts is an error anyway.
const MOST: usize = i32::MAX as usize;

/// Reads a decimal number at `at`.
///
/// # Safety
/// `at` lies in a string that ends in a zero.
unsafe fn number(at: &mut *const u8) -> usize {
    let mut value = 0usize;
    loop {
        // SAFETY: the string has not ended.
        let byte = unsafe { **at };
        if !byte.is_ascii_digit() {
            return value;
        }
        value = (value * 10 + usize::from(byte - b'0')).min(MOST);
        *at = at.wrapping_add(1);
    }
}

/// Reads a width or precision that may be `*`, `*n$` or a number.
///
/// # Safety
/// As for [`number`].
unsafe fn count(at: &mut *const u8, absent: Count) -> Count {
    // SAFETY: the string has not ended, nor does it where a character other than zero was seen.
    unsafe {
        match **at {
            b'*' => {
                *at = at.wrapping_add(1);
                let mut ahead = *at;
                let position = number(&mut ahead);
                if position != 0 && *ahead == b'$' {
                    *at = ahead.wrapping_add(1);
                    return Count::At(position);
                }
                Count::Next
            }
            b'0'..=b'9' => Count::Is(number(at)),
            _ => absent,
        }
    }
}

/// Reads the specification behind a `%`; `at` is moved behind it.
///
/// # Safety
/// `at` lies in a string that ends in a zero.
pub(crate) unsafe fn parse(at: &mut *const u8) -> Spec {
    let mut spec = Spec {
        flags: 0,
        width: Count::None,
        precision: Count::None,
        length: Length::Int,
        conversion: 0,
        position: 0,
    };
    // SAFETY: the string is read up to its zero at most: every step follows a character that is not zero.
    unsafe {
        if (b'1'..=b'9').contains(&**at) {
            let mut ahead = *at;
            let position = number(&mut ahead);
            if *ahead == b'$' {
                spec.position = position;
                *at = ahead.wrapping_add(1);
            }
        }
        loop {
            spec.flags |= match **at {
                b'-' => LEFT,
                b'+' => PLUS,
                b' ' => SPACE,
                b'#' => ALTERNATIVE,
                b'0' => ZERO,
                b'\'' => GROUPED,
                _ => break,
            };
            *at = at.wrapping_add(1);
        }
        spec.width = count(at, Count::None);
        if **at == b'.' {
            *at = at.wrapping_add(1);
            spec.precision = if **at == b'-' {
                // A negative precision counts as none.
                *at = at.wrapping_add(1);
                number(at);
                Count::None
            } else {
                count(at, Count::Is(0))
            };
        }
        loop {
            spec.length = match (**at, spec.length) {
                (b'h', Length::Short) => Length::Char,
                (b'h', _) => Length::Short,
                (b'l' | b'q' | b'j' | b'z' | b't', _) => Length::Long,
                (b'L', _) => Length::LongDouble,
                _ => break,
            };
            *at = at.wrapping_add(1);
        }
        spec.conversion = **at;
        if spec.conversion != 0 {
            *at = at.wrapping_add(1);
        }
    }
    if matches!(spec.conversion, b'C' | b'D' | b'O' | b'S' | b'U') {
        spec.length = Length::Long;
        spec.conversion |= 0x20;
    }
    spec
}

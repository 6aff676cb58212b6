//! A reader for the part of JSON that the configuration uses (RFC 8259): objects, arrays, strings, booleans, numbers.
//!
//! Of numbers there are whole ones without sign; others and null are recognised only to say what was found. The reader goes forward through the text and never recurses,
//! so no input makes it use more stack than another. `at` always stands on a character boundary, because it only ever
//! moves past whole ASCII bytes or to one.

use alloc::string::String;

use crate::error::{ConfigError, Problem};

/// The text as UTF-8, which JSON has to be.
pub fn utf8(bytes: &[u8]) -> Result<&str, ConfigError> {
    core::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        ConfigError {
            key: String::new(),
            problem: Problem::Syntax("UTF-8 text"),
            position: Some(position(good)),
        }
    })
}

/// Line and column after `before`.
fn position(before: &[u8]) -> (usize, usize) {
    let line = before.iter().filter(|&&byte| byte == b'\n').count();
    let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count();
    (line + 1, column + 1)
}

/// Where an object or array stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Its bracket was read, nothing else.
    Begin,
    /// At least one member was read.
    Inside,
}

/// The reader.
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the beginning of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// An error at the byte to be read next.
    pub fn error(&self, problem: Problem) -> ConfigError {
        let before = self.text.as_bytes().get(..self.at).unwrap_or_default();
        ConfigError { key: String::new(), problem, position: Some(position(before)) }
    }

    fn syntax<T>(&self, wanted: &'static str) -> Result<T, ConfigError> {
        Err(self.error(Problem::Syntax(wanted)))
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not white space, which stays to be read.
    fn peek(&mut self) -> Option<u8> {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.byte()
    }

    /// That nothing is left.
    pub fn end(&mut self) -> Result<(), ConfigError> {
        if self.peek().is_some() { self.syntax("nothing after the object") } else { Ok(()) }
    }

    /// The error that the next value is not `wanted`.
    pub fn not<T>(&mut self, wanted: &'static str) -> Result<T, ConfigError> {
        let found = match self.peek() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b'0'..=b'9' | b'-') => "a number",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(_) => return self.syntax("a value"),
            None => return self.syntax("a value instead of the end"),
        };
        Err(self.error(Problem::Kind { wanted, found }))
    }

    /// Whether the next value begins with `byte`: `{`, `[` or `"`.
    pub fn next_is(&mut self, byte: u8) -> bool {
        self.peek() == Some(byte)
    }

    /// Enters an object (`{`) or an array (`[`).
    pub fn open(&mut self, bracket: u8, wanted: &'static str) -> Result<Place, ConfigError> {
        if self.next_is(bracket) {
            self.at += 1;
            Ok(Place::Begin)
        } else {
            self.not(wanted)
        }
    }

    /// Goes to the next member; false if the object or array ends here with `bracket`.
    pub fn member(&mut self, place: &mut Place, bracket: u8) -> Result<bool, ConfigError> {
        let next = self.peek();
        let begin = core::mem::replace(place, Place::Inside) == Place::Begin;
        if next == Some(bracket) {
            self.at += 1;
            return Ok(false);
        }
        if begin {
            return Ok(true);
        }
        if next != Some(b',') {
            return self.syntax(if bracket == b'}' { "',' or '}'" } else { "',' or ']'" });
        }
        self.at += 1;
        Ok(true)
    }

    /// The next member's key, past its colon; `None` if the object ends here.
    pub fn key(&mut self, place: &mut Place) -> Result<Option<String>, ConfigError> {
        if !self.member(place, b'}')? {
            return Ok(None);
        }
        if !self.next_is(b'"') {
            return self.syntax("a key in quotes");
        }
        let key = self.string("a key")?;
        if self.peek() != Some(b':') {
            return self.syntax("':'");
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// A boolean.
    pub fn boolean(&mut self, wanted: &'static str) -> Result<bool, ConfigError> {
        self.peek();
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (word, value) in [("true", true), ("false", false)] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        if rest.starts_with(['t', 'f']) { self.syntax("true or false") } else { self.not(wanted) }
    }

    /// A whole number; one that is too large is the largest.
    pub fn number(&mut self, wanted: &'static str) -> Result<u32, ConfigError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return self.not(wanted);
        }
        let mut value = 0_u32;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            value = value.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
            self.at += 1;
        }
        if matches!(self.byte(), Some(b'.' | b'e' | b'E')) {
            return self.syntax("a whole number");
        }
        Ok(value)
    }

    /// A string.
    pub fn string(&mut self, wanted: &'static str) -> Result<String, ConfigError> {
        if !self.next_is(b'"') {
            return self.not(wanted);
        }
        self.at += 1;
        let mut string = String::new();
        loop {
            let start = self.at;
            while matches!(self.byte(), Some(byte) if byte >= 0x20 && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            string.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => {
                    return self.syntax("an escape (\\n, \\t, \\u0000) instead of a control character");
                }
                None => return self.syntax("a closing quote"),
            }
        }
    }

    /// An escape, from its backslash on.
    fn escape(&mut self) -> Result<char, ConfigError> {
        const WANTED: &str = "one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX";
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let character = match rest.get(1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(rest),
            _ => return self.syntax(WANTED),
        };
        self.at += 2;
        Ok(character)
    }

    /// `\uXXXX`, or two of them that make a surrogate pair.
    fn unicode_escape(&mut self, rest: &[u8]) -> Result<char, ConfigError> {
        let Some(first) = hex4(rest.get(2..6)) else { return self.syntax("four hexadecimal digits") };
        if let Some(character) = char::from_u32(first) {
            self.at += 6;
            return Ok(character);
        }
        let second = if rest.get(6..8) == Some(b"\\u") { hex4(rest.get(8..12)) } else { None };
        match (first, second) {
            (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => {
                let code = 0x1_0000 + ((first & 0x3ff) << 10) + (low & 0x3ff);
                let Some(character) = char::from_u32(code) else { return self.syntax("a surrogate pair") };
                self.at += 12;
                Ok(character)
            }
            _ => self.syntax("a surrogate pair"),
        }
    }
}

/// Four hexadecimal digits.
fn hex4(digits: Option<&[u8]>) -> Option<u32> {
    digits?.iter().try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::Reader;

    fn string(text: &str) -> Option<alloc::string::String> {
        let mut reader = Reader::new(text);
        let string = reader.string("a string").ok()?;
        reader.end().ok()?;
        Some(string)
    }

    #[test]
    fn strings() {
        assert_eq!(string(r#" "a\"\\\/\b\f\n\r\tz" "#).unwrap(), "a\"\\/\u{8}\u{c}\n\r\tz");
        assert_eq!(string(r#""\u0041\u00e9\ud83d\ude00é""#).unwrap(), "Aé😀é");
        for bad in [
            r#"""#,
            r#""\"#,
            r#""\x""#,
            r#""\u12""#,
            r#""\ud83d""#,
            r#""\ude00\ud83d""#,
            "\"\n\"",
            r#""\u+041""#,
        ] {
            assert_eq!(string(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_position_counts_lines_and_bytes() {
        let mut reader = Reader::new("\n\n  x");
        assert_eq!(reader.string("a string").unwrap_err().position, Some((3, 3)));
    }
}

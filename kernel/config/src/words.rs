//! Words with quotes, as a POSIX shell splits them (XCU 2.2), without expansion of any kind.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Problem;

/// Splits a line into words: blanks separate, `'…'` is literal, `\` and `"…"` are as in a shell.
///
/// # Errors
/// If a quote does not end or the line ends with a backslash.
pub fn split_words(line: &str) -> Result<Vec<String>, Problem> {
    let mut words = Vec::new();
    let mut rest = line;
    while let Some((word, after)) = next_word(rest)? {
        words.push(word);
        rest = after;
    }
    Ok(words)
}

/// The first word of `line` and what comes after it; `None` if there is none.
pub fn next_word(line: &str) -> Result<Option<(String, &str)>, Problem> {
    let line = line.trim_start_matches(is_blank);
    if line.is_empty() {
        return Ok(None);
    }
    let mut word = String::new();
    let mut characters = line.chars();
    loop {
        match characters.next() {
            None => break,
            Some(character) if is_blank(character) => break,
            Some('\'') => loop {
                match characters.next() {
                    Some('\'') => break,
                    Some(character) => word.push(character),
                    None => return Err(UNENDED),
                }
            },
            Some('"') => loop {
                match characters.next() {
                    Some('"') => break,
                    Some('\\') => match characters.next() {
                        Some(character @ ('"' | '\\' | '$' | '`')) => word.push(character),
                        Some(character) => word.extend(['\\', character]),
                        None => return Err(UNENDED),
                    },
                    Some(character) => word.push(character),
                    None => return Err(UNENDED),
                }
            },
            Some('\\') => match characters.next() {
                Some(character) => word.push(character),
                None => return Err(Problem::Value("ends with a backslash")),
            },
            Some(character) => word.push(character),
        }
    }
    Ok(Some((word, characters.as_str())))
}

const UNENDED: Problem = Problem::Value("has a quote that does not end");

pub fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// The word in quotes where it needs them, so that [`split_words`] gives it back.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+./:,@%^".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.into();
    }
    ["'", &word.replace('\'', "'\\''"), "'"].concat()
}

#[cfg(test)]
mod tests {
    use super::{quote, split_words};

    #[test]
    fn splits_as_a_shell() {
        assert_eq!(
            split_words(r#" a  'b c'd "e\"\n" \f\ g '' "#).unwrap(),
            ["a", "b cd", "e\"\\n", "f g", ""]
        );
        assert!(split_words("").unwrap().is_empty());
        for bad in ["'", "\"", "\"\\", "a\\"] {
            assert!(split_words(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn quoting_comes_back() {
        for word in ["", "plain", "it's", "a b", "\"", "\\", "{", "$x", "ä\n"] {
            assert_eq!(split_words(&quote(word)).unwrap(), [word]);
        }
    }
}

//! The kernel command line.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::ConfigError;
use crate::json::Reader;
use crate::words::{is_blank, next_word, split_words};
use crate::{Config, Trace, keys};

/// A kernel command line that was read.
///
/// Its words, separated by blanks, with quotes as in a shell:
/// - a JSON object, beginning at a word that begins with `{`: the same as in a configuration file;
/// - `hostname=…`, `cwd=…`, `argv0=…`, `stdio=pipe`, `env.NAME=VALUE`, `trace=1`, `trace=0`, `trace=open,read`, or `trace` alone;
/// - `--`: all words after it are the program's arguments;
/// - any other word is somebody else's (a boot loader's `console=ttyS0`) and is listed in [`CommandLine::ignored`].
///
/// A later word wins over an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// What it says, to be laid over the baked-in configuration.
    pub config: Config,
    /// The words that are not ours.
    pub ignored: Vec<String>,
}

/// Reads a command line.
pub fn read(line: &str) -> Result<CommandLine, ConfigError> {
    let in_line = |problem| ConfigError::of_key("command line", problem);
    keys::check_text(line).map_err(in_line)?;
    let mut config = Config::default();
    let mut ignored = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(is_blank);
        if rest.starts_with('{') {
            let mut reader = Reader::new(rest);
            config = config.overlay(keys::read_object(&mut reader)?);
            rest = rest.get(reader.position()..).unwrap_or_default();
            continue;
        }
        let Some((word, after)) = next_word(rest).map_err(in_line)? else { break };
        rest = after;
        if word == "--" {
            config.args = Some(split_words(rest).map_err(in_line)?);
            break;
        }
        if word == "trace" {
            config.trace = Some(Trace::All);
        } else if let Some((key, value)) = word.split_once('=')
            && config.set(key, value)?
        {
        } else {
            ignored.push(word);
        }
    }
    Ok(CommandLine { config, ignored })
}

#[cfg(test)]
mod tests {
    use crate::{Config, Trace};
    use alloc::string::{String, ToString};

    #[test]
    fn all_kinds_of_words() {
        let line = r#"image console=ttyS0 {"env": {"A": "x y"}, "cwd": "/a"} hostname=oven "env.B=1 2" trace=open,read -- -v 'a b' {"#;
        let read = Config::from_command_line(line).unwrap();
        assert_eq!(read.ignored, ["image", "console=ttyS0"]);
        assert_eq!(read.config.hostname.as_deref(), Some("oven"));
        assert_eq!(read.config.cwd.as_deref(), Some("/a"));
        let pairs: alloc::vec::Vec<_> =
            read.config.env.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("A", "x y"), ("B", "1 2")]);
        assert_eq!(read.config.args.unwrap(), ["-v", "a b", "{"]);
        assert_eq!(read.config.trace, Some(Trace::Calls(["open", "read"].map(String::from).to_vec())));
    }

    #[test]
    fn later_wins() {
        let read = Config::from_command_line(r#"hostname=a {"hostname":"b"} trace trace=0 env.X=1 env.X=2"#)
            .unwrap();
        assert_eq!(read.config.hostname.as_deref(), Some("b"));
        assert_eq!(read.config.trace, Some(Trace::Off));
        assert_eq!(read.config.env, [("X".to_string(), "2".to_string())]);
        assert_eq!(read.config.args, None);
    }

    #[test]
    fn nothing() {
        assert_eq!(Config::from_command_line("  ").unwrap(), super::CommandLine::default());
        assert_eq!(Config::from_command_line("--").unwrap().config.args, Some(alloc::vec![]));
    }

    #[test]
    fn what_is_ours_must_be_right() {
        for (line, expected) in [
            ("cwd=here", "\"cwd\" must begin with /"),
            ("env.=x", "\"env\" has a variable"),
            ("trace=a;b", "\"trace\" must name system calls"),
            (r#"x {"args":1}"#, "\"args\" must be an array"),
            ("a 'b", "\"command line\" has a quote that does not end"),
            ("-- b\0", "\"command line\" must not contain a NUL"),
            ("-- 'b", "\"command line\" has a quote that does not end"),
        ] {
            let sentence = Config::from_command_line(line).unwrap_err().to_string();
            assert!(sentence.starts_with(expected), "{line}: {sentence}");
        }
    }
}

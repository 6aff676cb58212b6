//! The keys: what each one is called, which values it takes, and what is checked about them.
//!
//! The names stand in [`read_object`] (JSON), [`set`] (command-line words), [`NAMES`] and [`crate::schema`].

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{ConfigError, Problem};
use crate::json::Reader;
use crate::words::split_words;
use crate::{Config, Stdio, Trace};

/// The keys, for messages.
pub const NAMES: &str = "args, argv0, cwd, env, hostname, net, stdio, trace";

/// The longest host name, bytes: NetBSD's MAXHOSTNAMELEN less the NUL.
pub const HOSTNAME_MAX_BYTES: usize = 255;

/// Reads one object with the configuration's keys.
pub fn read_object(reader: &mut Reader<'_>) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    let (mut env_seen, mut net_seen) = (None, None);
    let mut place = reader.open(b'{', "an object")?;
    while let Some(key) = reader.key(&mut place)? {
        let result = match key.as_str() {
            "argv0" => once(reader, &mut config.argv0, |reader| text(reader, check_text)),
            "args" => once(reader, &mut config.args, args),
            "env" => once(reader, &mut env_seen, |reader| env(reader, &mut config.env)),
            "hostname" => once(reader, &mut config.hostname, |reader| text(reader, check_hostname)),
            "cwd" => once(reader, &mut config.cwd, |reader| text(reader, check_cwd)),
            "stdio" => once(reader, &mut config.stdio, stdio),
            "trace" => once(reader, &mut config.trace, trace),
            "net" => once(reader, &mut net_seen, crate::net::net),
            _ => Err(reader.error(Problem::UnknownKey)),
        };
        result.map_err(|error| error.at_key(&key))?;
    }
    config.net = net_seen.unwrap_or_default();
    Ok(config)
}

/// Reads a value into a slot that is still empty.
pub fn once<T>(
    reader: &mut Reader<'_>,
    slot: &mut Option<T>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, ConfigError>,
) -> Result<(), ConfigError> {
    if slot.is_some() {
        return Err(reader.error(Problem::Twice));
    }
    *slot = Some(read(reader)?);
    Ok(())
}

/// A rule about a value: the problem, if it is broken.
pub type Check = fn(&str) -> Result<(), Problem>;

/// A string that passes `check`.
pub fn text(reader: &mut Reader<'_>, check: Check) -> Result<String, ConfigError> {
    let string = reader.string("a string")?;
    check(&string).map_err(|problem| reader.error(problem))?;
    Ok(string)
}

/// An array of strings that pass `check`.
fn texts(reader: &mut Reader<'_>, wanted: &'static str, check: Check) -> Result<Vec<String>, ConfigError> {
    let mut strings = Vec::new();
    let mut place = reader.open(b'[', wanted)?;
    while reader.member(&mut place, b']')? {
        strings.push(text(reader, check)?);
    }
    Ok(strings)
}

fn args(reader: &mut Reader<'_>) -> Result<Vec<String>, ConfigError> {
    if reader.next_is(b'"') {
        let line = text(reader, check_text)?;
        return split_words(&line).map_err(|problem| reader.error(problem));
    }
    texts(reader, "an array of strings or one string", check_text)
}

fn stdio(reader: &mut Reader<'_>) -> Result<Stdio, ConfigError> {
    let word = reader.string("a string")?;
    stdio_word(&word).map_err(|problem| reader.error(problem))
}

fn stdio_word(word: &str) -> Result<Stdio, Problem> {
    match word {
        "terminal" => Ok(Stdio::Terminal),
        "pipe" => Ok(Stdio::Pipe),
        _ => Err(Problem::Value("must be \"terminal\" or \"pipe\"")),
    }
}

fn trace(reader: &mut Reader<'_>) -> Result<Trace, ConfigError> {
    const WANTED: &str = "true, false or an array of system call names";
    if reader.next_is(b'[') {
        return Ok(Trace::Calls(texts(reader, WANTED, check_call)?));
    }
    Ok(if reader.boolean(WANTED)? { Trace::All } else { Trace::Off })
}

fn env(reader: &mut Reader<'_>, env: &mut Vec<(String, String)>) -> Result<(), ConfigError> {
    let mut place = reader.open(b'{', "an object of strings")?;
    while let Some(name) = reader.key(&mut place)? {
        let path = || ["env.", &name].concat();
        check_env_name(&name).map_err(|problem| reader.error(problem).at_key("env"))?;
        if env.iter().any(|(known, _)| *known == name) {
            return Err(reader.error(Problem::Twice).at_key(&path()));
        }
        let value = text(reader, check_text).map_err(|error| error.at_key(&path()))?;
        env.push((name, value));
    }
    Ok(())
}

/// Sets a value by a command-line word; see [`Config::set`].
pub fn set(config: &mut Config, key: &str, value: &str) -> Result<bool, ConfigError> {
    let check: Check = match key {
        "hostname" => check_hostname,
        "cwd" => check_cwd,
        "argv0" | "stdio" | "trace" => check_text,
        _ if key.starts_with("env.") => check_text,
        _ => return Ok(false),
    };
    check(value).map_err(|problem| ConfigError::of_key(key, problem))?;
    match key {
        "hostname" => config.hostname = Some(value.into()),
        "cwd" => config.cwd = Some(value.into()),
        "argv0" => config.argv0 = Some(value.into()),
        "stdio" => {
            config.stdio = Some(stdio_word(value).map_err(|problem| ConfigError::of_key(key, problem))?)
        }
        "trace" => config.trace = Some(trace_word(value)?),
        _ => {
            let name = key.strip_prefix("env.").unwrap_or_default();
            check_env_name(name).map_err(|problem| ConfigError::of_key("env", problem))?;
            config.set_env(name.into(), value.into());
        }
    }
    Ok(true)
}

/// `1`, `0` and their likes, or names with commas between them.
fn trace_word(value: &str) -> Result<Trace, ConfigError> {
    match value {
        "1" | "on" | "yes" | "true" => return Ok(Trace::All),
        "0" | "off" | "no" | "false" => return Ok(Trace::Off),
        _ => (),
    }
    let mut names = Vec::new();
    for name in value.split(',') {
        check_call(name).map_err(|problem| ConfigError::of_key("trace", problem))?;
        names.push(name.into());
    }
    Ok(Trace::Calls(names))
}

/// No string of a configuration holds a NUL.
pub fn check_text(value: &str) -> Result<(), Problem> {
    if value.contains('\0') { Err(Problem::Value("must not contain a NUL")) } else { Ok(()) }
}

fn check_hostname(value: &str) -> Result<(), Problem> {
    if value.is_empty() || value.len() > HOSTNAME_MAX_BYTES {
        return Err(Problem::Value("must be 1 to 255 bytes long"));
    }
    check_text(value)
}

fn check_cwd(value: &str) -> Result<(), Problem> {
    if !value.starts_with('/') {
        return Err(Problem::Value("must begin with /"));
    }
    check_text(value)
}

fn check_call(value: &str) -> Result<(), Problem> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if value.is_empty() || !value.bytes().all(good) {
        return Err(Problem::Value("must name system calls as sys/syscall.h does, for example \"open\""));
    }
    Ok(())
}

fn check_env_name(name: &str) -> Result<(), Problem> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(Problem::Value("has a variable whose name is empty or contains = or NUL"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Config, Trace};
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    fn sentence(json: &str) -> String {
        Config::parse(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn every_key() {
        let config = Config::parse(
            br#"{ "argv0": "hello", "args": ["-v", "two words"], "env": {"HOME": "/", "EMPTY": ""},
                 "hostname": "oven", "cwd": "/srv", "trace": ["read", "write"] }"#,
        )
        .unwrap();
        assert_eq!(config.argv0.as_deref(), Some("hello"));
        assert_eq!(config.args.unwrap(), ["-v", "two words"]);
        assert_eq!(config.env, [("HOME".to_string(), "/".to_string()), ("EMPTY".to_string(), String::new())]);
        assert_eq!(config.hostname.as_deref(), Some("oven"));
        assert_eq!(config.cwd.as_deref(), Some("/srv"));
        assert_eq!(config.trace, Some(Trace::Calls(["read", "write"].map(String::from).to_vec())));
    }

    #[test]
    fn args_as_one_string() {
        let config = Config::parse(br#"{"args": "-n 3 'two words'"}"#).unwrap();
        assert_eq!(config.args.unwrap(), ["-n", "3", "two words"]);
    }

    #[test]
    fn the_sentence_names_the_key() {
        let cases: Vec<(&str, &str)> = [
            (
                r#"{"arg":[]}"#,
                "there is no key \"arg\"; the keys are args, argv0, cwd, env, hostname, net, stdio, trace",
            ),
            (r#"{"args":3}"#, "\"args\" must be an array of strings or one string, not a number"),
            (r#"{"args":["a",true]}"#, "\"args\" must be a string, not a boolean"),
            (r#"{"env":{"PORT":80}}"#, "\"env.PORT\" must be a string, not a number"),
            (r#"{"env":{"A":"1","A":"2"}}"#, "\"env.A\" is given twice"),
            (r#"{"env":{"A=B":"1"}}"#, "\"env\" has a variable whose name is empty or contains = or NUL"),
            (r#"{"env":[]}"#, "\"env\" must be an object of strings, not an array"),
            (r#"{"hostname":""}"#, "\"hostname\" must be 1 to 255 bytes long"),
            (r#"{"cwd":"srv"}"#, "\"cwd\" must begin with /"),
            (
                r#"{"trace":"x"}"#,
                "\"trace\" must be true, false or an array of system call names, not a string",
            ),
            (r#"{"stdio":"file"}"#, "\"stdio\" must be \"terminal\" or \"pipe\""),
            (r#"{"trace":["a b"]}"#, "\"trace\" must name system calls as sys/syscall.h does"),
            (r#"{"args":"it's"}"#, "\"args\" has a quote that does not end"),
            (r#"{"args":["a\u0000"]}"#, "\"args\" must not contain a NUL"),
            (r#"{"cwd":"/","cwd":"/"}"#, "\"cwd\" is given twice"),
            (r#"{"env":{},"env":{}}"#, "\"env\" is given twice"),
            ("[]", "the configuration must be an object, not an array"),
            ("{", "this is not valid JSON: expected a key in quotes"),
            (r#"{"args":[,]}"#, "this is not valid JSON in \"args\": expected a value"),
            (r#"{"args":["a",]}"#, "this is not valid JSON in \"args\": expected a value"),
            (r#"{"trace":tru}"#, "this is not valid JSON in \"trace\": expected true or false"),
            (r#"{} {}"#, "this is not valid JSON: expected nothing after the object (line 1, column 4)"),
            (r#"{"args":[]"#, "this is not valid JSON: expected ',' or '}'"),
            (r#"{"cwd":"/",}"#, "this is not valid JSON: expected a key in quotes"),
        ]
        .to_vec();
        for (json, expected) in cases {
            let got = sentence(json);
            assert!(got.starts_with(expected), "{json}: {got}");
        }
    }
}

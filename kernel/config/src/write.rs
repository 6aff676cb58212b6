//! The configuration as JSON: what is baked into an image, and what `rumpbake run` puts on the command line.

use alloc::string::String;
use core::fmt::Write;

use crate::{Config, Stdio, Trace};

impl Config {
    /// The configuration as JSON on one line, the same for the same configuration. Empty parts are left out.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        let key = |out: &mut String, name: &str| {
            if out.len() > 1 {
                out.push(',');
            }
            string(out, name);
            out.push(':');
        };
        if let Some(argv0) = &self.argv0 {
            key(&mut out, "argv0");
            string(&mut out, argv0);
        }
        if let Some(args) = &self.args {
            key(&mut out, "args");
            strings(&mut out, args);
        }
        if !self.env.is_empty() {
            key(&mut out, "env");
            for (index, (name, value)) in self.env.iter().enumerate() {
                out.push(if index == 0 { '{' } else { ',' });
                string(&mut out, name);
                out.push(':');
                string(&mut out, value);
            }
            out.push('}');
        }
        if let Some(hostname) = &self.hostname {
            key(&mut out, "hostname");
            string(&mut out, hostname);
        }
        if let Some(cwd) = &self.cwd {
            key(&mut out, "cwd");
            string(&mut out, cwd);
        }
        if let Some(stdio) = self.stdio {
            key(&mut out, "stdio");
            string(
                &mut out,
                match stdio {
                    Stdio::Terminal => "terminal",
                    Stdio::Pipe => "pipe",
                },
            );
        }
        if let Some(trace) = &self.trace {
            key(&mut out, "trace");
            match trace {
                Trace::Off => out.push_str("false"),
                Trace::All => out.push_str("true"),
                Trace::Calls(names) => strings(&mut out, names),
            }
        }
        if !self.net.is_empty() {
            key(&mut out, "net");
            self.net.write(&mut out);
        }
        out.push('}');
        out
    }
}

fn strings(out: &mut String, list: &[String]) {
    out.push('[');
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        string(out, item);
    }
    out.push(']');
}

fn string(out: &mut String, value: &str) {
    out.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\0'..='\u{1f}' | '\u{7f}' => {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn reads_back() {
        let json = r#"{"argv0":"p","args":["a\"\\","\u0001é",""],"env":{"A":"1","B":""},"hostname":"h","cwd":"/","stdio":"pipe","trace":["open"]}"#;
        let config = Config::parse(json.as_bytes()).unwrap();
        assert_eq!(config.to_json(), json);
        assert_eq!(Config::default().to_json(), "{}");
        for trace in ["true", "false"] {
            let json = alloc::format!("{{\"trace\":{trace}}}");
            assert_eq!(Config::parse(json.as_bytes()).unwrap().to_json(), json);
        }
    }
}

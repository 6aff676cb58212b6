//! What loads the guest: wrk, and tests/bench/host/load.c.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::link::Link;
use crate::bench::programs::{self, host_source};

/// The programs.
pub struct Tools {
    load: PathBuf,
}

impl Tools {
    /// Builds what is not a package.
    pub fn build(work: &Path) -> Result<Self> {
        let load = work.join("load");
        programs::must(Command::new("gcc").args(["-O2", "-o"]).arg(&load).arg(host_source("load.c")))?;
        Ok(Self { load })
    }

    /// Requests per second over so many connections.
    pub fn pages(&self, link: &Link, port: u16, connections: u64, seconds: u64) -> Result<f64> {
        let url = format!("http://{}:{port}/", link.server_address());
        let mut command = link.command("wrk");
        command.args(["--threads=1", "--timeout=20s", &format!("--connections={connections}")]);
        command.args([&format!("--duration={seconds}s"), &url]);
        let text = programs::output_of(&mut command)
            .context("wrk (`cargo xtask setup` installs it) could not load the server")?;
        rate(&text).with_context(|| format!("wrk did not get an answer from the guest:\n{text}"))
    }

    /// One of load.c's runs.
    pub fn run(&self, link: &Link, what: &str, port: u16, ms: &str) -> Result<String> {
        programs::output_of(link.command(&self.load).args([
            what,
            link.server_address(),
            &port.to_string(),
            ms,
        ]))
    }
}

/// What wrk has counted, if it has had an answer at all.
fn rate(text: &str) -> Option<f64> {
    let rate = text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"))?;
    rate.trim().parse().ok().filter(|rate| *rate > 0.0)
}

/// Idle connections, which load.c holds.
pub struct Held {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Held {
    pub fn start(tools: &Tools, link: &Link, port: u16) -> Result<Self> {
        let mut command = link.command(&tools.load);
        command.args(["hold", link.server_address(), &port.to_string()]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", tools.load.display()))?;
        let stdin = child.stdin.take().context("a process has no standard input")?;
        let stdout = child.stdout.take().context("a process has no standard output")?;
        Ok(Self { child, stdin, lines: BufReader::new(stdout).lines() })
    }

    fn say(&mut self, line: &str) -> Result<String> {
        writeln!(self.stdin, "{line}").context("load.c has ended")?;
        match self.lines.next() {
            Some(line) => line.context("load.c's answer cannot be read"),
            None => bail!("load.c has ended before it answered `{line}`: a connection was not served"),
        }
    }

    /// Holds so many in all.
    pub fn hold(&mut self, count: u64) -> Result<()> {
        let answer = self.say(&count.to_string())?;
        if answer != format!("held {count}") {
            bail!("load.c was to hold {count} connections and said: {answer}");
        }
        Ok(())
    }

    /// Has each of them answered once; the line that says how quickly.
    pub fn ask(&mut self) -> Result<String> {
        self.say("ask")
    }
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn what_wrk_prints() {
        let text =
            "  30000 requests in 1.00s, 2.23MB read\nRequests/sec:  29958.47\nTransfer/sec:      2.23MB\n";
        assert_eq!(rate(text), Some(29958.47));
        assert_eq!(rate("Requests/sec:      0.00\n"), None);
        assert_eq!(rate("unable to connect\n"), None);
    }
}

//! The options that become boot-time configuration, shared by `hw` (baked in) and `run` (on the kernel command line).

use rump_config::{Config, split_words};

use crate::failure::Failure;

/// Boot-time configuration.
#[derive(clap::Args)]
pub struct ConfigArgs {
    /// Set an environment variable of the program (may be repeated)
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    env: Vec<(String, String)>,
    /// What gethostname(3) returns
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// The directory in which the program starts
    #[arg(long, value_name = "DIR")]
    cwd: Option<String>,
    /// Trace system calls on the console: all, or those named
    #[arg(long, value_name = "CALL,…", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    trace: Option<String>,
    /// The program's arguments in one string, split as a shell would
    #[arg(long, alias = "cmdline", value_name = "STRING", conflicts_with = "arguments")]
    args: Option<String>,
    /// The program's arguments
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

fn name_and_value(word: &str) -> Result<(String, String), String> {
    match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("it must be NAME=VALUE".into()),
    }
}

impl ConfigArgs {
    /// The configuration that the options ask for.
    pub fn config(&self) -> Result<Config, Failure> {
        let mut config = Config::default();
        let mut set = |key: &str, value: &str| match config.set(key, value) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::new(format!("there is no key \"{key}\""))),
            Err(error) => Err(Failure::new(error.to_string())),
        };
        for (name, value) in &self.env {
            set(&format!("env.{name}"), value)?;
        }
        let options = [("hostname", &self.hostname), ("cwd", &self.cwd), ("trace", &self.trace)];
        for (key, value) in options {
            if let Some(value) = value {
                set(key, value)?;
            }
        }
        if let Some(line) = &self.args {
            let words = split_words(line).map_err(|problem| match problem {
                rump_config::Problem::Value(rule) => Failure::new(format!("--args {rule}")),
                other => Failure::new(format!("--args: {other:?}")),
            })?;
            config.args = Some(words);
        } else if !self.arguments.is_empty() {
            config.args = Some(self.arguments.clone());
        }
        Ok(config)
    }
}

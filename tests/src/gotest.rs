//! Go's own tests for NetBSD, a package per boot.
//!
//! The package's tests are built by `go test -c`, baked together with the package's folder (tests read files from it), booted once, and
//! each test's result is compared with the list of known failures in `tests/programs/go/known-failures.txt`: lines of package, test
//! and reason. A test that fails without being listed, or is listed without failing, is an error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::build::{Program, go_command};
use crate::{run, work_dir, workspace};

/// A package's results.
#[derive(Debug, Default)]
pub struct Results {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that skipped themselves.
    pub skipped: usize,
    /// Tests that failed, by name, with whether that was known.
    pub failed: BTreeMap<String, bool>,
    /// Known failures that passed.
    pub mended: Vec<String>,
    /// How the run ended, if it did not end as a test run does.
    pub broken: Option<String>,
}

impl Results {
    /// Whether all is as listed.
    pub fn as_expected(&self) -> bool {
        self.broken.is_none() && self.mended.is_empty() && self.failed.values().all(|&known| known)
    }
}

/// The reasons for known failures of a package, by test.
fn known_failures(package: &str) -> BTreeMap<String, String> {
    let path = workspace().join("tests/programs/go/known-failures.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut known = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let mut words = line.splitn(3, ' ');
        let (Some(name), Some(test), Some(reason)) = (words.next(), words.next(), words.next()) else {
            panic!("{}: a line needs package, test and reason: {line:?}", path.display());
        };
        if name == package {
            known.insert(test.to_owned(), reason.to_owned());
        }
    }
    known
}

fn package_folder(package: &str) -> PathBuf {
    let output = run(go_command(workspace()).args(["list", "-f", "{{.Dir}}", package]));
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the work folder is writable");
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("the folder was just opened");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("the file system tells").is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target)
                .unwrap_or_else(|error| panic!("{}: {error}", target.display()));
        }
    }
}

/// Builds, bakes and boots a package's tests. `skip` is a pattern of tests not to run (`-test.skip`), empty for none.
pub fn run_package(package: &str, skip: &str) -> Results {
    let name = format!("go-{}", package.replace('/', "-"));
    let dir = work_dir(&name);
    let elf = dir.join("test.elf");
    run(go_command(workspace()).args(["test", "-c", "-o"]).arg(&elf).arg(package));
    let folder = package_folder(package);
    let root = dir.join("root");
    // Tests find their files where the compiler saw the sources.
    let inside = root.join(folder.strip_prefix("/").expect("go list prints absolute paths"));
    let _ = std::fs::remove_dir_all(&root);
    copy_tree(&folder, &inside);
    let config = dir.join("config.json");
    std::fs::write(&config, format!("{{\"cwd\": {:?}}}", folder.display().to_string()))
        .expect("the work folder is writable");
    let image = Program { elf }.bake_with(&[
        "--root",
        &root.display().to_string(),
        "--config",
        &config.display().to_string(),
    ]);
    let mut args = vec!["-test.v", "-test.short"];
    if !skip.is_empty() {
        args.extend(["-test.skip", skip]);
    }
    let outcome = image.run_with(&["-m", "1024"], &args, b"");
    judge(&outcome.console, outcome.status, known_failures(package))
}

fn judge(console: &str, status: i32, known: BTreeMap<String, String>) -> Results {
    let mut results = Results::default();
    let mut ended = false;
    for line in console.lines() {
        let line = line.trim_end();
        if line == "PASS" || line == "FAIL" {
            ended = true;
        }
        // Results of subtests are indented; the test that they belong to speaks for them.
        let Some((verdict, rest)) = line.strip_prefix("--- ").and_then(|rest| rest.split_once(": ")) else {
            continue;
        };
        let test = rest.split(' ').next().unwrap_or_default().to_owned();
        match verdict {
            "PASS" if known.contains_key(&test) => results.mended.push(test),
            "PASS" => results.passed += 1,
            "SKIP" => results.skipped += 1,
            "FAIL" => {
                let listed = known.contains_key(&test);
                results.failed.insert(test, listed);
            }
            _ => {}
        }
    }
    if !ended {
        let tail: Vec<&str> = console.lines().rev().take(40).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        results.broken =
            Some(format!("the run ended with status {status} before its tests did:\n{}", tail.join("\n")));
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_by_the_list() {
        let known = BTreeMap::from([
            ("TestB".to_owned(), "because".to_owned()),
            ("TestD".to_owned(), "because".to_owned()),
        ]);
        let console = "--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n    --- FAIL: TestB/x\n--- FAIL: TestC (0.1s)\n--- SKIP: TestE\n--- PASS: TestD\nFAIL\n";
        let results = judge(console, 1, known);
        assert_eq!((results.passed, results.skipped), (1, 1));
        assert_eq!(results.failed, BTreeMap::from([("TestB".to_owned(), true), ("TestC".to_owned(), false)]));
        assert_eq!(results.mended, ["TestD"]);
        assert!(results.broken.is_none() && !results.as_expected());
        assert!(judge("--- PASS: TestA\n", 2, BTreeMap::new()).broken.is_some());
    }
}

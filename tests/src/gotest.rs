//! Go's own tests for NetBSD, a package per boot.
//!
//! The package's tests are built by `go test -c`, baked together with the package's folder and the other parts of GOROOT that they read,
//! booted once, and each test's result is compared with the list of known failures in `tests/programs/go/known-failures.txt`: lines of
//! package, test and reason. A `!` before the test's name says that it takes the whole run down; such a test is booted alone. A test
//! that fails without being listed, or is listed without failing, is an error: the list can only be true.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::build::{Program, go_command};
use crate::{Platform, run, work_dir, workspace};

/// A package's results.
#[derive(Debug, Default)]
pub struct Results {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that skipped themselves.
    pub skipped: usize,
    /// Tests that failed, by name, with whether that was known.
    pub failed: BTreeMap<String, bool>,
    /// Known failures that did not fail.
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

/// How a known failure shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The test fails.
    Test,
    /// The test ends the run.
    Run,
}

/// The known failures of a package, by test.
fn known_failures(package: &str) -> BTreeMap<String, Failure> {
    let path = workspace().join("tests/programs/go/known-failures.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse_list(&text, package)
        .unwrap_or_else(|line| panic!("{}: a line needs package, test and reason: {line:?}", path.display()))
}

/// The lines of the list that are about a package; the first malformed one is the error.
fn parse_list<'a>(text: &'a str, package: &str) -> Result<BTreeMap<String, Failure>, &'a str> {
    let mut known = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let mut words = line.splitn(3, ' ');
        let (Some(name), Some(test), Some(_reason)) = (words.next(), words.next(), words.next()) else {
            return Err(line);
        };
        if name == package {
            let (test, failure) =
                test.strip_prefix('!').map_or((test, Failure::Test), |test| (test, Failure::Run));
            known.insert(test.to_owned(), failure);
        }
    }
    Ok(known)
}

/// What a package's tests read outside the package's folder, below GOROOT.
fn other_files(package: &str) -> &'static [&'static str] {
    match package {
        "time" => &["lib/time/zoneinfo.zip"],
        "compress/flate" => &["src/compress/testdata", "src/testdata"],
        "compress/lzw" | "compress/zlib" => &["src/compress/testdata"],
        "net" | "net/http" | "net/http/httputil" => &["src/testdata"],
        "io/ioutil" => &["src/io/io_test.go"],
        "path/filepath" => &["src/unicode"],
        _ => &[],
    }
}

fn package_folder(package: &str) -> PathBuf {
    let output = run(go_command(workspace()).args(["list", "-f", "{{.Dir}}", package]));
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

fn goroot() -> PathBuf {
    let output = run(go_command(workspace()).args(["env", "GOROOT"]));
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// Copies a file or a folder.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("the work folder is writable");
        let entries = std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        for entry in entries {
            let name = entry.expect("the folder was just opened").file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        std::fs::create_dir_all(to.parent().expect("targets lie in the work folder"))
            .expect("the work folder is writable");
        std::fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}

/// Makes the image's file tree for a package: tests find their files where the compiler saw the sources, and the few files and
/// folders that they expect of any NetBSD system.
fn make_root(root: &Path, package: &str, folder: &Path) {
    let inside = |path: &Path| root.join(path.strip_prefix("/").expect("go prints absolute paths"));
    let _ = std::fs::remove_dir_all(root);
    copy(&workspace().join("tests/programs/go/system"), root);
    std::fs::create_dir_all(root.join("usr/bin")).expect("the work folder is writable");
    copy(folder, &inside(folder));
    for other in other_files(package) {
        let path = goroot().join(other);
        copy(&path, &inside(&path));
    }
}

/// Builds, bakes and boots a package's tests.
pub fn run_package(platform: Platform, package: &str) -> Results {
    run_tests(platform, package, None)
}

/// The same for those tests alone whose name fits the pattern (`-test.run`).
pub fn run_matching(platform: Platform, package: &str, pattern: &str) -> Results {
    // Of the list's other tests nothing is learnt.
    Results { mended: Vec::new(), ..run_tests(platform, package, Some(pattern)) }
}

fn run_tests(platform: Platform, package: &str, pattern: Option<&str>) -> Results {
    let part = if pattern.is_some() { "-part" } else { "" };
    // Several tests may work on the same package at once.
    let name = format!("go-{}{part}-{platform:?}", package.replace('/', "-"));
    let dir = work_dir(&name);
    let elf = dir.join("test.elf");
    run(go_command(workspace()).args(["test", "-c", "-o"]).arg(&elf).arg(package));
    let folder = package_folder(package);
    let root = dir.join("root");
    make_root(&root, package, &folder);
    let config = dir.join("config.json");
    std::fs::write(&config, format!("{{\"cwd\": {:?}}}", folder.display().to_string()))
        .expect("the work folder is writable");
    let image = Program { elf }.bake_for(
        platform,
        &["--root", &root.display().to_string(), "--config", &config.display().to_string()],
    );
    let known = known_failures(package);
    let names = |failure| {
        known
            .iter()
            .filter(move |&(_, &how)| how == failure)
            .map(|(test, _)| test.as_str())
            .collect::<Vec<_>>()
    };
    let boot = |selection: &[&str]| {
        let mut args = vec!["-test.v", "-test.short"];
        args.extend(selection);
        image.run_with(&["-m", "1024"], &args, b"")
    };
    let deadly = names(Failure::Run);
    let skip = format!("^({})$", deadly.join("|"));
    let mut selection = pattern.map_or_else(Vec::new, |pattern| vec!["-test.run", pattern]);
    if !deadly.is_empty() {
        selection.extend(["-test.skip", &skip]);
    }
    let outcome = boot(&selection);
    let mut results = judge(&outcome.console, outcome.status, &names(Failure::Test));
    for test in deadly.into_iter().filter(|_| pattern.is_none()) {
        if boot(&["-test.run", &format!("^{test}$")]).status == 0 {
            results.mended.push(test.to_owned());
        } else {
            results.failed.insert(test.to_owned(), true);
        }
    }
    results
}

/// Reads a run's results off its console. `known` are the tests that are to fail.
fn judge(console: &str, status: i32, known: &[&str]) -> Results {
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
            "PASS" => results.passed += 1,
            "SKIP" => results.skipped += 1,
            "FAIL" => {
                let listed = known.contains(&test.as_str());
                results.failed.insert(test, listed);
            }
            _ => {}
        }
    }
    let mended = known.iter().filter(|&&test| !results.failed.contains_key(test));
    results.mended = mended.map(|&test| test.to_owned()).collect();
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
        let known = ["TestB", "TestD"];
        let console = "--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n    --- FAIL: TestB/x\n--- FAIL: TestC (0.1s)\n--- SKIP: TestE\n--- PASS: TestD\nFAIL\n";
        let results = judge(console, 1, &known);
        assert_eq!((results.passed, results.skipped), (2, 1));
        assert_eq!(results.failed, BTreeMap::from([("TestB".to_owned(), true), ("TestC".to_owned(), false)]));
        assert_eq!(results.mended, ["TestD"]);
        assert!(results.broken.is_none() && !results.as_expected());
        assert!(judge("--- PASS: TestA\n", 2, &[]).broken.is_some());
    }

    #[test]
    fn reads_the_list() {
        let list = "# package, test, reason\n\nio TestA no reason given\nos TestB why\nio !TestC panics\n";
        let known = [("TestA".to_owned(), Failure::Test), ("TestC".to_owned(), Failure::Run)];
        assert_eq!(parse_list(list, "io"), Ok(BTreeMap::from(known)));
        assert_eq!(parse_list("io TestA\n", "io"), Err("io TestA"));
    }
}

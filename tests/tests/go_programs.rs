//! Go programs on bare metal.

use rumpbake_tests::{go, gotest};

#[test]
fn the_runtime_works() {
    let image = go("runtime").bake_with(&["--env", "WHO=gopher"]);
    let _ = image
        .run_with(&["-m", "256"], &["one"], b"")
        .status(3)
        .shows("netbsd amd64 2 gopher\n")
        .shows("runtime: all right\n");
}

#[test]
fn a_few_of_the_standard_library_s_tests() {
    for package in ["errors", "sort", "sync/atomic", "unicode/utf8", "context"] {
        let results = gotest::run_package(package, "");
        assert!(results.as_expected(), "{package}: {results:#?}");
        assert!(results.passed > 0, "{package}: {results:#?}");
    }
}

/// All packages that the project promises, for `cargo xtask conformance`.
#[test]
#[ignore = "takes many minutes; cargo xtask conformance runs it"]
fn the_standard_library_s_tests() {
    const PACKAGES: [&str; 27] = [
        "sync",
        "sync/atomic",
        "strings",
        "bytes",
        "sort",
        "strconv",
        "math",
        "math/big",
        "math/bits",
        "math/cmplx",
        "math/rand",
        "math/rand/v2",
        "time",
        "context",
        "bufio",
        "unicode",
        "unicode/utf8",
        "unicode/utf16",
        "encoding/json",
        "errors",
        "slices",
        "maps",
        "container/list",
        "container/heap",
        "io",
        "path",
        "text/tabwriter",
    ];
    let mut wrong = Vec::new();
    for package in PACKAGES {
        let results = gotest::run_package(package, "");
        println!(
            "{package}: {} passed, {} failed, {} skipped",
            results.passed,
            results.failed.len(),
            results.skipped
        );
        if !results.as_expected() {
            wrong.push((package, results));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

//! Go programs.

use std::time::Instant;

use rumpbake_tests::{go, gotest, on};

on!(hw, xen: fn the_runtime_works(platform) {
    let image = go("runtime").bake_for(platform, &["--env", "WHO=gopher"]);
    let _ = image
        .run_with(&["-m", "256"], &["one"], b"")
        .status(3)
        .shows("netbsd amd64 2 gopher\n")
        .shows("runtime: all right\n");
});

#[test]
fn a_few_of_the_standard_library_s_tests() {
    for package in ["errors", "sort", "sync/atomic", "unicode/utf8", "context"] {
        let results = gotest::run_package(package);
        assert!(results.as_expected(), "{package}: {results:#?}");
        assert!(results.passed > 0, "{package}: {results:#?}");
    }
}

#[test]
fn the_standard_library_s_tests_of_local_sockets() {
    let results = gotest::run_matching("net", "Unix");
    assert!(results.as_expected() && results.passed >= 12, "{results:#?}");
}

/// All packages that the project promises, or those that `RUMPBAKE_GO_PACKAGES` names, for `cargo xtask conformance`.
#[test]
#[ignore = "takes many minutes; cargo xtask conformance runs it"]
fn the_standard_library_s_tests() {
    const PACKAGES: &[&str] = &[
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
        "archive/tar",
        "archive/zip",
        "cmp",
        "compress/bzip2",
        "compress/flate",
        "compress/gzip",
        "compress/lzw",
        "compress/zlib",
        "container/heap",
        "container/list",
        "container/ring",
        "crypto/md5",
        "crypto/sha1",
        "crypto/sha256",
        "crypto/tls",
        "encoding/base64",
        "encoding/binary",
        "encoding/csv",
        "encoding/gob",
        "encoding/hex",
        "encoding/pem",
        "encoding/xml",
        "expvar",
        "flag",
        "fmt",
        "hash/crc32",
        "html",
        "index/suffixarray",
        "internal/poll",
        "internal/syscall/unix",
        "io",
        "io/fs",
        "io/ioutil",
        "iter",
        "log",
        "log/slog",
        "maps",
        "net",
        "net/http",
        "net/http/httputil",
        "net/mail",
        "net/netip",
        "net/rpc",
        "net/smtp",
        "net/textproto",
        "net/url",
        "os",
        "os/signal",
        "os/user",
        "path",
        "path/filepath",
        "reflect",
        "regexp",
        "regexp/syntax",
        "runtime",
        "runtime/debug",
        "slices",
        "testing/synctest",
        "text/scanner",
        "text/tabwriter",
        "text/template",
        "unique",
    ];
    let named = std::env::var("RUMPBAKE_GO_PACKAGES").unwrap_or_default();
    let mut packages: Vec<&str> = named.split_whitespace().collect();
    if packages.is_empty() {
        packages = PACKAGES.to_vec();
    }
    let mut wrong = Vec::new();
    for package in packages {
        let start = Instant::now();
        let results = gotest::run_package(package);
        println!(
            "{package}: {} passed, {} failed, {} skipped, {:.1} s",
            results.passed,
            results.failed.len(),
            results.skipped,
            start.elapsed().as_secs_f64()
        );
        if !results.as_expected() {
            wrong.push((package, results));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

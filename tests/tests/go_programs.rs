//! Go programs.

use std::time::Instant;

use rumpbake_tests::{Platform, go, gotest, on};

on!(hw, xen: fn the_runtime_works(platform) {
    let image = go("runtime").bake_for(platform, &["--env", "WHO=gopher"]);
    let _ = image
        .run_with(&["-m", "256"], &["one"], b"")
        .status(3)
        .shows("netbsd amd64 2 gopher\n")
        .shows("runtime: all right\n");
});

on!(hw, xen: fn a_few_of_the_standard_library_s_tests(platform) {
    for package in ["errors", "sort", "sync/atomic", "unicode/utf8", "context"] {
        let results = gotest::run_package(platform, package);
        assert!(results.as_expected(), "{package}: {results:#?}");
        assert!(results.passed > 0, "{package}: {results:#?}");
    }
});

on!(hw, xen: fn the_standard_library_s_tests_of_local_sockets(platform) {
    let results = gotest::run_matching(platform, "net", "Unix");
    assert!(results.as_expected() && results.passed >= 12, "{results:#?}");
});

/// The packages that are run on every platform.
const PROMISED: &[&str] = &[
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
];

/// The packages that are run on bare metal beside these.
const FURTHER: &[&str] = &[
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

/// The packages that `RUMPBAKE_GO_PACKAGES` names, or all that are promised, for `cargo xtask conformance`.
fn conform(platform: Platform) {
    let named = std::env::var("RUMPBAKE_GO_PACKAGES").unwrap_or_default();
    let mut packages: Vec<&str> = named.split_whitespace().collect();
    if packages.is_empty() {
        packages = PROMISED.to_vec();
        if platform == Platform::Hw {
            packages.extend(FURTHER);
        }
    }
    let mut wrong = Vec::new();
    for package in packages {
        let start = Instant::now();
        let results = gotest::run_package(platform, package);
        println!(
            "{package} on {platform:?}: {} passed, {} failed, {} skipped, {:.1} s",
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

on!(hw, xen: #[ignore = "takes many minutes; cargo xtask conformance runs it"] fn the_standard_library_s_tests(platform) {
    conform(platform);
});

//! In which NetBSD library a symbol lives.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Lines of a symbol and the library that defines it, separated by a space; lines that begin with `#` say where they come from. Made from the stub
/// libraries of the cross compiler.
const TABLE: &str = include_str!("../data/symbols.txt");

/// Every symbol with each library that defines it, sorted.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '))
}

/// The library of NetBSD 10 that defines `symbol`, libc before the others.
pub(crate) fn home(symbol: &str) -> Option<&'static str> {
    static HOMES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
        let mut homes = HashMap::with_capacity(TABLE.len() / 24);
        for (name, library) in all() {
            let home = homes.entry(name).or_insert(library);
            if library.starts_with("libc.so") {
                *home = library;
            }
        }
        homes
    });
    HOMES.get(symbol).copied()
}

#[cfg(test)]
mod tests {
    use super::home;

    #[test]
    fn symbols_are_found_in_their_libraries() {
        assert_eq!(home("__stat50"), Some("libc.so.12"));
        assert_eq!(home("cosf"), Some("libm.so.0"));
        assert_eq!(home("pthread_create"), Some("libpthread.so.1"));
        assert_eq!(home("gtk_main"), None);
    }
}

//! docs/bench.html.
use super::results::Results;
pub fn page(_: &Results, _: &str, _: &str) -> String {
    String::new()
}

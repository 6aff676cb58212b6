//! Set-up, demo, test, abi, bench.
fn main() {}

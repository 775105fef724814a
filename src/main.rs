//! The `veille` command: everything is in the library.
fn main() {}

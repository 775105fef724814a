//! The `veille` command: everything is in the library.

/// Documents come and go on several threads: with glibc's allocator the first round of a thousand feeds takes a fifth more
/// processor time (2026-11-28). `cli/memory.rs` sets how much freed memory it keeps.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    veille::cli::main()
}

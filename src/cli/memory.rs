//! The amount of freed memory that the process keeps.
//!
//! By default jemalloc has four arenas for each processor and gives freed memory back after ten seconds, which is more than a
//! Raspberry Pi can spare. It reads its settings when a process starts, so the commands that work on many
//! documents start themselves again with them (`man jemalloc`, TUNING).

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The name under which jemalloc reads its settings where it takes the place of Rust's allocator only. It does not take that
/// of the C library's: libfaketime, under which clocks are tried, would wait for ever.
const JEMALLOC: &str = "_RJEM_MALLOC_CONF";

/// For jemalloc: one arena for all threads; freed memory goes back to the system after a twentieth of a second, from 64 KiB
/// on at once. For glibc, whose allocator `SQLite` and Zstandard use: two arenas; freed memory at an end is given back.
const SETTINGS: [(&str, &str); 3] = [
    (JEMALLOC, "narenas:1,dirty_decay_ms:50,muzzy_decay_ms:0,oversize_threshold:65536"),
    ("MALLOC_ARENA_MAX", "2"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

/// Starts the program again with these settings, in the same process; returns if it has them already, if somebody else has
/// set others, or if it cannot be started again: then it does without.
pub(super) fn restart_with_settings() {
    if env::var_os(JEMALLOC).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| program.clone().into());
    // Comes back only with an error, after which all is as before.
    let _ = Command::new(program).arg0(name).args(arguments).envs(SETTINGS).exec();
}

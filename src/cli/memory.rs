//! How much of the freed memory the process keeps.
//!
//! jemalloc has an arena for each four processors' worth of threads and gives freed memory back after ten seconds, which is
//! more than a Raspberry Pi can spare. It reads its settings when a process starts, so the commands that work on many
//! documents start themselves again with them (`man jemalloc`, TUNING).

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// One arena for all threads; what is freed goes back to the system after a twentieth of a second, from 64 KiB on at once. On systems where it does
/// not replace the C library's allocator, jemalloc reads the second name.
const NAMES: [&str; 2] = ["MALLOC_CONF", "_RJEM_MALLOC_CONF"];
const SETTINGS: &str = "narenas:1,dirty_decay_ms:50,muzzy_decay_ms:0,oversize_threshold:65536";

/// Starts the program again with these settings, in the same process; returns if it has them already, if somebody else
/// has set one of them, or if it cannot be started again: then it does without.
pub(super) fn settle() {
    if NAMES.iter().any(|name| env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| program.clone().into());
    let settings = NAMES.map(|name| (name, SETTINGS));
    // Comes back only with an error, after which all is as before.
    let _ = Command::new(program).arg0(name).args(arguments).envs(settings).exec();
}

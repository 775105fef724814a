//! How much of what was freed the C library keeps.
//!
//! glibc keeps freed memory in an arena for each thread, and raises the size from which it gives a block back each time
//! that a larger one is freed. Documents come and go on several threads, so a round of polls would hold 118 MB where 79
//! do. glibc reads its settings when a process starts (`mallopt(3)`), so the commands that work on many documents start
//! themselves again with them. The C library of other systems does not look at them.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Two arenas (with one, threads wait for each other), and freed memory at an end is given back from 128 KiB on.
const SETTINGS: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "2"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// Starts the program again with these settings, in the same process; returns if it has them already, if somebody else
/// has set one of them, or if it cannot be started again: then it does without.
pub(super) fn settle() {
    if SETTINGS.iter().any(|(name, _)| env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| program.clone().into());
    // Comes back only with an error, after which all is as before.
    let _ = Command::new(program).arg0(name).args(arguments).envs(SETTINGS).exec();
}

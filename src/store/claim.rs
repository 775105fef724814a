//! The process that holds a store or a published folder: one at a time, written down in its lock as one line of JSON.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::disk;

/// Longest lock that is read.
const HOLDER_BYTES_MAX: u64 = 8192;

/// The process that holds a store or a published folder, as its lock says. On a full disk the lock says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its number.
    pub process: Option<u32>,
    /// Its command: `run` or `restore`.
    pub command: String,
    /// The config of a daemon, by its place in the file system.
    pub config: Option<String>,
}

impl Holder {
    /// This process, under a command.
    #[must_use]
    pub fn this(command: &str, config: Option<String>) -> Self {
        Self { process: Some(std::process::id()), command: command.to_owned(), config }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(process) = self.process else { return to.write_str("another process") };
        write!(to, "process {process} (`veille {}", self.command)?;
        if let Some(config) = &self.config {
            write!(to, " --config {config}")?;
        }
        to.write_str("`)")
    }
}

/// A store that is held. The lock ends with the value or the process, however that ends.
#[derive(Debug)]
pub struct Claim {
    _file: File,
}

impl Claim {
    /// Takes hold of the store at `store` for `holder`. `None` if no lock can be made there: nobody can then be kept away.
    ///
    /// # Errors
    /// [`StoreError::Held`] if another process holds it.
    pub fn take(store: &Path, holder: &Holder) -> Result<Option<Self>, StoreError> {
        // It stays, so that two can never hold different files of one name.
        let path = disk::lock_beside(store);
        let writing = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(&path);
        // One that may only be read can be locked all the same.
        let Ok(mut file) = writing.or_else(|_| File::open(&path)) else { return Ok(None) };
        disk::give(&path);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Held { store: store.display().to_string(), by: written_in(file) });
            }
            Err(TryLockError::Error(_)) => return Ok(None),
        }
        let line = serde_json::to_string(holder).unwrap_or_default() + "\n";
        // A lock that says nothing still holds.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(line.as_bytes()));
        Ok(Some(Self { _file: file }))
    }
}

/// Returns the process that holds what is at `path`; `None` if none does, or if that cannot be told.
#[must_use]
pub fn holder(path: &Path) -> Option<Holder> {
    let file = File::open(disk::lock_beside(path)).ok()?;
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| written_in(file))
}

fn written_in(file: File) -> Holder {
    let mut line = String::new();
    let _ = file.take(HOLDER_BYTES_MAX).read_to_string(&mut line);
    serde_json::from_str(&line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daemon(process: u32, config: &str) -> Holder {
        Holder { process: Some(process), command: "run".into(), config: Some(config.into()) }
    }

    #[test]
    fn who_comes_second_hears_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("veille.db");
        let (one, other) = (daemon(17, "/etc/a b.toml"), daemon(18, "/etc/c.toml"));
        let first = Claim::take(&store, &one).unwrap();
        assert!(first.is_some());
        assert_eq!(holder(&store), Some(one));
        let error = Claim::take(&store, &other).unwrap_err();
        assert!(error.to_string().ends_with("is held by process 17 (`veille run --config /etc/a b.toml`)"), "{error}");
        drop(first);
        assert_eq!(holder(&store), None);
        assert!(Claim::take(&store, &other).unwrap().is_some());
    }

    #[test]
    fn a_lock_that_says_nothing_to_us_still_holds() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("veille.db");
        for text in ["", "process 17 (`veille run`)\n", "{\"process\":-1}"] {
            let _held = Claim::take(&store, &daemon(17, "a")).unwrap();
            std::fs::write(disk::lock_beside(&store), text).unwrap();
            assert_eq!(holder(&store).unwrap().to_string(), "another process", "{text}");
        }
    }

    #[test]
    fn where_no_lock_can_be_made_nobody_is_kept_away() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Claim::take(&folder.path().join("none/veille.db"), &daemon(17, "a")).unwrap().is_none());
    }
}

//! The daemon that holds a store or a published folder: one at a time, known by its process and its config.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::StoreError;
use crate::disk;

/// Longest text about a holder that is read.
const HOLDER_MAX: u64 = 4096;

/// A store that is held. The lock ends with the value or the process, however that ends.
#[derive(Debug)]
pub struct Claim {
    _file: File,
}

impl Claim {
    /// Takes hold of the store at `store` for `holder`, a text that tells people who that is. `None` if no lock can be made
    /// there, as on a full disk: nobody can then be kept away.
    ///
    /// # Errors
    /// [`StoreError::Held`] if another process holds it.
    pub fn take(store: &Path, holder: &str) -> Result<Option<Self>, StoreError> {
        // It stays, so that two can never hold different files of one name.
        let path = disk::lock_beside(store);
        let writing = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(&path);
        // One that may only be read can be locked all the same.
        let Ok(mut file) = writing.or_else(|_| File::open(&path)) else { return Ok(None) };
        disk::give(&path);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Held { store: store.display().to_string(), by: named_in(file) });
            }
            Err(TryLockError::Error(_)) => return Ok(None),
        }
        // Without the text the lock still holds.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        Ok(Some(Self { _file: file }))
    }
}

/// Returns the text about the process that holds what is at `path`; `None` if none does, or if nobody can tell.
#[must_use]
pub fn holder(path: &Path) -> Option<String> {
    let file = File::open(disk::lock_beside(path)).ok()?;
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| named_in(file))
}

fn named_in(file: File) -> String {
    let mut by = String::new();
    let _ = file.take(HOLDER_MAX).read_to_string(&mut by);
    let by = by.trim();
    if by.is_empty() { "another process" } else { by }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_second_hears_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("veille.db");
        let first = Claim::take(&store, "process 17").unwrap();
        assert!(first.is_some());
        assert_eq!(holder(&store).as_deref(), Some("process 17"));
        let error = Claim::take(&store, "process 18").unwrap_err();
        assert!(error.to_string().ends_with("is held by process 17"), "{error}");
        drop(first);
        assert_eq!(holder(&store), None);
        assert!(Claim::take(&store, "process 18").unwrap().is_some());
    }

    #[test]
    fn where_no_lock_can_be_made_nobody_is_kept_away() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Claim::take(&folder.path().join("none/veille.db"), "process 17").unwrap().is_none());
    }
}

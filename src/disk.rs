//! The disk under a path, as the system tells of it, and the owners of what we make there.
//!
//! A disk that cannot be asked counts as one with room that may be written: what is tried there will tell.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

/// The flag of a file system that is mounted read-only (statvfs(3), `ST_RDONLY`).
const MOUNTED_READ_ONLY: u64 = 1;

/// Returns the bytes that are free for this user on the disk of `path`, which need not exist; `None` if nobody can tell.
#[allow(clippy::useless_conversion, reason = "the types differ between systems")]
#[must_use]
pub fn free_bytes(path: &Path) -> Option<u64> {
    #[cfg(test)]
    if pretended::is_full(path) {
        return Some(0);
    }
    let told = nix::sys::statvfs::statvfs(existing(path)).ok()?;
    Some(u64::from(told.blocks_available()).saturating_mul(u64::from(told.fragment_size())))
}

/// Tells whether the file system of `path` is mounted read-only.
#[allow(clippy::useless_conversion, reason = "the types differ between systems")]
#[must_use]
pub fn is_read_only(path: &Path) -> bool {
    let told = nix::sys::statvfs::statvfs(existing(path));
    told.is_ok_and(|told| u64::from(told.flags().bits()) & MOUNTED_READ_ONLY != 0) || refuses_writers(path)
}

/// Tells whether a file cannot be opened for writing since its file system refuses all writers. One that turned read-only
/// after an error does not say so of itself (ext4, since Linux 6.15).
///
/// The file that is opened is the lock beside `path`, if there is one; never `path` itself. To close a file that `SQLite`
/// has open gives up its locks on it (fcntl(2), POSIX locks).
fn refuses_writers(path: &Path) -> bool {
    let opened = fs::OpenOptions::new().write(true).open(lock_beside(path));
    opened.is_err_and(|error| error.kind() == io::ErrorKind::ReadOnlyFilesystem)
}

/// Returns the path of the file whose lock stands for `path`.
#[must_use]
pub fn lock_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    path.with_file_name(name)
}

/// Returns the folder that `path` lies in.
#[must_use]
pub fn outer_folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the nearest folder or file on the way to `path` that exists.
fn existing(path: &Path) -> &Path {
    let on_the_way = path.ancestors().filter(|part| !part.as_os_str().is_empty());
    on_the_way.into_iter().find(|part| part.exists()).unwrap_or(Path::new("."))
}

/// Returns what tells a file from each other one: its file system and its number there; `None` if there is none.
#[must_use]
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|file| (file.dev(), file.ino()))
}

/// Makes a folder and those on the way to it, each with the owner of the folder that it is made in.
///
/// # Errors
/// When one cannot be made.
pub fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(outer) = folder.parent() {
        make_folders(outer)?;
    }
    match fs::create_dir(folder) {
        Err(cause) if !folder.is_dir() => return Err(cause),
        Ok(()) | Err(_) => {}
    }
    give(folder);
    Ok(())
}

/// Gives a new file or folder to the owner of the folder that it lies in, if root made it there for somebody else: a
/// service that runs as that user could not write it otherwise.
pub fn give(path: &Path) {
    let (Ok(made), Ok(folder)) = (path.symlink_metadata(), outer_folder(path).metadata()) else { return };
    if let Some((user, group)) = heir(&made, &folder) {
        // If the system refuses, the file is as good as before.
        let _ = chown(path, Some(user), Some(group));
    }
}

/// Returns the user and group that a new file belongs to by right, if they are others than those that it has.
fn heir(made: &Metadata, folder: &Metadata) -> Option<(u32, u32)> {
    (made.uid() == 0 && folder.uid() != 0).then(|| (folder.uid(), folder.gid()))
}

/// Disks that are full for the tests alone.
#[cfg(test)]
pub(crate) mod pretended {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};
    use std::sync::{Mutex, PoisonError};

    static FULL: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

    pub(super) fn is_full(path: &Path) -> bool {
        FULL.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|folder| path.starts_with(folder))
    }

    /// Lets the disk of a folder be full, or have room again.
    pub(crate) fn set(folder: &Path, is_full: bool) {
        let mut full = FULL.lock().unwrap_or_else(PoisonError::into_inner);
        if is_full {
            full.insert(folder.to_owned());
        } else {
            full.remove(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_exist_is_on_the_disk_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let free = free_bytes(&folder.path().join("none/at/all"));
        assert!(free.is_some_and(|free| free > 0));
        assert!(!is_read_only(&folder.path().join("none/at/all")));
    }

    #[test]
    fn another_file_in_the_place_of_one_has_another_identity() {
        let folder = tempfile::tempdir().unwrap();
        let [file, other] = ["file", "other"].map(|name| folder.path().join(name));
        fs::write(&file, "a").unwrap();
        fs::write(&other, "a").unwrap();
        let before = identity(&file);
        assert!(before.is_some());
        fs::rename(&other, &file).unwrap();
        assert_ne!(identity(&file), before);
        fs::remove_file(&file).unwrap();
        assert_eq!(identity(&file), None);
    }

    #[test]
    fn folders_on_the_way_are_made_and_a_file_in_the_way_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        make_folders(&deep).unwrap();
        make_folders(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(make_folders(&folder.path().join("file/a")).is_err());
    }

    #[test]
    fn what_root_makes_in_the_folder_of_another_user_is_that_users() {
        let folder = tempfile::tempdir().unwrap();
        if chown(folder.path(), Some(12_345), Some(12_346)).is_err() {
            return; // Only root can give files away.
        }
        make_folders(&folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/file"), "").unwrap();
        give(&folder.path().join("a/b/file"));
        for made in ["a", "a/b", "a/b/file"] {
            let made = folder.path().join(made).metadata().unwrap();
            assert_eq!((made.uid(), made.gid()), (12_345, 12_346));
        }
    }
}

//! The only writer of the user's own files: a file is replaced whole or not at all.
//!
//! (Published files have a writer of their own, `publish::files`: it puts many at once, under a lock, and compares first.)

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use tempfile::NamedTempFile;
use xattr::FileExt as _;

/// Puts `bytes` into the file at `path`, which keeps its owner, group, rights and attributes, and stays a link if it is one.
///
/// Whoever looks meanwhile sees the old file or the new one, also after a crash; unless the folder is not ours to write to,
/// or the file not ours to give to its owner: then it is written over.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = match beside(&path, folder) {
        Ok(beside) => beside,
        Err(_) if path.is_file() => return overwrite(&path, bytes),
        Err(error) => return Err(error),
    };
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(&path)?;
    File::open(folder)?.sync_all()
}

/// Makes an empty file in the folder of that at `path`, with its owner, group, rights and attributes (access control lists,
/// labels).
fn beside(path: &Path, folder: &Path) -> io::Result<NamedTempFile> {
    // A new file has the rights that the process gives to all its files; one with secrets is nobody's meanwhile.
    let known = fs::metadata(path).ok();
    let rights = if known.is_some() { 0o600 } else { 0o666 };
    let new = tempfile::Builder::new().permissions(Permissions::from_mode(rights)).tempfile_in(folder)?;
    let Some(known) = known else { return Ok(new) };
    let made = new.as_file().metadata()?;
    if (known.uid(), known.gid()) != (made.uid(), made.gid()) {
        fchown(new.as_file(), Some(known.uid()), Some(known.gid()))?;
    }
    new.as_file().set_permissions(known.permissions())?;
    // A file system without attributes has none to keep.
    for name in xattr::list(path).into_iter().flatten() {
        if let Some(value) = xattr::get(path, &name)?
            && new.as_file().get_xattr(&name)?.as_ref() != Some(&value)
        {
            new.as_file().set_xattr(&name, &value)?;
        }
    }
    Ok(new)
}

/// Writes over the text of a file.
fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn rights_and_links_stay() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(names(folder.path()), ["file", "link"]);
    }

    #[test]
    fn a_new_file_has_the_rights_of_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let [file, other] = ["file", "other"].map(|name| folder.path().join(name));
        replace(&file, b"new").unwrap();
        fs::write(&other, "other").unwrap();
        let rights = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(rights(&file), rights(&other));
    }

    #[test]
    fn a_file_that_cannot_be_replaced_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("taken")).unwrap();
        assert!(replace(&folder.path().join("taken"), b"new").is_err());
        assert_eq!(names(folder.path()), ["taken"]);
        assert!(replace(&folder.path().join("none/file"), b"new").is_err());
    }
}

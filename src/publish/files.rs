//! The published tree as static files, for any web server.
//!
//! A file is replaced whole or not at all, and touched only when its bytes differ. Only files that we wrote are ever
//! removed: they are listed in [`MANIFEST`].

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use crate::publish::Representation;

/// The file in the published folder that lists what we wrote there, a relative path a line.
const MANIFEST: &str = ".veille";

/// What a run of [`write`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that are new or have new bytes.
    pub changed: usize,
    /// Files that were right already.
    pub unchanged: usize,
    /// Files of documents that are published no more.
    pub removed: usize,
}

/// Why the published files are not up to date.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`", path.display())]
pub struct FilesError {
    /// What was tried.
    pub action: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub cause: io::Error,
}

impl FilesError {
    /// Returns the way out, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self.cause.kind() {
            io::ErrorKind::PermissionDenied => {
                "let the user that veille runs as write there, or set `publish.directory` to a folder that it may write"
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                "set `publish.directory` to a folder that may be written; under systemd that is one of `StateDirectory`"
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space on that disk",
            io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory | io::ErrorKind::AlreadyExists => {
                "something else is in the way: move it, or set `publish.directory` to another folder"
            }
            _ => "check `publish.directory`",
        }
    }
}

/// Puts documents into `directory`, which is made if need be, and removes ours that are published no more.
///
/// Two processes may call it at once: the second waits for the first. A crash leaves each file whole, old or new.
///
/// # Errors
///
/// The first file or folder that cannot be read or written; what was put in place before it stays.
pub fn write(directory: &Path, representations: &[Representation]) -> Result<Written, FilesError> {
    fs::create_dir_all(directory).map_err(failed("make", directory))?;
    let folder = File::open(directory).map_err(failed("open", directory))?;
    folder.lock().map_err(failed("lock", directory))?;

    let ours = manifest(directory);
    let wanted: BTreeSet<String> = representations.iter().map(|document| file_name(&document.path)).collect();
    // Listed before it exists: a crash in between must not leave a file that nobody removes.
    list(directory, &ours.union(&wanted).cloned().collect())?;
    let mut written = Written::default();
    for document in representations {
        if put(directory, &file_name(&document.path), &document.bytes)? {
            written.changed += 1;
        } else {
            written.unchanged += 1;
        }
    }
    for name in ours.difference(&wanted) {
        written.removed += usize::from(remove(directory, name)?);
    }
    list(directory, &wanted)?;
    Ok(written)
}

/// The file of a path of the site: `/` is `index.html`.
fn file_name(path: &str) -> String {
    let name = path.trim_start_matches('/');
    if name.is_empty() || name.ends_with('/') { format!("{name}index.html") } else { name.to_owned() }
}

/// What we wrote before. A list that cannot be read lists nothing, so that nothing is removed by mistake.
fn manifest(directory: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(directory.join(MANIFEST)).unwrap_or_default();
    text.lines().filter(|name| is_inside(name)).map(str::to_owned).collect()
}

fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

fn list(directory: &Path, names: &BTreeSet<String>) -> Result<(), FilesError> {
    let text: String = names.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
    put(directory, MANIFEST, text.as_bytes()).map(|_| ())
}

/// Replaces a file in one step; says whether it was touched.
fn put(directory: &Path, name: &str, bytes: &[u8]) -> Result<bool, FilesError> {
    let path = directory.join(name);
    if fs::read(&path).is_ok_and(|before| before == bytes) {
        return Ok(false);
    }
    let folder = path.parent().unwrap_or(directory);
    fs::create_dir_all(folder).map_err(failed("make", folder))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(path.file_name().unwrap_or_default());
    hidden.push(".new");
    let temporary = folder.join(hidden);
    let mut file = File::create(&temporary).map_err(failed("write", &temporary))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", &temporary))?;
    fs::rename(&temporary, &path).map_err(failed("replace", &path))?;
    sync(folder)?;
    Ok(true)
}

/// Removes a file and the folders that it leaves empty; says whether it was there.
fn remove(directory: &Path, name: &str) -> Result<bool, FilesError> {
    let path = directory.join(name);
    match fs::remove_file(&path) {
        Ok(()) => {}
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(failed("remove", &path)(cause)),
    }
    let inner = path.ancestors().skip(1).take_while(|folder| *folder != directory);
    for folder in inner {
        // A folder that holds something else stays; so do those above it.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(true)
}

fn sync(folder: &Path) -> Result<(), FilesError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FilesError {
    move |cause| FilesError { action, path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests;

//! The published tree as static files, for any web server; compressed ones stand beside them.
//!
//! A file is replaced whole or not at all, and touched only when its bytes differ. Only files that we wrote are ever
//! removed: they are listed in [`MANIFEST`], which also says what each volume of an archive was made from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use crate::feed::Timestamp;
use crate::publish::{Encoding, Format, Representation};

/// The file in the published folder that lists what we wrote there, a relative path a line; after it, apart by tabs,
/// the basis and the hash of a document that has a basis.
const MANIFEST: &str = ".veille";

/// A document that lies in the published folder, as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Where it is found below the site's address.
    pub path: String,
    /// What it is written in.
    pub format: Format,
    /// What it was made from.
    pub basis: String,
    /// Hash of its bytes.
    pub hash: String,
    /// When the file was written.
    pub modified: Timestamp,
    /// The file.
    pub file: PathBuf,
    /// The files beside it, smallest first.
    pub compressed: Vec<(Encoding, PathBuf)>,
}

/// The published folder while it is brought up to date; no other process does so meanwhile.
#[derive(Debug)]
pub struct Folder {
    directory: PathBuf,
    /// Locked until the end.
    _lock: File,
    /// What we wrote before.
    ours: Listed,
    /// What the manifest lists now.
    listed: Listed,
    /// What is to be there at the end.
    wanted: Listed,
    /// Folders with new names in them.
    unsynced: BTreeSet<PathBuf>,
    written: Written,
}

/// Names of files; with basis and hash where the document has them.
type Listed = BTreeMap<String, Option<(String, String)>>;

/// What was done in the published folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Documents that are new or have new bytes.
    pub changed: usize,
    /// Documents that were right already.
    pub unchanged: usize,
    /// Documents that are published no more.
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

impl Folder {
    /// Opens `directory`, which is made if need be, for documents at `paths`; waits for another process that has it open.
    ///
    /// A crash at any time leaves each file whole, old or new.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, locked, or written in.
    pub fn open<'a>(directory: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<Self, FilesError> {
        fs::create_dir_all(directory).map_err(failed("make", directory))?;
        let lock = File::open(directory).map_err(failed("open", directory))?;
        lock.lock().map_err(failed("lock", directory))?;
        let ours = manifest(directory);
        let mut folder = Self {
            directory: directory.to_owned(),
            _lock: lock,
            listed: ours.clone(),
            ours,
            wanted: Listed::new(),
            unsynced: BTreeSet::new(),
            written: Written::default(),
        };
        let names: Vec<String> = paths.into_iter().map(file_name).collect();
        if names.iter().any(|name| !folder.ours.contains_key(name)) {
            let beside = names.iter().flat_map(|name| Encoding::ALL.map(|encoding| beside(name, encoding)));
            let all: Vec<String> = beside.flatten().chain(names.iter().cloned()).collect();
            folder.intend(all)?;
        }
        Ok(folder)
    }

    /// Returns the document at `path` if it lies there, made from `basis` (from anything, if that is `None`); it stays.
    pub fn keep(&mut self, path: &str, basis: Option<&str>) -> Option<Filed> {
        let name = file_name(path);
        let filed = self
            .filed(path, self.ours.get(&name)?.clone()?)
            .filter(|filed| basis.is_none_or(|basis| filed.basis == basis))?;
        self.want(&name, Some((filed.basis.clone(), filed.hash.clone())), &filed.compressed);
        self.written.unchanged += 1;
        Some(filed)
    }

    /// Puts a document in its place; returns what lies there now if it has a basis.
    ///
    /// # Errors
    ///
    /// The first file or folder that cannot be read or written; what was put in place before it stays.
    pub fn put(&mut self, document: &Representation) -> Result<Option<Filed>, FilesError> {
        let name = file_name(&document.path);
        let basis = document.basis.clone().map(|basis| (basis, document.hash.clone()));
        let path = self.directory.join(&name);
        if fs::read(&path).is_ok_and(|before| before == document.bytes) {
            self.written.unchanged += 1;
        } else {
            let beside_it = document.compressed().iter().filter_map(|(encoding, _)| beside(&name, *encoding));
            self.intend(beside_it.chain([name.clone()]).collect())?;
            for (encoding, body) in document.compressed() {
                // Before the document itself: a crash in between leaves a document that differs, and is put again.
                if let Some(beside) = beside(&name, *encoding) {
                    self.replace(&beside, body)?;
                }
            }
            self.replace(&name, &document.bytes)?;
            self.written.changed += 1;
        }
        let compressed = self.compressed(&name);
        self.want(&name, basis.clone(), &compressed);
        Ok(basis.and_then(|basis| self.filed(&document.path, basis)))
    }

    /// Removes what is published no more.
    ///
    /// # Errors
    ///
    /// The first file or folder that cannot be removed or written.
    pub fn finish(mut self) -> Result<Written, FilesError> {
        let gone: Vec<String> = self.ours.keys().filter(|name| !self.wanted.contains_key(*name)).cloned().collect();
        for name in gone {
            let is_document = !Encoding::ALL
                .iter()
                .any(|encoding| encoding.extension().is_some_and(|extension| name.ends_with(&format!(".{extension}"))));
            self.written.removed += usize::from(remove(&self.directory, &name)? && is_document);
        }
        for folder in &self.unsynced {
            // One that is gone again was removed with all that was in it.
            File::open(folder).map_or(Ok(()), |folder| folder.sync_all()).map_err(failed("sync", folder))?;
        }
        let wanted = std::mem::take(&mut self.wanted);
        self.list(wanted)?;
        Ok(self.written)
    }

    /// Lists names before they exist: a crash in between must not leave a file that nobody removes.
    fn intend(&mut self, names: Vec<String>) -> Result<(), FilesError> {
        let mut all = self.listed.clone();
        for name in names {
            all.entry(name).or_default();
        }
        self.list(all)
    }

    fn want(&mut self, name: &str, basis: Option<(String, String)>, compressed: &[(Encoding, PathBuf)]) {
        for (encoding, _) in compressed {
            self.wanted.extend(beside(name, *encoding).map(|beside| (beside, None)));
        }
        self.wanted.insert(name.to_owned(), basis);
    }

    fn filed(&self, path: &str, (basis, hash): (String, String)) -> Option<Filed> {
        let name = file_name(path);
        let file = self.directory.join(&name);
        let modified = file.metadata().ok()?.modified().ok()?.into();
        let format = if path.ends_with('/') { Format::Page } else { Format::Atom };
        Some(Filed { path: path.to_owned(), format, basis, hash, modified, file, compressed: self.compressed(&name) })
    }

    /// The files that stand beside a document, smallest first: none is there for one that is too small.
    fn compressed(&self, name: &str) -> Vec<(Encoding, PathBuf)> {
        let plain = self.directory.join(name).metadata().map_or(0, |file| file.len());
        let mut found: Vec<(u64, Encoding, PathBuf)> = Encoding::ALL
            .into_iter()
            .filter_map(|encoding| {
                let file = self.directory.join(beside(name, encoding)?);
                let length = file.metadata().ok()?.len();
                Some((length, encoding, file))
            })
            .filter(|(length, ..)| *length < plain)
            .collect();
        found.sort_by_key(|(length, ..)| *length);
        found.into_iter().map(|(_, encoding, file)| (encoding, file)).collect()
    }

    fn list(&mut self, names: Listed) -> Result<(), FilesError> {
        if self.listed == names && self.directory.join(MANIFEST).exists() {
            return Ok(());
        }
        let mut text = String::new();
        for (name, basis) in &names {
            text.push_str(name);
            if let Some((basis, hash)) = basis {
                text.extend(["\t", basis, "\t", hash]);
            }
            text.push('\n');
        }
        self.listed = names;
        self.replace(MANIFEST, text.as_bytes())?;
        sync(&self.directory)
    }

    /// Replaces a file in one step.
    fn replace(&mut self, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
        let path = self.directory.join(name);
        let folder = path.parent().unwrap_or(&self.directory);
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(path.file_name().unwrap_or_default());
        hidden.push(".new");
        let temporary = folder.join(hidden);
        let mut file = File::create(&temporary).map_err(failed("write", &temporary))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", &temporary))?;
        fs::rename(&temporary, &path).map_err(failed("replace", &path))?;
        self.unsynced.insert(folder.to_owned());
        Ok(())
    }
}

/// The file of a path of the site: `/` is `index.html`.
fn file_name(path: &str) -> String {
    let name = path.trim_start_matches('/');
    if name.is_empty() || name.ends_with('/') { format!("{name}index.html") } else { name.to_owned() }
}

/// The file of a document in another coding, if files have it.
fn beside(name: &str, encoding: Encoding) -> Option<String> {
    encoding.extension().map(|extension| format!("{name}.{extension}"))
}

/// What we wrote before. A list that cannot be read lists nothing, so that nothing is removed by mistake.
fn manifest(directory: &Path) -> Listed {
    let text = fs::read_to_string(directory.join(MANIFEST)).unwrap_or_default();
    let listed = text.lines().map(|line| {
        let mut parts = line.split('\t').map(str::to_owned);
        let name = parts.next().unwrap_or_default();
        (name, parts.next().zip(parts.next()))
    });
    listed.filter(|(name, _)| is_inside(name)).collect()
}

fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
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

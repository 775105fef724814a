//! The published tree as static files, for any web server; compressed ones stand beside them.
//!
//! A file is replaced whole or not at all, and touched only when its bytes differ. Only files that we wrote are ever
//! removed: they are listed in the [`manifest`], which also says what each was made from. The compressed files are a part
//! of their document: they are put with it, before it, and go with it.

mod manifest;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::feed::Timestamp;
use crate::publish::{Encoding, Format, Representation};
use manifest::{Listed, Noted};

pub use manifest::Stamp;

/// A document that lies in the published folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Where it is found below the site's address.
    pub path: String,
    /// What it is written in.
    pub format: Format,
    /// Hash of its bytes.
    pub hash: String,
    /// When its file was written.
    pub modified: Timestamp,
    /// Its file.
    pub plain: Placed,
    /// The files beside it, smallest first.
    pub compressed: Vec<(Encoding, Placed)>,
}

/// A file as it was when it was put in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Where.
    pub file: PathBuf,
    /// What it was known by: another process may put something else in its place.
    pub stamp: Stamp,
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
    /// What went wrong first. One file that cannot be written keeps no other from being.
    trouble: Option<FilesError>,
}

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
    /// When the folder cannot be made, opened or locked.
    pub fn open<'a>(directory: &Path, paths: impl IntoIterator<Item = &'a str>) -> Result<Self, FilesError> {
        fs::create_dir_all(directory).map_err(failed("make", directory))?;
        let lock = File::open(directory).map_err(failed("open", directory))?;
        lock.lock().map_err(failed("lock", directory))?;
        let ours = manifest::read(directory);
        let mut folder = Self {
            directory: directory.to_owned(),
            _lock: lock,
            listed: ours.clone(),
            ours,
            wanted: Listed::new(),
            unsynced: BTreeSet::new(),
            written: Written::default(),
            trouble: None,
        };
        folder.sweep();
        let names: Vec<String> = paths.into_iter().map(file_name).collect();
        let new = names.into_iter().filter(|name| !folder.ours.contains_key(name));
        // All at once: the manifest is written once, not for each.
        let all = new.flat_map(|name| beside(&name).into_iter().map(|(_, beside)| beside).chain([name])).collect();
        let intended = folder.intend(all);
        folder.note_trouble(intended);
        Ok(folder)
    }

    /// Returns the document at `path` if it lies there whole, made from `basis`; it stays.
    pub fn keep(&mut self, path: &str, basis: &str) -> Option<Filed> {
        let name = file_name(path);
        let noted = self.ours.get(&name)?.as_ref().filter(|noted| noted.basis == basis)?;
        self.is_whole(&name, &noted.hash).then(|| self.leave(path))?
    }

    /// Returns the document at `path` if it lies there, whatever it was made from; what is there stays.
    pub fn leave(&mut self, path: &str) -> Option<Filed> {
        self.want_listed(&file_name(path));
        let filed = self.filed(path)?;
        self.written.unchanged += 1;
        Some(filed)
    }

    /// Puts a document in its place. `None` if that failed, of which [`Folder::finish`] tells: what was there stays.
    pub fn put(&mut self, document: &Representation) -> Option<Filed> {
        let placed = self.place(document);
        if placed.is_err() {
            self.want_listed(&file_name(&document.path));
        }
        let is_changed = self.note_trouble(placed)?;
        self.written.changed += usize::from(is_changed);
        self.written.unchanged += usize::from(!is_changed);
        Some(Filed { format: document.format, ..self.filed(&document.path)? })
    }

    /// Removes what is published no more.
    ///
    /// # Errors
    ///
    /// The first file or folder that could not be read, written or removed. All others were.
    pub fn finish(mut self) -> Result<Written, FilesError> {
        let gone: Vec<String> = self.ours.keys().filter(|name| !self.wanted.contains_key(*name)).cloned().collect();
        for name in gone {
            let removed = remove(&self.directory, &name);
            if let Some(was_there) = self.note_trouble(removed) {
                self.written.removed += usize::from(was_there && !is_compressed(&name));
            } else {
                // Listed still, so that it is tried again.
                self.wanted.insert(name, None);
            }
        }
        for folder in std::mem::take(&mut self.unsynced) {
            // One that is gone again was removed with all that was in it.
            let synced = File::open(&folder).map_or(Ok(()), |open| open.sync_all()).map_err(failed("sync", &folder));
            self.note_trouble(synced);
        }
        let wanted = std::mem::take(&mut self.wanted);
        let listed = self.list(wanted);
        self.note_trouble(listed);
        self.trouble.map_or(Ok(self.written), Err)
    }

    /// Puts a document in its place if it is not right already; says whether it was not.
    fn place(&mut self, document: &Representation) -> Result<bool, FilesError> {
        let (name, basis) = (file_name(&document.path), document.basis.as_deref().unwrap_or_default());
        if self.holds(&name, &document.bytes) && self.is_whole(&name, &document.hash) {
            self.want_listed(&name);
            self.want(&name, basis, &document.hash)?;
            return Ok(false);
        }
        let in_coding = |encoding| document.compressed().iter().find(|(other, _)| *other == encoding);
        let beside = beside(&name).into_iter().filter_map(|(encoding, beside)| Some((beside, &in_coding(encoding)?.1)));
        // The document comes last: who sees that it has changed finds the others changed.
        let files: Vec<_> = beside.chain([(name.clone(), &document.bytes)]).collect();
        self.intend(files.iter().map(|(name, _)| name.clone()).collect())?;
        let mut is_changed = false;
        for (name, bytes) in files {
            if !self.holds(&name, bytes) {
                self.replace(&name, bytes)?;
                is_changed = true;
            }
            self.want(&name, basis, &document.hash)?;
        }
        Ok(is_changed)
    }

    fn holds(&self, name: &str, bytes: &[u8]) -> bool {
        fs::read(self.directory.join(name)).is_ok_and(|before| before == bytes)
    }

    /// Whether a document and all that was put beside it lie there as they were put. Read by their stamps: to compress
    /// each document anew only to compare would cost more than all the rest of a publication.
    fn is_whole(&self, name: &str, hash: &str) -> bool {
        let beside = beside(name).into_iter().map(|(_, beside)| beside).filter(|beside| self.ours.contains_key(beside));
        beside.chain([name.to_owned()]).all(|name| self.placed(&self.ours, &name, hash).is_some())
    }

    /// Returns a file if it is noted in a list as one of the document with that hash, and lies there as noted.
    fn placed(&self, listed: &Listed, name: &str, hash: &str) -> Option<Placed> {
        let noted = listed.get(name)?.as_ref().filter(|noted| noted.hash == hash)?;
        let file = self.directory.join(name);
        let stamp = Stamp::of(&file.metadata().ok()?);
        (stamp == noted.stamp).then_some(Placed { file, stamp })
    }

    fn filed(&self, path: &str) -> Option<Filed> {
        let name = file_name(path);
        let hash = self.wanted.get(&name)?.as_ref()?.hash.clone();
        let plain = self.placed(&self.wanted, &name, &hash)?;
        let beside = beside(&name).into_iter();
        let mut compressed: Vec<_> =
            beside.filter_map(|(encoding, name)| Some((encoding, self.placed(&self.wanted, &name, &hash)?))).collect();
        compressed.sort_by_key(|(_, placed)| placed.stamp.length);
        let format = if path.ends_with('/') { Format::Page } else { Format::Atom };
        Some(Filed { path: path.to_owned(), format, hash, modified: plain.stamp.modified, plain, compressed })
    }

    /// Removes what a crash left half written; nobody else is writing while the folder is locked.
    fn sweep(&self) {
        for name in self.ours.keys().map(String::as_str).chain([manifest::NAME]) {
            // If it cannot be removed it disturbs nobody.
            let _ = fs::remove_file(temporary(&self.directory.join(name)));
        }
    }

    /// Lists names before they exist: a crash in between must not leave a file that nobody removes.
    fn intend(&mut self, names: Vec<String>) -> Result<(), FilesError> {
        let mut all = self.listed.clone();
        for name in names {
            all.entry(name).or_default();
        }
        self.list(all)
    }

    fn want(&mut self, name: &str, basis: &str, hash: &str) -> Result<(), FilesError> {
        let path = self.directory.join(name);
        let stamp = Stamp::of(&path.metadata().map_err(failed("read", &path))?);
        self.wanted.insert(name.to_owned(), Some(Noted { basis: basis.to_owned(), hash: hash.to_owned(), stamp }));
        Ok(())
    }

    /// Lets a document and what is beside it stay as they are listed.
    fn want_listed(&mut self, name: &str) {
        let names = beside(name).into_iter().map(|(_, beside)| beside).chain([name.to_owned()]);
        self.wanted.extend(
            names
                .filter_map(|name| self.listed.get_key_value(&name))
                .map(|(name, noted)| (name.clone(), noted.clone())),
        );
    }

    fn note_trouble<T>(&mut self, result: Result<T, FilesError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.trouble.get_or_insert(error);
                None
            }
        }
    }

    fn list(&mut self, names: Listed) -> Result<(), FilesError> {
        if self.listed == names && self.directory.join(manifest::NAME).exists() {
            return Ok(());
        }
        self.replace(manifest::NAME, manifest::text(&names).as_bytes())?;
        self.listed = names;
        sync(&self.directory)
    }

    /// Replaces a file in one step.
    fn replace(&mut self, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
        let path = self.directory.join(name);
        let folder = path.parent().unwrap_or(&self.directory);
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
        let temporary = temporary(&path);
        let replaced = write(&temporary, bytes)
            .map_err(failed("write", &temporary))
            .and_then(|()| fs::rename(&temporary, &path).map_err(failed("replace", &path)));
        if replaced.is_err() {
            // On a full disk a half file would take the room of others.
            let _ = fs::remove_file(&temporary);
        }
        self.unsynced.insert(folder.to_owned());
        replaced
    }
}

/// The file of a path of the site: `/` is `index.html`.
fn file_name(path: &str) -> String {
    let name = path.trim_start_matches('/');
    if name.is_empty() || name.ends_with('/') { format!("{name}index.html") } else { name.to_owned() }
}

/// The files that a document may have beside it.
fn beside(name: &str) -> Vec<(Encoding, String)> {
    let extensions = Encoding::ALL.into_iter().filter_map(|encoding| Some((encoding, encoding.extension()?)));
    extensions.map(|(encoding, extension)| (encoding, format!("{name}.{extension}"))).collect()
}

fn is_compressed(name: &str) -> bool {
    let extensions = Encoding::ALL.into_iter().filter_map(Encoding::extension);
    extensions.into_iter().any(|extension| Path::new(name).extension().is_some_and(|end| end == extension))
}

/// Under what name a file is written before it takes its place.
fn temporary(path: &Path) -> PathBuf {
    let mut hidden = OsString::from(".");
    hidden.push(path.file_name().unwrap_or_default());
    hidden.push(".new");
    path.with_file_name(hidden)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
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

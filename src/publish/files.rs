//! The published tree as static files, for any web server; compressed ones stand beside them.
//!
//! A file is replaced whole or not at all, and touched only when its bytes differ. Only files that we wrote are ever
//! removed: they are listed in the `manifest`, which also says what each was made from. The compressed files are a part
//! of their document: they are put with it, before it, and go with it. In a hurry those that take long are left out: they
//! are listed all the same, and put beside their document by the next publication that is in none.
//! Refused: `tempfile`, since unfinished files must have names that the next start finds.

mod manifest;
mod names;
mod spool;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::disk;
use crate::feed::Timestamp;
use crate::publish::archive::Framed;
use crate::publish::compression::{COMPRESSED_FROM_BYTES, compress};
use crate::publish::{Encoding, Format, Representation, hexadecimal};
use manifest::{ListedFiles, MadeByBasis, Noted};
use names::{SPOOL, beside, file_name, is_compressed, site_path, temporary};

pub use manifest::{Made, MonthCount, ShownStory, Stamp, TopicDigest};
pub use spool::Spool;

/// A document that lies in the published folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Its path below the site's address.
    pub path: String,
    /// Its format.
    pub format: Format,
    /// Hash of its bytes.
    pub hash: String,
    /// When its file was written.
    pub modified: Timestamp,
    /// Its file.
    pub plain: Placed,
    /// The files beside it, smallest first.
    pub compressed: Vec<(Encoding, Placed)>,
    /// The place that it is served from.
    pub served: Served,
}

/// The place that a document that lies in a file is served from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// From its file: what may be large and is seldom asked for, as the archive is.
    File,
    /// From memory, in the codings that lie in files.
    Memory,
}

/// A file as it was when it was put in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Where.
    pub file: PathBuf,
    /// Its stamp at that time: another process may put something else in its place.
    pub stamp: Stamp,
}

/// The state of files that were put in their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilesFound {
    /// All lie there as they were put.
    Whole,
    /// Somebody else has written one.
    Changed,
    /// One is gone.
    Missing,
}

/// Looks whether files lie as they were put.
#[must_use]
pub fn files_found(placed: &[Placed]) -> FilesFound {
    let stamp = |placed: &Placed| placed.file.metadata().ok().map(|file| Stamp::of(&file) == placed.stamp);
    let mut found = FilesFound::Whole;
    for is_as_put in placed.iter().map(stamp) {
        match is_as_put {
            None => return FilesFound::Missing,
            Some(false) => found = FilesFound::Changed,
            Some(true) => {}
        }
    }
    found
}

impl Placed {
    /// Reads the file; `None` if it is not as it was put.
    pub(super) fn read(&self) -> Option<Vec<u8>> {
        let mut file = File::open(&self.file).ok()?;
        // Asked of the open file: one that is replaced meanwhile stays what it is.
        let is_as_put = Stamp::of(&file.metadata().ok()?) == self.stamp;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        is_as_put.then_some(bytes)
    }
}

/// The published folder while it is brought up to date; no other process does so meanwhile.
#[derive(Debug)]
pub struct Folder {
    directory: PathBuf,
    /// Locked until the end.
    _lock: File,
    /// Files that we wrote before.
    ours: ListedFiles,
    /// Files that the manifest lists now.
    listed: ListedFiles,
    /// Files that are to be there at the end.
    wanted: ListedFiles,
    /// The contents of documents, by basis.
    groups: MadeByBasis,
    /// Whether some of them are new.
    is_noted: bool,
    /// Whether compressed files that take long are left to a later publication.
    is_hasty: bool,
    /// Folders with new names in them.
    unsynced: BTreeSet<PathBuf>,
    written: Written,
    /// The first failure. A file that cannot be written does not keep others from being written.
    trouble: Option<FilesError>,
}

/// The numbers of documents that an update of the published folder changed, left and removed.
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
    /// The action that failed, a verb.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// The system's error.
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
        disk::make_folders(directory).map_err(failed("make", directory))?;
        let lock = File::open(directory).map_err(failed("open", directory))?;
        lock.lock().map_err(failed("lock", directory))?;
        let (ours, groups) = manifest::read(directory);
        let mut folder = Self {
            directory: directory.to_owned(),
            _lock: lock,
            listed: ours.clone(),
            ours,
            wanted: ListedFiles::new(),
            groups,
            is_noted: false,
            is_hasty: false,
            unsynced: BTreeSet::new(),
            written: Written::default(),
            trouble: None,
        };
        folder.sweep();
        folder.announce(paths);
        Ok(folder)
    }

    /// Notes that documents at further `paths` are to come: all at once, so that the manifest is written once, not for each.
    pub fn announce<'a>(&mut self, paths: impl IntoIterator<Item = &'a str>) {
        let names: Vec<String> = paths.into_iter().map(file_name).collect();
        let new = names.into_iter().filter(|name| !self.ours.contains_key(name));
        let all = new.flat_map(|name| beside(&name).into_iter().map(|(_, beside)| beside).chain([name])).collect();
        let intended = self.intend(all);
        self.note_trouble(intended);
    }

    /// Leaves the compressed files that take long to a later publication.
    #[must_use]
    pub fn hasty(self) -> Self {
        Self { is_hasty: true, ..self }
    }

    /// Returns what the document at `path` was made from when it was put there, as far as it was noted.
    #[must_use]
    pub fn made(&self, path: &str) -> Option<&Made> {
        self.groups.get(&self.ours.get(&file_name(path))?.as_ref()?.basis)
    }

    /// Notes what documents with a basis were made from.
    pub fn note(&mut self, basis: &str, made: Made) {
        self.is_noted = true;
        self.groups.insert(basis.to_owned(), made);
    }

    /// Whether the document at `path` lies there whole, made from `basis`.
    #[must_use]
    pub fn holds(&self, path: &str, basis: &str) -> bool {
        let name = file_name(path);
        let noted = self.ours.get(&name).and_then(Option::as_ref).filter(|noted| noted.basis == basis);
        noted.is_some_and(|noted| self.is_whole(&name, &noted.hash))
    }

    /// Returns the document at `path` if it lies there whole, made from `basis`; it stays, and gets the compressed files
    /// that were left out.
    pub fn keep(&mut self, path: &str, basis: &str) -> Option<Filed> {
        if !self.holds(path, basis) {
            return None;
        }
        let name = file_name(path);
        self.want_listed(&name);
        let completed = self.complete(&name);
        self.note_trouble(completed);
        self.written.unchanged += 1;
        self.filed(path)
    }

    /// Returns the document at `path` if it lies there, whatever its basis; its files stay as they are.
    pub fn leave(&mut self, path: &str) -> Option<Filed> {
        self.want_listed(&file_name(path));
        let filed = self.filed(path)?;
        self.written.unchanged += 1;
        Some(filed)
    }

    /// Puts a document in its place. `None` if that failed, of which [`Folder::finish`] tells: what was there stays.
    pub fn put(&mut self, document: &Representation) -> Option<Filed> {
        let Representation { path, bytes, hash, basis, .. } = document;
        let basis = basis.as_deref().unwrap_or_default();
        let name = file_name(path);
        let placed = if self.is_whole(&name, hash) {
            self.want_again(&name, basis)
        } else {
            self.place(&name, basis, &mut |to| to.write_all(bytes))
        };
        self.count_placed(path, placed)
    }

    /// Makes a place for a part of a document that may be larger than memory. `None` if that failed.
    pub fn spool(&mut self) -> Option<Spool> {
        let path = self.directory.join(SPOOL);
        let spool = Spool::new(&path).map_err(failed("write", &path));
        self.note_trouble(spool)
    }

    /// Notes that a spool could not be written.
    pub fn note_spool(&mut self, error: &io::Error) {
        let cause = io::Error::new(error.kind(), error.to_string());
        let error = failed("write", &self.directory.join(SPOOL))(cause);
        self.trouble.get_or_insert(error);
    }

    /// Puts a document in its place whose stories were written to a spool; as [`Folder::put`].
    pub fn put_framed(&mut self, document: Framed<Spool>, basis: &str) -> Option<Filed> {
        let Framed { path, head, mut body, tail } = document;
        let placed = self.place(&file_name(&path), basis, &mut |to| {
            to.write_all(&head)?;
            body.copy(to)?;
            to.write_all(&tail)
        });
        self.count_placed(&path, placed)
    }

    /// Counts what was placed, and returns it.
    fn count_placed(&mut self, path: &str, placed: Result<bool, FilesError>) -> Option<Filed> {
        if placed.is_err() {
            self.want_listed(&file_name(path));
        }
        let is_changed = self.note_trouble(placed)?;
        self.written.changed += usize::from(is_changed);
        self.written.unchanged += usize::from(!is_changed);
        self.filed(path)
    }

    /// Removes what is published no more.
    ///
    /// # Errors
    ///
    /// The first file or folder that could not be read, written or removed. All others were.
    pub fn finish(mut self) -> Result<Written, FilesError> {
        self.remove_gone();
        self.end()
    }

    /// Ends before all documents were put: what was not reached stays as it is.
    ///
    /// # Errors
    ///
    /// As [`Folder::finish`].
    pub fn stop(mut self) -> Result<Written, FilesError> {
        for (name, noted) in &self.listed {
            self.wanted.entry(name.clone()).or_insert_with(|| noted.clone());
        }
        self.end()
    }

    fn remove_gone(&mut self) {
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
    }

    fn end(mut self) -> Result<Written, FilesError> {
        for folder in std::mem::take(&mut self.unsynced) {
            // One that is gone again was removed with all that was in it.
            let synced = File::open(&folder).map_or(Ok(()), |open| open.sync_all()).map_err(failed("sync", &folder));
            self.note_trouble(synced);
        }
        let wanted = std::mem::take(&mut self.wanted);
        // Not before: the documents of a group that was noted just now are listed under its basis only here.
        manifest::retain(&mut self.groups, &wanted);
        let listed = if self.is_noted { self.write_list(wanted) } else { self.list(wanted) };
        self.note_trouble(listed);
        self.trouble.map_or(Ok(self.written), Err)
    }

    /// Writes a document and what is beside it, and puts in place what is not right already; says whether anything was not.
    fn place(
        &mut self,
        name: &str,
        basis: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<bool, FilesError> {
        let files = beside(name).into_iter().map(|(_, beside)| beside).chain([name.to_owned()]);
        self.intend(files.collect())?;
        let path = self.directory.join(name);
        let new = temporary(&path);
        let placed = self.write(&new, write).and_then(|(hash, length)| {
            if self.is_whole(name, &hash) {
                return self.want_again(name, basis);
            }
            let mut is_changed = false;
            // The document comes last: who sees that it has changed finds the others changed.
            for (encoding, beside) in beside(name) {
                is_changed |= self.pack(&beside, encoding, &new, &hash, length)?;
            }
            is_changed |= self.replace(&new, name)?;
            self.want(name, basis, &hash)?;
            Ok(is_changed)
        });
        // On a full disk a half file would take the room of others.
        let _ = fs::remove_file(&new);
        placed
    }

    /// Puts a compressed file beside a document that lies in `from`, if that makes it smaller; says whether it was not
    /// there. In a hurry one that takes long is only listed, and an older one removed.
    fn pack(
        &mut self,
        name: &str,
        encoding: Encoding,
        from: &Path,
        hash: &str,
        length: u64,
    ) -> Result<bool, FilesError> {
        if length < COMPRESSED_FROM_BYTES as u64 {
            return Ok(false);
        }
        if self.is_hasty && encoding.takes_long() {
            let path = self.directory.join(name);
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(failed("remove", &path)(cause)),
                Ok(()) | Err(_) => {}
            }
            self.wanted.insert(name.to_owned(), None);
            return Ok(false);
        }
        let new = temporary(&self.directory.join(name));
        let mut document = File::open(from).map(BufReader::new).map_err(failed("read", from))?;
        let packed = self.write(&new, &mut |mut to| compress(&mut document, length, &mut to, encoding));
        let settled = packed.and_then(|(_, packed)| {
            if packed >= length {
                return Ok(false);
            }
            let is_changed = self.replace(&new, name)?;
            self.want(name, "", hash)?;
            Ok(is_changed)
        });
        let _ = fs::remove_file(&new);
        settled
    }

    /// Puts the compressed files beside a document that were left out in a hurry.
    fn complete(&mut self, name: &str) -> Result<(), FilesError> {
        let Some(Noted { hash, stamp, .. }) = self.wanted.get(name).cloned().flatten() else { return Ok(()) };
        for (encoding, beside) in beside(name) {
            if !self.is_hasty && self.wanted.get(&beside).is_some_and(Option::is_none) {
                self.wanted.remove(&beside);
                self.pack(&beside, encoding, &self.directory.join(name), &hash, stamp.length)?;
            }
        }
        Ok(())
    }

    /// Writes a file that is to take the place of another; returns the hash of its bytes and their number.
    fn write(
        &self,
        path: &Path,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(String, u64), FilesError> {
        let folder = path.parent().unwrap_or(&self.directory);
        disk::make_folders(folder).map_err(failed("make", folder))?;
        let mut written = || {
            let mut hashing = Hashing { to: BufWriter::new(File::create(path)?), hash: Sha256::new(), length: 0 };
            write(&mut hashing)?;
            hashing.flush()?;
            disk::give(path);
            Ok((hexadecimal(&hashing.hash.finalize()), hashing.length))
        };
        written().map_err(failed("write", path))
    }

    /// Lets a written file take its place, if what is there has other bytes; says whether it had.
    fn replace(&mut self, new: &Path, name: &str) -> Result<bool, FilesError> {
        let path = self.directory.join(name);
        if same_bytes(new, &path).unwrap_or(false) {
            return Ok(false);
        }
        File::open(new).and_then(|file| file.sync_all()).map_err(failed("write", new))?;
        fs::rename(new, &path).map_err(failed("replace", &path))?;
        self.unsynced.insert(path.parent().unwrap_or(&self.directory).to_owned());
        Ok(true)
    }

    /// Whether a document and all that was put beside it lie there as they were put. Read by their stamps: to compress
    /// each document anew only to compare would cost more than all the rest of a publication.
    fn is_whole(&self, name: &str, hash: &str) -> bool {
        let lies = |name: &str| self.placed(&self.ours, name, hash).is_some();
        let mut beside = beside(name).into_iter().map(|(_, beside)| beside);
        let is_right = |beside: String| match self.ours.get(&beside) {
            None => true,
            Some(Some(_)) => lies(&beside),
            // Left out, or about to be put when a crash came.
            Some(None) => !self.directory.join(&beside).exists(),
        };
        lies(name) && beside.all(is_right)
    }

    /// Returns a file if it is noted in a list as one of the document with that hash, and lies there as noted.
    fn placed(&self, listed: &ListedFiles, name: &str, hash: &str) -> Option<Placed> {
        placed(&self.directory, listed, name, hash)
    }

    fn filed(&self, path: &str) -> Option<Filed> {
        filed(&self.directory, &self.wanted, path)
    }

    /// Removes what a crash left half written; nobody else is writing while the folder is locked.
    fn sweep(&self) {
        for name in self.ours.keys().map(String::as_str).chain([manifest::NAME]) {
            // If it cannot be removed it disturbs nobody.
            let _ = fs::remove_file(temporary(&self.directory.join(name)));
        }
        let _ = fs::remove_file(self.directory.join(SPOOL));
    }

    /// Lists names before they exist: a crash in between must not leave a file that nobody removes.
    fn intend(&mut self, names: Vec<String>) -> Result<(), FilesError> {
        // Nearly always: a copy of the list for each of thousands of documents would take most of the time.
        if names.iter().all(|name| self.listed.contains_key(name)) {
            return self.list_if_gone();
        }
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

    /// Lets a document that is right already stay, though it be made from something else now.
    fn want_again(&mut self, name: &str, basis: &str) -> Result<bool, FilesError> {
        self.want_listed(name);
        if let Some(Some(noted)) = self.wanted.get_mut(name) {
            basis.clone_into(&mut noted.basis);
        }
        self.complete(name)?;
        Ok(false)
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

    fn list(&mut self, names: ListedFiles) -> Result<(), FilesError> {
        if self.listed == names { self.list_if_gone() } else { self.write_list(names) }
    }

    /// Writes the list again if somebody has removed it.
    fn list_if_gone(&mut self) -> Result<(), FilesError> {
        if self.directory.join(manifest::NAME).exists() {
            return Ok(());
        }
        self.write_list(self.listed.clone())
    }

    fn write_list(&mut self, names: ListedFiles) -> Result<(), FilesError> {
        let text = manifest::manifest_text(&names, &self.groups);
        let new = temporary(&self.directory.join(manifest::NAME));
        let replaced = self.write(&new, &mut |to| to.write_all(text.as_bytes()));
        let replaced = replaced.and_then(|_| self.replace(&new, manifest::NAME));
        let _ = fs::remove_file(&new);
        replaced?;
        self.listed = names;
        sync(&self.directory)
    }
}

/// Tells whether documents were published into a folder.
#[must_use]
pub fn is_published(directory: &Path) -> bool {
    !manifest::read(directory).0.is_empty()
}

/// Returns the documents that lie in a folder as they were put, whatever became of the store that they came from.
#[must_use]
pub fn published_documents(directory: &Path) -> Vec<Filed> {
    let (listed, _) = manifest::read(directory);
    let documents = listed.keys().filter(|name| !is_compressed(name));
    documents.filter_map(|name| filed(directory, &listed, &site_path(name))).collect()
}

/// Returns a file if it is noted in a list as one of the document with that hash, and lies there as noted.
fn placed(directory: &Path, listed: &ListedFiles, name: &str, hash: &str) -> Option<Placed> {
    let noted = listed.get(name)?.as_ref().filter(|noted| noted.hash == hash)?;
    let file = directory.join(name);
    let stamp = Stamp::of(&file.metadata().ok()?);
    (stamp == noted.stamp).then_some(Placed { file, stamp })
}

/// Returns the document at a path of the site, with what is beside it, if it lies there as listed.
fn filed(directory: &Path, listed: &ListedFiles, path: &str) -> Option<Filed> {
    let name = file_name(path);
    let hash = listed.get(&name)?.as_ref()?.hash.clone();
    let plain = placed(directory, listed, &name, &hash)?;
    let beside = beside(&name).into_iter();
    let mut compressed: Vec<_> =
        beside.filter_map(|(encoding, name)| Some((encoding, placed(directory, listed, &name, &hash)?))).collect();
    compressed.sort_by_key(|(_, placed)| placed.stamp.length);
    let (path, format, modified) = (path.to_owned(), Format::of(path), plain.stamp.modified);
    Some(Filed { path, format, hash, modified, plain, compressed, served: Served::File })
}

/// Counts and hashes what is written.
struct Hashing {
    to: BufWriter<File>,
    hash: Sha256,
    length: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.to.write(bytes)?;
        self.hash.update(bytes.get(..length).unwrap_or_default());
        self.length += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Compares two files without reading either into memory.
fn same_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(other));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let both = left.len().min(right.len());
        if both == 0 {
            return Ok(left.len() == right.len());
        }
        if left.get(..both) != right.get(..both) {
            return Ok(false);
        }
        one.consume(both);
        other.consume(both);
    }
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

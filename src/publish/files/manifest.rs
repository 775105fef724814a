//! The list of what we wrote into a published folder: only what it names is ever removed or taken for right.
//!
//! A file a line, its relative path first. A file that was put in its place whole is noted: apart by tabs follow what its
//! document was made from, the hash of the document, when the file was written, and its length. What is not noted may be
//! anything: it was about to be written when a crash came.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

use chrono::{DateTime, SecondsFormat};

use crate::feed::Timestamp;

/// The file's name.
pub(super) const NAME: &str = ".veille";

/// Relative paths of files.
pub(super) type Listed = BTreeMap<String, Option<Noted>>;

/// A file that was put in its place whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Noted {
    /// What its document was made from; empty if nobody asks, and for compressed files.
    pub(super) basis: String,
    /// Hash of its document: for a compressed file, of what it unpacks to.
    pub(super) hash: String,
    /// The file.
    pub(super) stamp: Stamp,
}

/// By what a file is known again without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// When it was written.
    pub modified: Timestamp,
    /// Its length in bytes.
    pub length: u64,
}

impl Stamp {
    /// Returns the stamp of a file.
    #[must_use]
    pub fn of(file: &Metadata) -> Self {
        // A date that no calendar holds is as good as any other: it only has to be the same the next time.
        let nanoseconds = u32::try_from(file.mtime_nsec()).unwrap_or_default();
        Self { modified: DateTime::from_timestamp(file.mtime(), nanoseconds).unwrap_or_default(), length: file.len() }
    }
}

/// Reads the list of a folder. One that cannot be read lists nothing, so that nothing is removed by mistake.
pub(super) fn read(directory: &Path) -> Listed {
    let text = fs::read_to_string(directory.join(NAME)).unwrap_or_default();
    let listed = text.lines().map(|line| {
        let (name, noted) = line.split_once('\t').unwrap_or((line, ""));
        (name.to_owned(), note(noted))
    });
    listed.filter(|(name, _)| is_inside(name)).collect()
}

fn note(text: &str) -> Option<Noted> {
    let mut parts = text.split('\t');
    let (basis, hash) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let stamp = Stamp { modified: parts.next()?.parse().ok()?, length: parts.next()?.parse().ok()? };
    Some(Noted { basis, hash, stamp })
}

/// Writes a list down.
pub(super) fn text(listed: &Listed) -> String {
    let lines = listed.iter().map(|(name, noted)| match noted {
        None => format!("{name}\n"),
        Some(Noted { basis, hash, stamp: Stamp { modified, length } }) => {
            let modified = modified.to_rfc3339_opts(SecondsFormat::Nanos, true);
            format!("{name}\t{basis}\t{hash}\t{modified}\t{length}\n")
        }
    });
    lines.collect()
}

fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

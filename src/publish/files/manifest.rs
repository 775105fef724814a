//! The list of what we wrote into a published folder: only what it names is ever removed or taken for right.
//!
//! A file a line, its relative path first. A file that was put in its place whole is noted: apart by tabs follow the basis
//! of its document, the hash of the document, when the file was written, and its length. A file that is not noted may
//! hold anything: it was about to be written when a crash came.
//!
//! A line that begins with a tab tells of all documents with one basis: the basis, how many stories they show, how many
//! tombstones, the ids of the sources that they cite, and, of a topic, its counts and the stories of its page as JSON.
//! Older versions pass over parts that they do not know.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

use crate::feed::Timestamp;
use crate::story::{Month, StoryTally};

/// The file's name.
pub(super) const NAME: &str = ".veille";

/// Relative paths of files.
pub(super) type ListedFiles = BTreeMap<String, Option<Noted>>;

/// The contents of the documents with one basis, so that it can be told whether they would be the same today.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// Number of stories that they show.
    pub stories: usize,
    /// Number of their tombstones.
    pub gone: usize,
    /// The ids of the sources that they cite, in order.
    pub cited: Vec<String>,
    /// The digest that other pages take from a topic without asking the store again.
    pub digest: TopicDigest,
}

/// The facts of a topic that the pages of the site and of sources show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicDigest {
    /// Its stories by month, oldest first.
    pub counts: Vec<MonthCount>,
    /// The stories of its main document, newest first.
    pub shown: Vec<ShownStory>,
}

/// The stories of a month, as they were counted under a stamp of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthCount {
    /// The month.
    pub month: Month,
    /// While the month has this stamp, the counts are right.
    pub stamp: i64,
    /// The counts; of a month that is long over, without its sources.
    pub tally: StoryTally,
}

/// A story that a topic shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownStory {
    /// Its number.
    pub number: i64,
    /// When readers see it, in seconds since 1970.
    pub placed: i64,
    /// A hash of all that is shown of it.
    pub hash: String,
    /// The ids of the sources that told it.
    pub sources: Vec<String>,
}

/// The contents of documents, by basis.
pub(super) type MadeByBasis = BTreeMap<String, Made>;

/// A file that was put in its place whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Noted {
    /// The basis of its document; empty if it has none, and for compressed files.
    pub(super) basis: String,
    /// Hash of its document: for a compressed file, of what it unpacks to.
    pub(super) hash: String,
    /// The file.
    pub(super) stamp: Stamp,
}

/// The date and length by which a file is known again without reading it.
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
pub(super) fn read(directory: &Path) -> (ListedFiles, MadeByBasis) {
    let text = fs::read_to_string(directory.join(NAME)).unwrap_or_default();
    let (mut listed, mut groups) = (ListedFiles::new(), MadeByBasis::new());
    for line in text.lines() {
        let (name, rest) = line.split_once('\t').unwrap_or((line, ""));
        if name.is_empty() {
            groups.extend(group(rest));
        } else if is_inside(name) {
            listed.insert(name.to_owned(), note(rest));
        }
    }
    (listed, groups)
}

fn group(text: &str) -> Option<(String, Made)> {
    let mut parts = text.split('\t');
    let basis = parts.next()?.to_owned();
    let (stories, gone) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let cited = parts.next()?.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let digest = parts.next().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    Some((basis, Made { stories, gone, cited, digest }))
}

fn note(text: &str) -> Option<Noted> {
    let mut parts = text.split('\t');
    let (basis, hash) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let stamp = Stamp { modified: parts.next()?.parse().ok()?, length: parts.next()?.parse().ok()? };
    Some(Noted { basis, hash, stamp })
}

/// Writes a list down, with the groups that its files belong to.
pub(super) fn manifest_text(listed: &ListedFiles, groups: &MadeByBasis) -> String {
    let mut text = String::new();
    for (name, noted) in listed {
        text.push_str(name);
        if let Some(Noted { basis, hash, stamp: Stamp { modified, length } }) = noted {
            let modified = modified.to_rfc3339_opts(SecondsFormat::Nanos, true);
            text.push_str(&format!("\t{basis}\t{hash}\t{modified}\t{length}"));
        }
        text.push('\n');
    }
    for (basis, Made { stories, gone, cited, digest }) in groups {
        text.push_str(&format!("\t{basis}\t{stories}\t{gone}\t{}", cited.join(" ")));
        if *digest != TopicDigest::default()
            && let Ok(json) = serde_json::to_string(digest)
        {
            text.push_str(&format!("\t{json}"));
        }
        text.push('\n');
    }
    text
}

/// Forgets the groups that no file of a list belongs to.
pub(super) fn retain(groups: &mut MadeByBasis, listed: &ListedFiles) {
    let bases: BTreeSet<&str> = listed.values().flatten().map(|noted| noted.basis.as_str()).collect();
    groups.retain(|basis, _| bases.contains(basis.as_str()));
}

fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

//! Files of entries labelled by hand: JSON lines, which `veille test` reads and `veille label` writes.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::replace::replace;
use super::{Failure, judged, output};
use crate::config::Config;
use crate::feed::{Category, Entry};
use crate::story::Plain;
use crate::tag;
use crate::text::{count, html_to_text};
use crate::topic::{Fields, Judgement, Label, Matcher, Weighed};

/// Largest file that is read. Ten thousand entries take some 50 MB.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// Faults of a file that are told one by one.
const FAULTS_MAX: usize = 20;

/// About the topic.
pub(super) const ABOUT: u8 = 2;
/// Mentions it: neither right nor wrong in it.
pub(super) const MENTIONS: u8 = 1;
/// Not about it.
pub(super) const NOT: u8 = 0;

/// An entry and what it is about. A topic that is not in `labels` counts as [`NOT`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Labelled {
    pub(super) id: String,
    pub(super) title: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) content: Option<String>,
    pub(super) categories: Option<Vec<String>>,
    pub(super) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<String>,
    /// The story that it tells, by any name: lines of one story are told as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) story: Option<String>,
    pub(super) labels: BTreeMap<String, u8>,
    /// Other keys of the line; kept.
    #[serde(flatten)]
    more: serde_json::Map<String, serde_json::Value>,
}

impl Labelled {
    /// Takes a stored entry, not labelled yet, with the name of its story.
    pub(super) fn new(id: &str, entry: &Entry, source_id: &str, story: Option<String>) -> Self {
        let name = |category: &Category| category.label.clone().unwrap_or_else(|| category.term.clone());
        Self {
            id: id.to_owned(),
            title: entry.title.clone(),
            summary: entry.summary.clone(),
            content: entry.content.clone(),
            categories: Some(entry.categories.iter().map(name).collect()),
            source: Some(source_id.to_owned()),
            language: entry.language.clone(),
            story,
            labels: BTreeMap::new(),
            more: serde_json::Map::new(),
        }
    }

    /// The topics that the rules put it in.
    pub(super) fn judged(&self, config: &Config, matcher: &Matcher) -> Vec<Label> {
        judged::labels_under(config, matcher, &self.entry(), self.source.as_deref().unwrap_or_default())
    }

    /// Returns its judgement in every topic.
    pub(super) fn explained(&self, config: &Config, matcher: &Matcher) -> Vec<Judgement> {
        judged::judgements_under(config, matcher, &self.entry(), self.source.as_deref().unwrap_or_default())
    }

    /// Returns it as every topic weighs it.
    pub(super) fn weighed(&self, config: &Config, matcher: &Matcher) -> Vec<Weighed> {
        judged::weighed_under(config, matcher, &self.entry(), self.source.as_deref().unwrap_or_default())
    }

    /// The fields that rules look at in it.
    pub(super) fn fields(&self, config: &Config) -> Fields {
        let (entry, source_id) = (self.entry(), self.source.as_deref().unwrap_or_default());
        let source = config.sources.iter().find(|source| source.id == source_id);
        tag::fields(&entry, &Plain::of(&entry), source_id, source)
    }

    /// Whether it has neither a title nor a text.
    pub(super) fn is_blank(&self) -> bool {
        let texts = [&self.title, &self.summary, &self.content];
        texts.into_iter().flatten().all(|html| html_to_text(html).trim().is_empty())
    }

    fn entry(&self) -> Entry {
        let tags = self.categories.iter().flatten();
        Entry {
            title: self.title.clone(),
            summary: self.summary.clone(),
            content: self.content.clone(),
            language: self.language.clone(),
            categories: tags.map(|tag| Category { term: tag.clone(), ..Category::default() }).collect(),
            ..Entry::default()
        }
    }
}

/// A line that cannot be read.
#[derive(Debug)]
pub(super) struct LineFault {
    /// From 1.
    line: usize,
    message: String,
}

/// The content of a file.
#[derive(Debug, Default)]
pub(super) struct LabelledFile {
    /// Each id once; of several lines the last label of a topic counts.
    pub(super) entries: Vec<Labelled>,
    pub(super) faults: Vec<LineFault>,
}

/// Reads a file of labelled entries as far as it goes.
pub(super) fn read_labelled(path: &Path) -> Result<LabelledFile, Failure> {
    let mut bytes = Vec::new();
    let cannot_read = |error: std::io::Error| anyhow::anyhow!("cannot read `{}`: {error}", path.display());
    let file = File::open(path).map_err(cannot_read)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(cannot_read)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(anyhow::anyhow!("`{}` is larger than 512 MiB", path.display()).into());
    }
    let mut file = LabelledFile::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (line, bytes) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match read_line(bytes) {
            Ok(labelled) => {
                let known = places.get(&labelled.id).and_then(|place| file.entries.get_mut(*place));
                if let Some(known) = known {
                    known.labels.extend(labelled.labels);
                } else {
                    places.insert(labelled.id.clone(), file.entries.len());
                    file.entries.push(labelled);
                }
            }
            Err(message) => file.faults.push(LineFault { line: line + 1, message }),
        }
    }
    Ok(file)
}

fn read_line(bytes: &[u8]) -> Result<Labelled, String> {
    let labelled: Labelled = serde_json::from_slice(bytes).map_err(|error| {
        // The line that serde counts is always the first.
        error.to_string().replace(" at line 1 column ", " at column ")
    })?;
    match labelled.labels.iter().find(|(_, label)| **label > ABOUT) {
        Some((topic, label)) => Err(format!("label {label} of `{topic}` must be 2 (about it), 1 (mentions it) or 0")),
        None => Ok(labelled),
    }
}

impl LabelledFile {
    /// The faults, one a line: `set.jsonl:12: …`.
    pub(super) fn faults_for_people(&self, path: &Path) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        for fault in self.faults.iter().take(FAULTS_MAX) {
            let _ = writeln!(text, "{}:{}: {}", path.display(), fault.line, fault.message);
        }
        if self.faults.len() > FAULTS_MAX {
            let _ = writeln!(text, "… and {} more", self.faults.len() - FAULTS_MAX);
        }
        text
    }
}

/// The stories that entries tell, in the order of their first entries. An entry that names no story tells its own.
pub(super) fn labelled_stories(entries: &[Labelled]) -> Vec<Vec<&Labelled>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut stories: Vec<Vec<&Labelled>> = Vec::new();
    for entry in entries {
        let place = *places.entry(entry.story.as_deref().unwrap_or(&entry.id)).or_insert(stories.len());
        match stories.get_mut(place) {
            Some(story) => story.push(entry),
            None => stories.push(vec![entry]),
        }
    }
    stories
}

/// Returns the label of a story in a topic: that of the entry which is most about it.
pub(super) fn label_of(story: &[&Labelled], topic: &str) -> u8 {
    story.iter().map(|entry| entry.labels.get(topic).copied().unwrap_or(NOT)).max().unwrap_or(NOT)
}

/// Reads a file of labelled entries; one with a line that cannot be read is refused, since figures of a part would mislead.
pub(super) fn read_whole(path: &Path) -> Result<Vec<Labelled>, Failure> {
    let file = read_labelled(path)?;
    if file.faults.is_empty() {
        return Ok(file.entries);
    }
    output::error(&file.faults_for_people(path));
    let faults = count(file.faults.len(), "line");
    Err(anyhow::anyhow!("{faults} cannot be read, so nothing was tested: mend the file").into())
}

/// Writes the whole file anew, so that an interruption loses nothing.
pub(super) fn write(path: &Path, entries: &[Labelled]) -> Result<(), Failure> {
    let mut text = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut text, entry)?;
        text.push(b'\n');
    }
    replace(path, &text).map_err(|error| anyhow::anyhow!("cannot write `{}`: {error}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> LabelledFile {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.jsonl");
        std::fs::write(&path, text).unwrap();
        read_labelled(&path).unwrap()
    }

    #[test]
    fn lines_that_cannot_be_read_are_told_by_number() {
        let file = check("{\"id\": \"a\", \"labels\": {}}\n\n{\"id\": \n{\"id\": \"b\", \"labels\": {\"t\": 3}}\n");
        assert_eq!(file.entries.len(), 1);
        assert_eq!(
            file.faults_for_people(Path::new("set.jsonl")),
            "set.jsonl:3: EOF while parsing a value at column 7\n\
             set.jsonl:4: label 3 of `t` must be 2 (about it), 1 (mentions it) or 0\n"
        );
    }

    #[test]
    fn lines_of_one_entry_are_one() {
        let file =
            check("{\"id\": \"a\", \"labels\": {\"t\": 2}}\n{\"id\": \"a\", \"labels\": {\"t\": 0, \"u\": 1}}\n");
        assert_eq!(file.entries.len(), 1);
        assert_eq!(file.entries[0].labels, BTreeMap::from([("t".into(), NOT), ("u".into(), MENTIONS)]));
    }

    #[test]
    fn what_else_a_line_holds_is_kept() {
        let file = check("{\"id\": \"a\", \"labels\": {}, \"from\": {\"page\": 3}}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.jsonl");
        write(&path, &file.entries).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("\"from\":{\"page\":3}"));
    }
}

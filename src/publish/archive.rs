//! The archive of a topic (RFC 5005 §4): one volume a month, by the dates of the stories, complete from the first on.
//!
//! A volume is rendered again only when its [basis](super::basis) differs. Once its month is over, that is for corrections
//! only. The main document shows the newest stories whatever their month, so it overlaps with a volume; an id counts once
//! (RFC 5005 §4.2).
//!
//! A month may hold more than fits into memory, so its documents are written story by story: an [`OpenVolume`] takes the
//! stories, and what stands before and after them is made at the end.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, Write};

use crate::publish::channel::Channel;
use crate::publish::item::item;
use crate::publish::{Edition, Format, atom, page};
use crate::story::{Month, Story, Tombstone};
use crate::topic::Topic;

/// One month of a topic's archive.
#[derive(Debug, Clone, Copy)]
pub struct Volume<'a> {
    /// The topic.
    pub topic: &'a Topic,
    /// The month.
    pub month: Month,
    /// The volume before it.
    pub previous: Option<Month>,
    /// The volume after it.
    pub next: Option<Month>,
}

/// A volume that stories are being added to.
#[derive(Debug)]
pub struct OpenVolume<'a, W> {
    edition: &'a Edition<'a>,
    volume: Volume<'a>,
    ids: HashSet<String>,
    cited: BTreeSet<String>,
    facts: atom::Facts,
    /// The stories as Atom.
    entries: W,
    /// The stories as parts of a page.
    articles: W,
    days: page::VolumeDays,
}

/// A document in three parts, of which the middle may be larger than memory.
#[derive(Debug)]
pub struct Framed<W> {
    /// Its path below the site's address.
    pub path: String,
    /// The part before its stories.
    pub head: Vec<u8>,
    /// Its stories, as they were written.
    pub body: W,
    /// The part after them.
    pub tail: Vec<u8>,
}

impl<'a> Volume<'a> {
    /// Returns the volumes of the months from which a topic has stories, given oldest first.
    #[must_use]
    pub fn all(topic: &'a Topic, months: &[Month]) -> Vec<Self> {
        let previous = std::iter::once(None).chain(months.iter().copied().map(Some));
        let next = months.iter().skip(1).copied().map(Some).chain([None]);
        let places = months.iter().zip(previous.zip(next));
        places.map(|(month, (previous, next))| Self { topic, month: *month, previous, next }).collect()
    }

    /// Returns where its documents are found below the site's address.
    #[must_use]
    pub fn paths(&self) -> [String; 2] {
        [Format::Atom, Format::Page].map(|format| path(&self.topic.id, self.month, format))
    }
}

impl<'a, W: Write> OpenVolume<'a, W> {
    /// Begins a volume; its stories are written to `entries` and `articles`.
    #[must_use]
    pub fn new(edition: &'a Edition<'a>, volume: Volume<'a>, entries: W, articles: W) -> Self {
        let (ids, cited, facts) = (HashSet::new(), BTreeSet::new(), atom::Facts::default());
        Self { edition, volume, ids, cited, facts, entries, articles, days: page::VolumeDays::default() }
    }

    /// Adds a story, unless one with its id is there; they are given newest first.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, story: &Story) -> io::Result<()> {
        self.cited.extend(cited(story).map(str::to_owned));
        let item = item(self.edition, self.volume.topic, story);
        if !self.ids.insert(item.id.clone()) {
            return Ok(());
        }
        self.facts.add(&item);
        self.entries.write_all(&atom::part(&item))?;
        self.articles.write_all(self.days.add(self.edition, &self.volume.topic.id, &item).as_bytes())
    }

    /// Returns the ids of the sources that its stories cite.
    #[must_use]
    pub fn cited(&self) -> &BTreeSet<String> {
        &self.cited
    }

    /// Makes the documents. `tombstones` stand for the stories that are gone from the month.
    #[must_use]
    pub fn finish(self, tombstones: &[Tombstone]) -> [Framed<W>; 2] {
        let Self { edition, volume, ids, facts, entries, articles, days, .. } = self;
        let channel = Channel::without_items(edition, volume.topic, &ids, tombstones);
        let atom = atom::volume(&channel, &volume, &facts);
        let page = page::volume(edition, &channel, &volume, &days);
        let framed = |format, (head, tail), body| {
            let path = path(&volume.topic.id, volume.month, format);
            Framed { path, head, body, tail }
        };
        [framed(Format::Atom, atom, entries), framed(Format::Page, page, articles)]
    }
}

/// The sources that the documents of a story name: who told it.
pub(super) fn cited(story: &Story) -> impl Iterator<Item = &str> {
    let tellings = story.tellings.iter().map(|telling| telling.source_id.as_str());
    std::iter::once(story.head.source_id.as_str()).chain(tellings)
}

/// Returns the path of a document of a volume, below the site's address.
pub(super) fn path(topic_id: &str, month: Month, format: Format) -> String {
    match format {
        Format::Atom => format!("/{topic_id}/archive/{month}.atom"),
        _ => format!("/{topic_id}/archive/{month}/"),
    }
}

#[cfg(test)]
mod tests;

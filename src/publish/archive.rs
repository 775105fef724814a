//! The archive of a topic (RFC 5005 §4): one volume a month, by the dates of the stories, complete from the first on.
//!
//! A volume is rendered again only when its *basis* differs: the stamp of its month in the store, what stands before and
//! after it, who publishes. Once its month is over, that is for corrections only. The main document shows the newest
//! stories whatever their month, so it overlaps with a volume; an id counts once (RFC 5005 §4.2).

use sha2::{Digest, Sha256};

use crate::publish::channel::Channel;
use crate::publish::item::{distinct, source};
use crate::publish::{Edition, Format, Representation, atom, page};
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

    /// Returns a hash of all that its documents are made from; `stamp` stands for its stories.
    #[must_use]
    pub fn basis(&self, edition: &Edition<'_>, stamp: i64) -> String {
        let Self { topic, month, previous, next } = self;
        let sources: Vec<_> = edition.sources.keys().map(|id| (id, source(edition, id))).collect();
        let place = (month, previous, next, stamp, edition.settings.entries, edition.settings.related);
        let topic = (&topic.id, &topic.title, &topic.description, topic.threshold);
        let text = format!("{} {:?} {topic:?} {place:?} {sources:?}", env!("CARGO_PKG_VERSION"), edition.site);
        Sha256::digest(text).iter().take(16).fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"))
    }

    /// Renders its documents. `stories` are all of its month, newest first; `tombstones` stand for those that are gone.
    #[must_use]
    pub fn render(
        &self,
        edition: &Edition<'_>,
        stories: &[Story],
        tombstones: &[Tombstone],
        basis: &str,
    ) -> Vec<Representation> {
        let items = distinct(edition, self.topic, stories).collect();
        let channel = Channel::whole(edition, self.topic, items, tombstones);
        let documents = [atom::volume(&channel, self), page::volume(edition, &channel, self)];
        documents.map(|document| Representation { basis: Some(basis.to_owned()), ..document }).into()
    }
}

/// Where a document of a volume is found below the site's address.
pub(super) fn path(topic_id: &str, month: Month, format: Format) -> String {
    match format {
        Format::Atom => format!("/{topic_id}/archive/{month}.atom"),
        _ => format!("/{topic_id}/archive/{month}/"),
    }
}

#[cfg(test)]
mod tests;

//! Who is who: an entry's identity within its source, and the story it tells with others.

use serde::{Deserialize, Serialize};

use crate::feed::{Entry, Timestamp};
use crate::topic::Label;

/// Identity of an entry within its source: a hash of guid/id, else link, else text, each with the title.
///
/// The title is in it because sources exist that give several items one guid or one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey(pub [u8; 16]);

/// Hash of what a person reads (title, text without markup, link): says "changed".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// What is known of an entry before the store is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// Its identity within the source.
    pub key: EntryKey,
    /// Hash of the guid (or the link) alone, by which an entry is found again under another title.
    pub guid_key: Option<EntryKey>,
    /// Whether it has a guid that no other item of its document has, so that the guid alone finds it again.
    pub owns_guid: bool,
    /// What it says.
    pub fingerprint: Fingerprint,
    /// The link with what does not identify the item taken away; `None` if it identifies nothing: a site's root, or a
    /// page that several items of its document share.
    pub canonical_link: Option<String>,
    /// The id under which we publish it, for ever: the source's if an absolute IRI, else a `UUIDv5`.
    pub atom_id: String,
    /// Hashes under which other entries of the same story are looked up. Taken from the entry's `dedup::Subject`, and
    /// only when it is new or changed, for they cost more than all the rest.
    pub clues: Vec<i64>,
}

/// A stored entry of the same source, as far as "new, changed or same" needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its number in the store.
    pub number: i64,
    /// Its key.
    pub key: EntryKey,
    /// Its guid's key.
    pub guid_key: Option<EntryKey>,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
}

/// An entry ready for the store: identified, sanitised, labelled.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Sanitised.
    pub entry: Entry,
    /// Who it is.
    pub identity: Identity,
    /// The topics that it is in.
    pub labels: Vec<Label>,
}

/// A stored entry, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEntry {
    /// Its number in the store.
    pub number: i64,
    /// The source that told it.
    pub source_id: String,
    /// Its identity within the source.
    pub key: EntryKey,
    /// The id under which it is published if it heads a story.
    pub atom_id: String,
    /// The story that it tells.
    pub story: i64,
    /// Its link for comparison; `None` if that identifies nothing.
    pub canonical_link: Option<String>,
    /// When we first saw it.
    pub first_seen: Timestamp,
    /// Our own date of its last significant change, if it had one.
    pub changed: Option<Timestamp>,
    /// What it says.
    pub entry: Entry,
}

/// Why two entries are held to be the same item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sameness {
    /// The same canonical link.
    Link,
    /// The same guid that is unique in the world.
    Guid,
    /// The same title, nothing else to compare.
    Title,
    /// The same or nearly the same title, and text in common.
    TitleText,
    /// The same text.
    Text,
}

/// A story as a topic shows it: one item, told by one source or several.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Its number in the store.
    pub number: i64,
    /// The earliest entry; its `atom_id` is the story's id for ever.
    pub head: StoredEntry,
    /// Summary and content of the entry with the longest content, if that is not the head.
    pub text: Option<(Option<String>, Option<String>)>,
    /// Every entry of the story, the head's first, in the order of arrival.
    pub tellings: Vec<Telling>,
    /// Why it is in the topic: the best label among its entries.
    pub label: Label,
}

/// One source's telling of a story.
#[derive(Debug, Clone, PartialEq)]
pub struct Telling {
    /// The source's id in the config.
    pub source_id: String,
    /// The entry's title there.
    pub title: Option<String>,
    /// The entry's page there.
    pub url: Option<url::Url>,
    /// The publisher's tags there.
    pub categories: Vec<crate::feed::Category>,
    /// The entry's guid there, to tell tellings apart.
    pub atom_id: String,
}

impl Identity {
    /// The keys under which the store is asked for what it knows of the entry.
    pub fn keys(&self) -> impl Iterator<Item = EntryKey> {
        [Some(self.key), self.guid_key].into_iter().flatten()
    }
}

impl StoredEntry {
    /// The entry's date: its publication, else when we first saw it; never later than that.
    #[must_use]
    pub fn date(&self) -> Timestamp {
        self.entry.published.map_or(self.first_seen, |published| published.min(self.first_seen))
    }
}

//! Who is who: an entry's identity within its source, and the story it tells with others.

mod gist;
mod plain;
mod shown;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::feed::{Entry, Timestamp};
use crate::topic::Label;

pub use gist::{Gist, Order, Spot, TellingWord, Terms, WINDOW};
pub use plain::Plain;
pub use shown::{Chosen, Told, ToldEntry, shown};

/// Identity of an entry within its source: a hash of guid/id, else link, else text, each with the title.
///
/// The title is in it because sources exist that give several items one guid or one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey(pub [u8; 16]);

/// Hash of what a person reads (title, text without markup, link): says "changed".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// 1 January 1990: what claims to be older is a clock that was never set (no feed is older than the web).
const OLDEST: Timestamp = match DateTime::from_timestamp(631_152_000, 0) {
    Some(instant) => instant,
    None => DateTime::UNIX_EPOCH,
};

/// An entry that came so long after its date is late: nobody would see it where its date belongs.
pub const LATE_AFTER: TimeDelta = TimeDelta::days(1);

/// Returns the date of an entry: when it was published, else when it was last updated, both as its publisher says, else
/// when we first saw it.
///
/// A date later than our first sight of the entry cannot be right.
#[must_use]
pub fn date(entry: &Entry, first_seen: Timestamp) -> Timestamp {
    claimed(entry.published, entry.updated).map_or(first_seen, |date| date.min(first_seen))
}

/// Returns the date that the publisher gives an entry: when it was published, else when it was last updated.
#[must_use]
pub fn claimed(published: Option<Timestamp>, updated: Option<Timestamp>) -> Option<Timestamp> {
    let is_possible = |date: &Timestamp| *date >= OLDEST;
    published.filter(is_possible).or_else(|| updated.filter(is_possible))
}

/// A month of the calendar, in UTC: the part of a topic's archive that a story belongs to, by the date of its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// In the common era.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
}

impl Month {
    /// Returns the month that an instant is in.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        Self { year: instant.year(), month: instant.month() }
    }

    /// Returns its first instant.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let first = NaiveDate::from_ymd_opt(self.year, self.month, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
        first.map_or(DateTime::UNIX_EPOCH, |first| first.and_utc())
    }

    /// Returns the month after it.
    #[must_use]
    pub fn next(self) -> Self {
        if self.month < 12 {
            Self { month: self.month + 1, ..self }
        } else {
            Self { year: self.year.saturating_add(1), month: 1 }
        }
    }
}

/// `2026-11`
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

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
    /// By what others are found. Taken from the entry's `dedup::Subject`, and only when it is new or changed, for they
    /// cost more than all the rest.
    pub clues: Clues,
}

/// Most entries that a clue taken from a text may have and still say something.
pub const COMMON_CLUE: usize = 16;

/// Ninety days, counted from 1970: clues are kept by the period in which their entry was first seen, so that looks and
/// writes fall on what was written of late, however large the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(pub i64);

impl Period {
    /// That of lasting clues.
    pub const LASTING: Self = Self(0);

    /// Returns the period that an instant is in.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        Self((instant.timestamp().div_euclid(90 * 86_400) + 1).max(Self::LASTING.0 + 1))
    }
}

/// Hashes under which other entries of the same story are looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clues {
    /// Among the entries that were first seen not long ago, of whatever source.
    ///
    /// An odd one is of a link, a guid or a title; an even one is of three words in a row, which say nothing once many
    /// entries have them.
    pub recent: Vec<i64>,
    /// Among the entries of the same source, however old: a site that moves gives old texts new addresses.
    pub lasting: Vec<i64>,
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

/// An entry of a source as far as "withdrawn" needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Listed {
    /// Its number in the store.
    pub number: i64,
    /// Its key.
    pub key: EntryKey,
    /// Its date if its publisher gives one.
    pub date: Option<Timestamp>,
    /// Since when it is suspected to be withdrawn: it left the feed before.
    pub suspected: Option<Timestamp>,
}

/// The time that an entry was listed by its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// Its number in the store.
    pub number: i64,
    /// Its date.
    pub date: Timestamp,
    /// From its first sight.
    pub from: Timestamp,
    /// Until it left; `None` if it is there still.
    pub until: Option<Timestamp>,
}

/// What an entry said before it was edited.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// When it was replaced.
    pub replaced: Timestamp,
    /// Plain text.
    pub title: Option<String>,
    /// Sanitised HTML.
    pub summary: Option<String>,
    /// Sanitised HTML.
    pub content: Option<String>,
    /// The page of the entry.
    pub url: Option<url::Url>,
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
    /// The rules that the labels come from.
    pub rules: Arc<str>,
    /// Its telling words; `None` if they were not looked for, as in an entry that is in no topic.
    pub terms: Option<Terms>,
    /// What comparing with other entries needs of it, so that nothing is parsed again: made and read by `dedup`.
    pub sketch: Vec<u8>,
}

/// A stored entry beside which a new one may belong, as far as deciding needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Peer {
    /// Its number in the store.
    pub number: i64,
    /// The source that told it.
    pub source_id: String,
    /// Its identity within the source.
    pub key: EntryKey,
    /// The number of its story's head; 0 while the store is being rebuilt and it has none.
    pub story: i64,
    /// When the story that it headed became part of an earlier one.
    pub joined: Option<Timestamp>,
    /// When we first saw it.
    pub first_seen: Timestamp,
    /// Its date.
    pub date: Timestamp,
    /// Our own date of its last significant change.
    pub changed: Option<Timestamp>,
    /// When its publisher took it back, if so.
    pub withdrawn: Option<Timestamp>,
    /// Its guid.
    pub id: Option<String>,
    /// Its link for comparison; `None` if that identifies nothing.
    pub canonical_link: Option<String>,
    /// When its publisher says that it was published.
    pub published: Option<Timestamp>,
    /// The topics that it is in.
    pub topics: Vec<String>,
    /// As [`Prepared::sketch`]; `None` in a store that is being rebuilt.
    pub sketch: Option<Vec<u8>>,
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
    /// Whether it has a guid that no other item of its document has.
    pub owns_guid: bool,
    /// When we first saw it.
    pub first_seen: Timestamp,
    /// Its date (see [`date`]) as it was at first: later ones are changes, not other dates.
    pub date: Timestamp,
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

/// For people.
impl fmt::Display for Sameness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "the same link",
            Self::Guid => "the same guid",
            Self::Title => "the same title, and no text to compare",
            Self::TitleText => "the same title and text",
            Self::Text => "the same text",
        })
    }
}

/// What two entries are held to be, whatever they say: by hand, or because they were published as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bond {
    /// The number of one entry: the lower one.
    pub one: i64,
    /// The number of the other.
    pub other: i64,
    /// One story, or never one.
    pub together: bool,
}

impl Bond {
    /// Holds two entries together, or apart.
    #[must_use]
    pub fn new(one: i64, other: i64, together: bool) -> Self {
        Self { one: one.min(other), other: one.max(other), together }
    }
}

/// A story as a topic shows it: one item, told by one source or several.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Its number in the store.
    pub number: i64,
    /// The earliest entry; its `atom_id` is the story's id for ever. If it was withdrawn, id and dates are its own, and
    /// all else is of the first telling that stands.
    pub head: StoredEntry,
    /// Summary and content of the entry with the longest content, if that is not the head.
    pub text: Option<(Option<String>, Option<String>)>,
    /// Every entry of the story that stands, the head's first, in the order of arrival.
    pub tellings: Vec<Telling>,
    /// Why it is in the topic: the best label among its entries.
    pub label: Label,
    /// Earlier news of the topic on the same subject, best first.
    pub related: Vec<Related>,
}

/// An earlier story of the topic that a story is shown with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Its number in the store.
    pub number: i64,
    /// The title of its head.
    pub title: Option<String>,
    /// The page of its head.
    pub url: Option<url::Url>,
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
    /// That link for comparison; `None` if it identifies nothing.
    pub canonical_link: Option<String>,
    /// The publisher's tags there.
    pub categories: Vec<crate::feed::Category>,
    /// The entry's guid there, to tell tellings apart.
    pub atom_id: String,
}

/// A story that a topic showed and shows no more (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The id under which it was published.
    pub atom_id: String,
    /// When it went.
    pub date: Timestamp,
    /// Why it went.
    pub departure: Departure,
}

/// Why a topic shows a story no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Departure {
    /// Everyone who told it has taken it back.
    Withdrawn,
    /// It is told as part of an earlier story, which has this title.
    Joined(Option<String>),
}

impl Identity {
    /// The keys under which the store is asked for what it knows of the entry.
    pub fn keys(&self) -> impl Iterator<Item = EntryKey> {
        [Some(self.key), self.guid_key].into_iter().flatten()
    }
}

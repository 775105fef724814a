//! Words about entries and stories: identity, dates, stored forms, stories and tombstones.

mod gist;
mod plain;
mod shown;
mod tally;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::feed::{Entry, Timestamp};
use crate::topic::Label;

pub use gist::{Gist, Order, Spot, TellingWord, TellingWords, WINDOW};
pub use plain::Plain;
pub use shown::{Chosen, Told, ToldEntry, shown};
pub use tally::{SourceTally, StoryTally, day_of};

/// Identity of an entry within its source: a hash of its guid, else its link or first file, else its text, each with the
/// title.
///
/// The title is part of it because some sources give several entries one guid or one link. Entries that share the title,
/// too, are told apart by their texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey(pub [u8; 16]);

/// Hash of what a reader sees (title, text without markup, link): says "changed".
///
/// Counts of comments are left out: a poll that brings only a new count writes nothing, and moves no reader's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// 1 January 1990, before the first feed: an older date comes from a clock that was never set.
const OLDEST: Timestamp = match DateTime::from_timestamp(631_152_000, 0) {
    Some(instant) => instant,
    None => DateTime::UNIX_EPOCH,
};

/// An entry that comes this long after its date is late: readers would not see it at the place of its date.
pub const LATE_AFTER: TimeDelta = TimeDelta::days(1);

/// The date of an entry: published, else updated, as its publisher says, else our first sight of it.
///
/// A date later than our first sight cannot be right.
#[must_use]
pub fn date(entry: &Entry, first_seen: Timestamp) -> Timestamp {
    claimed(entry.published, entry.updated).map_or(first_seen, |date| date.min(first_seen))
}

/// The date that the publisher gives: published, else updated; none before 1990.
#[must_use]
pub fn claimed(published: Option<Timestamp>, updated: Option<Timestamp>) -> Option<Timestamp> {
    let is_possible = |date: &Timestamp| *date >= OLDEST;
    published.filter(is_possible).or_else(|| updated.filter(is_possible))
}

/// A month of the calendar, in UTC. Stories are archived by the month of their head's date.
///
/// Refused: months in `poll.timezone`. Another setting would move stories between volumes that subscribers hold to be
/// final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// An entry's identity, known from its document alone.
///
/// ```
/// use veille::dedup::{Decision, recognise, identify};
/// use veille::feed::Entry;
/// use veille::story::Known;
///
/// let entry = Entry { id: Some("42".into()), title: Some("Une école".into()), ..Entry::default() };
/// let (_, identity) = identify("education", "rss20", vec![entry]).remove(0);
/// assert_eq!(recognise(&identity, &[]), Decision::New);
///
/// let known = Known { number: 7, key: identity.key, guid_key: identity.guid_key, fingerprint: identity.fingerprint };
/// assert_eq!(recognise(&identity, &[known]), Decision::Same(7));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// Guid, else link, else text, with the title.
    pub key: EntryKey,
    /// Hash of the guid (or the link) alone, by which an entry is found again under another title.
    pub guid_key: Option<EntryKey>,
    /// Whether no other entry of its document has its guid, so that the guid alone finds it again.
    pub owns_guid: bool,
    /// Hash of its title, texts and link.
    pub fingerprint: Fingerprint,
    /// The link without its non-identifying parts; `None` for a site's root or a page that several entries of the
    /// document share.
    pub canonical_link: Option<String>,
    /// The id under which we publish it, for ever: the source's if it is an absolute IRI, else a `UUIDv5`.
    pub atom_id: String,
    /// The hashes by which others are found. Only a new or changed entry has them: they cost more than the rest.
    pub clues: Clues,
}

/// Most entries that a clue leads to: a phrase that more entries have is one of the trade, and no clue; of a link that more
/// have, so many are taken.
pub const COMMON_CLUE: usize = 16;

/// A span of ninety days, counted from 1970. Clues are kept by the period in which their entry was first seen: so reads
/// and writes fall on recent pages, however large the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(pub i64);

impl Period {
    /// The period of lasting clues.
    pub const LASTING: Self = Self(0);

    /// Returns the period that an instant is in.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        Self((instant.timestamp().div_euclid(90 * 86_400) + 1).max(Self::LASTING.0 + 1))
    }
}

/// Hashes under which other entries of the same story are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clues {
    /// Looked up among recent entries of all sources. Odd hashes are of a link, guid or title; even ones of three words
    /// in a row, which say nothing once many entries have them.
    pub recent: Vec<i64>,
    /// Looked up among all entries of the same source: a site that moves gives old texts new addresses.
    pub lasting: Vec<i64>,
}

/// A stored entry of the same source, as `dedup::recognise` needs it.
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

/// An entry that its source lists, or that is missed; see `dedup/lifecycle/withdrawal.rs`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Listed {
    /// Its number in the store.
    pub number: i64,
    /// Its key.
    pub key: EntryKey,
    /// Its date, if its publisher gives one.
    pub date: Option<Timestamp>,
    /// Since when it is missed; `None` while it is listed.
    pub missed_since: Option<Timestamp>,
}

/// The span in which a source listed an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedSpan {
    /// Its number in the store.
    pub number: i64,
    /// Its date.
    pub date: Timestamp,
    /// Its first sight.
    pub from: Timestamp,
    /// When it left; `None` while it is listed.
    pub until: Option<Timestamp>,
}

/// The text of an entry before an edit.
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

/// An entry ready for the store: identified, sanitised, labelled, sketched.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Sanitised.
    pub entry: Entry,
    /// Its identity.
    pub identity: Identity,
    /// The topics that it is in.
    pub labels: Vec<Label>,
    /// The rules of the labels.
    pub rules: Arc<str>,
    /// Its telling words; `None` for an entry in no topic.
    pub telling_words: Option<TellingWords>,
    /// The bytes for comparison, made and read by `dedup`: no text is parsed again for that.
    pub sketch: Vec<u8>,
}

/// A stored entry, as a decision on stories needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Peer {
    /// Its number in the store.
    pub number: i64,
    /// Its source.
    pub source_id: String,
    /// Its identity within the source.
    pub key: EntryKey,
    /// The number of its story's head; 0 if it has none while the store is being rebuilt.
    pub story: i64,
    /// When the story that it headed was merged into an earlier one.
    pub joined: Option<Timestamp>,
    /// When we first saw it.
    pub first_seen: Timestamp,
    /// Its date.
    pub date: Timestamp,
    /// Our own date of its last significant change.
    pub changed: Option<Timestamp>,
    /// When its publisher withdrew it.
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
    /// Its source.
    pub source_id: String,
    /// Its identity within the source.
    pub key: EntryKey,
    /// The id under which it is published if it heads a story.
    pub atom_id: String,
    /// Its story, by the number of the head.
    pub story: i64,
    /// Its link for comparison; `None` if that identifies nothing.
    pub canonical_link: Option<String>,
    /// Whether it has a guid that no other entry of its document has.
    pub owns_guid: bool,
    /// When we first saw it.
    pub first_seen: Timestamp,
    /// Its date (see [`date`]). A corrected publication date replaces it; an update does not.
    pub date: Timestamp,
    /// Our own date of its last significant change, if it had one.
    pub changed: Option<Timestamp>,
    /// Its content.
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

/// A fixed relation of two entries, whatever they say: set by hand, or kept because they were published as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bond {
    /// The number of one entry: the lower one.
    pub one: i64,
    /// The number of the other.
    pub other: i64,
    /// `true` for one story, `false` for never one.
    pub together: bool,
}

impl Bond {
    /// Binds two entries together, or apart.
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
    /// The earliest entry; its `atom_id` is the story's id for ever. If it is withdrawn, only id and dates are its own:
    /// the rest is of the first entry that stands.
    pub head: StoredEntry,
    /// Summary and content of the entry with the longest content, if that is not the head.
    pub text: Option<(Option<String>, Option<String>)>,
    /// The entries that stand, the head's first, in the order of arrival.
    pub tellings: Vec<Telling>,
    /// The best label among its entries: why it is in the topic.
    pub label: Label,
    /// Related news, best first.
    pub related: Vec<Related>,
    /// When readers see it: its date, or its arrival if it came late.
    pub placed: Timestamp,
}

/// A story shown as related news of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Its number in the store.
    pub number: i64,
    /// The title of its head.
    pub title: Option<String>,
    /// The page of its head.
    pub url: Option<url::Url>,
}

/// One entry of a story, as the story shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Telling {
    /// Its source's id in the config.
    pub source_id: String,
    /// Its title.
    pub title: Option<String>,
    /// Its page.
    pub url: Option<url::Url>,
    /// Its canonical link; `None` if that identifies nothing.
    pub canonical_link: Option<String>,
    /// Its publisher's tags.
    pub categories: Vec<crate::feed::Category>,
    /// Its Atom id, which tells tellings apart.
    pub atom_id: String,
}

/// A story that a topic showed and shows no more (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The id under which it was published.
    pub atom_id: String,
    /// When it was shown last.
    pub date: Timestamp,
    /// Why it is shown no more.
    pub reason: TombstoneReason,
}

/// Why a topic shows a story no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TombstoneReason {
    /// All its entries are withdrawn.
    Withdrawn,
    /// It was merged into an earlier story, which has this title.
    Joined(Option<String>),
}

impl Identity {
    /// The keys under which the store is asked for the entry.
    pub fn keys(&self) -> impl Iterator<Item = EntryKey> {
        [Some(self.key), self.guid_key].into_iter().flatten()
    }
}

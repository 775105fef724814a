//! The content of a feed (RFC 4287 §4.1), in the types that every stage passes on.
//!
//! Plain data, no behaviour beyond reading it. No crate of any one format shows here.

use chrono::{DateTime, TimeDelta, Utc, Weekday};
use serde::{Deserialize, Serialize};
use url::Url;

/// An instant, to the second, in UTC.
pub type Timestamp = DateTime<Utc>;

/// One document of a source, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Feed {
    /// The dialect: `rss20`, `rss10`, `rss091`, `atom10`, `atom03`, `json11`, …
    pub format: String,
    /// Plain text.
    pub title: Option<String>,
    /// The site that the feed belongs to (`link rel="alternate"`, RSS `<link>`).
    pub url: Option<Url>,
    /// The address that the feed gives itself (`link rel="self"`).
    pub self_url: Option<Url>,
    /// The feed's own id (RFC 4287 §4.2.6), if it has one.
    pub id: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    /// A BCP 47 tag as the publisher wrote it.
    pub language: Option<String>,
    /// When the publisher says that the feed last changed.
    pub updated: Option<Timestamp>,
    /// The software that made it.
    pub generator: Option<String>,
    /// Its copyright and terms of use, plain text.
    pub rights: Option<String>,
    /// Its authors, unless an entry names its own.
    pub authors: Vec<Person>,
    /// `WebSub` hubs that announce it (`link rel="hub"`).
    pub hubs: Vec<Url>,
    /// The publisher's wishes on how often it is polled.
    pub rhythm: Rhythm,
    /// In document order.
    pub entries: Vec<Entry>,
    /// The document's defects, and our repairs.
    pub defects: Vec<Defect>,
}

/// A document's wishes on how often it is read (RSS 2.0 `ttl`, `skipHours`, `skipDays`; RSS 1.0 `sy:*`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rhythm {
    /// RSS `ttl`: how long the document may be cached.
    #[serde(with = "seconds")]
    pub ttl: Option<TimeDelta>,
    /// `sy:updatePeriod` divided by `sy:updateFrequency`.
    #[serde(with = "seconds")]
    pub update_period: Option<TimeDelta>,
    /// Hours of the day in GMT, 0 to 23, in which it must not be polled.
    pub skip_hours: Vec<u8>,
    /// Days of the week in GMT on which it must not be polled.
    pub skip_days: Vec<Weekday>,
}

/// One item of a feed, as its publisher wrote it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// `atom:id` or `guid`, trimmed; never invented.
    pub id: Option<String>,
    /// The page of the entry, absolute.
    pub url: Option<Url>,
    /// Plain text on one line.
    pub title: Option<String>,
    /// HTML; as the publisher wrote it until `parse::sanitise` has run over it.
    pub summary: Option<String>,
    /// HTML, as `summary`.
    pub content: Option<String>,
    /// The base of relative links in `summary` and `content` (`xml:base`, else the entry's or the feed's page).
    pub base: Option<Url>,
    /// First publication. Never a copy of `updated`.
    pub published: Option<Timestamp>,
    /// Last significant change. Never a copy of `published`.
    pub updated: Option<Timestamp>,
    /// The entry's own, else the feed's.
    pub authors: Vec<Person>,
    /// The publisher's tags.
    pub categories: Vec<Category>,
    /// Files that come with it.
    pub enclosures: Vec<Enclosure>,
    /// Its picture: the one that the publisher gives it, else the first of its text.
    pub image: Option<Image>,
    /// A BCP 47 tag: the entry's own, else the feed's.
    pub language: Option<String>,
    /// Plain text.
    pub rights: Option<String>,
    /// Readers' comments: they belong to the entry and say nothing about its topic.
    pub comments: Comments,
    /// The feed that this entry was copied from, as the publisher says (RSS `<source>`, `atom:source`).
    pub origin: Option<Origin>,
}

impl Entry {
    /// Tells whether a person reads the same in both: title, texts and link.
    #[must_use]
    pub fn reads_like(&self, other: &Self) -> bool {
        let Self { title, summary, content, url, .. } = self;
        (title, summary, content, url) == (&other.title, &other.summary, &other.content, &other.url)
    }
}

/// A person or body (RFC 4287 §3.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Plain text.
    pub name: Option<String>,
    /// An address, without `mailto:`.
    pub email: Option<String>,
    /// A page about the person.
    pub uri: Option<String>,
}

/// A publisher's tag (RFC 4287 §4.2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// The tag's identifier within its scheme.
    pub term: String,
    /// The list that the tag is from.
    pub scheme: Option<String>,
    /// The tag's text for people, if it is not the term.
    pub label: Option<String>,
}

/// A file that comes with an entry (RSS `<enclosure>`, `link rel="enclosure"`, `media:content`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// Absolute.
    pub url: Url,
    /// A media type.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// In bytes.
    pub length: Option<u64>,
    /// Its title, or the description of a picture. Plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// The picture of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredImage")]
pub struct Image {
    /// Absolute.
    pub url: Url,
    /// Its description, for people who do not see it. Plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
    /// Its width in pixels, as the publisher says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Its height in pixels, as the publisher says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

impl From<Url> for Image {
    /// A picture of which only the address is known.
    fn from(url: Url) -> Self {
        Self { url, alt: None, width: None, height: None }
    }
}

/// A picture as stores hold it: older ones hold the address alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredImage {
    Address(Url),
    Described {
        url: Url,
        #[serde(default)]
        alt: Option<String>,
        #[serde(default)]
        width: Option<u32>,
        #[serde(default)]
        height: Option<u32>,
    },
}

impl From<StoredImage> for Image {
    fn from(stored: StoredImage) -> Self {
        match stored {
            StoredImage::Address(url) => url.into(),
            StoredImage::Described { url, alt, width, height } => Self { url, alt, width, height },
        }
    }
}

/// The readers' comments on an entry (RSS `comments`, `wfw:commentRss`, `slash:comments`, RFC 4685).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comments {
    /// Their page.
    pub url: Option<Url>,
    /// Their feed.
    pub feed: Option<Url>,
    /// Number of comments.
    pub count: Option<u64>,
    /// When the latest came.
    #[serde(default)]
    pub updated: Option<Timestamp>,
}

/// The feed that an entry says it was copied from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Plain text.
    pub title: Option<String>,
    /// Its address.
    pub url: Option<Url>,
}

/// Something wrong in a document, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defect {
    /// A stable word for programs, such as `date_unreadable`.
    pub code: String,
    /// One line for people.
    pub message: String,
}

/// Durations as whole seconds in stored JSON.
mod seconds {
    use chrono::TimeDelta;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "the shape that serde calls")]
    pub(super) fn serialize<S: Serializer>(value: &Option<TimeDelta>, to: S) -> Result<S::Ok, S::Error> {
        value.map(|delta| delta.num_seconds()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TimeDelta>, D::Error> {
        Ok(Option::<i64>::deserialize(from)?.and_then(TimeDelta::try_seconds))
    }
}

//! What the store remembers of a source between polls.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::feed::{Person, Rhythm, Timestamp};

/// What the store remembers of a source (a [`crate::config::Source`] is its settings only).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceState {
    /// The id of the source in the config.
    pub source_id: String,
    /// Validators by the URL that sent them; never sent to another.
    pub validators: Vec<Validators>,
    /// SHA-256 of the last body that was read, so that the same bytes are not read twice.
    pub body_hash: Option<[u8; 32]>,
    /// When it was last asked.
    pub last_poll: Option<Timestamp>,
    /// When it last answered with a feed or "not modified".
    pub last_success: Option<Timestamp>,
    /// When to ask next; `None` before the first poll, and for a retired source.
    pub next_poll: Option<Timestamp>,
    /// Why then.
    pub next_poll_why: String,
    /// Failed polls in a row.
    pub failures: u32,
    /// The last failure, until a success.
    pub last_error: Option<PollFailure>,
    /// 410 Gone: never polled again unless its URL in the config changes.
    pub retired: bool,
    /// The URL of the config when it was last polled; another one forgets what belongs to the old.
    pub url: Option<Url>,
    /// The address adopted after permanent redirects.
    pub moved_to: Option<Url>,
    /// A permanent redirect seen lately, not adopted yet.
    pub redirect: Option<Redirect>,
    /// The feed's own metadata, for `atom:source`.
    pub about: About,
}

/// What a server told us to send back (RFC 9110 §8.8), byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// The URL that sent them.
    pub url: String,
    /// `ETag`.
    pub etag: Option<Vec<u8>>,
    /// `Last-Modified`.
    pub last_modified: Option<Vec<u8>>,
}

/// A permanent redirect under observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// Where the chain ended.
    pub to: Url,
    /// When it was first seen, without another answer since.
    pub since: Timestamp,
    /// How many polls in a row saw it.
    pub polls: u32,
}

/// Why a poll brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollFailure {
    /// A stable word for programs: `timeout`, `dns`, `http_404`, `not_a_feed`, …
    pub code: String,
    /// One line for people, with what can be done.
    pub message: String,
    /// When it happened first in this row of failures.
    pub since: Timestamp,
}

/// The feed-level words of a source, as last read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The feed's own id.
    pub id: Option<String>,
    /// Plain text.
    pub title: Option<String>,
    /// The site.
    pub url: Option<Url>,
    /// Plain text.
    pub description: Option<String>,
    /// A BCP 47 tag.
    pub language: Option<String>,
    /// As the publisher says.
    pub updated: Option<Timestamp>,
    /// Plain text.
    pub rights: Option<String>,
    /// The feed's authors.
    pub authors: Vec<Person>,
    /// The software that made it.
    pub generator: Option<String>,
    /// The dialect it is written in.
    pub format: Option<String>,
    /// How often it asks to be polled.
    pub rhythm: Rhythm,
    /// Defects found when it was last read.
    pub defects: Vec<crate::feed::Defect>,
}

/// How long a server asked us to wait, and in which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// From now.
    pub delay: TimeDelta,
    /// `Retry-After`, `Cache-Control: max-age`, …
    pub why: String,
}

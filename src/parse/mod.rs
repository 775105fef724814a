//! From bytes to a [`Feed`]: whatever a publisher sends, within limits (RSS 0.9x to 2.0, RDF, Atom, JSON Feed).
//!
//! The only home of `feed_rs`, `quick_xml`, `encoding_rs`, `chardetng`, `ammonia` and `mime_guess`. [`read`] is the way in:
//! decode to UTF-8; of XML read a tolerant tree, repair it to one clean Atom document, let `feed_rs` read that; JSON is read by
//! `json`. Nothing here panics or
//! aborts on any input; what was wrong comes back as [`Defect`]s. No network, no clock.

mod article;
mod cdata;
mod dates;
mod decode;
mod discover;
mod entity;
mod html;
mod json;
mod media;
mod opml;
mod page;
mod persons;
mod reader;
mod repair;
mod sanitise;
mod scan;
mod talk;
mod xml;

use std::borrow::Cow;

use chrono_tz::Tz;
use url::Url;

use crate::feed::{Defect, Entry, Feed, Timestamp};
use crate::text::without_footer;

pub use article::{ArticleError, article};
pub use discover::{Candidate, discover};
pub use opml::{OpmlFeed, Outlines, outlines};
pub use page::page;
pub use sanitise::sanitise;

/// Limits on the cost of a document. Anything beyond them is left out and noted, never an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Entries read from one document, the first ones.
    pub entries_max: usize,
    /// Elements read from one document.
    pub elements_max: usize,
    /// Levels of nested elements; deeper ones lose their tags and keep their text.
    pub depth_max: usize,
    /// Bytes of one text or attribute.
    pub text_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries_max: 5000, elements_max: 200_000, depth_max: 100, text_bytes_max: 2 * 1024 * 1024 }
    }
}

/// The reason why no feed could be made out.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// There is nothing but blanks: often an outage of the publisher.
    #[error("document is empty")]
    Empty,
    /// It is something else: the address is wrong, or an error page was sent as if all were well.
    #[error("document is not a feed but {found}")]
    NotAFeed {
        /// The kind of document that it looks like, with an article: `an HTML page titled “Maintenance”`.
        found: String,
    },
    /// It is a feed that no reader of ours can read.
    #[error("feed cannot be read: {reason}")]
    Unreadable {
        /// The error message of the last reader.
        reason: String,
    },
}

impl ParseError {
    /// Returns the stable word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotAFeed { .. } => "not_a_feed",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// Returns what the operator can do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "the site's server is out of order; polled again later",
            Self::NotAFeed { .. } => "the site may be out of order, or the feed elsewhere: `veille add PAGE` finds it",
            Self::Unreadable { .. } => "tell its publisher: a feed validator shows what is wrong",
        }
    }
}

/// The inputs of the reading besides the document.
#[derive(Clone, Copy)]
struct Circumstances<'a> {
    base: Option<&'a Url>,
    zone: Tz,
    now: Timestamp,
    limits: &'a Limits,
}

/// Reads a feed in any dialect.
///
/// `content_type` is the value of the HTTP header, `base` the address that the document came from, `zone` the one that
/// dates without zone are meant in. Summaries and contents stay as the publisher wrote them, unsafe to show: [`sanitise`]
/// the entries that are kept. Synchronous; a few hundred microseconds for an ordinary feed.
///
/// # Errors
///
/// When the document is no feed; a feed with faults, even grave ones, is read as far as it goes.
pub fn read(
    bytes: &[u8],
    content_type: Option<&str>,
    base: Option<&Url>,
    zone: Tz,
    limits: &Limits,
    now: Timestamp,
) -> Result<Feed, ParseError> {
    let circumstances = Circumstances { base, zone, now, limits };
    let (text, defect) = decode::decode(bytes, content_type);
    let text = text.trim_start_matches(|first: char| first.is_whitespace() || first == '\u{FEFF}');
    let mut feed = match text.chars().next() {
        None => return Err(ParseError::Empty),
        // A log line before an XML document can begin as JSON does.
        Some('{' | '[') => {
            json::read(text, circumstances).or_else(|error| read_xml(text, circumstances).map_err(|_| error))?
        }
        Some(_) => read_xml(text, circumstances)?,
    };
    if let Some(message) = defect {
        feed.defects.insert(0, Defect { code: "encoding".to_owned(), message });
    }
    feed.entries.iter_mut().for_each(take_footer_out);
    Ok(feed)
}

/// Takes out of the texts of an entry what another veille has appended to them.
fn take_footer_out(entry: &mut Entry) {
    for text in [&mut entry.summary, &mut entry.content] {
        if let Some(Cow::Owned(shorter)) = text.as_deref().map(without_footer) {
            *text = Some(shorter).filter(|text| !text.trim().is_empty());
        }
    }
}

fn read_xml(text: &str, circumstances: Circumstances<'_>) -> Result<Feed, ParseError> {
    let tree = xml::read(text, circumstances.limits);
    let Some(root) = scan::feed_root(&tree.top) else {
        return Err(ParseError::NotAFeed { found: scan::describe_document(text, &tree.top) });
    };
    let repaired = repair::repair(root, circumstances);
    let mut feed = reader::read(repaired)?;
    let found = tree.defects.into_iter().map(|(code, message)| Defect { code: code.to_owned(), message });
    feed.defects.splice(0..0, found);
    Ok(feed)
}

#[cfg(test)]
mod tests;

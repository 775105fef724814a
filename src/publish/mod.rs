//! Rendering and files: from the stories of each topic to bytes that readers, browsers and web servers can trust.
//!
//! Pure but for [`files`]: no clock, no network, no store. The same [`Edition`] gives the same bytes.

mod atom;
mod dates;
pub mod files;
mod item;
mod legal;
mod tree;
#[cfg(test)]
mod world;

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use url::Url;

use crate::config::{PublishSettings, Site};
use crate::feed::Timestamp;
use crate::state::About;
use crate::story::Story;
use crate::topic::Topic;

pub use tree::{Encoded, Encoding, Resource, Tree};

/// All that is published at one moment.
#[derive(Debug, Clone)]
pub struct Edition<'a> {
    /// Who publishes.
    pub site: &'a Site,
    /// How much.
    pub settings: &'a PublishSettings,
    /// The sources of the config by id, and any other that a story names.
    pub sources: &'a BTreeMap<String, Credit>,
    /// In the order of the config.
    pub selections: Vec<Selection<'a>>,
}

/// A topic with its chosen stories.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    /// The topic.
    pub topic: &'a Topic,
    /// In the order in which readers see them: newest first. Those past `publish.entries` are left out.
    pub stories: Vec<Story>,
}

/// What a source is credited with wherever its entries are shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Credit {
    /// The operator's title for it; else the feed's own is shown.
    pub title: Option<String>,
    /// The address of its feed.
    pub url: Url,
    /// What its feed says of itself.
    pub about: About,
}

/// One document in one format, ready to be written or served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representation {
    /// Where it is found below the site's address: `/topic.atom`; a folder's own page ends with `/`.
    pub path: String,
    /// What it is written in.
    pub format: Format,
    /// The document.
    pub bytes: Bytes,
    /// Hash of the bytes, without quotes: what a strong `ETag` is made from.
    pub hash: String,
    /// When its content last changed, as its content says.
    pub modified: Timestamp,
}

impl Representation {
    fn new(path: String, format: Format, bytes: Vec<u8>, modified: Timestamp) -> Self {
        let hash = hex(Sha256::digest(&bytes).iter().take(16));
        Self { path, format, bytes: Bytes::from(bytes), hash, modified }
    }
}

/// What a representation is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Atom 1.0 (RFC 4287).
    Atom,
}

impl Format {
    /// The value of `Content-Type`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml; charset=utf-8",
        }
    }

    /// Whether programs on other sites may read it (CORS).
    #[must_use]
    pub fn is_feed(self) -> bool {
        match self {
            Self::Atom => true,
        }
    }
}

/// Renders every document of an edition.
#[must_use]
pub fn render(edition: &Edition<'_>) -> Vec<Representation> {
    edition.selections.iter().map(|selection| atom::topic(edition, selection)).collect()
}

fn hex<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

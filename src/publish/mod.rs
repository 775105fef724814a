//! Rendering and files: from the stories of each topic to bytes that readers, browsers and web servers can trust.
//!
//! Pure but for [`files`]: no clock, no network, no store. The same [`Edition`] gives the same bytes.

mod atom;
mod channel;
mod dates;
pub mod files;
mod item;
mod json;
mod legal;
mod opml;
mod page;
mod rss;
mod tree;
#[cfg(test)]
mod world;
mod xml;

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use url::Url;

use crate::config::{PublishSettings, Site};
use crate::feed::Timestamp;
use crate::state::About;
use crate::story::Story;
use crate::topic::Topic;
use channel::Channel;

pub use opml::{Subscription, subscriptions};
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
    /// Whether it is in the config and enabled; others are named by old entries only.
    pub is_polled: bool,
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
    /// Makes the representation of a document and hashes it.
    #[must_use]
    pub fn new(path: String, format: Format, bytes: Vec<u8>, modified: Timestamp) -> Self {
        let hash = Sha256::digest(&bytes).iter().take(16).fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
        Self { path, format, bytes: Bytes::from(bytes), hash, modified }
    }
}

/// What a representation is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Atom 1.0 (RFC 4287).
    Atom,
    /// RSS 2.0.
    Rss,
    /// JSON Feed 1.1.
    JsonFeed,
    /// OPML 2.0.
    Opml,
    /// A page for people, HTML.
    Page,
    /// The style sheet of the pages, CSS.
    Style,
}

impl Format {
    /// The value of `Content-Type`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::JsonFeed => "application/feed+json; charset=utf-8",
            Self::Opml => "text/x-opml; charset=utf-8",
            Self::Page => "text/html; charset=utf-8",
            Self::Style => "text/css; charset=utf-8",
        }
    }

    /// Whether programs on other sites may read it (CORS).
    #[must_use]
    pub fn is_feed(self) -> bool {
        match self {
            Self::Atom | Self::Rss | Self::JsonFeed | Self::Opml => true,
            Self::Page | Self::Style => false,
        }
    }
}

/// Renders the list of topics, as `/opml.xml`.
#[must_use]
pub fn topic_list(edition: &Edition<'_>) -> Representation {
    let channels: Vec<_> = edition.selections.iter().map(|selection| Channel::new(edition, selection)).collect();
    opml::topics(edition, &channels)
}

/// Renders every document of an edition.
#[must_use]
pub fn render(edition: &Edition<'_>) -> Vec<Representation> {
    let channels: Vec<_> = edition.selections.iter().map(|selection| Channel::new(edition, selection)).collect();
    let mut documents =
        vec![page::home(edition, &channels), page::style(), opml::topics(edition, &channels), opml::sources(edition)];
    for channel in &channels {
        documents.extend([
            atom::topic(edition, channel),
            rss::topic(edition, channel),
            json::topic(edition, channel),
            page::topic(edition, channel),
        ]);
    }
    documents
}

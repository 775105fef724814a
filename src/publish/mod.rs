//! Rendering and files: from the stories of each topic to bytes that readers, browsers and web servers can trust.
//!
//! Pure but for [`files`]: no clock, no network, no store. The same [`Edition`] gives the same bytes.

pub mod archive;
mod atom;
pub mod basis;
mod channel;
mod compression;
mod dates;
pub mod files;
mod hidden;
mod id;
mod item;
mod json;
mod legal;
mod letter;
#[cfg(test)]
mod newsroom;
mod opml;
mod page;
mod policy;
mod rss;
mod site;
mod tombstone;
mod tree;
mod words;
mod xml;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use url::Url;

use crate::config::{Post, PublishSettings, Site};
use crate::feed::Timestamp;
use crate::outage::Outage;
use crate::state::{About, Announcement, Turn};
use crate::story::{Month, Story, Tombstone};
use crate::topic::Topic;
use channel::Channel;

pub use compression::Encoding;
pub use files::{Made, MonthCount, ShownStory, TopicDigest};
pub use hidden::Hidden;
pub use letter::{letter, notice, trial_mark};
pub use opml::{Subscription, subscriptions};
pub use page::{RIVER_STORIES, SourceYear, abridged, day_in_zone, figures};
pub use policy::base as base_policy;
pub use tree::{Body, Encoded, Resource, Tree};

/// Everything that the documents of a publication have in common, and the topics that the home page lists.
#[derive(Debug, Clone)]
pub struct Edition<'a> {
    /// Addresses and secrets that no document may name.
    pub hidden: Hidden,
    /// The site that is published.
    pub site: &'a Site,
    /// The settings of `[publish]`.
    pub settings: &'a PublishSettings,
    /// The sources of the config by id, and any other that a story names.
    pub sources: &'a BTreeMap<String, Credit>,
    /// In the order of the config.
    pub selections: Vec<Selection<'a>>,
    /// Changes in the health of sources, newest first.
    pub turns: &'a [Turn],
    /// The last announcements to hubs.
    pub hubs: &'a [Announcement],
    /// The problem with the config, if there is one.
    pub config: Option<Turn>,
    /// The things that this machine lacks.
    pub outages: &'a [Outage],
    /// The places to which stories are sent.
    pub posts: &'a [Post],
    /// The day in the site's zone: pages call it "today".
    pub today: NaiveDate,
}

/// A topic with its chosen stories.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    /// The topic.
    pub topic: &'a Topic,
    /// In the order in which readers see them: newest first. Those past `publish.entries` are left out.
    pub stories: Vec<Story>,
    /// The months from which the topic has stories, oldest first.
    pub months: Vec<Month>,
    /// Stories that it showed and shows no more, the latest to go first. Those past `publish.entries` are left out.
    pub tombstones: Vec<Tombstone>,
    /// Its stories by month, counted; oldest first.
    pub counts: Vec<MonthCount>,
}

/// The newest stories of all topics, each once.
#[derive(Debug, Clone, Default)]
pub struct River {
    /// Newest first, each with the ids of its topics in the order of the config.
    pub stories: Vec<(Story, Vec<String>)>,
    /// Number of the stories of the last seven days.
    pub week: u64,
}

/// The credit of a source, shown with each of its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Credit {
    /// The operator's title for it; else the feed's own is shown.
    pub title: Option<String>,
    /// The address of its feed.
    pub url: Url,
    /// The feed's description of itself.
    pub about: Box<About>,
    /// Whether it is in the config and enabled; others are named by old entries only.
    pub is_polled: bool,
    /// The address that it has moved to for good.
    pub moved_to: Option<Url>,
    /// Its health: the last change that was not a move.
    pub health: Option<Turn>,
    /// All its addresses if they are secrets, none otherwise.
    pub hidden: Vec<Url>,
}

impl Credit {
    /// Whether nothing that is published may name its addresses.
    #[must_use]
    pub fn is_private(&self) -> bool {
        !self.hidden.is_empty()
    }
}

/// The name of the config in published documents, whatever its file is called.
const CONFIG: &str = "config.toml";

/// One document in one format, ready to be written or served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representation {
    /// Its path below the site's address: `/topic.atom`; a folder's own page ends with `/`.
    pub path: String,
    /// Its format.
    pub format: Format,
    /// The document.
    pub bytes: Bytes,
    /// Hash of the bytes, without quotes: what a strong `ETag` is made from.
    pub hash: String,
    /// When the file that holds it was written; `None` if there is none.
    pub modified: Option<Timestamp>,
    /// Its basis (see [`basis`]), if it is to be made again only when that differs.
    pub basis: Option<String>,
    compressed: OnceLock<Vec<(Encoding, Bytes)>>,
}

impl Representation {
    /// Makes the representation of a document and hashes it.
    #[must_use]
    pub fn new(path: String, format: Format, bytes: Vec<u8>) -> Self {
        let hash = hexadecimal(&Sha256::digest(&bytes));
        Self { path, format, bytes: Bytes::from(bytes), hash, modified: None, basis: None, compressed: OnceLock::new() }
    }

    /// Returns the codings that make it smaller, smallest first. Made when first asked for.
    pub fn compressed(&self) -> &[(Encoding, Bytes)] {
        self.compressed.get_or_init(|| {
            let bodies = Encoding::ALL.into_iter().filter_map(|encoding| {
                let body = compression::compressed(&self.bytes, encoding)?;
                Some((encoding, Bytes::from(body)))
            });
            let mut bodies: Vec<_> = bodies.collect();
            bodies.sort_by_key(|(_, body)| body.len());
            bodies
        })
    }
}

/// The first half of a hash, as text.
fn hexadecimal(hash: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(hash.get(..16).unwrap_or(hash))
}

/// The format of a representation.
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
    /// A list of our pages for search engines (sitemaps.org).
    Sitemap,
    /// Plain text.
    Text,
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
            Self::Sitemap => "application/xml; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// Returns what the document at a path of ours is written in.
    fn of(path: &str) -> Self {
        match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
            _ if path == "/sitemap.xml" => Self::Sitemap,
            "atom" => Self::Atom,
            "rss" => Self::Rss,
            "json" => Self::JsonFeed,
            "opml" | "xml" => Self::Opml,
            "css" => Self::Style,
            "txt" => Self::Text,
            _ => Self::Page,
        }
    }

    /// Whether programs on other sites may read it (CORS).
    #[must_use]
    pub fn is_feed(self) -> bool {
        match self {
            Self::Atom | Self::Rss | Self::JsonFeed | Self::Opml => true,
            Self::Page | Self::Style | Self::Sitemap | Self::Text => false,
        }
    }
}

/// Renders the list of topics, as `/opml.xml`.
#[must_use]
pub fn topic_list(edition: &Edition<'_>) -> Representation {
    let channels: Vec<_> = edition.selections.iter().map(|selection| Channel::new(edition, selection)).collect();
    opml::topics(edition, &channels)
}

/// Returns where the documents are found that show all topics and sources, in the order of [`site`].
#[must_use]
pub fn site_paths() -> [&'static str; 10] {
    [
        "/",
        "/sources/",
        "/404.html",
        "/503.html",
        "/style.css",
        "/sources.atom",
        "/opml.xml",
        "/sources.opml",
        "/sitemap.xml",
        "/robots.txt",
    ]
}

/// Renders the documents that show all topics and sources.
pub fn site<'a>(edition: &'a Edition<'_>, river: &'a River) -> impl Iterator<Item = Representation> + 'a {
    type SiteMaker = fn(&Edition<'_>, &[Channel], &River) -> Representation;
    let channels = channels(edition);
    let makers: [SiteMaker; 10] = [
        page::home,
        |edition, _, _| page::sources(edition),
        |edition, channels, _| page::not_found(edition, channels),
        |edition, channels, _| page::unavailable(edition, channels),
        |_, _, _| page::style(),
        |edition, _, _| atom::sources(edition),
        |edition, channels, _| opml::topics(edition, channels),
        |edition, _, _| opml::sources(edition),
        |edition, _, _| site::map(edition),
        |edition, _, _| site::robots(edition),
    ];
    makers.into_iter().map(move |make| make(edition, &channels, river))
}

fn channels(edition: &Edition<'_>) -> Vec<Channel> {
    edition.selections.iter().map(|selection| Channel::new(edition, selection)).collect()
}

/// Returns where the page of a source is found.
#[must_use]
pub fn source_path(id: &str) -> String {
    format!("/sources/{id}/")
}

/// Renders the page of a source with its latest stories, newest first, each with the ids of its topics. `None` if nobody
/// knows the source.
#[must_use]
pub fn source_page(
    edition: &Edition<'_>,
    id: &str,
    figures: &SourceYear,
    stories: &[(Story, Vec<String>)],
) -> Option<Representation> {
    let credit = edition.sources.get(id)?;
    Some(page::page_of_source(edition, &channels(edition), (id, credit), figures, stories))
}

/// Returns where the main documents of a topic are found, in the order of [`topic`]: its feeds come first.
#[must_use]
pub fn topic_paths(site: &Site, id: &str) -> [String; 7] {
    let [atom, rss, json, page, opened, archive] =
        ["/{}.atom", "/{}.rss", "/{}.json", "/{}/", "/{}.html", "/{}/archive/"].map(|path| path.replace("{}", id));
    [atom, rss, json, page, opened, archive, page::subscribe_path(site, id)]
}

/// Renders the main documents of a topic.
pub fn topic<'a>(edition: &'a Edition<'_>, selection: &'a Selection<'_>) -> impl Iterator<Item = Representation> + 'a {
    type TopicMaker = fn(&Edition<'_>, &Channel, &Selection<'_>) -> Representation;
    let channel = Channel::new(edition, selection);
    let makers: [TopicMaker; 7] = [
        |edition, channel, _| atom::topic(edition, channel),
        |edition, channel, _| rss::topic(edition, channel),
        |edition, channel, _| json::topic(edition, channel),
        page::topic,
        |edition, channel, _| page::opened_feed(edition, channel),
        page::archive,
        |edition, channel, _| page::subscribe(edition, channel),
    ];
    makers.into_iter().map(move |make| make(edition, &channel, selection))
}

/// Returns where pages say that a topic has another id now.
///
/// A web server that knows nothing of aliases shows them to people. Feed readers are led on by our own server alone.
#[must_use]
pub fn moved_paths(site: &Site, alias: &str) -> [String; 4] {
    let [page, opened, archive] = ["/{}/", "/{}.html", "/{}/archive/"].map(|path| path.replace("{}", alias));
    [page, opened, archive, page::subscribe_path(site, alias)]
}

/// Renders the pages that stand at the former addresses of a topic.
pub fn moved_pages<'a>(
    edition: &'a Edition<'_>,
    topic: &'a Topic,
    alias: &str,
) -> impl Iterator<Item = Representation> + use<'a> {
    moved_paths(edition.site, alias).into_iter().map(move |path| page::moved_page(edition, topic, path))
}

/// Renders every document of an edition but the volumes of the [`archive`].
#[cfg(test)]
fn render(edition: &Edition<'_>) -> Vec<Representation> {
    let stories = edition
        .selections
        .iter()
        .flat_map(|selection| selection.stories.iter().map(|story| (story.clone(), vec![selection.topic.id.clone()])));
    let river = River { stories: stories.collect(), week: 0 };
    let site: Vec<Representation> = site(edition, &river).collect();
    site.into_iter().chain(edition.selections.iter().flat_map(|selection| topic(edition, selection))).collect()
}

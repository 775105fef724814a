//! What the operator and the editor set: `config.toml`, validated whole.
//!
//! [`load`] reports every problem at once, each where it is written ([`Invalid`]); a config that has one is not built.
//! Everything has a default, so an empty file is a config. `keys` lists every key.

mod access;
mod diagnostic;
mod edit;
mod keys;
mod lexicon;
mod nearest;
mod quantity;
mod read;
mod section;
mod settings;
mod sources;
mod topics;
mod tree;

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use ipnet::IpNet;
use url::Url;

use crate::schedule::Schedule;
use crate::topic::Topic;

pub use access::{Access, Auth, Proxy, Secret, proxy_server};
pub use diagnostic::{Diagnostic, Invalid, Report, Severity};
pub use edit::{EditError, NewFeed, with_feeds};
pub use quantity::duration;
pub use read::{load, parse, store_path};
pub use sources::{id_for, is_id};

/// A config that validated. Paths are absolute or relative to the working directory, ready to open.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that it was read from.
    pub path: PathBuf,
    /// `[site]`
    pub site: Site,
    /// `[store]`
    pub store: StoreSettings,
    /// `[poll]`
    pub poll: PollSettings,
    /// `[dedup]`
    pub dedup: DedupSettings,
    /// `[publish]`
    pub publish: PublishSettings,
    /// `[serve]`
    pub serve: ServeSettings,
    /// `[[feed]]`, in file order, ids unique, disabled ones included.
    pub sources: Vec<Source>,
    /// `[[topic]]`, in file order, ids unique.
    pub topics: Vec<Topic>,
    /// Where each topic begins in the file, in bytes; parallel to `topics`.
    pub topic_spans: Vec<Range<usize>>,
    /// What looks like a mistake but is none of ours to refuse.
    pub warnings: Report,
}

/// Who publishes.
#[derive(Debug, Clone)]
pub struct Site {
    /// For people.
    pub title: String,
    /// Public address of what we publish; ends with `/`.
    pub url: Url,
    /// What readers of feeds and pages read.
    pub language: Language,
    /// Goes into our `User-Agent` and the feeds' author: a `mailto:` or `https:` address.
    pub contact: Option<String>,
    /// In which days begin and end for its readers: `poll.timezone`.
    pub zone: Tz,
}

/// A language that the pages ship in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `fr`
    French,
    /// `en`
    English,
}

/// Where entries are kept and how long.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// The database file.
    pub path: PathBuf,
    /// Entries older than this and out of their feed are dropped.
    pub keep: TimeDelta,
}

/// How sources are polled.
#[derive(Debug, Clone)]
pub struct PollSettings {
    /// When, unless the feed has its own.
    pub schedule: Schedule,
    /// Requests at once, 1 to 1,024.
    pub concurrency: usize,
    /// Requests at once to one host, 1 to 64.
    pub per_host: usize,
    /// Between two requests to one host.
    pub host_delay: Duration,
    /// For one request as a whole.
    pub timeout: Duration,
    /// Of one document, after decompression, in bytes.
    pub body_bytes_max: u64,
    /// Entries read from one document.
    pub entries_max: usize,
    /// Pages fetched in one poll of a source with `full_text`, those of its latest entries.
    pub pages_max: usize,
    /// Longest postponement that a server can ask for, `Retry-After` apart.
    pub postpone_max: Duration,
    /// Networks that may be polled though they are not public.
    pub allow_networks: Vec<IpNet>,
    /// Through which proxy, unless the feed has its own.
    pub proxy: Proxy,
}

/// Which entries are one story, and what becomes of stories.
#[derive(Debug, Clone)]
pub struct DedupSettings {
    /// Between two publications of one item, at most.
    pub window: TimeDelta,
    /// Whether titles and texts are compared; else only links and guids.
    pub near_duplicates: bool,
    /// How long an entry must be gone from a feed that still lists its neighbours before it is held to be withdrawn.
    pub withdrawn_after: TimeDelta,
    /// Earlier texts that are kept of an edited entry.
    pub revisions: usize,
}

/// What is written and how much.
#[derive(Debug, Clone)]
pub struct PublishSettings {
    /// The folder of static files.
    pub directory: PathBuf,
    /// Entries in a topic's main document.
    pub entries: usize,
    /// Earlier news on the same subject that a story is shown with, at most 3.
    pub related: usize,
    /// Whether links lose parameters that say how a reader came.
    pub clean_links: bool,
    /// The `WebSub` hubs to notify.
    pub hubs: Vec<Url>,
}

/// Whether and where HTTP is served.
#[derive(Debug, Clone)]
pub struct ServeSettings {
    /// `None`: files only, unless the service manager hands a socket over.
    pub listen: Option<Listen>,
}

/// Where HTTP is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address and a port.
    Tcp(std::net::SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// An upstream feed that we poll: settings only (`[[feed]]` in the config).
#[derive(Debug, Clone)]
pub struct Source {
    /// Unique, `[a-z0-9-]+`.
    pub id: String,
    /// What to poll, as configured.
    pub url: Url,
    /// For people; else the feed's own title is shown.
    pub title: Option<String>,
    /// Its own schedule, or that of `[poll]`.
    pub schedule: Schedule,
    /// Only these topics take its entries; `None` for all.
    pub topics: Option<Vec<String>>,
    /// Tags that the operator gives to all its entries.
    pub tags: Vec<String>,
    /// What its requests carry, and which way they take.
    pub access: Access,
    /// Not polled if false; what is stored stays.
    pub enabled: bool,
    /// Fetch each entry's page and take the article out.
    pub full_text: bool,
    /// Whether its entries may be the same item as another source's.
    pub dedup: bool,
}

#[cfg(test)]
mod tests;

//! `config.toml`, the settings of operator and editor, validated as a whole.
//!
//! [`load`] reports all mistakes at once, each in its place ([`Invalid`]); a config that has one is not built. An empty
//! file is a config, since every table has defaults. `keys` declares every key; a new one is a row there.

mod access;
mod diagnostic;
mod edit;
mod findings;
mod keys;
mod lexicon;
mod nearest;
mod posts;
mod quantity;
mod read;
mod reference;
mod section;
mod slips;
mod sources;
mod stylesheet;
mod table;
mod topics;
mod tree;
mod values;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use crate::topic::Topic;

pub use access::{Proxy, Secret, proxy_server};
pub use diagnostic::{Diagnosis, Diagnostic, Invalid, Severity};
pub use edit::{EditError, NewFeed, with_feeds};
pub use keys::{
    Access, Auth, DedupSettings, PollSettings, PublishSettings, ServeSettings, Site, Source, StoreSettings,
};
pub use posts::{Chat, MailAddress, MailRelay, Post, Target, Visibility};
pub use quantity::read_duration;
pub use read::{load, parse, store_settings, zone};
pub use reference::reference;
pub use sources::{id_for, is_id};
pub use stylesheet::Stylesheet;

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
    /// `aliases` of all topics: each former id with the id that its topic has now. No topic has a former id.
    pub aliases: BTreeMap<String, String>,
    /// Where each topic begins in the file, in bytes; parallel to `topics`.
    pub topic_spans: Vec<Range<usize>>,
    /// `[[post]]`, in file order, ids unique.
    pub posts: Vec<Post>,
    /// Things that look like mistakes, but do not make the config unusable.
    pub warnings: Diagnosis,
}

/// A language that the pages ship in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `fr`
    French,
    /// `en`
    English,
}

/// How pages show the pictures of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownImages {
    /// `none`: not at all.
    Nowhere,
    /// `link`: from the address that the publisher gives them.
    Linked,
}

/// Whose health is shown to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownHealth {
    /// `sources`: that of sources and hubs. The config is the operator's.
    Sources,
    /// `public`: that of the config too.
    All,
}

/// Where HTTP is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address and a port.
    Tcp(std::net::SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

#[cfg(test)]
mod tests;

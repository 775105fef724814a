//! One polite GET (RFC 9110 §9.3.1): from a URL to its document, or "not modified". And one request to the target of a post
//! (`calling`), or a connection to a server of mail (`stream`).
//!
//! The only home of `reqwest`. Each hop of a redirect passes the [`guard`] and waits for its turn at the [`hosts`]
//! gate; validators go to the URL that sent them and secrets to the host that they belong to. Bodies are untrusted:
//! each read has a limit. No cookies, no `Referer`, no proxies from the environment unless the config says so, no parsing,
//! no clock.

pub mod descriptors;
pub mod guard;
pub mod hosts;
pub mod leases;

mod body;
mod calling;
mod client;
mod error;
mod headers;
mod memory;
mod redirect;
mod request;
mod routes;
mod stream;
mod waits;
mod way;

use std::time::Duration;

use bytes::Bytes;
use ipnet::IpNet;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

pub use client::Client;
pub use error::{Endpoint, FetchError, Phase, RedirectFault};
pub use leases::{LeaseUse, Leases};
pub use memory::Share;
pub use request::{Request, file, secret};
pub use routes::{ClientError, Route};

use crate::config::{PollSettings, Proxy, Site};
use crate::feed::Timestamp;
use crate::outage::Reply;
use crate::state::{Validators, Wait};
use crate::websub::HubOffer;

/// Longest time for name resolution, connection and handshake, unless the whole has less.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Longest pause between two pieces of an answer, unless the whole has less.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// A connection is kept this long beyond `host_delay` for the host's next feed.
const KEEP_CONNECTION: Duration = Duration::from_secs(3);

/// Settings of fetches.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The `User-Agent` that tells publishers who we are.
    pub user_agent: String,
    /// Requests at once.
    pub concurrency: usize,
    /// Requests at once to one host.
    pub per_host: usize,
    /// Between two requests to one host.
    pub host_delay: Duration,
    /// For one fetch, redirects included, waiting for turns not.
    pub timeout: Duration,
    /// For name resolution, connection and handshake.
    pub connect_timeout: Duration,
    /// For the pause between two pieces of an answer.
    pub idle_timeout: Duration,
    /// Of one document, after decompression.
    pub body_bytes_max: u64,
    /// Networks that may be fetched from though they are not public.
    pub allow_networks: Vec<IpNet>,
    /// Through which proxy, where no source says otherwise.
    pub proxy: Proxy,
}

impl Settings {
    /// Takes the settings from a config.
    #[must_use]
    pub fn new(site: &Site, poll: &PollSettings) -> Self {
        Self {
            user_agent: headers::user_agent(&site.url, site.contact.as_deref()),
            concurrency: poll.concurrency.min(descriptors::Shares::now().requests),
            per_host: poll.per_host,
            host_delay: poll.host_delay,
            timeout: poll.timeout,
            connect_timeout: CONNECT_MAX.min(poll.timeout),
            idle_timeout: IDLE_MAX.min(poll.timeout),
            body_bytes_max: poll.body_bytes_max,
            allow_networks: poll.allow_networks.clone(),
            proxy: poll.proxy.clone(),
        }
    }
}

/// The result of a fetch.
#[derive(Debug)]
pub struct Fetched {
    /// The document, or that it has not changed.
    pub answer: Answer,
    /// The URL that answered, without user info.
    pub url: Url,
    /// The redirects that led there, in order.
    pub hops: Vec<Hop>,
    /// The validators to store in place of those of the request.
    pub validators: Vec<Validators>,
    /// The waits that the answer asks for.
    pub asks: Vec<Wait>,
    /// The time by the server's clock, if it tells it.
    pub date: Option<Timestamp>,
    /// To be kept while the document is worked on: without it more would be fetched than can be read.
    pub share: Share,
}

impl Fetched {
    /// Returns where the source has moved for good: all redirects were permanent (RFC 9110 §15.4.2, §15.4.9).
    #[must_use]
    pub fn moved(&self) -> Option<&Url> {
        let is_moved = !self.hops.is_empty() && self.hops.iter().all(|hop| redirect::is_permanent(hop.status));
        is_moved.then_some(&self.url)
    }

    /// Tells how doubtful it is that the host of `asked` sent this, should it be no feed: plain http can be answered by
    /// anybody on the way. Such pages have one mark wherever they seem to come from: the host that they lead to, else
    /// their title, else all their bytes.
    #[must_use]
    pub fn doubtful(&self, asked: &Url) -> Option<Reply> {
        let Answer::Document(Document { body, .. }) = &self.answer else { return None };
        let mark = match self.url.host_str() {
            to if to != asked.host_str() => to.unwrap_or_default().to_owned(),
            _ => title(body).unwrap_or_else(|| format!("{:x}", xxh3_64(body))),
        };
        (asked.scheme() == "http").then_some(Reply::Doubtful(mark))
    }
}

/// Where the title of a page is looked for.
const HEAD_BYTES: usize = 16 << 10;

/// Returns the title of a page in HTML, as it is written.
fn title(body: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(body.get(..HEAD_BYTES).unwrap_or(body)).to_ascii_lowercase();
    let (_, rest) = head.split_once("<title")?;
    let (title, _) = rest.split_once('>')?.1.split_once("</title")?;
    Some(title.trim().to_owned()).filter(|title| !title.is_empty())
}

/// Whether there is something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 304: what we have is still valid.
    NotModified,
    /// 200 or 226.
    Document(Document),
}

/// A document as it came, decompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Never longer than the limit.
    pub body: Bytes,
    /// `Content-Type`, charset included, as sent.
    pub content_type: Option<String>,
    /// 226: only what is new since the last answer (RFC 3229 §10.4.1); what is missing was not withdrawn.
    pub is_delta: bool,
    /// The hubs that the headers of the answer name (`Link`).
    pub offer: Option<HubOffer>,
}

/// One redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The URL that redirected us.
    pub url: Url,
    /// Its status code.
    pub status: u16,
}

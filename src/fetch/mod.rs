//! One polite GET (RFC 9110 §9.3.1): from a URL to its document, or "not modified".
//!
//! The only home of `reqwest`. Each hop of a redirect passes the [`guard`] and waits for its turn at the [`hosts`]
//! gate; validators go to the URL that sent them and secrets to the host that they belong to. Bodies are untrusted:
//! each read has a limit. No cookies, no `Referer`, no proxies from the environment, no parsing, no clock.

pub mod guard;
pub mod hosts;

mod client;
mod error;
mod headers;
mod redirect;
mod waits;

use std::time::Duration;

use bytes::Bytes;
use ipnet::IpNet;
use url::Url;

pub use client::{Client, ClientError};
pub use error::{FetchError, Phase, RedirectFault};

use crate::config::{PollSettings, Site};
use crate::state::{Validators, Wait};

/// Longest time for name resolution, connection and handshake, unless the whole has less.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Longest pause between two pieces of an answer, unless the whole has less.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// How to fetch.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who we are, for publishers.
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
    /// Certificates of authorities to trust besides the system's, in PEM.
    pub authorities: Option<Vec<u8>>,
    /// A proxy to send everything through. It resolves the names, so only literal addresses can be refused then.
    pub proxy: Option<Url>,
}

impl Settings {
    /// Takes the settings from a config.
    #[must_use]
    pub fn new(site: &Site, poll: &PollSettings) -> Self {
        Self {
            user_agent: headers::user_agent(&site.url, site.contact.as_deref()),
            concurrency: poll.concurrency,
            per_host: poll.per_host,
            host_delay: poll.host_delay,
            timeout: poll.timeout,
            connect_timeout: CONNECT_MAX.min(poll.timeout),
            idle_timeout: IDLE_MAX.min(poll.timeout),
            body_bytes_max: poll.body_bytes_max,
            allow_networks: poll.allow_networks.clone(),
            authorities: None,
            proxy: None,
        }
    }
}

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to begin: the source's URL, or the address adopted in its place.
    pub url: Url,
    /// The source's URL as configured: `headers` and its user info are sent to its host only.
    pub own: Url,
    /// Request headers of the source.
    pub headers: Vec<(String, String)>,
    /// The validators known of the source, by URL.
    pub validators: Vec<Validators>,
}

impl Request {
    /// Asks for `url` for the first time.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self { own: url.clone(), url, headers: Vec::new(), validators: Vec::new() }
    }
}

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// The document, or that it has not changed.
    pub answer: Answer,
    /// What answered, without user info.
    pub url: Url,
    /// The redirects that led there, in order.
    pub hops: Vec<Hop>,
    /// The validators to store in place of those of the request.
    pub validators: Vec<Validators>,
    /// What the answer asks.
    pub asks: Vec<Wait>,
}

impl Fetched {
    /// Returns where the source has moved for good: all redirects were permanent (RFC 9110 §15.4.2, §15.4.9).
    #[must_use]
    pub fn moved(&self) -> Option<&Url> {
        let is_moved = !self.hops.is_empty() && self.hops.iter().all(|hop| redirect::is_permanent(hop.status));
        is_moved.then_some(&self.url)
    }
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
}

/// One redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// What sent us on.
    pub url: Url,
    /// How.
    pub status: u16,
}

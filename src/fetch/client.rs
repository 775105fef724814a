//! The client: one request after the other until there is an answer, each behind the guard and in its host's turn.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use reqwest::header::{HeaderMap, HeaderValue, LOCATION};
use tokio::time::{Instant, timeout};
use url::Url;

use super::error::{FetchError, Limits, Phase, RedirectFault, host, innermost, shown};
use super::guard::Guard;
use super::hosts::{Gate, Postponed};
use super::{Answer, Document, Fetched, Hop, Request, Settings, headers, redirect, waits};
use crate::feed::Timestamp;
use crate::state::{Validators, Wait};

/// A connection is kept this long beyond `host_delay` for the host's next feed; ten thousand hosts in a round would
/// else leave thousands of open sockets.
const KEEP_CONNECTION: Duration = Duration::from_secs(3);

/// What gzip begins with (RFC 1952 §2.3.1) and no feed does.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Fetches, with one pool of connections and one gate for all.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    guard: Guard,
    gate: Gate,
    limits: Limits,
    timeout: Duration,
    body_bytes_max: u64,
    has_proxy: bool,
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nearly always: the machine has no certificates of authorities.
    #[error(
        "HTTP client cannot start: {why}; https needs the system's certificates of authorities (Debian: `apt install ca-certificates`)"
    )]
    Start {
        /// What the library said.
        why: String,
    },
    /// The proxy's URL or the authorities' file.
    #[error("{what} cannot be used: {why}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// What the library said.
        why: String,
    },
}

/// What came of one request.
enum Step {
    Redirected { hop: Hop, to: Url, asks: Vec<Wait> },
    Answered { answer: Answer, validators: Vec<Validators>, asks: Vec<Wait> },
}

impl Client {
    /// Makes a client.
    ///
    /// # Errors
    /// If the machine has no certificates of authorities, or a setting cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, ClientError> {
        let guard = Guard::new(&settings.allow_networks);
        let limits = Limits { connect: settings.connect_timeout, idle: settings.idle_timeout };
        Ok(Self {
            http: http_client(settings, &guard, limits)?,
            guard,
            gate: Gate::new(settings.concurrency, settings.per_host, settings.host_delay),
            limits,
            timeout: settings.timeout,
            body_bytes_max: settings.body_bytes_max,
            has_proxy: settings.proxy.is_some(),
        })
    }

    /// Returns the gate that all fetches pass, to postpone a host or ask about it.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Fetches `request`, following redirects, each in its host's turn.
    ///
    /// A host that answers 429 or 503 with `Retry-After` is postponed for all its feeds.
    ///
    /// # Errors
    /// Whatever is neither a document nor "not modified": see [`FetchError`].
    ///
    /// # Cancellation
    /// Writes nothing: a dropped fetch leaves no trace but the request that was sent.
    pub async fn fetch(&self, request: &Request, now: Timestamp) -> Result<Fetched, FetchError> {
        let mut url = redirect::bare(&request.url);
        let mut hops: Vec<Hop> = Vec::new();
        let mut waits = Vec::new();
        let mut left = self.timeout;
        loop {
            match self.step(request, &url, now, &mut left).await? {
                Step::Answered { answer, validators, asks } => {
                    waits.extend(asks);
                    return Ok(Fetched { answer, url, hops, validators, asks: waits });
                }
                Step::Redirected { hop, to, asks } => {
                    waits.extend(asks);
                    hops.push(hop);
                    url = follow(&hops, to)?;
                }
            }
        }
    }

    /// Makes one request in its host's turn, within what is `left` of the whole time.
    async fn step(
        &self,
        request: &Request,
        url: &Url,
        now: Timestamp,
        left: &mut Duration,
    ) -> Result<Step, FetchError> {
        self.guard.check(url)?;
        let host = host(url);
        let turn = self.gate.enter(&host).await;
        let turn = turn.map_err(|Postponed(delay)| FetchError::Postponed { host: host.clone(), delay })?;
        let began = Instant::now();
        // Boxed, so that a fetch that waits for its turn, one of thousands, stays small.
        let step = timeout(*left, Box::pin(self.exchange(request, url, now))).await;
        *left = left.saturating_sub(began.elapsed());
        drop(turn);
        step.unwrap_or(Err(FetchError::Timeout { host, phase: Phase::Total, limit: self.timeout }))
    }

    async fn exchange(&self, request: &Request, url: &Url, now: Timestamp) -> Result<Step, FetchError> {
        let sent = headers::known(&request.validators, url);
        let is_own = redirect::is_own(&request.own, url);
        let headers = headers::conditional(sent, headers::extra(is_own.then_some(&*request.headers))?);
        let target = if is_own { headers::with_user_info(url, &request.own) } else { url.clone() };
        let response = self.http.get(target).headers(headers).send().await;
        let response = response.map_err(|error| FetchError::before_answer(url, &error, self.limits))?;
        self.check_peer(url, &response)?;
        let status = response.status().as_u16();
        let delta_asked = sent.is_some_and(|sent| sent.etag.is_some());
        match status {
            200 => self.document(request, url, response, now).await,
            226 if delta_asked && headers::is_feed_delta(response.headers()) => {
                self.document(request, url, response, now).await
            }
            304 if sent.is_some() => Ok(Step::Answered {
                answer: Answer::NotModified,
                validators: headers::refreshed(&request.validators, url, response.headers()),
                asks: waits::asks(response.headers(), now),
            }),
            status if redirect::is_redirect(status) => redirected(url, status, response.headers(), now),
            status => Err(self.refusal(url, status, response.headers(), now)),
        }
    }

    async fn document(
        &self,
        request: &Request,
        url: &Url,
        response: Response,
        now: Timestamp,
    ) -> Result<Step, FetchError> {
        let validators = headers::replaced(&request.validators, url, response.headers());
        let asks = waits::asks(response.headers(), now);
        let content_type = headers::content_type(response.headers());
        let is_delta = response.status().as_u16() == 226;
        let body = self.body(url, response).await?;
        Ok(Step::Answered { answer: Answer::Document(Document { body, content_type, is_delta }), validators, asks })
    }

    /// Reads the body, never more than the limit and one piece.
    async fn body(&self, url: &Url, mut response: Response) -> Result<Bytes, FetchError> {
        let too_large = FetchError::TooLarge { limit_bytes: self.body_bytes_max };
        // The library takes the header away when it unpacks; one that it left is unknown to us, or several.
        if let Some(coding) = headers::foreign_coding(response.headers()) {
            return Err(FetchError::Coding { coding });
        }
        if response.content_length().is_some_and(|length| length > self.body_bytes_max) {
            return Err(too_large);
        }
        let mut body = BytesMut::new();
        loop {
            let piece = response.chunk().await;
            match piece.map_err(|error| FetchError::in_body(url, &error, self.limits))? {
                Some(piece) if (body.len() + piece.len()) as u64 > self.body_bytes_max => return Err(too_large),
                Some(piece) => body.extend_from_slice(&piece),
                // Packed twice, or without saying so.
                None if body.starts_with(GZIP) => return Err(FetchError::Coding { coding: "gzip".to_owned() }),
                None => return Ok(body.freeze()),
            }
        }
    }

    /// The second lock of the guard: the peer that answered is one that may be talked to.
    fn check_peer(&self, url: &Url, response: &Response) -> Result<(), FetchError> {
        let peer = response.remote_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        if self.has_proxy || self.guard.permits(peer) { Ok(()) } else { Err(FetchError::not_public(url, peer)) }
    }

    fn refusal(&self, url: &Url, code: u16, headers: &HeaderMap, now: Timestamp) -> FetchError {
        if let (429 | 503, Some(delay)) = (code, waits::retry_after(headers, now)) {
            self.gate.postpone(&host(url), delay.to_std().unwrap_or_default());
        }
        let firewall = if code == 403 { headers::firewall(headers) } else { None };
        FetchError::Status { url: shown(url), code, firewall, asks: waits::asks(headers, now) }
    }
}

fn redirected(url: &Url, status: u16, headers: &HeaderMap, now: Timestamp) -> Result<Step, FetchError> {
    let to = redirect::target(url, headers.get(LOCATION).map(HeaderValue::as_bytes))?;
    // Caching hints of a redirect are about the redirect; `Retry-After` is about us.
    let asks = waits::retry(headers, now);
    Ok(Step::Redirected { hop: Hop { url: url.clone(), status }, to, asks: asks.into_iter().collect() })
}

/// Returns `to` if the chain of `hops` may be followed there.
fn follow(hops: &[Hop], to: Url) -> Result<Url, FetchError> {
    let fault = if hops.iter().any(|hop| hop.url == to) {
        RedirectFault::Loop
    } else if hops.len() > redirect::HOPS_MAX {
        RedirectFault::TooMany
    } else {
        return Ok(to);
    };
    Err(FetchError::BadRedirect { url: hops.first().map(|hop| shown(&hop.url)).unwrap_or_default(), fault })
}

fn http_client(settings: &Settings, guard: &Guard, limits: Limits) -> Result<reqwest::Client, ClientError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .default_headers(headers::always())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .deflate(false) // half of the servers send it with and half without a header
        .no_proxy()
        .connect_timeout(limits.connect)
        .read_timeout(limits.idle)
        .pool_max_idle_per_host(settings.per_host)
        .pool_idle_timeout(settings.host_delay.saturating_add(KEEP_CONNECTION))
        // Servers of all ages: what can be read all the same is read.
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true);
    if let Some(pem) = &settings.authorities {
        builder = builder.tls_certs_merge(certificates(pem)?);
    }
    builder = match &settings.proxy {
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.as_str()).map_err(|error| setting("proxy", &error))?),
        None => builder.dns_resolver(guard.clone()),
    };
    builder.build().map_err(|error| ClientError::Start { why: innermost(&error) })
}

/// The library takes a file without any certificate for an empty list.
fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, ClientError> {
    const WHAT: &str = "file of authorities";
    let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| setting(WHAT, &error))?;
    if certificates.is_empty() {
        return Err(ClientError::Setting { what: WHAT, why: "it holds no certificate in PEM form".to_owned() });
    }
    Ok(certificates)
}

fn setting(what: &'static str, error: &reqwest::Error) -> ClientError {
    ClientError::Setting { what, why: innermost(error) }
}

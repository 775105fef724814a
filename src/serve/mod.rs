//! Serves the published documents over HTTP. The home of `hyper`.
//!
//! Answers come from memory, archives from published files: a path is looked up in the [`Tree`] as it is, so nothing
//! outside can be reached. The site's root is `/` here; a reverse proxy that publishes below a path may take that path
//! away or leave it (links come from `site.url`, redirects are relative).

mod bodies;
mod connections;
mod health;
mod negotiation;
mod swapped;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::metrics::Metrics;
use crate::publish::{Body as Stored, Encoding, Format, Resource, Tree, base_policy};
use connections::{Connection, Connections};

pub use connections::Socket;
pub use health::{DaemonFigures, DaemonHealth, NodeTold, OutageTold};
pub use swapped::Swapped;

/// Shortest `max-age`: a poll that is under way may take that long.
const MAX_AGE_MIN: Duration = Duration::from_mins(1);
/// Longest `max-age`, whatever the schedule: a source that is added must not wait for readers longer.
const MAX_AGE_MAX: Duration = Duration::from_hours(24);

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// Room for all headers that an answer may have, so that their map never grows while it is filled.
const HEADERS_MAX: usize = 16;
/// Our pages need their own style sheet and pictures, nothing else; an opened feed needs nothing at all. A page that shows
/// pictures of other sites has a policy of its own.
const POLICY: HeaderValue = HeaderValue::from_static(base_policy());

/// An answer; its body is in memory as a whole.
type Response = hyper::Response<Full<Bytes>>;

/// The data that the server answers from, swapped while it runs.
#[derive(Debug, Default)]
pub struct Front {
    /// The documents.
    pub tree: Swapped<Tree>,
    /// The daemon's health.
    pub health: Swapped<DaemonHealth>,
    /// The path of `site.url`, without its last slash: a proxy may leave it before ours.
    pub prefix: Swapped<String>,
    /// Former ids of topics, each with the id that the topic has now.
    pub aliases: Swapped<BTreeMap<String, String>>,
    /// The counters.
    pub metrics: Metrics,
    /// The last `Cache-Control` that was written, with its seconds: most answers of one second share it.
    cache_control: ArcSwapOption<(u64, HeaderValue)>,
}

impl Front {
    /// Tells caches how long nothing can change. They may answer with what they have while they ask us, and for a day
    /// while we do not answer (RFC 5861).
    fn cache_control(&self, max_age: Duration) -> HeaderValue {
        let seconds = max_age.as_secs();
        if let Some(last) = self.cache_control.load().as_deref().filter(|last| last.0 == seconds) {
            return last.1.clone();
        }
        let text = format!("public, max-age={seconds}, stale-while-revalidate={seconds}, stale-if-error=86400");
        // Digits and letters only, so the alternative is never taken.
        let value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("no-cache"));
        self.cache_control.store(Some(Arc::new((seconds, value.clone()))));
        value
    }
}

/// Limits on the connections of readers, and the documents that they can have.
#[derive(Debug, Clone, Copy)]
pub struct ServingLimits {
    /// Connections at once; further ones wait in the system's queue.
    pub connections: usize,
    /// Longest time that a connection may go on without taking a part of an answer.
    pub idle: Duration,
    /// Longest time that answers under way may take to end after the stop.
    pub grace: Duration,
    /// The documents that are there for them.
    pub offer: Offer,
}

/// The documents that one listener offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Everything.
    All,
    /// The published documents, and no word about this process.
    Published,
    /// `/healthz` and `/metrics` alone.
    Internal,
}

impl Default for ServingLimits {
    fn default() -> Self {
        Self { connections: 512, idle: Duration::from_mins(1), grace: Duration::from_secs(10), offer: Offer::All }
    }
}

/// Serves until `stop` resolves; then lets answers under way end, for at most the grace.
///
/// Idle connections are closed at once.
///
/// # Errors
///
/// Those of the listener itself. A connection that fails ends alone.
pub async fn serve(
    listener: impl Into<Socket>,
    front: Arc<Front>,
    limits: ServingLimits,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let (stopping, stopped) = watch::channel(());
    let mut connections = Connections::new(listener.into(), limits);
    let mut tasks = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let connection = tokio::select! {
            connection = connections.accept() => connection,
            () = &mut stop => break,
        };
        while tasks.try_join_next().is_some() {}
        tasks.spawn(converse(connection, Arc::clone(&front), limits.offer, stopped.clone()));
    }
    // Whoever comes now is refused by the system, not left waiting.
    drop(connections);
    stopping.send_replace(());
    let all = async { while tasks.join_next().await.is_some() {} };
    // Connections that are not done by then are cut off when `tasks` is dropped.
    let _ = tokio::time::timeout(limits.grace, all).await;
    Ok(())
}

/// Serves as [`serve`] does, on a thread of its own: neither polls nor publications make readers wait, and no answer
/// is handed from one thread to another.
///
/// # Errors
///
/// When the thread cannot be started, or ended by a panic.
pub async fn serve_apart(
    socket: Socket,
    front: Arc<Front>,
    limits: ServingLimits,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let socket = socket.into_std()?;
    let (ended, end) = oneshot::channel();
    std::thread::Builder::new().name("serve".to_owned()).spawn(move || {
        let served = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
            runtime.block_on(async { serve(Socket::from_std(socket)?, front, limits, stop).await })
        });
        // Nobody waits for it if the daemon is gone.
        let _ = ended.send(served);
    })?;
    end.await.unwrap_or_else(|_| Err(io::Error::other("the thread that serves has panicked")))
}

/// Answers the requests of one connection, until the client or the server has had enough.
async fn converse(connection: Connection, front: Arc<Front>, offer: Offer, mut stopped: watch::Receiver<()>) {
    let service = service_fn(|request: Request<Incoming>| async {
        let (request, _) = request.into_parts();
        Ok::<_, Infallible>(answer(&front, offer, &request).await)
    });
    let mut serving = pin!(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
    let ended = tokio::select! {
        biased;
        ended = serving.as_mut() => ended,
        _ = stopped.changed() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection failed");
    }
}

async fn answer(front: &Front, offer: Offer, request: &Parts) -> Response {
    let path = request.uri.path();
    let mut response = match path {
        _ if !names_its_host(request) => plain(StatusCode::BAD_REQUEST, "Which Host?\n".to_owned()),
        _ if ![Method::GET, Method::HEAD, Method::OPTIONS].contains(&request.method) => {
            allowed(StatusCode::METHOD_NOT_ALLOWED)
        }
        // RFC 9110 §9.3.7: what the server as a whole can do.
        "*" if request.method == Method::OPTIONS => allowed(StatusCode::NO_CONTENT),
        _ => {
            let (tree, prefix) = (front.tree.glance(), front.prefix.glance());
            let below = path.strip_prefix(prefix.as_str()).filter(|below| below.is_empty() || below.starts_with('/'));
            let below = below.filter(|_| tree.get(path).is_none()).unwrap_or(path);
            match (offer, below) {
                (Offer::All | Offer::Internal, "/healthz") => {
                    let is_strict = health::is_strict(request.uri.query());
                    unless_options(request, || health_answer(&front.health.glance(), is_strict))
                }
                (Offer::All | Offer::Internal, "/metrics") => unless_options(request, || counted(&front.metrics)),
                (Offer::Internal, _) => plain(StatusCode::NOT_FOUND, "Here are /healthz and /metrics.\n".to_owned()),
                (Offer::All | Offer::Published, _) => found(front, request, &tree, below, path).await,
            }
        }
    };
    if response.status() != StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    front.metrics.answered(response.status().as_u16());
    if request.method == Method::HEAD { without_body(response) } else { response }
}

/// Whether the request says whom it is for, as HTTP/1.1 must, and only once (RFC 9112 §3.2).
fn names_its_host(request: &Parts) -> bool {
    let mut hosts = request.headers.get_all(header::HOST).into_iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version < Version::HTTP_11,
        (Some(host), None) => host.is_empty() || Authority::try_from(host.as_bytes()).is_ok(),
        (Some(_), Some(_)) => false,
    }
}

fn counted(metrics: &Metrics) -> Response {
    let mut response = plain(StatusCode::OK, metrics.text());
    let media_type = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

/// Answers with the document at `path`; with the page in its place if that is a feed and a browser asks.
///
/// `asked` is the path as the client knows it, from which redirects lead.
async fn found(front: &Front, request: &Parts, tree: &Tree, path: &str, asked: &str) -> Response {
    // Before the tree: it holds the pages that static files have at these addresses.
    if let Some(location) = led_on(&front.aliases.glance(), path) {
        return moved(request, &location);
    }
    let Some(resource) = tree.get(path) else { return nowhere(request, tree, path, asked).await };
    let cache_control = front.cache_control(max_age(tree, Instant::now()));
    let (is_subscribed, stem) = match resource.format {
        Format::Atom | Format::Rss | Format::JsonFeed => (true, path.rsplit_once('.').map(|(stem, _)| stem)),
        Format::Opml | Format::Page | Format::Style | Format::Sitemap | Format::Text => (false, None),
    };
    let stem = stem.filter(|_| negotiation::wants_page(&request.headers));
    let page = stem.and_then(|stem| tree.get(&format!("{stem}.html")));
    let folder = stem.filter(|stem| tree.get(&format!("{stem}/")).is_some());
    let mut response = match (page, folder) {
        (Some(page), _) => document(request, page, cache_control).await,
        (None, Some(folder)) => {
            let mut response = plain(StatusCode::SEE_OTHER, String::new());
            let name = folder.rsplit('/').next().unwrap_or_default();
            set(&mut response, header::LOCATION, &format!("{name}/"));
            response
        }
        (None, None) => document(request, resource, cache_control).await,
    };
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        return told(request, tree, StatusCode::SERVICE_UNAVAILABLE, "Later, please.\n").await;
    }
    if is_subscribed {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    }
    response
}

/// Answers with what `answer` makes, or says what is allowed.
fn unless_options(request: &Parts, answer: impl FnOnce() -> Response) -> Response {
    if request.method == Method::OPTIONS { allowed(StatusCode::NO_CONTENT) } else { answer() }
}

async fn document(request: &Parts, resource: &Resource, cache_control: HeaderValue) -> Response {
    let mut response = if request.method == Method::OPTIONS {
        allowed(StatusCode::NO_CONTENT)
    } else {
        representation(&request.headers, resource, cache_control).await
    };
    let headers = response.headers_mut();
    if resource.format.is_feed() {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag"));
        if request.method == Method::OPTIONS {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            let conditions = HeaderValue::from_static("If-None-Match, If-Modified-Since");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, conditions);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        }
    }
    // RFC 9110 §15.4.5: a 304 repeats only what the cache needs; the rest of the stored answer stays as it was.
    if response.status() != StatusCode::NOT_MODIFIED {
        let headers = response.headers_mut();
        let own = resource.policy.as_deref().and_then(|policy| HeaderValue::from_str(policy).ok());
        headers.insert(header::CONTENT_SECURITY_POLICY, own.unwrap_or(POLICY));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    }
    response
}

/// Answers a GET: the document in the best coding, or 304 (RFC 9110 §13, §12.5.3).
async fn representation(request: &HeaderMap, resource: &Resource, cache_control: HeaderValue) -> Response {
    let (encoding, encoded) = negotiation::best_coding(request, resource);
    let is_as_known = bodies::is_as_known(resource).await;
    let mut response = if let Some(etag) = negotiation::known_etag(request, resource).filter(|_| is_as_known) {
        let mut response = empty();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        set(&mut response, header::ETAG, etag);
        // That of the document, or none (RFC 9110 §8.6): what a HEAD is answered with would else be taken for its length.
        if let Stored::Memory(bytes) = &encoded.body {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        }
        response
    } else {
        let Some((encoding, bytes, etag)) = bodies::read_in_coding(resource, encoding, encoded).await else {
            // Somebody removed it; the next publication puts it back.
            return plain(StatusCode::SERVICE_UNAVAILABLE, "Later, please.\n".to_owned());
        };
        body(resource, encoding, bytes, etag)
    };
    if is_as_known && resource.is_dated {
        set(&mut response, header::LAST_MODIFIED, &resource.last_modified);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, cache_control);
    if !resource.compressed.is_empty() {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

fn body(resource: &Resource, encoding: Option<Encoding>, bytes: Bytes, etag: Option<&str>) -> Response {
    let mut response = empty();
    let length = HeaderValue::from(bytes.len());
    *response.body_mut() = Full::from(bytes);
    if let Some(etag) = etag {
        set(&mut response, header::ETAG, etag);
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(resource.format.media_type()));
    headers.insert(header::CONTENT_LENGTH, length);
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}

/// The time to the next possible change.
fn max_age(tree: &Tree, now: Instant) -> Duration {
    let left = tree.fresh_until.map_or(MAX_AGE_MIN, |instant| instant.saturating_duration_since(now));
    left.clamp(MAX_AGE_MIN, MAX_AGE_MAX)
}

/// Returns where a topic's former address leads, relative to it; `None` if it is no such address.
fn led_on(aliases: &BTreeMap<String, String>, path: &str) -> Option<String> {
    let below = path.strip_prefix('/')?;
    let (alias, rest) = below.split_at(below.find(['.', '/']).unwrap_or(below.len()));
    let id = aliases.get(alias)?;
    // A folder is meant, without its last slash.
    let rest = if rest.is_empty() { "/" } else { rest };
    Some(format!("{}{id}{rest}", "../".repeat(path.matches('/').count() - 1)))
}

/// Leads on for good (RFC 9110 §15.4.2): feed readers take over the new address.
fn moved(request: &Parts, location: &str) -> Response {
    let mut response = plain(StatusCode::MOVED_PERMANENTLY, String::new());
    let query = request.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    set(&mut response, header::LOCATION, &format!("{location}{query}"));
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Answers for a path where nothing is: a folder's page may be meant, without its last slash.
async fn nowhere(request: &Parts, tree: &Tree, path: &str, asked: &str) -> Response {
    let folder = format!("{path}/");
    match asked.rsplit('/').next() {
        Some(name) if tree.get(&folder).is_some() => {
            let mut response = plain(StatusCode::PERMANENT_REDIRECT, String::new());
            set(&mut response, header::LOCATION, &format!("{name}/"));
            response
        }
        _ => {
            let text = "Rien n’est publié à cette adresse.\nNothing is published at this address.\n";
            told(request, tree, StatusCode::NOT_FOUND, text).await
        }
    }
}

/// Answers that something is not there: browsers with the page that says so, programs with a line of text.
async fn told(request: &Parts, tree: &Tree, status: StatusCode, text: &str) -> Response {
    let is_browser = negotiation::wants_page(&request.headers);
    let page = tree.get(&format!("/{}.html", status.as_str())).filter(|_| is_browser);
    let mut response = match page {
        None => plain(status, text.to_owned()),
        Some(page) => match bodies::read_in_coding(page, None, &page.plain).await {
            None => plain(status, text.to_owned()),
            Some((_, bytes, _)) => {
                let mut response = body(page, None, bytes, None);
                *response.status_mut() = status;
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
                response
            }
        },
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// Tells how the daemon is. It answers, so it is well enough to be sent readers: only a strict question gets 503.
fn health_answer(health: &DaemonHealth, is_strict: bool) -> Response {
    let status = if is_strict && health.is_degraded() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let mut response = plain(status, health.text());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn allowed(status: StatusCode) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response.headers_mut().insert(header::ALLOW, METHODS);
    response
}

fn plain(status: StatusCode, text: String) -> Response {
    let length = HeaderValue::from(text.len());
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, TEXT);
    headers.insert(header::CONTENT_LENGTH, length);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn empty() -> Response {
    let mut response = Response::new(Full::default());
    response.headers_mut().reserve(HEADERS_MAX);
    response
}

fn without_body(response: Response) -> Response {
    response.map(|_| Full::default())
}

/// Sets a header to a text that we made ourselves; one that is no header value is left out.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests;

//! A site for one person on this machine: at a secret address on loopback, for as long as a command runs.
//!
//! Other sites cannot reach it through that person's browser. A name of theirs that DNS leads here is no host of ours (421),
//! a page of theirs is another origin (403), and no path is known without the token (404). Nothing is cached, nothing is
//! asked of anybody else, and an address that a link leads to is not told where it stood.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::connections::{Connection, Connections};
use super::{Offer, ServingLimits, Socket, names_its_host};

/// Largest body of a request: a text to try.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Connections at once. A browser keeps six to one host.
const CONNECTIONS_MAX: usize = 32;

/// Streams of events at once, so that pages left open do not keep all connections.
const STREAMS_MAX: usize = 16;

/// Requests that are worked on at once; others wait.
const WORKING_MAX: usize = 4;

/// Longest time for which an answer is not taken or not made. A page that is fetched may need its time.
const IDLE_MAX: Duration = Duration::from_mins(3);

/// Pause between signs of life on a stream of events.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Our own style, script and forms; nothing else, and in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// Headers of every answer. Other sites never learn where a link to them stood. Our own may: without any referrer browsers say
/// that a form comes from nowhere (`Origin: null`).
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// A request below the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalRequest {
    /// Behind the token and its slash.
    pub path: String,
    /// The fields of the query, or of the form that was sent.
    pub fields: Vec<(String, String)>,
    /// Whether a form was sent by POST.
    pub is_sent: bool,
}

impl LocalRequest {
    /// Returns the value of a field; nothing if there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalAnswer {
    /// A page.
    Page(String),
    /// A page that says that nothing is here.
    Missing(String),
    /// A style sheet.
    Style(&'static str),
    /// A script.
    Script(&'static str),
}

/// Makes the answers. It is called on threads on which it may work and wait.
pub type Answering = dyn Fn(&LocalRequest) -> LocalAnswer + Send + Sync;

/// A site for one person.
pub struct LocalSite {
    /// A text of letters and digits that nobody can guess.
    pub token: String,
    /// Makes the answers.
    pub answering: Box<Answering>,
    /// A number that changes with what pages show; told to pages at `events`.
    pub versions: watch::Receiver<u64>,
}

/// The places for work that is under way.
struct LocalLimits {
    working: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

type LocalResponse = hyper::Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Serves until `stop` resolves; then ends at once, whatever is under way.
///
/// # Errors
///
/// Those of the listener itself. A connection that fails ends alone.
pub async fn serve_locally(
    listener: std::net::TcpListener,
    site: LocalSite,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let socket = Socket::Tcp(TcpListener::from_std(listener)?);
    let limits =
        ServingLimits { connections: CONNECTIONS_MAX, idle: IDLE_MAX, grace: Duration::ZERO, offer: Offer::Internal };
    let mut connections = Connections::new(socket, limits);
    let places =
        LocalLimits { working: Arc::new(Semaphore::new(WORKING_MAX)), streams: Arc::new(Semaphore::new(STREAMS_MAX)) };
    let served = Arc::new((site, places, address));
    let mut tasks = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let connection = tokio::select! {
            connection = connections.accept() => connection,
            () = &mut stop => return Ok(()),
        };
        while tasks.try_join_next().is_some() {}
        tasks.spawn(talk(connection, Arc::clone(&served)));
    }
}

/// Answers the requests of one connection.
async fn talk(connection: Connection, served: Arc<(LocalSite, LocalLimits, SocketAddr)>) {
    let service = service_fn(|request: Request<Incoming>| async {
        let (site, limits, address) = &*served;
        let is_head = request.method() == Method::HEAD;
        let mut answer = reply(site, &served, limits, *address, request).await;
        for (name, value) in HEADERS {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Ok::<_, Infallible>(if is_head { answer.map(|_| whole(String::new())) } else { answer })
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await {
        tracing::trace!(%error, "a connection failed");
    }
}

async fn reply(
    site: &LocalSite,
    served: &Arc<(LocalSite, LocalLimits, SocketAddr)>,
    limits: &LocalLimits,
    address: SocketAddr,
    request: Request<Incoming>,
) -> LocalResponse {
    let (head, body) = request.into_parts();
    let path = match below_token(site, address, &head) {
        Ok(path) => path,
        Err(answer) => return *answer,
    };
    if path == "events" && head.method == Method::GET {
        return events(site, limits);
    }
    let is_sent = head.method == Method::POST;
    if !is_sent && ![Method::GET, Method::HEAD].contains(&head.method) {
        let mut answer = line(StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD and POST are understood.");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        return answer;
    }
    let written = if is_sent {
        let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
            return line(StatusCode::PAYLOAD_TOO_LARGE, "A text of at most 1 MiB can be tried.");
        };
        body.to_bytes()
    } else {
        Bytes::copy_from_slice(head.uri.query().unwrap_or_default().as_bytes())
    };
    let request = LocalRequest { path, fields: fields(&written), is_sent };
    // Fails only when the semaphore is closed, which nobody does.
    let place = Arc::clone(&limits.working).acquire_owned().await.ok();
    let served = Arc::clone(served);
    let work = move || {
        let (site, ..) = &*served;
        // Kept until the work is done, also if its client has gone.
        let _place: Option<OwnedSemaphorePermit> = place;
        (site.answering)(&request)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => shown(answer),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            line(StatusCode::INTERNAL_SERVER_ERROR, "veille has a fault that this request brings to light.")
        }
    }
}

/// Returns the path below the token; else the answer to who has no business here.
fn below_token(site: &LocalSite, address: SocketAddr, head: &Parts) -> Result<String, Box<LocalResponse>> {
    let refused = |status, text: &'static str| Err(Box::new(line(status, text)));
    if !names_its_host(head) {
        return refused(StatusCode::BAD_REQUEST, "Which Host?");
    }
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // That of the request's first line comes before the header (RFC 9112 §3.2.2).
    let authority = head.uri.authority().map(Authority::as_str);
    if ![Some(host), authority].into_iter().flatten().all(|host| is_ours(host, address)) {
        return refused(StatusCode::MISDIRECTED_REQUEST, "This is no host of that name.");
    }
    let is_foreign = |origin: &HeaderValue| {
        let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        host.is_none_or(|host| !is_ours(host, address))
    };
    if head.headers.get_all(header::ORIGIN).iter().any(is_foreign) {
        return refused(StatusCode::FORBIDDEN, "Pages of other sites have no business here.");
    }
    let path = head.uri.path().strip_prefix('/').unwrap_or_default();
    let (token, below) = path.split_once('/').map_or((path, None), |(token, below)| (token, Some(below)));
    if !is_same_secret(token, &site.token) {
        return refused(StatusCode::NOT_FOUND, "Nothing is here. The whole address stands where veille was started.");
    }
    if let Some(below) = below {
        return Ok(below.to_owned());
    }
    let mut answer = line(StatusCode::PERMANENT_REDIRECT, "");
    if let Ok(location) = HeaderValue::try_from(format!("/{token}/")) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    Err(Box::new(answer))
}

/// Whether a host with its port is this server, as a person of this machine writes it.
fn is_ours(host: &str, address: SocketAddr) -> bool {
    let port = address.port();
    let names = [address.ip().to_string(), "localhost".to_owned()];
    let is_same = |known: &str| host.eq_ignore_ascii_case(known);
    names.iter().any(|name| is_same(&format!("{name}:{port}")) || port == 80 && is_same(name))
}

/// Compares by hashes: how long it takes tells nothing of where the texts differ, for nobody can choose a hash's beginning.
fn is_same_secret(said: &str, secret: &str) -> bool {
    Sha256::digest(said.as_bytes()) == Sha256::digest(secret.as_bytes())
}

/// Reads `application/x-www-form-urlencoded`.
fn fields(written: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(written).into_owned().collect()
}

/// A stream that tells the version that is shown, and each one to come.
fn events(site: &LocalSite, limits: &LocalLimits) -> LocalResponse {
    let Ok(place) = Arc::clone(&limits.streams).try_acquire_owned() else {
        // A page takes this for the end of the stream (HTML, "Server-sent events"), and is renewed by hand.
        return line(StatusCode::NO_CONTENT, "");
    };
    let mut versions = site.versions.clone();
    versions.mark_changed();
    let told = stream::unfold((versions, place), |(mut versions, place)| async {
        let text = match tokio::time::timeout(SIGN_OF_LIFE, versions.changed()).await {
            Ok(Ok(())) => format!("data: {}\n\n", *versions.borrow_and_update()),
            Ok(Err(_)) => return None,
            Err(_) => ": all is well\n\n".to_owned(),
        };
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(text))), (versions, place)))
    });
    let body = StreamBody::new(told).boxed_unsync();
    answer(StatusCode::OK, "text/event-stream; charset=utf-8", body)
}

fn shown(made: LocalAnswer) -> LocalResponse {
    let html = "text/html; charset=utf-8";
    match made {
        LocalAnswer::Page(text) => answer(StatusCode::OK, html, whole(text)),
        LocalAnswer::Missing(text) => answer(StatusCode::NOT_FOUND, html, whole(text)),
        LocalAnswer::Style(text) => answer(StatusCode::OK, "text/css; charset=utf-8", whole(text.to_owned())),
        LocalAnswer::Script(text) => answer(StatusCode::OK, "text/javascript; charset=utf-8", whole(text.to_owned())),
    }
}

fn line(status: StatusCode, text: &str) -> LocalResponse {
    let text = if text.is_empty() { String::new() } else { format!("{text}\n") };
    answer(status, "text/plain; charset=utf-8", whole(text))
}

fn whole(text: String) -> UnsyncBoxBody<Bytes, Infallible> {
    Full::from(text).boxed_unsync()
}

fn answer(status: StatusCode, media_type: &'static str, body: UnsyncBoxBody<Bytes, Infallible>) -> LocalResponse {
    let mut answer = LocalResponse::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, port: u16, expected: bool) {
        assert_eq!(is_ours(host, SocketAddr::from(([127, 0, 0, 1], port))), expected, "{host}");
    }

    #[test]
    fn a_host_is_ours_by_its_name_on_this_machine_and_its_port() {
        check("127.0.0.1:8099", 8099, true);
        check("LocalHost:8099", 8099, true);
        check("localhost", 80, true);
        for other in ["localhost", "127.0.0.1", "127.0.0.1:80", "rebound.example:8099", "localhost.example:8099", ""] {
            check(other, 8099, false);
        }
    }

    #[test]
    fn a_secret_is_itself_alone() {
        assert!(is_same_secret("0f3a", "0f3a"));
        for other in ["", "0f3", "0f3b", "0f3a0", "0F3A"] {
            assert!(!is_same_secret(other, "0f3a"), "{other}");
        }
    }

    #[test]
    fn fields_of_a_form_are_read_with_their_signs() {
        let text = "text=L%E2%80%99%C3%A9cole+num%C3%A9rique%0D%0Adeux&empty=&entry=7";
        let request = LocalRequest { fields: fields(text.as_bytes()), ..LocalRequest::default() };
        assert_eq!(request.field("text"), "L’école numérique\r\ndeux");
        assert_eq!((request.field("empty"), request.field("entry"), request.field("none")), ("", "7", ""));
    }
}

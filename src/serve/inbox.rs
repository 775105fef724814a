//! Requests that come in by `WebSub`: of hubs at our callbacks, of subscribers at our hub.
//!
//! Memory answers whatever it knows at once. The rest goes through a bounded queue to the daemon, which alone
//! touches the store: 202 once it is queued, 503 with `Retry-After` when there is no room. A body is read only for a
//! callback that is known, within limits of size, time and memory, and never unpacked.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use url::Url;

use super::{Front, Response, Swapped, plain, set};
use crate::fetch::guard::{Guard, is_public};
use crate::pipeline::IntentReply;
use crate::websub::{HubRequest, IntentQuery, Push, TOKEN_BYTES, read_request};

/// Requests that wait in the queue.
const QUEUE: usize = 1024;

/// Memory of all bodies that were read and not worked on yet, in units of [`UNIT`].
const ROOM: usize = 64 << 10;

/// Unit of the room for bodies, in bytes.
const UNIT: usize = 1 << 10;

/// Longest time in which a body has to come.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Longest form that is sent to the hub.
const FORM_BYTES_MAX: usize = 8 << 10;

/// Longest wait for the daemon's answer to a question of a hub.
const REPLY_TIME: Duration = Duration::from_secs(10);

/// When somebody for whom there is no room may come again, in seconds.
const RETRY_AFTER: &str = "60";

/// Requests to the hub that one address may make in [`RATE_SPAN`].
const RATE: u32 = 60;
const RATE_SPAN: Duration = Duration::from_mins(1);

/// Addresses that are counted.
const ADDRESSES_MAX: usize = 10_000;

/// A request that came in, for the daemon.
#[derive(Debug)]
pub enum Arrival {
    /// A hub asks at a callback (§5.2, §5.3).
    Question {
        /// The unguessable part of the callback.
        token: String,
        /// Its question.
        query: IntentQuery,
        /// The answer; without one it is asked to come again.
        reply: oneshot::Sender<IntentReply>,
    },
    /// A hub pushes (§7).
    Push {
        /// Its push.
        push: Push,
        /// Given back when it was worked on.
        room: OwnedSemaphorePermit,
    },
    /// Somebody asks our hub (§5.1).
    Request(HubRequest),
}

/// The way in, and all that is answered from memory.
#[derive(Debug)]
pub struct Inbox {
    queue: mpsc::Sender<Arrival>,
    /// Until the daemon takes it.
    arrivals: Mutex<Option<mpsc::Receiver<Arrival>>>,
    room: Arc<Semaphore>,
    /// The tokens of our callbacks.
    tokens: RwLock<BTreeSet<String>>,
    /// Another node may know callbacks of which this one has not heard yet.
    is_shared: AtomicBool,
    /// The store cannot be written.
    is_shut: AtomicBool,
    push_bytes_max: AtomicUsize,
    /// Our hub; none if there is none.
    pub hub: Swapped<Option<HubDoor>>,
    rates: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

/// The things that our hub can tell from memory.
#[derive(Debug)]
pub struct HubDoor {
    /// The addresses of all topics, in all formats.
    pub topics: BTreeSet<String>,
    /// The addresses that may be called back.
    pub guard: Guard,
}

impl Default for Inbox {
    fn default() -> Self {
        let (queue, arrivals) = mpsc::channel(QUEUE);
        Self {
            queue,
            arrivals: Mutex::new(Some(arrivals)),
            room: Arc::new(Semaphore::new(ROOM)),
            tokens: RwLock::default(),
            is_shared: AtomicBool::new(false),
            is_shut: AtomicBool::new(false),
            push_bytes_max: AtomicUsize::new(10 << 20),
            hub: Swapped::default(),
            rates: Mutex::default(),
        }
    }
}

impl Inbox {
    /// Takes the end of the queue; `None` if somebody has it.
    pub fn open(&self) -> Option<mpsc::Receiver<Arrival>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Lets a callback be used.
    pub fn admit(&self, token: &str) {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned());
    }

    /// Lets these callbacks be used and no others. `is_shared`: other nodes may know others.
    pub fn admit_only(&self, tokens: BTreeSet<String>, is_shared: bool) {
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens;
        self.is_shared.store(is_shared, Ordering::Relaxed);
    }

    /// Takes nothing in while the store cannot be written.
    pub fn shut(&self, is_shut: bool) {
        self.is_shut.store(is_shut, Ordering::Relaxed);
    }

    /// Takes no larger bodies than this.
    pub fn limit_pushes(&self, bytes_max: u64) {
        let most = ROOM * UNIT / 4;
        self.push_bytes_max.store(usize::try_from(bytes_max).unwrap_or(most).min(most), Ordering::Relaxed);
    }

    fn knows(&self, token: &str) -> bool {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).contains(token)
    }

    fn is_shared(&self) -> bool {
        self.is_shared.load(Ordering::Relaxed)
    }

    /// Whether an address may make one more request to the hub.
    fn admits(&self, address: IpAddr, now: Instant) -> bool {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |began: &Instant| now.saturating_duration_since(*began) >= RATE_SPAN;
        if rates.len() >= ADDRESSES_MAX {
            rates.retain(|_, (began, _)| !is_over(began));
        }
        if rates.len() >= ADDRESSES_MAX && !rates.contains_key(&address) {
            return false;
        }
        let (began, count) = rates.entry(address).or_insert((now, 0));
        if is_over(began) {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= RATE
    }
}

/// Answers a request to a callback or to the hub; `None` if it is for neither.
///
/// `body` is taken only if it is read.
pub(super) async fn answer_websub(
    front: &Front,
    request: &Parts,
    body: &mut Option<Incoming>,
    below: &str,
    peer: Option<IpAddr>,
) -> Option<Response> {
    if let Some(token) = below.strip_prefix("/websub/") {
        let is_token = token.len() == TOKEN_BYTES * 2 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_token {
            return None;
        }
        return Some(match request.method {
            Method::GET => question(front, token, request.uri.query().unwrap_or_default()).await,
            Method::POST => push(front, token, request, body.take()).await,
            _ => only("GET, POST"),
        });
    }
    if below != "/hub" || front.inbox.hub.glance().is_none() {
        return None;
    }
    Some(match request.method {
        Method::POST => hub_request(front, request, body.take(), peer).await,
        // A topic may be called so.
        Method::GET | Method::HEAD if front.tree.glance().get("/hub/").is_some() => return None,
        _ => only("POST"),
    })
}

/// Hands a question of a hub to the daemon, and waits for its answer.
async fn question(front: &Front, token: &str, query: &str) -> Response {
    let inbox = &front.inbox;
    if !inbox.knows(token) && !inbox.is_shared() {
        return told(front, "question", "unknown", plain(StatusCode::NOT_FOUND, "Nobody asked for this.\n".to_owned()));
    }
    let (reply, answer) = oneshot::channel();
    let arrival = Arrival::Question { token: token.to_owned(), query: IntentQuery::read(query), reply };
    if inbox.is_shut.load(Ordering::Relaxed) || inbox.queue.try_send(arrival).is_err() {
        return told(front, "question", "full", later());
    }
    match tokio::time::timeout(REPLY_TIME, answer).await {
        Ok(Ok(IntentReply::Challenge(challenge))) => {
            inbox.admit(token);
            told(front, "question", "confirmed", plain(StatusCode::OK, challenge))
        }
        Ok(Ok(IntentReply::Denied { .. })) => told(front, "question", "denied", plain(StatusCode::OK, String::new())),
        Ok(Ok(IntentReply::Refused)) => {
            told(front, "question", "refused", plain(StatusCode::NOT_FOUND, "Nobody asked for this.\n".to_owned()))
        }
        Ok(Err(_)) | Err(_) => told(front, "question", "late", later()),
    }
}

/// Queues a push. Whether it is signed is found out later: the answer tells nobody (§8).
async fn push(front: &Front, token: &str, request: &Parts, body: Option<Incoming>) -> Response {
    let inbox = &front.inbox;
    let refused = |outcome, response| told(front, "push", outcome, response);
    if !inbox.knows(token) {
        // §7: 410 ends the subscription, which another node may have asked for just now.
        let status = if inbox.is_shared() { StatusCode::NOT_FOUND } else { StatusCode::GONE };
        return refused("unknown", plain(status, "There is no such subscription.\n".to_owned()));
    }
    if request.headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        let text = "Send it uncompressed.\n".to_owned();
        return refused("compressed", plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    if inbox.is_shut.load(Ordering::Relaxed) || inbox.queue.capacity() == 0 {
        return refused("full", later());
    }
    let limit = inbox.push_bytes_max.load(Ordering::Relaxed);
    let (body, room) = match read_body(body, &request.headers, limit, &inbox.room).await {
        Ok(read) => read,
        Err(fault) => return refused(fault.word(), fault.response()),
    };
    let text = |name: &str| {
        let mut values = request.headers.get_all(name).iter();
        let first = values.next()?.to_str().ok()?.to_owned();
        values.next().is_none().then_some(first)
    };
    let (content_type, signature) = (text("content-type"), text("x-hub-signature"));
    let push = Push { token: token.to_owned(), body, content_type, signature };
    match inbox.queue.try_send(Arrival::Push { push, room }) {
        Ok(()) => told(front, "push", "queued", plain(StatusCode::ACCEPTED, String::new())),
        Err(_) => refused("full", later()),
    }
}

/// Queues a request to our hub, if it is for a topic of ours and a callback that may be called.
async fn hub_request(front: &Front, request: &Parts, body: Option<Incoming>, peer: Option<IpAddr>) -> Response {
    let inbox = &front.inbox;
    let refused = |outcome, response| told(front, "request", outcome, response);
    let bad = |why: &str| plain(StatusCode::BAD_REQUEST, format!("{why}\n"));
    if !inbox.admits(client_address(peer, &request.headers), Instant::now()) {
        return refused("rate", too_many());
    }
    let is_form =
        request.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    if !is_form || request.headers.contains_key(header::CONTENT_ENCODING) {
        let text = "Send a form: application/x-www-form-urlencoded.\n".to_owned();
        return refused("bad", plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    let form = match read_body(body, &request.headers, FORM_BYTES_MAX, &inbox.room).await {
        Ok((form, _)) => form,
        Err(fault) => return refused(fault.word(), fault.response()),
    };
    let mut request = match read_request(&form) {
        Ok(request) => request,
        Err(why) => return refused("bad", bad(why)),
    };
    {
        let door = inbox.hub.glance();
        let Some(door) = door.as_ref() else { return refused("bad", bad("this hub is closed")) };
        let topic = Url::parse(&request.topic).map(String::from).ok();
        match [Some(request.topic.clone()), topic].into_iter().flatten().find(|topic| door.topics.contains(topic)) {
            Some(topic) => request.topic = topic,
            None => {
                return refused(
                    "topic",
                    bad("`hub.topic` is no topic of this hub: it must be the `self` address of a feed"),
                );
            }
        }
        if door.guard.check(&request.callback).is_err() {
            return refused("callback", bad("`hub.callback` is an address that this hub may not call"));
        }
    }
    if inbox.is_shut.load(Ordering::Relaxed) {
        return refused("full", later());
    }
    match inbox.queue.try_send(Arrival::Request(request)) {
        Ok(()) => told(front, "request", "queued", plain(StatusCode::ACCEPTED, String::new())),
        Err(_) => refused("full", later()),
    }
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unread {
    TooLarge,
    NoRoom,
    Slow,
    Broken,
}

impl Unread {
    fn word(self) -> &'static str {
        match self {
            Self::TooLarge => "large",
            Self::NoRoom => "full",
            Self::Slow => "slow",
            Self::Broken => "broken",
        }
    }

    fn response(self) -> Response {
        match self {
            Self::TooLarge => plain(StatusCode::PAYLOAD_TOO_LARGE, "It is too large.\n".to_owned()),
            Self::NoRoom => later(),
            Self::Slow => plain(StatusCode::REQUEST_TIMEOUT, "It took too long.\n".to_owned()),
            Self::Broken => plain(StatusCode::BAD_REQUEST, "It broke off.\n".to_owned()),
        }
    }
}

/// Reads a body of at most so many bytes, as far as there is room for it.
async fn read_body(
    body: Option<Incoming>,
    headers: &HeaderMap,
    limit: usize,
    room: &Arc<Semaphore>,
) -> Result<(Bytes, OwnedSemaphorePermit), Unread> {
    let said = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|said| said > limit) {
        return Err(Unread::TooLarge);
    }
    let Some(mut body) = body else { return Err(Unread::Broken) };
    let mut held = take_room(room, 1)?;
    let mut bytes = BytesMut::new();
    let read = async {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > limit {
                return Err(Unread::TooLarge);
            }
            let wanted = length / UNIT + 1;
            if wanted > held.num_permits() {
                held.merge(take_room(room, wanted - held.num_permits())?);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(())
    };
    tokio::time::timeout(BODY_TIME, read).await.map_err(|_| Unread::Slow)??;
    Ok((bytes.freeze(), held))
}

fn take_room(room: &Arc<Semaphore>, units: usize) -> Result<OwnedSemaphorePermit, Unread> {
    let units = u32::try_from(units).map_err(|_| Unread::TooLarge)?;
    Arc::clone(room).try_acquire_many_owned(units).map_err(|_| Unread::NoRoom)
}

/// The address by which requests are counted: that of the peer; behind a proxy of our own network the one that it names
/// last. Addresses of one IPv6 network are one.
fn client_address(peer: Option<IpAddr>, headers: &HeaderMap) -> IpAddr {
    let forwarded = || {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        last.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
    };
    let peer = peer.map(|peer| peer.to_canonical());
    let address = peer.filter(|peer| is_public(*peer)).or_else(forwarded).or(peer);
    match address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)).to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// Counts an answer.
fn told(front: &Front, kind: &'static str, outcome: &'static str, response: Response) -> Response {
    front.metrics.came_in(kind, outcome);
    response
}

fn later() -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "Later, please.\n".to_owned());
    set(&mut response, header::RETRY_AFTER, RETRY_AFTER);
    response
}

fn too_many() -> Response {
    let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "Later, please.\n".to_owned());
    set(&mut response, header::RETRY_AFTER, RETRY_AFTER);
    response
}

fn only(methods: &'static str) -> Response {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, String::new());
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_address(peer: &str, forwarded: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(value).unwrap());
        }
        let found = client_address(peer.parse().ok(), &headers);
        assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
    }

    #[test]
    fn requests_are_counted_by_the_address_that_cannot_be_feigned() {
        check_address("93.184.215.14", &["1.1.1.1"], "93.184.215.14");
        check_address("127.0.0.1", &["6.6.6.6", "1.1.1.1, 8.8.8.8"], "8.8.8.8");
        check_address("10.0.0.1", &[], "10.0.0.1");
        check_address("", &["8.8.8.8"], "8.8.8.8");
        check_address("", &["nonsense"], "::");
        check_address("2a00:1450:4007:1:2:3:4:5", &[], "2a00:1450:4007:1::");
    }

    #[test]
    fn an_address_may_ask_so_often_and_no_more() {
        let (inbox, now) = (Inbox::default(), Instant::now());
        let address = |last: u8| IpAddr::from([9, 9, 9, last]);
        assert!((0..RATE).all(|_| inbox.admits(address(1), now)));
        assert!(!inbox.admits(address(1), now) && inbox.admits(address(2), now));
        assert!(inbox.admits(address(1), now + RATE_SPAN));
    }

    #[test]
    fn the_memory_of_addresses_has_an_end() {
        let (inbox, now) = (Inbox::default(), Instant::now());
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        let admitted = (0..20_000).filter(|number| inbox.admits(address(*number), now)).count();
        assert_eq!(admitted, ADDRESSES_MAX);
        assert!(inbox.admits(address(99_999), now + RATE_SPAN), "a new span begins");
    }
}

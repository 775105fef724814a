//! A scripted origin: the one double of the project, a publisher's server as good or bad as a test wants it.
//!
//! It runs on a thread of its own on loopback, so that synchronous tests and the real binary can talk to it too.
//! Each path has a script of answers, given in order; the last one stays. All requests are kept for assertions.
//!
//! ```ignore
//! let origin = Origin::start();
//! origin.answers("/feed", [status(503).header("retry-after", "120"), document("<rss/>").etag("\"v1\"")]);
//! fetch(origin.url("/feed")).await;
//! assert_eq!(origin.requests("/feed")[0].header("if-none-match"), None);
//! ```

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use url::Url;

use crate::loopback::{self, Stop};

/// A publisher's server. It stops when dropped.
pub(crate) struct Origin {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _stop: Stop,
}

#[derive(Default)]
struct Shared {
    scripts: HashMap<String, Vec<Answer>>,
    requests: Vec<Seen>,
    connections: usize,
    running: usize,
    running_max: usize,
}

/// A request as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// In order, names as sent.
    pub(crate) headers: Vec<(String, String)>,
    /// When its head was complete.
    pub(crate) at: Instant,
    /// The number of its connection, counted from 1.
    pub(crate) connection: usize,
    /// The head, byte for byte.
    pub(crate) head: Vec<u8>,
    /// The text after the head.
    pub(crate) body: String,
    /// The status that it was answered with.
    pub(crate) status: u16,
}

impl Seen {
    /// The value of the first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A scripted answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    conduct: Conduct,
    after: Duration,
    gate: Option<Gate>,
}

/// A gate at which answers wait until the test opens it.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed one.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets all answers through.
    pub(crate) fn open(&self) {
        self.0.add_permits(1);
    }
}

#[derive(Debug, Clone)]
enum Conduct {
    /// Head, length, body, and the connection stays open.
    Proper,
    /// Only these bytes, then the end of the connection.
    Raw,
    /// The answer as usual, one byte after each pause; the head too.
    Dripping(Duration),
    /// The head at once, then one byte of the body after each pause.
    DrippingBody(Duration),
    /// The first bytes of the answer, then silence.
    Stalling(usize),
    /// The first bytes of the answer, then the end.
    ClosingEarly(usize),
    /// A reset in place of the answer.
    Reset,
    /// The body again and again, without an end.
    Endless,
    /// The request's head as body.
    Echo,
}

/// 200 with a feed's media type. With validators it honours conditional requests.
pub(crate) fn document(body: impl Into<Vec<u8>>) -> Answer {
    status(200).header("content-type", "application/rss+xml; charset=utf-8").body(body)
}

/// An empty answer.
pub(crate) fn status(status: u16) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: Vec::new(),
        conduct: Conduct::Proper,
        after: Duration::ZERO,
        gate: None,
    }
}

/// A redirect.
pub(crate) fn redirect(code: u16, location: impl AsRef<str>) -> Answer {
    status(code).header("location", location)
}

/// These bytes and no others, then the end of the connection.
pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Answer {
    status(200).body(bytes).conduct(Conduct::Raw)
}

/// 200 with the request's head as text.
pub(crate) fn echo() -> Answer {
    status(200).header("content-type", "text/plain").conduct(Conduct::Echo)
}

impl Answer {
    pub(crate) fn header(self, name: &str, value: impl AsRef<str>) -> Self {
        self.header_bytes(name, value.as_ref().as_bytes())
    }

    pub(crate) fn header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Byte for byte, quotes included.
    pub(crate) fn etag(self, etag: &str) -> Self {
        self.header("etag", etag)
    }

    pub(crate) fn last_modified(self, date: &str) -> Self {
        self.header("last-modified", date)
    }

    /// Waits before it answers.
    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    /// Waits until the gate is open.
    pub(crate) fn behind(self, gate: &Gate) -> Self {
        Self { gate: Some(gate.clone()), ..self }
    }

    /// Sends one byte after each pause, from the first of the head on.
    pub(crate) fn dripping(self, pause: Duration) -> Self {
        self.conduct(Conduct::Dripping(pause))
    }

    /// Sends the head, then one byte of the body after each pause.
    pub(crate) fn dripping_body(self, pause: Duration) -> Self {
        self.conduct(Conduct::DrippingBody(pause))
    }

    /// Sends the head and `bytes` of the body, then nothing more.
    pub(crate) fn stalling_after(self, bytes: usize) -> Self {
        self.conduct(Conduct::Stalling(bytes))
    }

    /// Sends the head and `bytes` of the body, then closes.
    pub(crate) fn closing_after(self, bytes: usize) -> Self {
        self.conduct(Conduct::ClosingEarly(bytes))
    }

    /// Resets the connection.
    pub(crate) fn reset(self) -> Self {
        self.conduct(Conduct::Reset)
    }

    /// Sends the body again and again.
    pub(crate) fn endless(self) -> Self {
        self.conduct(Conduct::Endless)
    }

    fn conduct(self, conduct: Conduct) -> Self {
        Self { conduct, ..self }
    }
}

/// Answers in the order in which they are given; the last one stays.
pub(crate) struct Script(Vec<Answer>);

impl From<u16> for Script {
    fn from(code: u16) -> Self {
        Self(vec![status(code)])
    }
}

impl From<Answer> for Script {
    fn from(answer: Answer) -> Self {
        Self(vec![answer])
    }
}

impl Script {
    /// Waits before each answer.
    pub(crate) fn after(self, after: Duration) -> Self {
        Self(self.0.into_iter().map(|answer| answer.after(after)).collect())
    }
}

impl<const N: usize> From<[Answer; N]> for Script {
    fn from(answers: [Answer; N]) -> Self {
        Self(answers.into())
    }
}

impl Origin {
    /// Starts on a free port of 127.0.0.1.
    pub(crate) fn start() -> Self {
        Self::on(Ipv4Addr::LOCALHOST)
    }

    /// Starts on a free port of `address`; each 127.x.y.z is a host of its own.
    pub(crate) fn on(address: impl Into<IpAddr>) -> Self {
        Self::at((address.into(), 0).into())
    }

    /// Starts on a port that was free before.
    pub(crate) fn at(address: SocketAddr) -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let served = Arc::clone(&shared);
        let listener = std::net::TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = loopback::serve_on(listener, move |stream| {
            let mut shared = served.lock().unwrap();
            shared.connections += 1;
            converse(stream, shared.connections, Arc::clone(&served))
        });
        Self { address, shared, _stop: stop }
    }

    /// Sets what `path` answers from now on: a status, an answer, or several in order.
    ///
    /// `path` is with the query if that matters; without it, it stands for every query. `*` stands for all other paths.
    pub(crate) fn answers(&self, path: &str, script: impl Into<Script>) {
        let Script(mut script) = script.into();
        script.reverse();
        self.shared.lock().unwrap().scripts.insert(path.to_owned(), script);
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).expect("a path that begins with a slash")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the requests for `path`, with any query, in order.
    pub(crate) fn requests(&self, path: &str) -> Vec<Seen> {
        let shared = self.shared.lock().unwrap();
        shared.requests.iter().filter(|seen| without_query(&seen.path) == path).cloned().collect()
    }

    /// Everything that was asked, in order.
    pub(crate) fn all_requests(&self) -> Vec<Seen> {
        self.shared.lock().unwrap().requests.clone()
    }

    /// Takes what was asked since the last time, in order.
    pub(crate) fn take_requests(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.lock().unwrap().requests)
    }

    /// Most requests that were under way at once.
    pub(crate) fn running_max(&self) -> usize {
        self.shared.lock().unwrap().running_max
    }
}

/// Serves one connection until either side ends it.
async fn converse(mut stream: TcpStream, connection: usize, shared: Arc<Mutex<Shared>>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    loop {
        let seen = Seen { connection, ..receive(&mut stream).await? };
        let answer = {
            let mut shared = shared.lock().unwrap();
            shared.running += 1;
            shared.running_max = shared.running_max.max(shared.running);
            let answer = next_answer(&mut shared, &seen);
            shared.requests.push(Seen { status: answer.status, ..seen.clone() });
            answer
        };
        let sent = send(&mut stream, &seen, answer).await;
        shared.lock().unwrap().running -= 1;
        sent?;
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Seen> {
    let mut head = Vec::new();
    let end = loop {
        if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let read = stream.read_buf(&mut head).await.ok()?;
        let is_http = head.first().is_some_and(u8::is_ascii_uppercase);
        (read > 0 && is_http).then_some(())?;
    };
    let mut body = head.split_off(end);
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut lines = text.lines();
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into()));
    let seen = Seen {
        method,
        path,
        headers: headers.collect(),
        at: Instant::now(),
        connection: 0,
        head: head.clone(),
        body: String::new(),
        status: 0,
    };
    let length = seen.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length {
        (stream.read_buf(&mut body).await.ok()? > 0).then_some(())?;
    }
    Some(Seen { body: String::from_utf8_lossy(&body).into_owned(), ..seen })
}

fn next_answer(shared: &mut Shared, seen: &Seen) -> Answer {
    let paths = [&*seen.path, without_query(&seen.path)];
    let key = paths.into_iter().find(|path| shared.scripts.contains_key(*path)).unwrap_or("*");
    let script = shared.scripts.get_mut(key);
    let answer = script.and_then(|script| if script.len() > 1 { script.pop() } else { script.first().cloned() });
    let answer = answer.unwrap_or_else(|| status(404));
    if answer.status == 200 && is_unchanged(&answer, seen) { not_modified(&answer) } else { answer }
}

/// RFC 9110 §13.2.2: `If-None-Match` decides alone if it is there.
fn is_unchanged(answer: &Answer, seen: &Seen) -> bool {
    let own = |name: &str| {
        let found = answer.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    };
    match (seen.header("if-none-match"), seen.header("if-modified-since")) {
        (Some(asked), _) => own("etag").is_some_and(|own| own == asked),
        (None, Some(asked)) => own("last-modified").is_some_and(|own| own == asked),
        (None, None) => false,
    }
}

fn not_modified(answer: &Answer) -> Answer {
    let keeps = |name: &str| !name.to_ascii_lowercase().starts_with("content-");
    let headers = answer.headers.iter().filter(|(name, _)| keeps(name)).cloned().collect();
    Answer { headers, conduct: Conduct::Proper, after: answer.after, ..status(304) }
}

/// Sends an answer; `None` when the connection is over.
async fn send(stream: &mut TcpStream, seen: &Seen, answer: Answer) -> Option<()> {
    tokio::time::sleep(answer.after).await;
    if let Some(Gate(gate)) = &answer.gate {
        let _open = gate.acquire().await.ok()?;
    }
    let body = if matches!(answer.conduct, Conduct::Echo) { &seen.head } else { &answer.body };
    let head = head(&answer, body.len());
    let whole = [head.as_slice(), body].concat();
    match answer.conduct {
        Conduct::Proper | Conduct::Echo => stream.write_all(&whole).await.ok(),
        Conduct::Raw => {
            stream.write_all(body).await.ok()?;
            end(stream).await
        }
        Conduct::Dripping(pause) => drip(stream, &whole, pause).await,
        Conduct::DrippingBody(pause) => {
            stream.write_all(&head).await.ok()?;
            drip(stream, body, pause).await
        }
        Conduct::Stalling(bytes) => {
            stream.write_all(&whole[..(head.len() + bytes).min(whole.len())]).await.ok()?;
            std::future::pending().await
        }
        Conduct::ClosingEarly(bytes) => {
            stream.write_all(&whole[..(head.len() + bytes).min(whole.len())]).await.ok()?;
            end(stream).await
        }
        Conduct::Reset => {
            stream.set_zero_linger().ok()?;
            None
        }
        Conduct::Endless => {
            stream.write_all(&head).await.ok()?;
            loop {
                stream.write_all(body).await.ok()?;
            }
        }
    }
}

async fn drip(stream: &mut TcpStream, bytes: &[u8], pause: Duration) -> Option<()> {
    for byte in bytes {
        stream.write_u8(*byte).await.ok()?;
        tokio::time::sleep(pause).await;
    }
    Some(())
}

/// Closes so that the other side reads to the end: what it sent meanwhile would turn the close into a reset.
async fn end(stream: &mut TcpStream) -> Option<()> {
    stream.shutdown().await.ok()?;
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.read_u8()).await;
    None
}

fn head(answer: &Answer, length: usize) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    let says_length = answer
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding"));
    let has_body = !matches!(answer.status, 204 | 304) && !matches!(answer.conduct, Conduct::Endless);
    if has_body && !says_length {
        head.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

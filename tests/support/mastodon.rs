//! A small server with Mastodon's API for statuses, written from its documentation: tokens, limits, idempotency, edits,
//! deletions. It runs on a thread of its own.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::loopback::{self, Stop};

/// The token that may write.
pub(crate) const TOKEN: &str = "a-token-that-may-write";

/// A server with one account.
pub(crate) struct Mastodon {
    address: SocketAddr,
    shared: Arc<Mutex<Account>>,
    _stop: Stop,
}

/// What the account has posted, and how the server is today.
#[derive(Default)]
pub(crate) struct Account {
    /// Statuses by id: text, visibility.
    pub(crate) statuses: BTreeMap<u64, Status>,
    pub(crate) deleted: Vec<u64>,
    keys: BTreeMap<String, u64>,
    next: u64,
    /// Requests for new statuses, answered from the memory of keys or not.
    pub(crate) asked: usize,
    /// Answers to give before all others.
    pub(crate) moods: Vec<Mood>,
    /// Time that each new status takes.
    pub(crate) pace: Duration,
    pub(crate) characters_max: usize,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Status {
    pub(crate) text: String,
    pub(crate) visibility: String,
    pub(crate) language: String,
    pub(crate) edits: usize,
}

/// An answer out of turn.
#[derive(Debug, Clone)]
pub(crate) enum Mood {
    /// This status with these headers and this body.
    Answer(u16, String, String),
    /// The status is kept, and the connection ends without an answer.
    Silence,
}

impl Mastodon {
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Mutex::new(Account { next: 100, characters_max: 500, ..Account::default() }));
        let served = Arc::clone(&shared);
        let (address, stop) =
            loopback::serve(IpAddr::V4(Ipv4Addr::LOCALHOST), move |stream| converse(stream, Arc::clone(&served)));
        Self { address, shared, _stop: stop }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Account) -> T) -> T {
        look(&mut self.shared.lock().unwrap())
    }

    /// The texts of all statuses, in order.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.with(|account| account.statuses.values().map(|status| status.text.clone()).collect())
    }
}

async fn converse(mut stream: TcpStream, shared: Arc<Mutex<Account>>) -> Option<()> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let header = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while bytes.len() < head + length {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
    }
    let body: Value = serde_json::from_slice(&bytes[head..]).unwrap_or_default();
    let mut words = text.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let is_new = method == "POST" && path == "/api/v1/statuses";
    let (mood, pace) = {
        let mut account = shared.lock().unwrap();
        let mood =
            if path.starts_with("/api/v1") && !account.moods.is_empty() { Some(account.moods.remove(0)) } else { None };
        (mood, account.pace)
    };
    if let Some(Mood::Answer(status, headers, body)) = mood {
        return say(&mut stream, status, &headers, &body).await;
    }
    let authorised = header("authorization").is_some_and(|token| token == format!("Bearer {TOKEN}"));
    let (status, answer) = {
        let mut account = shared.lock().unwrap();
        act(&mut account, &method, &path, authorised, header("idempotency-key"), &body)
    };
    if is_new {
        // The status is kept; the answer takes its time.
        tokio::time::sleep(pace).await;
    }
    if matches!(mood, Some(Mood::Silence)) {
        return None;
    }
    say(&mut stream, status, "x-ratelimit-remaining: 299\r\n", &answer.to_string()).await
}

fn act(
    account: &mut Account,
    method: &str,
    path: &str,
    is_authorised: bool,
    key: Option<String>,
    body: &Value,
) -> (u16, Value) {
    if (method, path) == ("GET", "/api/v2/instance") {
        let statuses = json!({ "max_characters": account.characters_max, "characters_reserved_per_url": 23 });
        return (200, json!({ "configuration": { "statuses": statuses } }));
    }
    if !is_authorised {
        return (401, json!({ "error": "The access token is invalid" }));
    }
    let status = Status {
        text: body["status"].as_str().unwrap_or_default().to_owned(),
        visibility: body["visibility"].as_str().unwrap_or_default().to_owned(),
        language: body["language"].as_str().unwrap_or_default().to_owned(),
        edits: 0,
    };
    if matches!(method, "POST" | "PUT") && status.text.is_empty() {
        return (422, json!({ "error": "Validation failed: Text can't be blank" }));
    }
    if status.text.chars().count() > account.characters_max + 400 {
        return (422, json!({ "error": "Validation failed: Text character limit exceeded" }));
    }
    let id: Option<u64> = path.strip_prefix("/api/v1/statuses/").and_then(|id| id.parse().ok());
    match (method, id) {
        ("POST", None) if path == "/api/v1/statuses" => {
            account.asked += 1;
            let known = key.as_ref().and_then(|key| account.keys.get(key)).copied();
            let id = known.unwrap_or_else(|| {
                account.next += 1;
                account.statuses.insert(account.next, status);
                account.next
            });
            if let Some(key) = key {
                account.keys.insert(key, id);
            }
            (200, json!({ "id": id.to_string() }))
        }
        ("PUT", Some(id)) => match account.statuses.get_mut(&id) {
            Some(known) => {
                known.text = status.text;
                known.edits += 1;
                (200, json!({ "id": id.to_string() }))
            }
            None => (404, json!({ "error": "Record not found" })),
        },
        ("DELETE", Some(id)) => match account.statuses.remove(&id) {
            Some(_) => {
                account.deleted.push(id);
                (200, json!({ "id": id.to_string() }))
            }
            None => (404, json!({ "error": "Record not found" })),
        },
        _ => (404, json!({ "error": "Not found" })),
    }
}

async fn say(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> Option<()> {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.ok()
}

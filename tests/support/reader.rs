//! A subscriber of our hub: it confirms what it asked for, and keeps what it is told. It runs on a thread of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::loopback::{self, Stop};

/// A server with one subscriber at each path.
pub(crate) struct Reader {
    address: SocketAddr,
    shared: Arc<Mutex<Shelf>>,
    _stop: Stop,
}

/// What came, and how the subscriber is today.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) asked: Vec<Told>,
    pub(crate) delivered: Vec<Told>,
    /// In place of the challenge.
    pub(crate) reply: Option<(u16, String)>,
    /// Headers of that reply.
    pub(crate) headers: String,
    /// The status of an answer to a delivery, if it is not 200.
    pub(crate) status: Option<u16>,
    /// Time before each answer.
    pub(crate) pace: Duration,
}

/// A request of the hub.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Told {
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Reader {
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shelf::default()));
        let served = Arc::clone(&shared);
        let (address, stop) =
            loopback::serve(IpAddr::V4(Ipv4Addr::LOCALHOST), move |stream| converse(stream, Arc::clone(&served)));
        Self { address, shared, _stop: stop }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Shelf) -> T) -> T {
        look(&mut self.shared.lock().unwrap())
    }
}

async fn converse(mut stream: TcpStream, shared: Arc<Mutex<Shelf>>) -> Option<()> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut told = Told { path: path.to_owned(), query, headers, body: Vec::new() };
    let length: usize = told.header("content-length").parse().unwrap_or(0);
    while bytes.len() < head + length {
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    }
    told.body = bytes[head..].to_vec();
    let (status, extra, body, pace) = {
        let mut shelf = shared.lock().unwrap();
        let (status, body) = if method == "POST" {
            shelf.delivered.push(told.clone());
            (shelf.status.unwrap_or(200), String::new())
        } else {
            shelf.asked.push(told.clone());
            shelf.reply.clone().unwrap_or((200, told.parameter("hub.challenge").to_owned()))
        };
        (status, shelf.headers.clone(), body, shelf.pace)
    };
    tokio::time::sleep(pace).await;
    let answer =
        format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nConnection: close\r\n{extra}\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).await.ok()
}

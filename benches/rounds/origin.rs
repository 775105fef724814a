//! The publishers: one process that answers for all hosts of loopback over HTTP/1.1, with validators and without
//! compression.
//!
//! It reads one word a line on its standard input: `next` gives one feed in ten a new entry. Each order is answered by
//! a line on its standard output; the first line of all is the port.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, RwLock};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use crate::feeds;

/// Starts the process for so many feeds; ends it when dropped.
pub struct Origin {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub urls: Vec<String>,
}

impl Origin {
    pub fn start(count: usize) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--serve", &count.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let orders = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut origin = Self { process, orders, answers, urls: Vec::new() };
        let port = origin.answer();
        origin.urls = (0..count).map(|feed| format!("http://{}:{port}/{feed}", feeds::host(feed))).collect();
        origin
    }

    /// Gives one feed in ten a new entry.
    pub fn next_round(&mut self) {
        writeln!(self.orders, "next").unwrap();
        self.answer();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A document as it is now.
struct Document {
    text: String,
    etag: String,
    modified: String,
}

impl Document {
    fn new(feed: usize, newest: usize, count: usize, today: DateTime<Utc>) -> Self {
        let modified = today - TimeDelta::days(1) + TimeDelta::minutes(i64::try_from(newest).unwrap());
        Self {
            text: feeds::document(feed, newest, count, today),
            etag: format!("\"{feed}-{newest}\""),
            modified: modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        }
    }
}

type Documents = Vec<RwLock<Arc<Document>>>;

/// The process itself.
pub fn serve(count: usize) {
    let today = Utc::now().with_time(NaiveTime::MIN).unwrap();
    let mut newest = vec![feeds::ENTRIES - 1; count];
    let document = |(feed, newest): (usize, &usize)| Document::new(feed, *newest, count, today);
    let documents: Documents = newest.iter().enumerate().map(document).map(Arc::new).map(RwLock::new).collect();
    let documents = Arc::new(documents);
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    std::thread::spawn({
        let documents = Arc::clone(&documents);
        move || accept(&listener, &documents)
    });
    for (round, order) in io::stdin().lines().enumerate() {
        assert_eq!(order.unwrap(), "next");
        for feed in (0..count).filter(|feed| feeds::changes(*feed, round)) {
            newest[feed] += 1;
            *documents[feed].write().unwrap() = Arc::new(document((feed, &newest[feed])));
        }
        println!("done");
    }
}

/// A thread a connection is plain enough: there are as many as the poller opens.
fn accept(listener: &TcpListener, documents: &Arc<Documents>) {
    for stream in listener.incoming() {
        let documents = Arc::clone(documents);
        let answering = std::thread::Builder::new().stack_size(64 << 10).spawn(move || {
            // The poller closes whenever it likes.
            let _ = converse(&stream.unwrap(), &documents);
        });
        answering.unwrap();
    }
}

fn converse(stream: &TcpStream, documents: &Documents) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    while let Some((path, known)) = read_request(&mut reader)? {
        let document = path.trim_start_matches('/').parse().ok().and_then(|feed: usize| documents.get(feed));
        let Some(document) = document.map(|document| Arc::clone(&document.read().unwrap())) else {
            writer.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        };
        let Document { text, etag, modified } = &*document;
        let validators = format!("ETag: {etag}\r\nLast-Modified: {modified}\r\n");
        if known == *etag {
            writer.write_all(format!("HTTP/1.1 304 Not Modified\r\n{validators}\r\n").as_bytes())?;
        } else {
            let length = text.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n{validators}\r\n"
            );
            writer.write_all((head + text).as_bytes())?;
        }
    }
    Ok(())
}

/// Reads the head of a GET: its path, and the tag that it knows. `None` at the end of the connection.
fn read_request(reader: &mut BufReader<impl Read>) -> io::Result<Option<(String, String)>> {
    let (mut path, mut known, mut line) = (None, String::new(), String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match (line.trim_end(), &path) {
            ("", Some(_)) => return Ok(path.map(|path| (path, known))),
            (text, None) => path = Some(text.split(' ').nth(1).unwrap_or_default().to_owned()),
            (text, Some(_)) => {
                let (name, value) = text.split_once(':').unwrap_or_default();
                if name.eq_ignore_ascii_case("if-none-match") {
                    value.trim().clone_into(&mut known);
                }
            }
        }
    }
}

//! Cost of a poll without news beside a bare HTTP client: `cargo bench --bench polls`.
//!
//! A server in a process of its own answers 304 to 1,000 feeds on 1,000 hosts of loopback. Both sides ask for all of them
//! ten times, 32 at once, over connections that stay open; counted is the processor time of this process, on all threads.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark reports to people and may fail")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use veille::config;
use veille::pipeline::{self, Conclusion, Context};
use veille::store::Handle;
use veille::store::sqlite::Sqlite;

const FEEDS: usize = 1000;
const ROUNDS: usize = 10;
const AT_ONCE: usize = 32;

const DOCUMENT: &str =
    "<rss version='2.0'><channel><title>Le site</title><item><guid>1</guid><title>Titre</title></item></channel></rss>";

fn main() {
    if std::env::args().any(|argument| argument == "--serve") {
        return serve();
    }
    let (mut server, port) = start_server();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (bare, ours) = runtime.block_on(async {
        let bare = bare(port).await;
        (bare, ours(port).await)
    });
    server.kill().unwrap();
    server.wait().unwrap();
    let each = |time: Duration| time / u32::try_from(FEEDS * ROUNDS).unwrap();
    println!(
        "a 304: bare {:?}, poll {:?} of processor time: {:.2} times",
        each(bare),
        each(ours),
        ours.as_secs_f64() / bare.as_secs_f64()
    );
}

fn url(port: u16, feed: usize) -> String {
    format!("http://127.1.{}.{}:{port}/{feed}", feed / 200, feed % 200 + 1)
}

/// Runs a job for each feed, some at once, and returns the processor time that this took.
async fn rounds<F: Future<Output = ()>>(rounds: usize, job: impl Fn(usize, usize) -> F) -> Duration {
    let before = processor_time();
    for round in 0..rounds {
        let next = AtomicUsize::new(0);
        let worker = || async {
            loop {
                let feed = next.fetch_add(1, Ordering::Relaxed);
                if feed >= FEEDS {
                    return;
                }
                job(round, feed).await;
            }
        };
        join_all((0..AT_ONCE).map(|_| worker())).await;
    }
    processor_time().saturating_sub(before)
}

async fn bare(port: u16) -> Duration {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = |_, feed| {
        let request = client.get(url(port, feed)).header("if-none-match", "\"v1\"");
        async move { assert_eq!(request.send().await.unwrap().status(), 304) }
    };
    rounds(1, ask).await; // connections
    rounds(ROUNDS, ask).await
}

async fn ours(port: u16) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "[poll]\nallow_networks = [\"127.0.0.0/8\"]\nhost_delay = \"0s\"\n".to_owned();
    for feed in 0..FEEDS {
        write!(text, "[[feed]]\nid = \"feed-{feed}\"\nurl = \"{}\"\n", url(port, feed)).unwrap();
    }
    let config = config::parse(&text, &folder.path().join("config.toml")).unwrap();
    let (store, _) = Handle::new(Box::new(Sqlite::open(&config.store.path).unwrap())).unwrap();
    let context = Arc::new(Context::new(config, store).unwrap());
    let noon: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
    let poll = |first: usize| {
        let context = &context;
        move |round: usize, feed: usize| async move {
            let now = noon + TimeDelta::hours(i64::try_from(first + round).unwrap());
            let source = context.config.sources.get(feed).unwrap();
            let conclusion = pipeline::ask(context, source, true, now).await.unwrap();
            assert!(matches!(conclusion, Conclusion::Kept { is_answer: true, .. }));
        }
    };
    rounds(1, poll(0)).await; // documents
    rounds(ROUNDS, poll(1)).await
}

/// Processor time that all threads of this process have used.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Fields 14 and 15, in hundredths of a second; the second field is a name in brackets.
    let ticks = stat.rsplit(") ").next().unwrap().split(' ').skip(11).take(2);
    Duration::from_millis(ticks.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
}

fn start_server() -> (Child, u16) {
    let mut server = Command::new(std::env::current_exe().unwrap());
    let mut server = server.arg("--serve").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (server, line.trim().parse().unwrap())
}

/// A thread a connection is plain enough for a thousand.
fn serve() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    for stream in listener.incoming() {
        std::thread::Builder::new().stack_size(64 << 10).spawn(|| converse(stream.unwrap())).unwrap();
    }
}

fn converse(mut stream: TcpStream) -> Option<()> {
    let mut head = [0; 2048];
    let mut filled = 0;
    stream.set_nodelay(true).ok()?;
    loop {
        let read = stream.read(head.get_mut(filled..)?).ok().filter(|read| *read > 0)?;
        filled += read;
        let text = String::from_utf8_lossy(head.get(..filled)?).to_ascii_lowercase();
        if !text.ends_with("\r\n\r\n") {
            continue;
        }
        filled = 0;
        let answer = if text.contains("if-none-match") {
            "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n".to_owned()
        } else {
            format!("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: {}\r\n\r\n{DOCUMENT}", DOCUMENT.len())
        };
        stream.write_all(answer.as_bytes()).ok()?;
    }
}

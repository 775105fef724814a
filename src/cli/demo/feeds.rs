//! The made-up feeds, and the publisher that serves them on loopback.
//!
//! `{5 hours ago}` in a feed stands for that time. Comments on a line of their own say in which rounds of polls
//! what follows is part of the feed: `<!-- only in round 1 -->`, `<!-- from round 2 -->`, `<!-- always -->`.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use regex::{Captures, Regex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::feed::Timestamp;
use crate::pipeline::wall_clock;

/// Path, media type and text of each feed.
const FEEDS: [(&str, &str, &str); 6] = [
    ("/ecole.atom", "application/atom+xml", include_str!("ecole.atom")),
    ("/rectorat.rss", "application/rss+xml", include_str!("rectorat.rss")),
    ("/gazette.rss", "application/rss+xml", include_str!("gazette.rss")),
    ("/numerique.json", "application/feed+json", include_str!("numerique.json")),
    ("/parlement.atom", "application/atom+xml", include_str!("parlement.atom")),
    ("/prefecture.rss", "text/html; charset=utf-8", include_str!("prefecture.rss")),
];

/// Longest time for one request.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest head of a request that is read.
const HEAD_BYTES_MAX: usize = 16 << 10;

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static AGO: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\{(\d{1,3}) (minutes|hours|days) ago\}").expect("constant pattern"));

/// Opens the publisher's port, a free one.
pub(super) async fn open_port() -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

/// Serves the feeds of the round until the runtime ends.
pub(super) async fn serve_feeds(listener: TcpListener, round: Arc<AtomicUsize>) {
    // The dates of a feed do not move from poll to poll.
    let began = wall_clock::current();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too few file descriptors: those in use are soon free.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let round = round.load(Ordering::Relaxed);
        tokio::spawn(tokio::time::timeout(PATIENCE, answer(stream, round, began)));
    }
}

/// Answers one request and closes the connection.
async fn answer(stream: TcpStream, round: usize, began: Timestamp) -> std::io::Result<()> {
    let mut stream = BufReader::with_capacity(HEAD_BYTES_MAX, stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && head.len() < HEAD_BYTES_MAX && stream.read_line(&mut head).await? > 0 {}
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (status, media_type, body) = match FEEDS.iter().find(|(known, ..)| *known == path) {
        Some((_, media_type, text)) => ("200 OK", *media_type, feed(text, media_type, round, began)),
        None => ("404 Not Found", "text/plain", "no such feed\n".to_owned()),
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Returns a feed as it is in a round, with its dates.
fn feed(text: &str, media_type: &str, round: usize, began: Timestamp) -> String {
    let mut is_shown = true;
    let mut shown = String::new();
    for line in text.lines() {
        let comment = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->"));
        let number = |text: &str| text.parse::<usize>().unwrap_or_default();
        match comment.map(|comment| (comment.strip_prefix("only in round "), comment.strip_prefix("from round "))) {
            Some((Some(only), _)) => is_shown = number(only) == round,
            Some((None, Some(from))) => is_shown = number(from) <= round,
            Some((None, None)) => is_shown = true,
            None if is_shown => {
                shown.push_str(line);
                shown.push('\n');
            }
            None => {}
        }
    }
    let date = |found: &Captures<'_>| {
        let [number, unit] = [1, 2].map(|at| found.get(at).map_or("", |part| part.as_str()));
        let number = number.parse().unwrap_or_default();
        let age = match unit {
            "minutes" => TimeDelta::minutes(number),
            "hours" => TimeDelta::hours(number),
            _ => TimeDelta::days(number),
        };
        let date = began - age;
        if media_type == "application/rss+xml" { date.to_rfc2822() } else { date.to_rfc3339() }
    };
    AGO.replace_all(&shown, date).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2026-11-28T12:00:00Z".parse().unwrap()
    }

    /// Checks which of the lines `a`, `b`, `c` a round shows.
    #[track_caller]
    fn check(round: usize, expected: &str) {
        let text = "<!-- only in round 1 -->\na\n<!-- from round 2 -->\nb\n<!-- always -->\nc\n";
        assert_eq!(feed(text, "text/xml", round, at()), expected);
    }

    #[test]
    fn comments_say_in_which_rounds_a_part_is_shown() {
        check(1, "a\nc\n");
        check(2, "b\nc\n");
        check(3, "b\nc\n");
    }

    #[test]
    fn dates_are_relative_to_the_start_in_the_form_of_the_format() {
        assert_eq!(feed("{5 hours ago}", "application/rss+xml", 1, at()), "Sat, 28 Nov 2026 07:00:00 +0000\n");
        assert_eq!(feed("{2 days ago}", "application/atom+xml", 1, at()), "2026-11-26T12:00:00+00:00\n");
    }

    #[test]
    fn no_feed_holds_a_place_that_was_not_filled() {
        for (path, media_type, text) in FEEDS {
            for round in 1..=3 {
                let feed = feed(text, media_type, round, at());
                assert!(!feed.contains("ago}") && !feed.contains("round"), "{path}: {feed}");
            }
        }
    }
}

//! Any text where a date belongs, in a zone with summer time.
#![no_main]

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use libfuzzer_sys::fuzz_target;
use veille::parse::{Limits, read};

fuzz_target!(|date: &str| {
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(365 * 60);
    let date = date.replace('&', "").replace('<', "");
    let document = format!("<rss version='2.0'><channel><item><pubDate>{date}</pubDate></item></channel></rss>");
    let feed = read(document.as_bytes(), None, None, Tz::Europe__Paris, &Limits::default(), now);
    let published = feed.ok().and_then(|feed| feed.entries.into_iter().next()).and_then(|entry| entry.published);
    assert!(published.is_none_or(|published| published <= now + TimeDelta::days(1)));
});

//! Tests of the results of [`read`], by dialect and by fault.

mod dialects;
mod faults;
mod hostile;
mod links;
mod media;
mod plain;

use super::*;
use crate::feed::{Entry, Image};

/// Reads a document as it would be polled from `https://site.example/feed` today.
fn read_bytes(bytes: &[u8]) -> Result<Feed, ParseError> {
    let base = Url::parse("https://site.example/feed").unwrap();
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    super::read(bytes, None, Some(&base), Tz::Europe__Paris, &Limits::default(), now)
}

#[track_caller]
fn feed(document: &str) -> Feed {
    read_bytes(document.as_bytes()).unwrap()
}

/// Reads the only entry of an RSS 2.0 feed that holds `fields`.
#[track_caller]
fn item(fields: &str) -> Entry {
    only(feed(&format!(
        "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:media='http://search.yahoo.com/mrss/'>\
         <channel><link>https://site.example/</link><item>{fields}</item></channel></rss>"
    )))
}

/// Reads the only entry of an Atom feed that holds `fields`.
#[track_caller]
fn atom(fields: &str) -> Entry {
    only(feed(&format!("<feed xmlns='http://www.w3.org/2005/Atom'><entry>{fields}</entry></feed>")))
}

#[track_caller]
fn only(feed: Feed) -> Entry {
    let [entry] = <[Entry; 1]>::try_from(feed.entries).unwrap();
    entry
}

/// The value that a test asks for, as text.
#[track_caller]
fn check(value: Option<impl ToString>, expected: &str) {
    assert_eq!(value.map(|value| value.to_string()).unwrap_or_default(), expected);
}

fn codes(feed: &Feed) -> Vec<&str> {
    feed.defects.iter().map(|defect| defect.code.as_str()).collect()
}

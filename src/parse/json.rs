//! JSON Feed 1.0 and 1.1, read by hand: feed-rs refuses a whole document for one number in place of a text.
//!
//! Not read: `next_url` (older entries on further pages), `expired` (no other format has it), and extensions.

mod mend;

use serde_json::{Map, Value};
use url::Url;

use super::media::MediaFile;
use super::repair::DEFECTS_MAX;
use super::{Circumstances, ParseError, cdata, dates, html, scan};
use crate::feed::{Category, Defect, Enclosure, Entry, Feed, Image, Person, Timestamp};

type Object = Map<String, Value>;

/// Reads a document that begins as JSON does.
pub(super) fn read(text: &str, circumstances: Circumstances<'_>) -> Result<Feed, ParseError> {
    let found = |found: &str| ParseError::NotAFeed { found: found.to_owned() };
    let mut defect = None;
    let value = serde_json::from_str(text).or_else(|_| {
        let message = "characters that JSON forbids in strings were replaced".to_owned();
        defect = Some(Defect { code: "characters".to_owned(), message });
        serde_json::from_str(&mend::mend(text))
    });
    let value: Value = value.map_err(|_| found("text that looks like JSON and is none"))?;
    let Value::Object(document) = value else { return Err(found("JSON that is no JSON Feed")) };
    let version = string(&document, "version").unwrap_or_default();
    let Some(Value::Array(items)) = document.get("items") else { return Err(found("JSON that is no JSON Feed")) };
    let mut feed = read_feed(&document, circumstances.base);
    feed.defects.extend(defect);
    feed.format = String::from(if version.ends_with("/1") { "json10" } else { "json11" });
    if items.len() > circumstances.limits.entries_max {
        let message = "the rest of the document was not read: it holds too much".to_owned();
        feed.defects.push(Defect { code: "too_large".to_owned(), message });
    }
    let items = items.iter().filter_map(Value::as_object).take(circumstances.limits.entries_max);
    let entries = items.map(|item| read_entry(item, &mut feed, circumstances)).collect();
    feed.entries = entries;
    Ok(feed)
}

fn read_feed(document: &Object, base: Option<&Url>) -> Feed {
    let hubs = document.get("hubs").and_then(Value::as_array).into_iter().flatten();
    Feed {
        title: string(document, "title").map(|title| html::plain_line(&title)),
        url: address(document, "home_page_url", base),
        self_url: address(document, "feed_url", base),
        description: string(document, "description").map(|text| html::plain_line(&text)),
        language: string(document, "language"),
        authors: authors(document),
        hubs: hubs.filter_map(|hub| address(hub.as_object()?, "url", base)).collect(),
        ..Feed::default()
    }
}

fn read_entry(item: &Object, feed: &mut Feed, circumstances: Circumstances<'_>) -> Entry {
    let base = feed.url.as_ref().or(circumstances.base);
    let url = address(item, "url", base).or_else(|| address(item, "external_url", base));
    let base = url.clone().or_else(|| base.cloned());
    let mut authors = authors(item);
    if authors.is_empty() {
        authors.clone_from(&feed.authors);
    }
    let attachments = item.get("attachments").and_then(Value::as_array).into_iter().flatten();
    let tags = item.get("tags").and_then(Value::as_array).into_iter().flatten();
    Entry {
        id: string(item, "id"),
        title: string(item, "title").map(|title| html::plain_line(&title)),
        summary: string(item, "summary").map(|text| html::paragraphs(&text)),
        content: string(item, "content_html")
            .map(|text| cdata::unwrap(text.into()).into_owned())
            .or_else(|| string(item, "content_text").map(|text| html::paragraphs(&text))),
        published: date(item, "date_published", feed, circumstances),
        updated: date(item, "date_modified", feed, circumstances),
        authors,
        categories: tags
            .filter_map(text)
            .map(|tag| Category { term: html::open_line(&tag), ..Category::default() })
            .collect(),
        image: ["image", "banner_image"].iter().find_map(|key| address(item, key, base.as_ref())).map(Image::from),
        enclosures: attachments.filter_map(|file| enclosure(file.as_object()?, base.as_ref())).collect(),
        language: string(item, "language").or_else(|| feed.language.clone()),
        base,
        url,
        ..Entry::default()
    }
}

/// Reads version 1.1's `authors`, else version 1.0's `author`.
fn authors(object: &Object) -> Vec<Person> {
    let listed = object.get("authors").and_then(Value::as_array).into_iter().flatten();
    let authors = listed.chain(object.get("author")).filter_map(Value::as_object);
    let mut persons: Vec<Person> = Vec::new();
    for author in authors {
        let name = string(author, "name").map(|name| html::open_line(&name));
        let (email, uri) = match string(author, "url") {
            // JSON Feed has no other place for it.
            Some(url) if url.starts_with("mailto:") => (Some(url.trim_start_matches("mailto:").to_owned()), None),
            url => (None, url),
        };
        let person = Person { name, email, uri };
        if person != Person::default() && !persons.contains(&person) {
            persons.push(person);
        }
    }
    persons
}

fn enclosure(file: &Object, base: Option<&Url>) -> Option<Enclosure> {
    let length = file.get("size_in_bytes").and_then(Value::as_u64);
    let MediaFile { url, media_type, .. } =
        MediaFile::new(address(file, "url", base)?, string(file, "mime_type").as_deref(), None);
    Some(Enclosure { url, media_type, length, title: string(file, "title").map(|title| html::plain_line(&title)) })
}

fn date(item: &Object, key: &str, feed: &mut Feed, circumstances: Circumstances<'_>) -> Option<Timestamp> {
    let dates::DateRead { date, defect } = dates::read_date(&string(item, key)?, circumstances.zone, circumstances.now);
    if let Some(defect) = defect
        && feed.defects.len() < DEFECTS_MAX
        && !feed.defects.contains(&defect)
    {
        feed.defects.push(defect);
    }
    date
}

fn address(object: &Object, key: &str, base: Option<&Url>) -> Option<Url> {
    scan::resolve(&string(object, key)?, base)
}

fn string(object: &Object, key: &str) -> Option<String> {
    object.get(key).and_then(text)
}

/// Publishers write numbers where texts belong.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

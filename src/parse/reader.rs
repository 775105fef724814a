//! The only home of `feed_rs`: it reads the repaired document, behind a wall.
//!
//! feed-rs 3.0.0 panics on some texts and overflows a small stack on nested media groups, which nothing can catch. The
//! repaired document gives it no occasion: no element of it is deeper than the fourth level, whatever the publisher nests,
//! so any thread has the stack for it. The wall stands for what nobody has found yet.

use std::panic::catch_unwind;

use feed_rs::model;
use feed_rs::parser::{Builder, ParseFeedError};
use url::Url;

use super::ParseError;
use super::repair::{DEFECTS_MAX, Repaired};
use crate::feed::{Category, Defect, Enclosure, Entry, Feed, Person, Timestamp};

/// Reads a repaired document; an entry that feed-rs cannot read is left out and noted, the others live.
pub(super) fn read(mut repaired: Repaired) -> Result<Feed, ParseError> {
    let read = match parse(&repaired.document) {
        Ok(read) if read.entries.len() == repaired.entries.len() => read,
        Ok(_) | Err(_) => read_each(&mut repaired).map_err(|reason| ParseError::Unreadable { reason })?,
    };
    let mut feed = repaired.feed;
    fill_feed(&mut feed, read);
    Ok(feed)
}

/// Reads each entry alone, and takes out of the feed those that cannot be read.
fn read_each(repaired: &mut Repaired) -> Result<model::Feed, String> {
    let Repaired { document, entries, feed } = repaired;
    let head = document.get(..entries.first().map_or(document.len(), |first| first.start)).unwrap_or_default();
    let mut read = parse(&format!("{}</feed>", head.trim_end_matches("</feed>")))?;
    let mut kept = Vec::new();
    for (range, entry) in entries.iter().zip(std::mem::take(&mut feed.entries)) {
        let text = document.get(range.clone()).unwrap_or_default();
        match parse(&format!("<feed xmlns=\"http://www.w3.org/2005/Atom\">{text}</feed>")) {
            Ok(alone) if alone.entries.len() == 1 => {
                read.entries.extend(alone.entries);
                kept.push(entry);
            }
            failed => {
                let reason = failed.err().unwrap_or_else(|| "it is not one entry".to_owned());
                feed.defects
                    .push(Defect { code: "entry".to_owned(), message: format!("an entry was left out: {reason}") });
            }
        }
    }
    feed.entries = kept;
    feed.defects.truncate(DEFECTS_MAX * 2);
    Ok(read)
}

fn parse(document: &str) -> Result<model::Feed, String> {
    let parsed = catch_unwind(|| {
        let builder = Builder::new()
            .sanitize_content(false)
            .id_generator(|_, _, _| String::new()) // an id that is not in the document is none
            .timestamp_parser(|text| text.parse::<Timestamp>().ok());
        builder.build().parse(document.as_bytes())
    });
    match parsed {
        Ok(read) => read.map_err(|error: ParseFeedError| error.to_string()),
        Err(_) => Err("the reader panicked".to_owned()),
    }
}

fn fill_feed(feed: &mut Feed, read: model::Feed) {
    feed.title = read.title.and_then(text);
    feed.description = read.description.and_then(text);
    feed.rights = read.rights.and_then(text);
    feed.id = filled(read.id);
    feed.updated = read.updated;
    feed.generator = read.generator.and_then(|generator| filled(generator.content));
    feed.url = links(&read.links, "alternate").next();
    feed.self_url = links(&read.links, "self").next();
    feed.hubs = links(&read.links, "hub").collect();
    feed.authors = read.authors.into_iter().map(person).collect();
    for (entry, read) in feed.entries.iter_mut().zip(read.entries) {
        fill_entry(entry, read);
        if entry.authors.is_empty() {
            entry.authors.clone_from(&feed.authors);
        }
    }
}

fn fill_entry(entry: &mut Entry, read: model::Entry) {
    entry.id = filled(read.id);
    entry.url = links(&read.links, "alternate").next();
    entry.enclosures = enclosures(&read.links);
    entry.title = read.title.and_then(text);
    entry.summary = read.summary.and_then(text);
    entry.content = read.content.and_then(|content| content.body).and_then(filled);
    entry.published = read.published;
    entry.updated = read.updated;
    entry.rights = read.rights.and_then(text);
    entry.authors = read.authors.into_iter().map(person).collect();
    entry.categories = read.categories.into_iter().map(category).collect();
}

fn text(text: model::Text) -> Option<String> {
    filled(text.content)
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn links<'l>(links: &'l [model::Link], rel: &'l str) -> impl Iterator<Item = Url> + 'l {
    links.iter().filter(move |link| link.rel.as_deref() == Some(rel)).filter_map(|link| Url::parse(&link.href).ok())
}

fn enclosures(links: &[model::Link]) -> Vec<Enclosure> {
    let enclosures = links.iter().filter(|link| link.rel.as_deref() == Some("enclosure"));
    let read = |link: &model::Link| {
        Some(Enclosure {
            url: Url::parse(&link.href).ok()?,
            media_type: link.media_type.clone(),
            length: link.length,
            title: link.title.clone(),
        })
    };
    enclosures.filter_map(read).collect()
}

fn person(person: model::Person) -> Person {
    Person { name: person.name.filter(|name| !name.is_empty()), email: person.email, uri: person.uri }
}

fn category(category: model::Category) -> Category {
    Category { term: category.term, scheme: category.scheme, label: category.label }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads three entries of which the second holds `faulty`; only the others may come out.
    #[track_caller]
    fn check(faulty: &str, reason: &str) {
        let mut document = String::from("<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>T</title>");
        let mut entries = Vec::new();
        for entry in ["<title>A</title>", faulty, "<title>C</title>"] {
            let start = document.len();
            document.extend(["<entry>", entry, "</entry>"]);
            entries.push(start..document.len());
        }
        document.push_str("</feed>");
        let feed = Feed { entries: vec![Entry::default(); 3], ..Feed::default() };
        let feed = read(Repaired { document, entries, feed }).unwrap();
        assert_eq!(feed.title.as_deref(), Some("T"));
        assert_eq!(feed.entries.iter().filter_map(|entry| entry.title.as_deref()).collect::<Vec<_>>(), ["A", "C"]);
        assert_eq!(feed.defects[0].message, format!("an entry was left out: {reason}"));
    }

    #[test]
    fn an_entry_that_feed_rs_refuses_is_left_out() {
        check(
            "<title type=\"nonsense\">B</title>",
            "unable to parse feed: unsupported content type nonsense at position 72",
        );
    }

    #[test]
    fn an_entry_on_which_feed_rs_panics_is_left_out() {
        let media = "<m:thumbnail xmlns:m=\"http://search.yahoo.com/mrss/\" url=\"x\" time=\"99999999999999999999\"/>";
        check(media, "the reader panicked");
    }
}

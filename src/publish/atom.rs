//! Topics as Atom 1.0 (RFC 4287). The home of `atom_syndication`.
//!
//! That crate writes what it is given, illegal characters and foreign XHTML included, so it is given legal strings and
//! `type="html"` only. It cannot write attributes of other namespaces on links, hence `thr:total` (RFC 4685 §5) on the
//! entry and no `thr:count` on its `replies` link.

use std::collections::BTreeMap;

use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{Category, Content, Entry, Feed, Generator, Link, Person, Source, Text, WriteConfig};

use crate::feed;
use crate::publish::channel::Channel;
use crate::publish::item::Item;
use crate::publish::{Edition, Format, Representation, dates, legal};

const ATOM: &str = "application/atom+xml";
const THREADS: &str = "http://purl.org/syndication/thread/1.0";

/// Renders a topic's main document, `/{topic}.atom`.
pub(super) fn topic(edition: &Edition<'_>, channel: &Channel) -> Representation {
    let mut links = vec![
        link("self", channel.address("atom"), Some(ATOM.to_owned()), None),
        link("alternate", channel.page.clone(), Some("text/html".to_owned()), None),
    ];
    links.extend(edition.settings.hubs.iter().map(|hub| link("hub", legal::iri(hub.as_str()), None, None)));
    let has_threads = channel.items.iter().any(|item| item.comments.count.is_some());
    let updated = channel.items.iter().map(updated).max().unwrap_or(channel.updated);
    let document = Feed {
        // The address is the id: whoever moves the site moves its readers in any case, and it says where it is from.
        id: channel.address("atom"),
        title: text(&channel.title),
        subtitle: channel.description.as_deref().map(text),
        updated: updated.fixed_offset(),
        authors: vec![person(&channel.publisher)],
        links,
        generator: Some(Generator {
            value: env!("CARGO_PKG_NAME").to_owned(),
            uri: None,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
        lang: Some(channel.language.to_owned()),
        namespaces: has_threads.then(|| ("thr".to_owned(), THREADS.to_owned())).into_iter().collect(),
        entries: channel.items.iter().map(entry).collect(),
        ..Feed::default()
    };
    Representation::new(channel.path("atom"), Format::Atom, write(&document), updated)
}

fn write(document: &Feed) -> Vec<u8> {
    let config = WriteConfig { write_document_declaration: false, indent_size: Some(1) };
    let declaration = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_vec();
    #[expect(clippy::expect_used, reason = "the only errors are those of the writer, and a Vec has none")]
    document.write_with_config(declaration, config).expect("a Vec takes every byte")
}

fn updated(item: &Item) -> feed::Timestamp {
    dates::told_apart(item.updated, &item.id)
}

fn entry(item: &Item) -> Entry {
    // RFC 4287 §4.1.2: an entry without content needs an alternate link; the validator wants a text beside it.
    let (summary, content) = match (&item.summary, &item.content) {
        (None, None) => (None, Some(escape(&item.title))),
        (Some(summary), None) if item.url.is_none() => (None, Some(summary.clone())),
        (summary, content) => (summary.clone(), content.clone()),
    };
    Entry {
        id: item.id.clone(),
        title: Text { lang: item.language.clone(), ..text(&item.title) },
        updated: updated(item).fixed_offset(),
        published: Some(item.published.fixed_offset()),
        authors: item.authors.iter().map(person).collect(),
        categories: item.categories.iter().map(category).collect(),
        links: links(item),
        rights: item.rights.as_deref().map(text),
        source: Some(source(item)),
        summary: summary.map(|html| Text { lang: item.language.clone(), ..Text::html(html) }),
        content: content.map(|html| Content {
            lang: item.language.clone(),
            value: Some(html),
            content_type: Some("html".to_owned()),
            ..Content::default()
        }),
        extensions: item.comments.count.map(total).unwrap_or_default(),
        ..Entry::default()
    }
}

fn links(item: &Item) -> Vec<Link> {
    let mut links = Vec::new();
    if let Some(url) = &item.url {
        links.push(Link { hreflang: item.language.clone(), ..link("alternate", url.clone(), None, None) });
    }
    links.extend(item.related.iter().map(|other| link("related", other.url.clone(), None, other.title.clone())));
    links.extend(item.via.iter().map(|via| link("via", via.url.clone(), None, via.title.clone())));
    // RFC 4685 §4: without a type, a `replies` link would mean Atom.
    let page = item.comments.url.as_ref().and_then(legal::link);
    links.extend(page.map(|url| link("replies", url, Some("text/html".to_owned()), None)));
    let feed = item.comments.feed.as_ref().and_then(legal::link);
    links.extend(feed.map(|url| {
        let media_type = if url.contains("atom") { ATOM } else { "application/rss+xml" };
        link("replies", url, Some(media_type.to_owned()), None)
    }));
    links.extend(item.enclosures.iter().map(|file| Link {
        length: file.length.map(|bytes| bytes.to_string()),
        ..link("enclosure", legal::iri(file.url.as_str()), file.media_type.clone(), None)
    }));
    links
}

/// The feed that an entry comes from, as it was when we took the entry (RFC 4287 §4.2.11).
///
/// Its date is the entry's: many feeds date themselves at every request, and each such date would change our bytes.
fn source(item: &Item) -> Source {
    let source = &item.source;
    let mut links = Vec::new();
    links.extend(source.url.as_ref().map(|url| link("self", url.clone(), None, None)));
    links.extend(source.site.as_ref().map(|url| link("alternate", url.clone(), None, None)));
    Source {
        id: source.id.clone(),
        title: text(&source.title),
        updated: item.updated.fixed_offset(),
        authors: source.authors.iter().map(person).collect(),
        links,
        rights: source.rights.as_deref().map(text),
        ..Source::default()
    }
}

fn link(rel: &str, href: String, mime_type: Option<String>, title: Option<String>) -> Link {
    Link { rel: rel.to_owned(), href, mime_type, title, ..Link::default() }
}

fn person(person: &feed::Person) -> Person {
    Person {
        name: person.name.clone().unwrap_or_default(),
        email: person.email.clone(),
        uri: person.uri.clone(),
        ..Person::default()
    }
}

fn category(category: &feed::Category) -> Category {
    Category { term: category.term.clone(), scheme: category.scheme.clone(), label: category.label.clone() }
}

/// Plain text, written so that readers which take everything for HTML show it right too.
fn text(line: &str) -> Text {
    if legal::is_like_markup(line) { Text::html(escape(line)) } else { Text::plain(line) }
}

/// Plain text as HTML.
fn escape(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `thr:total`: how many comments there are.
fn total(count: u64) -> ExtensionMap {
    let total = Extension { name: "thr:total".to_owned(), value: Some(count.to_string()), ..Extension::default() };
    BTreeMap::from([("thr".to_owned(), BTreeMap::from([("total".to_owned(), vec![total])]))])
}

#[cfg(test)]
mod tests;

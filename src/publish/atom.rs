//! Topics as Atom 1.0 (RFC 4287). The home of `atom_syndication`.
//!
//! That crate writes what it is given, illegal characters and foreign XHTML included, so it is given legal strings and
//! `type="html"` only. It cannot write attributes of other namespaces on links, so `replies` links are written as
//! extension elements of Atom's own namespace: they come out the same (see [`replies`]).

mod sources;

use std::collections::BTreeMap;

use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{Category, Content, Entry, Feed, Generator, Link, Person, Source, Text, WriteConfig};
use chrono::SecondsFormat;

use crate::feed::{self, Comments};
use crate::publish::archive::{self, Volume};
use crate::publish::channel::Channel;
use crate::publish::footer::full_texts_with_footer;
use crate::publish::item::Item;
use crate::publish::tombstone::Gone;
use crate::publish::{Edition, Format, Representation, dates, icon_paths, legal};
use crate::story::Month;

const ATOM: &str = "application/atom+xml";
const HTML: &str = "text/html";
const THREADS: &str = "http://purl.org/syndication/thread/1.0";
/// RFC 5005.
const HISTORY: &str = "http://purl.org/syndication/history/1.0";
/// RFC 6721.
const TOMBSTONES: &str = "http://purl.org/atompub/tombstones/1.0";
/// Its `ratingValue` tells how well an entry fits the topic. A namespace of our own would be unknown to validators.
const SCHEMA: &str = "https://schema.org/";

pub(super) use sources::sources;

/// Renders a topic's main document, `/{topic}.atom`.
pub(super) fn topic(edition: &Edition<'_>, channel: &Channel) -> Representation {
    let mut links = vec![own(channel.address("atom")), link("alternate", channel.page.clone(), Some(HTML), None)];
    links.extend(edition.announced_hubs().map(|hub| link("hub", hub, None, None)));
    links.extend(channel.before.map(|month| volume_link(channel, "prev-archive", month)));
    let generator = Generator {
        value: env!("CARGO_PKG_NAME").to_owned(),
        uri: None,
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
    };
    let mut facts = Facts::default();
    channel.items.iter().for_each(|item| facts.add(item));
    let entries = channel.items.iter().map(entry).collect();
    let document = Feed { generator: Some(generator), entries, ..feed(channel, links, &facts) };
    represent(channel.path("atom"), &document)
}

/// The facts about its entries that the head of a document needs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    /// The newest date among them.
    updated: Option<feed::Timestamp>,
    /// Whether one of them tells of its thread.
    has_threads: bool,
}

impl Facts {
    /// Learns of an item.
    pub(super) fn add(&mut self, item: &Item) {
        self.updated = self.updated.max(Some(updated(item)));
        self.has_threads |= item.comments.count.is_some() || item.comments.updated.is_some();
    }

    /// Whether there is no item at all.
    pub(super) fn is_empty(&self) -> bool {
        self.updated.is_none()
    }
}

/// Renders what stands before and after the entries in a volume of a topic's archive, `/{topic}/archive/{month}.atom`.
///
/// Without generator: another version of it must not change what is over.
pub(super) fn volume(channel: &Channel, volume: &Volume<'_>, facts: &Facts) -> (Vec<u8>, Vec<u8>) {
    let path = archive::path(&channel.id, volume.month, Format::Atom);
    let page = archive::path(&channel.id, volume.month, Format::Page);
    let mut links = vec![
        own(channel.at(&path)),
        link("alternate", channel.at(&page), Some(HTML), None),
        link("current", channel.address("atom"), Some(ATOM), None),
    ];
    links.extend(volume.previous.map(|month| volume_link(channel, "prev-archive", month)));
    links.extend(volume.next.map(|month| volume_link(channel, "next-archive", month)));
    let mut document = feed(channel, links, facts);
    document.namespaces.insert("fh".to_owned(), HISTORY.to_owned());
    let archive = element("fh:archive", String::new());
    document.extensions.insert("fh".to_owned(), BTreeMap::from([("archive".to_owned(), vec![archive])]));
    // An empty entry shows where the others belong.
    document.entries.push(Entry::default());
    let (head, _, tail) = around_entries(write(&document));
    (head, tail)
}

/// Renders an item as it stands among others in a volume.
pub(super) fn part(item: &Item) -> Vec<u8> {
    around_entries(write(&Feed { entries: vec![entry(item)], ..Feed::default() })).1
}

/// Splits a document into what stands before its entries, the entries, and what stands after them.
///
/// In texts and attributes `<` is escaped, so these marks are tags.
fn around_entries(mut document: Vec<u8>) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (first, last) = (b"\n <entry>", b"</entry>");
    let end = document.windows(last.len()).rposition(|part| part == last).map_or(document.len(), |at| at + last.len());
    let start = document.windows(first.len()).position(|part| part == first).unwrap_or(end);
    let tail = document.split_off(end);
    let entries = document.split_off(start);
    (document, entries, tail)
}

fn feed(channel: &Channel, links: Vec<Link>, facts: &Facts) -> Feed {
    let threads = facts.has_threads.then(|| ("thr".to_owned(), THREADS.to_owned()));
    let schema = (!facts.is_empty()).then(|| ("schema".to_owned(), SCHEMA.to_owned()));
    let tombstones = (!channel.gone.is_empty()).then(|| ("at".to_owned(), TOMBSTONES.to_owned()));
    let deleted = tombstones.as_ref().map(|_| channel.gone.iter().map(deleted_entry).collect());
    let [_, icon, _, logo] = &icon_paths(&channel.id);
    let dates = facts.updated.into_iter().chain(channel.gone.iter().map(|gone| gone.date));
    Feed {
        // The address is the id: whoever moves the site moves its readers in any case, and it says where it is from.
        id: channel.address("atom"),
        title: text(&channel.title),
        subtitle: channel.description.as_deref().map(text),
        updated: dates.max().unwrap_or(channel.updated).fixed_offset(),
        authors: vec![person(&channel.publisher)],
        links,
        icon: Some(channel.at(icon)),
        logo: Some(channel.at(logo)),
        lang: Some(channel.language.to_owned()),
        namespaces: threads.into_iter().chain(schema).chain(tombstones).collect(),
        extensions: deleted
            .map(|elements| ("at".to_owned(), BTreeMap::from([("deleted-entry".to_owned(), elements)])))
            .into_iter()
            .collect(),
        ..Feed::default()
    }
}

fn represent(path: String, document: &Feed) -> Representation {
    Representation::new(path, Format::Atom, write(document))
}

fn own(address: String) -> Link {
    link("self", address, Some(ATOM), None)
}

fn volume_link(channel: &Channel, rel: &str, month: Month) -> Link {
    link(rel, channel.at(&archive::path(&channel.id, month, Format::Atom)), Some(ATOM), None)
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
    let (summary, content) = match full_texts_with_footer(item) {
        (None, None) => (None, Some(escape(&item.title))),
        (Some(summary), None) if item.url.is_none() => (None, Some(summary)),
        texts => texts,
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
        extensions: extensions(item),
        ..Entry::default()
    }
}

/// The page, who else told it (`via`), earlier news on the same subject (`related`), files (RFC 4287 §4.2.7.2).
///
/// A story's text and tags are from its tellings, so `via` is right for them; readers can tell both kinds apart.
fn links(item: &Item) -> Vec<Link> {
    let mut links = Vec::new();
    if let Some(url) = &item.url {
        links.push(Link { hreflang: item.language.clone(), ..link("alternate", url.clone(), None, None) });
    }
    let via = item.elsewhere.iter().chain(&item.via).map(|other| ("via", other));
    let related = item.related.iter().map(|other| ("related", other));
    links.extend(via.chain(related).map(|(rel, other)| link(rel, other.url.clone(), None, other.title.clone())));
    links.extend(item.enclosures.iter().map(|file| Link {
        length: file.length.map(|bytes| bytes.to_string()),
        ..link("enclosure", legal::iri(file.url.as_str()), file.media_type.as_deref(), file.title.clone())
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

fn link(rel: &str, href: String, mime_type: Option<&str>, title: Option<String>) -> Link {
    Link { rel: rel.to_owned(), href, mime_type: mime_type.map(str::to_owned), title, ..Link::default() }
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

/// Plain text as HTML, or a value that the crate writes as it stands.
fn escape(text: &str) -> String {
    html_escape::encode_text(text).into_owned()
}

/// Returns the elements of an entry that Atom itself does not define.
fn extensions(item: &Item) -> ExtensionMap {
    let mut extensions = ExtensionMap::new();
    let mut add = |prefix: &str, name: &str, elements: Vec<Extension>| {
        if !elements.is_empty() {
            extensions.entry(prefix.to_owned()).or_default().insert(name.to_owned(), elements);
        }
    };
    add("", "link", replies(&item.comments));
    let total = item.comments.count.map(|count| element("thr:total", count.to_string()));
    add("thr", "total", total.into_iter().collect());
    add("schema", "ratingValue", vec![element("schema:ratingValue", item.score.to_string())]);
    extensions
}

/// `replies` links with `thr:count` and `thr:updated` (RFC 4685 §4), which the crate's links cannot carry.
fn replies(comments: &Comments) -> Vec<Extension> {
    // Without a type, a `replies` link would mean Atom.
    let page = comments.url.as_ref().and_then(legal::link).map(|url| (url, HTML));
    let feed = comments.feed.as_ref().and_then(legal::link).map(|url| {
        let media_type = if url.contains("atom") { ATOM } else { "application/rss+xml" };
        (url, media_type)
    });
    let link = |(url, media_type): (String, &str)| {
        let count = comments.count.map(|count| ("thr:count", count.to_string()));
        let updated = comments.updated.map(|date| ("thr:updated", date.to_rfc3339_opts(SecondsFormat::Secs, true)));
        let known = [("rel", "replies".to_owned()), ("href", escape(&url)), ("type", media_type.to_owned())];
        let attributes = known.into_iter().chain(count).chain(updated).map(|(name, value)| (name.to_owned(), value));
        // A text, though empty: without one the writer would put a line break inside.
        Extension {
            name: "link".to_owned(),
            attrs: attributes.collect(),
            value: Some(String::new()),
            ..Extension::default()
        }
    };
    page.into_iter().chain(feed).map(link).collect()
}

/// A story that is gone (RFC 6721 §3).
///
/// The W3C validator does not know the namespace and warns of it. Readers that know it delete the entry, others ignore it.
fn deleted_entry(gone: &Gone) -> Extension {
    let when = gone.date.to_rfc3339_opts(SecondsFormat::Secs, true);
    Extension {
        name: "at:deleted-entry".to_owned(),
        attrs: BTreeMap::from([("ref".to_owned(), escape(&gone.id)), ("when".to_owned(), when)]),
        children: BTreeMap::from([("comment".to_owned(), vec![element("at:comment", gone.comment.clone())])]),
        ..Extension::default()
    }
}

fn element(name: &str, value: String) -> Extension {
    Extension { name: name.to_owned(), value: Some(value), ..Extension::default() }
}

#[cfg(test)]
mod tests;

//! Lists of feeds as OPML 2.0: our topics to subscribe to, and the sources that they are made from.

use std::borrow::Cow;

use crate::publish::channel::{Channel, publisher};
use crate::publish::xml::Xml;
use crate::publish::{Edition, Format, Representation, item, legal};

/// A feed of a list.
struct ListedFeed {
    title: String,
    feed: String,
    page: Option<String>,
    language: Option<String>,
}

/// A source as `veille export` lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscription {
    /// For people.
    pub title: String,
    /// The address of its feed.
    pub url: String,
    /// The site.
    pub page: Option<String>,
    /// The operator's tags for it; the first is its folder.
    pub tags: Vec<String>,
}

/// Renders a list of sources for other readers: a folder for each first tag, all tags as categories (OPML 2.0).
#[must_use]
pub fn subscriptions(title: &str, sources: &[Subscription]) -> Vec<u8> {
    let mut xml = Xml::new();
    xml.parent("opml", &[("version", "2.0")], |xml| {
        xml.parent("head", &[], |xml| xml.optional("title", Some(&legal::characters(title))));
        xml.parent("body", &[], |xml| {
            let mut folders: Vec<&str> = Vec::new();
            for folder in sources.iter().filter_map(|source| source.tags.first()) {
                if !folders.contains(&folder.as_str()) {
                    folders.push(folder);
                }
            }
            for folder in folders {
                let name = legal::characters(folder);
                xml.parent("outline", &[("text", &name), ("title", &name)], |xml| {
                    sources
                        .iter()
                        .filter(|source| source.tags.first().is_some_and(|tag| tag == folder))
                        .for_each(|source| subscription(xml, source));
                });
            }
            sources.iter().filter(|source| source.tags.is_empty()).for_each(|source| subscription(xml, source));
        });
    });
    xml.into_bytes()
}

fn subscription(xml: &mut Xml, source: &Subscription) {
    let tags = source.tags.iter().map(|tag| category(tag)).collect::<Vec<_>>().join(",");
    let (title, tags) = (legal::characters(&source.title), legal::characters(&tags));
    let page = source.page.as_deref().map(|page| ("htmlUrl", page));
    let tags = (!tags.is_empty()).then_some(("category", tags.as_ref()));
    let known = [("type", "rss"), ("text", title.as_ref()), ("title", title.as_ref()), ("xmlUrl", &source.url)];
    xml.empty("outline", &known.into_iter().chain(page).chain(tags).collect::<Vec<_>>());
}

/// Writes a tag as a member of `category`, where a comma parts members and a slash levels: between quotation marks, if it
/// would be read as another one.
fn category(tag: &str) -> Cow<'_, str> {
    let is_plain = !tag.contains([',', '"']) && tag.trim().trim_matches('/') == tag;
    if is_plain { Cow::Borrowed(tag) } else { Cow::Owned(format!("\"{}\"", tag.replace('"', "\"\""))) }
}

/// Renders `/opml.xml`: every topic.
pub(super) fn topics(edition: &Edition<'_>, channels: &[Channel]) -> Representation {
    let outline = |channel: &Channel| ListedFeed {
        feed: channel.address("atom"),
        title: channel.title.clone(),
        page: Some(channel.page.clone()),
        language: Some(channel.language.to_owned()),
    };
    list(edition, "/opml.xml", channels.iter().map(outline))
}

/// Renders `/sources.opml`: every source that is polled and not private.
pub(super) fn sources(edition: &Edition<'_>) -> Representation {
    let polled = edition.sources.iter().filter(|(_, credit)| credit.is_polled && !credit.is_private());
    let outlines = polled.map(|(id, credit)| {
        let source = item::attribution(edition, id);
        ListedFeed {
            title: source.title,
            feed: legal::iri(credit.url.as_str()),
            page: source.site,
            language: credit.about.language.as_deref().and_then(legal::language_code),
        }
    });
    list(edition, "/sources.opml", outlines)
}

fn list(edition: &Edition<'_>, path: &str, outlines: impl Iterator<Item = ListedFeed>) -> Representation {
    let owner = publisher(edition);
    let mut xml = Xml::new();
    xml.parent("opml", &[("version", "2.0")], |xml| {
        xml.parent("head", &[], |xml| {
            xml.optional("title", owner.name.as_deref());
            xml.optional("ownerEmail", owner.email.as_deref());
            xml.optional("ownerId", owner.uri.as_deref());
        });
        xml.parent("body", &[], |xml| {
            for ListedFeed { title, feed, page, language } in outlines {
                let page = page.as_deref().map(|page| ("htmlUrl", page));
                let language = language.as_deref().map(|language| ("language", language));
                let known = [("type", "rss"), ("text", &title), ("title", &title), ("xmlUrl", &feed)];
                xml.empty("outline", &known.into_iter().chain(page).chain(language).collect::<Vec<_>>());
            }
        });
    });
    // A list says nothing of when it changed; whoever serves it knows when its bytes did.
    Representation::new(path.to_owned(), Format::Opml, xml.into_bytes())
}

#[cfg(test)]
mod tests;

//! Topics as RSS 2.0 (as the RSS Advisory Board keeps it), with the modules that readers know.

use chrono::SecondsFormat;

use crate::feed::{Category, Timestamp};
use crate::publish::channel::Channel;
use crate::publish::footer::texts_with_footer;
use crate::publish::item::Item;
use crate::publish::xml::Xml;
use crate::publish::{Edition, Format, Representation, icon_paths, legal};

const NAMESPACES: [(&str, &str); 6] = [
    ("version", "2.0"),
    ("xmlns:atom", "http://www.w3.org/2005/Atom"),
    ("xmlns:content", "http://purl.org/rss/1.0/modules/content/"),
    ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
    ("xmlns:slash", "http://purl.org/rss/1.0/modules/slash/"),
    ("xmlns:wfw", "http://wellformedweb.org/CommentAPI/"),
];

/// Renders a topic's main document, `/{topic}.rss`.
pub(super) fn topic(edition: &Edition<'_>, channel: &Channel) -> Representation {
    let mut xml = Xml::new();
    xml.parent("rss", &NAMESPACES, |xml| {
        xml.parent("channel", &[], |xml| {
            xml.text("title", &[], &legal::unmistakable(&channel.title));
            xml.text("link", &[], &channel.page);
            // Compulsory; a topic without one is described by its title.
            xml.text("description", &[], channel.description.as_deref().unwrap_or(&channel.title));
            xml.text("language", &[], channel.language);
            if let (Some(email), Some(name)) = (&channel.publisher.email, &channel.publisher.name) {
                xml.text("managingEditor", &[], &format!("{email} ({name})"));
            }
            xml.text("lastBuildDate", &[], &date(channel.updated));
            xml.text("generator", &[], concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")));
            xml.text("docs", &[], "https://www.rssboard.org/rss-specification");
            let [_, icon, ..] = &icon_paths(&channel.id);
            xml.parent("image", &[], |xml| {
                xml.text("url", &[], &channel.at(icon));
                xml.text("title", &[], &legal::unmistakable(&channel.title));
                xml.text("link", &[], &channel.page);
                xml.text("width", &[], "144");
                xml.text("height", &[], "144");
            });
            let address = channel.address("rss");
            xml.empty("atom:link", &[("rel", "self"), ("type", "application/rss+xml"), ("href", &address)]);
            for hub in edition.announced_hubs() {
                xml.empty("atom:link", &[("rel", "hub"), ("href", &hub)]);
            }
            for item in &channel.items {
                xml.parent("item", &[], |xml| write(xml, item));
            }
        });
    });
    Representation::new(channel.path("rss"), Format::Rss, xml.into_bytes())
}

fn write(xml: &mut Xml, item: &Item) {
    // RSS does not say whether a title is text or HTML, and readers differ.
    xml.text("title", &[], &legal::unmistakable(&item.title));
    xml.optional("link", item.url.as_deref());
    let is_permalink = if item.url.as_deref() == Some(&item.id) { "true" } else { "false" };
    xml.text("guid", &[("isPermaLink", is_permalink)], &item.id);
    xml.text("pubDate", &[], &date(item.published));
    if item.updated > item.published {
        // RSS has no word for it, nor for a language: subscribers that are a veille would lose both.
        xml.text("atom:updated", &[], &item.updated.to_rfc3339_opts(SecondsFormat::Secs, true));
    }
    xml.optional("dc:language", item.language.as_deref());
    for author in &item.authors {
        // RSS's own `author` is an e-mail address; most authors have none.
        xml.optional("dc:creator", author.name.as_deref());
    }
    for Category { term, scheme, label } in &item.categories {
        let domain = scheme.as_deref().map(|scheme| ("domain", scheme));
        xml.text("category", domain.as_slice(), label.as_deref().unwrap_or(term));
    }
    let (summary, content) = texts_with_footer(item);
    xml.optional("description", summary.as_deref().or(content.as_deref()));
    if summary.is_some() {
        xml.optional("content:encoded", content.as_deref());
    }
    // One at most, and each attribute is compulsory; 0 is what publishers write who do not know the length.
    if let Some(file) = item.enclosures.first() {
        let length = file.length.unwrap_or(0).to_string();
        let media_type = file.media_type.as_deref().unwrap_or("application/octet-stream");
        let url = legal::iri(file.url.as_str());
        xml.empty("enclosure", &[("url", &url), ("type", media_type), ("length", &length)]);
    }
    if let Some(url) = &item.source.url {
        xml.text("source", &[("url", url)], &item.source.title);
    }
    xml.optional("comments", item.comments.url.as_ref().and_then(legal::link).as_deref());
    xml.optional("wfw:commentRss", item.comments.feed.as_ref().and_then(legal::link).as_deref());
    xml.optional("slash:comments", item.comments.count.map(|count| count.to_string()).as_deref());
    let via = item.elsewhere.iter().map(|other| ("via", other));
    for (rel, other) in via.chain(item.related.iter().map(|other| ("related", other))) {
        let titled = other.title.as_deref().map(|title| ("title", title));
        let attributes = [Some(("rel", rel)), Some(("href", other.url.as_str())), titled];
        xml.empty("atom:link", &attributes.into_iter().flatten().collect::<Vec<_>>());
    }
}

/// RFC 822 with a year of four digits.
fn date(instant: Timestamp) -> String {
    instant.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests;

//! Topics as JSON Feed 1.1.

use serde::Serialize;

use crate::feed::{Person, Timestamp};
use crate::publish::channel::Channel;
use crate::publish::footer::full_texts_with_footer;
use crate::publish::item::{Item, Link};
use crate::publish::{Edition, Format, Representation, icon_paths, legal};
use crate::text;

/// Renders a topic's main document, `/{topic}.json`.
pub(super) fn topic(edition: &Edition<'_>, channel: &Channel) -> Representation {
    let [_, favicon, icon, _] = icon_paths(&channel.id).map(|path| channel.at(&path));
    let document = JsonFeed {
        version: "https://jsonfeed.org/version/1.1",
        title: &channel.title,
        home_page_url: &channel.page,
        feed_url: channel.address("json"),
        description: channel.description.as_deref(),
        icon,
        favicon,
        language: channel.language,
        authors: vec![Author::from(&channel.publisher)],
        hubs: edition.announced_hubs().map(|url| Hub { kind: "WebSub", url }).collect(),
        items: channel.items.iter().map(|item| JsonItem::new(item, full_texts_with_footer(item))).collect(),
    };
    #[expect(clippy::expect_used, reason = "plain structs with text keys, written to memory")]
    let bytes = serde_json::to_vec(&document).expect("serialises");
    Representation::new(channel.path("json"), Format::JsonFeed, bytes)
}

/// Returns the item of a story, as the feed has it.
pub(super) fn item_value(item: &Item) -> serde_json::Value {
    #[expect(clippy::expect_used, reason = "plain structs with text keys, written to memory")]
    serde_json::to_value(JsonItem::new(item, (item.summary.clone(), item.content.clone()))).expect("serialises")
}

#[derive(Serialize)]
struct JsonFeed<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: &'a str,
    feed_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    icon: String,
    favicon: String,
    language: &'static str,
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<Hub>,
    items: Vec<JsonItem<'a>>,
}

#[derive(Serialize)]
struct Hub {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Author<'a> {
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl<'a> From<&'a Person> for Author<'a> {
    fn from(person: &'a Person) -> Self {
        let mail = || person.email.as_deref().map(|email| format!("mailto:{email}"));
        Self { name: person.name.as_deref(), url: person.uri.clone().or_else(mail) }
    }
}

#[derive(Serialize)]
struct JsonItem<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    date_published: String,
    date_modified: String,
    authors: Vec<Author<'a>>,
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
    /// Data that JSON Feed has no field for.
    _veille: Extension<'a>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: String,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Extension<'a> {
    about: &'static str,
    source: JsonLink<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    elsewhere: Vec<JsonLink<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<JsonLink<'a>>,
}

#[derive(Serialize)]
struct JsonLink<'a> {
    title: Option<&'a str>,
    url: Option<&'a str>,
}

impl<'a> From<&'a Link> for JsonLink<'a> {
    fn from(link: &'a Link) -> Self {
        Self { title: link.title.as_deref(), url: Some(&link.url) }
    }
}

impl<'a> JsonItem<'a> {
    /// An item with these texts: summary and content.
    fn new(item: &'a Item, (summary, content): (Option<String>, Option<String>)) -> Self {
        let (html, summary) = match (content, summary) {
            (Some(content), summary) => (Some(content), summary.as_deref().map(text::html_to_text)),
            (None, summary) => (summary, None),
        };
        Self {
            id: &item.id,
            url: item.url.as_deref(),
            title: &item.title,
            summary: summary.filter(|text| !text.is_empty()),
            // One of both is compulsory.
            content_text: html.is_none().then_some(&item.title),
            content_html: html,
            image: item.image.as_ref().and_then(|image| legal::link(&image.url)),
            date_published: date(item.published),
            date_modified: date(item.updated),
            authors: item.authors.iter().map(Author::from).collect(),
            tags: item.categories.iter().map(|tag| tag.label.as_deref().unwrap_or(&tag.term)).collect(),
            language: item.language.as_deref(),
            attachments: item
                .enclosures
                .iter()
                .map(|file| Attachment {
                    url: legal::iri(file.url.as_str()),
                    mime_type: file.media_type.as_deref().unwrap_or("application/octet-stream"),
                    title: file.title.as_deref(),
                    size_in_bytes: file.length,
                })
                .collect(),
            _veille: Extension {
                about: "source: the feed that the item comes from; elsewhere: where else it was told; related: earlier news on the same subject",
                source: JsonLink { title: Some(&item.source.title), url: item.source.url.as_deref() },
                elsewhere: item.elsewhere.iter().map(JsonLink::from).collect(),
                related: item.related.iter().map(JsonLink::from).collect(),
            },
        }
    }
}

/// RFC 3339.
fn date(instant: Timestamp) -> String {
    instant.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;

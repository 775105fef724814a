//! A topic as every feed format shows it: the head of the document and its items.

use crate::config::Language;
use crate::feed::{Person, Timestamp};
use crate::publish::item::{Item, items};
use crate::publish::{Edition, Selection, dates, legal};

/// A topic's main document, before it is written in a format.
#[derive(Debug)]
pub(super) struct Channel {
    /// The topic's id.
    pub(super) id: String,
    /// The site's address; ends with `/`.
    pub(super) home: String,
    /// The address of the topic's page.
    pub(super) page: String,
    /// Plain text on one line, never empty.
    pub(super) title: String,
    /// Plain text on one line.
    pub(super) description: Option<String>,
    /// A BCP 47 tag.
    pub(super) language: &'static str,
    /// With a name.
    pub(super) publisher: Person,
    /// The newest date among the items.
    pub(super) updated: Timestamp,
    pub(super) items: Vec<Item>,
}

impl Channel {
    pub(super) fn new(edition: &Edition<'_>, selection: &Selection<'_>) -> Self {
        let (site, topic) = (edition.site, selection.topic);
        let home = format!("{}/", legal::iri(site.url.as_str()).trim_end_matches('/'));
        let items = items(edition, selection);
        Self {
            id: topic.id.clone(),
            page: format!("{home}{}/", topic.id),
            title: legal::line(&topic.title).unwrap_or_else(|| topic.id.clone()),
            description: legal::line(&topic.description),
            language: language_tag(site.language),
            publisher: publisher(edition),
            updated: items.iter().map(|item| item.updated).max().unwrap_or(dates::EMPTY),
            items,
            home,
        }
    }

    /// Where the document with this extension is found below the site's address.
    pub(super) fn path(&self, extension: &str) -> String {
        format!("/{}.{extension}", self.id)
    }

    /// The public address of the document with this extension.
    pub(super) fn address(&self, extension: &str) -> String {
        format!("{}{}.{extension}", self.home, self.id)
    }
}

/// The BCP 47 tag of what we write ourselves.
pub(super) fn language_tag(language: Language) -> &'static str {
    match language {
        Language::French => "fr",
        Language::English => "en",
    }
}

/// Who answers for the site.
pub(super) fn publisher(edition: &Edition<'_>) -> Person {
    let contact = edition.site.contact.as_deref();
    Person {
        name: legal::label(&edition.site.title).or_else(|| edition.site.url.host_str().map(str::to_owned)),
        email: contact.and_then(legal::email),
        uri: contact.filter(|contact| contact.starts_with("http")).and_then(legal::absolute),
    }
}

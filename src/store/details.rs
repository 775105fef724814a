//! The parts of an entry that no query looks for, kept as JSON.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::feed::{Category, Comments, Enclosure, Entry, Image, Origin, Person};

/// The parts as they are read back. One that cannot be read is absent.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Details {
    authors: Vec<Person>,
    categories: Vec<Category>,
    enclosures: Vec<Enclosure>,
    image: Option<Image>,
    comments: Comments,
    rights: Option<String>,
    origin: Option<Origin>,
    base: Option<Url>,
}

#[derive(Serialize)]
struct Described<'a> {
    #[serde(skip_serializing_if = "<[Person]>::is_empty")]
    authors: &'a [Person],
    #[serde(skip_serializing_if = "<[Category]>::is_empty")]
    categories: &'a [Category],
    #[serde(skip_serializing_if = "<[Enclosure]>::is_empty")]
    enclosures: &'a [Enclosure],
    #[serde(skip_serializing_if = "Option::is_none")]
    image: &'a Option<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<&'a Comments>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: &'a Option<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: &'a Option<Url>,
}

impl Details {
    /// Writes the parts of an entry as JSON.
    pub(super) fn written(entry: &Entry) -> serde_json::Result<String> {
        let Entry { authors, categories, enclosures, image, comments, rights, origin, base, .. } = entry;
        let comments = (*comments != Comments::default()).then_some(comments);
        let described = Described { authors, categories, enclosures, image, comments, rights, origin, base };
        serde_json::to_string(&described)
    }

    /// Gives the parts to an entry.
    pub(super) fn complete(self, entry: Entry) -> Entry {
        let Self { authors, categories, enclosures, image, comments, rights, origin, base } = self;
        Entry { base, authors, categories, enclosures, image, rights, comments, origin, ..entry }
    }
}

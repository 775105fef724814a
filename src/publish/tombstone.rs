//! A story that is gone as Atom tells it (RFC 6721): under which id, when, and why in one line.

use std::collections::HashSet;

use crate::feed::Timestamp;
use crate::publish::{Edition, id, legal, words};
use crate::story::{Departure, Tombstone};

/// A story that readers are to forget.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) id: String,
    pub(super) date: Timestamp,
    /// Plain text on one line.
    pub(super) comment: String,
}

/// Returns at most `publish.entries` of the stories that are gone: no id twice, and none that the document shows.
///
/// `shown` are the ids of what the document shows.
pub(super) fn gone(edition: &Edition<'_>, tombstones: &[Tombstone], shown: &HashSet<String>) -> Vec<Gone> {
    let words = words::of(edition.site.language);
    let mut ids = HashSet::new();
    let gone = tombstones.iter().map(|tombstone| Gone {
        id: id::published(&edition.hidden.id(&tombstone.atom_id)),
        date: tombstone.date,
        comment: match &tombstone.departure {
            Departure::Withdrawn => words.withdrawn.to_owned(),
            Departure::Joined(title) => (words.joined)(title.as_deref().and_then(legal::line)),
        },
    });
    gone.filter(|gone| !shown.contains(&gone.id) && ids.insert(gone.id.clone()))
        .take(edition.settings.entries)
        .collect()
}

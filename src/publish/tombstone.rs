//! A story that is gone as Atom tells it (RFC 6721): under which id, when, and why in one line.

use std::collections::HashSet;

use crate::feed::Timestamp;
use crate::publish::{Edition, id, legal, words};
use crate::story::{Tombstone, TombstoneReason};

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
    let words = words::words_in(edition.site.language);
    let mut ids = HashSet::new();
    let gone = tombstones.iter().map(|tombstone| Gone {
        id: id::published_id(&edition.hidden.id(&tombstone.atom_id)),
        date: tombstone.date,
        comment: match &tombstone.reason {
            TombstoneReason::Withdrawn => words.withdrawn.to_owned(),
            TombstoneReason::Joined(title) => (words.joined)(title.as_deref().and_then(legal::readable_line)),
        },
    });
    gone.filter(|gone| !shown.contains(&gone.id) && ids.insert(gone.id.clone()))
        .take(edition.settings.entries)
        .collect()
}

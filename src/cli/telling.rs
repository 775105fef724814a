//! Stories as pages show them: the first entry that stands, with the number of those that tell it.

use std::collections::HashMap;

use url::Url;

use crate::feed::Timestamp;
use crate::store::{Store, StoreError};
use crate::story::Told;

/// Stories that are read at once.
const STORIES_AT_ONCE: usize = 100;

/// A story as a page shows it.
#[derive(Debug, Clone)]
pub(super) struct StoryOnPage {
    pub(super) title: Option<String>,
    pub(super) url: Option<Url>,
    pub(super) date: Timestamp,
    /// The number of entries that tell it.
    pub(super) told_by: usize,
}

/// Reads stories, by number. Those whose entries are all withdrawn are left out: no page shows them.
pub(super) fn on_pages(
    store: &mut dyn Store,
    stories: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, StoryOnPage>, StoreError> {
    let stories: Vec<i64> = stories.into_iter().collect();
    let mut shown = HashMap::new();
    for part in stories.chunks(STORIES_AT_ONCE) {
        // Labels are of no interest here, so any topic will do.
        let told = store.told("", part)?;
        shown.extend(told.into_iter().filter_map(|told| Some((told.number, standing(told)?))));
    }
    Ok(shown)
}

fn standing(told: Told) -> Option<StoryOnPage> {
    let date = told.entries.first()?.stored.date;
    let mut standing = told.entries.into_iter().filter(|told| !told.is_withdrawn);
    let first = standing.next()?.stored.entry;
    Some(StoryOnPage { title: first.title, url: first.url, date, told_by: standing.count() + 1 })
}

/// ` (told by 11)`, or nothing if only one entry tells it.
pub(super) fn told_by(entries: usize) -> String {
    if entries > 1 { format!(" (told by {entries})") } else { String::new() }
}

//! A topic as every feed format shows it: the head of the document and its items.

use std::collections::HashSet;

use crate::config::Language;
use crate::feed::{Person, Timestamp};
use crate::publish::item::{Item, items};
use crate::publish::tombstone::{Gone, gone};
use crate::publish::{Edition, Selection, dates, legal};
use crate::story::{LATE_AFTER, Month, Story, Tombstone};
use crate::topic::Topic;

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
    /// The newest date among the items and of what is gone.
    pub(super) updated: Timestamp,
    pub(super) items: Vec<Item>,
    /// Stories that readers are to forget; of all formats, only Atom can say so.
    pub(super) gone: Vec<Gone>,
    /// The volume of the archive that goes on where the main document ends.
    pub(super) before: Option<Month>,
}

impl Channel {
    /// The newest stories.
    pub(super) fn new(edition: &Edition<'_>, selection: &Selection<'_>) -> Self {
        let items = items(edition, selection);
        let shown = items.iter().map(|item| item.id.clone()).collect();
        let channel = Self::without_items(edition, selection.topic, &shown, &selection.tombstones);
        let updated = items.iter().map(|item| item.updated).chain(channel.gone.iter().map(|gone| gone.date)).max();
        let before = before(&selection.months, &selection.stories, edition.settings.entries);
        Self { before, updated: updated.unwrap_or(dates::EMPTY), items, ..channel }
    }

    /// All but the items of a document that shows these ids; `updated` is of what is gone alone.
    pub(super) fn without_items(
        edition: &Edition<'_>,
        topic: &Topic,
        shown: &HashSet<String>,
        tombstones: &[Tombstone],
    ) -> Self {
        let site = edition.site;
        let home = site_address(edition);
        let gone = gone(edition, tombstones, shown);
        let updated = gone.iter().map(|gone| gone.date);
        Self {
            id: topic.id.clone(),
            page: format!("{home}{}/", topic.id),
            title: legal::readable_line(&topic.title).unwrap_or_else(|| topic.id.clone()),
            description: legal::readable_line(&topic.description),
            language: language_tag(site.language),
            publisher: publisher(edition),
            updated: updated.max().unwrap_or(dates::EMPTY),
            items: Vec::new(),
            gone,
            before: None,
            home,
        }
    }

    /// Returns the path of the document with this extension, below the site's address.
    pub(super) fn path(&self, extension: &str) -> String {
        format!("/{}.{extension}", self.id)
    }

    /// The public address of a path.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{}", self.home, path.trim_start_matches('/'))
    }

    /// The public address of the document with this extension.
    pub(super) fn address(&self, extension: &str) -> String {
        format!("{}{}.{extension}", self.home, self.id)
    }
}

/// Returns the site's address; ends with `/`.
pub(super) fn site_address(edition: &Edition<'_>) -> String {
    format!("{}/", legal::iri(edition.site.url.as_str()).trim_end_matches('/'))
}

/// The newest month, unless the main document has room for the whole of it: then the one before.
///
/// The month that runs changes with every story; readers of the archive should begin with one that is over.
fn before(months: &[Month], stories: &[Story], limit: usize) -> Option<Month> {
    let (newest, older) = months.split_last()?;
    let stories = stories.get(..limit).unwrap_or(stories);
    let is_older = |story: &Story| Month::of(story.head.date) < *newest;
    // A story that came late stands before newer ones: it says nothing of where the document ends.
    let in_order = stories.is_sorted_by_key(|story| std::cmp::Reverse(story.head.date));
    let is_in_place = |story: &Story| in_order || story.head.first_seen - story.head.date <= LATE_AFTER;
    let is_whole = stories.len() < limit || stories.iter().any(|story| is_older(story) && is_in_place(story));
    if is_whole { older.last().copied() } else { Some(*newest) }
}

/// The BCP 47 tag of what we write ourselves.
pub(super) fn language_tag(language: Language) -> &'static str {
    match language {
        Language::French => "fr",
        Language::English => "en",
    }
}

/// Returns the publisher of the site.
pub(super) fn publisher(edition: &Edition<'_>) -> Person {
    let contact = edition.site.contact.as_deref();
    Person {
        name: legal::label(&edition.site.title).or_else(|| edition.site.url.host_str().map(str::to_owned)),
        email: contact.and_then(legal::email),
        uri: contact.and_then(legal::page_address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::newsroom::{bare, date, story};

    /// A story of this day, first seen on another.
    fn dated(day: &str, seen: &str) -> Story {
        let mut story = story(bare("1"));
        (story.head.date, story.head.first_seen) =
            (date(&format!("{day}T08:00:00Z")), date(&format!("{seen}T08:00:00Z")));
        story
    }

    fn check(stories: &[Story], expected: u32) {
        let month = |month| Month { year: 2026, month };
        assert_eq!(before(&[month(9), month(10)], stories, stories.len()), Some(month(expected)));
    }

    #[test]
    fn the_archive_goes_on_with_a_month_that_is_over_where_the_newest_is_shown_whole() {
        let [newest, new, old] = ["2026-10-09", "2026-10-02", "2026-09-28"].map(|day| dated(day, day));
        check(&[newest.clone(), new.clone()], 10);
        check(&[newest, new, old], 9);
    }

    #[test]
    fn a_late_story_does_not_make_the_newest_month_look_whole() {
        let [newest, new] = ["2026-10-09", "2026-10-02"].map(|day| dated(day, day));
        check(&[newest, dated("2026-08-01", "2026-10-05"), new], 10);
    }
}

//! From a stored story to the story that a topic shows: its head, its fullest text, its best label, its date.

use super::{Related, StoredEntry, Story, Telling};
use crate::feed::Entry;
use crate::topic::Label;

/// A stored story beside one topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The number of its head.
    pub number: i64,
    /// Every entry of it, in the order of arrival.
    pub entries: Vec<ToldEntry>,
    /// The stories that hold the choices of related news for it in the topic, best first.
    pub chosen: Vec<Chosen>,
}

/// An entry of a story, beside one topic.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldEntry {
    /// The entry.
    pub stored: StoredEntry,
    /// Whether its publisher withdrew it.
    pub is_withdrawn: bool,
    /// Its label in the topic, if it has one.
    pub label: Option<Label>,
}

/// A story that was chosen as related news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its head.
    pub head: Related,
    /// Whether an entry of it that stands is in the topic.
    pub is_in_topic: bool,
}

/// The story that a topic shows; `None` if all its entries are withdrawn, or none is in the topic.
///
/// The label of a withdrawn entry counts: the others tell the same item, and the story would else leave one topic and
/// stay in another for no reason that a reader sees.
#[must_use]
pub fn shown(told: Told) -> Option<Story> {
    let Told { number, entries, chosen } = told;
    let label = best(entries.iter().filter_map(|entry| entry.label.as_ref()))?.clone();
    let head = entries.first()?.stored.clone();
    let standing: Vec<StoredEntry> =
        entries.into_iter().filter(|entry| !entry.is_withdrawn).map(|entry| entry.stored).collect();
    let first = standing.first()?;
    let fullest = fullest(&standing, first);
    let changed = head.changed.max(fullest.changed).max(first.changed);
    let text = (fullest.number != first.number).then(|| (fullest.entry.summary.clone(), fullest.entry.content.clone()));
    let head = if first.number == head.number { head } else { in_place_of(head, first) };
    Some(Story {
        number,
        placed: head.date,
        head: StoredEntry { changed, ..head },
        text,
        tellings: standing.iter().map(telling).collect(),
        label,
        related: related(number, chosen),
    })
}

fn best<'a>(labels: impl Iterator<Item = &'a Label>) -> Option<&'a Label> {
    labels.reduce(|best, label| if label.score > best.score { label } else { best })
}

/// The entry with the longest text, the first of equal ones so that the head keeps its own.
///
/// An entry from before the head's last correction may hold the mistake: it does not count.
fn fullest<'a>(standing: &'a [StoredEntry], first: &'a StoredEntry) -> &'a StoredEntry {
    let length =
        |stored: &StoredEntry| stored.entry.content.as_ref().or(stored.entry.summary.as_ref()).map_or(0, String::len);
    let is_current = |stored: &&StoredEntry| first.changed <= stored.changed.max(Some(stored.first_seen));
    standing.iter().filter(is_current).rev().max_by_key(|stored| length(stored)).unwrap_or(first)
}

/// A withdrawn head keeps id and dates; the rest is of the first entry that stands.
fn in_place_of(head: StoredEntry, standing: &StoredEntry) -> StoredEntry {
    let StoredEntry { source_id, key, canonical_link, entry, .. } = standing.clone();
    let entry = Entry { published: head.entry.published, updated: head.entry.updated, ..entry };
    StoredEntry { source_id, key, canonical_link, entry, ..head }
}

fn telling(stored: &StoredEntry) -> Telling {
    Telling {
        source_id: stored.source_id.clone(),
        title: stored.entry.title.clone(),
        url: stored.entry.url.clone(),
        canonical_link: stored.canonical_link.clone(),
        categories: stored.entry.categories.clone(),
        atom_id: stored.atom_id.clone(),
    }
}

/// The chosen stories that are still other stories of the topic, each once.
fn related(number: i64, chosen: Vec<Chosen>) -> Vec<Related> {
    let mut related: Vec<Related> = Vec::new();
    for Chosen { head, .. } in chosen.into_iter().filter(|chosen| chosen.is_in_topic && chosen.head.number != number) {
        if related.iter().all(|other| other.number != head.number) {
            related.push(head);
        }
    }
    related
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::feed::Timestamp;
    use crate::story::EntryKey;

    fn noon() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn after(hours: i64) -> Timestamp {
        noon() + TimeDelta::hours(hours)
    }

    /// An entry that says `text` and is in the topic with six points.
    fn entry(number: i64, text: &str) -> ToldEntry {
        let stored = StoredEntry {
            number,
            source_id: format!("source-{number}"),
            key: EntryKey([0; 16]),
            atom_id: format!("urn:{number}"),
            story: 1,
            canonical_link: None,
            owns_guid: true,
            first_seen: noon(),
            date: noon(),
            changed: None,
            entry: Entry { title: Some(format!("Titre {number}")), content: Some(text.into()), ..Entry::default() },
        };
        ToldEntry { stored, is_withdrawn: false, label: Some(label(6.0)) }
    }

    fn label(score: f64) -> Label {
        Label { topic: "numerique".into(), score, reasons: Vec::new() }
    }

    fn changed(entry: ToldEntry, hours: i64) -> ToldEntry {
        ToldEntry { stored: StoredEntry { changed: Some(after(hours)), ..entry.stored }, ..entry }
    }

    fn withdrawn(entry: ToldEntry) -> ToldEntry {
        ToldEntry { is_withdrawn: true, ..entry }
    }

    fn check(entries: Vec<ToldEntry>) -> Option<Story> {
        shown(Told { number: 1, entries, chosen: Vec::new() })
    }

    fn text(story: &Story) -> Option<&str> {
        story.text.as_ref()?.1.as_deref()
    }

    #[test]
    fn the_fullest_text_is_shown_and_the_head_keeps_its_own_among_equals() {
        assert_eq!(text(&check(vec![entry(1, "court"), entry(2, "plus long")]).unwrap()), Some("plus long"));
        assert_eq!(text(&check(vec![entry(1, "court"), entry(2, "égal"), entry(3, "court")]).unwrap()), None);
    }

    #[test]
    fn a_text_that_is_older_than_the_heads_correction_is_not_shown() {
        let story = check(vec![changed(entry(1, "court"), 1), entry(2, "plus long")]).unwrap();
        assert_eq!((text(&story), story.head.changed), (None, Some(after(1))));
    }

    #[test]
    fn a_story_has_changed_when_the_text_that_it_shows_has() {
        let story = check(vec![changed(entry(1, "court"), 1), changed(entry(2, "plus long"), 2)]).unwrap();
        assert_eq!((text(&story), story.head.changed), (Some("plus long"), Some(after(2))));
        let story = check(vec![entry(1, "le plus long"), changed(entry(2, "court"), 2)]).unwrap();
        assert_eq!(story.head.changed, None, "nobody sees that text");
    }

    #[test]
    fn a_withdrawn_head_leaves_its_id_and_dates_to_the_next_entry() {
        let story = check(vec![withdrawn(changed(entry(1, "long, mais retiré"), 3)), entry(2, "deux")]).unwrap();
        assert_eq!((story.number, &*story.head.atom_id, story.head.number), (1, "urn:1", 1));
        assert_eq!((&*story.head.source_id, story.head.entry.title.as_deref()), ("source-2", Some("Titre 2")));
        assert_eq!((story.tellings.len(), text(&story), story.head.changed), (1, None, Some(after(3))));
    }

    #[test]
    fn nothing_is_shown_of_a_story_whose_entries_were_all_withdrawn_or_have_left_the_topic() {
        assert_eq!(check(vec![withdrawn(entry(1, "un"))]), None);
        assert_eq!(check(vec![ToldEntry { label: None, ..entry(1, "un") }]), None);
        assert_eq!(check(Vec::new()), None);
    }

    #[test]
    fn the_best_label_tells_why_also_that_of_a_withdrawn_entry() {
        let with = |number, score| ToldEntry { label: Some(label(score)), ..entry(number, "texte") };
        let story = check(vec![with(1, 6.0), withdrawn(with(2, 9.0)), with(3, 7.0)]).unwrap();
        assert!((story.label.score - 9.0).abs() < f64::EPSILON);
    }

    #[test]
    fn related_news_are_other_stories_of_the_topic_each_once() {
        let chosen = |number, is_in_topic| Chosen { head: Related { number, title: None, url: None }, is_in_topic };
        let chosen = vec![chosen(1, true), chosen(7, true), chosen(8, false), chosen(7, true), chosen(9, true)];
        let story = shown(Told { number: 1, entries: vec![entry(1, "texte")], chosen }).unwrap();
        assert_eq!(story.related.iter().map(|related| related.number).collect::<Vec<_>>(), [7, 9]);
    }
}

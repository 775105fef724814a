//! Stories: how a topic shows them, and when they are old enough to go.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::entries::{COLUMNS, labels, read};
use super::{StoreError, apply, archive, meta, related, unix};
use crate::feed::{Entry, Timestamp};
use crate::story::{StoredEntry, Story, Telling};
use crate::topic::Label;

/// The latest labels give the latest stories; each is then read whole.
pub(super) fn stories(connection: &Connection, topic: &str, limit: usize) -> Result<Vec<Story>, StoreError> {
    let mut labelled = connection.prepare_cached(
        "SELECT entry.story FROM label JOIN entry ON entry.number = label.entry
         WHERE label.topic = ?1
             AND EXISTS (SELECT 1 FROM entry AS told WHERE told.story = entry.story AND told.withdrawn IS NULL)
         ORDER BY label.date DESC, label.entry DESC",
    )?;
    let mut numbers: Vec<i64> = Vec::new();
    let mut seen = HashSet::new();
    for number in labelled.query_map([topic], |row| row.get::<_, i64>(0))? {
        let number = number?;
        if numbers.len() == limit {
            break;
        }
        if seen.insert(number) {
            numbers.push(number);
        }
    }
    whole(connection, topic, numbers)
}

/// The stories with these numbers as `topic` shows them, newest first.
pub(super) fn whole(
    connection: &Connection,
    topic: &str,
    numbers: impl IntoIterator<Item = i64>,
) -> Result<Vec<Story>, StoreError> {
    let mut stories = Vec::new();
    for number in numbers {
        stories.extend(story(connection, number, topic)?);
    }
    stories.sort_by_key(|story| std::cmp::Reverse((story.head.date, story.number)));
    Ok(stories)
}

/// One story as `topic` shows it; `None` if every telling was withdrawn or nothing of it is in the topic.
///
/// A telling that was withdrawn still says why the story is in the topic: others tell the same item.
fn story(connection: &Connection, number: i64, topic: &str) -> Result<Option<Story>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, entry.withdrawn IS NULL AS stands FROM entry WHERE story = ?1 ORDER BY number"
    ))?;
    let told = statement
        .query_map([number], |row| Ok((read(row)?, row.get::<_, bool>("stands")?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut best: Option<Label> = None;
    for (entry, _) in &told {
        for label in labels(connection, entry.number)?.into_iter().filter(|label| label.topic == topic) {
            if best.as_ref().is_none_or(|best| label.score > best.score) {
                best = Some(label);
            }
        }
    }
    let head = told.first().map(|(head, _)| head.clone());
    let entries: Vec<StoredEntry> = told.into_iter().filter(|(_, stands)| *stands).map(|(entry, _)| entry).collect();
    let (Some(head), Some(first)) = (head, entries.first()) else { return Ok(None) };
    let tellings = entries
        .iter()
        .map(|stored| Telling {
            source_id: stored.source_id.clone(),
            title: stored.entry.title.clone(),
            url: stored.entry.url.clone(),
            canonical_link: stored.canonical_link.clone(),
            categories: stored.entry.categories.clone(),
            atom_id: stored.atom_id.clone(),
        })
        .collect();
    let length =
        |stored: &StoredEntry| stored.entry.content.as_ref().or(stored.entry.summary.as_ref()).map_or(0, String::len);
    // What was said before the first was corrected may be what it corrected.
    let is_current = |stored: &&StoredEntry| first.changed <= stored.changed.max(Some(stored.first_seen));
    // The first of the longest, so that equal lengths leave the head's own text.
    let fullest = entries.iter().filter(is_current).rev().max_by_key(|stored| length(stored));
    let shown = fullest.and_then(|fullest| fullest.changed).max(first.changed);
    let text = fullest
        .filter(|fullest| fullest.number != first.number)
        .map(|fullest| (fullest.entry.summary.clone(), fullest.entry.content.clone()));
    let changed = head.changed.max(shown);
    let head = if first.number == head.number { head } else { in_place_of(head, first) };
    let head = StoredEntry { changed, ..head };
    let Some(label) = best else { return Ok(None) };
    let related = related::shown(connection, topic, number)?;
    Ok(Some(Story { number, head, text, tellings, label, related }))
}

/// A withdrawn head as its story shows it: id and dates stay, all else is of the first telling that stands.
fn in_place_of(head: StoredEntry, standing: &StoredEntry) -> StoredEntry {
    let StoredEntry { source_id, key, canonical_link, entry, .. } = standing.clone();
    let entry = Entry { published: head.entry.published, updated: head.entry.updated, ..entry };
    StoredEntry { source_id, key, canonical_link, entry, ..head }
}

pub(super) fn drop_before(
    connection: &Connection,
    before: Timestamp,
    sources: &[String],
    limit: usize,
) -> Result<usize, StoreError> {
    let stories = connection
        .prepare_cached(
            "SELECT story FROM entry WHERE date < ?1 GROUP BY story
             HAVING NOT EXISTS (SELECT 1 FROM entry AS other WHERE other.story = entry.story
                                AND (other.date >= ?1 OR other.first_seen >= ?1 OR other.left_feed IS NULL
                                    AND other.source_id IN (SELECT value FROM json_each(?2))))
             LIMIT ?3",
        )?
        .query_map(
            params![unix(before), serde_json::to_string(sources)?, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| row.get::<_, i64>(0),
        )?
        .collect::<Result<Vec<_>, _>>()?;
    if !stories.is_empty() {
        // First, for the months get it as their new stamp.
        meta::raise_generation(connection)?;
    }
    let mut dropped = 0;
    for story in stories {
        archive::touch(connection, story)?;
        related::forget(connection, story)?;
        let numbers = connection
            .prepare_cached("SELECT number FROM entry WHERE story = ?1")?
            .query_map([story], |row| row.get::<_, i64>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        for number in numbers {
            apply::forget_clues(connection, number)?;
        }
        let derived = [
            ("labelled", "entry"),
            ("unlabelled", "entry"),
            ("sketch", "entry"),
            ("terms", "entry"),
            ("revision", "entry"),
            ("bond", "one"),
            ("bond", "other"),
        ];
        for (table, column) in derived {
            let sql = format!("DELETE FROM {table} WHERE {column} IN (SELECT number FROM entry WHERE story = ?1)");
            connection.prepare_cached(&sql)?.execute([story])?;
        }
        let sql =
            "DELETE FROM entry_text WHERE rowid IN (SELECT number FROM entry WHERE story = ?1 AND searchable = 1)";
        connection.prepare_cached(sql)?.execute([story])?;
        dropped += connection.prepare_cached("DELETE FROM entry WHERE story = ?1")?.execute([story])?;
    }
    Ok(dropped)
}

//! Entries, and what is derived from each: clues, labels.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{StoreError, archive, maybe, related, rows, unix, withdrawals};
use crate::feed::{Category, Comments, Enclosure, Entry, Origin, Person, Timestamp};
use crate::store::EntryDay;
use crate::story::{self, Clues, EntryKey, Fingerprint, Known, Prepared, StoredEntry};
use crate::topic::Label;

/// The columns that [`read`] takes, of `entry` under its own name.
pub(super) const COLUMNS: &str = "entry.number, entry.source_id, entry.key, entry.atom_id, entry.story, \
    entry.first_seen, entry.changed, entry.id, entry.url, entry.title, entry.summary, entry.content, \
    entry.published, entry.updated, entry.language, entry.details, entry.canonical_link, entry.date, \
    entry.owns_guid";

/// The period of lasting clues.
pub(super) const LASTING: i64 = 0;

/// The period in which a recent clue is kept, by when its entry was first seen: ninety days that lie together, so that
/// looks and writes fall on what was written of late, however large the store is.
pub(super) fn period(first_seen: i64) -> i64 {
    (first_seen.div_euclid(90 * 86_400) + 1).max(LASTING + 1)
}

/// What is kept of an entry without ever being searched by.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Details {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Person>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<Category>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    enclosures: Vec<Enclosure>,
    #[serde(skip_serializing_if = "is_default")]
    comments: Comments,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Url>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(super) fn known(connection: &Connection, source_id: &str, keys: &[EntryKey]) -> Result<Vec<Known>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, key, guid_key, fingerprint FROM entry WHERE source_id = ?1 AND key = ?2
         UNION SELECT number, key, guid_key, fingerprint FROM entry WHERE source_id = ?1 AND guid_key = ?2",
    )?;
    let read = |row: &Row<'_>| {
        Ok(Known {
            number: row.get(0)?,
            key: EntryKey(row.get(1)?),
            guid_key: row.get::<_, Option<_>>(2)?.map(EntryKey),
            fingerprint: Fingerprint(row.get(3)?),
        })
    };
    let mut found: HashMap<i64, Known> = HashMap::new();
    for key in keys.iter().collect::<HashSet<_>>() {
        for known in statement.query_map(params![source_id, key.0], read)? {
            let known = known?;
            found.insert(known.number, known);
        }
    }
    let mut found: Vec<Known> = found.into_values().collect();
    found.sort_by_key(|known| known.number);
    Ok(found)
}

pub(super) fn insert(
    connection: &Connection,
    source_id: &str,
    prepared: &Prepared,
    story: Option<i64>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let Prepared { entry, identity, labels, terms } = prepared;
    let date = story::date(entry, now);
    // What begins a story bears its own number, which will be the next.
    connection
        .prepare_cached(
            "INSERT INTO entry (source_id, key, guid_key, fingerprint, atom_id, story, first_seen, date, id, url,
                canonical_link, title, summary, content, published, updated, language, details, owns_guid)
             VALUES (?1,?2,?3,?4,?5,coalesce(?6, (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'entry'), 1),?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)",
        )?
        .execute(params![
            source_id,
            identity.key.0,
            identity.guid_key.map(|key| key.0),
            identity.fingerprint.0,
            identity.atom_id,
            story,
            unix(now),
            unix(date),
            entry.id,
            entry.url.as_ref().map(Url::as_str),
            identity.canonical_link,
            entry.title,
            entry.summary,
            entry.content,
            entry.published.map(unix),
            entry.updated.map(unix),
            entry.language,
            details(entry)?,
            identity.owns_guid,
        ])?;
    let number = connection.last_insert_rowid();
    set_clues(connection, number, &identity.clues)?;
    set_labels(connection, number, labels)?;
    related::set_terms(connection, number, terms.as_ref())?;
    archive::touch(connection, story.unwrap_or(number))?;
    Ok(number)
}

pub(super) fn update(
    connection: &Connection,
    number: i64,
    prepared: &Prepared,
    changed: Option<Timestamp>,
) -> Result<(), StoreError> {
    let Prepared { entry, identity, labels, terms } = prepared;
    let Some(before) = one(connection, number)? else { return Ok(()) };
    archive::touch(connection, before.story)?;
    // A publication date may be corrected; an update is a change, and leaves the date of the first sight.
    let date = entry.published.map_or(before.date, |_| story::date(entry, before.first_seen));
    connection
        .prepare_cached(
            "UPDATE entry SET key = ?2, guid_key = ?3, fingerprint = ?4, changed = coalesce(?5, changed), id = ?6,
                url = ?7, canonical_link = ?8, title = ?9, summary = ?10, content = ?11,
                published = coalesce(?12, published), updated = ?13, language = ?14, details = ?15, searchable = 0,
                date = ?16, owns_guid = ?17
             WHERE number = ?1",
        )?
        .execute(params![
            number,
            identity.key.0,
            identity.guid_key.map(|key| key.0),
            identity.fingerprint.0,
            changed.map(unix),
            entry.id,
            entry.url.as_ref().map(Url::as_str),
            identity.canonical_link,
            entry.title,
            entry.summary,
            entry.content,
            entry.published.map(unix),
            entry.updated.map(unix),
            entry.language,
            details(entry)?,
            unix(date),
            identity.owns_guid,
        ])?;
    set_clues(connection, number, &identity.clues)?;
    set_labels(connection, number, labels)?;
    related::set_terms(connection, number, terms.as_ref())?;
    if number == before.story && date != before.date {
        connection
            .prepare_cached("UPDATE label SET date = ?2 WHERE entry IN (SELECT number FROM entry WHERE story = ?1)")?
            .execute(params![number, unix(date)])?;
    }
    archive::touch(connection, before.story)
}

/// Replaces the labels of an entry, if they differ.
pub(super) fn relabel(connection: &Connection, number: i64, new: &[Label]) -> Result<(), StoreError> {
    let mut new = new.to_vec();
    new.sort_by(|one, other| one.topic.cmp(&other.topic));
    if labels(connection, number)? == new {
        return Ok(());
    }
    let story = maybe(connection, "SELECT story FROM entry WHERE number = ?1", number, |row| row.get(0))?;
    let Some(story) = story else { return Ok(()) };
    archive::touch(connection, story)?;
    set_labels(connection, number, &new)?;
    archive::touch(connection, story)
}

fn details(entry: &Entry) -> Result<String, StoreError> {
    let Entry { authors, categories, enclosures, comments, rights, origin, base, .. } = entry.clone();
    Ok(serde_json::to_string(&Details { authors, categories, enclosures, comments, rights, origin, base })?)
}

pub(super) fn set_clues(connection: &Connection, number: i64, clues: &Clues) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM clue WHERE entry = ?1")?.execute([number])?;
    let first_seen = maybe(connection, "SELECT first_seen FROM entry WHERE number = ?1", number, |row| row.get(0))?;
    let Some(first_seen) = first_seen else { return Ok(()) };
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO clue VALUES (?1, ?2, ?3)")?;
    for (period, hashes) in [(period(first_seen), &clues.recent), (LASTING, &clues.lasting)] {
        for hash in hashes {
            insert.execute([period, *hash, number])?;
        }
    }
    Ok(())
}

/// The date of a label is that of its story's head.
fn set_labels(connection: &Connection, number: i64, labels: &[Label]) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM label WHERE entry = ?1")?.execute([number])?;
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO label SELECT ?1, ?2, head.date, ?3, ?4
         FROM entry JOIN entry AS head ON head.number = entry.story WHERE entry.number = ?1",
    )?;
    for label in labels {
        insert.execute(params![number, label.topic, label.score, serde_json::to_string(&label.reasons)?])?;
    }
    Ok(())
}

pub(super) fn labels(connection: &Connection, number: i64) -> Result<Vec<Label>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT topic, score, reasons FROM label WHERE entry = ?1 ORDER BY topic")?;
    let read = |row: &Row<'_>| {
        Ok(Label { topic: row.get(0)?, score: row.get(1)?, reasons: rows::json(row, 2)?.unwrap_or_default() })
    };
    Ok(statement.query_map([number], read)?.collect::<Result<_, _>>()?)
}

/// Two passes, since most polls find every entry where it was.
pub(super) fn mark_present(
    connection: &Connection,
    source_id: &str,
    present: &[i64],
    whole: bool,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let present: HashSet<i64> = present.iter().copied().collect();
    let mut listed = connection
        .prepare_cached("SELECT number FROM entry WHERE source_id = ?1 AND left_feed IS NULL")?
        .query_map([source_id], |row| row.get::<_, i64>(0))?
        .collect::<Result<HashSet<i64>, _>>()?;
    let mut back = 0;
    for number in &present {
        if !listed.remove(number) {
            back += usize::from(withdrawals::restore(connection, *number, now)?);
        }
    }
    if whole {
        let mut leave = connection.prepare_cached("UPDATE entry SET left_feed = ?2 WHERE number = ?1")?;
        for number in listed {
            leave.execute(params![number, unix(now)])?;
        }
    }
    Ok(back)
}

pub(super) fn one(connection: &Connection, number: i64) -> Result<Option<StoredEntry>, StoreError> {
    maybe(connection, &format!("SELECT {COLUMNS} FROM entry WHERE number = ?1"), number, read)
}

pub(super) fn after(connection: &Connection, after: i64, limit: usize) -> Result<Vec<StoredEntry>, StoreError> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM entry WHERE number > ?1 ORDER BY number LIMIT ?2"))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(statement.query_map(params![after, limit], read)?.collect::<Result<_, _>>()?)
}

pub(super) fn find(connection: &Connection, name: &str, link: Option<&str>) -> Result<Vec<StoredEntry>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM entry WHERE id = ?1 OR atom_id = ?1 OR url = ?1 OR canonical_link = ?2 ORDER BY number"
    ))?;
    Ok(statement.query_map(params![name, link], read)?.collect::<Result<_, _>>()?)
}

pub(super) fn days(connection: &Connection, since: Timestamp) -> Result<Vec<EntryDay>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT source_id, max(date), count(*) FROM entry WHERE date >= ?1
         GROUP BY source_id, date / 86400 ORDER BY source_id, date / 86400",
    )?;
    let read = |row: &Row<'_>| {
        let last = rows::time(row, 1)?.unwrap_or_default();
        Ok(EntryDay { source_id: row.get(0)?, last, entries: row.get::<_, i64>(2)?.unsigned_abs() })
    };
    Ok(statement.query_map([unix(since)], read)?.collect::<Result<_, _>>()?)
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<StoredEntry> {
    let details: Details = rows::json(row, 15)?.unwrap_or_default();
    Ok(StoredEntry {
        number: row.get(0)?,
        source_id: row.get(1)?,
        key: EntryKey(row.get(2)?),
        atom_id: row.get(3)?,
        story: row.get(4)?,
        canonical_link: row.get(16)?,
        owns_guid: row.get(18)?,
        first_seen: rows::time(row, 5)?.unwrap_or_default(),
        date: rows::time(row, 17)?.unwrap_or_default(),
        changed: rows::time(row, 6)?,
        entry: Entry {
            id: row.get(7)?,
            url: rows::url(row, 8)?,
            title: row.get(9)?,
            summary: row.get(10)?,
            content: row.get(11)?,
            published: rows::time(row, 12)?,
            updated: rows::time(row, 13)?,
            language: row.get(14)?,
            base: details.base,
            authors: details.authors,
            categories: details.categories,
            enclosures: details.enclosures,
            rights: details.rights,
            comments: details.comments,
            origin: details.origin,
        },
    })
}

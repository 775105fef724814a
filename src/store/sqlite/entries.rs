//! Entries as they are read, their labels, and their texts before each edit.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use super::{StoreError, maybe, rows, unix};
use crate::feed::{Entry, Timestamp};
use crate::store::EntryDay;
use crate::store::details::Details;
use crate::story::{EntryKey, Revision, StoredEntry};
use crate::topic::Label;

/// The columns that [`read_entry`] takes, of `entry` under its own name.
pub(super) const COLUMNS: &str = "entry.number, entry.source_id, entry.key, entry.atom_id, entry.story, \
    entry.first_seen, entry.changed, entry.id, entry.url, entry.title, entry.summary, entry.content, \
    entry.published, entry.updated, entry.language, entry.details, entry.canonical_link, entry.date, \
    entry.owns_guid";

pub(super) fn details(entry: &Entry) -> Result<String, StoreError> {
    Ok(Details::written(entry)?)
}

pub(super) fn read_labels(connection: &Connection, number: i64) -> Result<Vec<Label>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT topic, score, reasons FROM label WHERE entry = ?1 ORDER BY topic")?;
    let read = |row: &Row<'_>| {
        Ok(Label { topic: row.get(0)?, score: row.get(1)?, reasons: rows::json(row, 2)?.unwrap_or_default() })
    };
    Ok(statement.query_map([number], read)?.collect::<Result<_, _>>()?)
}

pub(super) fn one(connection: &Connection, number: i64) -> Result<Option<StoredEntry>, StoreError> {
    maybe(connection, &format!("SELECT {COLUMNS} FROM entry WHERE number = ?1"), number, read_entry)
}

pub(super) fn days(connection: &Connection, since: Timestamp) -> Result<BTreeMap<String, Vec<EntryDay>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT source_id, max(date), count(*) FROM entry WHERE date >= ?1
         GROUP BY source_id, date / 86400 ORDER BY source_id, date / 86400",
    )?;
    let mut days: BTreeMap<String, Vec<EntryDay>> = BTreeMap::new();
    let mut found = statement.query([unix(since)])?;
    while let Some(row) = found.next()? {
        let day = EntryDay { last: rows::time(row, 1)?.unwrap_or_default(), entries: row.get(2)? };
        days.entry(row.get(0)?).or_default().push(day);
    }
    Ok(days)
}

pub(super) fn read_entry(row: &Row<'_>) -> rusqlite::Result<StoredEntry> {
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
        entry: details.complete(Entry {
            id: row.get(7)?,
            url: rows::url(row, 8)?,
            title: row.get(9)?,
            summary: row.get(10)?,
            content: row.get(11)?,
            published: rows::time(row, 12)?,
            updated: rows::time(row, 13)?,
            language: row.get(14)?,
            ..Entry::default()
        }),
    })
}

pub(super) fn keep_revision(
    connection: &Connection,
    number: i64,
    most: usize,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO revision (entry, replaced, title, summary, content, url)
             SELECT number, ?2, title, summary, content, url FROM entry WHERE number = ?1",
        )?
        .execute(params![number, unix(now)])?;
    connection
        .prepare_cached(
            "DELETE FROM revision WHERE entry = ?1 AND rowid NOT IN
             (SELECT rowid FROM revision WHERE entry = ?1 ORDER BY rowid DESC LIMIT ?2)",
        )?
        .execute(params![number, i64::try_from(most).unwrap_or(i64::MAX)])?;
    Ok(())
}

pub(super) fn revisions(connection: &Connection, number: i64) -> Result<Vec<Revision>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT replaced, title, summary, content, url FROM revision WHERE entry = ?1 ORDER BY rowid DESC",
    )?;
    let read = |row: &Row<'_>| {
        Ok(Revision {
            replaced: rows::time(row, 0)?.unwrap_or_default(),
            title: row.get(1)?,
            summary: row.get(2)?,
            content: row.get(3)?,
            url: rows::url(row, 4)?,
        })
    };
    Ok(statement.query_map([number], read)?.collect::<Result<_, _>>()?)
}

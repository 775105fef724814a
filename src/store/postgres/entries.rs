//! Entries as they are read, their labels, and their texts before each edit.

use std::collections::{BTreeMap, HashMap};

use tokio_postgres::Row;

use super::rows::{self, unix};
use super::session::{Call, call};
use super::{Postgres, StoreError};
use crate::feed::{Entry, Timestamp};
use crate::store::EntryDay;
use crate::store::details::Details;
use crate::story::{EntryKey, Fingerprint, Revision, StoredEntry};
use crate::topic::Label;

/// The columns that [`read`] takes, of `entry` under its own name.
pub(super) const COLUMNS: &str = "entry.number, entry.source_id, entry.key, entry.atom_id, entry.story, \
    entry.first_seen, entry.changed, entry.id, entry.url, entry.title, entry.summary, entry.content, \
    entry.published, entry.updated, entry.language, entry.details, entry.canonical_link, entry.date, \
    entry.owns_guid";

/// The number of columns that [`read`] takes.
pub(super) const COLUMNS_COUNT: usize = 19;

pub(super) fn read(row: &Row) -> Result<StoredEntry, StoreError> {
    let details: Details = rows::json(row, 15)?.unwrap_or_default();
    Ok(StoredEntry {
        number: rows::number(row, 0)?,
        source_id: rows::get(row, 1)?,
        key: EntryKey(rows::sixteen(row, 2)?),
        atom_id: rows::get(row, 3)?,
        story: rows::number(row, 4)?,
        canonical_link: rows::get(row, 16)?,
        owns_guid: rows::get(row, 18)?,
        first_seen: rows::time(row, 5)?.unwrap_or_default(),
        date: rows::time(row, 17)?.unwrap_or_default(),
        changed: rows::time(row, 6)?,
        entry: details.complete(Entry {
            id: rows::get(row, 7)?,
            url: rows::url(row, 8)?,
            title: rows::get(row, 9)?,
            summary: rows::get(row, 10)?,
            content: rows::get(row, 11)?,
            published: rows::time(row, 12)?,
            updated: rows::time(row, 13)?,
            language: rows::get(row, 14)?,
            ..Entry::default()
        }),
    })
}

/// Reads a fingerprint.
pub(super) fn fingerprint(row: &Row, column: usize) -> Result<Fingerprint, StoreError> {
    Ok(Fingerprint(rows::sixteen(row, column)?))
}

/// Asks for the labels in force of entries; [`labels_by_entry`] reads the answer.
pub(super) fn ask_labels(numbers: &[i64]) -> Call<'static> {
    let sql = "SELECT entry, topic, score, reasons FROM label WHERE entry = ANY($1) ORDER BY entry, topic";
    call!(sql, numbers.to_vec())
}

/// Labels by entry, each entry's by topic.
pub(super) fn labels_by_entry(rows: &[Row]) -> Result<HashMap<i64, Vec<Label>>, StoreError> {
    let mut labels: HashMap<i64, Vec<Label>> = HashMap::new();
    for row in rows {
        let reasons = rows::json(row, 3)?.unwrap_or_default();
        let label = Label { topic: rows::get(row, 1)?, score: rows::get(row, 2)?, reasons };
        labels.entry(rows::number(row, 0)?).or_default().push(label);
    }
    Ok(labels)
}

impl Postgres {
    pub(super) fn days(&mut self, since: Timestamp) -> Result<BTreeMap<String, Vec<EntryDay>>, StoreError> {
        let ask = call!(
            "SELECT source_id, max(date), count(*) FROM entry WHERE date >= $1
             GROUP BY source_id, date / 86400 ORDER BY source_id, date / 86400",
            unix(since),
        );
        let read = |row: &Row| {
            let entries = u32::try_from(rows::number(row, 2)?).unwrap_or(u32::MAX);
            Ok((rows::get(row, 0)?, EntryDay { last: rows::time(row, 1)?.unwrap_or_default(), entries }))
        };
        let mut days: BTreeMap<String, Vec<EntryDay>> = BTreeMap::new();
        for (source_id, day) in rows::next(&mut self.session.look(&[ask])?, read)? {
            days.entry(source_id).or_default().push(day);
        }
        Ok(days)
    }

    pub(super) fn all_revisions(&mut self, number: i64) -> Result<Vec<Revision>, StoreError> {
        let ask = call!(
            "SELECT replaced, title, summary, content, url FROM revision WHERE entry = $1 ORDER BY number DESC",
            number,
        );
        let read = |row: &Row| {
            Ok(Revision {
                replaced: rows::time(row, 0)?.unwrap_or_default(),
                title: rows::get(row, 1)?,
                summary: rows::get(row, 2)?,
                content: rows::get(row, 3)?,
                url: rows::url(row, 4)?,
            })
        };
        rows::next(&mut self.session.look(&[ask])?, read)
    }
}

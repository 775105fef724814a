//! What is left to say of stories that a topic shows no more.

use rusqlite::{Connection, Row, params};

use super::{StoreError, rows, unix};
use crate::story::{Departure, Month, Tombstone};

pub(super) fn tombstones(
    connection: &Connection,
    topic: &str,
    month: Option<Month>,
    limit: usize,
) -> Result<Vec<Tombstone>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT atom_id, gone, is_joined, title FROM (
             SELECT head.number, head.atom_id, head.date, max(entry.withdrawn) AS gone, 0 AS is_joined, NULL AS title,
                    entry.story
             FROM entry JOIN entry AS head ON head.number = entry.story
             WHERE entry.withdrawn IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM entry AS told WHERE told.story = entry.story AND told.withdrawn IS NULL)
             GROUP BY entry.story
             UNION ALL
             SELECT number, atom_id, date, joined, 1, (
                 SELECT told.title FROM entry AS told WHERE told.story = entry.story AND told.withdrawn IS NULL
                 ORDER BY told.number LIMIT 1), story
             FROM entry WHERE joined > first_seen AND story <> number
         ) AS gone
         WHERE date >= ?2 AND date < ?3 AND EXISTS (
             SELECT 1 FROM entry AS told JOIN label ON label.entry = told.number
             WHERE told.story = gone.story AND label.topic = ?1)
         ORDER BY gone DESC, number DESC LIMIT ?4",
    )?;
    let (from, to) = month.map_or((i64::MIN, i64::MAX), |month| (unix(month.start()), unix(month.next().start())));
    let read = |row: &Row<'_>| {
        let departure = if row.get(2)? { Departure::Joined(row.get(3)?) } else { Departure::Withdrawn };
        Ok(Tombstone { atom_id: row.get(0)?, date: rows::time(row, 1)?.unwrap_or_default(), departure })
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(statement.query_map(params![topic, from, to, limit], read)?.collect::<Result<_, _>>()?)
}

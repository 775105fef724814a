//! Entries that their publishers took back, and what is left to say of their stories.

use rusqlite::{Connection, Row, params};

use super::{StoreError, archive, maybe, rows, unix};
use crate::feed::Timestamp;
use crate::story::{Departure, EntryKey, Listed, Month, Stay, Tombstone, claimed};

pub(super) fn listed(connection: &Connection, source_id: &str) -> Result<Vec<Listed>, StoreError> {
    // One index holds all that the first part asks for; texts, which may be long, are not read.
    let mut statement = connection.prepare_cached(
        "SELECT number, key, date, published, updated, 0 FROM entry
         WHERE source_id = ?1 AND left_feed IS NULL
         UNION ALL
         SELECT number, key, date, published, updated, 1 FROM entry
         WHERE source_id = ?1 AND suspected IS NOT NULL AND withdrawn IS NULL",
    )?;
    let read = |row: &Row<'_>| {
        let claim = claimed(rows::time(row, 3)?, rows::time(row, 4)?);
        let date = rows::time(row, 2)?.filter(|_| claim.is_some());
        Ok(Listed { number: row.get(0)?, key: EntryKey(row.get(1)?), date, is_suspected: row.get(5)? })
    };
    Ok(statement.query_map([source_id], read)?.collect::<Result<_, _>>()?)
}

pub(super) fn suspect(connection: &Connection, numbers: &[i64], since: Option<Timestamp>) -> Result<(), StoreError> {
    let mut set = connection.prepare_cached("UPDATE entry SET suspected = ?2 WHERE number = ?1")?;
    for number in numbers {
        set.execute(params![number, since.map(unix)])?;
    }
    Ok(())
}

pub(super) fn suspected(connection: &Connection, source_id: &str, until: Timestamp) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number FROM entry
         WHERE source_id = ?1 AND suspected IS NOT NULL AND withdrawn IS NULL AND suspected <= ?2",
    )?;
    Ok(statement.query_map(params![source_id, unix(until)], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

pub(super) fn stays(
    connection: &Connection,
    source_id: &str,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<Stay>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT date, first_seen, left_feed FROM entry WHERE source_id = ?1 AND left_feed IS NULL
         UNION ALL
         SELECT * FROM (SELECT date, first_seen, left_feed FROM entry WHERE source_id = ?1 AND left_feed >= ?2
                        ORDER BY left_feed DESC LIMIT ?3)",
    )?;
    let read = |row: &Row<'_>| {
        let time = |column| Ok::<_, rusqlite::Error>(rows::time(row, column)?.unwrap_or_default());
        Ok(Stay { date: time(0)?, from: time(1)?, until: rows::time(row, 2)? })
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(statement.query_map(params![source_id, unix(since), limit], read)?.collect::<Result<_, _>>()?)
}

pub(super) fn withdraw(connection: &Connection, numbers: &[i64], now: Timestamp) -> Result<(), StoreError> {
    for number in numbers {
        connection
            .prepare_cached("UPDATE entry SET withdrawn = ?2 WHERE number = ?1")?
            .execute(params![number, unix(now)])?;
        let story = maybe(connection, "SELECT story FROM entry WHERE number = ?1", *number, |row| row.get(0))?;
        if let Some(story) = story {
            archive::touch(connection, story)?;
        }
    }
    Ok(())
}

/// Takes an entry that is in its feed again for what it was; says whether it was withdrawn. That it is back is news, and
/// later than its tombstone.
pub(super) fn restore(connection: &Connection, number: i64, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT story FROM entry WHERE number = ?1 AND withdrawn IS NOT NULL";
    let story = maybe(connection, sql, number, |row| row.get(0))?;
    connection
        .prepare_cached(
            "UPDATE entry SET left_feed = NULL, suspected = NULL, withdrawn = NULL,
                changed = iif(withdrawn IS NULL, changed, ?2)
             WHERE number = ?1",
        )?
        .execute(params![number, unix(now)])?;
    if let Some(story) = story {
        archive::touch(connection, story)?;
    }
    Ok(story.is_some())
}

/// Both kinds are read from the small indexes of what is gone, never from all entries of a topic or a story.
const WITHDRAWN: &str = "SELECT head.atom_id AS atom_id, max(entry.withdrawn) AS gone, 0 AS is_joined, NULL AS title, \
    head.number AS number, entry.story AS story \
    FROM entry AS head INDEXED BY {index} CROSS JOIN entry INDEXED BY entry_by_story ON entry.story = head.number \
    WHERE head.withdrawn IS NOT NULL AND head.story = head.number {month} GROUP BY head.number \
    HAVING count(*) = count(entry.withdrawn)";
const JOINED: &str = "SELECT entry.atom_id AS atom_id, entry.joined AS gone, 1 AS is_joined, ( \
        SELECT told.title FROM entry AS told WHERE told.story = entry.story AND told.withdrawn IS NULL \
        ORDER BY told.number LIMIT 1) AS title, entry.number AS number, entry.story AS story \
    FROM entry INDEXED BY {index} \
    WHERE entry.joined IS NOT NULL AND entry.joined > entry.first_seen AND entry.story <> entry.number {month}";

/// Asked of one month, only what is gone from that month is looked at.
pub(super) fn tombstones(
    connection: &Connection,
    topic: &str,
    month: Option<Month>,
    limit: usize,
) -> Result<Vec<Tombstone>, StoreError> {
    let of = |kind: &str, table: &str, whole: &str, by_date: &str| match month {
        None => kind.replace("{index}", whole).replace("{month}", "AND ?2 <= ?3"),
        Some(_) => kind
            .replace("{index}", by_date)
            .replace("{month}", &format!("AND {table}.date >= ?2 AND {table}.date < ?3")),
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT atom_id, gone, is_joined, title FROM ({} UNION ALL {}) AS gone
         WHERE EXISTS (SELECT 1 FROM entry AS told CROSS JOIN label ON label.entry = told.number
                       WHERE told.story = gone.story AND label.topic = ?1)
         ORDER BY gone DESC, number DESC LIMIT ?4",
        of(WITHDRAWN, "head", "entry_withdrawn", "entry_withdrawn_by_date"),
        of(JOINED, "entry", "entry_joined", "entry_joined_by_date"),
    ))?;
    let (from, to) = month.map_or((i64::MIN, i64::MAX), |month| (unix(month.start()), unix(month.next().start())));
    let read = |row: &Row<'_>| {
        let departure = if row.get(2)? { Departure::Joined(row.get(3)?) } else { Departure::Withdrawn };
        Ok(Tombstone { atom_id: row.get(0)?, date: rows::time(row, 1)?.unwrap_or_default(), departure })
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(statement.query_map(params![topic, from, to, limit], read)?.collect::<Result<_, _>>()?)
}

//! Entries that were first met under a wrong clock get their own dates.

use rusqlite::{Connection, params};

use super::{StoreError, maybe, unix};
use crate::feed::Timestamp;
use crate::story::Period;

/// An entry that was first seen before it was published, or in the future.
pub(super) struct Misdated {
    pub(super) number: i64,
    pub(super) story: i64,
    first_seen: i64,
    /// The date that its publisher gives it, or now if that is still to come or it has none.
    date: i64,
    /// Not before it was published, and not later than now.
    seen: i64,
}

/// Finds the entries of a source that were first seen between two instants, if that cannot be.
pub(super) fn misdated(
    connection: &Connection,
    source_id: &str,
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Vec<Misdated>, StoreError> {
    let sql = "SELECT number, story, first_seen, min(coalesce(published, updated, ?4), ?4) FROM entry
               WHERE source_id = ?1 AND first_seen BETWEEN ?2 AND ?3
                   AND (first_seen > ?4 OR coalesce(published, updated) > first_seen)";
    let asked = params![source_id, unix(from), unix(until), unix(now)];
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(asked, |row| {
        let (first_seen, date): (i64, i64) = (row.get(2)?, row.get(3)?);
        let seen = first_seen.min(unix(now)).max(date);
        Ok(Misdated { number: row.get(0)?, story: row.get(1)?, first_seen, date, seen })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Dates an entry anew, and all that is found by its date.
pub(super) fn redate(connection: &Connection, entry: &Misdated) -> Result<(), StoreError> {
    let Misdated { number, story, first_seen, date, seen } = entry;
    let sql = "UPDATE entry SET first_seen = ?3, date = ?2 WHERE number = ?1";
    connection.prepare_cached(sql)?.execute([number, date, seen])?;
    if number == story {
        let sql = "UPDATE labelled SET date = ?2 WHERE entry IN (SELECT number FROM entry WHERE story = ?1)";
        connection.prepare_cached(sql)?.execute([number, date])?;
    }
    let period = |at: &i64| Period::of(Timestamp::from_timestamp(*at, 0).unwrap_or_default()).0;
    let (before, after) = (period(first_seen), period(seen));
    if before == after {
        return Ok(());
    }
    let clues =
        maybe(connection, "SELECT clues FROM sketch WHERE entry = ?1", *number, |row| row.get::<_, Vec<u8>>(0))?;
    let Some(mut clues) = clues else { return Ok(()) };
    for pair in clues.chunks_exact_mut(16) {
        if let Some(place) = pair.get_mut(..8).filter(|place| **place == before.to_le_bytes()) {
            place.copy_from_slice(&after.to_le_bytes());
        }
    }
    let sql = "UPDATE OR REPLACE clue SET period = ?3 WHERE entry = ?1 AND period = ?2";
    connection.prepare_cached(sql)?.execute([number, &before, &after])?;
    let sql = "UPDATE sketch SET clues = ?2 WHERE entry = ?1";
    connection.prepare_cached(sql)?.execute(params![number, clues])?;
    Ok(())
}

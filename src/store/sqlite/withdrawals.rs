//! What is left to say of stories that a topic shows no more.

use rusqlite::{Connection, Row, params};

use super::{StoreError, rows, unix};
use crate::story::{Departure, Month, Tombstone};

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

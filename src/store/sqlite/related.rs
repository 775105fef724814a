//! Related news: the telling words of entries, and what was chosen for stories.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StoreError, archive, rows, unix};
use crate::store::Order;
use crate::story::{Chosen, Gist, Related, Terms};

pub(super) fn set_terms(connection: &Connection, number: i64, terms: Option<&Terms>) -> Result<(), StoreError> {
    match terms {
        None => connection.prepare_cached("DELETE FROM terms WHERE entry = ?1")?.execute([number])?,
        Some(terms) => connection
            .prepare_cached("INSERT OR REPLACE INTO terms VALUES (?1, ?2)")?
            .execute(params![number, terms.to_bytes()])?,
    };
    Ok(())
}

pub(super) fn unrelated(connection: &Connection, number: i64) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT told.story, label.topic FROM entry CROSS JOIN entry AS told ON told.story = entry.story
         CROSS JOIN label ON label.entry = told.number
         WHERE entry.number = ?1 AND NOT EXISTS (SELECT 1 FROM related WHERE related.topic = label.topic
                                                 AND related.story = told.story AND related.place = 0)
         ORDER BY label.topic",
    )?;
    Ok(statement.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// The columns that [`read`] takes, of a story's head as `entry`.
const COLUMNS: &str = "entry.number, entry.source_id, entry.date, entry.title, terms.hashes";

fn read(row: &Row<'_>) -> rusqlite::Result<Gist> {
    Ok(Gist {
        number: row.get(0)?,
        source_id: row.get(1)?,
        date: rows::time(row, 2)?.unwrap_or_default(),
        title: row.get(3)?,
        terms: row.get::<_, Option<Vec<u8>>>(4)?.map(|bytes| Terms::from_bytes(&bytes)),
    })
}

pub(super) fn gist(connection: &Connection, story: i64) -> Result<Option<Gist>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM entry LEFT JOIN terms ON terms.entry = number WHERE number = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([story], read).optional()?)
}

/// Labels are dated like their story's head, so the index of labels gives the stories in order, or nearly: of one date
/// it has them by the labelled entry's number.
pub(super) fn gists(
    connection: &Connection,
    topic: &str,
    since: Order,
    before: Order,
    limit: usize,
) -> Result<Vec<Gist>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM label CROSS JOIN entry AS told ON told.number = label.entry
         CROSS JOIN entry ON entry.number = told.story LEFT JOIN terms ON terms.entry = entry.number
         WHERE label.topic = ?1 AND label.date BETWEEN ?2 AND ?3 AND entry.url IS NOT NULL
         AND (label.date, entry.number) >= (?2, ?4) AND (label.date, entry.number) < (?3, ?5)
         ORDER BY label.date DESC, label.entry DESC"
    ))?;
    let parameters = params![topic, unix(since.0), unix(before.0), since.1, before.1];
    let mut gists: Vec<Gist> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for gist in statement.query_map(parameters, read)? {
        let gist = gist?;
        if gists.len() == limit {
            break;
        }
        if seen.insert(gist.number) {
            gists.push(gist);
        }
    }
    Ok(gists)
}

pub(super) fn relate(connection: &Connection, topic: &str, story: i64, others: &[i64]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO related VALUES (?1, ?2, ?3, ?4)")?;
    if insert.execute(params![topic, story, 0, story])? == 0 {
        return Ok(());
    }
    for (place, other) in (1..).zip(others) {
        insert.execute(params![topic, story, place, other])?;
    }
    if others.is_empty() { Ok(()) } else { archive::touch(connection, story) }
}

/// The stories that hold what was chosen for a story, best first.
pub(super) fn chosen(connection: &Connection, topic: &str, story: i64) -> Result<Vec<Chosen>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT head.number, head.title, head.url, EXISTS (
             SELECT 1 FROM entry AS told CROSS JOIN label ON label.entry = told.number
             WHERE told.story = head.number AND told.withdrawn IS NULL AND label.topic = ?1)
         FROM related CROSS JOIN entry AS chosen ON chosen.number = related.other
         CROSS JOIN entry AS head ON head.number = chosen.story
         WHERE related.topic = ?1 AND related.story = ?2 AND related.place > 0
         ORDER BY related.place",
    )?;
    let read = |row: &Row<'_>| {
        let head = Related { number: row.get(0)?, title: row.get(1)?, url: rows::url(row, 2)? };
        Ok(Chosen { head, is_in_topic: row.get(3)? })
    };
    Ok(statement.query_map(params![topic, story], read)?.collect::<Result<_, _>>()?)
}

/// Forgets what was chosen for a story that is dropped, and where it was chosen.
pub(super) fn forget(connection: &Connection, story: i64) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM related WHERE story = ?1")?.execute([story])?;
    let sql = "DELETE FROM related WHERE place > 0 AND other IN (SELECT number FROM entry WHERE story = ?1)";
    connection.prepare_cached(sql)?.execute([story])?;
    Ok(())
}

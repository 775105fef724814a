//! Related news in the store: telling words of entries (table `terms`), gists, and choices. For the words used here see
//! `dedup/related/mod.rs`.
//!
//! A choice is kept for good, for readers have seen it. So `related` is no derived table.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StoreError, archive, rows, unix};
use crate::feed::Timestamp;
use crate::story::{Chosen, Gist, Order, Related, TellingWords, WINDOW};

pub(super) fn set_telling_words(
    connection: &Connection,
    number: i64,
    telling_words: Option<&TellingWords>,
) -> Result<(), StoreError> {
    match telling_words {
        None => connection.prepare_cached("DELETE FROM terms WHERE entry = ?1")?.execute([number])?,
        Some(telling_words) => connection
            .prepare_cached("INSERT OR REPLACE INTO terms VALUES (?1, ?2)")?
            .execute(params![number, telling_words.to_bytes()])?,
    };
    Ok(())
}

/// The columns of [`read`]; `entry` is a story's head.
const COLUMNS: &str = "entry.number, entry.source_id, entry.date, entry.title, entry.url IS NOT NULL, terms.hashes";

fn read(row: &Row<'_>) -> rusqlite::Result<Gist> {
    Ok(Gist {
        number: row.get(0)?,
        source_id: row.get(1)?,
        date: rows::time(row, 2)?.unwrap_or_default(),
        title: row.get(3)?,
        has_page: row.get(4)?,
        telling_words: row.get::<_, Option<Vec<u8>>>(5)?.map(|bytes| TellingWords::from_bytes(&bytes)),
    })
}

pub(super) fn gist(connection: &Connection, story: i64) -> Result<Option<Gist>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM entry LEFT JOIN terms ON terms.entry = number WHERE number = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([story], read).optional()?)
}

/// The windows before some places, merged.
///
/// Stories are read backwards from the last place. Where a window ends, the stories up to the next place are skipped.
pub(super) fn windows(
    connection: &Connection,
    topic: &str,
    places: &BTreeSet<Order>,
) -> Result<BTreeMap<Order, Gist>, StoreError> {
    let mut stories: BTreeMap<Order, Gist> = BTreeMap::new();
    let mut places = places.iter().rev().copied().peekable();
    while let Some(place) = places.next() {
        let mut left = WINDOW;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM label CROSS JOIN entry AS told ON told.number = label.entry
             CROSS JOIN entry ON entry.number = told.story LEFT JOIN terms ON terms.entry = entry.number
             WHERE label.topic = ?1 AND label.date <= ?2 AND entry.url IS NOT NULL
             AND (label.date, entry.number) < (?2, ?3)
             ORDER BY label.date DESC, label.entry DESC"
        ))?;
        for gist in statement.query_map(params![topic, unix(place.0), place.1], read)? {
            let gist = gist?;
            while places.next_if(|next| *next > gist.order()).is_some() {
                left = WINDOW;
            }
            if left == 0 {
                break;
            }
            if stories.insert(gist.order(), gist).is_none() {
                left -= 1;
            }
        }
    }
    Ok(stories)
}

pub(super) fn unrelated(
    connection: &Connection,
    rules: i64,
    topic: &str,
    after: Option<Order>,
    limit: usize,
) -> Result<Vec<(Gist, bool)>, StoreError> {
    let Some(after) = after.map_or_else(|| before_unrelated(connection, rules, topic), |after| Ok(Some(after)))? else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT DISTINCT {COLUMNS}, EXISTS (SELECT 1 FROM related WHERE related.topic = ?2
                                            AND related.story = entry.number AND related.place = 0)
         FROM labelled CROSS JOIN entry AS told ON told.number = labelled.entry
         CROSS JOIN entry ON entry.number = told.story LEFT JOIN terms ON terms.entry = entry.number
         WHERE labelled.rules = ?1 AND labelled.topic = ?2 AND labelled.date >= ?3
         AND (labelled.date, entry.number) > (?3, ?4)
         ORDER BY labelled.date, entry.number LIMIT ?5"
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let parameters = params![rules, topic, after.0.timestamp(), after.1, limit];
    Ok(statement.query_map(parameters, |row| Ok((read(row)?, row.get(6)?)))?.collect::<Result<_, _>>()?)
}

/// The place one window before the first story without a choice.
fn before_unrelated(connection: &Connection, rules: i64, topic: &str) -> Result<Option<Order>, StoreError> {
    let first: Option<i64> = connection
        .prepare_cached(
            "SELECT labelled.date FROM labelled CROSS JOIN entry ON entry.number = labelled.entry
             WHERE labelled.rules = ?1 AND labelled.topic = ?2 AND NOT EXISTS (
                 SELECT 1 FROM related WHERE related.topic = ?2 AND related.story = entry.story AND related.place = 0)
             ORDER BY labelled.date LIMIT 1",
        )?
        .query_row(params![rules, topic], |row| row.get(0))
        .optional()?;
    let Some(first) = first else { return Ok(None) };
    let before: Option<i64> = connection
        .prepare_cached(
            "SELECT date FROM labelled WHERE rules = ?1 AND topic = ?2 AND date < ?3
             ORDER BY date DESC LIMIT 1 OFFSET ?4",
        )?
        .query_row(params![rules, topic, first, i64::try_from(WINDOW).unwrap_or(i64::MAX)], |row| row.get(0))
        .optional()?;
    let before = before.and_then(|before| Timestamp::from_timestamp(before, 0));
    Ok(Some((before.unwrap_or(Timestamp::MIN_UTC), i64::MIN)))
}

pub(super) fn write_related(
    connection: &Connection,
    topic: &str,
    story: i64,
    others: &[i64],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO related VALUES (?1, ?2, ?3, ?4)")?;
    if insert.execute(params![topic, story, 0, story])? == 0 {
        return Ok(());
    }
    for (place, other) in (1..).zip(others) {
        insert.execute(params![topic, story, place, other])?;
    }
    if others.is_empty() { Ok(()) } else { archive::touch_in(connection, topic, story) }
}

pub(super) fn waiting(connection: &Connection) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT story FROM unrelated ORDER BY story LIMIT 1000")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

pub(super) fn note_unrelated(connection: &Connection, stories: &[i64]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO unrelated VALUES (?1)")?;
    stories.iter().try_for_each(|story| insert.execute([story]).map(|_| ()))?;
    Ok(())
}

pub(super) fn forget_unrelated(connection: &Connection, stories: &[i64]) -> Result<(), StoreError> {
    let mut delete = connection.prepare_cached("DELETE FROM unrelated WHERE story = ?1")?;
    stories.iter().try_for_each(|story| delete.execute([story]).map(|_| ()))?;
    Ok(())
}

/// The stories that now hold the choices for a story, best first.
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

/// Deletes the choices for a dropped story, and the choices of it.
pub(super) fn forget(connection: &Connection, story: i64) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM related WHERE story = ?1")?.execute([story])?;
    let sql = "DELETE FROM related WHERE place > 0 AND other IN (SELECT number FROM entry WHERE story = ?1)";
    connection.prepare_cached(sql)?.execute([story])?;
    Ok(())
}

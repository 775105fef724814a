//! Stories: which entries may tell one, and how a topic shows it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::{Connection, Row, params};

use super::entries::{COLUMNS, LASTING, one, period, read};
use super::{StoreError, archive, related, unix};
use crate::feed::Timestamp;
use crate::store::{CANDIDATES_MAX, COMMON_CLUE, Part};
use crate::story::{Bond, Clues, StoredEntry, Told, ToldEntry};
use crate::topic::Label;

/// An entry with fewer phrases among its clues is too short to share two.
const PHRASES_FEW: usize = 4;

pub(super) fn candidates(
    connection: &Connection,
    clues: &Clues,
    since: Timestamp,
) -> Result<Vec<StoredEntry>, StoreError> {
    let mut numbers = recent(connection, &clues.recent, since)?;
    for clue in &clues.lasting {
        numbers.extend(sharing(connection, LASTING, *clue, COMMON_CLUE)?);
    }
    let mut found: BTreeMap<i64, StoredEntry> = BTreeMap::new();
    for number in numbers {
        found.extend(one(connection, number)?.map(|entry| (number, entry)));
    }
    let heads: Vec<i64> = found.values().map(|entry| entry.story).filter(|head| !found.contains_key(head)).collect();
    for head in heads {
        found.extend(one(connection, head)?.map(|entry| (head, entry)));
    }
    Ok(found.into_values().collect())
}

/// The entries that share most clues with one, of those first seen at `since` or later.
fn recent(connection: &Connection, clues: &[i64], since: Timestamp) -> Result<BTreeSet<i64>, StoreError> {
    // The clues alone first: a look into the index costs little beside one at the entries.
    let periods = periods(connection, since)?;
    let is_name = |clue: &i64| clue & 1 == 1;
    let phrases = clues.iter().filter(|clue| !is_name(clue)).count();
    let needed = if phrases < PHRASES_FEW { 1 } else { 2 };
    let mut shared: HashMap<i64, usize> = HashMap::new();
    for clue in clues {
        let mut found = Vec::new();
        for period in &periods {
            found.extend(sharing(connection, *period, *clue, COMMON_CLUE + 1 - found.len())?);
        }
        let is_common = !is_name(clue) && found.len() > COMMON_CLUE;
        for number in found.into_iter().filter(|_| !is_common) {
            *shared.entry(number).or_default() += if is_name(clue) { 2 } else { 1 };
        }
    }
    shared.retain(|_, clues| *clues >= needed);
    let mut is_near = connection.prepare_cached("SELECT 1 FROM entry WHERE number = ?1 AND first_seen >= ?2")?;
    let mut near = Vec::with_capacity(shared.len());
    for (number, clues) in shared {
        if is_near.exists(params![number, unix(since)])? {
            near.push((clues, number));
        }
    }
    near.sort_unstable_by_key(|(clues, number)| std::cmp::Reverse((*clues, *number)));
    near.truncate(CANDIDATES_MAX);
    Ok(near.into_iter().map(|(_, number)| number).collect())
}

/// The periods from `since` on in which there are clues, the latest first: a clock that was wrong may have left wide gaps.
fn periods(connection: &Connection, since: Timestamp) -> Result<Vec<i64>, StoreError> {
    let mut latest = connection.prepare_cached("SELECT max(period) FROM clue WHERE period < ?1")?;
    let first = period(unix(since));
    let (mut periods, mut before) = (Vec::new(), i64::MAX);
    while let Some(period) =
        latest.query_row([before], |row| row.get::<_, Option<i64>>(0))?.filter(|found| *found >= first)
    {
        periods.push(period);
        before = period;
    }
    Ok(periods)
}

/// The latest entries of a period that have a clue.
fn sharing(connection: &Connection, period: i64, clue: i64, most: usize) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT entry FROM clue WHERE period = ?1 AND hash = ?2 ORDER BY entry DESC";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([period, clue], |row| row.get(0))?.take(most).collect::<Result<_, _>>()?)
}

pub(super) fn tellings(connection: &Connection, story: i64) -> Result<Vec<StoredEntry>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM entry WHERE story = ?1 ORDER BY number"))?;
    Ok(statement.query_map([story], read)?.collect::<Result<_, _>>()?)
}

/// The labels of an entry are dated by its story's head.
pub(super) fn assign(connection: &Connection, number: i64, story: i64, now: Timestamp) -> Result<(), StoreError> {
    let Some(before) = one(connection, number)? else { return Ok(()) };
    archive::touch(connection, before.story)?;
    connection
        .prepare_cached(
            "UPDATE entry SET story = ?2,
                joined = CASE WHEN ?2 = number THEN NULL WHEN story = number THEN ?3 ELSE joined END
             WHERE number = ?1",
        )?
        .execute(params![number, story, unix(now)])?;
    connection
        .prepare_cached("UPDATE label SET date = (SELECT date FROM entry WHERE number = ?2) WHERE entry = ?1")?
        .execute([number, story])?;
    archive::touch(connection, story)
}

pub(super) fn bonds(connection: &Connection, number: i64) -> Result<Vec<Bond>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT one, other, together FROM bond WHERE one = ?1
         UNION SELECT one, other, together FROM bond WHERE other = ?1",
    )?;
    let read = |row: &Row<'_>| Ok(Bond { one: row.get(0)?, other: row.get(1)?, together: row.get(2)? });
    Ok(statement.query_map([number], read)?.collect::<Result<_, _>>()?)
}

/// The numbers of stories of a topic, newest first.
pub(super) fn stories(connection: &Connection, topic: &str, part: Part) -> Result<Vec<i64>, StoreError> {
    let mut dated = match part {
        Part::Newest(limit) => newest(connection, topic, limit)?,
        Part::Month(month) => archive::stories(connection, topic, month)?,
    };
    dated.sort_unstable_by_key(|dated| std::cmp::Reverse(*dated));
    Ok(dated.into_iter().map(|(_, number)| number).collect())
}

/// The latest labels give the latest stories: a label has the date of its story's head.
fn newest(connection: &Connection, topic: &str, limit: usize) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut labelled = connection.prepare_cached(
        "SELECT label.date, entry.story FROM label CROSS JOIN entry ON entry.number = label.entry
         WHERE label.topic = ?1
             AND EXISTS (SELECT 1 FROM entry AS told WHERE told.story = entry.story AND told.withdrawn IS NULL)
         ORDER BY label.date DESC, label.entry DESC",
    )?;
    let mut dated: Vec<(i64, i64)> = Vec::new();
    let mut seen = HashSet::new();
    for story in labelled.query_map([topic], |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (date, number) = story?;
        if dated.len() == limit {
            break;
        }
        if seen.insert(number) {
            dated.push((date, number));
        }
    }
    Ok(dated)
}

/// Stories beside a topic, in the order of their numbers as they are given.
///
/// Labels are looked up one by one: joined, a planner whose statistics are of a young store reads all of them for each
/// story, to make a Bloom filter (5 ms with 100,000 labels).
pub(super) fn told(connection: &Connection, topic: &str, numbers: &[i64]) -> Result<Vec<Told>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, entry.withdrawn IS NOT NULL AS is_withdrawn,
                (SELECT score FROM label WHERE label.entry = entry.number AND label.topic = ?2) AS score,
                (SELECT reasons FROM label WHERE label.entry = entry.number AND label.topic = ?2) AS reasons
         FROM entry WHERE entry.story = ?1 ORDER BY entry.number"
    ))?;
    let mut stories = Vec::with_capacity(numbers.len());
    for number in numbers {
        let entries = statement.query_map(params![number, topic], |row| told_entry(row, topic))?;
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        stories.push(Told { number: *number, entries, chosen: related::chosen(connection, topic, *number)? });
    }
    Ok(stories)
}

fn told_entry(row: &Row<'_>, topic: &str) -> rusqlite::Result<ToldEntry> {
    let label = row.get::<_, Option<f64>>("score")?.map(|score| {
        let reasons: Option<String> = row.get("reasons")?;
        let reasons = reasons.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Ok::<_, rusqlite::Error>(Label { topic: topic.to_owned(), score, reasons })
    });
    Ok(ToldEntry { stored: read(row)?, is_withdrawn: row.get("is_withdrawn")?, label: label.transpose()? })
}

pub(super) fn drop_before(connection: &Connection, before: Timestamp, sources: &[String]) -> Result<usize, StoreError> {
    let stories = connection
        .prepare_cached(
            "SELECT story FROM entry WHERE date < ?1 GROUP BY story
             HAVING NOT EXISTS (SELECT 1 FROM entry AS other WHERE other.story = entry.story
                                AND (other.date >= ?1 OR other.first_seen >= ?1 OR other.left_feed IS NULL
                                    AND other.source_id IN (SELECT value FROM json_each(?2))))",
        )?
        .query_map(params![unix(before), serde_json::to_string(sources)?], |row| row.get::<_, i64>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut dropped = 0;
    for story in stories {
        archive::touch(connection, story)?;
        related::forget(connection, story)?;
        let derived = [
            ("label", "entry"),
            ("clue", "entry"),
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

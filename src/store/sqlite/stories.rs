//! Stories: the numbers of a topic's stories, their entries, the tombstones they leave, and dropping old ones.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, Row, params};

use super::entries::{COLUMNS, read_entry};
use super::{StoreError, apply, archive, meta, related, rows, unix};
use crate::feed::Timestamp;
use crate::store::Part;
use crate::story::{LATE_AFTER, Month, Order, Told, ToldEntry, Tombstone, TombstoneReason};
use crate::topic::Label;

/// The stories of a topic, newest first.
pub(super) fn stories(connection: &Connection, topic: &str, part: Part) -> Result<Vec<Order>, StoreError> {
    let mut dated = match part {
        Part::Newest(limit) => newest(connection, topic, limit)?,
        Part::Month(month) => archive::stories_of_month(connection, topic, month)?,
    };
    dated.sort_unstable_by_key(|dated| std::cmp::Reverse(*dated));
    let order = |(at, number)| (Timestamp::from_timestamp(at, 0).unwrap_or_default(), number);
    Ok(dated.into_iter().map(order).collect())
}

/// The latest labels give the latest stories, since a label has the date of its story's head. Late stories are found among
/// the last arrivals.
fn newest(connection: &Connection, topic: &str, limit: usize) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut late = Late { connection, imported: HashMap::new() };
    let mut ranked: HashMap<i64, i64> = HashMap::new();
    let mut by_date = connection.prepare_cached(&format!("{DATED} ORDER BY label.date DESC, label.entry DESC"))?;
    let mut oldest = i64::MIN;
    for dated in by_date.query_map([topic], DatedLabel::read)? {
        let dated = dated?;
        if ranked.len() == limit {
            break;
        }
        oldest = dated.date;
        if let Entry::Vacant(vacant) = ranked.entry(dated.story) {
            vacant.insert(late.rank(&dated)?);
        }
    }
    if ranked.len() == limit {
        let mut by_arrival = connection.prepare_cached(&format!("{DATED} ORDER BY label.entry DESC"))?;
        for dated in by_arrival.query_map([topic], DatedLabel::read)?.take(limit.saturating_mul(ARRIVALS)) {
            let dated = dated?;
            // Polls that end together are kept in another order than they began.
            if dated.arrived < oldest - LATE_AFTER.num_seconds() {
                break;
            }
            if let Entry::Vacant(vacant) = ranked.entry(dated.story) {
                vacant.insert(late.rank(&dated)?);
            }
        }
    }
    let mut ranked: Vec<(i64, i64)> = ranked.into_iter().map(|(story, rank)| (rank, story)).collect();
    ranked.sort_unstable_by_key(|ranked| std::cmp::Reverse(*ranked));
    ranked.truncate(limit);
    Ok(ranked)
}

/// Arrivals that are looked at for late stories, for each story that is shown.
const ARRIVALS: usize = 20;

/// The labels of a topic whose stories stand, each with its story's head.
const DATED: &str = "SELECT label.date, entry.story, entry.first_seen, head.first_seen, head.source_id
    FROM label CROSS JOIN entry ON entry.number = label.entry CROSS JOIN entry AS head ON head.number = entry.story
    WHERE label.topic = ?1
        AND EXISTS (SELECT 1 FROM entry AS told WHERE told.story = entry.story AND told.withdrawn IS NULL)";

/// A story by one of its labels.
struct DatedLabel {
    date: i64,
    story: i64,
    /// When the entry with the label came.
    arrived: i64,
    /// When the story's head came, and from where.
    first_seen: i64,
    source_id: String,
}

impl DatedLabel {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (date, story, arrived) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Self { date, story, arrived, first_seen: row.get(3)?, source_id: row.get(4)? })
    }
}

/// Tells late stories from those that were old news when their source was new to us.
///
/// Only the main document shows a story at its arrival: labels keep the date of the head, so that months of the archive stay as
/// they are. Stories of a source's first document are not late, or each new feed would fill the document with old news.
struct Late<'a> {
    connection: &'a Connection,
    /// By source and first sight: whether that was its first document.
    imported: HashMap<(String, i64), bool>,
}

impl Late<'_> {
    /// A story's place in the order of a main document: its date, or its first sight if it came late.
    fn rank(&mut self, dated: &DatedLabel) -> Result<i64, StoreError> {
        let is_late = dated.first_seen - dated.date > LATE_AFTER.num_seconds();
        Ok(if is_late && !self.is_imported(&dated.source_id, dated.first_seen)? {
            dated.first_seen
        } else {
            dated.date
        })
    }

    fn is_imported(&mut self, source_id: &str, first_seen: i64) -> Result<bool, StoreError> {
        let key = (source_id.to_owned(), first_seen);
        if let Some(known) = self.imported.get(&key) {
            return Ok(*known);
        }
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM entry WHERE source_id = ?1 AND first_seen < ?2)";
        let is_first =
            self.connection.prepare_cached(sql)?.query_row(params![source_id, first_seen], |row| row.get(0))?;
        self.imported.insert(key, is_first);
        Ok(is_first)
    }
}

/// Stories beside a topic, in the given order.
///
/// Labels are looked up one by one. Joined, a planner with the statistics of a young store reads all labels of the
/// topic for each story, to make a Bloom filter (5 ms with 100,000 labels).
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
    Ok(ToldEntry { stored: read_entry(row)?, is_withdrawn: row.get("is_withdrawn")?, label: label.transpose()? })
}

pub(super) fn drop_before(
    connection: &Connection,
    before: Timestamp,
    sources: &[String],
    limit: usize,
) -> Result<usize, StoreError> {
    let stories = connection
        .prepare_cached(
            "SELECT story FROM entry WHERE date < ?1 GROUP BY story
             HAVING NOT EXISTS (SELECT 1 FROM entry AS other WHERE other.story = entry.story
                                AND (other.date >= ?1 OR other.first_seen >= ?1 OR other.left_feed IS NULL
                                    AND other.source_id IN (SELECT value FROM json_each(?2))))
             LIMIT ?3",
        )?
        .query_map(
            params![unix(before), serde_json::to_string(sources)?, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| row.get::<_, i64>(0),
        )?
        .collect::<Result<Vec<_>, _>>()?;
    if !stories.is_empty() {
        // First: the months get it as their new stamp.
        meta::raise_generation(connection)?;
    }
    let mut dropped = 0;
    for story in stories {
        archive::touch(connection, story)?;
        related::forget(connection, story)?;
        let numbers = connection
            .prepare_cached("SELECT number FROM entry WHERE story = ?1")?
            .query_map([story], |row| row.get::<_, i64>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        for number in numbers {
            apply::forget_clues(connection, number)?;
        }
        let derived = [
            ("labelled", "entry"),
            ("unlabelled", "entry"),
            ("sketch", "entry"),
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

/// Both kinds are read from small partial indexes, never from all entries of a topic or a story.
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

/// Of one month only the index of that month is read.
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
        let reason = if row.get(2)? { TombstoneReason::Joined(row.get(3)?) } else { TombstoneReason::Withdrawn };
        Ok(Tombstone { atom_id: row.get(0)?, date: rows::time(row, 1)?.unwrap_or_default(), reason })
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(statement.query_map(params![topic, from, to, limit], read)?.collect::<Result<_, _>>()?)
}

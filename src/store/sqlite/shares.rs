//! Sums of entries: by source, and by topic.

use rusqlite::{Connection, Row, params};

use super::{StoreError, rows, unix};
use crate::feed::Timestamp;
use crate::store::{Arrivals, SourceShare};
use crate::story::StoryTally;

/// Counts from indexes, and reads of the entries themselves only those in topics.
pub(super) fn all(connection: &Connection) -> Result<Vec<SourceShare>, StoreError> {
    let sql = "WITH counted AS (
            SELECT source_id, count(*) AS entries FROM entry INDEXED BY entry_by_guid GROUP BY source_id
         ), told AS (
            SELECT entry.source_id, count(*) AS entries FROM (SELECT DISTINCT entry FROM label) AS label
            CROSS JOIN entry ON entry.number = label.entry GROUP BY entry.source_id
         )
         SELECT counted.source_id, counted.entries, coalesce(told.entries, 0), coalesce((
            SELECT max(date) FROM entry INDEXED BY entry_listed
            WHERE source_id = counted.source_id AND left_feed IS NULL
         ), (
            SELECT max(date) FROM entry WHERE source_id = counted.source_id
         )) FROM counted LEFT JOIN told USING (source_id) ORDER BY counted.source_id";
    let number = |row: &Row<'_>, column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
    let read = |row: &Row<'_>| {
        let (entries, in_topics) = (number(row, 1)?, number(row, 2)?);
        Ok(SourceShare { source_id: row.get(0)?, entries, in_topics, last: rows::time(row, 3)? })
    };
    Ok(connection.prepare_cached(sql)?.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Reads the end of the table of labels, which is by entry.
pub(super) fn arrivals(connection: &Connection, after: i64) -> Result<Arrivals, StoreError> {
    let last = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'entry'), 0)";
    let last = connection.prepare_cached(last)?.query_row([], |row| row.get(0))?;
    let sql = "SELECT topic, count(*) FROM labelled
         WHERE entry > ?1 AND rules = (SELECT value FROM meta WHERE name = 'rules') GROUP BY topic ORDER BY topic";
    let read = |row: &Row<'_>| Ok((row.get(0)?, usize::try_from(row.get::<_, i64>(1)?).unwrap_or_default()));
    let topics = connection.prepare_cached(sql)?.query_map([after], read)?.collect::<Result<_, _>>()?;
    Ok(Arrivals { last, topics })
}

/// Counts stories from the labels of a span, and looks up the entries of these labels alone.
pub(super) fn tally(
    connection: &Connection,
    topics: &[String],
    from: Timestamp,
    until: Timestamp,
) -> Result<StoryTally, StoreError> {
    let labels = "FROM label CROSS JOIN entry ON entry.number = label.entry
         WHERE label.topic IN (SELECT value FROM json_each(?1)) AND label.date >= ?2 AND label.date < ?3";
    let topics = serde_json::to_string(topics)?;
    let span = params![topics, unix(from), unix(until)];
    let mut tally = StoryTally::default();
    let by_day = format!(
        "SELECT label.date / 86400, count(DISTINCT entry.story) {labels}
         AND EXISTS (SELECT 1 FROM entry AS told WHERE told.story = entry.story AND told.withdrawn IS NULL)
         GROUP BY label.date / 86400"
    );
    let mut statement = connection.prepare_cached(&by_day)?;
    let mut found = statement.query(span)?;
    while let Some(row) = found.next()? {
        tally.days.insert(row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs());
    }
    // The first of January 1970 was a Thursday.
    let by_source = format!(
        "SELECT entry.source_id, (label.date / 86400 + 3) % 7, count(DISTINCT entry.story), max(label.date) {labels}
         AND entry.withdrawn IS NULL GROUP BY entry.source_id, (label.date / 86400 + 3) % 7"
    );
    let mut statement = connection.prepare_cached(&by_source)?;
    let mut found = statement.query(span)?;
    while let Some(row) = found.next()? {
        let weekday = usize::try_from(row.get::<_, i64>(1)?).unwrap_or_default();
        tally.add(&row.get::<_, String>(0)?, weekday, row.get::<_, i64>(2)?.unsigned_abs(), row.get(3)?);
    }
    Ok(tally)
}

//! The archive of a topic: its stories by month, and the stamps of months.
//!
//! A stamp is the generation of the last change that a reader of the month could see.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::{StoreError, unix};
use crate::feed::Timestamp;
use crate::store::TopicOutline;
use crate::story::Month;

/// One look into the index a month, whatever the number of stories.
fn months(connection: &Connection, topic: &str) -> Result<Vec<(Month, i64)>, StoreError> {
    let mut latest = connection.prepare_cached("SELECT max(date) FROM label WHERE topic = ?1 AND date < ?2")?;
    let mut stamp =
        connection.prepare_cached("SELECT coalesce((SELECT stamp FROM month WHERE topic = ?1 AND month = ?2), 0)")?;
    let mut months = Vec::new();
    let mut before = i64::MAX;
    while let Some(date) = latest.query_row(params![topic, before], |row| row.get::<_, Option<i64>>(0))? {
        let month = Month::of(Timestamp::from_timestamp(date, 0).unwrap_or_default());
        months.push((month, stamp.query_row(params![topic, month.to_string()], |row| row.get(0))?));
        // Never upwards, even from a damaged row.
        before = unix(month.start()).min(date);
    }
    months.reverse();
    Ok(months)
}

/// The stories of a topic with heads of a month, each with the date of its head.
pub(super) fn stories_of_month(
    connection: &Connection,
    topic: &str,
    month: Month,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT label.date, entry.story FROM label CROSS JOIN entry ON entry.number = label.entry
         WHERE label.topic = ?1 AND label.date >= ?2 AND label.date < ?3",
    )?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(1)?, row.get(0)?));
    let stories = statement.query_map(params![topic, unix(month.start()), unix(month.next().start())], read)?;
    let dates = stories.collect::<Result<BTreeMap<i64, i64>, _>>()?;
    Ok(dates.into_iter().map(|(number, date)| (date, number)).collect())
}

pub(super) fn topic_outlines(connection: &Connection, topics: &[String]) -> Result<Vec<TopicOutline>, StoreError> {
    let mut stamp = connection.prepare_cached("SELECT coalesce(max(stamp), 0) FROM month WHERE topic = ?1")?;
    let outline = |topic: &String| {
        Ok(TopicOutline { stamp: stamp.query_row([topic], |row| row.get(0))?, months: months(connection, topic)? })
    };
    topics.iter().map(outline).collect()
}

/// A statement that stamps the months of the labels in a `FROM` clause.
macro_rules! stamp {
    ($from:literal) => {
        concat!(
            "INSERT INTO month (topic, month, stamp)
             SELECT label.topic, strftime('%Y-%m', label.date, 'unixepoch'),
                (SELECT value FROM meta WHERE name = 'generation') ",
            $from,
            " ON CONFLICT (topic, month) DO UPDATE SET stamp = excluded.stamp"
        )
    };
}

/// Stamps each month in which a topic shows this story, alone or as related news.
///
/// `CROSS JOIN` keeps the order of the tables: from the story to its labels, never through all labels of a topic.
pub(super) fn touch(connection: &Connection, story: i64) -> Result<(), StoreError> {
    let own = stamp!("FROM entry CROSS JOIN label ON label.entry = entry.number WHERE entry.story = ?1");
    connection.prepare_cached(own)?.execute([story])?;
    let as_related = stamp!(
        "FROM entry AS chosen CROSS JOIN related ON related.other = chosen.number AND related.place > 0
         CROSS JOIN entry ON entry.story = related.story
         CROSS JOIN label ON label.entry = entry.number AND label.topic = related.topic WHERE chosen.story = ?1"
    );
    connection.prepare_cached(as_related)?.execute([story])?;
    Ok(())
}

/// Stamps the month in which a topic shows this story.
pub(super) fn touch_in(connection: &Connection, topic: &str, story: i64) -> Result<(), StoreError> {
    let sql =
        stamp!("FROM entry CROSS JOIN label ON label.entry = entry.number WHERE entry.story = ?2 AND label.topic = ?1");
    connection.prepare_cached(sql)?.execute(params![topic, story])?;
    Ok(())
}

/// Notes the months that show an entry now: they will differ once the relabelling is done.
pub(super) fn note_relabelled(connection: &Connection, number: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO relabelled
             SELECT label.topic, strftime('%Y-%m', label.date, 'unixepoch')
             FROM entry AS told CROSS JOIN entry ON entry.story = told.story CROSS JOIN label ON label.entry = entry.number
             WHERE told.number = ?1",
        )?
        .execute([number])?;
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO relabelled
             SELECT label.topic, strftime('%Y-%m', label.date, 'unixepoch')
             FROM entry AS told CROSS JOIN entry AS chosen ON chosen.story = told.story
             CROSS JOIN related ON related.other = chosen.number AND related.place > 0
             CROSS JOIN entry ON entry.story = related.story
             CROSS JOIN label ON label.entry = entry.number AND label.topic = related.topic
             WHERE told.number = ?1",
        )?
        .execute([number])?;
    Ok(())
}

/// Notes the months that will show a story under the rules to come.
pub(super) fn note_to_come(connection: &Connection, story: i64, rules: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO relabelled
             SELECT labelled.topic, strftime('%Y-%m', labelled.date, 'unixepoch')
             FROM entry JOIN labelled ON labelled.entry = entry.number
             WHERE entry.story = ?1 AND labelled.rules = ?2",
        )?
        .execute([story, rules])?;
    Ok(())
}

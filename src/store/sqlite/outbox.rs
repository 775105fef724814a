//! Posts and their outbox. Nothing is decided here but which posts a story belongs to.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StoreError, meta, rows, unix};
use crate::feed::Timestamp;
use crate::outbox::{KEPT, Outbox, OutboxRow, PostState, PostTopic, RowResult, StoryEvent};

/// Puts the topics of all posts in the place of those before. A pair that is new begins with the next entry.
pub(super) fn save_post_topics(connection: &Connection, topics: &[PostTopic]) -> Result<(), StoreError> {
    let known = connection
        .prepare_cached("SELECT topic, post FROM post_topic")?
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut drop = connection.prepare_cached("DELETE FROM post_topic WHERE topic = ?1 AND post = ?2")?;
    for (topic, post) in &known {
        if !topics.iter().any(|now| now.topic == *topic && now.post == *post) {
            drop.execute([topic, post])?;
        }
    }
    let mut enroll = connection.prepare_cached(
        "INSERT INTO post_topic (topic, post, after, too_old)
         VALUES (?1, ?2, (SELECT coalesce(max(number), 0) FROM entry), ?3)
         ON CONFLICT (topic, post) DO UPDATE SET too_old = excluded.too_old",
    )?;
    for PostTopic { post, topic, too_old } in topics {
        enroll.execute(params![topic, post, too_old.num_seconds()])?;
    }
    Ok(())
}

/// Makes a row for each post that the story of an entry is new to.
///
/// A story that was merged from others is not new where one of them has a row.
pub(super) fn note_news(connection: &Connection, numbers: &[i64], now: Timestamp) -> Result<(), StoreError> {
    if !connection.prepare_cached("SELECT 1 FROM post_topic LIMIT 1")?.exists([])? {
        return Ok(());
    }
    let generation = meta::number(connection, "generation")?;
    let mut note = connection.prepare_cached(
        "INSERT INTO outbox (post, story, topic, event, noted, generation, state)
         SELECT post_topic.post, head.number, post_topic.topic, 'new', ?2, ?3, 'waiting'
         FROM entry CROSS JOIN entry AS head ON head.number = entry.story
         CROSS JOIN labelled ON labelled.entry = entry.number
         CROSS JOIN post_topic ON post_topic.topic = labelled.topic
         WHERE entry.number = ?1 AND head.number > post_topic.after AND head.date >= ?2 - post_topic.too_old
            AND NOT EXISTS (SELECT 1 FROM entry AS told CROSS JOIN outbox
                            ON outbox.story = told.number AND outbox.post = post_topic.post
                            WHERE told.story = head.number)
         ON CONFLICT (story, post) DO NOTHING",
    )?;
    for number in numbers {
        note.execute(params![number, unix(now), generation])?;
    }
    Ok(())
}

/// Every row of the story that an entry tells.
const OF_STORY: &str = "story IN (SELECT told.number FROM entry CROSS JOIN entry AS told ON told.story = entry.story
    WHERE entry.number = ?1)";

/// Notes that the stories of entries say something else now.
pub(super) fn note_changed(connection: &Connection, numbers: &[i64], now: Timestamp) -> Result<(), StoreError> {
    let generation = meta::number(connection, "generation")?;
    let again = format!(
        "UPDATE outbox SET event = 'changed', noted = ?2, generation = ?3, state = 'waiting', failures = 0,
            next_try = NULL, why = NULL
         WHERE {OF_STORY} AND (state = 'sent' OR state = 'waiting' AND event = 'withdrawn')"
    );
    // A message that is on its way says what the story said before.
    let under_way = format!("UPDATE outbox SET generation = ?2 WHERE {OF_STORY} AND state = 'waiting'");
    for number in numbers {
        connection.prepare_cached(&under_way)?.execute(params![number, generation])?;
        connection.prepare_cached(&again)?.execute(params![number, unix(now), generation])?;
    }
    Ok(())
}

/// Notes that the story of an entry is withdrawn, if none of its entries stands.
pub(super) fn note_withdrawn(connection: &Connection, number: i64, now: Timestamp) -> Result<(), StoreError> {
    let generation = meta::number(connection, "generation")?;
    let sql = format!(
        "UPDATE outbox SET event = 'withdrawn', noted = ?2, generation = ?3, state = 'waiting', failures = 0,
            next_try = NULL, why = NULL
         WHERE {OF_STORY} AND (state = 'sent' AND event <> 'withdrawn' OR state = 'waiting' AND event = 'changed')
            AND NOT EXISTS (SELECT 1 FROM entry CROSS JOIN entry AS told ON told.story = entry.story
                            WHERE entry.number = ?1 AND told.withdrawn IS NULL)"
    );
    connection.prepare_cached(&sql)?.execute(params![number, unix(now), generation])?;
    Ok(())
}

/// Keeps the result of a row, unless another event came meanwhile.
///
/// A row whose story changed while it was sent waits for that change.
pub(super) fn save_result(connection: &Connection, result: &RowResult) -> Result<(), StoreError> {
    let RowResult { number, event, generation, state, sent, remote, failures, next_try, why } = result;
    connection
        .prepare_cached(
            "UPDATE outbox SET
                event = CASE WHEN ?4 = 'sent' AND generation <> ?3 THEN 'changed' ELSE event END,
                state = CASE WHEN ?4 = 'sent' AND generation <> ?3 THEN 'waiting' ELSE ?4 END,
                sent = coalesce(sent, ?5), remote = ?6, failures = ?7, next_try = ?8, why = ?9
             WHERE number = ?1 AND event = ?2 AND state = 'waiting'",
        )?
        .execute(params![
            number,
            event.word(),
            generation,
            state.word(),
            sent.map(unix),
            remote,
            failures,
            next_try.map(unix),
            why
        ])?;
    Ok(())
}

pub(super) fn save_post(connection: &Connection, state: &PostState) -> Result<(), StoreError> {
    let PostState { post, stopped, failures, since, next_try, last_error, last_sent } = state;
    connection.prepare_cached("INSERT OR REPLACE INTO post VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(params![
        post,
        stopped,
        failures,
        since.map(unix),
        next_try.map(unix),
        last_error,
        last_sent.map(unix)
    ])?;
    Ok(())
}

pub(super) fn read(connection: &Connection, post: &str, since: Timestamp, limit: usize) -> Result<Outbox, StoreError> {
    let state = connection
        .prepare_cached("SELECT id, stopped, failures, since, next_try, last_error, last_sent FROM post WHERE id = ?1")?
        .query_row([post], post_state)
        .optional()?;
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM outbox WHERE post = ?1 AND state = 'waiting'")?
        .query_row([post], |row| row.get(0))?;
    let sent = connection
        .prepare_cached("SELECT sent FROM outbox WHERE post = ?1 AND sent >= ?2 AND sent IS NOT NULL ORDER BY sent")?
        .query_map(params![post, unix(since)], |row| rows::time(row, 0))?
        .collect::<Result<Vec<_>, _>>()?;
    let waiting = connection
        .prepare_cached(
            "SELECT row.number, row.story, coalesce(head.story, row.story), row.topic, row.event, row.noted,
                coalesce(head.date, row.noted), row.generation, row.sent IS NOT NULL, row.remote, row.failures,
                row.next_try, row.why,
                EXISTS (SELECT 1 FROM entry AS told CROSS JOIN outbox AS other
                        ON other.story = told.number AND other.post = row.post
                        WHERE told.story = head.story AND other.number <> row.number AND other.sent IS NOT NULL),
                EXISTS (SELECT 1 FROM outbox AS other WHERE other.story = head.story AND other.post = row.post
                        AND other.number <> row.number AND other.state = 'waiting')
             FROM outbox AS row LEFT JOIN entry AS head ON head.number = row.story
             WHERE row.post = ?1 AND row.state = 'waiting' ORDER BY row.number LIMIT ?2",
        )?
        .query_map(params![post, i64::try_from(limit).unwrap_or(i64::MAX)], outbox_row)?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Outbox {
        state: state.unwrap_or_else(|| PostState { post: post.to_owned(), ..PostState::default() }),
        waiting,
        count: usize::try_from(count).unwrap_or_default(),
        sent: sent.into_iter().flatten().collect(),
    })
}

fn post_state(row: &Row<'_>) -> rusqlite::Result<PostState> {
    Ok(PostState {
        post: row.get(0)?,
        stopped: row.get(1)?,
        failures: row.get(2)?,
        since: rows::time(row, 3)?,
        next_try: rows::time(row, 4)?,
        last_error: row.get(5)?,
        last_sent: rows::time(row, 6)?,
    })
}

fn outbox_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    Ok(OutboxRow {
        number: row.get(0)?,
        story: row.get(1)?,
        told_as: row.get(2)?,
        topic: row.get(3)?,
        event: StoryEvent::of(&row.get::<_, String>(4)?).unwrap_or(StoryEvent::New),
        noted: rows::time(row, 5)?.unwrap_or_default(),
        date: rows::time(row, 6)?.unwrap_or_default(),
        generation: row.get(7)?,
        was_sent: row.get(8)?,
        remote: row.get(9)?,
        failures: row.get(10)?,
        next_try: rows::time(row, 11)?,
        why: row.get(12)?,
        is_told: row.get(13)?,
        is_doubled: row.get(14)?,
    })
}

/// Deletes rows that nothing can come of any more.
pub(super) fn drop_spent(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    connection.execute("DELETE FROM outbox WHERE noted < ?1", [unix(now - KEPT)])?;
    Ok(())
}

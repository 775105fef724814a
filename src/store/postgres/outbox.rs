//! Posts and their outbox. Nothing is decided here but which posts a story belongs to.

use tokio_postgres::Row;

use super::rows::{self, array, text, unix};
use super::session::{Call, call};
use super::{Postgres, StoreError};
use crate::feed::Timestamp;
use crate::outbox::{KEPT, Outbox, OutboxRow, PostState, PostTopic, RowResult, StoryEvent};
use crate::store::Change;

const POST: &str = "id, stopped, failures, since, next_try, last_error, last_sent";

/// Writes a change of posts or their outbox; no other change is any business of theirs.
pub(super) fn calls(change: &Change) -> Vec<Call<'_>> {
    match change {
        Change::Enroll(topics) => save_post_topics(topics),
        Change::News { numbers, now } => vec![note_news(numbers, *now)],
        Change::Revised { numbers, now } => note_changed(numbers, *now),
        Change::Outbox(result) => vec![save_result(result)],
        Change::Post(state) => vec![save_post(state)],
        _ => Vec::new(),
    }
}

/// Puts the topics of all posts in the place of those before. A pair that is new begins with the next entry.
fn save_post_topics(topics: &[PostTopic]) -> Vec<Call<'_>> {
    let posts = || array(topics.iter().map(|topic| text(&topic.post)));
    let names = || array(topics.iter().map(|topic| text(&topic.topic)));
    vec![
        call!(
            "DELETE FROM post_topic WHERE NOT EXISTS (
                SELECT 1 FROM unnest($1::text[], $2::text[]) AS now (topic, post)
                WHERE now.topic = post_topic.topic AND now.post = post_topic.post)",
            names(),
            posts(),
        ),
        call!(
            "INSERT INTO post_topic (topic, post, after, too_old)
             SELECT topic, post, (SELECT coalesce(max(number), 0) FROM entry), too_old
             FROM unnest($1::text[], $2::text[], $3::bigint[]) AS now (topic, post, too_old)
             ON CONFLICT (topic, post) DO UPDATE SET too_old = excluded.too_old",
            names(),
            posts(),
            array(topics.iter().map(|topic| topic.too_old.num_seconds())),
        ),
    ]
}

/// Makes a row for each post that the story of an entry is new to.
///
/// A story that was merged from others is not new where one of them has a row.
fn note_news(numbers: &[i64], now: Timestamp) -> Call<'static> {
    call!(
        "INSERT INTO outbox (post, story, topic, event, noted, generation, state)
         SELECT DISTINCT ON (head.number, post_topic.post) post_topic.post, head.number, post_topic.topic, 'new', $2::bigint,
            (SELECT value FROM meta WHERE name = 'generation'), 'waiting'
         FROM entry JOIN entry AS head ON head.number = entry.story
         JOIN labelled ON labelled.entry = entry.number
         JOIN post_topic ON post_topic.topic = labelled.topic
         WHERE entry.number = ANY($1) AND head.number > post_topic.after AND head.date >= $2 - post_topic.too_old
            AND NOT EXISTS (SELECT 1 FROM entry AS told JOIN outbox
                            ON outbox.story = told.number AND outbox.post = post_topic.post
                            WHERE told.story = head.number)
         ORDER BY head.number, post_topic.post, post_topic.topic
         ON CONFLICT (story, post) DO NOTHING",
        numbers.to_vec(),
        unix(now),
    )
}

/// Every row of the stories that entries tell. As an array, which leads into the index: a join may read all rows.
const OF_STORIES: &str =
    "story = ANY(ARRAY(SELECT told.number FROM entry JOIN entry AS told ON told.story = entry.story
    WHERE entry.number = ANY($1)))";

/// Lets a row wait again, for another event.
const AGAIN: &str = "noted = $2, generation = (SELECT value FROM meta WHERE name = 'generation'), state = 'waiting',
    failures = 0, next_try = NULL, why = NULL";

/// Notes that the stories of entries say something else now.
fn note_changed(numbers: &[i64], now: Timestamp) -> Vec<Call<'static>> {
    vec![
        // A message that is on its way says what the story said before.
        call!(
            format!(
                "UPDATE outbox SET generation = (SELECT value FROM meta WHERE name = 'generation')
                 WHERE {OF_STORIES} AND state = 'waiting'"
            ),
            numbers.to_vec(),
        ),
        call!(
            format!(
                "UPDATE outbox SET event = 'changed', {AGAIN}
                 WHERE {OF_STORIES} AND (state = 'sent' OR state = 'waiting' AND event = 'withdrawn')"
            ),
            numbers.to_vec(),
            unix(now),
        ),
    ]
}

/// Notes which of the stories of entries are withdrawn: none of their entries stands.
pub(super) fn note_withdrawn(numbers: &[i64], now: Timestamp) -> Call<'static> {
    call!(
        format!(
            "UPDATE outbox SET event = 'withdrawn', {AGAIN}
             WHERE {OF_STORIES} AND (state = 'sent' AND event <> 'withdrawn' OR state = 'waiting' AND event = 'changed')
                AND NOT EXISTS (SELECT 1 FROM entry JOIN entry AS told ON told.story = entry.story
                                WHERE entry.number = outbox.story AND told.withdrawn IS NULL)"
        ),
        numbers.to_vec(),
        unix(now),
    )
}

/// Keeps the result of a row, unless another event came meanwhile.
///
/// A row whose story changed while it was sent waits for that change.
fn save_result(result: &RowResult) -> Call<'_> {
    let RowResult { number, event, generation, state, sent, remote, failures, next_try, why } = result;
    call!(
        "UPDATE outbox SET
            event = CASE WHEN $4::text = 'sent' AND generation <> $3::bigint THEN 'changed' ELSE event END,
            state = CASE WHEN $4::text = 'sent' AND generation <> $3::bigint THEN 'waiting' ELSE $4::text END,
            sent = coalesce(sent, $5::bigint), remote = $6, failures = $7, next_try = $8, why = $9
         WHERE number = $1 AND event = $2 AND state = 'waiting'",
        *number,
        event.word(),
        *generation,
        state.word(),
        sent.map(unix),
        remote.as_deref().map(text),
        i64::from(*failures),
        next_try.map(unix),
        why.as_deref().map(text),
    )
}

fn save_post(state: &PostState) -> Call<'_> {
    let PostState { post, stopped, failures, since, next_try, last_error, last_sent } = state;
    call!(
        format!(
            "INSERT INTO post ({POST}) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE SET stopped = excluded.stopped, failures = excluded.failures,
                since = excluded.since, next_try = excluded.next_try, last_error = excluded.last_error,
                last_sent = excluded.last_sent"
        ),
        text(post),
        stopped.as_deref().map(text),
        i64::from(*failures),
        since.map(unix),
        next_try.map(unix),
        last_error.as_deref().map(text),
        last_sent.map(unix),
    )
}

/// Deletes rows that nothing can come of any more.
pub(super) fn drop_spent(now: Timestamp) -> Call<'static> {
    call!("DELETE FROM outbox WHERE noted < $1", unix(now - KEPT))
}

impl Postgres {
    pub(super) fn outbox_of(&mut self, post: &str, since: Timestamp, limit: usize) -> Result<Outbox, StoreError> {
        let name = || text(post).into_owned();
        let mut answers = self.session.look(&[
            call!(format!("SELECT {POST} FROM post WHERE id = $1"), name()),
            call!("SELECT count(*) FROM outbox WHERE post = $1 AND state = 'waiting'", name()),
            call!("SELECT sent FROM outbox WHERE post = $1 AND sent >= $2 ORDER BY sent", name(), unix(since)),
            call!(
                "SELECT waiting.number, waiting.story, coalesce(head.story, waiting.story), waiting.topic, waiting.event,
                    waiting.noted, coalesce(head.date, waiting.noted), waiting.generation, waiting.sent IS NOT NULL,
                    waiting.remote, waiting.failures, waiting.next_try, waiting.why,
                    EXISTS (SELECT 1 FROM entry AS told JOIN outbox AS other
                            ON other.story = told.number AND other.post = waiting.post
                            WHERE told.story = head.story AND other.number <> waiting.number AND other.sent IS NOT NULL),
                    EXISTS (SELECT 1 FROM outbox AS other WHERE other.story = head.story AND other.post = waiting.post
                            AND other.number <> waiting.number AND other.state = 'waiting')
                 FROM outbox AS waiting LEFT JOIN entry AS head ON head.number = waiting.story
                 WHERE waiting.post = $1 AND waiting.state = 'waiting' ORDER BY waiting.number LIMIT $2",
                name(),
                rows::limit(limit),
            ),
        ])?;
        let state = rows::next_single(&mut answers, post_state)?;
        let count = rows::next_single(&mut answers, |row| rows::number(row, 0))?.unwrap_or_default();
        let sent = rows::next(&mut answers, |row| rows::time(row, 0))?;
        let waiting = rows::next(&mut answers, outbox_row)?;
        Ok(Outbox {
            state: state.unwrap_or_else(|| PostState { post: post.to_owned(), ..PostState::default() }),
            waiting,
            count: usize::try_from(count).unwrap_or_default(),
            sent: sent.into_iter().flatten().collect(),
        })
    }
}

fn post_state(row: &Row) -> Result<PostState, StoreError> {
    Ok(PostState {
        post: rows::get(row, 0)?,
        stopped: rows::get(row, 1)?,
        failures: rows::small(row, 2)?,
        since: rows::time(row, 3)?,
        next_try: rows::time(row, 4)?,
        last_error: rows::get(row, 5)?,
        last_sent: rows::time(row, 6)?,
    })
}

fn outbox_row(row: &Row) -> Result<OutboxRow, StoreError> {
    Ok(OutboxRow {
        number: rows::number(row, 0)?,
        story: rows::number(row, 1)?,
        told_as: rows::number(row, 2)?,
        topic: rows::get(row, 3)?,
        event: StoryEvent::of(rows::get(row, 4)?).unwrap_or(StoryEvent::New),
        noted: rows::time(row, 5)?.unwrap_or_default(),
        date: rows::time(row, 6)?.unwrap_or_default(),
        generation: rows::number(row, 7)?,
        was_sent: rows::get(row, 8)?,
        remote: rows::get(row, 9)?,
        failures: rows::small(row, 10)?,
        next_try: rows::time(row, 11)?,
        why: rows::get(row, 12)?,
        is_told: rows::get(row, 13)?,
        is_doubled: rows::get(row, 14)?,
    })
}

//! Operations: states of sources with their validators, turns of health, announcements to hubs, throttled hosts.

use rusqlite::{Connection, Row, params};

use super::{StoreError, rows, unix, websub};
use crate::feed::Timestamp;
use crate::state::{Announcement, Monitored, Remembered, SourceState, Throttle, Turn, Validators};
use crate::store::names;

const SOURCE: &str = "id, url, moved_to, redirect, body_hash, last_poll, last_success, next_poll, next_poll_why, \
                       failures, last_error, retired, about";
const TURN: &str = "source_id, date, health, detail";
const ANNOUNCEMENT: &str = "hub, topic, told, told_at, failures, next_try, last_error";

/// The memory of sources, by id: of all sources, or of these.
pub(super) fn remembered(connection: &Connection, ids: Option<&[String]>) -> Result<Vec<Remembered>, StoreError> {
    let sql = |which: &str| {
        format!(
            "SELECT {SOURCE},
                (SELECT health FROM change WHERE source_id = source.id AND health <> 'moved'
                 ORDER BY number DESC LIMIT 1),
                (SELECT min(suspected) FROM entry
                 WHERE source_id = source.id AND suspected IS NOT NULL AND withdrawn IS NULL),
                {}
             FROM source LEFT JOIN subscription ON subscription.source_id = source.id {which} ORDER BY id",
            websub::SUBSCRIPTION
        )
    };
    let mut remembered = match ids {
        None => {
            let number: i64 =
                connection.prepare_cached("SELECT count(*) FROM source")?.query_row([], |row| row.get(0))?;
            // A vector that grows would for a moment take three times as much.
            let mut all = Vec::with_capacity(usize::try_from(number).unwrap_or_default());
            for remembered in connection.prepare_cached(&sql(""))?.query_map([], source)? {
                all.push(remembered?);
            }
            all
        }
        Some(ids) => {
            let mut statement = connection.prepare_cached(&sql("WHERE id = ?1"))?;
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.extend(statement.query_map([id], source)?.collect::<Result<Vec<_>, _>>()?);
            }
            found
        }
    };
    for Remembered { state, .. } in &mut remembered {
        state.validators = validators(connection, &state.source_id)?;
    }
    Ok(remembered)
}

pub(super) fn save_source(connection: &Connection, state: &SourceState) -> Result<(), StoreError> {
    let sql = format!("INSERT OR REPLACE INTO source ({SOURCE}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)");
    connection.prepare_cached(&sql)?.execute(params![
        state.source_id,
        state.url.as_ref().map(url::Url::as_str),
        state.moved_to.as_ref().map(url::Url::as_str),
        rows::to_json(state.redirect.as_ref())?,
        state.body_hash,
        state.last_poll.map(unix),
        state.last_success.map(unix),
        state.next_poll.map(unix),
        state.next_poll_why,
        state.failures,
        rows::to_json(state.last_error.as_ref())?,
        state.retired,
        serde_json::to_string(&state.about)?,
    ])?;
    save_validators(connection, state)
}

/// Writes only if something differs: most polls change nothing here.
fn save_validators(connection: &Connection, state: &SourceState) -> Result<(), StoreError> {
    if validators(connection, &state.source_id)? == state.validators {
        return Ok(());
    }
    connection.prepare_cached("DELETE FROM validator WHERE source_id = ?1")?.execute([&state.source_id])?;
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO validator VALUES (?1, ?2, ?3, ?4)")?;
    for validators in &state.validators {
        insert.execute(params![state.source_id, validators.url, validators.etag, validators.last_modified])?;
    }
    Ok(())
}

fn validators(connection: &Connection, source_id: &str) -> Result<Vec<Validators>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT url, etag, last_modified FROM validator WHERE source_id = ?1 ORDER BY url")?;
    let read = |row: &Row<'_>| Ok(Validators { url: row.get(0)?, etag: row.get(1)?, last_modified: row.get(2)? });
    Ok(statement.query_map([source_id], read)?.collect::<Result<_, _>>()?)
}

fn source(row: &Row<'_>) -> rusqlite::Result<Remembered> {
    let state = SourceState {
        source_id: row.get(0)?,
        validators: Vec::new(),
        url: rows::url(row, 1)?,
        moved_to: rows::url(row, 2)?,
        redirect: rows::json(row, 3)?,
        body_hash: row.get(4)?,
        last_poll: rows::time(row, 5)?,
        last_success: rows::time(row, 6)?,
        next_poll: rows::time(row, 7)?,
        next_poll_why: row.get(8)?,
        failures: row.get(9)?,
        last_error: rows::json(row, 10)?,
        retired: row.get(11)?,
        about: rows::json(row, 12)?.unwrap_or_default(),
    };
    let health = row.get::<_, Option<String>>(13)?.map(|word| names::health(&word));
    let subscription = websub::subscription(row, 15)?.map(Box::new);
    Ok(Remembered { state, health, missed_since: rows::time(row, 14)?, subscription })
}

pub(super) fn write_turn(connection: &Connection, turn: &Turn) -> Result<(), StoreError> {
    connection.prepare_cached(&format!("INSERT INTO change ({TURN}) VALUES (?1, ?2, ?3, ?4)"))?.execute(params![
        names::id(&turn.of),
        unix(turn.date),
        names::word(turn.health),
        turn.detail
    ])?;
    Ok(())
}

pub(super) fn last_turns(connection: &Connection, of: Option<&Monitored>) -> Result<Vec<Turn>, StoreError> {
    let sql = format!(
        "SELECT {TURN} FROM change WHERE number IN (
            SELECT max(number) FROM change
            WHERE health <> 'moved' AND (?1 IS NULL OR source_id = ?1) GROUP BY source_id
         ) ORDER BY source_id"
    );
    Ok(connection.prepare_cached(&sql)?.query_map([of.map(names::id)], turn)?.collect::<Result<_, _>>()?)
}

/// Outages of this machine, whose ids begin with a colon, are no news of a source.
pub(super) fn turns(connection: &Connection, limit: usize) -> Result<Vec<Turn>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = format!("SELECT {TURN} FROM change WHERE source_id NOT LIKE ':%' ORDER BY number DESC LIMIT ?1");
    Ok(connection.prepare_cached(&sql)?.query_map([limit], turn)?.collect::<Result<_, _>>()?)
}

fn turn(row: &Row<'_>) -> rusqlite::Result<Turn> {
    let health = names::health(&row.get::<_, String>(2)?);
    let date = rows::time(row, 1)?.unwrap_or_default();
    Ok(Turn { of: names::monitored(row.get(0)?), date, health, detail: row.get(3)? })
}

pub(super) fn announcements(connection: &Connection) -> Result<Vec<Announcement>, StoreError> {
    let sql = format!("SELECT {ANNOUNCEMENT} FROM announcement ORDER BY hub, topic");
    let read = |row: &Row<'_>| {
        Ok(Announcement {
            hub: row.get(0)?,
            topic: row.get(1)?,
            told: row.get(2)?,
            told_at: rows::time(row, 3)?,
            failures: row.get(4)?,
            next_try: rows::time(row, 5)?,
            last_error: row.get(6)?,
        })
    };
    Ok(connection.prepare_cached(&sql)?.query_map([], read)?.collect::<Result<_, _>>()?)
}

pub(super) fn save_announcement(connection: &Connection, announcement: &Announcement) -> Result<(), StoreError> {
    let Announcement { hub, topic, told, told_at, failures, next_try, last_error } = announcement;
    connection
        .prepare_cached(&format!("INSERT OR REPLACE INTO announcement ({ANNOUNCEMENT}) VALUES (?1,?2,?3,?4,?5,?6,?7)"))?
        .execute(params![hub, topic, told, told_at.map(unix), failures, next_try.map(unix), last_error])?;
    Ok(())
}

pub(super) fn throttles(connection: &Connection, now: Timestamp) -> Result<Vec<Throttle>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT host, until FROM throttle WHERE until > ?1 ORDER BY host")?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, rows::time(row, 1)?));
    let found = statement.query_map([unix(now)], read)?.collect::<Result<Vec<(String, Option<Timestamp>)>, _>>()?;
    Ok(found.into_iter().filter_map(|(host, until)| Some(Throttle { host, until: until? })).collect())
}

pub(super) fn save_throttle(connection: &Connection, throttle: &Throttle, now: Timestamp) -> Result<(), StoreError> {
    let over = "DELETE FROM throttle WHERE until <= ?1 OR host = ?2 AND ?3 <= ?1";
    connection.prepare_cached(over)?.execute(params![unix(now), throttle.host, unix(throttle.until)])?;
    if throttle.until <= now {
        return Ok(());
    }
    let sql = "INSERT INTO throttle VALUES (?1, ?2) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)";
    connection.prepare_cached(sql)?.execute(params![throttle.host, unix(throttle.until)])?;
    Ok(())
}

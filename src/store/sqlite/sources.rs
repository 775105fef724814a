//! Source states: one row each, their validators beside it.

use rusqlite::{Connection, Row, params};

use super::{StoreError, health, rows, unix};
use crate::state::{Remembered, SourceState, Validators};

const COLUMNS: &str = "id, url, moved_to, redirect, body_hash, last_poll, last_success, next_poll, next_poll_why, \
                       failures, last_error, retired, about";

/// What is remembered of sources, by id: of all, or of these.
pub(super) fn remembered(connection: &Connection, ids: Option<&[String]>) -> Result<Vec<Remembered>, StoreError> {
    let sql = |which: &str| {
        format!(
            "SELECT {COLUMNS},
                (SELECT health FROM change WHERE source_id = source.id AND health <> 'moved'
                 ORDER BY number DESC LIMIT 1),
                (SELECT min(suspected) FROM entry
                 WHERE source_id = source.id AND suspected IS NOT NULL AND withdrawn IS NULL)
             FROM source {which} ORDER BY id"
        )
    };
    let mut remembered = match ids {
        None => connection.prepare_cached(&sql(""))?.query_map([], read)?.collect::<Result<Vec<_>, _>>()?,
        Some(ids) => {
            let mut statement = connection.prepare_cached(&sql("WHERE id = ?1"))?;
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.extend(statement.query_map([id], read)?.collect::<Result<Vec<_>, _>>()?);
            }
            found
        }
    };
    for Remembered { state, .. } in &mut remembered {
        state.validators = validators(connection, &state.source_id)?;
    }
    Ok(remembered)
}

pub(super) fn save(connection: &Connection, state: &SourceState) -> Result<(), StoreError> {
    let sql = format!("INSERT OR REPLACE INTO source ({COLUMNS}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)");
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

/// Writes only where something differs: most polls change nothing here.
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

fn read(row: &Row<'_>) -> rusqlite::Result<Remembered> {
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
    let health = row.get::<_, Option<String>>(13)?.map(|word| health::of(&word));
    Ok(Remembered { state, health, missed_since: rows::time(row, 14)? })
}

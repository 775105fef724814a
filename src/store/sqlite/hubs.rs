//! What hubs were told.

use rusqlite::{Connection, Row, params};

use super::{StoreError, rows, unix};
use crate::state::Announcement;

const COLUMNS: &str = "hub, topic, told, told_at, failures, next_try, last_error";

pub(super) fn all(connection: &Connection) -> Result<Vec<Announcement>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM announcement ORDER BY hub, topic");
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

pub(super) fn save(connection: &Connection, announcement: &Announcement) -> Result<(), StoreError> {
    let Announcement { hub, topic, told, told_at, failures, next_try, last_error } = announcement;
    connection
        .prepare_cached(&format!("INSERT OR REPLACE INTO announcement ({COLUMNS}) VALUES (?1,?2,?3,?4,?5,?6,?7)"))?
        .execute(params![hub, topic, told, told_at.map(unix), failures, next_try.map(unix), last_error])?;
    Ok(())
}

//! What entries said before they were edited.

use rusqlite::{Connection, Row, params};

use super::{StoreError, rows, unix};
use crate::feed::Timestamp;
use crate::story::Revision;

pub(super) fn keep(connection: &Connection, number: i64, most: usize, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO revision (entry, replaced, title, summary, content, url)
             SELECT number, ?2, title, summary, content, url FROM entry WHERE number = ?1",
        )?
        .execute(params![number, unix(now)])?;
    connection
        .prepare_cached(
            "DELETE FROM revision WHERE entry = ?1 AND rowid NOT IN
             (SELECT rowid FROM revision WHERE entry = ?1 ORDER BY rowid DESC LIMIT ?2)",
        )?
        .execute(params![number, i64::try_from(most).unwrap_or(i64::MAX)])?;
    Ok(())
}

pub(super) fn all(connection: &Connection, number: i64) -> Result<Vec<Revision>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT replaced, title, summary, content, url FROM revision WHERE entry = ?1 ORDER BY rowid DESC",
    )?;
    let read = |row: &Row<'_>| {
        Ok(Revision {
            replaced: rows::time(row, 0)?.unwrap_or_default(),
            title: row.get(1)?,
            summary: row.get(2)?,
            content: row.get(3)?,
            url: rows::url(row, 4)?,
        })
    };
    Ok(statement.query_map([number], read)?.collect::<Result<_, _>>()?)
}

//! Whether what is derived from the entries is there, so that it can be made again.

use rusqlite::Connection;

use super::StoreError;

/// Makes the tables that are missing.
pub(super) const TABLES: &str = include_str!("derived.sql");

/// The index of texts is left out: whoever searches fills it.
pub(super) fn is_whole(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM clue WHERE period = 0 AND hash = 0 AND entry = 0)
        AND EXISTS (SELECT 1 FROM label WHERE entry = 0)
        AND NOT EXISTS (SELECT 1 FROM entry WHERE story = 0)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

pub(super) fn mark_whole(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("INSERT OR REPLACE INTO clue VALUES (0, 0, 0)", [])?;
    connection.execute("INSERT OR REPLACE INTO label VALUES (0, '', 0, 0, '[]')", [])?;
    Ok(())
}

/// Has every entry indexed again, if the index was emptied.
pub(super) fn forget_emptied_index(connection: &Connection) -> Result<(), StoreError> {
    let emptied = "SELECT NOT EXISTS (SELECT 1 FROM entry_text) AND EXISTS (SELECT 1 FROM entry WHERE searchable = 1)";
    if connection.query_row(emptied, [], |row| row.get(0))? {
        connection.execute("UPDATE entry SET searchable = 0", [])?;
    }
    Ok(())
}

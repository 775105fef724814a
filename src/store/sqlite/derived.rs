//! Whether what is derived from the entries is there, so that it can be made again.

use rusqlite::{Connection, TransactionBehavior};

use super::{StoreError, meta};

/// Makes the tables that are missing.
pub(super) const TABLES: &str = include_str!("derived.sql");

/// Has made again what somebody has deleted: clues, sketches and stories, or labels. The index of texts is left out:
/// whoever searches fills it.
pub(super) fn note_missing(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "INSERT OR IGNORE INTO meta SELECT 'rebuilt', 0 WHERE EXISTS (SELECT 1 FROM entry) AND (
            NOT EXISTS (SELECT 1 FROM clue) OR NOT EXISTS (SELECT 1 FROM sketch)
            OR EXISTS (SELECT 1 FROM entry WHERE story = 0));
        UPDATE meta SET value = 0 WHERE name = 'rebuilt'
            AND (NOT EXISTS (SELECT 1 FROM clue) OR NOT EXISTS (SELECT 1 FROM sketch));
        INSERT OR IGNORE INTO ruleset (rules) SELECT '' WHERE NOT EXISTS (SELECT 1 FROM labelled)
            AND EXISTS (SELECT 1 FROM meta WHERE name = 'has_labels');
        UPDATE meta SET value = (SELECT id FROM ruleset WHERE rules = '') WHERE name = 'rules'
            AND NOT EXISTS (SELECT 1 FROM labelled) AND EXISTS (SELECT 1 FROM meta WHERE name = 'has_labels');
        UPDATE meta SET value = 0 WHERE name = 'labelled'
            AND NOT EXISTS (SELECT 1 FROM labelled) AND EXISTS (SELECT 1 FROM meta WHERE name = 'has_labels');
        DELETE FROM meta WHERE name = 'has_labels' AND NOT EXISTS (SELECT 1 FROM labelled)",
    )?;
    Ok(())
}

/// How the index of texts is made: raised when words are cut or folded in another way.
const INDEX_VERSION: i64 = 2;

/// Has every entry indexed again, if the index was emptied or was made in another way.
pub(super) fn forget_outdated_index(connection: &mut Connection) -> Result<(), StoreError> {
    let emptied = "SELECT NOT EXISTS (SELECT 1 FROM entry_text) AND EXISTS (SELECT 1 FROM entry WHERE searchable = 1)";
    let is_emptied: bool = connection.query_row(emptied, [], |row| row.get(0))?;
    if !is_emptied && meta::number(connection, "index_version")? == Some(INDEX_VERSION) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("INSERT INTO entry_text (entry_text) VALUES ('delete-all')", [])?;
    transaction.execute("UPDATE entry SET searchable = 0 WHERE searchable = 1", [])?;
    meta::set(&transaction, "index_version", Some(INDEX_VERSION))?;
    transaction.commit()?;
    Ok(())
}

//! Facts about the store as a whole: numbers by name, sets of rules, and which derived tables are missing.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::StoreError;
use crate::text::WORDS_VERSION;

pub(super) fn number(connection: &Connection, name: &str) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

/// Keeps a number; `None` deletes it.
pub(super) fn set(connection: &Connection, name: &str, value: Option<i64>) -> Result<(), StoreError> {
    match value {
        Some(value) => {
            connection.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?.execute(params![name, value])?
        }
        None => connection.prepare_cached("DELETE FROM meta WHERE name = ?1")?.execute([name])?,
    };
    Ok(())
}

/// Raises the generation by a random step: a store that was put back from a backup never repeats a generation under
/// which it showed something else. Refused: random stamps, which have no order, so that a topic could not take the
/// largest.
pub(super) fn raise_generation(connection: &Connection) -> Result<(), StoreError> {
    let sql = "UPDATE meta SET value = value + 1 + (random() & 1048575) WHERE name = 'generation'";
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// The rules whose labels are published.
pub(super) fn rules_in_force(connection: &Connection) -> Result<String, StoreError> {
    let sql = "SELECT rules FROM ruleset WHERE id = (SELECT value FROM meta WHERE name = 'rules')";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?.unwrap_or_default())
}

pub(super) fn rules_to_come(connection: &Connection) -> Result<Option<String>, StoreError> {
    let sql = "SELECT rules FROM ruleset WHERE id = (SELECT value FROM meta WHERE name = 'next_rules')";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?)
}

/// The number of a set of rules; a new one if it was never met.
pub(super) fn ruleset(connection: &Connection, rules: &str) -> Result<i64, StoreError> {
    let known: Option<i64> = connection
        .prepare_cached("SELECT id FROM ruleset WHERE rules = ?1")?
        .query_row([rules], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    connection.prepare_cached("INSERT INTO ruleset (rules) VALUES (?1)")?.execute([rules])?;
    Ok(connection.last_insert_rowid())
}

/// The entries without labels under the rules to come, else those in force.
pub(super) const UNLABELLED: &str = "SELECT entry FROM unlabelled WHERE rules = coalesce(
    (SELECT value FROM meta WHERE name = 'next_rules'), (SELECT value FROM meta WHERE name = 'rules'))";

pub(super) fn count_unlabelled(connection: &Connection) -> Result<usize, StoreError> {
    let sql = format!("SELECT count(*) FROM ({UNLABELLED})");
    let count: i64 = connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

pub(super) const TABLES: &str = include_str!("derived.sql");

/// Notes which derived data was deleted or is outdated (clues, sketches, stories, labels), to be made again. The index of
/// texts is left out: each search completes it.
pub(super) fn note_missing(connection: &Connection) -> Result<(), StoreError> {
    if number(connection, "words_version")? != Some(i64::from(WORDS_VERSION)) {
        // Clues and sketches were made from words that were cut or folded in another way.
        let outdated = "INSERT OR REPLACE INTO meta SELECT 'rebuilt', 0 WHERE EXISTS (SELECT 1 FROM entry)";
        connection.execute(outdated, [])?;
        set(connection, "words_version", Some(i64::from(WORDS_VERSION)))?;
    }
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

/// Empties the index and marks all entries for indexing, if it was emptied or is of another version.
pub(super) fn forget_outdated_index(connection: &mut Connection) -> Result<(), StoreError> {
    let emptied = "SELECT NOT EXISTS (SELECT 1 FROM entry_text) AND EXISTS (SELECT 1 FROM entry WHERE searchable = 1)";
    let is_emptied: bool = connection.query_row(emptied, [], |row| row.get(0))?;
    if !is_emptied && number(connection, "index_version")? == Some(i64::from(WORDS_VERSION)) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("INSERT INTO entry_text (entry_text) VALUES ('delete-all')", [])?;
    transaction.execute("UPDATE entry SET searchable = 0 WHERE searchable = 1", [])?;
    set(&transaction, "index_version", Some(i64::from(WORDS_VERSION)))?;
    transaction.commit()?;
    Ok(())
}

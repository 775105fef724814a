//! The store in one `SQLite` file, the only home of `rusqlite`.
//!
//! Write-ahead log with `synchronous = NORMAL`: a process that dies loses nothing that was committed; a machine that
//! loses power may lose the last commits whole, and then polls again. Other processes may read, and poll, meanwhile.
//!
//! Statements join with `CROSS JOIN`, which is the order in which tables are read: statistics that were taken when the
//! store was young make the planner choose others, which read all labels of a topic where one would do.

mod apply;
mod archive;
mod derived;
mod entries;
mod health;
mod hubs;
mod meta;
#[cfg(test)]
mod plans;
mod redating;
mod related;
mod revisions;
mod rows;
mod search;
mod shares;
mod sources;
mod stories;
mod surroundings;
mod throttles;
mod withdrawals;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::{
    Applied, Arrivals, Change, EntryDay, Filter, Held, Inquiry, Outline, Part, Pulse, Relabelling, SourceShare, Store,
    StoreError, Surroundings,
};
use crate::feed::Timestamp;
use crate::state::{Announcement, Monitored, Remembered, Throttle, Turn};
use crate::story::{Gist, Month, Order, Revision, Told, Tombstone};

/// "veil": tells our files from others' (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x7665_696c;

/// One step per format, in order, never changed once released; `PRAGMA user_version` counts the steps done.
const MIGRATIONS: [&str; 6] = [
    include_str!("001.sql"),
    include_str!("002.sql"),
    include_str!("003.sql"),
    include_str!("004.sql"),
    include_str!("005.sql"),
    include_str!("006.sql"),
];

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// A store in a file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

impl Sqlite {
    /// Opens the store at `path`, makes it if there is none, migrates it if it is older.
    ///
    /// A store that was not closed (a crash, a power cut) is checked first.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Foreign`], [`StoreError::Newer`], [`StoreError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let cannot_open =
            |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open { store: named(path), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| cannot_open(error.into()))?;
        }
        // SQLite deletes the log when the last connection closes in order.
        let crashed = path.with_file_name(file_name_with(path, "-wal")).metadata().is_ok_and(|wal| wal.len() > 0);
        let connection = Connection::open(path).map_err(|error| cannot_open(error.into()))?;
        let mut store = Self { connection, path: path.into() };
        store.refuse_strangers()?;
        store.configure().map_err(|error| cannot_open(error.into()))?;
        if crashed {
            store.check()?;
        }
        store.migrate()?;
        store.connection.execute_batch(derived::TABLES).map_err(|error| cannot_open(error.into()))?;
        derived::note_missing(&store.connection)?;
        Ok(store)
    }

    /// Opens an existing store for reading only.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and those of [`Sqlite::open`]; also when the store is of an older format.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { store: named(path) });
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(|connection| connection.busy_timeout(BUSY_TIMEOUT).map(|()| connection))
            .map_err(|error| StoreError::Open { store: named(path), source: error.into() })?;
        let mut store = Self { connection, path: path.into() };
        let format = store.refuse_strangers()?;
        if format < known_format() {
            // Older, or being made: only a writer may migrate it.
            drop(store);
            return Self::open(path);
        }
        Ok(store)
    }

    /// Refuses a file that is not ours or too new; returns its format, 0 for an empty file.
    fn refuse_strangers(&mut self) -> Result<i64, StoreError> {
        let pragma = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (application, found) =
            pragma("application_id").and_then(|id| Ok((id, pragma("user_version")?))).map_err(|error| {
                match error.sqlite_error_code() {
                    Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign { store: named(&self.path) },
                    _ => StoreError::Open { store: named(&self.path), source: error.into() },
                }
            })?;
        let empty = application == 0 && found == 0 && self.table_count()? == 0;
        if application != APPLICATION_ID && !empty {
            return Err(StoreError::Foreign { store: named(&self.path) });
        }
        if found > known_format() {
            return Err(StoreError::Newer { store: named(&self.path), found, known: known_format() });
        }
        Ok(found)
    }

    fn table_count(&self) -> Result<i64, StoreError> {
        Ok(self.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?)
    }

    fn configure(&mut self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        // 8 MB: what polls look up and write lies together, by time.
        connection.pragma_update(None, "cache_size", -8_000)?;
        // 16 MB: pages that many transactions change go to the database once.
        connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        // Without it many a cached statement would be prepared anew for each value that is bound to it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(())
    }

    /// Checks the whole file: pages, indexes.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first finding.
    pub fn check(&mut self) -> Result<(), StoreError> {
        let finding: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if finding == "ok" { Ok(()) } else { Err(StoreError::Damaged { store: named(&self.path), finding }) }
    }

    /// Runs the missing migrations, all or none.
    fn migrate(&mut self) -> Result<(), StoreError> {
        let store = named(&self.path);
        let failed = |error: rusqlite::Error| StoreError::Open { store, source: error.into() };
        let run = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            // Read inside the transaction: another process may have migrated meanwhile.
            let done: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let missing = MIGRATIONS.iter().skip(usize::try_from(done).unwrap_or(0));
            for step in missing {
                transaction.execute_batch(step)?;
            }
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", known_format())?;
            transaction.commit()
        };
        if self.refuse_strangers()? == known_format() {
            return Ok(());
        }
        run(&mut self.connection).map_err(failed)
    }
}

fn known_format() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn file_name_with(path: &Path, suffix: &str) -> std::ffi::OsString {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    name
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed { source: error.into() }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed { source: error.into() }
    }
}

impl Store for Sqlite {
    fn sources(&mut self, ids: Option<&[String]>) -> Result<Vec<Remembered>, StoreError> {
        sources::remembered(&self.connection, ids)
    }

    fn surroundings(&mut self, asked: &Inquiry) -> Result<Surroundings, StoreError> {
        surroundings::read(&mut self.connection, asked)
    }

    fn apply(&mut self, changes: &[Change], seen: Option<i64>) -> Result<Applied, StoreError> {
        apply::apply(&mut self.connection, changes, seen)
    }

    fn entries(&mut self, filter: &Filter) -> Result<Vec<Held>, StoreError> {
        search::entries(&mut self.connection, filter)
    }

    fn revisions(&mut self, number: i64) -> Result<Vec<Revision>, StoreError> {
        revisions::all(&self.connection, number)
    }

    fn unrelated(&mut self, topic: &str, after: Option<Order>, limit: usize) -> Result<Vec<(Gist, bool)>, StoreError> {
        let rules = match meta::number(&self.connection, "next_rules")? {
            Some(next) => Some(next),
            None => meta::number(&self.connection, "rules")?,
        };
        related::page(&self.connection, rules.unwrap_or_default(), topic, after, limit)
    }

    fn outline(&mut self, topics: &[String], turns: usize) -> Result<Outline, StoreError> {
        // One moment for all that is read.
        let transaction = self.connection.transaction()?;
        let outline = Outline {
            generation: meta::number(&transaction, "generation")?.unwrap_or_default(),
            topics: archive::topics(&transaction, topics)?,
            sources: sources::remembered(&transaction, None)?.into_iter().map(|known| known.state).collect(),
            health: health::last(&transaction, None)?,
            turns: health::turns(&transaction, turns)?,
            hubs: hubs::all(&transaction)?,
            unrelated: related::waiting(&transaction)?,
        };
        transaction.commit()?;
        Ok(outline)
    }

    fn stories(&mut self, topic: &str, part: Part) -> Result<Vec<i64>, StoreError> {
        stories::stories(&self.connection, topic, part)
    }

    fn told(&mut self, topic: &str, stories: &[i64]) -> Result<Vec<Told>, StoreError> {
        stories::told(&self.connection, topic, stories)
    }

    fn tombstones(&mut self, topic: &str, month: Option<Month>, limit: usize) -> Result<Vec<Tombstone>, StoreError> {
        withdrawals::tombstones(&self.connection, topic, month, limit)
    }

    fn entry_days(&mut self, since: Timestamp) -> Result<Vec<EntryDay>, StoreError> {
        entries::days(&self.connection, since)
    }

    fn shares(&mut self) -> Result<Vec<SourceShare>, StoreError> {
        shares::all(&self.connection)
    }

    fn arrivals(&mut self, after: i64) -> Result<Arrivals, StoreError> {
        shares::arrivals(&self.connection, after)
    }

    fn health(&mut self, of: Option<&Monitored>) -> Result<Vec<Turn>, StoreError> {
        health::last(&self.connection, of)
    }

    fn announcements(&mut self) -> Result<Vec<Announcement>, StoreError> {
        hubs::all(&self.connection)
    }

    fn throttles(&mut self, now: Timestamp) -> Result<Vec<Throttle>, StoreError> {
        throttles::all(&self.connection, now)
    }

    fn pulse(&mut self) -> Result<Pulse, StoreError> {
        let connection = &self.connection;
        let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let size: i64 = connection.prepare_cached(size)?.query_row([], |row| row.get(0))?;
        let labelled = meta::number(connection, "labelled")?.unwrap_or_default();
        let to_come = meta::rules_to_come(connection)?;
        Ok(Pulse {
            generation: meta::number(connection, "generation")?.unwrap_or_default(),
            size: size.unsigned_abs(),
            tidied: meta::number(connection, "tidied")?.and_then(|at| Timestamp::from_timestamp(at, 0)),
            rules: meta::rules_in_force(connection)?,
            relabelling: to_come.map(|rules| Relabelling { rules, labelled }),
            unlabelled: meta::count_unlabelled(connection)?,
            rebuilt: meta::number(connection, "rebuilt")?,
        })
    }

    fn drop_before(&mut self, before: Timestamp, sources: &[String], limit: usize) -> Result<usize, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let dropped = stories::drop_before(&transaction, before, sources, limit)?;
        transaction.commit()?;
        Ok(dropped)
    }

    fn drop_labels(&mut self, limit: usize) -> Result<usize, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let stale = "SELECT id FROM ruleset WHERE id NOT IN
            (SELECT value FROM meta WHERE name IN ('rules', 'next_rules')) LIMIT 1";
        let stale: Option<i64> = transaction.query_row(stale, [], |row| row.get(0)).optional()?;
        let Some(stale) = stale else { return Ok(0) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let dropped = transaction.execute(
            "DELETE FROM labelled WHERE (entry, rules, topic) IN
             (SELECT entry, rules, topic FROM labelled WHERE rules = ?1 LIMIT ?2)",
            [stale, limit],
        )?;
        if dropped == 0 {
            transaction.execute("DELETE FROM ruleset WHERE id = ?1", [stale])?;
        }
        transaction.commit()?;
        Ok(dropped.max(1))
    }

    fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError> {
        // The write-ahead log needs no help: each commit that makes it long folds it back. No statistics are taken: those of
        // a young store make the planner read all labels of a topic where one would do, years later.
        meta::set(&self.connection, "tidied", Some(unix(now)))
    }

    fn backup(&mut self, to: &Path) -> Result<(), StoreError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open { store: named(to), source };
        // Also the way to make sure that nobody's file is overwritten.
        std::fs::File::create_new(to).map_err(|error| failed(error.into()))?;
        self.connection.backup("main", to, None::<fn(rusqlite::backup::Progress)>).map_err(|error| failed(error.into()))
    }
}

/// A file as errors name it.
fn named(path: &Path) -> String {
    path.display().to_string()
}

/// The Unix time of an instant, as stored.
fn unix(instant: Timestamp) -> i64 {
    instant.timestamp()
}

/// Runs a query that gives one row or none.
fn maybe<T>(
    connection: &Connection,
    sql: &str,
    parameter: i64,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row(params![parameter], read).optional()?)
}

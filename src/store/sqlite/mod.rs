//! The store in one `SQLite` file, the only home of `rusqlite`.
//!
//! Write-ahead log with `synchronous = NORMAL`: a process that dies loses nothing that was committed; a machine that
//! loses power may lose the last commits whole, and then polls again. Other processes may read, and poll, meanwhile.
//!
//! Statements join with `CROSS JOIN`, which is the order in which tables are read: statistics that were taken when the
//! store was young make the planner choose others, which read all labels of a topic where one would do.

mod archive;
mod derived;
mod entries;
mod health;
mod hubs;
#[cfg(test)]
mod plans;
mod related;
mod revisions;
mod rows;
mod search;
mod sources;
mod stories;
mod throttles;
mod withdrawals;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{EntryDay, Filter, Job, Order, Outline, Part, Store, StoreError};
use crate::feed::Timestamp;
use crate::state::{Announcement, Change, SourceState, Throttle};
use crate::story::{
    Bond, Clues, EntryKey, Fingerprint, Gist, Known, Listed, Month, Prepared, Revision, Stay, StoredEntry, Terms, Told,
    Tombstone,
};
use crate::topic::Label;

/// "veil": tells our files from others' (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x7665_696c;

/// One step per format, in order, never changed once released; `PRAGMA user_version` counts the steps done.
const MIGRATIONS: [&str; 5] = [
    include_str!("001.sql"),
    include_str!("002.sql"),
    include_str!("003.sql"),
    include_str!("004.sql"),
    include_str!("005.sql"),
];

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// A store in a file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// How many [`Store::atomically`] are open.
    depth: usize,
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
            |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open { path: path.into(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| cannot_open(error.into()))?;
        }
        // SQLite deletes the log when the last connection closes in order.
        let crashed = path.with_file_name(file_name_with(path, "-wal")).metadata().is_ok_and(|wal| wal.len() > 0);
        let connection = Connection::open(path).map_err(|error| cannot_open(error.into()))?;
        let mut store = Self { connection, path: path.into(), depth: 0 };
        store.refuse_strangers()?;
        store.configure().map_err(|error| cannot_open(error.into()))?;
        if crashed {
            store.check()?;
        }
        store.migrate()?;
        store.connection.execute_batch(derived::TABLES).map_err(|error| cannot_open(error.into()))?;
        Ok(store)
    }

    /// Opens an existing store for reading only.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and those of [`Sqlite::open`]; also when the store is of an older format.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.into() });
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(|connection| connection.busy_timeout(BUSY_TIMEOUT).map(|()| connection))
            .map_err(|error| StoreError::Open { path: path.into(), source: error.into() })?;
        let mut store = Self { connection, path: path.into(), depth: 0 };
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
                    Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign { path: self.path.clone() },
                    _ => StoreError::Open { path: self.path.clone(), source: error.into() },
                }
            })?;
        let empty = application == 0 && found == 0 && self.table_count()? == 0;
        if application != APPLICATION_ID && !empty {
            return Err(StoreError::Foreign { path: self.path.clone() });
        }
        if found > known_format() {
            return Err(StoreError::Newer { path: self.path.clone(), found, known: known_format() });
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
        // 16 MB: a Raspberry Pi has room for that.
        connection.pragma_update(None, "cache_size", -16_000)?;
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
        if finding == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: self.path.clone(), finding }) }
    }

    /// Runs the missing migrations, all or none.
    fn migrate(&mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |error: rusqlite::Error| StoreError::Open { path, source: error.into() };
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
    fn atomically(&mut self, job: Job<'_>) -> Result<(), StoreError> {
        let outermost = self.depth == 0;
        // IMMEDIATE: a reader that becomes a writer may find that another process wrote in between, and fail.
        self.connection.execute_batch(if outermost { "BEGIN IMMEDIATE" } else { "SAVEPOINT job" })?;
        self.depth += 1;
        let result = job(self);
        self.depth -= 1;
        let (keep, undo) =
            if outermost { ("COMMIT", "ROLLBACK") } else { ("RELEASE job", "ROLLBACK TO job; RELEASE job") };
        let kept = result.and_then(|()| Ok(self.connection.execute_batch(keep)?));
        if kept.is_err() {
            // Fails only where SQLite has already rolled back by itself (a full disk): then there is nothing to undo.
            let _ = self.connection.execute_batch(undo);
        }
        kept
    }

    fn sources(&mut self) -> Result<Vec<SourceState>, StoreError> {
        sources::all(&self.connection)
    }

    fn source(&mut self, source_id: &str) -> Result<SourceState, StoreError> {
        sources::one(&self.connection, source_id)
    }

    fn save_source(&mut self, state: &SourceState) -> Result<(), StoreError> {
        sources::save(&self.connection, state)
    }

    fn known(&mut self, source_id: &str, keys: &[EntryKey]) -> Result<Vec<Known>, StoreError> {
        entries::known(&self.connection, source_id, keys)
    }

    fn candidates(&mut self, clues: &Clues, since: Timestamp) -> Result<Vec<StoredEntry>, StoreError> {
        stories::candidates(&self.connection, clues, since)
    }

    fn tellings(&mut self, story: i64) -> Result<Vec<StoredEntry>, StoreError> {
        stories::tellings(&self.connection, story)
    }

    fn assign(&mut self, number: i64, story: i64, now: Timestamp) -> Result<(), StoreError> {
        stories::assign(&self.connection, number, story, now)
    }

    fn bonds(&mut self, number: i64) -> Result<Vec<Bond>, StoreError> {
        stories::bonds(&self.connection, number)
    }

    fn bind(&mut self, bond: Bond) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached("INSERT OR REPLACE INTO bond VALUES (?1, ?2, ?3)")?;
        insert.execute(params![bond.one, bond.other, bond.together])?;
        Ok(())
    }

    fn has_atom_id(&mut self, atom_id: &str) -> Result<bool, StoreError> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM entry WHERE atom_id = ?1")?.exists([atom_id])?)
    }

    fn insert(
        &mut self,
        source_id: &str,
        prepared: &Prepared,
        story: Option<i64>,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        entries::insert(&self.connection, source_id, prepared, story, now)
    }

    fn update(&mut self, number: i64, prepared: &Prepared, changed: Option<Timestamp>) -> Result<(), StoreError> {
        entries::update(&self.connection, number, prepared, changed)
    }

    fn keep_revision(&mut self, number: i64, most: usize, now: Timestamp) -> Result<(), StoreError> {
        revisions::keep(&self.connection, number, most, now)
    }

    fn revisions(&mut self, number: i64) -> Result<Vec<Revision>, StoreError> {
        revisions::all(&self.connection, number)
    }

    fn listed(&mut self, source_id: &str) -> Result<Vec<Listed>, StoreError> {
        withdrawals::listed(&self.connection, source_id)
    }

    fn mark_present(
        &mut self,
        source_id: &str,
        present: &[i64],
        whole: bool,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        entries::mark_present(&self.connection, source_id, present, whole, now)
    }

    fn suspect(&mut self, numbers: &[i64], since: Option<Timestamp>) -> Result<(), StoreError> {
        withdrawals::suspect(&self.connection, numbers, since)
    }

    fn suspected(&mut self, source_id: &str, until: Timestamp) -> Result<Vec<i64>, StoreError> {
        withdrawals::suspected(&self.connection, source_id, until)
    }

    fn stays(&mut self, source_id: &str, since: Timestamp, limit: usize) -> Result<Vec<Stay>, StoreError> {
        withdrawals::stays(&self.connection, source_id, since, limit)
    }

    fn withdraw(&mut self, numbers: &[i64], now: Timestamp) -> Result<(), StoreError> {
        withdrawals::withdraw(&self.connection, numbers, now)
    }

    fn entries_after(&mut self, after: i64, limit: usize) -> Result<Vec<StoredEntry>, StoreError> {
        entries::after(&self.connection, after, limit)
    }

    fn entry(&mut self, number: i64) -> Result<Option<StoredEntry>, StoreError> {
        entries::one(&self.connection, number)
    }

    fn find(&mut self, name: &str, link: Option<&str>) -> Result<Vec<StoredEntry>, StoreError> {
        entries::find(&self.connection, name, link)
    }

    fn labels(&mut self, number: i64) -> Result<Vec<Label>, StoreError> {
        entries::labels(&self.connection, number)
    }

    fn fingerprint(&mut self, number: i64) -> Result<Option<Fingerprint>, StoreError> {
        let sql = "SELECT fingerprint FROM entry WHERE number = ?1";
        maybe(&self.connection, sql, number, |row| Ok(Fingerprint(row.get(0)?)))
    }

    fn relabel(&mut self, labels: &[(i64, Vec<Label>)], rules: &str) -> Result<(), StoreError> {
        for (number, labels) in labels {
            entries::relabel(&self.connection, *number, labels)?;
        }
        self.connection.execute("UPDATE meta SET value = ?1 WHERE name = 'rules'", [rules])?;
        Ok(())
    }

    fn is_whole(&mut self) -> Result<bool, StoreError> {
        derived::is_whole(&self.connection)
    }

    fn mark_whole(&mut self) -> Result<(), StoreError> {
        derived::mark_whole(&self.connection)
    }

    fn set_clues(&mut self, number: i64, clues: &Clues) -> Result<(), StoreError> {
        entries::set_clues(&self.connection, number, clues)
    }

    fn rules(&mut self) -> Result<String, StoreError> {
        Ok(self.connection.query_row("SELECT value FROM meta WHERE name = 'rules'", [], |row| row.get(0))?)
    }

    fn unrelated(&mut self, number: i64) -> Result<Vec<(i64, String)>, StoreError> {
        related::unrelated(&self.connection, number)
    }

    fn gist(&mut self, story: i64) -> Result<Option<Gist>, StoreError> {
        related::gist(&self.connection, story)
    }

    fn gists(&mut self, topic: &str, since: Order, before: Order, limit: usize) -> Result<Vec<Gist>, StoreError> {
        related::gists(&self.connection, topic, since, before, limit)
    }

    fn save_terms(&mut self, number: i64, terms: &Terms) -> Result<(), StoreError> {
        related::set_terms(&self.connection, number, Some(terms))
    }

    fn relate(&mut self, topic: &str, story: i64, others: &[i64]) -> Result<(), StoreError> {
        related::relate(&self.connection, topic, story, others)
    }

    fn outline(&mut self, topics: &[String], changes: usize) -> Result<Outline, StoreError> {
        Ok(Outline {
            generation: self.generation()?,
            topics: archive::topics(&self.connection, topics)?,
            sources: self.sources()?,
            health: self.health(None)?,
            changes: self.changes(changes)?,
            hubs: self.announcements()?,
        })
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

    fn entries(&mut self, filter: &Filter) -> Result<Vec<(StoredEntry, Vec<Label>)>, StoreError> {
        search::entries(&mut self.connection, filter)
    }

    fn entry_days(&mut self, since: Timestamp) -> Result<Vec<EntryDay>, StoreError> {
        entries::days(&self.connection, since)
    }

    fn note(&mut self, change: &Change) -> Result<(), StoreError> {
        health::note(&self.connection, change)
    }

    fn health(&mut self, source_id: Option<&str>) -> Result<Vec<Change>, StoreError> {
        health::last(&self.connection, source_id)
    }

    fn changes(&mut self, limit: usize) -> Result<Vec<Change>, StoreError> {
        health::changes(&self.connection, limit)
    }

    fn announcements(&mut self) -> Result<Vec<Announcement>, StoreError> {
        hubs::all(&self.connection)
    }

    fn save_announcement(&mut self, announcement: &Announcement) -> Result<(), StoreError> {
        hubs::save(&self.connection, announcement)
    }

    fn throttles(&mut self, now: Timestamp) -> Result<Vec<Throttle>, StoreError> {
        throttles::all(&self.connection, now)
    }

    fn save_throttle(&mut self, throttle: &Throttle, now: Timestamp) -> Result<(), StoreError> {
        throttles::save(&self.connection, throttle, now)
    }

    fn size(&mut self) -> Result<u64, StoreError> {
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        Ok(self.connection.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    fn drop_before(&mut self, before: Timestamp, sources: &[String]) -> Result<usize, StoreError> {
        stories::drop_before(&self.connection, before, sources)
    }

    fn generation(&mut self) -> Result<i64, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM meta WHERE name = 'generation'")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    fn raise_generation(&mut self) -> Result<(), StoreError> {
        archive::raise(&self.connection)
    }

    fn backup(&mut self, to: &Path) -> Result<(), StoreError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open { path: to.into(), source };
        // Also the way to make sure that nobody's file is overwritten.
        std::fs::File::create_new(to).map_err(|error| failed(error.into()))?;
        self.connection.backup("main", to, None::<fn(rusqlite::backup::Progress)>).map_err(|error| failed(error.into()))
    }

    fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError> {
        // The write-ahead log needs no help: each commit that makes it long folds it back.
        self.connection.execute_batch("PRAGMA optimize")?;
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES ('tidied', ?1)", [unix(now)])?;
        Ok(())
    }

    fn tidied(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT value FROM meta WHERE name = 'tidied'";
        let at: Option<i64> = self.connection.query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(at.and_then(|at| Timestamp::from_timestamp(at, 0)))
    }
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

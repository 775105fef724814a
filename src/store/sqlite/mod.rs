//! The store in one `SQLite` file, the only home of `rusqlite`.
//!
//! Write-ahead log with `synchronous = NORMAL`: a process that dies loses nothing that was committed; a machine that
//! loses power may lose the last commits whole, and then polls again. Other processes may read, and poll, meanwhile.
//!
//! Statements join with `CROSS JOIN`, which is the order in which tables are read: statistics that were taken when the
//! store was young make the planner choose others, which read all labels of a topic where one would do.

mod apply;
mod archive;
mod causes;
mod entries;
mod meta;
mod operations;
mod outbox;
#[cfg(test)]
mod plans;
mod redating;
mod related;
mod rows;
mod search;
mod shares;
mod stories;
mod surroundings;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use tracing::info;

use super::ailment::{Ailment, RESERVE_BYTES};
use super::{
    Applied, Arrivals, Change, EntryDay, Filter, Held, Inquiry, Outline, Part, Pulse, Relabelling, SourceShare, Store,
    StoreError, Surroundings, migrated,
};
use crate::disk;
use crate::feed::Timestamp;
use crate::outbox::Outbox;
use crate::state::{
    Announcement, Granted, Hold, LeaseAnswer, LeaseRequest, Monitored, NodeState, Remembered, Throttle, Turn,
};
use crate::story::{Gist, Month, Order, Revision, StoryTally, Told, Tombstone};

/// "veil": tells our files from others' (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x7665_696c;

/// One step per format, in order, never changed once released; `PRAGMA user_version` counts the steps done.
pub(in crate::store) const MIGRATIONS: [&str; 7] = [
    include_str!("001.sql"),
    include_str!("002.sql"),
    include_str!("003.sql"),
    include_str!("004.sql"),
    include_str!("005.sql"),
    include_str!("006.sql"),
    include_str!("007.sql"),
];

/// Longest wait for another process that writes, unless told otherwise.
pub const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// A store in a file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// The file that was opened: another one may come to its place.
    identity: Option<(u64, u64)>,
    /// Rows that this connection had changed when it was last asked how the store is.
    changes: u64,
}

impl Sqlite {
    /// Opens the store at `path`, makes it if there is none, migrates it if it is older.
    ///
    /// A store that was not closed (a crash, a power cut) is checked first.
    ///
    /// # Errors
    /// [`StoreError::Open`], also if it can only be read; [`StoreError::Foreign`], [`StoreError::Newer`],
    /// [`StoreError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_within(path, BUSY_TIMEOUT)
    }

    /// Opens the store at `path` as [`Sqlite::open`] does, and waits for other processes that write for so long.
    ///
    /// # Errors
    /// Those of [`Sqlite::open`].
    pub fn open_within(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        make(path).map_err(|error| {
            let ailment = Ailment::of(&error, path);
            StoreError::Open { store: named(path), ailment, source: error.into() }
        })?;
        Self::open_existing(path, patience)
    }

    /// Opens the store at `path` as [`Sqlite::open`] does, and waits for other processes that write for so long; makes none.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and those of [`Sqlite::open`].
    pub fn open_existing(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { store: named(path) });
        }
        let cannot_open = |error: rusqlite::Error| causes::cannot_open(error, path);
        // SQLite deletes the log when the last connection closes in order.
        let crashed = log_of(path).metadata().is_ok_and(|log| log.len() > 0);
        let flags = OpenFlags::default() & !OpenFlags::SQLITE_OPEN_CREATE;
        let connection = Connection::open_with_flags(path, flags).map_err(cannot_open)?;
        let mut store = Self { connection, path: path.into(), identity: disk::identity(path), changes: 0 };
        store.connection.busy_timeout(patience).map_err(cannot_open)?;
        store.refuse_strangers()?;
        store.refuse_unwritable()?;
        store.configure().map_err(cannot_open)?;
        if crashed {
            store.check()?;
        }
        store.migrate()?;
        store.connection.execute_batch(meta::TABLES).map_err(cannot_open)?;
        causes::explained(meta::note_missing(&store.connection), path)?;
        Ok(store)
    }

    /// Opens an existing store for reading only.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and those of [`Sqlite::open`]; also when the store is of an older format.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Self::read_within(path, BUSY_TIMEOUT)
    }

    /// Opens an existing store as [`Sqlite::open_read_only`] does, and waits for other processes for so long.
    ///
    /// # Errors
    /// Those of [`Sqlite::open_read_only`].
    pub fn read_within(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { store: named(path) });
        }
        let cannot_open = |error: rusqlite::Error| causes::cannot_open(error, path);
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(cannot_open)?;
        connection.busy_timeout(patience).map_err(cannot_open)?;
        let mut store = Self { connection, path: path.into(), identity: disk::identity(path), changes: 0 };
        let format = match store.refuse_strangers() {
            Err(StoreError::Open { ailment: Ailment::Full { .. } | Ailment::ReadOnly | Ailment::Rights, .. })
                if log_of(path).metadata().map_or(0, |log| log.len()) == 0 =>
            {
                store.connection = unshared(path).map_err(cannot_open)?;
                store.refuse_strangers()?
            }
            format => format?,
        };
        if format < known_format() {
            // Older, or being made: only a writer may migrate it.
            drop(store);
            return Self::open_within(path, patience);
        }
        Ok(store)
    }

    /// Opens a backup: a store that nobody writes. Nothing is made beside it, and an older format stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Foreign`], [`StoreError::Newer`], and [`StoreError::Open`].
    pub fn open_backup(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { store: named(path) });
        }
        let cannot_open = |error: rusqlite::Error| causes::cannot_open(error, path);
        // The copy of a store that was not closed has a log, which must be read too.
        let has_log = log_of(path).metadata().is_ok_and(|log| log.len() > 0);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = if has_log { Connection::open_with_flags(path, flags) } else { unshared(path) };
        let mut store = Self {
            connection: connection.map_err(cannot_open)?,
            path: path.into(),
            identity: disk::identity(path),
            changes: 0,
        };
        store.refuse_strangers()?;
        Ok(store)
    }

    /// Returns the number of the format that the file has.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn format(&mut self) -> Result<i64, StoreError> {
        self.refuse_strangers()
    }

    /// Refuses a file that was deleted or replaced since it was opened, a file system that turned read-only, and a disk
    /// without room.
    fn refuse_unfit(&self) -> Result<(), StoreError> {
        self.refuse_lost()?;
        if disk::is_read_only(&self.path) {
            let source = "no file can be opened for writing there".into();
            return Err(StoreError::Failed { store: named(&self.path), ailment: Ailment::ReadOnly, source });
        }
        let ailment = Ailment::full(&self.path);
        let Ailment::Full { free_bytes } = ailment else { return Ok(()) };
        if disk::free_bytes(&self.path).is_none() || free_bytes >= RESERVE_BYTES {
            return Ok(());
        }
        Err(StoreError::Failed { store: named(&self.path), ailment, source: "the rest is kept free".into() })
    }

    /// Refuses a file that was deleted or replaced since it was opened: nobody would ever find in it what is written now.
    fn refuse_lost(&self) -> Result<(), StoreError> {
        if disk::identity(&self.path) == self.identity {
            return Ok(());
        }
        let source = "the file that was opened lies there no more".into();
        Err(StoreError::Failed { store: named(&self.path), ailment: Ailment::lost(&self.path), source })
    }

    /// Refuses a file that `SQLite` opened for reading although it was to be written.
    fn refuse_unwritable(&self) -> Result<(), StoreError> {
        let path = &self.path;
        if !self.connection.is_readonly("main").map_err(|error| causes::cannot_open(error, path))? {
            return Ok(());
        }
        let ailment = if disk::is_read_only(path) { Ailment::ReadOnly } else { Ailment::Rights };
        Err(StoreError::Open { store: named(path), ailment, source: "it can be read, not written".into() })
    }

    /// Refuses a file that is not ours or too new; returns its format, 0 for an empty file.
    fn refuse_strangers(&mut self) -> Result<i64, StoreError> {
        let pragma = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (application, found) =
            pragma("application_id").and_then(|id| Ok((id, pragma("user_version")?))).map_err(|error| {
                match error.sqlite_error_code() {
                    Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign { store: named(&self.path) },
                    _ => causes::cannot_open(error, &self.path),
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
        let counted = self.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
        causes::explained(counted.map_err(StoreError::from), &self.path)
    }

    fn configure(&mut self) -> rusqlite::Result<()> {
        let connection = &self.connection;
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
        let found = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        let finding: String = causes::explained(found.map_err(StoreError::from), &self.path)?;
        if finding == "ok" { Ok(()) } else { Err(StoreError::Damaged { store: named(&self.path), finding }) }
    }

    /// Reads by several statements, in between which no other process is seen to write.
    fn at_one_moment<T>(&mut self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let transaction = self.connection.transaction().map_err(StoreError::from);
        let read = transaction.and_then(|transaction| read(&transaction));
        causes::explained(read, &self.path)
    }

    /// Copies all of it to an empty file in one step, so that writers neither wait nor begin it anew; then checks the copy.
    fn copy(&mut self, to: &Path) -> Result<(), StoreError> {
        let failed = |error| causes::cannot_open(error, to);
        let mut copy = Connection::open(to).map_err(failed)?;
        let copied = rusqlite::backup::Backup::new(&self.connection, &mut copy).and_then(|backup| backup.step(-1));
        match copied {
            Ok(rusqlite::backup::StepResult::Done) => {}
            Ok(_) => {
                let source = "another process holds it".into();
                return Err(StoreError::Failed { store: named(&self.path), ailment: Ailment::Locked, source });
            }
            Err(error) if causes::by_code(&error) == Ailment::Damaged => {
                return causes::explained(Err(error.into()), &self.path);
            }
            Err(error) => return Err(failed(error)),
        }
        let mut copy = Self { connection: copy, path: to.into(), identity: None, changes: 0 };
        match copy.check_all() {
            // Pages are copied as they are, so this one is damaged in the same way.
            Err(StoreError::Damaged { finding, .. }) => Err(StoreError::Damaged { store: named(&self.path), finding }),
            Err(StoreError::Failed { ailment: Ailment::Damaged, source, .. }) => {
                Err(StoreError::Failed { store: named(&self.path), ailment: Ailment::Damaged, source })
            }
            checked => checked,
        }
    }

    /// Runs the missing migrations, all or none.
    fn migrate(&mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |error: rusqlite::Error| causes::cannot_open(error, &path);
        let began = Instant::now();
        let run = |connection: &mut Connection| -> rusqlite::Result<i64> {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            // Read inside the transaction: another process may have migrated meanwhile.
            let done: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let missing = MIGRATIONS.iter().skip(usize::try_from(done).unwrap_or(0));
            for step in missing {
                transaction.execute_batch(step)?;
            }
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", known_format())?;
            transaction.commit()?;
            Ok(done)
        };
        if self.refuse_strangers()? == known_format() {
            return Ok(());
        }
        let done = run(&mut self.connection).map_err(failed)?;
        if let Some(told) = migrated(&MIGRATIONS, done, began.elapsed()) {
            info!("{told}");
        }
        Ok(())
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
        Self::Failed { store: String::new(), ailment: causes::by_code(&error), source: error.into() }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed { store: String::new(), ailment: Ailment::Other, source: error.into() }
    }
}

impl Store for Sqlite {
    fn sources(&mut self, ids: Option<&[String]>) -> Result<Vec<Remembered>, StoreError> {
        self.at_one_moment(|connection| operations::remembered(connection, ids))
    }

    fn surroundings(&mut self, asked: &Inquiry) -> Result<Surroundings, StoreError> {
        causes::explained(surroundings::read_surroundings(&mut self.connection, asked), &self.path)
    }

    fn apply(&mut self, changes: &[Change], seen: Option<i64>) -> Result<Applied, StoreError> {
        self.refuse_lost()?;
        causes::explained(apply::apply(&mut self.connection, changes, seen), &self.path)
    }

    fn entries(&mut self, filter: &Filter) -> Result<Vec<Held>, StoreError> {
        causes::explained(search::find(&mut self.connection, filter), &self.path)
    }

    fn revisions(&mut self, number: i64) -> Result<Vec<Revision>, StoreError> {
        causes::explained(entries::revisions(&self.connection, number), &self.path)
    }

    fn unrelated(&mut self, topic: &str, after: Option<Order>, limit: usize) -> Result<Vec<(Gist, bool)>, StoreError> {
        self.at_one_moment(|connection| unrelated(connection, topic, after, limit))
    }

    fn outline(&mut self, topics: &[String], turns: usize) -> Result<Outline, StoreError> {
        causes::explained(outline(&mut self.connection, topics, turns), &self.path)
    }

    fn stories(&mut self, topic: &str, part: Part) -> Result<Vec<Order>, StoreError> {
        self.at_one_moment(|connection| stories::stories(connection, topic, part))
    }

    fn told(&mut self, topic: &str, stories: &[i64]) -> Result<Vec<Told>, StoreError> {
        self.at_one_moment(|connection| stories::told(connection, topic, stories))
    }

    fn tombstones(&mut self, topic: &str, month: Option<Month>, limit: usize) -> Result<Vec<Tombstone>, StoreError> {
        causes::explained(stories::tombstones(&self.connection, topic, month, limit), &self.path)
    }

    fn tally(&mut self, topics: &[String], from: Timestamp, until: Timestamp) -> Result<StoryTally, StoreError> {
        self.at_one_moment(|connection| shares::tally(connection, topics, from, until))
    }

    fn entry_days(&mut self, since: Timestamp) -> Result<BTreeMap<String, Vec<EntryDay>>, StoreError> {
        causes::explained(entries::days(&self.connection, since), &self.path)
    }

    fn shares(&mut self) -> Result<Vec<SourceShare>, StoreError> {
        shares::all(&self.connection)
    }

    fn arrivals(&mut self, after: i64) -> Result<Arrivals, StoreError> {
        shares::arrivals(&self.connection, after)
    }

    fn health(&mut self, of: Option<&Monitored>) -> Result<Vec<Turn>, StoreError> {
        causes::explained(operations::last_turns(&self.connection, of), &self.path)
    }

    fn announcements(&mut self) -> Result<Vec<Announcement>, StoreError> {
        causes::explained(operations::announcements(&self.connection), &self.path)
    }

    fn outbox(&mut self, post: &str, since: Timestamp, limit: usize) -> Result<Outbox, StoreError> {
        self.at_one_moment(|connection| outbox::read(connection, post, since, limit))
    }

    fn throttles(&mut self, now: Timestamp) -> Result<Vec<Throttle>, StoreError> {
        causes::explained(operations::throttles(&self.connection, now), &self.path)
    }

    fn lease(&mut self, request: &LeaseRequest) -> Result<LeaseAnswer, StoreError> {
        let granted = |name: &String| Granted {
            hold: Hold { name: name.clone(), fence: 0 },
            free_in: Duration::ZERO,
            throttled_until: None,
        };
        let granted = request.wanted.iter().take(request.most).map(granted).collect();
        Ok(LeaseAnswer { granted, renewed: request.kept.clone(), ..LeaseAnswer::default() })
    }

    fn nodes(&mut self) -> Result<Vec<NodeState>, StoreError> {
        Ok(Vec::new())
    }

    fn pulse(&mut self) -> Result<Pulse, StoreError> {
        self.refuse_unfit()?;
        let changes = self.connection.total_changes();
        if std::mem::replace(&mut self.changes, changes) == changes {
            // Nothing is written at the moment: the cache goes back to the system.
            self.connection.execute_batch("PRAGMA shrink_memory").map_err(StoreError::from)?;
        }
        self.at_one_moment(pulse)
    }

    fn drop_before(&mut self, before: Timestamp, sources: &[String], limit: usize) -> Result<usize, StoreError> {
        self.refuse_lost()?;
        causes::explained(drop_before(&mut self.connection, before, sources, limit), &self.path)
    }

    fn drop_labels(&mut self, limit: usize) -> Result<usize, StoreError> {
        causes::explained(drop_labels(&mut self.connection, limit), &self.path)
    }

    fn attempt(&mut self) -> Result<(), StoreError> {
        self.refuse_unfit()?;
        let attempted = attempt(&mut self.connection);
        causes::explained(attempted, &self.path)
    }

    fn set_patience(&mut self, patience: Duration) -> Result<(), StoreError> {
        causes::explained(self.connection.busy_timeout(patience).map_err(StoreError::from), &self.path)
    }

    /// Also that each index says what its table says: it takes longer than [`Sqlite::check`].
    fn check_all(&mut self) -> Result<(), StoreError> {
        let found = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        let finding: String = causes::explained(found.map_err(StoreError::from), &self.path)?;
        if finding == "ok" { Ok(()) } else { Err(StoreError::Damaged { store: named(&self.path), finding }) }
    }

    fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError> {
        // The write-ahead log needs no help: each commit that makes it long folds it back. No statistics are taken: those of
        // a young store make the planner read all labels of a topic where one would do, years later.
        self.refuse_lost()?;
        let tidied = outbox::drop_spent(&self.connection, now)
            .and_then(|()| meta::set(&self.connection, "tidied", Some(unix(now))));
        causes::explained(tidied, &self.path)
    }

    fn backup(&mut self, to: &Path) -> Result<(), StoreError> {
        let system = |error: std::io::Error| StoreError::Open {
            store: named(to),
            ailment: Ailment::of(&error, to),
            source: error.into(),
        };
        // Also the way to make sure that nobody's file is overwritten.
        std::fs::File::create_new(to).map_err(system)?;
        disk::give(to);
        let copied = self.copy(to);
        if copied.is_err() {
            // Half a copy is none.
            let _ = std::fs::remove_file(to);
        }
        copied
    }
}

fn unrelated(
    connection: &Connection,
    topic: &str,
    after: Option<Order>,
    limit: usize,
) -> Result<Vec<(Gist, bool)>, StoreError> {
    let rules = match meta::number(connection, "next_rules")? {
        Some(next) => Some(next),
        None => meta::number(connection, "rules")?,
    };
    related::unrelated(connection, rules.unwrap_or_default(), topic, after, limit)
}

fn outline(connection: &mut Connection, topics: &[String], turns: usize) -> Result<Outline, StoreError> {
    // One moment for all that is read.
    let transaction = connection.transaction()?;
    let outline = Outline {
        generation: meta::number(&transaction, "generation")?.unwrap_or_default(),
        topics: archive::topic_outlines(&transaction, topics)?,
        sources: operations::remembered(&transaction, None)?.into_iter().map(|known| known.state).collect(),
        health: operations::last_turns(&transaction, None)?,
        turns: operations::turns(&transaction, turns)?,
        hubs: operations::announcements(&transaction)?,
        unrelated: related::waiting(&transaction)?,
    };
    transaction.commit()?;
    Ok(outline)
}

fn pulse(connection: &Connection) -> Result<Pulse, StoreError> {
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
        others: connection.pragma_query_value(None, "data_version", |row| row.get(0))?,
    })
}

fn drop_before(
    connection: &mut Connection,
    before: Timestamp,
    sources: &[String],
    limit: usize,
) -> Result<usize, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let dropped = stories::drop_before(&transaction, before, sources, limit)?;
    transaction.commit()?;
    Ok(dropped)
}

fn drop_labels(connection: &mut Connection, limit: usize) -> Result<usize, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
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

/// Says why the store at `path` cannot be written and what to do, as far as the disk tells without writing; `None` if all
/// is well with it, or there is no store.
#[must_use]
pub fn why_unwritable(path: &Path) -> Option<String> {
    let free_bytes = disk::free_bytes(path).filter(|free| path.exists() && *free < RESERVE_BYTES);
    let full = free_bytes.map(|free_bytes| Ailment::Full { free_bytes });
    let ailment = full.or_else(|| (path.exists() && disk::is_read_only(path)).then_some(Ailment::ReadOnly))?;
    Some(format!("{}; {}", ailment.said(&named(path)), ailment.hint()))
}

/// Makes an empty file at `path` if there is none, and the folders on the way.
fn make(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        disk::make_folders(folder)?;
    }
    match std::fs::File::create_new(path) {
        Ok(_) => disk::give(path),
        // Whether it is good is found out by opening it.
        Err(_) if path.exists() => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Opens a store of which nobody can write any more, for reading, without the shared memory that `SQLite` makes beside it
/// else: on a full disk or a read-only file system there is no room for that.
fn unshared(path: &Path) -> rusqlite::Result<Connection> {
    let path = path.to_string_lossy();
    let name = percent_encoding::utf8_percent_encode(&path, percent_encoding::NON_ALPHANUMERIC);
    let name = format!("file:{name}?immutable=1");
    Connection::open_with_flags(name, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

/// Returns the write-ahead log of a store.
#[must_use]
pub fn log_of(path: &Path) -> PathBuf {
    path.with_file_name(file_name_with(path, "-wal"))
}

fn attempt(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    meta::set(&transaction, "attempt", Some(1))?;
    meta::set(&transaction, "attempt", None)?;
    Ok(transaction.commit()?)
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

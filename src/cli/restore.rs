//! `veille restore FILE`.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{Failure, output};
use crate::config::{Config, Post};
use crate::disk;
use crate::feed::Timestamp;
use crate::state::SourceState;
use crate::store::sqlite::{self, Sqlite};
use crate::store::{Change, Claim, Holder, Store as _, StoreError, StorePlace};
use crate::text::count;

/// The rights of a store where there was none.
const RIGHTS: u32 = 0o640;

/// Longest wait for another process that uses the old store.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct RestoreOptions {
    /// The backup to put in the place of the store
    file: PathBuf,
}

/// Puts a backup in the place of the store, which stays beside it under another name.
///
/// At each moment there is one whole store at the place, the old one or the new one.
pub(super) fn run(config: &Config, options: &RestoreOptions) -> Result<(), Failure> {
    let place = StorePlace::of(&config.store);
    let Some(store) = place.file() else {
        let instead = "put a dump of `pg_dump --format=custom` back with `pg_restore`";
        return Err(StoreError::OfServer { store: place.name(), instead }.into());
    };
    let file = &options.file;
    if disk::identity(file).is_some() && disk::identity(file) == disk::identity(store) {
        return Err(anyhow::anyhow!("`{}` is the store itself", file.display()).into());
    }
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    disk::make_folders(folder).map_err(|error| failed("make", folder, &error))?;
    let _claim = Claim::take(store, &Holder::this("restore", None))?;
    let new = beside(store, &format!(".{}.new", std::process::id()));
    let placed = copy(file, &new, &config.posts).and_then(|content| {
        like(store, &new).map_err(|error| failed("give away", &new, &error))?;
        Ok((content, replace(store, &new, Utc::now())?))
    });
    // The leftovers of a failure are of no use to anybody.
    for file in [new.clone(), sqlite::log_of(&new), beside(&new, "-shm")] {
        let _ = fs::remove_file(file);
    }
    let (content, old) = placed?;
    output::note(&format!("`{}` is the store `{}` now", file.display(), store.display()));
    output::note(&content.for_people(config.site.zone));
    match old {
        Some(old) => output::note(&format!("the store before stays as `{}` until you remove it", old.display())),
        None => output::note("there was no store before"),
    }
    Ok(())
}

/// The content of a backup, for whoever put it back.
struct BackupContent {
    entries: u64,
    feeds: usize,
    /// When a feed was polled last.
    last_poll: Option<Timestamp>,
    /// When its file was written; a copy of it may be younger.
    written: Option<Timestamp>,
    /// The format that the backup has, and that of the store made of it.
    formats: (i64, i64),
}

impl BackupContent {
    fn for_people(&self, zone: Tz) -> String {
        let Self { entries, feeds, last_poll, written, formats: (from, to) } = self;
        let shown = |at: &Timestamp| at.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string();
        let polled =
            last_poll.as_ref().map_or_else(|| "never polled".to_owned(), |at| format!("last poll {}", shown(at)));
        let written = written.as_ref().map(|at| format!(", written {}", shown(at))).unwrap_or_default();
        let format = if from == to { format!("format {to}") } else { format!("format {from}, made {to}") };
        let entries = if *entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
        format!("it holds {entries} of {}, {polled}{written}, {format}", count(*feeds, "feed"))
    }
}

/// Copies a backup, with what its log adds, after a check of its format and of the whole copy; returns its content.
fn copy(backup: &Path, new: &Path, posts: &[Post]) -> Result<BackupContent, Failure> {
    let of_backup = |error| of_backup(error, backup, new);
    let mut opened = Sqlite::open_backup(backup).map_err(of_backup)?;
    opened.backup(new).map_err(of_backup)?;
    let from = opened.format().map_err(of_backup)?;
    drop(opened);
    // It may be of an older format; it is made whole here, where its owner can still be set.
    let mut store = Sqlite::open_existing(new, PATIENCE)?;
    let shares = store.shares()?;
    let content = BackupContent {
        entries: shares.iter().map(|share| share.entries).sum(),
        feeds: shares.len(),
        written: backup.metadata().and_then(|file| file.modified()).ok().map(Timestamp::from),
        last_poll: store.sources(None)?.into_iter().filter_map(|known| known.state.last_poll).max(),
        formats: (from, store.format()?),
    };
    forget_documents(&mut store)?;
    forget_waiting(&mut store, posts)?;
    drop(store);
    File::open(new).and_then(|file| file.sync_all()).map_err(|error| failed("write", new, &error))?;
    Ok(content)
}

/// Lets a failure over a backup tell the backup's own way out: the hint of an error is about the store.
fn of_backup(error: StoreError, backup: &Path, new: &Path) -> anyhow::Error {
    let name = backup.display();
    let (said, hint) = match error {
        StoreError::Missing { .. } => (format!("there is no file `{name}`"), "name a file that `veille backup` wrote"),
        StoreError::Foreign { .. } => {
            (format!("`{name}` is no backup of veille"), "name a file that `veille backup` wrote")
        }
        StoreError::Newer { found, known, .. } => (
            format!("the backup `{name}` has format {found}, this veille knows up to {known}"),
            "install the veille that wrote it",
        ),
        StoreError::Open { ref store, .. } | StoreError::Failed { ref store, .. }
            if *store == new.display().to_string() =>
        {
            return error.into();
        }
        error => (format!("this backup is of no use: {}", error.reason()), "put another one back"),
    };
    anyhow::anyhow!("{said}; the store stays as it is\nhelp: {hint}")
}

/// Lets the next document of each source count as its first: what it brings came before, to the store that this one replaces,
/// and is no news to posts.
fn forget_documents(store: &mut Sqlite) -> Result<(), StoreError> {
    let forgotten = store.sources(None)?.into_iter().map(|known| {
        let state = SourceState { body_hash: None, validators: Vec::new(), ..known.state };
        Change::Source(Box::new(state))
    });
    let changes: Vec<Change> = forgotten.collect();
    // Nobody else has it open.
    store.apply(&changes, None).map(|_| ())
}

/// Rows of the outbox that waited then may have been sent since: none of them is sent.
fn forget_waiting(store: &mut Sqlite, posts: &[Post]) -> Result<(), StoreError> {
    for post in posts {
        loop {
            let waiting = store.outbox(&post.id, Timestamp::UNIX_EPOCH, ROWS)?.waiting;
            if waiting.is_empty() {
                break;
            }
            let changes: Vec<Change> =
                waiting.iter().map(|row| Change::Outbox(row.done("a backup was put back"))).collect();
            let _ = store.apply(&changes, None)?;
        }
    }
    Ok(())
}

/// Rows of the outbox that are marked at once.
const ROWS: usize = 1000;

/// Gives a new store the owner and rights of the old one, or those that a service needs in that folder.
fn like(store: &Path, new: &Path) -> io::Result<()> {
    let Ok(old) = store.metadata() else {
        disk::give(new);
        return fs::set_permissions(new, Permissions::from_mode(RIGHTS));
    };
    let made = new.metadata()?;
    if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
        chown(new, Some(old.uid()), Some(old.gid()))?;
    }
    // One that root put there by hand belongs to the owner of the folder all the same.
    disk::give(new);
    fs::set_permissions(new, Permissions::from_mode(old.mode() & 0o777 | 0o600))
}

/// Puts the new store in its place; returns where the old one is, if there was one.
fn replace(store: &Path, new: &Path, now: DateTime<Utc>) -> Result<Option<PathBuf>, Failure> {
    if !store.exists() {
        fs::rename(new, store).map_err(|error| failed("replace", store, &error))?;
        return Ok(None);
    }
    // If the old store is sound, its log is written into its file: so it is one file.
    drop(Sqlite::open_existing(store, PATIENCE));
    let old = free_name(store, &format!(".before-{}", now.format("%Y%m%dT%H%M%S")));
    let (log, memory) = (sqlite::log_of(store), beside(store, "-shm"));
    if log.exists() {
        // Never beside another store: its pages would be taken for those of the new one.
        fs::rename(&log, sqlite::log_of(&old)).map_err(|error| failed("move", &log, &error))?;
    }
    let _ = fs::remove_file(memory);
    fs::hard_link(store, &old)
        .or_else(|_| fs::copy(store, &old).map(|_| ()))
        .map_err(|error| failed("keep", &old, &error))?;
    fs::rename(new, store).map_err(|error| failed("replace", store, &error))?;
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(Some(old))
}

/// Returns a path beside the store at which nothing lies: two backups may be put back in the same second.
fn free_name(store: &Path, end: &str) -> PathBuf {
    let names = std::iter::once(String::new()).chain((2..).map(|number| format!("-{number}")));
    let mut paths = names.map(|number| beside(store, &format!("{end}{number}")));
    paths.find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| beside(store, end))
}

/// The path of a file whose name goes on after that of another.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}

fn failed(action: &str, path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("cannot {action} `{}`: {error}", path.display())
}

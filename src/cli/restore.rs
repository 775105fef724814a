//! `veille restore FILE`.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Failure, output};
use crate::config::{Config, Post};
use crate::disk;
use crate::feed::Timestamp;
use crate::state::SourceState;
use crate::store::sqlite::{self, Sqlite};
use crate::store::{Change, Claim, Holder, Store as _, StoreError};

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
    let (file, store) = (&options.file, &config.store.path);
    if disk::identity(file).is_some() && disk::identity(file) == disk::identity(store) {
        return Err(anyhow::anyhow!("`{}` is the store itself", file.display()).into());
    }
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    disk::make_folders(folder).map_err(|error| failed("make", folder, &error))?;
    let _claim = Claim::take(store, &Holder::this("restore", None))?;
    let new = beside(store, &format!(".{}.new", std::process::id()));
    let placed = copy(file, &new, &config.posts).and_then(|()| {
        like(store, &new).map_err(|error| failed("give away", &new, &error))?;
        replace(store, &new, Utc::now())
    });
    // The leftovers of a failure are of no use to anybody.
    for file in [new.clone(), sqlite::log_of(&new), beside(&new, "-shm")] {
        let _ = fs::remove_file(file);
    }
    let old = placed?;
    output::note(&format!("`{}` is the store `{}` now", file.display(), store.display()));
    if let Some(old) = old {
        output::note(&format!("the one before stays as `{}` until you remove it", old.display()));
    }
    Ok(())
}

/// Copies a backup, with what its log adds, after a check of its format and of the whole copy.
fn copy(backup: &Path, new: &Path, posts: &[Post]) -> Result<(), Failure> {
    let copied =
        Sqlite::open_read_only(backup).and_then(|mut backup| backup.backup(new)).map_err(|error| match error {
            StoreError::Missing { store } => anyhow::anyhow!("there is no file `{store}`"),
            error @ (StoreError::Damaged { .. } | StoreError::Failed { .. }) => {
                anyhow::anyhow!("this backup is of no use, and the store stays as it is: {}", error.reason())
            }
            error => error.into(),
        });
    copied?;
    // It may be of an older format; it is made whole here, where its owner can still be set.
    let mut store = Sqlite::open_existing(new, PATIENCE)?;
    forget_documents(&mut store)?;
    forget_waiting(&mut store, posts)?;
    drop(store);
    Ok(File::open(new).and_then(|file| file.sync_all()).map_err(|error| failed("write", new, &error))?)
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
    let old = beside(store, &format!(".before-{}", now.format("%Y%m%dT%H%M%S")));
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

/// The path of a file whose name goes on after that of another.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}

fn failed(action: &str, path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("cannot {action} `{}`: {error}", path.display())
}

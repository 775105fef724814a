//! Opening the store of a config, and whether it may be made anew.

use std::path::Path;
use std::time::Duration;

use crate::config::Config;
use crate::publish::files;
use crate::store::StoreError;
use crate::store::sqlite::{self, Sqlite};

/// Opens the store of a config for writing, for a command; makes it if there never was one.
///
/// # Errors
/// [`StoreError::Vanished`] if there is none although there was one: an empty store would publish empty documents. Else
/// as [`Sqlite::open`].
pub fn open_store(config: &Config) -> Result<Sqlite, StoreError> {
    open_store_within(config, sqlite::BUSY_TIMEOUT)
}

/// Opens the store of a config as [`open_store`] does, and waits for other processes for so long.
///
/// # Errors
/// Those of [`open_store`].
pub fn open_store_within(config: &Config, patience: Duration) -> Result<Sqlite, StoreError> {
    refuse_vanished(config, &config.store.path)?;
    Sqlite::open_within(&config.store.path, patience)
}

/// Opens the store at `path` again, and waits for other processes for so long; makes none.
///
/// # Errors
/// As [`open_store`], and [`StoreError::Missing`].
pub fn reopen_store(config: &Config, path: &Path, patience: Duration) -> Result<Sqlite, StoreError> {
    refuse_vanished(config, path)?;
    if is_empty(path) {
        return Err(StoreError::Missing { store: path.display().to_string() });
    }
    Sqlite::open_existing(path, patience)
}

/// Refuses a store that is gone, if something is left of it.
///
/// # Errors
/// [`StoreError::Vanished`].
pub fn refuse_vanished(config: &Config, path: &Path) -> Result<(), StoreError> {
    if !is_empty(path) {
        return Ok(());
    }
    let (directory, log) = (&config.publish.directory, sqlite::log_of(path));
    let trace = if log.metadata().is_ok_and(|log| log.len() > 0) {
        format!("its log `{}` is there", log.display())
    } else if files::is_published(directory) {
        format!("`{}` holds what was published from it", directory.display())
    } else {
        return Ok(());
    };
    Err(StoreError::Vanished { store: path.display().to_string(), trace })
}

/// Whether a file holds nothing, or is not there. One that cannot be looked at may hold something.
fn is_empty(path: &Path) -> bool {
    match path.metadata() {
        Ok(file) => file.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

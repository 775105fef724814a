//! Opening the store of a config, and whether it may be made anew.

use std::path::Path;
use std::time::Duration;

use crate::config::Config;
use crate::publish::files;
use crate::store::sqlite;
use crate::store::{Store, StoreError, StorePlace};

/// Opens the store of a config for writing, for a command; makes it if there never was one.
///
/// # Errors
/// [`StoreError::Vanished`] if there is none although there was one: an empty store would publish empty documents. Else
/// as [`StorePlace::open_within`].
pub fn open_store(config: &Config) -> Result<Box<dyn Store>, StoreError> {
    open_store_within(config, sqlite::BUSY_TIMEOUT)
}

/// Opens the store of a config as [`open_store`] does, and waits for other processes for so long.
///
/// # Errors
/// Those of [`open_store`].
pub fn open_store_within(config: &Config, patience: Duration) -> Result<Box<dyn Store>, StoreError> {
    let place = StorePlace::of(&config.store);
    let Some(path) = place.file() else {
        return match place.open_existing(patience) {
            Err(StoreError::Missing { store }) => match trace_of_documents(config) {
                Some(trace) => Err(StoreError::Vanished { store, trace }),
                None => place.open_within(patience),
            },
            opened => opened,
        };
    };
    refuse_vanished(config, path)?;
    place.open_within(patience)
}

/// Opens the store at `place` again, and waits for other processes for so long; makes none.
///
/// # Errors
/// As [`open_store`], and [`StoreError::Missing`].
pub fn reopen_store(config: &Config, place: &StorePlace, patience: Duration) -> Result<Box<dyn Store>, StoreError> {
    if let Some(path) = place.file() {
        refuse_vanished(config, path)?;
        if is_empty(path) {
            return Err(StoreError::Missing { store: place.name() });
        }
    }
    place.open_existing(patience)
}

/// Refuses a store that is gone, if something is left of it.
///
/// # Errors
/// [`StoreError::Vanished`].
pub fn refuse_vanished(config: &Config, path: &Path) -> Result<(), StoreError> {
    if !is_empty(path) {
        return Ok(());
    }
    let log = sqlite::log_of(path);
    let trace = if log.metadata().is_ok_and(|log| log.len() > 0) {
        format!("its log `{}` is there", log.display())
    } else if let Some(trace) = trace_of_documents(config) {
        trace
    } else {
        return Ok(());
    };
    Err(StoreError::Vanished { store: path.display().to_string(), trace })
}

/// The documents that were published from a store, if there are any.
fn trace_of_documents(config: &Config) -> Option<String> {
    let directory = &config.publish.directory;
    files::is_published(directory).then(|| format!("`{}` holds what was published from it", directory.display()))
}

/// Whether a file holds nothing, or is not there. One that cannot be looked at may hold something.
fn is_empty(path: &Path) -> bool {
    match path.metadata() {
        Ok(file) => file.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

//! Where a store is, and the one place where its backend is chosen.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::postgres::{Address, Postgres};
use super::sqlite::Sqlite;
use super::{Store, StoreError};
use crate::config::StoreSettings;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// In a file of `SQLite`.
    File(PathBuf),
    /// In a database of a PostgreSQL server.
    Server(Address),
}

impl StorePlace {
    /// Returns the place that a config names: its `url`, else its `path`.
    #[must_use]
    pub fn of(settings: &StoreSettings) -> Self {
        match &settings.url {
            Some(url) => Self::Server(Address { url: url.clone(), password: settings.password.clone() }),
            None => Self::File(settings.path.clone()),
        }
    }

    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }

    /// Tells `changed` whenever a node may have changed what readers see, for as long as it is awaited; nothing of a file.
    ///
    /// # Cancellation
    /// Nothing more is told.
    pub async fn listen(self, changed: Arc<Notify>) {
        match self {
            Self::File(_) => std::future::pending().await,
            Self::Server(address) => super::postgres::listen(address, changed).await,
        }
    }

    /// The place as messages name it: without a password.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Server(address) => address.name(),
        }
    }

    /// Checks how the place is written, without going there.
    ///
    /// # Errors
    /// [`StoreError::Open`] if it is the address of a database that cannot be used.
    pub fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::File(_) => Ok(()),
            Self::Server(address) => address.check(),
        }
    }

    /// Opens the store, makes it if there is none, migrates it if it is older; waits for others no longer than `patience`.
    ///
    /// # Errors
    /// Those of [`Sqlite::open`] and [`Postgres::open_within`].
    pub fn open_within(&self, patience: Duration) -> Result<Box<dyn Store>, StoreError> {
        Ok(match self {
            Self::File(path) => Box::new(Sqlite::open_within(path, patience)?),
            Self::Server(address) => Box::new(Postgres::open_within(address, patience)?),
        })
    }

    /// Opens the store as [`StorePlace::open_within`] does; makes none.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and those of [`StorePlace::open_within`].
    pub fn open_existing(&self, patience: Duration) -> Result<Box<dyn Store>, StoreError> {
        Ok(match self {
            Self::File(path) => Box::new(Sqlite::open_existing(path, patience)?),
            Self::Server(address) => Box::new(Postgres::open_existing(address, patience)?),
        })
    }

    /// Opens the store for reading; makes none.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and those of [`StorePlace::open_within`].
    pub fn read_within(&self, patience: Duration) -> Result<Box<dyn Store>, StoreError> {
        Ok(match self {
            Self::File(path) => Box::new(Sqlite::read_within(path, patience)?),
            Self::Server(address) => Box::new(Postgres::read_within(address, patience)?),
        })
    }
}

//! From what `SQLite` says of a failure to its cause, with the help of the file system.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use super::{StoreError, named};
use crate::disk;
use crate::store::ailment::{Ailment, RESERVE_BYTES};

/// The file was moved or deleted (`SQLITE_READONLY_DBMOVED`).
const MOVED: i32 = 1032;

/// Finds the cause of a failure by its code alone.
pub(super) fn by_code(error: &Error) -> Ailment {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Ailment::Damaged,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            Ailment::Locked
        }
        Some(ErrorCode::DiskFull) => Ailment::Full { free_bytes: 0 },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Ailment::Rights,
        Some(ErrorCode::SystemIoFailure) => Ailment::Device,
        _ => Ailment::Other,
    }
}

/// Finds the cause of a failure over the file at `path`.
pub(super) fn ailment_of(error: &Error, path: &Path) -> Ailment {
    let by_code = by_code(error);
    let is_moved = error.sqlite_error().is_some_and(|error| error.extended_code == MOVED);
    match by_code {
        Ailment::Full { .. } => Ailment::full(path),
        Ailment::Rights | Ailment::Device => {
            let is_full = disk::free_bytes(path).is_some_and(|free| free < RESERVE_BYTES);
            if is_moved {
                Ailment::lost(path)
            } else if disk::is_read_only(path) {
                Ailment::ReadOnly
            } else if is_full {
                Ailment::full(path)
            } else {
                by_code
            }
        }
        _ => by_code,
    }
}

/// Returns that the store at `path` cannot be opened.
pub(super) fn cannot_open(error: Error, path: &Path) -> StoreError {
    StoreError::Open { store: named(path), ailment: ailment_of(&error, path), source: error.into() }
}

/// Lets a failure tell the file at `path` and its cause there.
pub(super) fn explained<T>(result: Result<T, StoreError>, path: &Path) -> Result<T, StoreError> {
    result.map_err(|error| match error {
        StoreError::Failed { store, ailment, source } if store.is_empty() => {
            let ailment = source.downcast_ref::<Error>().map_or(ailment, |error| ailment_of(error, path));
            StoreError::Failed { store: named(path), ailment, source }
        }
        other => other,
    })
}

//! From what the server says of a failure to its cause (PostgreSQL's manual, appendix A: error codes).

use std::io;

use tokio_postgres::Error;

use crate::store::StoreError;
use crate::store::ailment::Ailment;

/// Finds the cause of a failure.
pub(super) fn of(error: &Error) -> Ailment {
    let Some(code) = error.code() else { return of_connection(error) };
    match code.code() {
        "28P01" | "28000" => Ailment::Login,
        "3D000" => Ailment::NoDatabase,
        "42501" => Ailment::Privileges,
        "53300" => Ailment::Crowded,
        "53100" => Ailment::ServerFull,
        "57P03" | "55000" => Ailment::Starting,
        "25006" => Ailment::Replica,
        // A wait that took too long, and transactions that were given up for another one.
        "55P03" | "57014" | "40001" | "40P01" => Ailment::Busy,
        "42P01" | "42703" | "3F000" => Ailment::Stripped,
        "XX001" | "XX002" => Ailment::ServerDamaged,
        code if ["08", "57"].iter().any(|class| code.starts_with(class)) || code == "25P03" => Ailment::Away,
        code if ["53", "58"].iter().any(|class| code.starts_with(class)) => Ailment::ServerFails,
        _ => Ailment::Other,
    }
}

/// The driver tells the kinds of its errors by their texts only.
fn of_connection(error: &Error) -> Ailment {
    let source = std::error::Error::source(error);
    match error.to_string().as_str() {
        "error performing TLS handshake" => Ailment::Certificate,
        "authentication error" | "invalid configuration" => Ailment::Login,
        "invalid connection string" => Ailment::Address,
        // Of several hosts none takes writes.
        _ if source.is_some_and(|source| source.to_string() == "database does not allow writes") => Ailment::Replica,
        _ if error.is_closed() || source.is_some_and(<dyn std::error::Error>::is::<io::Error>) => Ailment::Away,
        "timeout waiting for server" => Ailment::Away,
        _ => Ailment::Other,
    }
}

/// Returns that the store of this name cannot be opened.
pub(super) fn cannot_open(error: Error, name: &str) -> StoreError {
    StoreError::Open { store: name.to_owned(), ailment: of(&error), source: error.into() }
}

/// Returns that the store of this name failed.
pub(super) fn failed(error: Error, name: &str) -> StoreError {
    StoreError::Failed { store: name.to_owned(), ailment: of(&error), source: error.into() }
}

/// Whether the server gave a transaction up for another one: it may be tried again.
pub(super) fn is_given_up(error: &StoreError) -> bool {
    let StoreError::Failed { source, .. } = error else { return false };
    let code = source.downcast_ref::<Error>().and_then(Error::code);
    code.is_some_and(|code| ["40001", "40P01"].contains(&code.code()))
}

/// Lets a failure tell the store's name.
pub(super) fn explained<T>(result: Result<T, StoreError>, name: &str) -> Result<T, StoreError> {
    result.map_err(|error| match error {
        StoreError::Failed { store, ailment, source } if store.is_empty() => {
            StoreError::Failed { store: name.to_owned(), ailment, source }
        }
        other => other,
    })
}

//! Conversions between columns and our types.
//!
//! A column that cannot be read back (a URL that this version refuses, JSON of a later version) counts as absent: one
//! odd value must not hide its row.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use url::Url;

use super::{Answers, StoreError};
use crate::feed::Timestamp;
use crate::store::ailment::Ailment;

/// Reads a column.
pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| {
        let source = error.into();
        StoreError::Failed { store: String::new(), ailment: Ailment::Other, source }
    })
}

pub(super) fn number(row: &Row, column: usize) -> Result<i64, StoreError> {
    get(row, column)
}

pub(super) fn url(row: &Row, column: usize) -> Result<Option<Url>, StoreError> {
    Ok(get::<Option<&str>>(row, column)?.and_then(|text| Url::parse(text).ok()))
}

pub(super) fn time(row: &Row, column: usize) -> Result<Option<Timestamp>, StoreError> {
    Ok(get::<Option<i64>>(row, column)?.and_then(|seconds| Timestamp::from_timestamp(seconds, 0)))
}

pub(super) fn json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<Option<T>, StoreError> {
    Ok(get::<Option<&str>>(row, column)?.and_then(|text| serde_json::from_str(text).ok()))
}

/// Reads the rows that answer the next call.
pub(super) fn next<T>(
    answers: &mut Answers,
    read: impl FnMut(&Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    answers.next().unwrap_or_default().iter().map(read).collect()
}

/// Reads the first row that answers the next call, if there is one.
pub(super) fn next_single<T>(
    answers: &mut Answers,
    read: impl FnMut(&Row) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    answers.next().unwrap_or_default().first().map(read).transpose()
}

/// Reads the first row of the first answer, if there is one.
pub(super) fn single<T>(
    mut answers: Answers,
    read: impl FnMut(&Row) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    next_single(&mut answers, read)
}

/// Reads a number that is never below 0, and small.
pub(super) fn small(row: &Row, column: usize) -> Result<u32, StoreError> {
    Ok(u32::try_from(number(row, column)?).unwrap_or_default())
}

/// Reads 16 bytes, as keys and fingerprints are.
pub(super) fn sixteen(row: &Row, column: usize) -> Result<[u8; 16], StoreError> {
    Ok(get::<&[u8]>(row, column)?.try_into().unwrap_or_default())
}

/// A limit as the server takes it.
pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The Unix time of an instant, as stored.
pub(super) fn unix(instant: Timestamp) -> i64 {
    instant.timestamp()
}

/// A text as the server takes it: without the character 0, which it refuses.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

/// An array of texts.
pub(super) fn texts<'a>(of: impl Iterator<Item = Option<&'a str>>) -> Vec<Option<Cow<'a, str>>> {
    of.map(|one| one.map(text)).collect()
}

/// An array.
pub(super) fn array<T>(of: impl Iterator<Item = T>) -> Vec<T> {
    of.collect()
}

pub(super) fn to_json<T: Serialize>(value: Option<&T>) -> serde_json::Result<Option<String>> {
    value.map(serde_json::to_string).transpose()
}

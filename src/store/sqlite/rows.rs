//! Conversions between columns and our types.
//!
//! A column that cannot be read back (a URL that this version refuses, JSON of a later version) counts as absent: one
//! odd value must not hide its row.

use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::feed::Timestamp;

pub(super) fn url(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Url>> {
    Ok(row.get::<_, Option<String>>(column)?.and_then(|text| Url::parse(&text).ok()))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.and_then(|seconds| Timestamp::from_timestamp(seconds, 0)))
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    Ok(row.get::<_, Option<String>>(column)?.and_then(|text| serde_json::from_str(&text).ok()))
}

pub(super) fn to_json<T: Serialize>(value: Option<&T>) -> serde_json::Result<Option<String>> {
    value.map(serde_json::to_string).transpose()
}

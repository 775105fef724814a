//! The clues of an entry as bytes: pairs of period and hash, 8 bytes each, little-endian. By them its rows in the table of
//! clues are found.

use crate::feed::Timestamp;
use crate::story::{Clues, Period};

/// Returns the clues of an entry, each with the period under which it is looked up.
pub(super) fn pairs(clues: &Clues, first_seen: Timestamp) -> Vec<(i64, i64)> {
    let recent = clues.recent.iter().map(|clue| (Period::of(first_seen).0, *clue));
    recent.chain(clues.lasting.iter().map(|clue| (Period::LASTING.0, *clue))).collect()
}

/// Writes pairs as bytes.
pub(super) fn written(pairs: &[(i64, i64)]) -> Vec<u8> {
    pairs.iter().flat_map(|(period, hash)| [period.to_le_bytes(), hash.to_le_bytes()]).flatten().collect()
}

/// Reads bytes that [`written`] gave.
pub(super) fn read(bytes: &[u8]) -> Vec<(i64, i64)> {
    let number_of = |bytes: &[u8]| bytes.try_into().map(i64::from_le_bytes).unwrap_or_default();
    let pair = |pair: &[u8]| {
        let (period, hash) = pair.split_at(8);
        (number_of(period), number_of(hash))
    };
    bytes.chunks_exact(16).map(pair).collect()
}

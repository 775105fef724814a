//! Entries that were first met under a wrong clock get their own dates, as `sqlite::redating` tells.

use tokio_postgres::Row;

use super::rows::{self, array, text, unix};
use super::session::{Call, call};
use super::{StoreError, archive, stories};
use crate::feed::Timestamp;
use crate::store::clued;
use crate::story::Period;

/// An entry that was first seen before it was published, or in the future.
pub(super) struct MisdatedEntry {
    pub(super) number: i64,
    pub(super) story: i64,
    pub(super) first_seen: i64,
    /// The date that its publisher gives it, or now if that is still to come or it has none.
    pub(super) date: i64,
    /// Not before it was published, and not later than now.
    pub(super) seen: i64,
    /// As its sketch lists them.
    clues: Vec<u8>,
}

impl MisdatedEntry {
    /// The periods in which it was seen: before, and after.
    fn periods(&self) -> (i64, i64) {
        let period = |at| Period::of(archive::stored_instant(at)).0;
        (period(self.first_seen), period(self.seen))
    }

    /// Its clues under the period in which it was seen.
    pub(super) fn moved_clues(&self) -> Vec<u8> {
        let (before, after) = self.periods();
        let mut pairs = clued::read(&self.clues);
        for (period, _) in pairs.iter_mut().filter(|(period, _)| *period == before) {
            *period = after;
        }
        clued::written(&pairs)
    }
}

/// Asks for the entries of a source that were first seen between two instants, if that cannot be.
pub(super) fn ask_misdated(source_id: &str, (from, until): (Timestamp, Timestamp), now: Timestamp) -> Call<'_> {
    call!(
        "SELECT number, story, first_seen, least(coalesce(published, updated, $4), $4), sketch.clues
         FROM entry LEFT JOIN sketch ON sketch.entry = number
         WHERE source_id = $1 AND first_seen BETWEEN $2 AND $3
            AND (first_seen > $4 OR coalesce(published, updated) > first_seen)",
        text(source_id),
        unix(from),
        unix(until),
        unix(now),
    )
}

pub(super) fn misdated(row: &Row, now: Timestamp) -> Result<MisdatedEntry, StoreError> {
    let (first_seen, date) = (rows::number(row, 2)?, rows::number(row, 3)?);
    let seen = first_seen.min(unix(now)).max(date);
    let clues = rows::get::<Option<Vec<u8>>>(row, 4)?.unwrap_or_default();
    Ok(MisdatedEntry { number: rows::number(row, 0)?, story: rows::number(row, 1)?, first_seen, date, seen, clues })
}

/// Dates entries anew, and all that is found by their dates.
pub(super) fn redate(misdated: &[MisdatedEntry]) -> Vec<Call<'static>> {
    let mut calls = vec![
        call!(
            "UPDATE entry SET first_seen = given.seen, date = given.date
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS given (number, date, seen)
             WHERE entry.number = given.number",
            array(misdated.iter().map(|entry| entry.number)),
            array(misdated.iter().map(|entry| entry.date)),
            array(misdated.iter().map(|entry| entry.seen)),
        ),
        call!(
            "UPDATE labelled SET date = head.date FROM unnest($1::bigint[]) AS given (number)
             JOIN entry AS head ON head.number = given.number AND head.story = head.number
             JOIN entry ON entry.story = head.number WHERE labelled.entry = entry.number",
            array(misdated.iter().map(|entry| entry.number)),
        ),
    ];
    let moved: Vec<&MisdatedEntry> =
        misdated.iter().filter(|entry| !entry.clues.is_empty() && entry.periods().0 != entry.periods().1).collect();
    if moved.is_empty() {
        return calls;
    }
    let before: Vec<(i64, Vec<u8>)> = moved.iter().map(|entry| (entry.number, entry.clues.clone())).collect();
    calls.push(stories::forget_clues(&before));
    let after: Vec<(i64, i64, i64)> = moved
        .iter()
        .flat_map(|entry| {
            clued::read(&entry.moved_clues()).into_iter().map(|(period, hash)| (period, hash, entry.number))
        })
        .collect();
    calls.push(call!(
        "INSERT INTO clue SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) ON CONFLICT DO NOTHING",
        array(after.iter().map(|(period, _, _)| *period)),
        array(after.iter().map(|(_, hash, _)| *hash)),
        array(after.iter().map(|(_, _, number)| *number)),
    ));
    calls.push(call!(
        "UPDATE sketch SET clues = given.clues FROM unnest($1::bigint[], $2::bytea[]) AS given (entry, clues)
         WHERE sketch.entry = given.entry",
        array(moved.iter().map(|entry| entry.number)),
        array(moved.iter().map(|entry| entry.moved_clues())),
    ));
    calls
}

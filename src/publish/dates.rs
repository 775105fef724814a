//! The dates under which a story is published: honest, never in the future, never the time of rendering.

use chrono::{DateTime, TimeDelta};
use sha2::{Digest, Sha256};

use crate::feed::Timestamp;
use crate::story::StoredEntry;

/// 1 December 2005, when RFC 4287 came out: the date of a document without entries.
///
/// Such a document has no change to date, Atom wants one, and the time of rendering would be a lie.
pub(super) const EMPTY: Timestamp = match DateTime::from_timestamp(1_133_395_200, 0) {
    Some(instant) => instant,
    None => DateTime::UNIX_EPOCH,
};

/// Returns when an entry last changed in a way that its readers should see again.
///
/// An edit that we saw happened after our first sight and at the latest when we saw it; a publisher's date within these
/// bounds is more exact than ours. Without one, later dates of the publisher are noise (real series move `updated` at
/// every build of the site) and the entry keeps its date.
pub(super) fn updated(entry: &StoredEntry) -> Timestamp {
    let (claim, published) = (entry.entry.updated, entry.date);
    match entry.changed {
        Some(seen) => claim.filter(|date| *date > entry.first_seen && *date <= seen).unwrap_or(seen).max(published),
        None => claim.map_or(published, |date| date.clamp(published, entry.first_seen)),
    }
}

/// Adds a fraction of a second that belongs to the entry.
///
/// Feeds that date to the day give many entries the same instant. RFC 4287 §4.2.15 allows it, the W3C validator warns
/// of it; a fraction that depends on the neighbours would move when they leave.
pub(super) fn told_apart(date: Timestamp, id: &str) -> Timestamp {
    let hash = Sha256::digest(id);
    let number = hash.iter().take(4).fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
    date + TimeDelta::microseconds(number % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Entry;
    use crate::publish::newsroom::{bare, date, saying};

    /// Dates are days of October 2026: first seen on the 10th.
    #[track_caller]
    fn check(published: Option<u32>, updated: Option<u32>, changed: Option<u32>, expected: (u32, u32)) {
        let day = |day: u32| date(&format!("2026-10-{day:02}T08:00:00Z"));
        let entry = Entry { published: published.map(day), updated: updated.map(day), ..Entry::default() };
        let first_seen = StoredEntry { first_seen: day(10), changed: changed.map(day), ..bare("1") };
        let stored = saying(first_seen, entry);
        assert_eq!((stored.date, super::updated(&stored)), (day(expected.0), day(expected.1)));
    }

    #[test]
    fn the_publishers_date_is_kept() {
        check(Some(8), None, None, (8, 8));
    }

    #[test]
    fn without_a_date_an_entry_is_as_old_as_our_first_sight_of_it() {
        check(None, None, None, (10, 10));
    }

    #[test]
    fn a_date_in_the_future_becomes_our_first_sight() {
        check(Some(25), Some(26), None, (10, 10));
    }

    #[test]
    fn an_entry_that_only_says_when_it_was_updated_is_of_that_day() {
        check(None, Some(8), None, (8, 8));
        check(None, Some(12), None, (10, 10));
    }

    #[test]
    fn an_update_before_publication_is_none() {
        check(Some(8), Some(5), None, (8, 8));
    }

    #[test]
    fn an_update_before_we_saw_the_entry_is_the_publishers_word() {
        check(Some(8), Some(9), None, (8, 9));
    }

    #[test]
    fn a_new_date_without_a_change_says_nothing() {
        check(Some(8), Some(20), None, (8, 10));
    }

    #[test]
    fn a_change_has_the_publishers_date_if_that_is_possible() {
        check(Some(8), Some(12), Some(13), (8, 12));
        check(Some(8), Some(9), Some(13), (8, 13));
        check(Some(8), Some(20), Some(13), (8, 13));
        check(Some(8), None, Some(13), (8, 13));
    }

    #[test]
    fn a_clock_that_was_never_set_is_no_date() {
        let never = Some(date("1970-01-01T00:00:00Z"));
        let stored = saying(bare("1"), Entry { published: never, updated: never, ..Entry::default() });
        assert_eq!(stored.date, stored.first_seen);
    }

    #[test]
    fn entries_of_one_instant_are_told_apart_the_same_way_every_time() {
        let day = date("2026-10-10T00:00:00Z");
        assert_ne!(told_apart(day, "a"), told_apart(day, "b"));
        assert_eq!(told_apart(day, "a"), told_apart(day, "a"));
        assert!(told_apart(day, "a") - day < TimeDelta::seconds(1));
    }
}

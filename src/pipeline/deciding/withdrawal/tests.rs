//! Entries that leave a document, or are listed again.

use super::*;
use crate::pipeline::deciding::literals::{around, hour, noon, peer, polled, prepared};
use crate::store::Surroundings;
use crate::story::{Identity, Known, Listed, Peer, Prepared};

fn entry(number: i64) -> Prepared {
    prepared("a", &number.to_string(), "Un texte.")
}

/// A source that lists the entries 1 to 9, the last as the latest; some of them are missed since an instant.
fn listing(missed: &[(i64, Timestamp)]) -> Surroundings {
    let since = |number| missed.iter().find(|(other, _)| *other == number).map(|(_, since)| *since);
    let listed = |number| {
        let (key, date) = (entry(number).identity.key, Some(hour(number - 20)));
        Listed { number, key, date, missed_since: since(number) }
    };
    let listings = [("a".to_owned(), (1..10).map(listed).collect())].into();
    Surroundings { listings, ..around((1..10).map(|number| peer(number, "a", &entry(number)))) }
}

/// A document that holds these entries as they were.
fn holding(around: &Surroundings, numbers: &[i64], listing: Listing, now: Timestamp) -> Vec<Change> {
    let mut around = around.clone();
    for number in numbers {
        let identity = entry(*number).identity;
        let (key, guid_key, fingerprint) = (identity.key, identity.guid_key, identity.fingerprint);
        let known = Known { number: *number, key, guid_key, fingerprint };
        around.known.entry("a".into()).or_default().insert(*number, known);
    }
    polled(&around, numbers.iter().map(|number| entry(*number)).collect(), listing, now)
}

fn whole(numbers: &[i64]) -> Listing {
    Listing::Whole(numbers.iter().map(|number| entry(*number).identity.key).collect())
}

const ALL_BUT_7: [i64; 8] = [9, 8, 6, 5, 4, 3, 2, 1];

#[test]
fn what_leaves_out_of_its_turn_is_missed() {
    let changes = holding(&listing(&[]), &ALL_BUT_7, whole(&ALL_BUT_7), noon());
    let left = Change::Leave { numbers: vec![7], now: noon() };
    assert_eq!(changes, [left, Change::Miss { numbers: vec![7], since: Some(noon()) }]);
}

#[test]
fn what_leaves_in_its_turn_is_not_missed() {
    let rest = [9, 8, 7, 6, 5, 4, 3, 2];
    let changes = holding(&listing(&[]), &rest, whole(&rest), noon());
    assert_eq!(changes, [Change::Leave { numbers: vec![1], now: noon() }]);
}

#[test]
fn a_document_that_brings_only_what_is_new_says_nothing_of_the_rest() {
    assert_eq!(holding(&listing(&[]), &[9], Listing::Delta, noon()), []);
}

#[test]
fn a_doubtful_document_misses_nothing_and_excuses_what_was_missed() {
    let changes = holding(&listing(&[(7, hour(-1))]), &[9, 8, 5, 4, 3, 2, 1], Listing::Doubtful, noon());
    let expected = [Change::Leave { numbers: vec![6], now: noon() }, Change::Miss { numbers: vec![7], since: None }];
    assert_eq!(changes, expected);
}

#[test]
fn what_was_missed_for_long_enough_is_withdrawn_and_not_before() {
    let due = noon() - TimeDelta::days(3);
    let changes = |since| holding(&listing(&[(7, since)]), &[], Listing::Delta, noon());
    assert_eq!(changes(due + TimeDelta::seconds(1)), []);
    assert_eq!(changes(due), [Change::Withdraw { numbers: vec![7], now: noon() }]);
}

#[test]
fn a_source_that_takes_away_what_is_over_withdraws_nothing() {
    let stay = |number: i64, until| ListedSpan { number, date: hour(number - 20), from: hour(number - 20), until };
    let spans = (1..10).map(|number| stay(number, (number > 4).then(|| hour(-1)))).collect();
    let mut around = listing(&[(7, noon() - TimeDelta::days(3))]);
    around.spans.insert("a".into(), spans);
    assert_eq!(holding(&around, &[], Listing::Delta, noon()), [Change::Miss { numbers: vec![7], since: None }]);
}

/// The changes by a document that lists an entry again.
fn returned(withdrawn: Option<Timestamp>) -> Vec<Change> {
    let mut around = listing(&[(7, noon() - TimeDelta::days(9))]);
    let gone = around.peers.remove(&7).unwrap();
    around.peers.insert(7, Peer { withdrawn, changed: Some(hour(-5)), ..gone });
    holding(&around, &[7], Listing::Delta, noon())
}

#[test]
fn what_comes_back_is_neither_missed_nor_withdrawn_also_in_a_delta() {
    assert_eq!(returned(None), [Change::Relist { number: 7, changed: Some(hour(-5)) }]);
}

#[test]
fn what_comes_back_after_it_was_withdrawn_has_changed() {
    assert_eq!(returned(Some(hour(-4))), [Change::Relist { number: 7, changed: Some(noon()) }]);
}

#[test]
fn what_is_listed_still_does_not_come_back() {
    assert_eq!(holding(&listing(&[]), &[7], Listing::Delta, noon()), []);
}

/// The changes for the entry 7, which is due to be withdrawn, when 6 leaves out of its turn by a document that brings
/// an older entry; three others left so before beside 4 and 5, and 1 to 3 until these left.
fn beside_others(brings_older: bool) -> Vec<Change> {
    let due = noon() - TimeDelta::days(3);
    let stay = |number: i64, until| ListedSpan { number, date: hour(number - 20), from: hour(number - 20), until };
    let mut around = listing(&[(7, due)]);
    let left =
        (1..4).map(|number| stay(number, Some(hour(-1)))).chain((7..10).map(|number| stay(number, Some(hour(-2)))));
    around.spans.insert("a".into(), left.chain((4..7).map(|number| stay(number, None))).collect());
    let numbers = [9, 8, 5, 4, 3, 2, 1];
    for number in numbers {
        let Identity { key, guid_key, fingerprint, .. } = entry(number).identity;
        let known = Known { number, key, guid_key, fingerprint };
        around.known.entry("a".into()).or_default().insert(number, known);
    }
    let mut older = prepared("a", "50", "Tout autre chose.");
    older.entry.published = Some(hour(-19));
    let fresh = numbers.iter().map(|number| entry(*number)).chain(brings_older.then_some(older));
    let changes = polled(&around, fresh.collect(), whole(&numbers), noon());
    changes.into_iter().filter(|change| !matches!(change, Change::Insert { .. } | Change::Leave { .. })).collect()
}

#[test]
fn what_the_same_poll_takes_away_and_brings_counts_for_the_habit_of_its_source() {
    let misses = |number, since| Change::Miss { numbers: vec![number], since };
    let withdraws = Change::Withdraw { numbers: vec![7], now: noon() };
    assert_eq!(beside_others(false), [misses(6, Some(noon())), withdraws]);
    assert_eq!(beside_others(true), [misses(6, Some(noon())), misses(7, None)]);
}

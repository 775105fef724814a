//! From listed to missed to withdrawn, and back. All decisions stand here; `pipeline::deciding::withdrawal` asks the store
//! for what they need and writes them down.
//!
//! 1. An entry is **listed** while the documents of its source hold it. When one does not, the entry has *left*.
//! 2. Most entries leave because newer ones came. An entry is **missed** if it left out of its turn: enough entries that
//!    are older still stand where they stood ([`listing_change`]). It is missed no more once a younger entry leaves in its
//!    turn, or a document is too doubtful to tell.
//! 3. An entry that is missed for `dedup.withdrawn_after` ([`is_due`]) is **withdrawn**: its publisher took it back.
//!    Sources that take away whatever is over ([`takes_away`]) withdraw nothing.
//! 4. An entry that is listed again is neither missed nor withdrawn.
//!
//! A story whose entries are all withdrawn is shown no more, and leaves a **tombstone** (RFC 6721).

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use chrono::TimeDelta;

use crate::feed::{Defect, Timestamp};
use crate::story::{EntryKey, Listed, ListedSpan};

/// Defects of a document from which entries may be missing that its publisher never took away.
const LOSSES: [&str; 6] = ["cut", "entry", "markup", "mismatched", "too_large", "unclosed"];

/// Fewest older entries that must remain: few feeds pin more than two entries for good.
const WITNESSES_MIN: usize = 3;

/// Entries younger than this are compared with each other; an older entry with those at most twice as old. An entry that
/// stands in a feed for years says nothing about entries that come and go.
const AGE: TimeDelta = TimeDelta::days(90);

/// Fewest departures out of turn that make a habit.
const HABIT_MIN: usize = 4;

/// The meaning of a document for the stored entries that it does not hold.
#[derive(Debug)]
pub enum Listing {
    /// Nothing: the document holds only new entries (RFC 3229).
    Delta,
    /// They have left, for unknown reasons: the document is cut or broken, or the first of its address.
    Doubtful,
    /// They have left. The keys of the document's entries, in its order, show which ones left out of turn.
    Whole(Vec<EntryKey>),
}

impl Listing {
    /// Classifies a document. `is_first`: no document of this address was read before.
    #[must_use]
    pub fn new(is_delta: bool, is_first: bool, defects: &[Defect], order: Vec<EntryKey>) -> Self {
        if is_delta {
            Self::Delta
        } else if is_first || defects.iter().any(|defect| LOSSES.contains(&defect.code.as_str())) {
            Self::Doubtful
        } else {
            Self::Whole(order)
        }
    }
}

/// Changes by a document for the stored entries of its source, by their numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ListingChange {
    /// Listed again after they had left.
    pub back: Vec<i64>,
    /// Not listed any more.
    pub left: Vec<i64>,
    /// Missed from now on.
    pub missed: Vec<i64>,
    /// Missed no more, though not listed.
    pub excused: Vec<i64>,
}

/// Decides what a document changes for the stored entries of its source.
///
/// `listed` are the entries that the last document held and those that are missed. `present` are the numbers of the
/// entries that this document holds, `new` those of them that it brought.
#[must_use]
pub fn listing_change(
    listing: &Listing,
    listed: &[Listed],
    present: &HashSet<i64, impl BuildHasher>,
    new: &HashSet<i64, impl BuildHasher>,
    now: Timestamp,
) -> ListingChange {
    let (missed, held): (Vec<&Listed>, Vec<&Listed>) = listed.iter().partition(|entry| entry.missed_since.is_some());
    let held: HashSet<i64> = held.iter().map(|entry| entry.number).collect();
    let mut change = match listing {
        Listing::Delta => ListingChange::default(),
        Listing::Doubtful => excused(&missed),
        Listing::Whole(order) => out_of_turn(listed, present, order, new.len(), now),
    };
    change.excused.retain(|number| !present.contains(number));
    change.back = present.iter().copied().filter(|number| !held.contains(number) && !new.contains(number)).collect();
    change.back.sort_unstable();
    if !matches!(listing, Listing::Delta) {
        change.left = held.iter().copied().filter(|number| !present.contains(number)).collect();
        change.left.sort_unstable();
    }
    change
}

/// Whether entries have been missed for long enough to count as withdrawn.
#[must_use]
pub fn is_due(missed_since: Option<Timestamp>, withdrawn_after: TimeDelta, now: Timestamp) -> bool {
    missed_since.is_some_and(|since| since <= now - withdrawn_after)
}

/// Whether a source takes away whatever is over (events, offers, notices), which is no withdrawal: at least four of its
/// departures, and more than a third of them, left three or more older entries behind.
#[must_use]
pub fn takes_away(spans: &[ListedSpan]) -> bool {
    let departures = spans.iter().filter_map(|span| Some((span.date, span.until?)));
    let is_out_of_turn = |date: Timestamp, left: Timestamp| {
        let was_there = |span: &ListedSpan| span.from <= left && span.until.is_none_or(|until| until > left);
        spans.iter().filter(|span| span.date < date && was_there(span)).count() >= WITNESSES_MIN
    };
    let (out_of_turn, in_turn): (Vec<_>, Vec<_>) = departures.partition(|(date, left)| is_out_of_turn(*date, *left));
    out_of_turn.len() >= HABIT_MIN && out_of_turn.len() * 2 > in_turn.len()
}

fn excused(missed: &[&Listed]) -> ListingChange {
    ListingChange { excused: missed.iter().map(|entry| entry.number).collect(), ..ListingChange::default() }
}

/// Finds the entries that left a whole document out of their turn, and those that are missed no more.
///
/// Feeds have a fixed length or span of time: the oldest entries leave. An entry is missed if enough older entries of its
/// age remain in the document's order ([`DocumentPair::misses`]). A document that lost more than a third of its entries at
/// once, or is not in the order of dates, says nothing.
fn out_of_turn(
    listed: &[Listed],
    present: &HashSet<i64, impl BuildHasher>,
    order: &[EntryKey],
    new: usize,
    now: Timestamp,
) -> ListingChange {
    let (there, absent): (Vec<&Listed>, Vec<&Listed>) =
        listed.iter().partition(|entry| present.contains(&entry.number));
    let (before, gone): (Vec<&Listed>, Vec<&Listed>) = absent.iter().partition(|entry| entry.missed_since.is_some());
    let held: Vec<&Listed> = there.iter().filter(|entry| entry.missed_since.is_none()).chain(&gone).copied().collect();
    if gone.len() * 3 > held.len() {
        return excused(&before);
    }
    let Some(mut witnesses) = in_order(&there, order) else { return excused(&before) };
    witnesses.sort_unstable();
    let document = DocumentPair { held, witnesses, makes_room: gone.len() <= new, now };
    let (missed, in_turn): (Vec<&Listed>, Vec<&Listed>) = gone.iter().partition(|entry| document.misses(entry));
    let youngest = in_turn.iter().filter_map(|entry| entry.date).max();
    let has_passed = |entry: &&Listed| entry.date.is_none_or(|date| youngest > Some(date) && document.remain(date) > 0);
    let passed: Vec<&Listed> = before.into_iter().filter(has_passed).collect();
    ListingChange { missed: missed.iter().map(|entry| entry.number).collect(), ..excused(&passed) }
}

struct DocumentPair<'a> {
    /// The entries of the document before.
    held: Vec<&'a Listed>,
    /// Dates of the entries that remain in the document's order, the oldest first.
    witnesses: Vec<Timestamp>,
    /// As many entries came as left: the oldest may have made room.
    makes_room: bool,
    now: Timestamp,
}

impl DocumentPair<'_> {
    /// Whether an entry that left is missed: of the older entries two thirds remain, at least three, and they are a third of
    /// the entries of its age (half, if the oldest may have made room).
    fn misses(&self, gone: &Listed) -> bool {
        let Some(date) = gone.date else { return false };
        let limit = self.limit(date);
        let of_its_age: Vec<Timestamp> =
            self.held.iter().filter_map(|entry| entry.date).filter(|date| *date >= limit).collect();
        let older = of_its_age.iter().filter(|other| **other < date).count();
        let remain = self.remain(date);
        let part = if self.makes_room { 2 } else { 3 };
        remain >= WITNESSES_MIN.max(of_its_age.len().div_ceil(part)) && remain * 3 >= older * 2
    }

    /// Number of entries that remain, are older than `date` and of its age.
    fn remain(&self, date: Timestamp) -> usize {
        let before = |date: Timestamp| self.witnesses.partition_point(|witness| *witness < date);
        before(date).saturating_sub(before(self.limit(date)))
    }

    /// The oldest date that counts as of the age of an entry of `date`.
    fn limit(&self, date: Timestamp) -> Timestamp {
        let age = AGE.max((self.now - date).checked_mul(2).unwrap_or(TimeDelta::MAX));
        self.now.checked_sub_signed(age).unwrap_or(Timestamp::MIN_UTC)
    }
}

/// The dates of the longest run of entries in date order, newest or oldest first; `None` if a third stands outside it.
///
/// Pinned entries stand outside the run.
fn in_order(there: &[&Listed], order: &[EntryKey]) -> Option<Vec<Timestamp>> {
    let dates: HashMap<EntryKey, Timestamp> = there.iter().filter_map(|entry| Some((entry.key, entry.date?))).collect();
    let mut seen = HashSet::new();
    let standing: Vec<Timestamp> =
        order.iter().filter(|key| seen.insert(**key)).filter_map(|key| dates.get(key)).copied().collect();
    let backwards: Vec<Timestamp> = standing.iter().rev().copied().collect();
    let (newest_first, oldest_first) = (rising(&backwards), rising(&standing));
    let run = if newest_first.len() >= oldest_first.len() { newest_first } else { oldest_first };
    (run.len() * 3 >= standing.len() * 2).then_some(run)
}

/// The longest non-decreasing subsequence (patience sorting: each pile holds the last date of a run of its length).
fn rising(dates: &[Timestamp]) -> Vec<Timestamp> {
    let mut piles: Vec<(Timestamp, usize)> = Vec::new();
    let mut under: Vec<Option<usize>> = Vec::new();
    for (place, date) in dates.iter().enumerate() {
        let pile = piles.partition_point(|(last, _)| last <= date);
        under.push(pile.checked_sub(1).and_then(|pile| piles.get(pile)).map(|(_, place)| *place));
        match piles.get_mut(pile) {
            Some(top) => *top = (*date, place),
            None => piles.push((*date, place)),
        }
    }
    let mut run = Vec::new();
    let mut place = piles.last().map(|(_, place)| *place);
    while let Some(at) = place {
        run.extend(dates.get(at));
        place = under.get(at).copied().flatten();
    }
    run
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    /// An entry of the last document: how many days old; `-` after it says that it is gone, `!` that it was
    /// missed before, `x` that it has no date.
    fn entry(number: usize, word: &str) -> (Listed, bool) {
        let days: i64 = word.trim_end_matches(['-', '!', 'x']).parse().unwrap();
        let date = (!word.contains('x')).then(|| now() - TimeDelta::days(days));
        let key = EntryKey([u8::try_from(number).unwrap(); 16]);
        let number = i64::try_from(number).unwrap();
        let missed_since = word.contains('!').then(now);
        (Listed { number, key, date, missed_since }, !word.contains(['-', '!']))
    }

    /// Reads the last document, from top to bottom, and says what the next one tells that brings `new` entries: those
    /// that are missed out of their turn, those that are excused.
    fn judge(document: &str, new: usize) -> (String, String) {
        let words: Vec<&str> = document.split_whitespace().collect();
        let entries: Vec<(Listed, bool)> = words.iter().enumerate().map(|(number, word)| entry(number, word)).collect();
        let listed: Vec<Listed> = entries.iter().map(|(listed, _)| *listed).collect();
        let there = || entries.iter().filter(|(_, is_there)| *is_there).map(|(listed, _)| listed);
        let present: HashSet<i64> = there().map(|listed| listed.number).collect();
        let order: Vec<EntryKey> = there().map(|listed| listed.key).collect();
        let ListingChange { missed, excused, .. } = out_of_turn(&listed, &present, &order, new, now());
        let named = |numbers: Vec<i64>| {
            let words =
                numbers.iter().map(|number| words[usize::try_from(*number).unwrap()].trim_end_matches(['-', '!']));
            words.collect::<Vec<_>>().join(" ")
        };
        (named(missed), named(excused))
    }

    #[track_caller]
    fn check(document: &str, new: usize, missed: &str) {
        assert_eq!(judge(document, new).0, missed, "{document}, {new} new");
    }

    #[track_caller]
    fn check_excused(document: &str, new: usize, excused: &str) {
        assert_eq!(judge(document, new).1, excused, "{document}, {new} new");
    }

    #[test]
    fn an_entry_that_is_gone_from_the_middle_is_missed() {
        check("1 2 3 4 5- 6 7 8 9 10", 0, "5");
        check("1- 2 3 4 5 6 7 8 9 10", 0, "1");
        check("1 2- 3 4- 5 6 7 8 9 10", 0, "2 4");
    }

    #[test]
    fn what_left_at_the_end_made_room() {
        check("1 2 3 4 5 6 7 8 9 10-", 1, "");
        check("1 2 3 4 5 6 7 8- 9- 10-", 3, "");
        check("1 2 3 4 5 6 7 8 9- 10-", 0, "");
    }

    #[test]
    fn one_may_be_taken_back_while_others_come_and_the_oldest_go() {
        check("1 2 3- 4 5 6 7 8 9 10", 1, "3");
        check("1 2 3- 4 5 6 7 8 9 10-", 1, "3");
        check("1 2 3 4 5 6- 7 8 9 10", 1, "");
    }

    #[test]
    fn what_is_kept_on_top_is_no_witness() {
        check("20 30 40 1 2 3 4 5 6 7-", 1, "");
        check("20 30 40 1 2 3 4 5 6 7-", 0, "");
        check("20 1 2 3- 4 5 6 7 8 9", 0, "3");
    }

    #[test]
    fn what_stays_for_years_is_no_witness() {
        check("1 2 3 4- 700 800 900 1000", 0, "");
        check("10- 700 800 900 1000 1100", 0, "");
        check("400- 700 710 720 730 790", 0, "400");
    }

    #[test]
    fn two_thirds_of_what_is_older_must_remain_in_their_order() {
        check("10 11 1- 2 3 4 5 6 7 12-", 0, "1");
        check("10 11 1- 2 3 4 5 6 7 12- 13-", 0, "");
    }

    #[test]
    fn few_witnesses_are_none() {
        check("1 2 3 4 5 6 7- 8 9", 0, "");
        check("1 2 3 4 5 6 7 8- 9 10 11", 0, "");
        check("1- 2 3 4", 0, "1");
        check("1- 2 3", 0, "");
    }

    #[test]
    fn the_order_may_be_the_other_one_but_not_none() {
        check("10 9 8 7 6 5- 4 3 2 1", 0, "5");
        check("10- 9 8 7 6 5 4 3 2 1", 1, "");
        check("5 9 1- 8 2 7 4 3 10 6", 0, "");
    }

    #[test]
    fn without_dates_nothing_is_missed() {
        check("1x 2x 3x 4x 5x- 6x 7x 8x 9x 10x", 0, "");
        check("1 2 3 4 5x- 6 7 8 9 10", 0, "");
        check("1 2 3 4 5- 6x 7x 8x 9x 10x", 0, "");
        check("1 1 1 1- 1 1 1 1", 0, "");
    }

    #[test]
    fn a_document_that_lost_much_at_once_says_nothing() {
        check("1- 2- 3- 4- 5 6 7 8 9 10", 0, "");
        check("1- 2- 3- 4- 5- 6- 7- 8- 9- 10-", 10, "");
        check_excused("1! 2- 3- 4- 5- 6 7 8 9 10", 0, "1");
        check("", 3, "");
    }

    #[test]
    fn who_was_missed_stays_so_while_the_oldest_go() {
        check_excused("1 2 3! 4 5 6 7 8 9 10-", 1, "");
        check_excused("1 2 3! 4 5 6 7 8 9 10", 0, "");
        check_excused("1 2 3- 4! 700", 1, "");
    }

    #[test]
    fn another_that_is_missed_excuses_nobody() {
        assert_eq!(judge("1- 2! 3 4 5 6 7 8 9 10", 0), ("1".into(), String::new()));
    }

    #[test]
    fn who_was_missed_is_excused_when_a_younger_one_goes_in_its_turn_and_an_older_one_stays() {
        check_excused("1 2 3 4 5- 6! 20 30 40 50", 1, "6");
    }

    #[test]
    fn what_is_missed_is_due_to_the_second() {
        let after = TimeDelta::days(3);
        let is_due = |since: Option<Timestamp>| super::is_due(since, after, now());
        assert!(is_due(Some(now() - after)) && is_due(Some(now() - after * 2)));
        assert!(!is_due(Some(now() - after + TimeDelta::seconds(1))) && !is_due(None));
    }

    /// Checks whether a source has the habit whose entries, of one day after another, left in this order of their
    /// days; the others are listed still.
    #[track_caller]
    fn check_habit(days: i64, left: &[i64], expected: bool) {
        let spans = (1..=days).map(|day| ListedSpan {
            number: day,
            date: now() + TimeDelta::days(day),
            from: now(),
            until: left
                .iter()
                .zip(100..)
                .find(|(other, _)| **other == day)
                .map(|(_, hour)| now() + TimeDelta::hours(hour)),
        });
        assert_eq!(takes_away(&spans.collect::<Vec<_>>()), expected, "{left:?}");
    }

    #[test]
    fn a_source_that_takes_away_what_is_over_takes_nothing_back() {
        check_habit(12, &[10, 12, 9, 7], true);
        check_habit(12, &[10, 12, 9], false);
        check_habit(12, &[1, 2, 3, 4, 5, 6], false);
        check_habit(20, &[10, 1, 2, 3, 14, 4, 5, 6, 15, 7, 8, 9, 11, 18], false);
    }

    #[test]
    fn half_as_many_departures_out_of_turn_as_in_turn_are_no_habit() {
        check_habit(30, &[20, 1, 2, 3, 4, 5, 6, 7, 8, 21, 22, 23], false);
        check_habit(30, &[20, 1, 2, 3, 4, 5, 6, 7, 21, 22, 23], true);
    }

    /// Whether entries of these days take leave out of their turn for good: four of the last day, one an hour, from
    /// beside three others that are of a day and stay until an hour.
    fn is_habit(day: i64, until: i64) -> bool {
        let of = |number, day, until| ListedSpan {
            number,
            date: now() + TimeDelta::days(day),
            from: now(),
            until: Some(now() + TimeDelta::hours(until)),
        };
        let gone = (0..4).map(|number| of(number, 9, 10 + number));
        let others = (4..7).map(|number| of(number, day, until));
        takes_away(&gone.chain(others).collect::<Vec<_>>())
    }

    #[test]
    fn only_older_entries_that_stay_longer_are_left_behind() {
        assert!(is_habit(8, 14));
        assert!(!is_habit(9, 14), "of the same day");
        assert!(!is_habit(8, 13), "gone with the last of them");
    }

    proptest! {
        /// A feed of fixed length with entries that are kept at its end, polled as often as anyone likes: nothing is
        /// ever taken back, and nothing is missed for as long as a second round of departures.
        #[test]
        fn a_feed_that_rolls_over_loses_nothing(
            length in 4_usize..30,
            kept in 0_usize..3,
            come in prop::collection::vec(0_usize..6, 1..20),
        ) {
            let mut ages: Vec<i64> = (0..30).collect();
            ages.truncate(length);
            for new in come {
                let stays = ages.len().saturating_sub(new);
                let moving = ages.iter().enumerate().map(|(place, age)| if place < stays { age.to_string() } else { format!("{age}-") });
                let pinned = (0..kept).map(|pin| (60 + pin).to_string());
                let document = moving.chain(pinned).collect::<Vec<_>>().join(" ");
                prop_assert_eq!(judge(&document, new).0, "", "{}", document);
                ages = (0..new.min(length)).map(|_| 0).chain(ages.into_iter().take(stays).map(|age| age + 1)).collect();
                ages.truncate(length);
            }
        }
    }
}

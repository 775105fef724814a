//! Which entries their publisher took back: gone from a document in which others of their age remain.
//!
//! Nothing says so but their absence, and most entries are absent because newer ones came. So an entry is suspected only
//! while enough that is older than it stands where it stood; and never by a document that is not in order of dates,
//! that lost much at once, or of entries whose publisher gives no date.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use chrono::TimeDelta;

use crate::feed::Timestamp;
use crate::story::{EntryKey, Listed, Stay};

/// Fewest older entries that must remain: few feeds keep more than two on top for good.
const WITNESSES_MIN: usize = 3;

/// What is not older than this is of any entry's age; beyond it, what is at most twice as old. An entry that stands in a
/// feed for years says nothing of those that come and go.
const AGE: TimeDelta = TimeDelta::days(90);

/// Fewest departures out of turn that are a habit.
const HABIT_MIN: usize = 4;

/// What a document says of entries that it does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missed {
    /// Gone out of turn, by their numbers.
    pub suspected: Vec<i64>,
    /// Suspected before, and not any more: their turn may have come.
    pub cleared: Vec<i64>,
}

/// Says which entries are missing from a document out of their turn.
///
/// `listed` are the entries that the last document held, and those suspected since an earlier one; `present` the numbers
/// of those that this one holds, `order` the keys of its entries from first to last, `new` how many it brought.
///
/// Feeds have a fixed length or a fixed span of time: the oldest leave. An entry is missed if enough of what is older
/// than it remains, two thirds at least and a third of all that the document held (half, if as many came as went, as
/// happens when the oldest make room), each in the order of the document: what is kept on top stands out of it.
/// It is missed no more when a younger one goes in its turn though something older stays.
#[must_use]
pub fn missed(
    listed: &[Listed],
    present: &HashSet<i64, impl BuildHasher>,
    order: &[EntryKey],
    new: usize,
    now: Timestamp,
) -> Missed {
    let (there, absent): (Vec<&Listed>, Vec<&Listed>) =
        listed.iter().partition(|entry| present.contains(&entry.number));
    let (before, gone): (Vec<&Listed>, Vec<&Listed>) = absent.iter().partition(|entry| entry.suspected.is_some());
    let all_cleared = || Missed { cleared: before.iter().map(|entry| entry.number).collect(), ..Missed::default() };
    let held: Vec<&Listed> = there.iter().filter(|entry| entry.suspected.is_none()).chain(&gone).copied().collect();
    if gone.len() * 3 > held.len() {
        return all_cleared();
    }
    let Some(mut witnesses) = in_order(&there, order) else { return all_cleared() };
    witnesses.sort_unstable();
    let document = DocumentPair { held, witnesses, makes_room: gone.len() <= new, now };
    let (suspected, in_turn): (Vec<&Listed>, Vec<&Listed>) = gone.iter().partition(|entry| document.misses(entry));
    let youngest = in_turn.iter().filter_map(|entry| entry.date).max();
    let has_passed = |entry: &Listed| entry.date.is_none_or(|date| youngest > Some(date) && document.remain(date) > 0);
    let cleared = before.iter().filter(|entry| has_passed(entry));
    Missed {
        suspected: suspected.iter().map(|entry| entry.number).collect(),
        cleared: cleared.map(|entry| entry.number).collect(),
    }
}

/// Says whether a source takes away what is over (events, offers, notices), which is not taken back: of its departures
/// more than a third, and not a few, left older ones behind.
#[must_use]
pub fn takes_away(stays: &[Stay]) -> bool {
    let departures = stays.iter().filter_map(|stay| Some((stay.date, stay.until?)));
    let is_out_of_turn = |date: Timestamp, left: Timestamp| {
        let was_there = |stay: &Stay| stay.from <= left && stay.until.is_none_or(|until| until > left);
        stays.iter().filter(|stay| stay.date < date && was_there(stay)).count() >= WITNESSES_MIN
    };
    let (out_of_turn, in_turn): (Vec<_>, Vec<_>) = departures.partition(|(date, left)| is_out_of_turn(*date, *left));
    out_of_turn.len() >= HABIT_MIN && out_of_turn.len() * 2 > in_turn.len()
}

struct DocumentPair<'a> {
    /// All that the last one held.
    held: Vec<&'a Listed>,
    /// The dates of those that remain in their order, the oldest first.
    witnesses: Vec<Timestamp>,
    /// The oldest may have gone for newer ones to come.
    makes_room: bool,
    now: Timestamp,
}

impl DocumentPair<'_> {
    /// Says whether an entry that is gone is missed.
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

    /// How many remain that are older than an entry and of its age.
    fn remain(&self, date: Timestamp) -> usize {
        let before = |date: Timestamp| self.witnesses.partition_point(|witness| *witness < date);
        before(date).saturating_sub(before(self.limit(date)))
    }

    /// The oldest date that is of the age of an entry.
    fn limit(&self, date: Timestamp) -> Timestamp {
        let age = AGE.max((self.now - date).checked_mul(2).unwrap_or(TimeDelta::MAX));
        self.now.checked_sub_signed(age).unwrap_or(Timestamp::MIN_UTC)
    }
}

/// The dates of entries that stand in their order, newest first or oldest first; `None` if too many do not.
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

/// The longest run of dates that never falls (patience sorting: each pile holds the last date of a run of its length).
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

    /// An entry of the last document: how many days old; `-` after it says that it is gone, `!` that it was gone and
    /// suspected before, `x` that it has no date.
    fn entry(number: usize, word: &str) -> (Listed, bool) {
        let days: i64 = word.trim_end_matches(['-', '!', 'x']).parse().unwrap();
        let date = (!word.contains('x')).then(|| now() - TimeDelta::days(days));
        let key = EntryKey([u8::try_from(number).unwrap(); 16]);
        let number = i64::try_from(number).unwrap();
        let suspected = word.contains('!').then(now);
        (Listed { number, key, date, suspected }, !word.contains(['-', '!']))
    }

    /// Reads the last document, from top to bottom, and says what the next one tells that brings `new` entries: those
    /// that are missed out of their turn, those that are cleared.
    fn judge(document: &str, new: usize) -> (String, String) {
        let words: Vec<&str> = document.split_whitespace().collect();
        let entries: Vec<(Listed, bool)> = words.iter().enumerate().map(|(number, word)| entry(number, word)).collect();
        let listed: Vec<Listed> = entries.iter().map(|(listed, _)| *listed).collect();
        let there = || entries.iter().filter(|(_, is_there)| *is_there).map(|(listed, _)| listed);
        let present: HashSet<i64> = there().map(|listed| listed.number).collect();
        let order: Vec<EntryKey> = there().map(|listed| listed.key).collect();
        let Missed { suspected, cleared } = missed(&listed, &present, &order, new, now());
        let named = |numbers: Vec<i64>| {
            let words =
                numbers.iter().map(|number| words[usize::try_from(*number).unwrap()].trim_end_matches(['-', '!']));
            words.collect::<Vec<_>>().join(" ")
        };
        (named(suspected), named(cleared))
    }

    #[track_caller]
    fn check(document: &str, new: usize, suspected: &str) {
        assert_eq!(judge(document, new).0, suspected, "{document}, {new} new");
    }

    #[track_caller]
    fn check_cleared(document: &str, new: usize, cleared: &str) {
        assert_eq!(judge(document, new).1, cleared, "{document}, {new} new");
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
        check_cleared("1! 2- 3- 4- 5- 6 7 8 9 10", 0, "1");
        check("", 3, "");
    }

    #[test]
    fn who_was_missed_stays_so_while_the_oldest_go() {
        check_cleared("1 2 3! 4 5 6 7 8 9 10-", 1, "");
        check_cleared("1 2 3! 4 5 6 7 8 9 10", 0, "");
        check_cleared("1 2 3- 4! 700", 1, "");
    }

    #[test]
    fn another_that_is_missed_clears_nobody() {
        assert_eq!(judge("1- 2! 3 4 5 6 7 8 9 10", 0), ("1".into(), String::new()));
    }

    #[test]
    fn who_was_missed_is_cleared_when_a_younger_one_goes_in_its_turn_and_an_older_one_stays() {
        check_cleared("1 2 3 4 5- 6! 20 30 40 50", 1, "6");
    }

    /// Checks whether a source has the habit whose entries, of one day after another, left in this order of their
    /// days; the others are listed still.
    #[track_caller]
    fn check_habit(days: i64, left: &[i64], expected: bool) {
        let stays = (1..=days).map(|day| Stay {
            number: day,
            date: now() + TimeDelta::days(day),
            from: now(),
            until: left
                .iter()
                .zip(100..)
                .find(|(other, _)| **other == day)
                .map(|(_, hour)| now() + TimeDelta::hours(hour)),
        });
        assert_eq!(takes_away(&stays.collect::<Vec<_>>()), expected, "{left:?}");
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
        let of = |number, day, until| Stay {
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

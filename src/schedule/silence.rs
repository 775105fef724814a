//! Whether a source is silent beyond its own rhythm, as its entries taught it. Pure.

use chrono::TimeDelta;

use crate::feed::Timestamp;

/// Entries from which a rhythm can be told.
const ENTRIES_MIN: usize = 8;

/// Period before now in which a rhythm is looked for.
pub const RHYTHM: TimeDelta = TimeDelta::days(400);

/// Shortest silence: longer than a week without news, and than holidays of those who write every day.
const SILENCE_MIN: TimeDelta = TimeDelta::days(10);

/// A source that says nothing although it used to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// The date of its last entry.
    pub since: Timestamp,
    /// The time that usually passes between two entries at the most (nine of ten gaps are shorter).
    pub usual: TimeDelta,
}

/// Judges the dates of a source's latest entries, in any order, at `now`.
///
/// Silent is a source whose last entry is further back than thrice its usual gap, and than its longest one and a half
/// times: a paper of every Monday after three weeks, a ministry of every day after ten days, unless it has had longer
/// holidays before. `None` also for a source with too few entries to have a rhythm.
#[must_use]
pub fn silence(dates: &[Timestamp], now: Timestamp) -> Option<Silence> {
    let mut dates: Vec<Timestamp> = dates.iter().copied().filter(|date| *date <= now).collect();
    dates.sort_unstable();
    // An import gives many entries one date.
    dates.dedup_by_key(|date| date.date_naive());
    if dates.len() < ENTRIES_MIN {
        return None;
    }
    let mut gaps: Vec<TimeDelta> = dates.iter().zip(dates.iter().skip(1)).map(|(one, next)| *next - *one).collect();
    gaps.sort_unstable();
    let usual = *gaps.get(gaps.len() * 9 / 10)?;
    let longest = *gaps.last()?;
    let since = *dates.last()?;
    let limit = (usual * 3).max(longest + longest / 2).max(SILENCE_MIN);
    (now - since > limit).then_some(Silence { since, usual })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks whether a source with entries so many days ago is silent.
    fn check(days: impl IntoIterator<Item = i64>, is_silent: bool) {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let dates: Vec<Timestamp> = days.into_iter().map(|days| now - TimeDelta::days(days)).collect();
        assert_eq!(silence(&dates, now).is_some(), is_silent, "{dates:?}");
    }

    #[test]
    fn a_source_that_writes_as_usual_is_not_silent() {
        check(0..30, false);
        check((0..20).map(|week| week * 7 + 6), false);
    }

    #[test]
    fn a_daily_source_is_silent_after_ten_days() {
        check(10..40, false);
        check(11..40, true);
    }

    #[test]
    fn a_weekly_source_is_silent_after_three_weeks() {
        check((0..20).map(|week| week * 7 + 20), false);
        check((0..20).map(|week| week * 7 + 22), true);
    }

    #[test]
    fn a_source_that_had_long_holidays_before_may_have_them_again() {
        check((30..40).chain(70..90), false);
        check((50..60).chain(90..110), true);
    }

    #[test]
    fn few_entries_make_no_rhythm() {
        check([100, 101, 102, 103, 104, 105, 106], false);
        check([], false);
    }

    #[test]
    fn an_import_of_many_entries_at_once_makes_no_rhythm() {
        check([100; 50], false);
    }

    #[test]
    fn dates_in_the_future_are_not_news() {
        check((11..40).chain([-400]), true);
    }

    #[test]
    fn eight_dates_make_a_rhythm() {
        check(20..28, true);
        check(20..27, false);
    }

    #[test]
    fn the_usual_gap_is_longer_than_nine_of_ten() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        // Gaps of 1, 2, … 20 days.
        let days = (0..=20).map(|step: i64| 100 + step * (step + 1) / 2);
        let dates: Vec<Timestamp> = days.map(|days| now - TimeDelta::days(days)).collect();
        let silence = silence(&dates, now).unwrap();
        assert_eq!((silence.usual, silence.since), (TimeDelta::days(19), now - TimeDelta::days(100)));
    }
}

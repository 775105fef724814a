//! Plots as inline SVG: bars without script, style or number of their own. Colours come from the style sheet.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate, TimeDelta};

use crate::publish::files::MonthCount;
use crate::story::{Month, StoryTally};

/// Weeks of a plot: a year.
pub(super) const WEEKS: usize = 52;

/// Height of a plot in units of its own.
const HEIGHT: u64 = 24;
/// Width of a bar with the gap after it, and without.
const STEP: usize = 4;
const BAR: usize = 3;

/// A row of bars.
pub(super) struct Plot {
    /// The value of `viewBox`.
    pub(super) view: String,
    /// The value of `d` in a `path`.
    pub(super) path: String,
    /// In words.
    pub(super) told: String,
}

impl Plot {
    /// Draws bars as high as the numbers are large; told by `tell`, which gets their sum and the largest.
    pub(super) fn bars(numbers: &[u64], tell: fn(u64, u64) -> String) -> Self {
        let most = numbers.iter().copied().max().unwrap_or_default();
        let mut path = String::new();
        for (at, number) in numbers.iter().enumerate().filter(|(_, number)| **number > 0) {
            // A single story is seen beside a thousand.
            let height = (number * HEIGHT).div_ceil(most.max(1)).max(2);
            let _ = write!(path, "M{} {HEIGHT}v-{height}h{BAR}v{height}z", at * STEP);
        }
        let view = format!("0 0 {} {HEIGHT}", (numbers.len() * STEP).saturating_sub(STEP - BAR).max(1));
        Self { view, path, told: tell(numbers.iter().sum(), most) }
    }
}

/// Days of the calendar before 1 January 1970.
fn in_days(day: NaiveDate) -> i64 {
    (day - NaiveDate::default()).num_days()
}

/// Returns the day that is so many after 1 January 1970.
pub(super) fn calendar_day(day: i64) -> NaiveDate {
    TimeDelta::try_days(day).and_then(|days| NaiveDate::default().checked_add_signed(days)).unwrap_or_default()
}

/// Returns the stories of the last [`WEEKS`] weeks, that of today last, each with its Monday.
pub(super) fn weeks(counts: &[MonthCount], today: NaiveDate) -> Vec<(NaiveDate, u64)> {
    let monday = in_days(today) - i64::from(today.weekday().num_days_from_monday());
    let first = monday - 7 * (i64::try_from(WEEKS).unwrap_or(1) - 1);
    let mut weeks: Vec<(NaiveDate, u64)> = (first..=monday).step_by(7).map(|day| (calendar_day(day), 0)).collect();
    for (day, stories) in counts.iter().flat_map(|count| &count.tally.days) {
        let week = usize::try_from((day - first).div_euclid(7)).ok().and_then(|at| weeks.get_mut(at));
        if let Some((_, number)) = week {
            *number += stories;
        }
    }
    weeks
}

/// Returns the stories of the last seven days.
pub(super) fn last_seven_days(counts: &[MonthCount], today: NaiveDate) -> u64 {
    let last = in_days(today);
    counts.iter().flat_map(|count| count.tally.days.range(last - 6..=last)).map(|(_, stories)| stories).sum()
}

/// Returns the counts of the last twelve months together.
pub(super) fn year(counts: &[MonthCount], today: NaiveDate) -> StoryTally {
    let mut year = StoryTally::default();
    for count in counts.iter().filter(|count| months_ago(count.month, today) < 12) {
        year.join(&count.tally);
    }
    year
}

/// Returns how many months ago a month was.
fn months_ago(month: Month, today: NaiveDate) -> i64 {
    let months = |year: i32, month: u32| i64::from(year) * 12 + i64::from(month);
    months(today.year(), today.month()) - months(month.year, month.month)
}

/// Leaves out of the counts of a month what no page tells once it is long over: its days and its sources.
#[must_use]
pub fn abridged(month: Month, tally: StoryTally, today: NaiveDate) -> StoryTally {
    // A year of weeks may begin in the month of the same name.
    if months_ago(month, today) <= 12 {
        return tally;
    }
    let first = tally.days.keys().next().copied();
    let days = first.map(|day| (day, tally.stories())).into_iter().collect();
    StoryTally { days, ..StoryTally::default() }
}

/// Returns what part a number is of all, in per cent; `None` below one.
pub(super) fn per_cent(part: u64, all: u64) -> Option<u64> {
    Some((part * 200 + all) / (2 * all.max(1))).filter(|percent| *percent > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn counted(days: &[(&str, u64)]) -> Vec<MonthCount> {
        let days = days.iter().map(|(text, stories)| (in_days(day(text)), *stories)).collect();
        let tally = StoryTally { days, ..StoryTally::default() };
        vec![MonthCount { month: Month { year: 2026, month: 11 }, stamp: 1, tally }]
    }

    #[test]
    fn bars_are_in_proportion_and_one_story_is_seen() {
        let plot = Plot::bars(&[0, 1, 1000, 500], |all, most| format!("{all} {most}"));
        assert_eq!(plot.path, "M4 24v-2h3v2zM8 24v-24h3v24zM12 24v-12h3v12z");
        assert_eq!((plot.view.as_str(), plot.told.as_str()), ("0 0 15 24", "1501 1000"));
    }

    #[test]
    fn without_stories_a_plot_is_empty() {
        assert_eq!(Plot::bars(&[0; 3], |_, _| String::new()).path, "");
        assert_eq!(Plot::bars(&[], |_, _| String::new()).view, "0 0 1 24");
    }

    #[test]
    fn weeks_begin_on_monday_and_end_with_today() {
        let counts = counted(&[("2026-11-23", 2), ("2026-11-22", 3), ("2025-12-01", 5), ("2025-11-30", 7)]);
        let weeks = weeks(&counts, day("2026-11-28"));
        assert_eq!(weeks.len(), WEEKS);
        assert_eq!(weeks[51], (day("2026-11-23"), 2));
        assert_eq!(weeks[50], (day("2026-11-16"), 3));
        assert_eq!(weeks[0], (day("2025-12-01"), 5));
    }

    #[test]
    fn seven_days_are_today_and_the_six_before() {
        let counts = counted(&[("2026-11-28", 1), ("2026-11-22", 2), ("2026-11-21", 4)]);
        assert_eq!(last_seven_days(&counts, day("2026-11-28")), 3);
    }

    #[test]
    fn a_month_that_is_long_over_keeps_its_sum_alone() {
        let counts = counted(&[("2026-11-23", 2), ("2026-11-22", 3)]).remove(0);
        let mut tally = counts.tally;
        tally.add("agence", 0, 5, 0);
        let of = |today| abridged(counts.month, tally.clone(), day(today));
        assert_eq!(of("2027-11-30"), tally, "a plot of a year may begin there");
        let later = of("2027-12-01");
        assert_eq!((later.stories(), later.days.len(), later.sources.len()), (5, 1, 0));
    }

    #[test]
    fn parts_are_rounded_and_less_than_one_in_a_hundred_is_no_number() {
        assert_eq!(
            [per_cent(1, 3), per_cent(2, 3), per_cent(1, 1000), per_cent(0, 0)],
            [Some(33), Some(67), None, None]
        );
    }
}

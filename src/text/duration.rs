//! Durations as people write them, in one unit: `16 h`, `61 min`, `7 days`.
//!
//! A crate (`humantime`) would write `2h 1m 3s`, which is longer than what messages and tables need.

use chrono::TimeDelta;

/// Writes a duration in the largest unit that needs no fraction; days from two on.
#[must_use]
pub fn exact_duration(duration: TimeDelta) -> String {
    let seconds = duration.num_seconds();
    match seconds {
        _ if seconds >= 2 * 86_400 && seconds % 86_400 == 0 => format!("{} days", seconds / 86_400),
        _ if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        _ if seconds % 60 == 0 => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

/// Writes how long something lasts, in the largest unit of which there are two, rounded down; never a sign.
#[must_use]
pub fn rough_duration(duration: TimeDelta) -> String {
    let seconds = duration.num_seconds().unsigned_abs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Writes how long ago something was, as people say it: `16 h`, `9 days`, `5 months`, `3 years`.
#[must_use]
pub fn age(duration: TimeDelta) -> String {
    match duration.num_days() {
        730.. => format!("{} years", duration.num_days() / 365),
        61..730 => format!("{} months", duration.num_days() * 12 / 365),
        _ => rough_duration(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: i64, exact: &str, rough: &str) {
        let duration = TimeDelta::seconds(seconds);
        assert_eq!((exact_duration(duration).as_str(), rough_duration(duration).as_str()), (exact, rough));
    }

    #[test]
    fn an_exact_duration_has_no_fraction_and_a_rough_one_a_short_number() {
        check(0, "0 h", "0 s");
        check(90, "90 s", "90 s");
        check(119 * 60, "119 min", "119 min");
        check(24 * 3600, "24 h", "24 h");
        check(2 * 86_400, "2 days", "2 days");
        check(2 * 86_400 + 60, "2881 min", "2 days");
        check(-150, "-150 s", "2 min");
    }

    #[test]
    fn an_age_is_told_in_months_after_two_and_in_years_after_two() {
        for (days, expected) in
            [(1, "24 h"), (59, "59 days"), (60, "60 days"), (61, "2 months"), (400, "13 months"), (1740, "4 years")]
        {
            assert_eq!(age(TimeDelta::days(days)), expected);
        }
    }
}

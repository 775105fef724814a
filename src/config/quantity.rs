//! Durations (`"90s"`, `"15m"`, `"7 days"`) and sizes (`"10 MiB"`): a whole number and a unit.
//!
//! Refused: `humantime`, which takes `1M` for a month.

use std::time::Duration;

/// Names of each unit, and its length in seconds. A year is 365 days; a month is no unit, for months differ.
const SECONDS: [(&[&str], u64); 6] = [
    (&["s", "sec", "second", "seconds"], 1),
    (&["m", "min", "minute", "minutes"], 60),
    (&["h", "hour", "hours"], 3600),
    (&["d", "day", "days"], 86_400),
    (&["w", "week", "weeks"], 7 * 86_400),
    (&["y", "year", "years"], 365 * 86_400),
];

/// Names of each unit, and its size in bytes.
const BYTES: [(&[&str], u64); 7] = [
    (&["b", "byte", "bytes"], 1),
    (&["kb"], 1000),
    (&["kib"], 1 << 10),
    (&["mb"], 1_000_000),
    (&["mib"], 1 << 20),
    (&["gb"], 1_000_000_000),
    (&["gib"], 1 << 30),
];

/// Reads a duration such as `7 days`; `None` if it is none.
#[must_use]
pub fn read_duration(text: &str) -> Option<Duration> {
    seconds(text).map(Duration::from_secs)
}

pub(super) fn seconds(text: &str) -> Option<u64> {
    read(text, &SECONDS)
}

pub(super) fn bytes(text: &str) -> Option<u64> {
    read(text, &BYTES)
}

fn read(text: &str, units: &[(&[&str], u64)]) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, worth) = units.iter().find(|(names, _)| names.contains(&unit.trim()))?;
    number.parse::<u64>().ok()?.checked_mul(*worth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(seconds(text), expected, "{text}");
    }

    #[test]
    fn durations_are_a_number_and_a_unit() {
        check("90s", Some(90));
        check("15m", Some(900));
        check("2h", Some(7200));
        check("7 days", Some(604_800));
        check(" 5 Years ", Some(157_680_000));
        check("0s", Some(0));
    }

    #[test]
    fn other_texts_are_no_durations() {
        for text in ["", "s", "90", "1.5h", "-1s", "1h30m", "2 months", "99999999999999999999s", "999999999999999999y"]
        {
            check(text, None);
        }
    }

    #[test]
    fn sizes_are_bytes_in_tens_or_in_twos() {
        assert_eq!(bytes("10 MiB"), Some(10_485_760));
        assert_eq!(bytes("10MB"), Some(10_000_000));
        assert_eq!(bytes("1k"), None);
    }
}

//! Dates as publishers write them: RFC 3339, RFC 822, and everything that claims to be one of them.
//!
//! One reading for all: times, zones and month names are recognised where they stand, the numbers that remain are day,
//! month and year. Numeric dates are European (day first) unless that makes no date. No clock: `now` is a parameter.

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::feed::Timestamp;
use crate::text::fold;

/// Longest text that can be a date.
const DATE_BYTES_MAX: usize = 100;

/// How far ahead of us a publisher's clock, or a zone that it forgot, can be.
const AHEAD_MAX: TimeDelta = TimeDelta::days(1);

/// The year before which a date is a slip (`0001-01-01`) and not history.
const YEAR_MIN: i32 = 1900;

/// How the names of months begin, folded, in French, English and their neighbours.
const MONTHS: [&str; 12] = [
    "jan ene gen",
    "fev feb",
    "mar mrz",
    "avr apr abr",
    "mai may mag",
    "juin jun giu",
    "juil jul lug",
    "aou aug ago",
    "sep set",
    "oct okt out ott",
    "nov",
    "dec dez dic",
];

/// Minutes east of Greenwich, and the abbreviations of RFC 822 §5.1 and of Europe that mean them.
const ZONES: &[(i32, &str)] = &[
    (0, "z ut utc gmt wet"),
    (60, "west bst cet met"),
    (120, "cest mest mesz eet"),
    (180, "eest msk"),
    (540, "jst kst"),
    (-180, "adt"),
    (-240, "edt ast"),
    (-300, "est cdt"),
    (-360, "cst mdt"),
    (-420, "mst pdt"),
    (-480, "pst akdt"),
    (-540, "akst"),
    (-600, "hst"),
];

/// Reads a publisher's date.
///
/// `zone` is meant where none is written. `Err` holds what is wrong with it, for people.
pub(super) fn read(text: &str, zone: Tz, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    let date = DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc()).or_else(|| parse(text, zone));
    let shown = || text.chars().take(60).collect::<String>();
    match date {
        None => Err(format!("date `{}` is none that we can read", shown())),
        Some(date) if date > now + AHEAD_MAX => Err(format!("date `{}` lies in the future", shown())),
        Some(date) if date.year() < YEAR_MIN || date.timestamp() == 0 => Err(format!("date `{}` means none", shown())),
        Some(date) => Ok(date),
    }
}

fn parse(text: &str, zone: Tz) -> Option<Timestamp> {
    if text.len() > DATE_BYTES_MAX {
        return None;
    }
    // Go's `time.String()` ends with a monotonic clock reading.
    let text = text.split(" m=").next().unwrap_or(text);
    if let Some(date) = unix(text) {
        return Some(date);
    }
    let mut parts = Parts::default();
    let tokens = tokens(text);
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        let taken = parts.take(*token, after);
        rest = after.get(taken..).unwrap_or_default();
    }
    let named = text.split_whitespace().filter(|word| word.contains('/')).find_map(|word| word.parse::<Tz>().ok());
    parts.instant(named.unwrap_or(zone))
}

/// Reads seconds or milliseconds since 1970.
fn unix(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    match text.len() {
        9 | 10 => DateTime::from_timestamp(number, 0),
        12 | 13 => DateTime::from_timestamp_millis(number),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy)]
enum DatePart<'a> {
    /// Its value and how many digits it has.
    Number(u32, usize),
    Word(&'a str),
    /// Any other character but blanks; whether a digit follows at once.
    Sign(char, bool),
}

fn tokens(text: &str) -> Vec<DatePart<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_same: fn(char) -> bool = match first {
            '0'..='9' => |next| next.is_ascii_digit(),
            _ if first.is_alphabetic() => char::is_alphabetic,
            _ => |_| false,
        };
        let end = rest
            .find(|next| !is_same(next))
            .filter(|end| *end > 0)
            .unwrap_or_else(|| if is_same(first) { rest.len() } else { first.len_utf8() });
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        match first {
            '0'..='9' => tokens.push(DatePart::Number(part.parse().unwrap_or(u32::MAX), part.len())),
            _ if first.is_alphabetic() => tokens.push(DatePart::Word(part)),
            _ if first.is_whitespace() => {}
            _ => tokens.push(DatePart::Sign(first, after.starts_with(|next: char| next.is_ascii_digit()))),
        }
        rest = after;
    }
    tokens
}

/// What was recognised so far.
#[derive(Default)]
struct Parts {
    time: Option<(u32, u32, u32)>,
    /// Seconds east of Greenwich.
    offset: Option<i32>,
    month: Option<u32>,
    /// What is not time or zone, with the number of digits.
    numbers: Vec<(u32, usize)>,
}

impl Parts {
    /// Takes a token in; returns how many of those `after` it belong to it.
    fn take(&mut self, token: DatePart<'_>, after: &[DatePart<'_>]) -> usize {
        match token {
            DatePart::Number(value, digits) => self.number(value, digits, after),
            DatePart::Sign(sign @ ('+' | '-' | '−'), true) if self.time.is_some() => self.numeric_offset(sign, after),
            DatePart::Sign(..) => 0,
            DatePart::Word(word) => {
                self.word(&fold(word));
                0
            }
        }
    }

    fn number(&mut self, value: u32, digits: usize, after: &[DatePart<'_>]) -> usize {
        use DatePart::{Number, Sign, Word};
        let (seconds, taken) = match after {
            [
                Sign(':', _),
                Number(_, 1 | 2),
                Sign(':', _),
                Number(seconds, 1 | 2),
                Sign('.' | ',', true),
                Number(..),
                ..,
            ] => (*seconds, 6),
            [Sign(':', _), Number(_, 1 | 2), Sign(':', _), Number(seconds, 1 | 2), ..] => (*seconds, 4),
            [Sign(':', _) | Word("h" | "H"), Number(_, 2), ..] => (0, 2),
            [Word("h" | "H"), ..] if digits <= 2 => {
                self.time = Some((value, 0, 0));
                return 1;
            }
            _ => {
                self.date_number(value, digits);
                return 0;
            }
        };
        match after.get(1) {
            Some(Number(minutes, _)) if digits <= 2 && self.time.is_none() => {
                self.time = Some((value, *minutes, seconds));
                taken
            }
            _ => taken,
        }
    }

    /// Takes a number that is no time: a part of a date, or a date, or a time in the compact form of ISO 8601.
    fn date_number(&mut self, value: u32, digits: usize) {
        match digits {
            8 | 14 if self.numbers.is_empty() => {
                let day = if digits == 14 { return } else { value };
                self.numbers.extend([(day / 10_000, 4), (day / 100 % 100, 2), (day % 100, 2)]);
            }
            6 if self.numbers.len() == 3 => self.time = Some((value / 10_000, value / 100 % 100, value % 100)),
            1..=4 => self.numbers.push((value, digits)),
            _ => {}
        }
    }

    fn numeric_offset(&mut self, sign: char, after: &[DatePart<'_>]) -> usize {
        let (hours, minutes, taken) = match after {
            [DatePart::Number(hours, 1 | 2), DatePart::Sign(':', _), DatePart::Number(minutes, 2), ..] => {
                (*hours, *minutes, 3)
            }
            [DatePart::Number(both, 4), ..] => (both / 100, both % 100, 1),
            [DatePart::Number(hours, 1 | 2), ..] => (*hours, 0, 1),
            _ => return 0,
        };
        if hours <= 14 && minutes < 60 {
            let seconds = i32::try_from(hours * 3600 + minutes * 60).unwrap_or_default();
            self.offset = Some(if sign == '+' { seconds } else { -seconds });
        }
        taken
    }

    fn word(&mut self, word: &str) {
        if let Some((minutes, _)) = ZONES.iter().find(|(_, names)| names.split(' ').any(|name| name == word)) {
            // An offset in digits says more than the name that follows it.
            self.offset = self.offset.or(Some(minutes * 60));
        } else if let Some(month) = MONTHS.iter().position(|names| names.split(' ').any(|name| word.starts_with(name)))
        {
            // `mar` is Tuesday or March in French: a later month name wins.
            self.month = u32::try_from(month + 1).ok();
        } else if let Some((hours, ..)) = self.time.as_mut() {
            match word {
                "pm" if *hours < 12 => *hours += 12,
                "am" if *hours == 12 => *hours = 0,
                _ => {}
            }
        }
    }

    fn instant(self, zone: Tz) -> Option<Timestamp> {
        let (hours, minutes, seconds) = self.time.unwrap_or_default();
        let mut date = self.date()?;
        if (hours, minutes, seconds) == (24, 0, 0) {
            date = date.checked_add_days(Days::new(1))?;
        }
        let time = NaiveTime::from_hms_opt(hours % 24, minutes, seconds.min(59)).filter(|_| hours <= 24)?;
        let local = date.and_time(time);
        match self.offset.and_then(FixedOffset::east_opt) {
            Some(offset) => Some(offset.from_local_datetime(&local).single()?.to_utc()),
            None => in_zone(local, zone),
        }
    }

    fn date(&self) -> Option<NaiveDate> {
        let year = |(value, digits): (u32, usize)| match digits {
            4 => i32::try_from(value).ok(),
            2 if value < 70 => i32::try_from(2000 + value).ok(),
            2 => i32::try_from(1900 + value).ok(),
            _ => None,
        };
        // A date in numbers alone needs no name: `mardi 12/02/2024` is not in March.
        let is_numeric = matches!(self.numbers.as_slice(), [_, (_, 1 | 2), _, ..]);
        match (self.month.filter(|_| !is_numeric), self.numbers.as_slice()) {
            (Some(month), [first, ..]) if self.numbers.len() == 1 => {
                day(year(*first).filter(|_| first.1 == 4)?, month, 1)
            }
            (Some(month), [first, second, ..]) => match (first.1, second.1) {
                (4, _) => day(year(*first)?, month, second.0),
                _ => day(year(*second)?, month, first.0),
            },
            (None, [first, second, third, ..]) if first.1 == 4 => day(year(*first)?, second.0, third.0),
            (None, [first, second, third, ..]) => {
                let year = year(*third)?;
                day(year, second.0, first.0).or_else(|| day(year, first.0, second.0))
            }
            (None, [first, second]) if first.1 == 4 => day(year(*first)?, second.0, 1),
            (None, [only]) if only.1 == 4 => day(year(*only)?, 1, 1),
            _ => None,
        }
    }
}

/// Returns the day; the last of its month for one that the month lacks (31 February).
fn day(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day).or_else(|| {
        let next = NaiveDate::from_ymd_opt(year, month, 1)?.checked_add_months(Months::new(1))?;
        next.pred_opt().filter(|_| (29..=31).contains(&day))
    })
}

/// Reads a wall clock; a time that the spring gap leaves out is an hour later, one that autumn has twice is the first.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    let resolve = |local| zone.from_local_datetime(&local).earliest();
    resolve(local).or_else(|| resolve(local + TimeDelta::hours(1))).map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let date = read(text, Tz::Europe__Paris, now);
        assert_eq!(
            date.map(|date| date.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)).unwrap_or_default(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn rfc_3339_and_its_faults() {
        for text in [
            "2024-02-12T10:00:00+01:00",
            "2024-02-12T09:00:00.250Z",
            "2024-02-12t09:00:00z",
            "2024-02-12T10:00+01:00",
            "2024-02-12T09:00Z",
            "2024-02-12 10:00:00+0100",
            "2024-02-12 09:00:00 UTC",
            "2024-02-12T10:00:00+01",
            "2024-02-12T10:00:00",
            "2024-02-12 10:00:00",
            "2024-02-12 10:00",
            "20240212T100000",
            "20240212T090000Z",
            "2024/02/12 10:00:00",
        ] {
            check(text, "2024-02-12T09:00:00Z");
        }
    }

    #[test]
    fn rfc_822_and_its_faults() {
        for text in [
            "Mon, 12 Feb 2024 10:00:00 +0100",
            "Tue, 12 Feb 2024 09:00:00 GMT",
            "12 Feb 2024 10:00:00",
            "12 Feb 24 09:00 GMT",
            "Mon, 12 Feb 2024 10:00:00 CET",
            "Mon, 12 Feb 2024 11:00:00 CEST",
            "Mon, 12 Feb 2024 04:00:00 EST",
            "Mon, 12 February 2024 10:00:00 Europe/Paris",
            "Mon, 12-Feb-2024 09:00:00 GMT",
            "Mon,12 Feb 2024 10:00 am",
            "Lun, 12 Feb 2024 09:00:00 GMT",
            "Mon Feb 12 10:00:00 2024",
            "Mon Feb 12 09:00:00 UTC 2024",
            "Monday, 12 February 2024 10:00:00 +01:00",
            "Feb 12, 2024 10:00 AM",
            "Mon, 12 Feb 2024 09:00:00 GMT+0000",
        ] {
            check(text, "2024-02-12T09:00:00Z");
        }
    }

    #[test]
    fn french_forms() {
        for text in [
            "lun., 12 févr. 2024 10:00",
            "lundi 12 février 2024 à 10h00",
            "12 février 2024 - 10:00",
            "12/02/2024 - 10:00",
            "lun 12/02/2024 - 10:00",
            "12.02.2024 10h",
            "Lundi 12 Février 2024, 10 h 00",
            "12-02-2024 10:00:00",
        ] {
            check(text, "2024-02-12T09:00:00Z");
        }
        check("mer 01/04/2026 - 12:00", "2026-04-01T10:00:00Z");
        check("mardi 13/02/2024 - 10:00", "2024-02-13T09:00:00Z");
        check("mar., 2 janv. 2024", "2024-01-01T23:00:00Z");
        check("mar 5 mars 2024", "2024-03-04T23:00:00Z");
        check("1er août 2024", "2024-07-31T22:00:00Z");
        check("jeudi 4 juillet 2024", "2024-07-03T22:00:00Z");
        check("jeudi 6 juin 2024", "2024-06-05T22:00:00Z");
    }

    #[test]
    fn months_of_the_neighbours() {
        check("Seg, 24 Set 2018 19:42:40 -0300", "2018-09-24T22:42:40Z");
        check("12. März 2024 10:00", "2024-03-12T09:00:00Z");
    }

    #[test]
    fn dates_without_time_or_day() {
        check("Mon, 12 Feb 2024", "2024-02-11T23:00:00Z");
        check("2024-02-12", "2024-02-11T23:00:00Z");
        check("20240212", "2024-02-11T23:00:00Z");
        check("2024-02", "2024-01-31T23:00:00Z");
        check("février 2024", "2024-01-31T23:00:00Z");
    }

    #[test]
    fn times_of_machines() {
        check("1707728400", "2024-02-12T09:00:00Z");
        check("1707728400000", "2024-02-12T09:00:00Z");
        check("2020-12-15 20:47:57.107 +0100 CET m=+238", "2020-12-15T19:47:57Z");
    }

    #[test]
    fn evening_hours_and_midnights() {
        check("12 Feb 2024 3:15 PM", "2024-02-12T14:15:00Z");
        check("12 Feb 2024 12:05 AM", "2024-02-11T23:05:00Z");
        check("2024-02-12T24:00:00Z", "2024-02-13T00:00:00Z");
        check("Mon, 12 Feb 2024 23:59:60 GMT", "2024-02-12T23:59:59Z");
    }

    #[test]
    fn the_day_that_a_month_lacks_is_its_last() {
        check("31 Feb 2024 10:00:00 GMT", "2024-02-29T10:00:00Z");
    }

    #[test]
    fn a_month_first_is_read_where_day_first_is_no_date() {
        check("02/13/2024 10:00", "2024-02-13T09:00:00Z");
    }

    #[test]
    fn an_hour_that_spring_leaves_out_is_read_later() {
        check("2026-03-29 02:30:00", "2026-03-29T01:30:00Z");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "hier",
            "0001-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "9999-12-31",
            "2027-01-01T00:00:00Z",
            "99/99/9999",
            "12:00",
            "99999999999999999999",
        ] {
            check(text, "");
        }
        check(&"9".repeat(100_000), "");
        check("é".repeat(40).as_str(), "");
    }
}

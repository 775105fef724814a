//! Dates as publishers write them: RFC 3339, RFC 822, and everything that claims to be one of them.
//!
//! One reading for all: times, zones, months and weekdays are recognised where they stand, the numbers that remain are
//! day, month and year. Numeric dates are European (day first) unless that makes no date or another weekday than the one
//! that is named. No clock: `now` is a parameter. Refused: any one parser of dates from a crate, since feeds write dozens
//! of forms.

mod names;
mod zones;

use std::borrow::Cow;

use chrono::{
    DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Weekday,
};
use chrono_tz::{OffsetName, Tz};

use self::names::PartOfDay;
use super::xml::{self, Element};
use super::{Limits, entity};
use crate::feed::{Defect, Timestamp};
use crate::text::fold;

/// Longest text that can be a date.
const DATE_BYTES_MAX: usize = 100;

/// Longest text that can be a date within markup.
const MARKUP_BYTES_MAX: usize = 4096;

/// The most that a publisher's clock, or a zone that it forgot, can be ahead of us.
const AHEAD_MAX: TimeDelta = TimeDelta::days(1);

/// The year before which a date is a slip (`0001-01-01`) and not history.
const YEAR_MIN: i32 = 1900;

/// A date that was read, or not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DateRead {
    pub(super) date: Option<Timestamp>,
    /// The fault in it, also if it was read.
    pub(super) defect: Option<Defect>,
}

/// Reads the date of an element; `None` if it says nothing.
///
/// An attribute for machines (`<time datetime>`, `content`) takes precedence over the element's text.
pub(super) fn date_of(element: &Element<'_>, zone: Tz, now: Timestamp) -> Option<DateRead> {
    let marked = marked(element).map(|text| read_text(text, zone, now)).filter(|dated| dated.date.is_some());
    marked.or_else(|| Some(read_date(&element.text()?, zone, now)))
}

/// Reads a publisher's date, also from markup that was escaped.
///
/// `zone` is meant where none is written.
pub(super) fn read_date(text: &str, zone: Tz, now: Timestamp) -> DateRead {
    let text = entity::unescape(Cow::Borrowed(text));
    if !text.contains('<') {
        return read_text(&text, zone, now);
    }
    let markup = text.get(..text.floor_char_boundary(MARKUP_BYTES_MAX)).unwrap_or_default();
    // Text outside of any element would be lost.
    let markup = format!("<date>{markup}</date>");
    let tree = xml::read(&markup, &Limits::default());
    let marked = marked(&tree.top).map(|text| read_text(text, zone, now)).filter(|dated| dated.date.is_some());
    marked.unwrap_or_else(|| read_text(&tree.top.text().unwrap_or_default(), zone, now))
}

/// Returns the date that an element, or one in it, gives to machines (HTML `time`, `RDFa` `content`, microformats `abbr`).
fn marked<'t>(element: &'t Element<'_>) -> Option<&'t str> {
    let own = element.attribute("datetime").or_else(|| element.attribute("content"));
    let own = own.or_else(|| element.attribute("title").filter(|_| element.name == "abbr"));
    own.or_else(|| element.elements().find_map(marked))
}

fn read_text(text: &str, zone: Tz, now: Timestamp) -> DateRead {
    let text = text.trim();
    let shown = || text.chars().take(60).collect::<String>();
    let (date, unknown_zone) = match DateTime::parse_from_rfc3339(text) {
        Ok(date) => (Some(date.to_utc()), None),
        Err(_) => parse(text, zone).unzip(),
    };
    let refused = match date {
        None => Some("is none that we can read"),
        Some(date) if date > now + AHEAD_MAX => Some("lies in the future"),
        Some(date) if date.year() < YEAR_MIN || date.timestamp() == 0 => Some("means none"),
        Some(_) => None,
    };
    let defect = |code: &str, message| Some(Defect { code: code.to_owned(), message });
    match (refused, unknown_zone.flatten()) {
        (Some(why), _) => DateRead { date: None, defect: defect("date", format!("date `{}` {why}", shown())) },
        (None, Some(zone)) => {
            DateRead { date, defect: defect("zone", format!("zone `{zone}` of a date is unknown: read as UTC")) }
        }
        (None, None) => DateRead { date, defect: None },
    }
}

/// Reads a date; the zone that nobody knows, if it names one, comes along.
fn parse(text: &str, zone: Tz) -> Option<(Timestamp, Option<String>)> {
    if text.len() > DATE_BYTES_MAX {
        return None;
    }
    // Go's `time.String()` ends with a monotonic clock reading.
    let text = text.split(" m=").next().unwrap_or(text);
    if let Some(date) = unix(text) {
        return Some((date, None));
    }
    let mut text = iso_week(text).map_or(Cow::Borrowed(text), Cow::Owned);
    let mut words = text.split(|c: char| c.is_whitespace() || "[]()".contains(c));
    let region = words.find_map(region);
    let mut parts = Parts::default();
    let zone = match region {
        Some((name, known)) => {
            parts.unknown_zone = known.is_none().then(|| name.to_owned());
            // `Asia/Novosibirsk` is not in November.
            text = Cow::Owned(text.replacen(name, "", 1));
            known.unwrap_or(zone)
        }
        None => zone,
    };
    let tokens = tokens(&text);
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        let taken = parts.take(*token, after);
        rest = after.get(taken..).unwrap_or_default();
    }
    parts.instant(zone)
}

/// Reads the name of a region (`Europe/Paris`), and its zone if tzdata has it.
fn region(word: &str) -> Option<(&str, Option<Tz>)> {
    let (area, place) = word.split_once('/')?;
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphabetic() || "_/-".contains(c));
    match word.parse() {
        Ok(zone) => Some((word, Some(zone))),
        Err(_) => {
            (is_name(area) && is_name(place) && names::month_or_day(&fold(area)).is_none()).then_some((word, None))
        }
    }
}

/// Reads seconds or milliseconds since 1970, also with a fraction or as Microsoft's JSON has them (`/Date(…)/`).
fn unix(text: &str) -> Option<Timestamp> {
    let bare = text.trim_start_matches("/Date(").trim_end_matches(")/");
    let (whole, fraction) = bare.split_once('.').unwrap_or((bare, ""));
    let whole = if bare.len() < text.len() { whole.split(['+', '-']).next()? } else { whole };
    if !whole.bytes().chain(fraction.bytes()).all(|digit| digit.is_ascii_digit()) || is_compact(whole) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    match whole.len() {
        9 | 10 => DateTime::from_timestamp(number, 0),
        12 | 13 => DateTime::from_timestamp_millis(number),
        _ => None,
    }
}

/// Whether twelve digits are a date and a time in the compact form of ISO 8601, without seconds.
fn is_compact(digits: &str) -> bool {
    digits.len() == 12 && ["19", "20"].iter().any(|century| digits.starts_with(century))
}

/// Returns a date that counts weeks (`2024-W07-1`, ISO 8601 §5.2.3) as one that counts months.
fn iso_week(text: &str) -> Option<String> {
    let date = text.split(['T', ' ']).next()?;
    let (year, week) = date.split_once(['W', 'w'])?;
    let (week, weekday) = week.split_at_checked(2)?;
    let weekday = weekday.trim_start_matches('-').parse().unwrap_or(1u8);
    let weekday = Weekday::try_from(weekday.checked_sub(1)?).ok()?;
    let day = NaiveDate::from_isoywd_opt(year.trim_end_matches('-').parse().ok()?, week.parse().ok()?, weekday)?;
    Some(format!("{day}{}", text.get(date.len()..)?))
}

#[derive(Debug, Clone, Copy)]
enum DatePart<'a> {
    /// Its value and how many digits it has.
    Number(u32, usize),
    Word(&'a str),
    /// Any other character but blanks; whether a digit stands right before it, and right after.
    Sign(char, bool, bool),
}

fn tokens(text: &str) -> Vec<DatePart<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut last = ' ';
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
            '0'..='9' => {
                // A date and a time in one.
                let (date, time) =
                    part.split_at_checked(8).filter(|_| matches!(part.len(), 12 | 14)).unwrap_or((part, ""));
                let numbers = [date, time].into_iter().filter(|part| !part.is_empty());
                tokens.extend(numbers.map(|part| DatePart::Number(part.parse().unwrap_or(u32::MAX), part.len())));
            }
            _ if first.is_alphabetic() => tokens.push(DatePart::Word(part)),
            _ if first.is_whitespace() => {}
            _ => {
                let before_digit = after.starts_with(|next: char| next.is_ascii_digit());
                tokens.push(DatePart::Sign(first, last.is_ascii_digit(), before_digit));
            }
        }
        last = part.chars().last().unwrap_or(' ');
        rest = after;
    }
    tokens
}

/// The parts that were recognised so far.
#[derive(Default)]
struct Parts {
    time: Option<(u32, u32, u32)>,
    /// The half of the day that the hour is counted in.
    half: Option<PartOfDay>,
    /// Seconds east of Greenwich, as digits say.
    offset: Option<i32>,
    /// An abbreviation and the minutes east of Greenwich that it usually means.
    zone: Option<(String, i32)>,
    /// A word in the place of a zone that is no zone we know.
    unknown_zone: Option<String>,
    month: Option<u32>,
    /// A month that may be a weekday.
    doubtful_month: Option<u32>,
    weekday: Option<Weekday>,
    /// Numbers that are not time or zone, each with its number of digits.
    numbers: Vec<(u32, usize)>,
    /// Whether the token before ended the time, so that what follows is its zone.
    is_after_time: bool,
}

impl Parts {
    /// Takes a token in; returns how many of those `after` it belong to it.
    fn take(&mut self, token: DatePart<'_>, after: &[DatePart<'_>]) -> usize {
        let is_after_time = std::mem::take(&mut self.is_after_time);
        match token {
            DatePart::Number(value, digits) => self.number(value, digits, after),
            DatePart::Sign(sign @ ('+' | '-' | '−'), is_attached, true)
                if self.time.is_some() && (is_after_time || !is_attached) =>
            {
                self.numeric_offset(sign, after)
            }
            DatePart::Sign(sign, ..) => {
                self.is_after_time = is_after_time && matches!(sign, '(' | '[');
                0
            }
            DatePart::Word(word) => self.word(word, is_after_time, after),
        }
    }

    fn number(&mut self, value: u32, digits: usize, after: &[DatePart<'_>]) -> usize {
        use DatePart::{Number, Sign};
        if digits == 4
            && self.numbers.is_empty()
            && let [Sign(':', ..), Number(month, 2), Sign(':', ..), Number(day, 2), ..] = after
        {
            // Cameras write `2024:02:12` (EXIF).
            self.numbers.extend([(value, 4), (*month, 2), (*day, 2)]);
            return 4;
        }
        let time = if digits <= 2 && self.time.is_none() { self.time_at(value, after) } else { None };
        if let Some((time, taken)) = time {
            self.time = Some(time);
            self.is_after_time = true;
            return taken;
        }
        self.date_number(value, digits);
        0
    }

    /// Reads the time that begins with `hour`, and of how many tokens `after` it consists.
    fn time_at(&self, hour: u32, after: &[DatePart<'_>]) -> Option<((u32, u32, u32), usize)> {
        use DatePart::{Number, Sign, Word};
        Some(match after {
            [Sign(':', ..), Number(minutes, 1 | 2), Sign(':', ..), Number(seconds, 1 | 2), rest @ ..] => {
                let has_fraction = matches!(rest, [Sign('.' | ',', _, true), Number(..), ..]);
                ((hour, *minutes, *seconds), if has_fraction { 6 } else { 4 })
            }
            [Sign(':', ..), Number(minutes, 2), ..] => ((hour, *minutes, 0), 2),
            [Word(word), rest @ ..] if names::is_hour(&fold(word)) => match rest {
                [Number(minutes, 1 | 2), Word(minute), Number(seconds, 1 | 2), Word(second), ..]
                    if names::is_minute(&fold(minute)) && names::is_second(&fold(second)) =>
                {
                    ((hour, *minutes, *seconds), 5)
                }
                [Number(minutes, 1 | 2), Word(minute), ..] if names::is_minute(&fold(minute)) => {
                    ((hour, *minutes, 0), 3)
                }
                [Number(minutes, 2), rest @ ..] if *minutes < 60 && !is_date(rest) => ((hour, *minutes, 0), 2),
                _ => ((hour, 0, 0), 1),
            },
            // `10.30` beside a date that is whole, or before `pm`.
            [Sign('.', true, true), Number(minutes, 2), rest @ ..]
                if *minutes < 60
                    && (is_half(rest) || self.has_day() && !matches!(rest, [Sign('.', ..), Number(..), ..])) =>
            {
                ((hour, *minutes, 0), 2)
            }
            rest if (1..=12).contains(&hour) && is_half(rest) => ((hour, 0, 0), 0),
            [Word(word), rest @ ..] if hour == 12 && is_noon_or_midnight(word) => {
                let others = rest.iter().filter(|token| matches!(token, Number(..))).count();
                (self.numbers.len() + others >= 2).then_some(((12, 0, 0), 0))?
            }
            _ => return None,
        })
    }

    /// Whether the numbers of a day are there: three, or two if a month is named or days are counted from New Year.
    fn has_day(&self) -> bool {
        let has_month = self.month.or(self.doubtful_month).is_some();
        let is_of_year = matches!(self.numbers.as_slice(), [_, (_, 3)]);
        self.numbers.len() >= if has_month || is_of_year { 2 } else { 3 }
    }

    /// Takes a number that is no time: a part of a date, or a date, or a time in the compact form of ISO 8601.
    fn date_number(&mut self, value: u32, digits: usize) {
        let is_time = self.time.is_none() && self.has_day() && self.numbers.iter().any(|(_, digits)| *digits == 4);
        match digits {
            8 if self.numbers.is_empty() => {
                self.numbers.extend([(value / 10_000, 4), (value / 100 % 100, 2), (value % 100, 2)]);
            }
            7 if self.numbers.is_empty() => self.numbers.extend([(value / 1000, 4), (value % 1000, 3)]),
            4 | 6 if is_time => {
                let value = if digits == 4 { value * 100 } else { value };
                self.time = Some((value / 10_000, value / 100 % 100, value % 100));
                self.is_after_time = true;
            }
            1..=4 => self.numbers.push((value, digits)),
            _ => {}
        }
    }

    fn numeric_offset(&mut self, sign: char, after: &[DatePart<'_>]) -> usize {
        let (hours, minutes, taken) = match after {
            [DatePart::Number(hours, 1 | 2), DatePart::Sign(':', ..), DatePart::Number(minutes, 2), ..] => {
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

    /// Takes a word in; returns how many of the tokens `after` it belong to it.
    fn word(&mut self, written: &str, is_after_time: bool, after: &[DatePart<'_>]) -> usize {
        if is_after_time && let Some((half, taken)) = half_of(written, after) {
            self.half = Some(half);
            self.is_after_time = true;
            return taken;
        }
        let word = &*fold(written);
        if let Some(part) = part_before(word, after) {
            self.half = self.half.or(Some(part));
            if matches!(part, PartOfDay::Noon | PartOfDay::Midnight) {
                self.time = self.time.or(Some((12, 0, 0)));
                self.is_after_time = true;
            }
        } else if let Some(minutes) = zones::minutes(word) {
            self.zone.get_or_insert_with(|| (word.to_owned(), minutes));
            self.is_after_time = true;
        } else if let Some(named) = names::month_or_day(word) {
            match (named.month, named.weekday) {
                // `mar` is Tuesday or March in French.
                (Some(month), Some(_)) => self.doubtful_month = Some(month),
                (month, None) => self.month = month,
                (None, Some(_)) => {}
            }
            self.weekday = self.weekday.or(named.weekday);
        } else if is_after_time && is_like_a_zone(written) {
            self.unknown_zone.get_or_insert_with(|| written.to_owned());
        }
        0
    }

    /// Returns the instant, and the zone that was read as UTC since nobody knows it (RFC 5322 §4.3).
    fn instant(self, zone: Tz) -> Option<(Timestamp, Option<String>)> {
        let (hours, minutes, seconds) = self.time.unwrap_or_default();
        let hours = match self.half {
            Some(PartOfDay::Afternoon) if hours < 12 => hours + 12,
            Some(PartOfDay::Morning | PartOfDay::Midnight) if hours == 12 => 0,
            _ => hours,
        };
        let mut date = self.date()?;
        if (hours, minutes, seconds) == (24, 0, 0) {
            date = date.checked_add_days(Days::new(1))?;
        }
        let time = NaiveTime::from_hms_opt(hours % 24, minutes, seconds.min(59)).filter(|_| hours <= 24)?;
        let local = date.and_time(time);
        let at = |seconds| Some(FixedOffset::east_opt(seconds)?.from_local_datetime(&local).single()?.to_utc());
        let date = match (self.offset, self.zone, &self.unknown_zone) {
            (Some(offset), ..) => return Some((at(offset)?, None)),
            // `IST` is Israel's where the zone is.
            (None, Some((name, _)), _) if is_named(zone, local, &name) => in_zone(local, zone),
            (None, Some((_, minutes)), _) => at(minutes * 60),
            (None, None, Some(_)) => return Some((at(0)?, self.unknown_zone)),
            (None, None, None) => in_zone(local, zone),
        };
        Some((date?, None))
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
        let month = self.month.or(self.doubtful_month).filter(|_| !is_numeric);
        match (month, self.numbers.as_slice()) {
            (Some(month), [only]) => day(year(*only).filter(|_| only.1 == 4)?, month, 1),
            (Some(month), [first, second, ..]) => match (first.1, second.1) {
                (4, _) => day(year(*first)?, month, second.0),
                _ => day(year(*second)?, month, first.0),
            },
            (None, [first, second, third, ..]) => {
                let [year_first, year_last] = [year(*first), year(*third)];
                let orders = if first.1 == 4 {
                    [(year_first, second, third), (year_first, third, second), (None, first, first)]
                } else {
                    [(year_last, second, first), (year_last, first, second), (year_first, second, third)]
                };
                let days = orders.map(|(year, month, number)| day(year?, month.0, number.0));
                let is_meant = |day: &&NaiveDate| self.weekday.is_some_and(|weekday| day.weekday() == weekday);
                days.iter().flatten().find(is_meant).or_else(|| days.iter().flatten().next()).copied()
            }
            (None, [first, second]) if (first.1, second.1) == (4, 3) => NaiveDate::from_yo_opt(year(*first)?, second.0),
            (None, [first, second]) if first.1 == 4 => day(year(*first)?, second.0, 1),
            (None, [only]) if only.1 == 4 => day(year(*only)?, 1, 1),
            _ => None,
        }
    }
}

/// Whether a number is followed by what makes it a part of a date.
fn is_date(after: &[DatePart<'_>]) -> bool {
    match after {
        [DatePart::Sign('.' | '/' | '-', ..), ..] => true,
        [DatePart::Word(word), ..] => names::month_or_day(&fold(word)).is_some_and(|named| named.month.is_some()),
        _ => false,
    }
}

/// Whether tokens tell the half of the day of an hour before them, and not that of a time behind them.
fn is_half(tokens: &[DatePart<'_>]) -> bool {
    let [DatePart::Word(word), after @ ..] = tokens else { return false };
    half_of(word, after).is_some() && !is_time(after)
}

/// Whether tokens begin with hours and minutes.
fn is_time(tokens: &[DatePart<'_>]) -> bool {
    matches!(tokens, [DatePart::Number(_, 1 | 2), DatePart::Sign(':', ..), DatePart::Number(_, 2), ..])
}

/// Reads `am` and `pm`, also as `p.m.` or `p. m.`, and of how many of the tokens `after` the first they consist.
fn half_of(word: &str, after: &[DatePart<'_>]) -> Option<(PartOfDay, usize)> {
    let half = match word.to_ascii_lowercase().as_str() {
        "a" | "am" => PartOfDay::Morning,
        "p" | "pm" => PartOfDay::Afternoon,
        _ => return None,
    };
    let (taken, rest) = match after {
        _ if word.len() == 2 => (0, after),
        [DatePart::Sign('.', ..), DatePart::Word("m" | "M"), rest @ ..] => (2, rest),
        [DatePart::Word("m" | "M"), rest @ ..] => (1, rest),
        _ => return None,
    };
    let has_stop = matches!(rest, [DatePart::Sign('.', ..), ..]);
    Some((half, taken + usize::from(has_stop)))
}

/// Reads the part of a day that goes before its time, as it does in Chinese (`下午3:15`) and may elsewhere (`PM 3:15`).
fn part_before(word: &str, after: &[DatePart<'_>]) -> Option<PartOfDay> {
    // Not `am 12. Februar`.
    let half = if is_time(after) { half_of(word, after).map(|(half, _)| half) } else { None };
    half.or_else(|| names::part_of_day(word))
}

fn is_noon_or_midnight(word: &str) -> bool {
    matches!(names::part_of_day(&fold(word)), Some(PartOfDay::Noon | PartOfDay::Midnight))
}

/// Whether a word behind a time looks like the abbreviation of a zone.
fn is_like_a_zone(word: &str) -> bool {
    (1..=5).contains(&word.len())
        && word.bytes().all(|letter| letter.is_ascii_uppercase())
        && !names::is_hour(&fold(word))
}

/// Whether clocks in `zone` call the zone by this abbreviation, folded, at this time.
fn is_named(zone: Tz, local: NaiveDateTime, name: &str) -> bool {
    let offset = zone.offset_from_local_datetime(&local).earliest();
    offset.is_some_and(|offset| offset.abbreviation().is_some_and(|own| own.eq_ignore_ascii_case(name)))
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
        let date = read_date(text, Tz::Europe__Paris, now).date;
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

    #[test]
    fn what_is_marked_for_machines_goes_before_what_people_read() {
        check("<time datetime=\"2024-02-12T09:00:00Z\">il y a 3 jours</time>", "2024-02-12T09:00:00Z");
        check("<p><span class='d' content='2024-02-12T10:00:00+01:00'>12 fév.</span></p>", "2024-02-12T09:00:00Z");
        check("<abbr class='published' title='2024-02-12'>lundi</abbr>", "2024-02-11T23:00:00Z");
        check("&lt;time datetime='2024-02-12T09:00Z'&gt;02/12/2024&lt;/time&gt;", "2024-02-12T09:00:00Z");
        let long = format!("<time class=\"{}\" datetime=\"2024-02-12T09:00Z\">?</time>", "x".repeat(300));
        check(&long, "2024-02-12T09:00:00Z");
    }

    #[test]
    fn where_the_mark_is_no_date_the_text_counts() {
        check("<time datetime=\"hier\">12/02/2024 10:00</time>", "2024-02-12T09:00:00Z");
        check("<em>12</em> f&eacute;vrier <b>2024</b> 10:00", "2024-02-12T09:00:00Z");
    }

    #[test]
    fn a_weekday_decides_which_number_is_the_month() {
        check("Thu, 04/09/2026 - 08:00", "2026-04-09T06:00:00Z");
        check("jeudi 09/04/2026 - 08:00", "2026-04-09T06:00:00Z");
        check("Donnerstag, 09.04.2026 8 Uhr", "2026-04-09T06:00:00Z");
        check("04/09/26 08:00 (Thursday)", "2026-04-09T06:00:00Z");
        check("mar 03/10/2026 - 08:00", "2026-03-10T07:00:00Z");
        // One that fits neither decides nothing.
        check("Sat, 04/09/2026 - 08:00", "2026-09-04T06:00:00Z");
    }

    #[test]
    fn halves_of_the_day_are_written_in_many_ways() {
        for text in [
            "12 Feb 2024 3:15:00 p.m. +0000",
            "12 Feb 2024 3:15 P.M. GMT",
            "12/02/2024 4:15 p. m.",
            "12/02/2024 4:15\u{a0}p.\u{a0}m.",
            "2024-02-12 PM 4:15:00",
            "2024년 2월 12일 오후 4:15",
            "2024年2月12日下午4时15分",
            "2024年2月12日 16時15分00秒",
            "12/02/2024 04:15:00.000 PM",
        ] {
            check(text, "2024-02-12T15:15:00Z");
        }
        for text in ["12 Feb 2024 3pm", "Feb 12, 2024 3 p.m.", "3pm 12 Feb 2024", "3.00pm, 12 February 2024"] {
            check(text, "2024-02-12T14:00:00Z");
        }
        check("12 Feb 2024 12:05 a.m. GMT", "2024-02-12T00:05:00Z");
    }

    #[test]
    fn noon_and_midnight_are_times() {
        for text in ["12 Feb 2024 noon", "12 noon, 12 Feb 2024", "12 février 2024 à midi", "Feb 12 noon 2024"] {
            check(text, "2024-02-12T11:00:00Z");
        }
        for text in ["12 Feb 2024 12:00 midnight", "12 février 2024 à minuit", "12 Feb 2024 0:00 midnight"] {
            check(text, "2024-02-11T23:00:00Z");
        }
    }

    #[test]
    fn zones_go_by_their_abbreviations() {
        for text in [
            "12 Feb 2024 20:00 AEDT",
            "12 Feb 2024 22:00 NZDT",
            "12 Feb 2024 06:00 BRT",
            "12 Feb 2024 06:00 ART",
            "12 Feb 2024 05:00 CLT",
            "12 Feb 2024 14:30 IST",
            "12 Feb 2024 18:00 JST",
            "12 Feb 2024 16:00 WIB",
            "12 Feb 2024 11:00 SAST",
            "12 Feb 2024 10:00 MEZ",
            "12 févr. 2024 04:00 HNE",
            "Mon Feb 12 20:00:00 AEDT 2024",
        ] {
            check(text, "2024-02-12T09:00:00Z");
        }
    }

    #[test]
    fn an_abbreviation_of_several_zones_means_the_source_s_own() {
        let date = |zone| {
            read_date("12 Feb 2024 11:00 IST", zone, "2026-11-24T12:00:00Z".parse().unwrap()).date.unwrap().to_rfc3339()
        };
        assert_eq!(date(Tz::Asia__Jerusalem), "2024-02-12T09:00:00+00:00");
        assert_eq!(date(Tz::Europe__Paris), "2024-02-12T05:30:00+00:00");
    }

    /// Reads a date with a zone that nobody knows as UTC, and notes that.
    #[track_caller]
    fn check_unknown(text: &str, zone: &str) {
        let dated = read_date(text, Tz::Europe__Paris, "2026-11-24T12:00:00Z".parse().unwrap());
        assert_eq!(dated.date.unwrap().to_rfc3339(), "2024-02-12T09:00:00+00:00", "{text}");
        let message = format!("zone `{zone}` of a date is unknown: read as UTC");
        assert_eq!(dated.defect, Some(Defect { code: "zone".to_owned(), message }));
    }

    #[test]
    fn a_zone_that_nobody_knows_is_read_as_utc_and_noted() {
        check_unknown("Mon, 12 Feb 2024 09:00:00 QQT", "QQT");
        check_unknown("Mon, 12 Feb 2024 09:00 K", "K");
        check_unknown("Mon Feb 12 9:00:00 a.m. (XYZT) 2024", "XYZT");
        check_unknown("2024-02-12 09:00 Vulcan/Forge", "Vulcan/Forge");
    }

    #[test]
    fn words_around_a_time_are_no_zones() {
        for text in [
            "12/02/2024 10:00 Uhr",
            "12 FEB 2024 10:00 H",
            "10:00 LUNDI 12 FÉVRIER 2024",
            "10:00 12-02-2024",
            "10:00 FEB 12 2024",
            "am 12. Februar 2024 um 10.00 Uhr",
            "12.2.2024 10.00",
            "mandag den 12. februar 2024 kl. 10.00",
        ] {
            check(text, "2024-02-12T09:00:00Z");
        }
    }

    #[test]
    fn offsets_stand_where_they_can() {
        for text in [
            "Mon Feb 12 10:00:00 2024 +0100",
            "12/Feb/2024:10:00:00 +0100",
            "Mon Feb 12 2024 10:00:00 GMT+0100 (heure normale d’Europe centrale)",
            "2024-02-12 14:30:00 UTC+05:30",
            "2024-02-12T09:00:00Z/2024-03-12T09:00:00Z",
            "2024-02-12T10:00:00+01:00[Europe/Paris]",
            "12 Feb 2024 16:00 Asia/Novosibirsk",
        ] {
            check(text, "2024-02-12T09:00:00Z");
        }
    }

    #[test]
    fn iso_8601_has_more_forms_than_rfc_3339() {
        for text in ["2024-W07-1T09:00:00Z", "2024W071T0900Z", "2024-043T09:00Z", "2024043T0900Z", "20240212T0900Z"] {
            check(text, "2024-02-12T09:00:00Z");
        }
        check("2024-W07", "2024-02-11T23:00:00Z");
        check("20240212100000", "2024-02-12T09:00:00Z");
        check("202402121000", "2024-02-12T09:00:00Z");
        check("2024:02:12 10:00:00", "2024-02-12T09:00:00Z");
    }

    #[test]
    fn months_of_other_languages() {
        for text in [
            "12 февраля 2024 10:00",
            "Δευ, 12 Φεβ 2024 10:00",
            "12 Şubat 2024 Pazartesi 10:00",
            "maandag 12 februari 2024 10:00",
            "pon., 12 lut 2024 10:00",
            "2024. február 12., hétfő 10:00",
            "lunes, 12 de febrero de 2024, 10:00",
            "segunda-feira, 12 de fevereiro de 2024, 10h00",
            "الاثنين 12 فبراير 2024 10:00",
        ] {
            check(text, "2024-02-12T09:00:00Z");
        }
        check("mar., 2 janv. 2024 (mar.)", "2024-01-01T23:00:00Z");
    }

    #[test]
    fn machine_times_may_have_fractions_or_a_wrapping() {
        check("1707728400.25", "2024-02-12T09:00:00Z");
        check("/Date(1707728400000+0100)/", "2024-02-12T09:00:00Z");
    }
}

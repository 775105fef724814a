//! Dates as publishers write them: RFC 3339, RFC 822, and everything that claims to be one of them.
//!
//! One reading for all: times, zones, months and weekdays are recognised where they stand, the numbers that remain are
//! day, month and year. Numeric dates are European (day first) unless that makes no date or another weekday than the one
//! that is named. No clock: `now` is a parameter. Refused: any one parser of dates from a crate, since feeds write dozens
//! of forms.
//!
//! Not read, since no date is better than a wrong one: dates that depend on today (`hier`, `il y a 3 jours`), and years of
//! other calendars than the Gregorian. Such an entry is dated by our first sight of it.

mod names;
mod parts;
mod zones;

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Weekday};
use chrono_tz::Tz;

use self::parts::{Parts, tokens};
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

#[cfg(test)]
mod tests;

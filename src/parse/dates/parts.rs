//! The parts of a written date: its tokens, what each of them means beside the others, and the instant that they make.

use chrono::{Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Weekday};
use chrono_tz::{OffsetName, Tz};

use super::names::{self, PartOfDay};
use super::zones;
use crate::feed::Timestamp;
use crate::text::fold;

#[derive(Debug, Clone, Copy)]
pub(super) enum DatePart<'a> {
    /// Its value and how many digits it has.
    Number(u32, usize),
    Word(&'a str),
    /// Any other character but blanks; whether a digit stands right before it, and right after.
    Sign(char, bool, bool),
}

pub(super) fn tokens(text: &str) -> Vec<DatePart<'_>> {
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
pub(super) struct Parts {
    time: Option<(u32, u32, u32)>,
    /// The half of the day that the hour is counted in.
    half: Option<PartOfDay>,
    /// Seconds east of Greenwich, as digits say.
    offset: Option<i32>,
    /// An abbreviation and the minutes east of Greenwich that it usually means.
    zone: Option<(String, i32)>,
    /// A word in the place of a zone that is no zone we know.
    pub(super) unknown_zone: Option<String>,
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
    pub(super) fn take(&mut self, token: DatePart<'_>, after: &[DatePart<'_>]) -> usize {
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
            [DatePart::Number(both, 3 | 4), ..] => (both / 100, both % 100, 1),
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
    pub(super) fn instant(self, zone: Tz) -> Option<(Timestamp, Option<String>)> {
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

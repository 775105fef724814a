//! The text of a crontab pattern (crontab(5) of Vixie cron), turned into patterns for the `cron` crate.
//!
//! Every field becomes a list of plain numbers, so nothing of that crate's own syntax is relied on.
//!
//! Refused: fields for seconds or years, `L`, `W`, `#` and `?` of other crons, `H` of Jenkins, and `@reboot`, which names no
//! time.

use std::collections::BTreeSet;

/// Why a crontab pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not five fields.
    #[error("a crontab pattern has 5 fields, this has {0}")]
    Fields(usize),
    /// A word after `@` that is no name of a pattern.
    #[error("`{0}` is no name of a schedule")]
    Name(String),
    /// A part of a field that is neither a number nor a name of it.
    #[error("{field} `{part}` is neither `*`, a number nor a name")]
    Unreadable {
        /// The field's name.
        field: &'static str,
        /// As written.
        part: String,
    },
    /// A number outside the field.
    #[error("{field} `{value}` is not between {min} and {max}")]
    Outside {
        /// The field's name.
        field: &'static str,
        /// As written.
        value: String,
        /// The smallest.
        min: u32,
        /// The largest.
        max: u32,
    },
    /// A range whose end is before its start.
    #[error("{field} `{part}` runs backwards")]
    Backwards {
        /// The field's name.
        field: &'static str,
        /// As written.
        part: String,
    },
    /// A step that is 0, no number, or longer than the field.
    #[error("step in {field} `{part}` is not between 1 and {max}")]
    Step {
        /// The field's name.
        field: &'static str,
        /// As written.
        part: String,
        /// The longest.
        max: u32,
    },
    /// A date that no year has.
    #[error("this date never comes")]
    Never,
}

impl ScheduleError {
    /// Says what to write instead.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Fields(6 | 7) => {
                "write minute, hour, day of month, month, weekday; there is no field for seconds or years".into()
            }
            Self::Fields(_) => "write minute, hour, day of month, month, weekday: `0 * * * *` is every hour".into(),
            Self::Name(_) => format!("the names are {}", NAMES.map(|(name, _)| name).join(", ")),
            Self::Unreadable { .. } => "lists `1,15`, ranges `8-18` and steps `*/5` can be written".into(),
            Self::Outside { field, min, max, .. } => format!("the {field} goes from {min} to {max}"),
            Self::Backwards { .. } => "write two ranges: `22-23,0-5` for 22-5, `6-7` for Saturday and Sunday".into(),
            Self::Step { .. } => "`*/15` is every fifteenth".into(),
            Self::Never => "no such month has that day: 30 February, 31 April".into(),
        }
    }
}

/// The names of whole patterns, as crontab(5) has them; `@reboot` is no time.
const NAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// One of the five fields: its values from `min` to `max`, and what some of them are called.
struct CronField {
    name: &'static str,
    min: u32,
    max: u32,
    /// In the order of the values, from `min` on.
    names: &'static [&'static str],
}

const MINUTE: CronField = CronField { name: "minute", min: 0, max: 59, names: &[] };
const HOUR: CronField = CronField { name: "hour", min: 0, max: 23, names: &[] };
const DAY: CronField = CronField { name: "day of month", min: 1, max: 31, names: &[] };
const MONTH: CronField = CronField {
    name: "month",
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAY: CronField =
    CronField { name: "weekday", min: 0, max: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// A pattern that was read.
pub(super) struct Crontab {
    /// As written, blanks normalised.
    pub(super) text: String,
    /// For the `cron` crate to walk.
    pub(super) walks: Vec<cron::Schedule>,
    /// Its minute or its hour begins with `*`: it names no times of day but a rhythm.
    pub(super) is_rhythm: bool,
}

/// Reads a pattern.
pub(super) fn read(text: &str) -> Result<Crontab, ScheduleError> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let fields = if text.starts_with('@') {
        let named = NAMES.iter().find(|(name, _)| *name == text);
        named.ok_or_else(|| ScheduleError::Name(text.clone()))?.1
    } else {
        &text.clone()
    };
    let fields: Vec<&str> = fields.split(' ').filter(|field| !field.is_empty()).collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return Err(ScheduleError::Fields(fields.len()));
    };
    let numbers = Numbers {
        minute: MINUTE.read(minute)?,
        hour: HOUR.read(hour)?,
        day: DAY.read(day)?,
        month: MONTH.read(month)?,
        weekday: WEEKDAY.read(weekday)?,
    };
    // Vixie cron looks at the first character, so `*/2` counts as "not set" too.
    let is_either = !day.starts_with('*') && !weekday.starts_with('*');
    let walks = if is_either { vec![numbers.on_days(), numbers.on_weekdays()] } else { vec![numbers.on_both()] };
    let walks = walks.iter().map(|walk| walk.parse().map_err(|_| ScheduleError::Never)).collect::<Result<_, _>>()?;
    Ok(Crontab { is_rhythm: minute.starts_with('*') || hour.starts_with('*'), text, walks })
}

/// A pattern as lists of numbers.
struct Numbers {
    minute: BTreeSet<u32>,
    hour: BTreeSet<u32>,
    day: BTreeSet<u32>,
    month: BTreeSet<u32>,
    weekday: BTreeSet<u32>,
}

impl Numbers {
    fn on_both(&self) -> String {
        self.walk(&list(&self.day), &self.weekdays())
    }

    fn on_days(&self) -> String {
        self.walk(&list(&self.day), "*")
    }

    fn on_weekdays(&self) -> String {
        self.walk("*", &self.weekdays())
    }

    fn weekdays(&self) -> String {
        // The crate counts from 1 = Sunday; crontab from 0, and 7 is Sunday again.
        list(&self.weekday.iter().map(|weekday| weekday % 7 + 1).collect())
    }

    fn walk(&self, day: &str, weekday: &str) -> String {
        format!("0 {} {} {day} {} {weekday}", list(&self.minute), list(&self.hour), list(&self.month))
    }
}

fn list(numbers: &BTreeSet<u32>) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

impl CronField {
    fn read(&self, text: &str) -> Result<BTreeSet<u32>, ScheduleError> {
        let mut numbers = BTreeSet::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(self.step(step, part)?)),
                None => (part, None),
            };
            let (first, last) = self.range(range, step.is_some())?;
            numbers.extend((first..=last).step_by(step.unwrap_or(1)));
        }
        Ok(numbers)
    }

    fn range(&self, text: &str, has_step: bool) -> Result<(u32, u32), ScheduleError> {
        if text == "*" {
            return Ok((self.min, self.max));
        }
        let Some((first, last)) = text.split_once('-') else {
            let only = self.value(text)?;
            return Ok((only, if has_step { self.max } else { only }));
        };
        let (first, mut number) = (self.value(first)?, self.value(last)?);
        // `fri-sun`: as the end of a range of names, Sunday closes the week.
        if last == "sun" && first > 0 {
            number = 7;
        }
        if first > number {
            return Err(ScheduleError::Backwards { field: self.name, part: text.into() });
        }
        Ok((first, number))
    }

    fn step(&self, text: &str, part: &str) -> Result<usize, ScheduleError> {
        let step = text.parse().ok().filter(|step| (1..=self.max).contains(step));
        let step = step.and_then(|step| usize::try_from(step).ok());
        step.ok_or_else(|| ScheduleError::Step { field: self.name, part: part.into(), max: self.max })
    }

    fn value(&self, text: &str) -> Result<u32, ScheduleError> {
        if let Some(number) = (self.min..).zip(self.names).find_map(|(number, name)| (*name == text).then_some(number))
        {
            return Ok(number);
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ScheduleError::Unreadable { field: self.name, part: text.into() });
        }
        let number = text.parse().ok().filter(|number| (self.min..=self.max).contains(number));
        number.ok_or_else(|| ScheduleError::Outside {
            field: self.name,
            value: text.into(),
            min: self.min,
            max: self.max,
        })
    }
}

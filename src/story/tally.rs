//! Stories counted by day and by source: what plots and shares of pages are made from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The stories of one topic, or of several together, within a span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryTally {
    /// Days with stories (UTC, counted from 1970), each with the number of them.
    pub days: BTreeMap<i64, u64>,
    /// The sources that told them, by id.
    pub sources: BTreeMap<String, SourceTally>,
}

/// The stories that one source told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceTally {
    /// By the day of the week (UTC), Monday first.
    pub weekdays: [u64; 7],
    /// The date of the last, in seconds since 1970.
    pub last: i64,
}

impl StoryTally {
    /// Returns the number of stories; each has one day.
    #[must_use]
    pub fn stories(&self) -> u64 {
        self.days.values().sum()
    }

    /// Adds the stories of a source on one day of the week.
    pub fn add(&mut self, source_id: &str, weekday: usize, stories: u64, last: i64) {
        let source = self.sources.entry(source_id.to_owned()).or_default();
        if let Some(number) = source.weekdays.get_mut(weekday) {
            *number += stories;
        }
        source.last = source.last.max(last);
    }

    /// Adds the stories of another span, or of another topic: a story of both counts twice.
    pub fn join(&mut self, other: &Self) {
        for (day, stories) in &other.days {
            *self.days.entry(*day).or_default() += stories;
        }
        for (id, theirs) in &other.sources {
            for (weekday, stories) in theirs.weekdays.iter().enumerate() {
                self.add(id, weekday, *stories, theirs.last);
            }
        }
    }
}

impl SourceTally {
    /// Returns the number of stories.
    #[must_use]
    pub fn stories(&self) -> u64 {
        self.weekdays.iter().sum()
    }
}

/// Returns the day (UTC, counted from 1970) of an instant in seconds.
#[must_use]
pub fn day_of(seconds: i64) -> i64 {
    seconds.div_euclid(DAY)
}

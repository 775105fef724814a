//! When a source is polled: crontab patterns on a wall clock ([`Schedule`]) and the next poll ([`next_poll`]).
//!
//! The only home of `cron`. That crate wants seconds first, counts weekdays from 1 = Sunday, joins day-of-month and
//! weekday with "and", and on the nights when clocks change it skips runs, repeats them or steps back. So it is given
//! plain lists of numbers (`pattern`) and walks wall-clock time only; which instant a wall clock shows is decided
//! here. No clock is read.

mod next;
mod pattern;
mod silence;
mod standing;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

use crate::feed::Timestamp;

pub use next::{Asked, NextPoll, due, is_to_come, next_poll};
use pattern::Crontab;
pub use pattern::ScheduleError;
pub use silence::{RHYTHM, Silence, silence};
pub use standing::{Standing, needs_somebody};

/// A crontab pattern in a time zone. Cheap to clone.
#[derive(Clone)]
pub struct Schedule(Arc<Inner>);

struct Inner {
    text: String,
    zone: Tz,
    /// One walk, or two when the day of the month and the weekday are both set: then either makes a run.
    walks: Vec<cron::Schedule>,
    /// It names no times of day but a rhythm, which goes on while a clock shows an hour again.
    is_rhythm: bool,
}

impl Schedule {
    /// Reads what people write in a crontab: five fields (minute, hour, day of month, month, weekday) or a name.
    ///
    /// Lists `1,15`, ranges `8-18`, steps `*/5`, `1-30/2` and `10/15` (from 10 to the end), names `JAN`, `mon`, 0 and 7
    /// for Sunday; `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`. When both days are
    /// set and neither field starts with `*`, either makes a run, as Vixie cron does. A range runs upwards: `6-0` is
    /// refused there too, but `FRI-SUN` is understood.
    ///
    /// # Errors
    /// The first fault in the pattern, and a pattern that can never make a run (30 February).
    pub fn parse(text: &str, zone: Tz) -> Result<Self, ScheduleError> {
        let Crontab { text, walks, is_rhythm } = pattern::read(text)?;
        let schedule = Self(Arc::new(Inner { text, zone, walks, is_rhythm }));
        match schedule.next_wall(DateTime::UNIX_EPOCH.naive_utc()) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::Never),
        }
    }

    /// Returns the pattern as written, blanks normalised.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Returns the zone whose wall clock the pattern speaks of.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.0.zone
    }

    /// Returns the first run strictly after `now`; `None` after the year 2100, where `cron` ends.
    ///
    /// A wall-clock time that does not exist (spring) runs at the first instant after the gap. One that exists twice
    /// (autumn) runs once, the first time, unless the minute or the hour of the pattern begins with `*`: then it runs
    /// both times, as in Debian's cron.
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        // `max`: cron begins in 1970 too. No instant near the ends of chrono's range reaches its arithmetic.
        let now = now.max(DateTime::UNIX_EPOCH);
        if now.year() > YEAR_MAX {
            return None;
        }
        let first = self.next_first(now)?;
        let repeated = if self.0.is_rhythm { self.next_repeated(now, first) } else { None };
        Some(repeated.unwrap_or(first))
    }

    /// Returns the first run after `now` on a wall clock that stands still while it shows an hour again.
    fn next_first(&self, now: Timestamp) -> Option<Timestamp> {
        let mut wall = now.with_timezone(&self.0.zone).naive_local();
        // Going forward on the wall clock never goes back in time (see `instant`), so the first later one is the next.
        // More than one turn is needed only in the hour that a clock shows for the second time.
        loop {
            wall = self.next_wall(wall)?;
            let instant = instant(wall, self.0.zone)?;
            if instant > now {
                return Some(instant);
            }
        }
    }

    /// Returns the first run between `now` and `end` that only a clock that was set back shows.
    ///
    /// Walks with the distances from UTC at both ends: in an autumn night the second is that of the repeated hour.
    fn next_repeated(&self, now: Timestamp, end: Timestamp) -> Option<Timestamp> {
        let offset = |at: Timestamp| at.with_timezone(&self.0.zone).offset().fix();
        let runs = [now, end].into_iter().filter_map(|at| {
            let offset = offset(at);
            let clock = |at: Timestamp| at.with_timezone(&offset).naive_local();
            let instant = |wall: NaiveDateTime| wall.and_local_timezone(offset).single().map(|at| at.to_utc());
            let walls = std::iter::successors(self.next_wall(clock(now)), |wall| self.next_wall(*wall));
            // At most the minutes by which the two distances differ.
            let mut runs = walls.map_while(instant).take_while(|run| *run < end);
            runs.find(|run| self.0.zone.offset_from_utc_datetime(&run.naive_utc()).fix() == offset)
        });
        runs.min()
    }

    /// Returns the shortest distance between the next few runs: what jitter and back-off are measured by. A day if
    /// there are not two.
    ///
    /// Of a few, so that it hardly changes with `now`: not in the autumn night, nor between 0 and 5 of `0,5 * * * *`.
    #[must_use]
    pub fn interval_at(&self, now: Timestamp) -> TimeDelta {
        let runs = std::iter::successors(self.next_after(now), |run| self.next_after(*run)).take(RUNS_COMPARED);
        let runs: Vec<Timestamp> = runs.collect();
        let distances = runs.iter().zip(runs.iter().skip(1)).map(|(run, next)| *next - *run);
        distances.min().unwrap_or(TimeDelta::days(1))
    }

    fn next_wall(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let runs = self.0.walks.iter().filter_map(|walk| walk.after(&wall.and_utc()).next());
        runs.min().map(|run| run.naive_utc())
    }
}

/// Runs that tell the interval.
const RUNS_COMPARED: usize = 4;

/// The last year that `cron` walks.
const YEAR_MAX: i32 = 2100;

/// Returns the instant at which a clock in `zone` first shows `wall`, or passes it in a gap. Never decreases with `wall`.
fn instant(wall: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    let shown = zone.from_local_datetime(&wall).earliest();
    let passed = || GapInfo::new(&wall, &zone).and_then(|gap| gap.end);
    shown.or_else(passed).map(|instant| instant.with_timezone(&Utc))
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.text() == other.text() && self.zone() == other.zone())
    }
}

impl Eq for Schedule {}

impl fmt::Debug for Schedule {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Schedule({:?}, {})", self.text(), self.zone())
    }
}

impl fmt::Display for Schedule {
    /// As people say it: `hourly schedule`, else the pattern.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            "@hourly" | "0 * * * *" => to.write_str("hourly schedule"),
            "@daily" | "@midnight" => to.write_str("daily schedule"),
            "@weekly" => to.write_str("weekly schedule"),
            "@monthly" => to.write_str("monthly schedule"),
            "@yearly" | "@annually" => to.write_str("yearly schedule"),
            text => write!(to, "schedule `{text}`"),
        }
    }
}

#[cfg(test)]
mod tests;

//! The next poll of a source: the schedule proposes, everything else may only postpone.
//!
//! A pure decision (RFC 9110 §10.2.3 `Retry-After`, RFC 9111 §4.2.1 freshness, RSS 2.0 `ttl`, `skipHours`, `skipDays`,
//! RSS 1.0 `sy:*`), made after each poll with what that poll taught.

use std::time::Duration;

use chrono::{Datelike, DurationRound, TimeDelta, Timelike, Weekday};
use xxhash_rust::xxh3::xxh3_64;

use super::Schedule;
use crate::feed::{Rhythm, Timestamp};
use crate::state::{RETRY_AFTER_MAX, Wait};
use crate::text::exact_duration;

/// Longest back-off after failures: a source is never given up.
const BACK_OFF_MAX: TimeDelta = TimeDelta::days(1);

/// Longest that closed hours and days can postpone, beyond `poll.postpone_max`: a long weekend.
/// Capped at a day, every closed day would be asked once.
///
/// Asked once in the middle of each closed day, a publisher would find that we do not read what it says.
const CLOSED_MAX: TimeDelta = TimeDelta::hours(73);

/// Longest jitter: who writes "every day at six" expects it before seven.
const JITTER_MAX: TimeDelta = TimeDelta::minutes(30);

/// Pause between two polls of a source whose hub tells of all news.
const PUSHED_PAUSE: TimeDelta = TimeDelta::days(1);

/// The facts that decide when a source is polled next.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The source's id; its hash is the jitter.
    pub source_id: &'a str,
    /// When the operator wants it polled.
    pub schedule: &'a Schedule,
    /// The waits of the server's last answer. A wait whose words begin with `Retry-After` may pass `postpone_max`.
    pub waits: &'a [Wait],
    /// The rhythm that the document asks for.
    pub rhythm: &'a Rhythm,
    /// Failed polls in a row, this one included.
    pub failures: u32,
    /// Whether a hub tells of all news, so that polls are only to check that.
    pub is_pushed: bool,
    /// Longest postponement that waits and rhythm can cause (`poll.postpone_max`).
    pub postpone_max: Duration,
}

/// When a source is polled next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPoll {
    /// Not before it.
    pub at: Timestamp,
    /// In a line for people: `hourly schedule`, `Retry-After: 3600`, `5 failures in a row: every 16 h`.
    pub why: String,
}

/// Returns when to poll next after a poll at `now`.
///
/// A *round* is a run of the schedule plus the source's jitter, fixed for the source within a tenth of the interval.
/// The next round is the earliest; the latest of what the server, the document and the back-off ask for postpones it.
/// A postponed poll keeps its own time (a `Retry-After` of 61 minutes does not make an hourly source wait two hours),
/// unless the round after it is nearer than half an interval: then it joins that round, so that two polls are never
/// closer than half an interval and at most one falls between two runs.
#[must_use]
pub fn next_poll(asked: &Asked<'_>, now: Timestamp) -> NextPoll {
    let postpone_max = TimeDelta::from_std(asked.postpone_max).unwrap_or(TimeDelta::MAX);
    let rounds = Rounds::of(asked, now);
    let mut next = NextPoll { at: rounds.after(now), why: asked.schedule.to_string() };
    for wish in wishes(asked, rounds.interval, postpone_max) {
        let at = later(now, wish.delay);
        if at > next.at {
            next = NextPoll { at, why: wish.why };
        }
    }
    let latest = later(now, postpone_max).max(next.at);
    next.at = rounds.join(next.at, latest).unwrap_or(next.at);
    match first_open(asked.rhythm, next.at) {
        Some(open) if open > next.at => {
            let latest = latest.max(later(now, CLOSED_MAX));
            let round = rounds.join(open, latest).filter(|round| is_open(asked.rhythm, *round));
            let at = round.unwrap_or(open).min(latest).max(next.at);
            NextPoll { at, why: closed_hours(asked.rhythm) }
        }
        _ => next,
    }
}

/// A clock may be corrected by so much, and a poll may be so long under way.
const CLOCK_SLACK: TimeDelta = TimeDelta::minutes(5);

/// Returns when a source is due that is planned for `next_poll`; `None` if no plan can have led there, so that it is due.
///
/// A clock that was ahead leaves polls in the future, and plans further away than any schedule or wait can set.
#[must_use]
pub fn due(asked: &Asked<'_>, last_poll: Option<Timestamp>, next_poll: Timestamp, now: Timestamp) -> Option<Timestamp> {
    if is_to_come(last_poll, now) {
        return None;
    }
    let Rounds { interval, .. } = Rounds::of(asked, now);
    let postpone_max = TimeDelta::from_std(asked.postpone_max).unwrap_or(TimeDelta::MAX);
    let waits = [postpone_max, RETRY_AFTER_MAX, CLOSED_MAX, BACK_OFF_MAX, interval];
    let wait = waits.into_iter().max().unwrap_or(BACK_OFF_MAX);
    let run = asked.schedule.next_after(now).unwrap_or_else(|| later(now, TimeDelta::days(1)));
    // A plan may join the round after it, up to half an interval later.
    let latest = later(later(later(now, wait).max(run), interval / 2), JITTER_MAX + CLOCK_SLACK);
    Some(next_poll).filter(|next| *next <= latest)
}

/// Tells whether something that has happened is still to come by this clock: then it was ahead.
#[must_use]
pub fn is_to_come(happened: Option<Timestamp>, now: Timestamp) -> bool {
    happened.is_some_and(|at| at > later(now, CLOCK_SLACK))
}

/// A wish to be left alone for a while.
struct Wish {
    delay: TimeDelta,
    why: String,
}

fn wishes(asked: &Asked<'_>, interval: TimeDelta, postpone_max: TimeDelta) -> Vec<Wish> {
    let waits = asked.waits.iter().map(|wait| cut(wait.delay, wait.why.clone(), postpone_max));
    let ttl = asked.rhythm.ttl.map(|ttl| cut(ttl, format!("ttl: {}", exact_duration(ttl)), postpone_max));
    let period = asked.rhythm.update_period;
    let period = period.map(|period| cut(period, format!("sy:updatePeriod: {}", exact_duration(period)), postpone_max));
    let check =
        asked.is_pushed.then(|| Wish { delay: PUSHED_PAUSE, why: "its hub tells of news: once a day".to_owned() });
    waits.chain(ttl).chain(period).chain(check).chain(back_off(asked.failures, interval)).collect()
}

fn cut(delay: TimeDelta, why: String, postpone_max: TimeDelta) -> Wish {
    let max = if why.starts_with("Retry-After") { postpone_max.max(RETRY_AFTER_MAX) } else { postpone_max };
    let why = if delay > max { format!("{why}, cut to {}", exact_duration(max)) } else { why };
    Wish { delay: delay.min(max), why }
}

/// Doubles the interval with each failure after the first, which may be chance.
fn back_off(failures: u32, interval: TimeDelta) -> Option<Wish> {
    let doublings = failures.checked_sub(1).filter(|doublings| *doublings > 0)?;
    let doubled = 2_i32.checked_pow(doublings).and_then(|factor| interval.checked_mul(factor));
    // `max`: a source with a weekly schedule is not polled daily because it fails.
    let delay = doubled.unwrap_or(TimeDelta::MAX).min(BACK_OFF_MAX.max(interval));
    Some(Wish { delay, why: format!("{failures} failures in a row: every {}", exact_duration(delay)) })
}

/// The runs of a schedule, each moved by the source's jitter.
struct Rounds<'a> {
    schedule: &'a Schedule,
    interval: TimeDelta,
    jitter: TimeDelta,
}

impl<'a> Rounds<'a> {
    fn of(asked: &Asked<'a>, now: Timestamp) -> Self {
        let interval = asked.schedule.interval_at(now);
        let room = (interval / 10).min(JITTER_MAX).num_seconds().unsigned_abs();
        let jitter = i64::try_from(xxh3_64(asked.source_id.as_bytes()) % (room + 1));
        let jitter = jitter.ok().and_then(TimeDelta::try_seconds).unwrap_or_default();
        Self { schedule: asked.schedule, interval, jitter }
    }

    /// Returns the round of the first run after `at`; a day later if the schedule has ended.
    fn after(&self, at: Timestamp) -> Timestamp {
        self.schedule.next_after(at).map_or_else(|| later(at, TimeDelta::days(1)), |run| later(run, self.jitter))
    }

    /// Returns the first round not before `at` if it is near enough to wait for.
    fn join(&self, at: Timestamp, latest: Timestamp) -> Option<Timestamp> {
        // The least before, so that a round exactly at `at` counts.
        let round = self.after(later(at, -self.jitter - TimeDelta::nanoseconds(1)));
        Some(round).filter(|round| *round - at < self.interval / 2 && *round <= latest)
    }
}

fn later(at: Timestamp, delay: TimeDelta) -> Timestamp {
    at.checked_add_signed(delay).unwrap_or(at)
}

/// Returns whether the document lets itself be polled at `at` (`skipHours` and `skipDays` are in GMT).
fn is_open(rhythm: &Rhythm, at: Timestamp) -> bool {
    let is_skipped = |hour: &u8| u32::from(*hour) == at.hour();
    !rhythm.skip_hours.iter().any(is_skipped) && !rhythm.skip_days.contains(&at.weekday())
}

/// Returns the first open instant from `at` on; `None` if the whole week is closed, which nobody means.
fn first_open(rhythm: &Rhythm, at: Timestamp) -> Option<Timestamp> {
    let hour = at.duration_trunc(TimeDelta::hours(1)).ok()?;
    let hours = (1..=7 * 24).map(|hours| later(hour, TimeDelta::hours(hours)));
    std::iter::once(at).chain(hours).find(|at| is_open(rhythm, *at))
}

fn closed_hours(rhythm: &Rhythm) -> String {
    let days = rhythm.skip_days.iter().map(Weekday::to_string).collect::<Vec<_>>().join(", ");
    let hours = rhythm.skip_hours.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    match (days.is_empty(), hours.is_empty()) {
        (false, false) => format!("skipDays: {days}; skipHours: {hours} (GMT)"),
        (false, true) => format!("skipDays: {days} (GMT)"),
        (true, _) => format!("skipHours: {hours} (GMT)"),
    }
}

#[cfg(test)]
mod tests;

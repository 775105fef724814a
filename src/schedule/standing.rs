//! The standing of a source at one moment, in one word. Pure.

use chrono::TimeDelta;
use serde::Serialize;

use crate::feed::Timestamp;
use crate::state::{Health, Polls, SourceState};

/// Time without news from which a source sleeps.
const ASLEEP_FROM: TimeDelta = TimeDelta::days(365);

/// The standing of a source. The order is that of lists: troubles first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its server says that it is gone for good.
    Gone,
    /// Its last polls failed.
    Failing,
    /// It answers, but has had nothing new for longer than ever.
    Silent,
    /// It answers, but has had nothing new for a year.
    Asleep,
    /// It answers, but has never had an entry.
    Empty,
    /// It was not polled yet.
    NeverPolled,
    /// It answers.
    Ok,
    /// The config says that it is not to be polled.
    Disabled,
}

impl Standing {
    /// Every one, in their order.
    pub const ALL: [Self; 8] = [
        Self::Gone,
        Self::Failing,
        Self::Silent,
        Self::Asleep,
        Self::Empty,
        Self::NeverPolled,
        Self::Ok,
        Self::Disabled,
    ];

    /// Judges a source by how its polls went, whether it is silent, and the date of its last news.
    #[must_use]
    pub fn of(polls: Polls, is_enabled: bool, is_silent: bool, news: Option<Timestamp>, now: Timestamp) -> Self {
        if !is_enabled {
            Self::Disabled
        } else if polls.retired {
            Self::Gone
        } else if polls.failures > 0 {
            Self::Failing
        } else if polls.last_success.is_none() {
            Self::NeverPolled
        } else if news.is_some_and(|news| now - news > ASLEEP_FROM) {
            Self::Asleep
        } else if is_silent {
            Self::Silent
        } else if news.is_none() {
            Self::Empty
        } else {
            Self::Ok
        }
    }

    /// Returns the word for it in English.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::Silent => "silent",
            Self::Asleep => "asleep",
            Self::Empty => "empty",
            Self::NeverPolled => "never polled",
            Self::Ok => "ok",
            Self::Disabled => "disabled",
        }
    }

    /// Returns the word for it in programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        if self == Self::NeverPolled { "never_polled" } else { self.in_words() }
    }
}

/// Whether somebody must see to a source: it is gone, is no feed any more, or fails in a way that does not end by itself.
#[must_use]
pub fn needs_somebody(state: &SourceState) -> bool {
    matches!(state.turn(None, false), Some(Health::Gone | Health::Unreadable | Health::Unreachable))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::PollFailure;

    fn now() -> Timestamp {
        "2026-11-28T12:00:00Z".parse().unwrap()
    }

    fn polled() -> SourceState {
        SourceState { last_success: Some(now()), ..SourceState::default() }
    }

    fn failing(failures: u32, code: &str) -> SourceState {
        let last_error = Some(PollFailure { code: code.into(), message: String::new(), since: now() });
        SourceState { failures, last_error, ..polled() }
    }

    /// Checks how an enabled source stands whose last news is so many days old.
    #[track_caller]
    fn check(state: &SourceState, days: Option<i64>, is_silent: bool, expected: Standing) {
        let news = days.map(|days| now() - TimeDelta::days(days));
        assert_eq!(Standing::of(state.polls(), true, is_silent, news, now()), expected);
    }

    #[test]
    fn a_source_sleeps_after_a_year_without_news() {
        check(&polled(), Some(364), false, Standing::Ok);
        check(&polled(), Some(366), false, Standing::Asleep);
        check(&polled(), Some(366), true, Standing::Asleep);
        check(&polled(), Some(40), true, Standing::Silent);
        check(&polled(), None, false, Standing::Empty);
    }

    #[test]
    fn a_failure_is_told_before_a_silence() {
        check(&failing(1, "timeout"), Some(366), true, Standing::Failing);
        check(&SourceState { retired: true, ..failing(1, "http_410") }, None, false, Standing::Gone);
        check(&SourceState::default(), None, false, Standing::NeverPolled);
        assert_eq!(Standing::of(failing(9, "dns").polls(), false, false, None, now()), Standing::Disabled);
    }

    #[test]
    fn somebody_is_needed_for_what_does_not_end_by_itself() {
        for (state, expected) in [
            (polled(), false),
            (failing(1, "timeout"), false),
            (failing(3, "timeout"), true),
            (failing(1, "http_404"), true),
            (failing(1, "not_a_feed"), true),
            (SourceState { retired: true, ..polled() }, true),
        ] {
            assert_eq!(needs_somebody(&state), expected, "{state:?}");
        }
    }
}

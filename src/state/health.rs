//! The health of sources, hubs, posts and the config, for people: only its changes, so that a feed of them stays quiet.

use serde::{Deserialize, Serialize};

use super::SourceState;
use crate::feed::Timestamp;
use crate::outage::Lack;

/// Something that became of a source, a hub, a post or the config, for people who follow the health of sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The source, hub, post or config whose health has changed.
    pub of: Monitored,
    /// When we noticed.
    pub date: Timestamp,
    /// Its new health.
    pub health: Health,
    /// One line: why, or where to.
    pub detail: Option<String>,
}

/// A part of the service whose health people follow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Monitored {
    /// A source, by its id.
    Source(String),
    /// A hub, by its address.
    Hub(String),
    /// A post, by its id.
    Post(String),
    /// The config file.
    Config,
    /// This machine, by the thing that it lacks.
    Machine(Lack),
}

/// The health of a source, a hub, a post, the config or this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It is well again, or speaks again.
    Recovered,
    /// It has had no news for much longer than it used to.
    Silent,
    /// Its server cannot be reached or refuses.
    Unreachable,
    /// Something is there, but no feed.
    Unreadable,
    /// Its server says that it is gone for good.
    Gone,
    /// Its new address was adopted.
    Moved,
    /// The config has mistakes; the last good one is in force.
    Invalid,
    /// This machine lacks something (`outage`).
    Lacking,
    /// The target of a post refuses us until somebody changes something.
    Refused,
}

/// Failures in a row before a server counts as unreachable: most are over by the next poll.
///
/// A feed of every failed poll would be left by its readers.
const UNREACHABLE_FROM: u32 = 3;

impl SourceState {
    /// Returns what has become of the source, if that differs from `last`, its last change but moves.
    ///
    /// `spoke`: it has just brought something new.
    #[must_use]
    pub fn turn(&self, last: Option<Health>, spoke: bool) -> Option<Health> {
        let turn = match &self.last_error {
            _ if self.retired => Health::Gone,
            None if last == Some(Health::Silent) && !spoke => return None,
            None => Health::Recovered,
            Some(error) if is_no_feed(&error.code) => Health::Unreadable,
            Some(error) if self.failures >= UNREACHABLE_FROM || !is_transient(&error.code) => Health::Unreachable,
            Some(_) => return None,
        };
        (turn != last.unwrap_or(Health::Recovered)).then_some(turn)
    }
}

/// Whether a failed poll brought something that is no feed.
fn is_no_feed(code: &str) -> bool {
    matches!(code, "empty" | "not_a_feed" | "unreadable" | "reader_failed" | "too_large")
}

/// Whether a failure may be over at the next poll.
fn is_transient(code: &str) -> bool {
    matches!(code, "dns" | "connect" | "tls" | "proxy" | "timeout" | "protocol" | "body_broken" | "coding")
        || matches!(code, "http_408" | "http_421" | "http_425" | "http_429")
        || code.starts_with("http_5")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::PollFailure;

    /// Takes a source that failed so often with this code through a turn.
    #[track_caller]
    fn check(failures: u32, code: &str, last: Option<Health>, expected: Option<Health>) {
        let since = Timestamp::UNIX_EPOCH;
        let last_error = (failures > 0).then(|| PollFailure { code: code.into(), message: String::new(), since });
        let state = SourceState { failures, last_error, ..SourceState::default() };
        assert_eq!(state.turn(last, false), expected);
    }

    #[test]
    fn a_source_that_was_always_well_is_no_news() {
        check(0, "", None, None);
    }

    #[test]
    fn what_is_no_feed_is_told_at_once_and_only_once() {
        check(1, "not_a_feed", None, Some(Health::Unreadable));
        check(2, "not_a_feed", Some(Health::Unreadable), None);
    }

    #[test]
    fn what_may_be_over_soon_is_told_when_it_lasts() {
        check(1, "timeout", None, None);
        check(2, "http_503", None, None);
        check(3, "timeout", None, Some(Health::Unreachable));
        check(1, "http_404", None, Some(Health::Unreachable));
    }

    #[test]
    fn who_is_well_again_has_recovered() {
        check(0, "", Some(Health::Unreachable), Some(Health::Recovered));
        check(0, "", Some(Health::Recovered), None);
    }

    #[test]
    fn a_silent_source_recovers_by_speaking() {
        let state = SourceState::default();
        assert_eq!(state.turn(Some(Health::Silent), false), None);
        assert_eq!(state.turn(Some(Health::Silent), true), Some(Health::Recovered));
    }
}

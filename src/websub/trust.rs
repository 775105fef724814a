//! Whether a hub tells everything, as polls see it.
//!
//! A poll that finds what a push has told confirms the hub. A poll that finds news of which no push comes within
//! [`GRACE`] is a miss: the hub loses the trust, and earns it anew.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::FeedSubscription;
use crate::feed::Timestamp;

/// Confirmations in a row from which a hub is trusted.
const CONFIRMATIONS: u32 = 2;

/// Time that a push may be late, or before the poll that it made us begin.
const GRACE: TimeDelta = TimeDelta::minutes(15);

/// The trust in the hub of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PushTrust {
    /// Polls in a row that found what pushes had told.
    pub confirmed: u32,
    /// A poll found news then of which no push had told.
    pub doubt: Option<Timestamp>,
    /// Number of misses.
    pub missed: u32,
    /// The last miss.
    pub missed_at: Option<Timestamp>,
    /// The last poll that was answered.
    pub polled: Option<Timestamp>,
}

impl PushTrust {
    /// Whether polls have confirmed the hub, and nothing is in doubt.
    #[must_use]
    pub fn is_earned(&self) -> bool {
        self.confirmed >= CONFIRMATIONS && self.doubt.is_none()
    }

    /// Learns from a poll that was answered, and found news or none.
    #[must_use]
    pub fn after_poll(&self, subscription: &FeedSubscription, found_news: bool, now: Timestamp) -> Self {
        let mut next = Self { polled: Some(now), ..self.clone() };
        let last_push = subscription.last_push;
        if let Some(doubt) = self.doubt {
            if last_push.is_some_and(|push| push >= doubt && push - doubt <= GRACE) {
                next.doubt = None;
            } else if now - doubt > GRACE || now < doubt {
                next = Self {
                    confirmed: 0,
                    doubt: None,
                    missed: self.missed.saturating_add(1),
                    missed_at: Some(now),
                    ..next
                };
            }
        }
        // News that came before the hub began to push is no miss of its.
        let was_live = subscription.verified.zip(self.polled).is_some_and(|(verified, polled)| verified <= polled);
        if !was_live || !subscription.is_live(now) {
            return next;
        }
        let is_told = last_push > self.polled;
        let is_told_lately = last_push.is_some_and(|push| now - push <= GRACE);
        match (found_news, is_told, is_told_lately) {
            // Nothing was left to find, or the push was the reason to look.
            (false, true, _) | (true, true, true) => next.confirmed = next.confirmed.saturating_add(1),
            (true, _, false) => next.doubt = next.doubt.or(Some(now)),
            (true, false, true) | (false, false, _) => {}
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::super::intent::tests::subscription;
    use super::*;

    fn minute(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes)
    }

    /// An event in the life of a feed, at a minute.
    enum Event {
        Push(i64),
        Poll(i64, bool),
    }

    use Event::{Poll, Push};

    /// Lives through events with a subscription that is verified at minute 0; returns the trust.
    fn after(events: &[Event]) -> PushTrust {
        let mut subscription = subscription();
        subscription.verified = Some(minute(0));
        subscription.lease_end = Some(minute(100_000));
        subscription.last_push = None;
        for event in events {
            match event {
                Push(at) => subscription.last_push = Some(minute(*at)),
                Poll(at, found) => {
                    subscription.trust = subscription.trust.after_poll(&subscription, *found, minute(*at));
                }
            }
        }
        subscription.trust
    }

    #[track_caller]
    fn check(events: &[Event], is_earned: bool, missed: u32) {
        let trust = after(events);
        assert_eq!((trust.is_earned(), trust.missed), (is_earned, missed), "{trust:?}");
    }

    #[test]
    fn two_polls_that_find_nothing_beyond_what_was_pushed_earn_trust() {
        check(&[Poll(10, true), Push(20), Poll(70, false)], false, 0);
        check(&[Poll(10, true), Push(20), Poll(70, false), Push(80), Poll(130, false)], true, 0);
    }

    #[test]
    fn pings_that_make_us_find_news_earn_trust_too() {
        check(&[Poll(10, false), Push(20), Poll(21, true), Push(30), Poll(31, true)], true, 0);
    }

    #[test]
    fn a_quiet_feed_shows_nothing_and_loses_nothing() {
        check(&[Poll(10, false), Poll(70, false), Poll(130, false)], false, 0);
        check(&[Poll(10, false), Push(20), Poll(70, false), Push(80), Poll(130, false), Poll(5000, false)], true, 0);
    }

    #[test]
    fn news_before_the_subscription_are_no_miss() {
        check(&[Poll(-50, false), Poll(10, true), Poll(70, false)], false, 0);
    }

    #[test]
    fn a_push_that_is_late_by_minutes_is_no_miss() {
        let earned = || [Poll(10, false), Push(20), Poll(70, false), Push(80), Poll(130, false)];
        let late = [Poll(1570, true), Push(1575), Poll(1630, false)];
        check(&earned().into_iter().chain(late).collect::<Vec<_>>(), true, 0);
    }

    #[test]
    fn news_of_which_no_push_tells_lose_the_trust() {
        let earned = || [Poll(10, false), Push(20), Poll(70, false), Push(80), Poll(130, false)];
        check(&earned().into_iter().chain([Poll(1570, true)]).collect::<Vec<_>>(), false, 0);
        check(&earned().into_iter().chain([Poll(1570, true), Poll(1630, false)]).collect::<Vec<_>>(), false, 1);
        let again = [Poll(1570, true), Poll(1630, false), Push(1640), Poll(1690, false)];
        check(&earned().into_iter().chain(again).collect::<Vec<_>>(), false, 1);
    }
}

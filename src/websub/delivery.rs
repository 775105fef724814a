//! Deliveries of our hub (§7): when one is tried again, and when it is given up.

use chrono::TimeDelta;

use super::{Subscriber, step};
use crate::feed::Timestamp;

/// Pause after the first failure; doubles with each further one.
const PAUSE: TimeDelta = TimeDelta::minutes(1);
const PAUSE_MAX: TimeDelta = TimeDelta::hours(6);

/// A document is given up that a subscriber did not take for so long. The next one is tried again, until the lease is over.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(3);

/// Longest reason that is kept.
const WHY_MAX: usize = 200;

/// The result of a delivery, to be kept of a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryResult {
    /// The subscriber's number.
    pub number: i64,
    /// The mark of the document that it has, or that was given up.
    pub told: String,
    /// When the delivery is tried again.
    pub next_try: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// When they began.
    pub since: Option<Timestamp>,
    /// Why the last one failed.
    pub why: Option<String>,
    /// Whether the subscriber says that it is gone (410).
    pub is_gone: bool,
}

impl DeliveryResult {
    /// The subscriber has the document with this mark.
    #[must_use]
    pub fn taken(subscriber: &Subscriber, mark: &str) -> Self {
        let (number, told) = (subscriber.number, mark.to_owned());
        Self { number, told, next_try: None, failures: 0, since: None, why: None, is_gone: false }
    }

    /// The subscriber says that its subscription was deleted.
    #[must_use]
    pub fn gone(subscriber: &Subscriber) -> Self {
        Self { is_gone: true, ..Self::taken(subscriber, &subscriber.told) }
    }

    /// The subscriber did not take the document, and may have asked for a pause.
    #[must_use]
    pub fn failed(subscriber: &Subscriber, mark: &str, why: &str, asked: Option<TimeDelta>, now: Timestamp) -> Self {
        let failures = subscriber.failures.saturating_add(1);
        let since = subscriber.since.filter(|since| *since <= now).unwrap_or(now);
        let is_given_up = now - since >= GIVEN_UP_AFTER;
        let pause = step::doubled(PAUSE, PAUSE_MAX, failures).max(asked.unwrap_or_default().min(GIVEN_UP_AFTER));
        Self {
            number: subscriber.number,
            told: if is_given_up { mark.to_owned() } else { subscriber.told.clone() },
            next_try: (!is_given_up).then(|| now + pause),
            failures,
            // The next document has its own days.
            since: (!is_given_up).then_some(since),
            why: Some(why.chars().take(WHY_MAX).collect()),
            is_gone: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber() -> Subscriber {
        Subscriber {
            number: 7,
            callback: "https://reader.example/".into(),
            topic: "https://site.example/a.atom".into(),
            secret: None,
            lease_end: None,
            told: "old".into(),
            next_try: None,
            failures: 0,
            since: None,
            why: None,
            intent: None,
        }
    }

    fn hour(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::hours(hours)
    }

    /// Fails again and again; returns the hours at which it was tried until the document was given up.
    fn tries() -> Vec<i64> {
        let (mut subscriber, mut now, mut tried) = (subscriber(), hour(0), Vec::new());
        loop {
            tried.push((now - hour(0)).num_hours());
            let result = DeliveryResult::failed(&subscriber, "new", "it answered 500", None, now);
            if result.told == "new" {
                return tried;
            }
            now = result.next_try.unwrap();
            let DeliveryResult { failures, since, .. } = result;
            subscriber = Subscriber { failures, since, ..subscriber };
        }
    }

    #[test]
    fn a_delivery_is_tried_for_three_days_less_and_less_often() {
        let tried = tries();
        assert_eq!(tried.first(), Some(&0));
        assert!((72..80).contains(tried.last().unwrap()) && tried.len() < 30, "{tried:?}");
    }

    #[test]
    fn a_subscriber_that_asks_for_a_pause_has_it() {
        let result = DeliveryResult::failed(&subscriber(), "new", "503", Some(TimeDelta::hours(2)), hour(0));
        assert_eq!(result.next_try, Some(hour(2)));
        let result = DeliveryResult::failed(&subscriber(), "new", "503", Some(TimeDelta::days(1000)), hour(0));
        assert_eq!(result.next_try, Some(hour(72)));
    }

    #[test]
    fn a_document_that_is_taken_ends_all_failures() {
        let failing = Subscriber { failures: 9, since: Some(hour(0)), ..subscriber() };
        let result = DeliveryResult::taken(&failing, "new");
        assert_eq!((result.told.as_str(), result.failures, result.since), ("new", 0, None));
    }
}

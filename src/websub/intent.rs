//! Verification of intent (§5.3) and denial (§5.2), as a subscriber answers them.

use chrono::TimeDelta;
use url::form_urlencoded;

use super::{FeedSubscription, LEASE_ASKED, SubscriptionStage, step};
use crate::feed::Timestamp;

/// A hub may verify a request for so long: later nobody knows any more that we asked.
const ANSWERED_FOR: TimeDelta = TimeDelta::days(1);

/// Longest lease that is believed: beyond it the subscription is renewed all the same.
const LEASE_MAX: TimeDelta = TimeDelta::days(60);

/// Longest challenge.
const CHALLENGE_BYTES_MAX: usize = 4 << 10;

/// Longest reason of a denial that is kept.
const REASON_MAX: usize = 200;

/// The parameters of a request to our callback.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntentQuery {
    /// `hub.mode`.
    pub mode: String,
    /// `hub.topic`.
    pub topic: String,
    /// `hub.challenge`.
    pub challenge: String,
    /// `hub.lease_seconds`, as written.
    pub lease_seconds: Option<String>,
    /// `hub.reason`.
    pub reason: Option<String>,
}

impl IntentQuery {
    /// Reads a query; of a parameter that is there twice the first counts.
    #[must_use]
    pub fn read(query: &str) -> Self {
        let of = |name: &str| {
            let found = form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name);
            found.map(|(_, value)| value.into_owned())
        };
        Self {
            mode: of("hub.mode").unwrap_or_default(),
            topic: of("hub.topic").unwrap_or_default(),
            challenge: of("hub.challenge").unwrap_or_default(),
            lease_seconds: of("hub.lease_seconds"),
            reason: of("hub.reason"),
        }
    }
}

/// Our answer to a hub.
#[derive(Debug, Clone, PartialEq)]
pub enum IntentAnswer {
    /// We asked for it: the challenge is sent back, and the subscription is kept so.
    Confirmed(Box<FeedSubscription>),
    /// We asked for its end: the challenge is sent back, and the subscription is forgotten.
    Ended,
    /// The hub does not want the subscription, which is kept so.
    Denied(Box<FeedSubscription>),
    /// We did not ask for this.
    Refused,
}

/// Decides on a request of a hub to the callback of a subscription: it is confirmed only if we asked for that very thing.
///
/// A hub may verify twice, for our answer may have been lost on its way.
#[must_use]
pub fn answer_intent(known: &FeedSubscription, query: &IntentQuery, now: Timestamp) -> IntentAnswer {
    let is_of_topic =
        query.topic == known.topic.as_str() || url::Url::parse(&query.topic).is_ok_and(|url| url == known.topic);
    if !is_of_topic {
        return IntentAnswer::Refused;
    }
    let was_asked = known.asked.is_some_and(|asked| (now - asked).abs() <= ANSWERED_FOR);
    let has_challenge = (1..=CHALLENGE_BYTES_MAX).contains(&query.challenge.len());
    match (query.mode.as_str(), known.stage) {
        ("subscribe", SubscriptionStage::Asked | SubscriptionStage::Verified) if was_asked && has_challenge => {
            IntentAnswer::Confirmed(Box::new(FeedSubscription {
                stage: SubscriptionStage::Verified,
                verified: Some(now),
                lease_end: Some(now + lease(query.lease_seconds.as_deref())),
                next_try: None,
                failures: 0,
                why: None,
                ..known.clone()
            }))
        }
        ("unsubscribe", SubscriptionStage::Ending) if was_asked && has_challenge => IntentAnswer::Ended,
        ("denied", SubscriptionStage::Asked | SubscriptionStage::Verified | SubscriptionStage::Denied) => {
            let reason = query.reason.as_deref().unwrap_or("the hub gives no reason");
            let failures = known.failures.saturating_add(1);
            IntentAnswer::Denied(Box::new(FeedSubscription {
                stage: SubscriptionStage::Denied,
                lease_end: None,
                next_try: Some(now + step::pause_after_denial(failures)),
                failures,
                why: Some(reason.chars().filter(|character| !character.is_control()).take(REASON_MAX).collect()),
                ..known.clone()
            }))
        }
        _ => IntentAnswer::Refused,
    }
}

/// Reads a lease: any positive number of seconds, up to [`LEASE_MAX`]; the one that we asked for if there is none.
fn lease(seconds: Option<&str>) -> TimeDelta {
    let Some(seconds) = seconds.map(str::trim).filter(|text| !text.is_empty()) else { return LEASE_ASKED };
    let is_number = seconds.bytes().all(|byte| byte.is_ascii_digit());
    match seconds.parse::<i64>() {
        Ok(seconds) => TimeDelta::try_seconds(seconds).unwrap_or(LEASE_MAX).clamp(TimeDelta::zero(), LEASE_MAX),
        // More digits than a number holds.
        Err(_) if is_number => LEASE_MAX,
        Err(_) => LEASE_ASKED,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::websub::PushTrust;

    fn noon() -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    /// A subscription that was asked for at noon.
    pub(in crate::websub) fn subscription() -> FeedSubscription {
        FeedSubscription {
            source_id: "agence".into(),
            token: "0123".into(),
            hub: "https://hub.example/".parse().unwrap(),
            topic: "https://agence.example/feed".parse().unwrap(),
            callback: "https://veille.example/websub/0123".parse().unwrap(),
            secret: "secret".into(),
            stage: SubscriptionStage::Verified,
            asked: Some(noon()),
            verified: None,
            lease_end: None,
            next_try: None,
            failures: 0,
            why: None,
            last_push: None,
            pushes: 0,
            refused: 0,
            method: None,
            bodies: Vec::new(),
            trust: PushTrust::default(),
        }
    }

    fn asked(stage: SubscriptionStage) -> FeedSubscription {
        FeedSubscription { stage, ..subscription() }
    }

    fn query(mode: &str, lease_seconds: Option<&str>) -> IntentQuery {
        IntentQuery {
            mode: mode.into(),
            topic: "https://agence.example/feed".into(),
            challenge: "c".into(),
            lease_seconds: lease_seconds.map(str::to_owned),
            reason: None,
        }
    }

    #[track_caller]
    fn check(known: &FeedSubscription, query: &IntentQuery, hours: i64, expected: &str) {
        let answer = match answer_intent(known, query, noon() + TimeDelta::hours(hours)) {
            IntentAnswer::Confirmed(_) => "confirmed",
            IntentAnswer::Ended => "ended",
            IntentAnswer::Denied(_) => "denied",
            IntentAnswer::Refused => "refused",
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn only_what_we_asked_for_is_confirmed() {
        use SubscriptionStage::{Asked, Denied, Ending, Verified};
        let cases = [
            (Asked, "subscribe", "confirmed"),
            (Verified, "subscribe", "confirmed"),
            (Denied, "subscribe", "refused"),
            (Ending, "subscribe", "refused"),
            (Asked, "unsubscribe", "refused"),
            (Verified, "unsubscribe", "refused"),
            (Ending, "unsubscribe", "ended"),
            (Verified, "denied", "denied"),
            (Asked, "publish", "refused"),
            (Asked, "", "refused"),
        ];
        for (stage, mode, expected) in cases {
            check(&asked(stage), &query(mode, Some("3600")), 0, expected);
        }
    }

    #[test]
    fn another_topic_is_refused_also_in_a_denial() {
        for mode in ["subscribe", "denied"] {
            let query = IntentQuery { topic: "https://other.example/feed".into(), ..query(mode, None) };
            check(&asked(SubscriptionStage::Asked), &query, 0, "refused");
        }
    }

    #[test]
    fn a_hub_may_be_late_by_hours_and_not_by_days() {
        check(&asked(SubscriptionStage::Asked), &query("subscribe", None), 23, "confirmed");
        check(&asked(SubscriptionStage::Asked), &query("subscribe", None), 25, "refused");
        check(&asked(SubscriptionStage::Verified), &query("subscribe", None), 25, "refused");
    }

    #[test]
    fn a_challenge_must_be_there_and_may_not_be_endless() {
        for challenge in [String::new(), "c".repeat(5000)] {
            let query = IntentQuery { challenge, ..query("subscribe", None) };
            check(&asked(SubscriptionStage::Asked), &query, 0, "refused");
        }
    }

    #[test]
    fn a_lease_is_read_whatever_its_size() {
        let days = |text: Option<&str>| lease(text).num_days();
        assert_eq!(
            [Some("864000"), Some("0"), Some("-5"), Some("1000000000000"), None, Some("soon"), Some("")].map(days),
            [10, 0, 0, 60, 10, 10, 10]
        );
        assert_eq!(days(Some("99999999999999999999999999")), 60);
    }

    #[test]
    fn the_first_of_a_repeated_parameter_counts() {
        let read = IntentQuery::read("hub.mode=subscribe&hub.mode=denied&hub.topic=a%26b&hub.challenge=%2B1+2");
        assert_eq!((&*read.mode, &*read.topic, &*read.challenge), ("subscribe", "a&b", "+1 2"));
    }
}

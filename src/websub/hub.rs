//! Our own hub (§5): the requests that it takes, the subscribers that it has, and what it asks them.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

use crate::feed::Timestamp;
use crate::outbox::{HttpCall, Verb};

/// Shortest lease that our hub gives.
pub const LEASE_MIN: TimeDelta = TimeDelta::hours(1);

/// A secret is shorter than this (§5.1).
const SECRET_BYTES_END: usize = 200;

/// Longest address of a subscriber.
const CALLBACK_BYTES_MAX: usize = 2048;

/// A request to our hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubRequest {
    /// Whether it is for a subscription, or for its end.
    pub mode: HubMode,
    /// The address of the subscriber.
    pub callback: Url,
    /// The topic, as written.
    pub topic: String,
    /// The key by which deliveries are to be signed.
    pub secret: Option<String>,
    /// The lease that is asked for, in seconds.
    pub lease_seconds: Option<u64>,
}

/// The two things that a hub is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HubMode {
    /// A subscription, new or renewed.
    Subscribe,
    /// Its end.
    Unsubscribe,
}

impl HubMode {
    /// Returns its word, as `hub.mode` has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
        }
    }
}

/// A request that is to be verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberIntent {
    /// The thing that is asked for.
    pub mode: HubMode,
    /// The key to sign with.
    pub secret: Option<String>,
    /// The lease that our hub gives.
    pub lease_seconds: i64,
    /// When it was asked.
    pub noted: Timestamp,
    /// The reason of a denial, if it is to be told of one and not verified.
    pub denied: Option<String>,
}

/// The end of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The subscriber wants it. A new one has the document as it is now.
    Subscribed {
        /// The end of the lease.
        lease_end: Timestamp,
        /// The mark of the topic's document at the moment.
        told: String,
        /// The key to sign with from now on.
        secret: Option<String>,
    },
    /// The subscriber wants no more.
    Unsubscribed,
    /// The subscriber did not ask for it: all stays as it was.
    Failed,
}

/// A subscriber of our hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// Its number, never given twice.
    pub number: i64,
    /// Its address.
    pub callback: String,
    /// The topic's address.
    pub topic: String,
    /// The key by which its deliveries are signed.
    pub secret: Option<String>,
    /// The end of its lease; `None` before it was verified.
    pub lease_end: Option<Timestamp>,
    /// The mark of the document that it has.
    pub told: String,
    /// When the next delivery is tried, after a failure.
    pub next_try: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// When they began.
    pub since: Option<Timestamp>,
    /// Why the last delivery failed.
    pub why: Option<String>,
    /// The request that is to be verified.
    pub intent: Option<SubscriberIntent>,
}

/// A question about subscribers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscribersAsked {
    /// Those with a request that is to be verified, the earliest first.
    Intents {
        /// Most of them.
        limit: usize,
    },
    /// Those of a topic whose lease is not over, that have another document than this and may be told of it now.
    Due {
        /// The topic's address.
        topic: String,
        /// The mark of its document.
        told: String,
        /// The instant.
        now: Timestamp,
        /// Only those with higher numbers.
        after: i64,
        /// Most of them.
        limit: usize,
    },
}

/// Numbers of subscribers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubscriberCounts {
    /// All, verified or not.
    pub all: usize,
    /// Those of one host.
    pub of_host: usize,
    /// Requests that are to be verified.
    pub intents: usize,
    /// Those of one host.
    pub intents_of_host: usize,
    /// The earliest time at which a delivery is tried again.
    pub next_try: Option<Timestamp>,
}

/// Reads the form that is sent to our hub.
///
/// # Errors
/// Why it cannot be followed, for the developer of the subscriber.
pub fn read_request(form: &[u8]) -> Result<HubRequest, &'static str> {
    let of = |name: &str| {
        let found = form_urlencoded::parse(form).find(|(found, _)| found == name);
        found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
    };
    let mode = match of("hub.mode").as_deref() {
        Some("subscribe") => HubMode::Subscribe,
        Some("unsubscribe") => HubMode::Unsubscribe,
        Some(_) => return Err("`hub.mode` must be `subscribe` or `unsubscribe`"),
        None => return Err("`hub.mode` is missing"),
    };
    let callback = of("hub.callback").ok_or("`hub.callback` is missing")?;
    if callback.len() > CALLBACK_BYTES_MAX {
        return Err("`hub.callback` is longer than 2048 bytes");
    }
    let mut callback = Url::parse(&callback).map_err(|_| "`hub.callback` is no absolute address")?;
    if !matches!(callback.scheme(), "http" | "https") || callback.host().is_none() {
        return Err("`hub.callback` must begin with `https://` or `http://`");
    }
    if !callback.username().is_empty() || callback.password().is_some() {
        return Err("`hub.callback` must not hold a name or password");
    }
    callback.set_fragment(None);
    let topic = of("hub.topic").ok_or("`hub.topic` is missing")?;
    let secret = of("hub.secret");
    if secret.as_ref().is_some_and(|secret| secret.len() >= SECRET_BYTES_END) {
        return Err("`hub.secret` must be less than 200 bytes");
    }
    let lease_seconds = match of("hub.lease_seconds") {
        None => None,
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(text.parse().unwrap_or(u64::MAX)),
        Some(_) => return Err("`hub.lease_seconds` must be a number of seconds"),
    };
    Ok(HubRequest { mode, callback, topic, secret, lease_seconds })
}

impl HubRequest {
    /// Returns the intent that it is; the lease is as asked within limits, or else the default.
    #[must_use]
    pub fn intent(self, default: TimeDelta, longest: TimeDelta, now: Timestamp) -> SubscriberIntent {
        let asked = self.lease_seconds.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
        let longest = longest.max(LEASE_MIN).num_seconds();
        let lease_seconds = asked.unwrap_or(default.num_seconds()).clamp(LEASE_MIN.num_seconds(), longest);
        SubscriberIntent { mode: self.mode, secret: self.secret, lease_seconds, noted: now, denied: None }
    }
}

/// Returns the question whether a subscriber asked for something (§5.3).
#[must_use]
pub fn challenge_call(callback: &Url, topic: &str, intent: &SubscriberIntent, challenge: &str) -> HttpCall {
    let lease = intent.lease_seconds.to_string();
    let mut parameters = vec![("hub.mode", intent.mode.word()), ("hub.topic", topic), ("hub.challenge", challenge)];
    if intent.mode == HubMode::Subscribe {
        parameters.push(("hub.lease_seconds", &lease));
    }
    with_query(callback, &parameters)
}

/// Returns the notice that a subscription is denied (§5.2).
#[must_use]
pub fn denial_call(callback: &Url, topic: &str, reason: &str) -> HttpCall {
    with_query(callback, &[("hub.mode", "denied"), ("hub.topic", topic), ("hub.reason", reason)])
}

/// A GET with parameters after those that the address has, which stay as they are (§5.1.1).
fn with_query(callback: &Url, parameters: &[(&str, &str)]) -> HttpCall {
    let mut url = callback.clone();
    let own = url.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&")).unwrap_or_default();
    let added = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    url.set_query(Some(&format!("{own}{added}")));
    HttpCall { verb: Verb::Get, url, headers: Vec::new(), body: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "hub.mode=subscribe&hub.callback=https%3A%2F%2Freader.example%2Fcb%3Fa%3D1%26b&hub.topic=https%3A%2F%2Fsite.example%2Fa.atom";

    #[track_caller]
    fn check(form: &str, expected: &str) {
        assert_eq!(read_request(form.as_bytes()).unwrap_err(), expected, "{form}");
    }

    #[test]
    fn a_request_names_a_mode_a_callback_and_a_topic() {
        let read = read_request(format!("{GOOD}&hub.secret=s&hub.lease_seconds=60&other=1").as_bytes()).unwrap();
        assert_eq!(
            read,
            HubRequest {
                mode: HubMode::Subscribe,
                callback: "https://reader.example/cb?a=1&b".parse().unwrap(),
                topic: "https://site.example/a.atom".into(),
                secret: Some("s".into()),
                lease_seconds: Some(60),
            }
        );
    }

    #[test]
    fn a_request_that_lacks_something_is_told_what() {
        check("", "`hub.mode` is missing");
        check(&GOOD.replace("=subscribe", "=publish"), "`hub.mode` must be `subscribe` or `unsubscribe`");
        check("hub.mode=subscribe", "`hub.callback` is missing");
        check("hub.mode=subscribe&hub.callback=/a", "`hub.callback` is no absolute address");
        check("hub.mode=subscribe&hub.callback=https://a.example/", "`hub.topic` is missing");
        check("\u{FFFD}%%%&&&=", "`hub.mode` is missing");
    }

    #[test]
    fn a_callback_is_an_address_of_the_web_without_a_password() {
        for callback in ["ftp://a.example/", "file:///etc/passwd", "data:,x", "javascript:1"] {
            check(
                &format!("hub.mode=subscribe&hub.callback={callback}"),
                "`hub.callback` must begin with `https://` or `http://`",
            );
        }
        check(
            "hub.mode=subscribe&hub.callback=https://me:word@a.example/",
            "`hub.callback` must not hold a name or password",
        );
        let long = format!("hub.mode=subscribe&hub.callback=https://a.example/{}", "a".repeat(2048));
        check(&long, "`hub.callback` is longer than 2048 bytes");
    }

    #[test]
    fn a_secret_is_shorter_than_200_bytes() {
        check(&format!("{GOOD}&hub.secret={}", "s".repeat(200)), "`hub.secret` must be less than 200 bytes");
        assert!(read_request(format!("{GOOD}&hub.secret={}", "s".repeat(199)).as_bytes()).is_ok());
    }

    #[test]
    fn a_lease_is_kept_within_limits() {
        let lease = |text: &str| {
            let read = read_request(format!("{GOOD}{text}").as_bytes()).unwrap();
            read.intent(TimeDelta::days(10), TimeDelta::days(30), Timestamp::UNIX_EPOCH).lease_seconds
        };
        let day = 86_400;
        assert_eq!(
            ["", "&hub.lease_seconds=0", "&hub.lease_seconds=7200", "&hub.lease_seconds=1000000000000"].map(lease),
            [10 * day, 3600, 7200, 30 * day]
        );
        assert_eq!(lease("&hub.lease_seconds=99999999999999999999999"), 30 * day);
        check(&format!("{GOOD}&hub.lease_seconds=-1"), "`hub.lease_seconds` must be a number of seconds");
        check(&format!("{GOOD}&hub.lease_seconds=1e9"), "`hub.lease_seconds` must be a number of seconds");
    }

    #[test]
    fn parameters_of_a_callback_stay_before_ours() {
        let callback = Url::parse("https://reader.example/cb?hub.mode=own&x=%20").unwrap();
        let intent = read_request(GOOD.as_bytes()).unwrap();
        let intent = intent.intent(TimeDelta::days(10), TimeDelta::days(30), Timestamp::UNIX_EPOCH);
        assert_eq!(
            challenge_call(&callback, "https://site.example/a", &intent, "42").url.as_str(),
            "https://reader.example/cb?hub.mode=own&x=%20&hub.mode=subscribe&hub.topic=https%3A%2F%2Fsite.example%2Fa\
             &hub.challenge=42&hub.lease_seconds=864000"
        );
        assert_eq!(
            denial_call(&Url::parse("https://a.example/").unwrap(), "t", "too many").url.as_str(),
            "https://a.example/?hub.mode=denied&hub.topic=t&hub.reason=too+many"
        );
    }
}

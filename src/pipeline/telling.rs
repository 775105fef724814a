//! The log tells one line of a host that fails, not one of each of its feeds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use url::Url;

use crate::config::Config;
use crate::feed::Timestamp;
use crate::fetch::Endpoint;

/// Time for which the failure of a host counts as told: a little less than the day after which it is told again.
const TOLD_FOR: TimeDelta = TimeDelta::hours(23);

/// The failures of hosts that were told.
#[derive(Debug, Default)]
pub(super) struct FailuresTold {
    /// By host and port, and by the failure's words.
    told: Mutex<HashMap<(String, String), Timestamp>>,
}

impl FailuresTold {
    /// Notes that a failure is told; false if it was told already, of another feed of that host.
    pub(super) fn is_news(&self, address: &Url, message: &str, now: Timestamp) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| (now - *at).abs() < TOLD_FOR);
        let key = (Endpoint::of(address).to_string(), message.to_owned());
        if told.contains_key(&key) {
            return false;
        }
        told.insert(key, now);
        true
    }

    /// Notes that a host answers: its next failure is told.
    pub(super) fn is_well(&self, address: &Url) {
        let at = Endpoint::of(address).to_string();
        self.told.lock().unwrap_or_else(PoisonError::into_inner).retain(|(told, _), _| *told != at);
    }
}

/// Goes on with the number of feeds that have the host of `address`, if there are several.
pub(super) fn with_others(config: &Config, address: &Url) -> String {
    let of = Endpoint::of(address);
    let number = config.sources.iter().filter(|source| source.enabled && Endpoint::of(&source.url) == of).count();
    if number > 1 { format!(" ({number} feeds are there)") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    #[test]
    fn feeds_of_one_host_that_fail_alike_are_told_once_a_day() {
        let telling = FailuresTold::default();
        let told =
            [("https://a.example/1", "dns", 0), ("https://a.example/2", "dns", 1), ("https://a.example/2", "dns", 24)];
        assert_eq!(told.map(|(url, code, hour)| telling.is_news(&address(url), code, at(hour))), [true, false, true]);
    }

    #[test]
    fn another_port_another_failure_and_one_after_an_answer_are_news() {
        let telling = FailuresTold::default();
        assert!(telling.is_news(&address("https://a.example/1"), "dns", at(0)));
        assert!(telling.is_news(&address("https://a.example:8443/1"), "dns", at(0)));
        assert!(telling.is_news(&address("https://a.example/1"), "connect", at(0)));
        telling.is_well(&address("https://a.example/3"));
        assert!(telling.is_news(&address("https://a.example/2"), "dns", at(1)));
        assert!(!telling.is_news(&address("https://a.example:8443/2"), "dns", at(1)));
    }
}
